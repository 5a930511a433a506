"""Back-fill: every record of a CRM is read, page by page, and taken over as what is long so.

How far it has come stands in the ledger, in the transaction of the page itself, so that one that
was broken off goes on there. What changed since the CRM is polled is left to the polling, which
tells it as news; a back-fill tells nothing new.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import orjson

from connector import clock
from connector.errors import ConnectorError, CrmUnavailable, StorageRefused
from connector.ledger import cursors
from connector.ledger.store import Tx, is_storage
from connector.records import Record
from connector.rules.retry import WRITEBACKS, next_attempt
from connector.steps import crmbackfill, crmread, crmtell
from connector.steps.setup import Setup

log = logging.getLogger("connector")

CURSOR: Final = "crm_sync:"  #: how far the records of a CRM's object were back-filled
RESUMED: Final = timedelta(days=7)  #: within which the same command goes on with what it began
SLICE: Final = 32  #: records in one transaction, so that no other writer waits long
SAMPLES: Final = 20  #: records of each object that are told of one by one
HOPELESS: Final = frozenset({"unauthorized", "forbidden"})  #: waiting mends nothing
MALFORMED: Final = 5  #: answers in a row that cannot be read, until it is given up


@dataclass(frozen=True, slots=True)
class Way:
    """How far the back-fill of one object has come, and what was found, over all its runs."""

    object: str
    cursor: str | None = None
    done: bool = False
    since: str = ""  #: what did not change after it is left out
    counts: dict[str, int] = field(default_factory=dict)  #: by ``crmbackfill.WORDS``
    samples: list[list[str]] = field(default_factory=list)  #: record, and why it needs a look


@dataclass(frozen=True, slots=True)
class Wait:
    """The CRM cannot be asked now: whoever runs the back-fill waits, and goes on."""

    object: str
    span: timedelta
    why: str


class OtherSpan(ConnectorError):
    """A back-fill of another span was broken off; go on without --since, or add --restart."""


class _Undo(Exception):
    """Nothing of this transaction is to stay."""


def ways(tx: Tx, crm: str, objects: Sequence[str]) -> dict[str, Way]:
    """How far each object has come; those that were never begun, at the beginning."""
    found = {name: cursors.get(tx, f"{CURSOR}{crm}:{name}") for name in objects}
    return {
        name: Way(**orjson.loads(value)) if value else Way(name) for name, value in found.items()
    }


def forget(tx: Tx, crm: str, objects: Sequence[str]) -> None:
    """The next back-fill of these begins anew."""
    for name in objects:
        cursors.set_(tx, f"{CURSOR}{crm}:{name}", "")


def run(
    rt: Setup, objects: Sequence[str], since: datetime | None = None, *, dry: bool = False
) -> Generator[Way | Wait, None, None]:
    """Back-fill these objects of the CRM in use, in this order; how each stands after each page.

    ``since`` leaves out what did not change after it. ``dry``: the ledger stays as it is, and so
    does a back-fill that was broken off. Raises ``CrmUnavailable`` where waiting would mend
    nothing, and ``OtherSpan``.
    """
    stamp = clock.text(since) if since else ""
    with rt.store.read() as tx:
        known = {name: Way(name) for name in objects} if dry else ways(tx, rt.crm, objects)
    for name, way in known.items():
        if way.cursor is None:
            known[name] = replace(way, since=stamp)
        elif since and not _is_resumed(way.since, since):
            raise OtherSpan
    if not dry:
        _connect(rt, objects)
    for way in known.values():
        yield from [way] if way.done else _object(rt, way, dry=dry)
    if not dry:
        with rt.store.write() as tx:
            forget(tx, rt.crm, objects)


def _is_resumed(before: str, since: datetime) -> bool:
    """Whether this is the span of before: one told as so many days moves on with the clock."""
    return bool(before) and timedelta(0) <= since - clock.instant(before) <= RESUMED


def _connect(rt: Setup, objects: Sequence[str]) -> None:
    """From now on the polling tells what changes: between it and a back-fill nothing is lost."""
    for name in objects:
        with rt.store.read() as tx:
            begun = cursors.get(tx, f"{crmread.CURSOR}{rt.crm}:{name}")
        page = None if begun else rt.crms[rt.crm].changes(name, None)
        with rt.store.write() as tx:
            crmtell.began_now(tx, rt.crm, rt.clock())
            if page is not None:
                cursors.set_(tx, f"{crmread.CURSOR}{rt.crm}:{name}", page.cursor)


def _object(rt: Setup, way: Way, *, dry: bool) -> Generator[Way | Wait, None, None]:
    failures = 0
    while not way.done:
        try:
            page = rt.crms[rt.crm].history(way.object, way.cursor)
        except CrmUnavailable as error:
            failures += 1
            span = _patience(rt, error, failures)
            log.warning(
                "act=sync object=%s result=waiting s=%d why=%s",
                way.object,
                span.seconds,
                error.code,
            )
            yield Wait(way.object, span, str(error))
            continue
        failures = 0
        after = replace(way, cursor=page.cursor, done=page.is_last)
        way = _page(rt, way, after, page.records, dry=dry)
        yield way


def _patience(rt: Setup, error: CrmUnavailable, failures: int) -> timedelta:
    """How long to wait for a CRM that cannot be asked; raises its error where that is in vain."""
    in_vain = error.code in HOPELESS or (error.code == "malformed" and failures >= MALFORMED)
    if in_vain or (error.code == "daily_limit" and error.retry_after is None):
        raise error
    now = rt.clock()
    until = next_attempt(failures, now, error.code, error.retry_after, rt.chance(), pace=WRITEBACKS)
    return until - now if until else WRITEBACKS.longest


def _page(rt: Setup, before: Way, after: Way, records: Sequence[Record], *, dry: bool) -> Way:
    """Take over a page, a few records in a transaction; the cursor goes on with the last."""
    wanted = [each for each in records if clock.text(each.modified_at) >= before.since]
    slices = [wanted[start : start + SLICE] for start in range(0, len(wanted), SLICE)] or [[]]
    for part in slices[:-1]:
        before = _write(rt, before, part, dry=dry)
    heads = Counter(read=len(records), skipped=len(records) - len(wanted))
    last = replace(after, counts=_sum(before, heads), samples=before.samples)
    return _write(rt, last, slices[-1], dry=dry)


def _write(rt: Setup, way: Way, part: Sequence[Record], *, dry: bool) -> Way:
    """Take over a few records; how far the object then has come."""
    try:
        return _transaction(rt, way, part, careful=False, dry=dry)
    except StorageRefused:
        raise
    except Exception as error:  # a door: one bad record must not hold up the rest
        if is_storage(error):
            raise
        return _transaction(rt, way, part, careful=True, dry=dry)


def _transaction(rt: Setup, way: Way, part: Sequence[Record], *, careful: bool, dry: bool) -> Way:
    counts, samples = Counter[str](), list(way.samples)
    try:
        with rt.store.write() as tx:
            for record in part:
                became, why = crmbackfill.take(tx, rt, record, careful=careful)
                counts.update(became)
                samples += [[record.id, why]] if why else []
            way = replace(way, counts=_sum(way, counts), samples=samples[:SAMPLES])
            if dry:
                raise _Undo
            cursors.set_(tx, f"{CURSOR}{rt.crm}:{way.object}", orjson.dumps(asdict(way)).decode())
    except _Undo:
        pass
    return way


def _sum(way: Way, counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in (Counter(way.counts) + counts).items() if count}
