"""Reading a CRM: what hints name, and what changed since its cursor, is read and taken over.

1. What is due is looked up: hints, the longest waiting first, and objects that are to be polled.
2. The CRM is asked outside any transaction, a hundred records in a call.
3. What it told is taken over a few records at a time, with the hints that named them, or with the
   cursor behind them.

A process that dies between any two of these reads again, and nothing is heard twice. A CRM that
cannot be asked is left alone for a while: what was hinted at waits, and the cursor stands still.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from connector import clock
from connector.crms import Crm
from connector.ledger import crm_hints, cursors
from connector.ledger.crm_hints import Waiting
from connector.ledger.store import Tx
from connector.model import Fate, Hint
from connector.records import Page, Record
from connector.steps import crmask, crmpause, crmtake, crmtell
from connector.steps.apart import apart
from connector.steps.setup import Setup

CURSOR: Final = "crm_cursor:"  #: how far the changes of a CRM's object were read
POLLED: Final = "crm_polled:"  #: when that was last asked for, to the end
BATCH: Final = 100  #: records in one call
CALLS: Final = 10  #: to the CRM before other steps have their turn
SLICE: Final = 32  #: records in one transaction, so that no other writer waits long

log = logging.getLogger("connector")


def round(rt: Setup, calls: int = CALLS) -> int:
    """Read what is due, a bounded part of it; how much there was to do."""
    crm, now = rt.crms.get(rt.crm), rt.clock()
    if crm is None or not crm.objects or (rt.restored is not None and rt.restored.is_open):
        return 0
    with rt.store.read() as tx:
        if crmpause.until(tx, rt.crm, now) is not None:
            return 0
        waiting = crm_hints.due(tx, rt.crm, now, calls * BATCH)
        polls = [name for name in _objects(rt, crm) if _polled_next(tx, rt, name, now) <= now]
    _begin(rt, now)
    done = 0
    for batch in list(_batches(waiting))[:calls]:
        if not _read(rt, crm, batch):
            return 0
        done += len(batch)
    return done + _polls(rt, crm, polls, max(1, calls - done // BATCH))


def next_due(rt: Setup, now: datetime) -> datetime | None:
    """When there is something to read next; None where nothing is read of the CRM in use."""
    crm = rt.crms.get(rt.crm)
    if crm is None or not crm.objects:
        return None
    with rt.store.read() as tx:
        found = [_polled_next(tx, rt, name, now) for name in _objects(rt, crm)]
        found += [at for at in (crm_hints.next_due(tx, rt.crm),) if at is not None]
        paused = crmpause.until(tx, rt.crm, now)
    due = min(found, default=None)
    return max(due, paused) if due is not None and paused is not None else due


def poll(rt: Setup) -> int:
    """Ask the CRM in use for all that changed since it was asked last; how many records it told of.

    Whatever it raises is raised here: after a restore nothing goes on without what it knows.
    """
    crm, told = rt.crms.get(rt.crm), 0
    if crm is None:
        return 0
    _begin(rt, rt.clock())
    for name in _objects(rt, crm):
        is_last = False
        while not is_last:
            page = _page(rt, crm, name)
            _take_page(rt, name, page)
            told, is_last = told + len(page.records), page.is_last
    return told


def _objects(rt: Setup, crm: Crm) -> list[str]:
    """What of the CRM's objects the mapping file reads; all of them where it names none."""
    wanted = crmtell.wanted(rt, rt.crm)
    named = {*wanted.fields, *(name.removesuffix("s") for name in wanted.beside)}
    return [name for name in crm.objects if not wanted.fields or name in named]


def _polled_next(tx: Tx, rt: Setup, name: str, now: datetime) -> datetime:
    last = cursors.get(tx, f"{POLLED}{rt.crm}:{name}")
    return clock.instant(last) + rt.poll_every if last else now


def _begin(rt: Setup, now: datetime) -> None:
    with rt.store.read() as tx:
        if crmtell.began(tx, rt.crm) is not None:
            return
    with rt.store.write() as tx:
        crmtell.began_now(tx, rt.crm, now)


