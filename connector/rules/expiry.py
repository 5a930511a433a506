"""Expiry: how long a consent counts, by the places that any sign names."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

IMPLIED: Final = ("implied_purchase", "implied_inquiry")
"""What a law presumes from a purchase or a question. Such a consent counts only where a row says
how long: in every country that any sign names."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """One ``[[consent_expiry]]`` table of ``policy.toml``: such a consent ends of itself."""

    name: str
    months: int = 0  #: counted by the calendar
    days: int = 0  #: beside the months
    places: frozenset[str] = frozenset()  #: ``CA``, ``CA-QC``; empty is everywhere
    purposes: frozenset[str] = frozenset()  #: empty is every purpose and scope
    methods: frozenset[str] = frozenset()  #: empty is every method but a yes by text
    source: str = ""  #: where it stands

    def ends(self, given_at: datetime) -> datetime:
        """The instant from which a consent given then no longer counts."""
        return _months_later(given_at, self.months) + timedelta(days=self.days)

    def concerns(self, purpose: str, method: str) -> bool:
        """Whether it is of such a consent, wherever the person may be."""
        return (not self.purposes or purpose in self.purposes) and (
            method in self.methods if self.methods else method not in IMPLIED
        )

    def covers(self, place: str) -> bool:
        """Whether a place (``CA-QC``) is one of its own (``CA``)."""
        return not self.places or place in self.places or place.partition("-")[0] in self.places


@dataclass(frozen=True, slots=True)
class Expiries:
    """The rows of today, and every place that any sign of the person names."""

    rows: tuple[Expiry, ...] = ()
    places: tuple[str, ...] = ()

    def lapsed(self, purpose: str, method: str, given_at: datetime, now: datetime) -> bool:
        """Whether a consent has ended of itself: the earliest end of all that concern it.

        One that is only implied has also ended where a place has no row for it.
        """
        rows = [row for row in self.rows if row.concerns(purpose, method)]
        if method in IMPLIED and not _all_covered(rows, self.places):
            return True
        here = [row for row in rows if not row.places or any(map(row.covers, self.places))]
        return any(now >= row.ends(given_at) for row in here)

    def ends(self, purpose: str, method: str, given_at: datetime) -> datetime | None:
        """When such a consent ends of itself; None where it does not."""
        rows = [row for row in self.rows if row.concerns(purpose, method)]
        here = [row for row in rows if not row.places or any(map(row.covers, self.places))]
        return min((row.ends(given_at) for row in here), default=None)


NEVER: Final = Expiries()
"""No rows: nothing expires, and nothing that is only implied counts."""


def concerned(rows: Iterable[Expiry], methods: Iterable[str]) -> bool:
    """Whether any row may be of a consent given in one of these ways; most often none is."""
    said = frozenset(methods)
    return any(row.methods & said if row.methods else said for row in rows)


def _all_covered(rows: list[Expiry], places: tuple[str, ...]) -> bool:
    return bool(places) and all(any(row.covers(place) for row in rows) for place in places)


def _months_later(at: datetime, months: int) -> datetime:
    """The same day of a later month; its last day where it has no such day."""
    if not months:
        return at
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)
