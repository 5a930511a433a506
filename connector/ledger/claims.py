"""Taking what a CRM is owed: in order for each contact, in batches that fill whole calls.

1. What presses is taken (urgent, tried before, its lease over) and what has waited long enough;
   with it what its contact was owed before.
2. Every call that is made anyway is filled up with what still waits, the oldest first.

Of a contact's changes none is taken while an earlier one waits to be tried again; only a task
and the end of a workflow's step stand by themselves, behind nothing and before nothing. A taken
change is leased and in doubt from then on: when the process dies, it is due again after the lease,
and looked up before it is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import orjson

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import Json

HEADS = """SELECT contact_id, kind, key, record FROM writebacks WHERE state = 'owed' AND crm = :crm
    AND waits = :waits AND due_at <= :due AND (leased_until IS NULL OR leased_until <= :now)
    ORDER BY due_at LIMIT :limit """
LINE = """SELECT * FROM writebacks WHERE contact_id = :contact AND crm = :crm AND state = 'owed'
    ORDER BY owed_at, id LIMIT :limit"""
TAKE = """UPDATE writebacks SET leased_until = :until, in_doubt = 1, waits = 0
    WHERE id = :id AND state = 'owed' AND coalesce(leased_until, '') = :seen"""
PUT_OFF = "UPDATE writebacks SET due_at = :until WHERE id = :id AND due_at < :until"

LEASE: Final = timedelta(minutes=5)
"""How long a taken change is nobody else's; longer than all the calls that a batch needs."""

LINE_LENGTH: Final = 200  #: changes of one contact that are looked at together
HEADS_FOR_EACH: Final = 6  #: changes looked at for each that a call has room for
AT_ONCE: Final = timedelta(0)

ALONE: Final = frozenset({"fields", "task", "callback"})
"""Kinds that stand behind nothing and before nothing: how it is now, or what somebody waits for."""
WHAT: Final[Mapping[str, str]] = {"send": "text"}
"""The start of an activity's key → its kind, where they differ."""

Route = Callable[[str, bool], str]


@dataclass(frozen=True, slots=True)
class Claim:
    """One owed change, taken to be written. ``revision`` tells which wording of it this is."""

    id: str
    crm: str
    contact_id: str
    kind: str
    key: str
    change: Mapping[str, Json]  #: only what cannot be looked up
    send_id: str
    record: str  #: what the CRM answered when it was written before
    attempt: int  #: calls that failed
    revision: int
    known: bool  #: the CRM has been told of it before
    in_doubt: bool = False  #: it was taken before, and what became of that is not known


def one_route(kind: str, made: bool) -> str:
    """Every change travels in the same call."""
    return "change"


def claim(
    tx: Tx,
    crm: str,
    now: datetime,
    limit: int,
    *,
    route: Route = one_route,
    wait: timedelta = AT_ONCE,
    lease: timedelta = LEASE,
) -> list[Claim]:
    """Take what is due, and what goes along with it, in order for each contact.

    ``limit`` is how many changes travel in one call, and ``route`` in which call one travels.
    ``wait`` is how long a change that nobody waits for is kept back, so that others go along.
    For as long as ``lease`` nobody else takes them.
    """
    taking = _Taking(tx, crm, now, limit, route, wait, lease)
    for contact_id in taking.heads():
        taking.take_due(contact_id)
    if wait and taking.taken:
        for contact_id in taking.fresh():
            taking.fill_up(contact_id)
    return taking.taken


