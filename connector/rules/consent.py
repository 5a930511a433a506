"""Consent: which purposes a number has granted, read from its append-only rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connector.model import ConsentRow
from connector.rules.expiry import IMPLIED, NEVER, Expiries

EVERYTHING: Final = "all"  #: the purpose of a row that a STOP or a START writes
CRM_FIELD: Final = "crm_field"  #: the method of what an opt-out field of a CRM says

#: The number is another person's now: a STOP after which START brings nothing back.
WRONG_PERSON: Final = "wrong_person"

#: Only these lift a STOP given by text (semantics: Consent and opt-out).
LIFTING: Final = frozenset({"reply", "double_opt_in"})

#: Marketing that ends in one of these ways is a STOP, wherever it was said.
STOPPING: Final = frozenset({"reply", "provider", "call", "email", "crm", "crm_note", "operator"})

Live = dict[str, dict[str, datetime]]
"""purpose → how it was granted → when last; each way counts by itself, as each ends by itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a number's rows come to: live purposes, and the scope of a STOP ("" for none)."""

    live: frozenset[str]
    stopped: str = ""  #: "" | all | marketing
    by: frozenset[str] = field(default=frozenset(), compare=False)  #: how the STOP was given


def standing(
    rows: Iterable[ConsentRow],
    now: datetime | None = None,
    expiries: Expiries = NEVER,
    owner_since: datetime | None = None,
) -> Standing:
    """Read rows in the order in which they occurred.

    A STOP (``all`` or ``marketing`` revoked by reply, at the provider, by call …) remembers what
    was live and ends it. While it stands, grants from elsewhere are recorded but count for
    nothing. START (``all`` granted by reply) lifts it and makes live exactly what was live when
    STOP came; a completed double opt-in lifts it for the purposes it names and for no other.
    Once its bearer said that they are somebody else, nothing of before is remembered.
    An opt-out that a CRM's field set, and nobody else, that field also lifts. What is pending
    counts for nothing. A consent that ``expiries`` end by ``now`` is not live (``now`` is None:
    nothing is asked to expire). Where the number has had its owner only ``owner_since`` an
    instant, no consent of until then is live or remembered; a STOP stays.
    """
    reading = _Reading(expiries, now)
    for row in sorted(rows, key=lambda row: row.occurred_at):
        if owner_since is not None and row.occurred_at > owner_since:
            reading.pass_on()
            owner_since = None
        reading.take(row)
    if owner_since is not None:
        reading.pass_on()
    return reading.standing()


def wording_version(wording: str, named: str = "") -> str:
    """The version of the words shown: the operator's own name for them, else a hash of them."""
    if named or not wording:
        return named[:100]
    return f"sha256:{hashlib.sha256(wording.encode(errors='replace')).hexdigest()[:16]}"


def of_marketing(rows: Iterable[ConsentRow], stands: Standing) -> tuple[str, ConsentRow | None]:
    """Marketing's consent in one word (granted, denied, unknown) and the row that made it so.

    It is unknown where nobody was asked, and again where a consent has ended of itself.
    """
    about = (EVERYTHING, "marketing")
    said = [row for row in rows if row.purpose in about and not row.pending]
    said.sort(key=lambda row: row.occurred_at)
    newest = {row.granted: row for row in said}
    if "marketing" in stands.live:
        return "granted", newest.get(True)
    if False in newest and (stands.stopped or not said[-1].granted):
        return "denied", newest[False]
    return "unknown", None


class _Reading:
    """The state in which reading a number's rows stands."""

    __slots__ = ("by", "expiries", "lifted", "live", "now", "remembered", "stopped")

    def __init__(self, expiries: Expiries, now: datetime | None) -> None:
        self.expiries, self.now = expiries, now
        self.live: Live = {}
        self.remembered: Live = {}
        self.stopped = ""
        self.lifted: set[str] = set()  #: purposes for which a double opt-in lifted the STOP
        self.by: set[str] = set()

    def take(self, row: ConsentRow) -> None:
        """One more row, no older than the last."""
        if row.pending:
            return
        if _is_stop(row):
            self._stop(row)
        elif not row.granted:
            self.live.pop(row.purpose, None)
            self.remembered.pop(row.purpose, None)
        elif row.purpose == EVERYTHING:
            self._start(row)
        elif not self.stopped or row.method in LIFTING or self._is_open(row.purpose):
            if self.stopped and row.method in LIFTING:
                self.lifted.add(row.purpose)
            self.live.setdefault(row.purpose, {})[row.method] = row.occurred_at

    def pass_on(self) -> None:
        """The number is somebody else's from here on, who has agreed to nothing."""
        self.live, self.remembered = {}, {}

    def standing(self) -> Standing:
        """What it all comes to."""
        if self.now is not None:
            self._expire(self.now)
        return Standing(frozenset(self.live), self._block(), frozenset(self.by))

    def _stop(self, row: ConsentRow) -> None:
        if not self._block():
            if self.now is not None:
                self._expire(row.occurred_at)
            self.remembered, self.by = dict(self.live), set()
        if row.method == WRONG_PERSON:
            self.remembered = {}
        self.by.add(row.method)
        is_all = EVERYTHING in (row.purpose, self.stopped)
        self.stopped, self.lifted = EVERYTHING if is_all else "marketing", set()
        kept = () if is_all else ("service",)
        self.live = {purpose: given for purpose, given in self.live.items() if purpose in kept}

    def _start(self, row: ConsentRow) -> None:
        is_own = bool(self.by) and self.by <= {CRM_FIELD} and row.method == CRM_FIELD
        if row.method not in LIFTING and not is_own:
            return
        regained = self.remembered if self._block() else {}
        for purpose, given in regained.items():
            again = {} if is_own else {row.method: row.occurred_at}
            self.live[purpose] = {**given, **self.live.get(purpose, {}), **again}
        self.stopped, self.remembered = "", {}
        self.lifted, self.by = set(), set()

    def _is_open(self, purpose: str) -> bool:
        """Whether what stands of a STOP leaves a purpose open to grants from elsewhere."""
        return purpose in self.lifted or (self.stopped == "marketing" and purpose == "service")

    def _block(self) -> str:
        """What the number's row says: what was not lifted is not live, and so is closed too."""
        if not self.stopped or self.lifted - {"service"}:
            return ""
        return "marketing" if self.lifted else self.stopped

    def _expire(self, at: datetime) -> None:
        if not self.expiries.rows and not any(map(_is_implied, self.live.values())):
            return  # as for nearly everybody
        for purpose, given in list(self.live.items()):
            kept = {
                method: when
                for method, when in given.items()
                if not self.expiries.lapsed(purpose, method, when, at)
            }
            if kept:
                self.live[purpose] = kept
            else:
                del self.live[purpose]


def _is_implied(given: Mapping[str, datetime]) -> bool:
    return any(method in IMPLIED for method in given)


def _is_stop(row: ConsentRow) -> bool:
    if row.granted:
        return False
    return row.purpose == EVERYTHING or (row.purpose == "marketing" and row.method in STOPPING)