def _batches(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """What goes into one call: of one object; what made the CRM fail before goes alone."""
    for name in dict.fromkeys(each.hint.object for each in waiting):
        mine = [each for each in waiting if each.hint.object == name]
        fresh = [each for each in mine if not each.attempt]
        for start in range(0, len(fresh), BATCH):
            yield fresh[start : start + BATCH]
        yield from ([each] for each in mine if each.attempt)


def _read(rt: Setup, crm: Crm, batch: Sequence[Waiting]) -> bool:
    """Read one batch of hinted records and take it over; whether others may be read."""
    name = batch[0].hint.object
    if name == crmtell.FACTS:
        return crmask.facts(rt, crm, batch)
    ids = [each.hint.record for each in batch if each.hint.fate is not Fate.erased]
    try:
        told = crm.read(name, list(dict.fromkeys(ids))) if ids and name in crm.objects else []
        found = {record.id: record for record in told}
    except Exception as error:  # a door: whatever went wrong, it is read again later
        return crmpause.failed(rt, name, error, batch)
    for start in range(0, len(batch), SLICE):
        part = batch[start : start + SLICE]
        with rt.store.write() as tx:
            now = rt.clock()
            for each in part:
                _take(tx, rt, each, _now(each.hint, found), now)
            crmpause.answered(tx, rt, name, now)
    log.info("act=read crm=%s object=%s hints=%d records=%d", rt.crm, name, len(batch), len(told))
    return True


def _now(hint: Hint, found: dict[str, Record]) -> Record | None:
    """The record as it is now; of one that is gone, what the CRM or else the hint says of it.

    Of a merge the CRM's own lists may learn later than its webhooks; a deletion may be undone.
    """
    record = found.get(hint.record)
    lives_on = hint.fate in (Fate.merged, Fate.converted) and hint.became
    if hint.fate is None or (record is not None and (record.fate is not None or not lives_on)):
        return record
    fate, became = hint.fate, hint.became
    return Record(hint.object, hint.record, hint.occurred_at, fate=fate, became=became)


def _take(tx: Tx, rt: Setup, waiting: Waiting, record: Record | None, now: datetime) -> None:
    take = partial(crmtake.take, tx, rt, rt.crm, record, now) if record else lambda: None
    if apart(tx, take, f"{rt.crm}:{waiting.hint.object}", careful=True):
        crm_hints.done(tx, [waiting])
    else:
        crm_hints.put_off(tx, [waiting], crmpause.later(rt, waiting.attempt + 1, now))


def _polls(rt: Setup, crm: Crm, names: Sequence[str], calls: int) -> int:
    """Poll these objects, page by page; how many records they told of."""
    done = 0
    for name in names:
        is_last = False
        while not is_last and calls > 0:
            try:
                page = _page(rt, crm, name)
            except Exception as error:  # a door: whatever went wrong, it is asked again later
                if not crmpause.failed(rt, name, error):
                    return 0
                _asked(rt, name)
                break
            _take_page(rt, name, page)
            done, calls, is_last = done + len(page.records), calls - 1, page.is_last
    return done


def _asked(rt: Setup, name: str) -> None:
    """It is the turn of the others."""
    with rt.store.write() as tx:
        cursors.set_(tx, f"{POLLED}{rt.crm}:{name}", clock.text(rt.clock()))


def _page(rt: Setup, crm: Crm, name: str) -> Page:
    with rt.store.read() as tx:
        cursor = cursors.get(tx, f"{CURSOR}{rt.crm}:{name}") or None
    return crm.changes(name, cursor)


def _take_page(rt: Setup, name: str, page: Page) -> None:
    """Take over a page; its cursor goes with the last of it. What was hinted at too is read."""
    records = page.records
    parts = [records[start : start + SLICE] for start in range(0, len(records), SLICE)] or [()]
    for place, part in enumerate(parts, 1):
        with rt.store.write() as tx:
            now = rt.clock()
            for record in part:
                _take_polled(tx, rt, record, now)
            if place == len(parts):
                cursors.set_(tx, f"{CURSOR}{rt.crm}:{name}", page.cursor)
                crmpause.answered(tx, rt, name, now)
                if page.is_last:
                    cursors.set_(tx, f"{POLLED}{rt.crm}:{name}", clock.text(now))
    if records:
        log.info("act=poll crm=%s object=%s records=%d", rt.crm, name, len(records))


def _take_polled(tx: Tx, rt: Setup, record: Record, now: datetime) -> None:
    """One record of a page. One that cannot be taken over is read again by itself, later."""
    take = partial(crmtake.take, tx, rt, rt.crm, record, now)
    if apart(tx, take, f"{rt.crm}:{record.object}", careful=True):
        crm_hints.covered(tx, rt.crm, record.object, record.id, record.modified_at)
        return
    crm_hints.note(tx, Hint(rt.crm, record.object, record.id, record.modified_at), now)
