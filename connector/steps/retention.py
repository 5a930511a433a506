"""Keeping things no longer than `[retention]` says: once an hour, a little in each transaction.

Consents are never removed by age, nor the log of texts: only what the texts said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.ledger import acts, cursors, retention
from connector.ledger.store import Tx
from connector.steps.setup import Setup

log = logging.getLogger("connector")

EVERY: Final = timedelta(hours=1)
BATCH: Final = 200  #: rows in one transaction, so that no other writer waits long
BATCHES: Final = 50  #: of each kind in one run; what is left then comes with the next
LAST: Final = "retention_at"  #: the cursor that says when all was in order last


def retain(rt: Setup) -> dict[str, int]:
    """Remove what is older than it may be; kind → rows that went."""
    now = rt.clock()
    if not rt.retention or not _is_time(rt, now):
        return {}
    removed: dict[str, int] = {}
    is_done = True
    for name, span in rt.retention.items():
        batches = 0
        for count in _batches(rt, name, now - span, now):
            removed[name] = removed.get(name, 0) + count
            batches += 1
        is_done = is_done and batches < BATCHES
    _note(rt, removed, now, is_done=is_done)
    return removed


def _is_time(rt: Setup, now: datetime) -> bool:
    with rt.store.read() as tx:
        last = cursors.get(tx, LAST)
    return not last or now >= clock.instant(last) + EVERY


def _batches(rt: Setup, name: str, before: datetime, now: datetime) -> Iterator[int]:
    for _ in range(BATCHES):
        with rt.store.write() as tx:
            count = _remove(tx, rt, name, before, now)
        if not count:
            return
        yield count


def _remove(tx: Tx, rt: Setup, name: str, before: datetime, now: datetime) -> int:
    if name == "decisions":
        return retention.cut_decisions(tx, before, BATCH, at=now, new_id=rt.new_id)
    return retention.remove(tx, name, before, BATCH)


def _note(rt: Setup, removed: dict[str, int], now: datetime, *, is_done: bool) -> None:
    says = ", ".join(f"{name} {count}" for name, count in removed.items())
    with rt.store.write() as tx:
        if removed:
            act = rt.new_id("act")
            acts.add(tx, act, "retention", "ledger", who="connector", at=now, why=says)
        if is_done:
            cursors.set_(tx, LAST, clock.text(now))
    if removed:
        log.info("act=retention result=done %s", says)
