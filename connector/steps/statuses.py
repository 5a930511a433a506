"""Statuses that never came: each night providers are asked how such texts stand."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connector.errors import LedgerBusy, SendFailed
from connector.ledger import cursors, statuses, unfinished
from connector.ledger.store import Row, is_storage
from connector.ledger.unfinished import Sweep
from connector.messages import Message, Receipt
from connector.providers import Ability, TellsStatus
from connector.steps import outcome
from connector.steps.setup import Setup

log = logging.getLogger("connector")

HOUR: Final = 3  #: of the night, in the operator's zone
OLDER: Final = timedelta(hours=1)  #: what was accepted later may still be told of
YOUNGER: Final = timedelta(hours=72)  #: of what was accepted earlier no provider tells any more
AT_ONCE: Final = 5  #: texts asked about in a round, which is about a second long
PATIENCE: Final = timedelta(minutes=1)  #: after a provider that could not tell
TRIES: Final = 5  #: failures after which a provider is left alone for the night


class StatusSweep:
    """One sweep a night over the texts that were accepted and have no end; a few at a time.

    How far it has come stands in the ledger, so that it goes on after a restart. What is told goes
    through the same door as callbacks.
    """

    def __init__(self, rt: Setup) -> None:
        self._rt = rt
        self._rest_until: datetime | None = None
        self._failures: Counter[str] = Counter()
        self._stuck = ""  #: the text of which the last one asked could not tell

    def round(self) -> int:
        """Ask about a few texts where it is time; how many were asked about."""
        now = self._rt.clock()
        local = now.astimezone(ZoneInfo(self._rt.zone))
        if local.hour < HOUR or (self._rest_until is not None and now < self._rest_until):
            return 0
        night = local.date().isoformat()
        with self._rt.store.read() as tx:
            sweep = unfinished.read(tx)
            if sweep.night == night and sweep.done:
                return 0
            if sweep.night != night:
                sweep = Sweep(night)
                self._failures.clear()
            rows, upto = unfinished.after(tx, sweep.after, now - YOUNGER, now - OLDER, AT_ONCE)
        return self._go_on(sweep, rows, upto, now)

    def _go_on(self, sweep: Sweep, rows: list[Row], upto: str, now: datetime) -> int:
        before = sweep.asked
        for row in rows:
            told = self._ask(row)
            if told is None:
                self._rest_until, upto = now + PATIENCE, sweep.after
                break
            sweep = replace(
                sweep,
                after=str(row["id"]),
                asked=sweep.asked + told.asked,
                told=sweep.told + told.news,
            )
        else:
            sweep = replace(sweep, after=upto or sweep.after, done=not upto)
        self._keep(sweep, sweep.asked - before)
        return sweep.asked - before

    def _keep(self, sweep: Sweep, asked: int) -> None:
        with self._rt.store.write() as tx:
            unfinished.keep(tx, sweep)
            if asked:
                cursors.count(tx, "statuses_asked", asked)
        if sweep.done:
            log.info("act=statuses result=done asked=%d told=%d", sweep.asked, sweep.told)

    def _ask(self, row: Row) -> _Told | None:
        """Ask about one text; None where its provider cannot tell now, and is asked once again."""
        name = str(row["provider"])
        provider = self._rt.providers.get(name)
        if provider is None or Ability.tells_status not in provider.does:
            return NOTHING
        if not isinstance(provider, TellsStatus) or self._failures[name] >= TRIES:
            return NOTHING
        try:
            receipt = provider.status(str(row["provider_id"]), _message(row))
        except Exception as error:  # a door: whatever it answered, it told nothing
            says = str(error) if isinstance(error, SendFailed) else type(error).__name__
            log.warning("act=statuses provider=%s result=failed %s", name, says)
            self._failures[name] += 1
            is_again, self._stuck = self._stuck == row["id"], str(row["id"])
            return NOTHING if is_again else None
        self._failures[name] = 0
        return _Told(1, int(receipt is not None and self._hear(row, receipt)))

    def _hear(self, row: Row, receipt: Receipt) -> bool:
        """Take over what was told, where it is news; whether it was."""
        is_higher = statuses.RANKS[receipt.status] > int(row["status_rank"])
        if not is_higher and (receipt.cost_micros is None or row["cost_micros"] is not None):
            return False
        told = replace(receipt, send_id=str(row["id"]), stamp=receipt.stamp or "asked")
        try:
            with self._rt.store.write() as tx:
                outcome.receipt(tx, self._rt, told, self._rt.clock())
                cursors.count(tx, "statuses_told")
        except Exception as error:  # a door: one bad status must not hold up the rest
            if is_storage(error) or isinstance(error, LedgerBusy):
                raise
            log.exception("act=statuses send=%s result=failed", row["id"])
            return False
        return True


class _Told:
    """What came of asking about one text."""

    def __init__(self, asked: int, news: int) -> None:
        self.asked, self.news = asked, news


NOTHING: Final = _Told(0, 0)


def _message(row: Row) -> Message:
    return Message(
        send_id=str(row["id"]),
        to=str(row["phone"]),
        text=str(row["text"]),
        sender=str(row["sender"]),
        purpose=str(row["purpose"]),
    )