@dataclass(slots=True)
class _Taking:
    """One round of taking: who has what of the room in each call."""

    tx: Tx
    crm: str
    now: datetime
    limit: int
    route: Route
    wait: timedelta
    lease: timedelta
    taken: list[Claim] = field(default_factory=list)
    mine: set[str] = field(default_factory=set)  #: ids of those
    used: Counter[str] = field(default_factory=Counter)  #: by call

    def heads(self) -> Iterator[str]:
        """The contacts with something due: what presses first, then what waited longest."""
        yield from self._with_room([*self._heads(0, self.now), *self._heads(1, self.ripe)], True)

    def fresh(self) -> Iterator[str]:
        """The contacts with something that still waits and goes along, the oldest first."""
        yield from self._with_room(self._heads(1, self.now), False)

    def _with_room(self, heads: list[Row], opens: bool) -> Iterator[str]:
        """The contacts of changes for which there is room when their turn comes, each once."""
        seen: set[str] = set()
        for row in heads:
            contact_id = str(row["contact_id"])
            if contact_id not in seen and self._has_room(row, opens):
                seen.add(contact_id)
                yield contact_id

    def _heads(self, waits: int, due: datetime) -> list[Row]:
        return self.tx.all(
            HEADS + self.tx.skip_locked,
            crm=self.crm,
            waits=waits,
            due=clock.text(due),
            now=clock.text(self.now),
            limit=self.limit * HEADS_FOR_EACH,
        )

    @property
    def ripe(self) -> datetime:
        """What was owed by then has waited long enough."""
        return self.now - self.wait

    def take_due(self, contact_id: str) -> None:
        """Take a contact's changes from the oldest on, up to the last one that is due."""
        line = self._line(contact_id)
        due = [place for place, row in enumerate(line) if self._is_due(row)]
        self._take(line[: due[-1] + 1] if due else [], opens=True)

    def fill_up(self, contact_id: str) -> None:
        """Take what goes along in the calls that are made anyway."""
        self._take(self._line(contact_id), opens=False)

    def _line(self, contact_id: str) -> list[Row]:
        return self.tx.all(LINE, contact=contact_id, crm=self.crm, limit=LINE_LENGTH)

    def _take(self, line: list[Row], *, opens: bool) -> None:
        """Take from the start of a line up to where one must wait, and whatever stands alone."""
        stopped = False
        for place, row in enumerate(line):
            if row["id"] in self.mine or (stopped and row["kind"] not in ALONE):
                continue
            free = self._free_at(row)
            if free > self.now:
                if row["kind"] not in ALONE:
                    self._put_off(line[place + 1 :], free)
                    stopped = True
            elif not self._has_room(row, opens) or not self._lease(row):
                stopped = stopped or row["kind"] not in ALONE

    def _free_at(self, row: Row) -> datetime:
        """When a change may be taken: after its lease, and one that failed when it is due."""
        lease = clock.instant(row["leased_until"]) if row["leased_until"] else self.now
        return lease if row["waits"] else max(lease, clock.instant(row["due_at"]))

    def _is_due(self, row: Row) -> bool:
        owed = clock.instant(row["due_at"])
        return self._free_at(row) <= self.now and (not row["waits"] or owed <= self.ripe)

    def _has_room(self, row: Row, opens: bool) -> bool:
        name = self._route_of(row)
        return self.used[name] < self.limit and (opens or self.used[name] > 0)

    def _lease(self, row: Row) -> bool:
        until = clock.text(self.now + self.lease)
        if not self.tx.run(TAKE, id=row["id"], until=until, seen=row["leased_until"] or ""):
            return False
        self.used[self._route_of(row)] += 1
        self.taken.append(_claim(row))
        self.mine.add(str(row["id"]))
        return True

    def _route_of(self, row: Row) -> str:
        """In which call a change travels; an activity goes by what it is an activity of."""
        kind, about = str(row["kind"]), str(row["key"]).partition(":")[0]
        is_made = bool(row["record"])
        return self.route(WHAT.get(about, about) if kind == "activity" else kind, is_made)

    def _put_off(self, rows: list[Row], until: datetime) -> None:
        """What waits behind another is due with it, so that nobody asks in vain."""
        for row in rows:
            at = until - self.wait if row["waits"] else until
            if row["kind"] not in ALONE and row["due_at"] < clock.text(at):
                self.tx.run(PUT_OFF, id=row["id"], until=clock.text(at))


def _claim(row: Row) -> Claim:
    return Claim(
        id=row["id"],
        crm=row["crm"],
        contact_id=row["contact_id"],
        kind=row["kind"],
        key=row["key"],
        change=orjson.loads(row["change"]),
        send_id=row["send_id"] or "",
        record=row["record"],
        attempt=row["attempt"],
        revision=row["revision"],
        known=row["written_at"] is not None,
        in_doubt=bool(row["in_doubt"]),
    )
