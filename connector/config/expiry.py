"""Consent that ends of itself: ``[[consent_expiry]]`` of ``policy.toml`` as values."""

from __future__ import annotations

import re
from typing import Final

from connector.config.toml import Table
from connector.rules.expiry import Expiry

METHOD: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
LONGEST: Final = 1_200  #: months, and days times thirty

_AFTER = re.compile(r"(\d{1,5})(mo|d|y)")


def expiry(name: str, table: Table) -> Expiry | None:
    """One table; None where it is at fault."""
    months, days = _after(table)
    made = Expiry(
        name=name,
        months=months,
        days=days,
        places=_names(table, "places", PLACE, 'write a country or a state: "CA", "US-FL"'),
        purposes=_names(table, "purposes", METHOD, 'write "marketing" or a scope'),
        methods=_names(table, "methods", METHOD, 'write a method such as "implied_purchase"'),
        source=table.text("source", "", max_length=400),
    )
    return made if months or days else None


def _after(table: Table) -> tuple[int, int]:
    """(months, days): ``24mo``, ``2y`` or ``180d``; months are those of the calendar."""
    told = table.text("after")
    found = _AFTER.fullmatch(told)
    count = int(found[1]) if found else 0
    if not found or not count or count > LONGEST * (30 if found[2] == "d" else 1):
        if "after" in table:
            table.fault("after", f"is {told!r:.40}", 'write "24mo", "2y" or "180d"')
        return 0, 0
    unit = found[2]
    return (0, count) if unit == "d" else (count * (12 if unit == "y" else 1), 0)


def _names(table: Table, key: str, form: re.Pattern[str], remedy: str) -> frozenset[str]:
    found = table.words(key, ())
    for name in found:
        if not form.fullmatch(name):
            table.fault(key, f"holds {name!r:.40}", remedy)
    return frozenset(found)
