"""Importing consents: a file's lines become entries, a few at a time, and each file only once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from connector.ledger import acts, consents, cursors
from connector.ledger.store import Store, Tx
from connector.rules.consentfile import Entry
from connector.steps.consent import Names, record_consent

CHUNK: Final = 50  #: lines in one transaction, so that the worker never waits long
SAMPLES: Final = 20  #: faults that are told by their line
ACT: Final = "import"

Line = tuple[int, list[Entry] | str]
"""The number of a line, and what it says or (a string) why it cannot be read."""


@dataclass(slots=True)
class Tally:
    """What an import did, or (dry) would do."""

    lines: int = 0
    granted: int = 0  #: new grants
    revoked: int = 0  #: new ends
    known: int = 0  #: entries that are in the ledger already
    blocked: int = 0  #: of the new grants: recorded, and silenced by a STOP that stands
    faults: int = 0
    samples: list[tuple[int, str]] = field(default_factory=list)
    skipped: int = 0  #: lines that an import of the same file, broken off, had done already
    seen: set[int] = field(default_factory=set)  #: of a dry run: hashes of what it would record

    def fault(self, line: int, why: str) -> None:
        """A line that cannot be taken."""
        self.faults += 1
        if len(self.samples) < SAMPLES:
            self.samples.append((line, why))


@dataclass(frozen=True, slots=True)
class File:
    """The file that is imported: what it is called, a hash of its content, who imports it, why."""

    name: str
    hash: str  #: sha256, hexadecimal
    who: str
    why: str = ""
    reading: str = ""  #: how it is read (options): read in another way it is imported anew


def done_until(tx: Tx, file: File) -> int:
    """How many lines of this very file were imported; 0 for none."""
    return int(cursors.get(tx, _cursor(file), "0"))


def run(
    store: Store, rt: Names, file: File, lines: Iterable[Line], now: datetime, *, dry: bool = False
) -> Iterator[Tally]:
    """Take the lines over, a chunk in each transaction; gives the tally after each, and at the end.

    What was done is kept in the same transaction as the entries, so that an import that was
    broken off goes on where it stopped, and the same file again adds nothing. Before the first
    entry one act says who imported which file. A dry run writes nothing.
    """
    tally = Tally()
    rest = iter(lines)
    with store.read() as tx:
        done = 0 if dry else done_until(tx, file)
    for number, told in islice(rest, done):
        tally.lines = number
        if isinstance(told, str):
            tally.fault(number, told)  # it was not done, and would not be now
        else:
            tally.skipped += 1
    while chunk := list(islice(rest, CHUNK)):
        if dry:
            with store.read() as tx:
                _look(tx, chunk, tally, now)
        else:
            with store.write() as tx:
                _note_act(tx, rt, file, now)
                _take(tx, rt, file, chunk, tally, now)
                done += len(chunk)
                cursors.set_(tx, _cursor(file), str(done))
        tally.lines = chunk[-1][0]
        yield tally
    yield tally


def _note_act(tx: Tx, rt: Names, file: File, now: datetime) -> None:
    if done_until(tx, file):
        return
    why = f"{file.name}: {file.why}" if file.why else file.name
    acts.add(
        tx, rt.new_id("act"), ACT, "consents", who=file.who, at=now, why=why, version=file.hash
    )


def _look(tx: Tx, chunk: list[Line], tally: Tally, now: datetime) -> None:
    for number, told in chunk:
        if isinstance(told, str):
            tally.fault(number, told)
            continue
        for entry in told:
            what = (entry.phone, entry.purpose, entry.granted, entry.method)
            same = hash((*what, entry.occurred_at))
            if same in tally.seen or _is_known(tx, entry, now):
                tally.known += 1
            else:
                tally.seen.add(same)
                _count(tx, entry, tally)


def _take(tx: Tx, rt: Names, file: File, chunk: list[Line], tally: Tally, now: datetime) -> None:
    for number, told in chunk:
        if isinstance(told, str):
            tally.fault(number, told)
            continue
        for entry in told:
            if _is_known(tx, entry, now) or not _record(tx, rt, file, entry, number, now):
                tally.known += 1
            else:
                _count(tx, entry, tally)


def _is_known(tx: Tx, entry: Entry, now: datetime) -> bool:
    """Whether this very entry stands in the ledger, or says no more than the newest that does."""
    if entry.occurred_at is None:
        number = consents.number(tx, entry.phone)
        is_all = number is not None and number["blocked_scope"] == "all"
        return is_all and not entry.granted and entry.purpose == "all"
    what = (entry.phone, entry.purpose, entry.granted, entry.method)
    at = min(entry.occurred_at, now)
    return consents.is_known(tx, *what, at) or consents.repeats(tx, *what, entry.wording, at)


def _count(tx: Tx, entry: Entry, tally: Tally) -> None:
    if not entry.granted:
        tally.revoked += 1
        return
    tally.granted += 1
    number = consents.number(tx, entry.phone)
    scope = number["blocked_scope"] if number is not None else ""
    tally.blocked += bool(scope) and not (scope == "marketing" and entry.purpose == "service")


def _record(tx: Tx, rt: Names, file: File, entry: Entry, line: int, now: datetime) -> bool:
    return record_consent(
        tx,
        rt,
        phone=entry.phone,
        purpose=entry.purpose,
        granted=entry.granted,
        method=entry.method,
        wording=entry.wording,
        source=entry.source or file.name,
        recorded_by=file.who,
        evidence={"file": file.name, "hash": file.hash[:16], "line": str(line)},
        occurred_at=entry.occurred_at,
        now=now,
        capture=entry.capture,
    )


def _cursor(file: File) -> str:
    return f"consent_import:{file.hash}:{file.reading}"
