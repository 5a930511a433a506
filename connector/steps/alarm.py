"""Raising an alarm: one way for every step, a row of the ledger and a line of the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from connector.ledger import alarms
from connector.ledger.store import Tx

log = logging.getLogger("connector")


class Names(Protocol):
    """What raising an alarm needs of the setup."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""


def alarm(tx: Tx, rt: Names, kind: str, says: str, now: datetime, *, about: str = "") -> bool:
    """Raise an alarm of a kind (a stable snake code) about something; False where one is open.

    ``says`` is one sentence with its figures and what to do next: no number and no text of a
    person. An open alarm of the same kind and about is counted, and not logged again.
    """
    is_new = alarms.add(tx, kind, about, says, now, alarm_id=rt.new_id("alm"))
    if is_new:
        log.error("act=alarm kind=%s about=%s %s", kind, about or "-", says)
    return is_new
