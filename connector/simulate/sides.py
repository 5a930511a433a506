"""Sides: the two policies that are laid beside each other, read from files or from the ledger."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from connector.config.loaded import Instead, Loaded, load
from connector.errors import BadConfig, ConnectorError, Fault
from connector.ledger.store import Row
from connector.rules.policy import Rulebook

NOW: Final = "now"  #: the folder's own file
SHORTEST: Final = 4  #: letters of a version that name it

_LIST = re.compile(r"^# list (.+) sha256:(\w*)$", re.MULTILINE)


class NoSuchVersion(ConnectorError):
    """No such version."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a policy or hours file, as the ledger keeps it."""

    kind: str  #: policy | hours
    version: str
    content: str
    seen_at: str

    @property
    def lists(self) -> dict[str, str]:
        """The suppression lists that it was used with, by name: their digests, not their lines."""
        return dict(_LIST.findall(self.content))

    @property
    def text(self) -> str:
        """The file itself."""
        return _LIST.sub("", self.content).rstrip("\n") + "\n"


@dataclass(frozen=True, slots=True)
class Side:
    """A policy and hours with which the past is run again."""

    named: str  #: as it was asked for
    loaded: Loaded
    notes: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """As decisions bear it."""
        return self.book.version

    @property
    def book(self) -> Rulebook:
        """What decisions rest on."""
        return Rulebook(self.loaded.policy, self.loaded.hours)


def kept(rows: Sequence[Row]) -> list[Kept]:
    """The versions that a ledger keeps, the oldest first."""
    return [Kept(row["kind"], row["version"], row["content"], row["seen_at"]) for row in rows]


def find(known: Sequence[Kept], kind: str, named: str) -> Kept:
    """The version that a prefix names. Raises ``NoSuchVersion`` where none does, or several do."""
    found = [one for one in known if one.kind == kind and one.version.startswith(named)]
    if len(found) == 1 and len(named) >= SHORTEST:
        return found[0]
    if len(found) > 1:
        raise NoSuchVersion(f"{len(found)} versions of the {kind} begin with {named}: write more")
    raise NoSuchVersion(
        f"the ledger keeps no version {named} of the {kind}, and there is no such file; "
        "list them with `connector policy versions`"
    )


def side(folder: Path, own: Loaded, known: Sequence[Kept], policy: str, hours: str = NOW) -> Side:
    """What is named: ``now``, a file, a version, or ``policy+hours`` as decisions bear it.

    Raises ``BadConfig`` with every fault of a file, and ``NoSuchVersion``.
    """
    first, plus, second = policy.partition("+")
    if plus and not Path(policy).exists():
        hours = second if hours == NOW else hours
    else:
        first = policy
    with tempfile.TemporaryDirectory(prefix="connector-policy-") as place:
        rules, of_rules = _file(known, "policy", first, Path(place))
        opens, of_opens = _file(known, "hours", hours, Path(place))
        if rules is None and opens is None:
            return Side(policy, own)
        found = _load(folder, Instead(rules, opens), {rules: of_rules, opens: of_opens})
    return Side(policy, _called(found, of_rules, of_opens), tuple(_notes(of_rules, own)))


def _file(
    known: Sequence[Kept], kind: str, named: str, place: Path
) -> tuple[Path | None, Kept | None]:
    """The file to read, and the version that it is a copy of."""
    if named == NOW:
        return None, None
    if Path(named).is_file():
        return Path(named), None
    version = find(known, kind, named)
    path = place / f"{kind}.toml"
    path.write_text(version.text, encoding="utf-8")
    return path, version


def _load(folder: Path, instead: Instead, of: dict[Path | None, Kept | None]) -> Loaded:
    """Read a folder with other files; a fault of a kept version names the version."""
    names = {str(path): f"{one.kind}.toml@{one.version}" for path, one in of.items() if one}
    try:
        return load(folder, secrets=False, instead=instead)
    except BadConfig as error:
        faults = [replace(fault, file=names.get(fault.file, fault.file)) for fault in error.faults]
        raise BadConfig(_own_first(faults, set(names.values()))) from error


def _own_first(faults: list[Fault], names: set[str]) -> list[Fault]:
    return sorted(faults, key=lambda fault: fault.file not in names)


def _called(found: Loaded, policy: Kept | None, hours: Kept | None) -> Loaded:
    """Under the versions that they had: a list beside them may be another today."""
    if policy is not None:
        found = replace(found, policy=replace(found.policy, version=policy.version))
    if hours is not None:
        found = replace(found, hours=replace(found.hours, version=hours.version))
    return found


def _notes(policy: Kept | None, own: Loaded) -> list[str]:
    """Suppression lists are kept by digest alone, so that today's are asked."""
    if policy is None:
        return []
    today = {each.name: each.digest for each in own.policy.lists.lists}
    other = sorted(
        name for name in {*today, *policy.lists} if today.get(name) != policy.lists.get(name)
    )
    return [
        f"the suppression list {name} is not as it was under {policy.version}; today's is asked"
        for name in other
    ]
