"""Importing what became of numbers: of a file, those lines count that are of somebody here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from connector import clock
from connector.ledger import acts, consents, cursors, listings, numbers
from connector.ledger.store import Store, Tx
from connector.rules.numberfile import DEACTIVATED, REASSIGNED, Entry
from connector.steps import numbers as by_hand
from connector.steps import owed
from connector.steps.consent import MOST_BEARERS, Names, owner_since
from connector.steps.consentimport import File

CHUNK: Final = 200  #: lines that are looked at together; only what is new is written
SAMPLES: Final = 20  #: lines that are told one by one
ACT: Final = "import"
ASK: Final = {
    DEACTIVATED: "Their mobile number was deactivated by its carrier: ask for a new one",
    REASSIGNED: "Their mobile number has a new owner: ask for a new one",
}

Line = tuple[int, Entry | str]
"""The number of a line, and what it says or (a string) why it cannot be read."""


@dataclass(slots=True)
class Tally:
    """What an import did, or (dry) would do."""

    lines: int = 0
    noted: int = 0  #: numbers whose consents count for nothing from now on
    known: int = 0  #: that was noted before
    no: int = 0  #: the answer was no, or that nothing is known
    strangers: int = 0  #: numbers of nobody here, of which nothing is kept
    faults: int = 0
    samples: list[tuple[int, str]] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)  #: noted in this run, since when

    def tell(self, line: int, what: str) -> None:
        """Something to be told of one line, if not too many are."""
        if len(self.samples) < SAMPLES:
            self.samples.append((line, what))


def run(
    store: Store,
    rt: Names,
    file: File,
    kind: str,
    lines: Iterable[Line],
    now: datetime,
    *,
    since: datetime | None = None,
    dry: bool = False,
) -> Iterator[Tally]:
    """Take the lines over, some in each transaction; gives the tally after each, and at the end.

    A line without a date counts from ``since``, or from when this very file was first imported,
    so that the same file again changes nothing. A dry run writes nothing. ``kind`` is one of
    ``numberfile.KINDS``.
    """
    tally, rest = Tally(), iter(lines)
    with store.read() as tx:
        first = cursors.get(tx, _cursor(file, kind), "")
    begun = since or (clock.instant(first) if first else now)
    is_noted = dry or bool(first)
    while chunk := list(islice(rest, CHUNK)):
        with store.read() as tx:
            news = [
                told
                for number, told in chunk
                if _is_news(tx, number, told, begun, tally) and not isinstance(told, str)
            ]
        if not dry and (news or not is_noted):
            with store.write() as tx:
                _note_act(tx, rt, file, kind, begun, now)
                for entry in news:
                    _note(tx, rt, file, kind, entry, entry.since or begun, now)
            is_noted = True
        tally.lines = chunk[-1][0]
        yield tally
    yield tally


def _is_news(tx: Tx, number: int, told: Entry | str, begun: datetime, tally: Tally) -> bool:
    """Whether a line says something of somebody here that was not known; counts it."""
    if isinstance(told, str):
        tally.faults += 1
        tally.tell(number, told)
    elif not told.is_gone:
        tally.no += 1
    elif not numbers.is_of_somebody(tx, told.phone):
        tally.strangers += 1
    elif _is_known(tx, told, begun, tally):
        tally.known += 1
    else:
        tally.noted += told.phone not in tally.seen
        tally.seen[told.phone] = told.since or begun
        return True
    return False


def _is_known(tx: Tx, entry: Entry, begun: datetime, tally: Tally) -> bool:
    """Whether it was noted, or a person has said since that it was wrong; an answer about a day
    before what was noted may tell of the same."""
    noted = tally.seen.get(entry.phone) or owner_since(consents.number(tx, entry.phone))
    about = entry.since or entry.asked or begun
    if noted is None or noted < about:
        noted = by_hand.undone_at(tx, entry.phone)
    return noted is not None and noted >= about


def _note_act(tx: Tx, rt: Names, file: File, kind: str, begun: datetime, now: datetime) -> None:
    """Keep once who imported which file, and since when its lines without a date count."""
    if cursors.get(tx, _cursor(file, kind), ""):
        return
    cursors.set_(tx, _cursor(file, kind), clock.text(begun))
    why = f"{file.name}: {file.why}" if file.why else file.name
    told = (tx, rt.new_id("act"), ACT, f"numbers:{kind}")
    acts.add(*told, who=file.who, at=now, why=why, version=file.hash)


def _note(
    tx: Tx, rt: Names, file: File, kind: str, entry: Entry, since: datetime, now: datetime
) -> None:
    """Its older consents count for nothing, and the CRM has somebody ask for another number,
    unless one was given since: by whoever bears it now."""
    why = file.why or file.name
    told = [(entry.phone, since)]
    how = kind if kind == DEACTIVATED else ""
    if not by_hand.reassign(tx, rt, told, why, who=file.who, now=now, how=how) or not rt.crm:
        return
    granted_at = numbers.newest_grant(tx, entry.phone)
    if granted_at is not None and granted_at > since:
        return
    for contact_id in listings.bearers(tx, "phone", entry.phone, MOST_BEARERS):
        key = f"number:{contact_id}:{clock.text(since)}"
        owed.task_due(tx, rt.crm, contact_id, key, ASK[kind], now)


def _cursor(file: File, kind: str) -> str:
    return f"number_import:{kind}:{file.hash}:{file.reading}"
