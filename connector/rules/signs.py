"""Further signs of where somebody may be: a shipping address, a CRM's fields, the country of an IP.

The hours file names them (``[[signs]]``), so that an operator may add what their own data tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from connector.model import Contact, Json
from connector.rules.places import Address

ROOTS: Final = ("contact", "crm", "signal")
NOWHERE: Final = frozenset({"XX", "ZZ", "T1"})  #: what networks write who do not know, or hide it

Path = tuple[str, str]
"""Where a value is read: ``("crm", "state")``; ``("", "")`` for nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class SignRule:
    """One ``[[signs]]`` table: its name, and where its parts are read; compared by identity."""

    name: str
    country: Path
    region: Path
    postal: Path


def addresses(
    rules: tuple[SignRule, ...], contact: Contact, context: Mapping[str, Json]
) -> tuple[Address, ...]:
    """What the further signs tell of somebody; those that tell nothing are left out."""
    wanted = _wanted(rules)
    roots = (contact.traits, context.get("crm"), context.get("signal"))
    if all(not root or names.isdisjoint(root) for names, root in zip(wanted, roots, strict=True)):
        return ()  # as for nearly everybody
    facts = dict(zip(ROOTS, roots, strict=True))
    found = (
        Address(
            rule.name,
            _country(facts, rule.country),
            _value(facts, rule.region),
            _value(facts, rule.postal),
        )
        for rule in rules
    )
    return tuple(each for each in found if each.country or each.region or each.postal)


@lru_cache(maxsize=16)
def _wanted(rules: tuple[SignRule, ...]) -> tuple[frozenset[str], ...]:
    """The names that the rules read below each of the roots."""
    paths = [path for rule in rules for path in (rule.country, rule.region, rule.postal)]
    return tuple(frozenset(name for root, name in paths if root == each) for each in ROOTS)


def _country(facts: Mapping[str, Json], path: Path) -> str:
    value = _value(facts, path)
    return "" if value.upper() in NOWHERE else value


def _value(facts: Mapping[str, Json], path: Path) -> str:
    """A text, or a whole number written out; "" for all else."""
    root = facts.get(path[0])
    value = root.get(path[1]) if isinstance(root, Mapping) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""
