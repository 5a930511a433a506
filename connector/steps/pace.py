"""The pace: each sender hands over only so many segments a second, and what is more waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.ledger import sends
from connector.ledger.store import Row, Tx
from connector.model import Purpose
from connector.rules.policy.limits import Sender, sender_of
from connector.steps.setup import Setup
from connector.text import count

BURST: Final = timedelta(seconds=1)
"""What a sender may send in this span may leave at once."""
REASON: Final = "pacing"


class Pace:
    """When each sender is free again. In memory: after a start, every sender is free.

    A text that comes too early is given a place of its own in the line, so that it is asked
    about once and not each time another leaves. Service does not stand in the line.
    """

    def __init__(self, rt: Setup) -> None:
        self._rt = rt
        self._free: dict[str, datetime] = {}  #: sender → when what it was given has gone
        self._line: dict[str, datetime] = {}  #: sender → the next place in the line

    def held(self, tx: Tx, row: Row, now: datetime) -> bool:
        """Whether a due text is too early for its sender; it then waits, with the reason why."""
        sender = self._of(row)
        if sender is None:
            return False
        ready = self._free.get(sender.name, now) - BURST
        if ready < now:
            return False
        until = ready + timedelta(milliseconds=1)
        if row["purpose"] == Purpose.marketing and row["reason"] != REASON:
            until = max(until, self._line.get(sender.name, until))
            self._line[sender.name] = until + _takes(sender, count(str(row["text"])).segments)
        until = min(until, clock.instant(row["expires_at"]))  # the gate ends it there
        sends.wait(tx, str(row["id"]), until, REASON)
        return True

    def took(self, row: Row, text: str, now: datetime) -> None:
        """A text was let through: its sender is busy for as long as its segments take."""
        sender = self._of(row)
        if sender is not None:
            busy = _takes(sender, count(text).segments)
            self._free[sender.name] = max(self._free.get(sender.name, now), now) + busy

    def _of(self, row: Row) -> Sender | None:
        senders = self._rt.book.policy.senders
        if not senders:
            return None
        found = sender_of(senders, row["sender"] or self._rt.sender)
        return found if found is not None and found.per_second else None


def _takes(sender: Sender, segments: int) -> timedelta:
    return timedelta(seconds=segments / sender.per_second)
