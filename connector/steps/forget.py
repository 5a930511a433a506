"""Forgetting a person: what names them goes everywhere, what must be provable stays without them.

1. Find every row about them (``ledger/people``), those merged into them included.
2. Of each of their numbers that nobody else bears, keep a keyed digest first: it must never be
   texted again, whoever imports it (``steps/consent``).
3. Erase the chained rows by ``ledger/erasure``, an act for each; then all other places.
4. Keep one act of it, about nothing that names them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import acts, chain, consents, erasure, forgotten, people
from connector.ledger.people import Person, Place
from connector.ledger.store import Row, Tx
from connector.steps.consent import Names

ACT: Final = "forgotten"
CHAINED: Final = ("acts", "consents", "facts")
IDENTITIES: Final = """SELECT DISTINCT kind, value, contact_id FROM identities"""
NUMBERS: Final = "SELECT phone FROM numbers"
CLOSE: Final = """UPDATE sends SET state = 'cancelled', reason = 'forgotten', settled_at = :at
    WHERE contact_id = :contact AND state = 'planned'"""
END: Final = """UPDATE enrolments SET state = 'ended', due_at = NULL, ended_at = :at,
    exit_reason = 'forgotten'
    WHERE contact_id = :contact AND (state = 'waiting' OR state = 'walking')"""


@dataclass(frozen=True, slots=True)
class Gone:
    """What went, or would go: table → rows; and numbers that stay since others bear them."""

    rows: dict[str, int]
    shared: int


def preview(tx: Tx, person: Person) -> Gone:
    """What forgetting a person would take."""
    counts = {
        place.table: len(people.rows(tx, place, person))
        for place in people.PLACES
        if place.blank is not people.STAYS
    }
    return Gone({name: count for name, count in counts.items() if count}, len(person.shared))


def forget(tx: Tx, rt: Names, person: Person, *, who: str, why: str, now: datetime) -> Gone:
    """Forget a person; what went. ``why`` stays and must name nobody."""
    gone = preview(tx, person)
    _remember_digests(tx, person, now)
    for contact in person.contacts:
        tx.run(CLOSE, contact=contact, at=clock.text(now))
        tx.run(END, contact=contact, at=clock.text(now))
    _erase_chained(tx, rt, person, who, now)
    for place in people.PLACES:
        if place.table not in CHAINED and place.blank is not people.STAYS:
            _erase(tx, place, person)
    says = f"{why} ({sum(gone.rows.values())} rows)"
    acts.add(tx, rt.new_id("act"), ACT, "contact", who=who, at=now, why=says)
    return gone


def _remember_digests(tx: Tx, person: Person, now: datetime) -> None:
    """Keep a digest of every name, so that a backup restored later is made to forget it too."""
    secret = forgotten.key(tx, make=True)
    for kind, value in person.identities:
        if kind != "phone" or value in person.phones:
            mark = forgotten.digest(value, kind, secret)
            stopped = _stopped(tx, value) if kind == "phone" else None
            forgotten.add(tx, mark, kind, stopped or now, now)


def _stopped(tx: Tx, phone: str) -> datetime | None:
    row = consents.number(tx, phone)
    return clock.instant(row["blocked_at"]) if row is not None and row["blocked_at"] else None


def _erase_chained(tx: Tx, rt: Names, person: Person, who: str, now: datetime) -> None:
    about = {"who": who, "why": "a person was forgotten", "at": now, "new_id": rt.new_id}
    for phone in person.phones:
        consents.erase(tx, phone, **about)  # type: ignore[arg-type]
    erasure.erase(tx, chain.CONSENTS, person.proposals, **about)  # type: ignore[arg-type]
    for contact in person.contacts:
        erasure.erase_facts(tx, contact, **about)  # type: ignore[arg-type]
    place = next(place for place in people.PLACES if place.table == "acts")
    ids = [
        str(row["id"])
        for row in people.rows(tx, place, person)
        if row["act"] != erasure.ERASE  # it proves an erasure, and names a row or a pseudonym
    ]
    erasure.erase(tx, chain.ACTS, ids, **about)  # type: ignore[arg-type]


def _erase(tx: Tx, place: Place, person: Person) -> None:
    """Delete the rows of a place, or blank the columns that may name the person."""
    if place.table == "events":
        _hide_event_keys(tx, person)
    # A column name in the place of a value sets it to that column: a key that is unique.
    blanks = ", ".join(f"{name} = {_literal(value)}" for name, value in (place.blank or {}).items())
    for column, kind in place.by:
        inside = kind == "words"
        for value in sorted(getattr(person, kind)):
            what = f"UPDATE {place.table} SET {blanks}" if blanks else f"DELETE FROM {place.table}"  # noqa: S608
            where = f"{column} LIKE :value ESCAPE '\\'" if inside else f"{column} = :value"
            asked = f"%{people.escaped(value)}%" if inside else value
            tx.run(f"{what} WHERE {where}", value=asked)


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "id" if value == "id" else f"'{value}'"


def _hide_event_keys(tx: Tx, person: Person) -> None:
    """An event's key stays, so that it is not taken twice; where it holds a name, a digest does."""
    secret = forgotten.key(tx, make=True)
    names = {value for _, value in person.identities if len(value) >= 4}
    place = next(place for place in people.PLACES if place.table == "events")
    for row in people.rows(tx, place, person):
        held = str(row["source_event_id"])
        if any(name in held for name in names):
            mark = forgotten.digest(held, "event", secret)
            tx.run(
                "UPDATE events SET source_event_id = :key WHERE id = :id", key=mark, id=row["id"]
            )


def listed(tx: Tx) -> list[Row]:
    """Every digest of the forgotten; none in a ledger of an older release."""
    return forgotten.all_(tx)


def key(tx: Tx, *, make: bool) -> str:
    """What those digests were made with."""
    return forgotten.key(tx, make=make)


def again(tx: Tx, rt: Names, marks: Iterable[Row], secret: str, *, now: datetime) -> int:
    """Forget again, in a ledger that came from a backup, whom its successor had forgotten."""
    wanted = {str(row["digest"]): row for row in marks}
    if not wanted:
        return 0
    own = forgotten.key(tx, make=False)
    if not own:
        forgotten.set_key(tx, secret)
    found = Counter[str]()
    for row in tx.all(IDENTITIES):
        mark = forgotten.digest(str(row["value"]), str(row["kind"]), secret)
        if mark in wanted and row["kind"] != "email":
            found[str(row["contact_id"])] += 1
    for contact_id in found:
        person = people.find(tx, contact_id)
        forget(tx, rt, person, who="connector", why="forgotten before the restore", now=now)
    _keep_marks(tx, wanted, now)
    _forget_numbers(tx, rt, wanted, secret, now)
    return len(found)


def _keep_marks(tx: Tx, wanted: dict[str, Row], now: datetime) -> None:
    for mark, row in wanted.items():
        stopped = clock.instant(row["stopped_at"]) if row["stopped_at"] else now
        forgotten.add(tx, mark, str(row["kind"]), stopped, clock.instant(row["at"]))


def _forget_numbers(tx: Tx, rt: Names, wanted: dict[str, Row], secret: str, now: datetime) -> None:
    """Numbers that no contact bears, and that were forgotten."""
    for row in tx.all(NUMBERS):
        phone = str(row["phone"])
        if forgotten.digest(phone, "phone", secret) in wanted:
            person = people.number(tx, phone)
            forget(tx, rt, person, who="connector", why="forgotten before the restore", now=now)
