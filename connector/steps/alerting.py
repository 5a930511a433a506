"""Alerting: alarms that stand in the ledger are told to people, off the road that texts take."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import orjson

from connector import clock
from connector.errors import LedgerBusy, StorageRefused
from connector.ledger import alarms, cursors
from connector.ledger.store import Store, Tx
from connector.rules import alerts
from connector.rules.alerts import Notice
from connector.steps.faultlog import Fault, FaultLog

log = logging.getLogger("connector")

SENT: Final = "alerts:sent"  #: the cursor of when messages went in the last hour
STATE: Final = "alerts:target:"  #: before a target's name: the cursor of how it fails
RETRY_AFTER: Final = (30.0, 120.0, 600.0)  #: seconds until a message is tried again at a target
MOST_RETRIES: Final = 100  #: messages that wait to be tried again

Target = Callable[[Notice], None]
"""Tells one message; raises ``NoticeFailed`` where it was not heard."""


class Setup(Protocol):
    """What alerting needs of the setup."""

    @property
    def store(self) -> Store:
        """The ledger."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The present instant."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""


@dataclass(frozen=True, slots=True)
class Told:
    """Where alarms are told, and how often."""

    targets: Mapping[str, Target]
    group: timedelta  #: the same alarm again within this is only counted
    hourly: int  #: messages in any hour
    brand: str


@dataclass(frozen=True, slots=True)
class _Retry:
    at: float  #: monotonic seconds
    target: str
    notice: Notice
    tries: int


class Alerter:
    """Raises the log's faults as alarms and tells what waits to be told.

    It has a thread of its own: a target that hangs holds up nothing else. What one target of
    several did not hear it is told again a few times; what none heard stays untold in the ledger.
    While the ledger itself refuses, faults are told past it, once each in the group's time.
    """

    def __init__(
        self,
        rt: Setup,
        faults: FaultLog,
        told: Told,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rt, self._faults, self.told, self._monotonic = rt, faults, told, monotonic
        self._retries: list[_Retry] = []
        self._failed = 0  #: rounds in which no target heard anything, one after the other
        self._quiet_until = 0.0
        self._past: dict[tuple[str, str], float] = {}  #: told past the ledger, and when

    def round(self) -> int:
        """Tell what waits; how many messages were heard by somebody."""
        heard, faults = 0, self._faults.take()
        try:
            self._raise(faults)
            self._try_again()
            if self._monotonic() >= self._quiet_until:
                heard = self._tell_pending()
        except (StorageRefused, LedgerBusy) as error:
            self._tell_past(faults, str(error))
        return heard

    def _raise(self, faults: Sequence[Fault]) -> None:
        if not faults:
            return
        now = self._rt.clock()
        with self._rt.store.write() as tx:
            raise_all(tx, self._rt.new_id, faults, now)

    def _tell_pending(self) -> int:
        now, told = self._rt.clock(), self.told
        with self._rt.store.read() as tx:
            pending = alarms.pending(tx, now - told.group)
            sent = _sent(tx) if pending else []
        heard = 0
        for notice in alerts.notices(pending, sent, told.hourly, told.brand, now):
            if not self._tell(notice):
                self._failed += 1
                self._quiet_until = self._monotonic() + _patience(self._failed)
                break
            self._failed = 0
            heard += 1
            sent = [at for at in (*sent, now) if at > now - alerts.HOUR]
            with self._rt.store.write() as tx:
                for row in notice.alarms:
                    alarms.told(tx, str(row["id"]), now)
                _note_sent(tx, sent)
        return heard

    def _tell(self, notice: Notice) -> bool:
        """Tell every target; whether any heard it (or there is none, and the log alone tells)."""
        failed = [name for name in self.told.targets if not self._told_to(name, notice)]
        is_heard = len(failed) < len(self.told.targets) or not self.told.targets
        if is_heard:
            at = self._monotonic() + RETRY_AFTER[0]
            self._retries += [_Retry(at, name, notice, 1) for name in failed]
            del self._retries[:-MOST_RETRIES]
        return is_heard

    def _try_again(self) -> None:
        now = self._monotonic()
        due = [retry for retry in self._retries if retry.at <= now]
        self._retries = [retry for retry in self._retries if retry.at > now]
        for retry in due:
            if retry.target not in self.told.targets or self._told_to(retry.target, retry.notice):
                continue
            if retry.tries < len(RETRY_AFTER):
                at = now + RETRY_AFTER[retry.tries]
                self._retries.append(replace(retry, at=at, tries=retry.tries + 1))

    def _told_to(self, name: str, notice: Notice) -> bool:
        """Tell one target; how it stands is kept where that changes."""
        error = tell(self.told.targets[name], notice)
        if error:
            log.warning("act=alert target=%s result=failed %s", name, error)
        else:
            log.info("act=alert target=%s result=told alarms=%d", name, len(notice.alarms))
        self._note_state(name, error)
        return not error

    def _note_state(self, name: str, error: str) -> None:
        with self._rt.store.read() as tx:
            before = cursors.get(tx, STATE + name)
        if bool(before) == bool(error):
            return
        state = f"{clock.text(self._rt.clock())} {error}" if error else ""
        with self._rt.store.write() as tx:
            cursors.set_(tx, STATE + name, state)

    def _tell_past(self, faults: Sequence[Fault], error: str) -> None:
        """Tell faults that the ledger cannot keep just now; each once in the group's time."""
        now, at = self._monotonic(), clock.text(self._rt.clock())
        refused = Fault("ledger_refused", "", f"The ledger cannot be written: {error}")
        rows = []
        for fault in (refused, *faults):
            about = (fault.kind, fault.about)
            if now - self._past.get(about, -1e9) < self.told.group.total_seconds():
                continue
            self._past[about] = now
            rows.append(_row(fault, at))
        for notice in alerts.notices(rows, (), 1, self.told.brand, self._rt.clock()):
            for name, target in self.told.targets.items():
                if error := tell(target, notice):
                    log.warning("act=alert target=%s result=failed %s", name, error)


def raise_all(tx: Tx, new_id: Callable[[str], str], faults: Sequence[Fault], now: datetime) -> None:
    """Raise each of the log's faults as an alarm; its line stands in the log already."""
    for fault in faults:
        alarms.add(tx, fault.kind, fault.about, fault.says, now, alarm_id=new_id("alm"))


def tell(target: Target, notice: Notice) -> str:
    """Tell one target; why it was not heard, "" where it was."""
    try:
        target(notice)
    except Exception as error:  # a door: whatever is wrong with a target, alerting goes on
        return str(error)[:300]
    return ""


def failing(tx: Tx, targets: Sequence[str]) -> dict[str, str]:
    """Targets that did not hear the last message → since when and why."""
    found = {name: cursors.get(tx, STATE + name) for name in targets}
    return {name: state for name, state in found.items() if state}


def _sent(tx: Tx) -> list[datetime]:
    return [clock.instant(at) for at in orjson.loads(cursors.get(tx, SENT, "[]"))]


def _note_sent(tx: Tx, sent: Sequence[datetime]) -> None:
    cursors.set_(tx, SENT, orjson.dumps([clock.text(at) for at in sent]).decode())


def _patience(failed: int) -> float:
    return RETRY_AFTER[min(failed, len(RETRY_AFTER)) - 1]


def _row(fault: Fault, at: str) -> dict[str, Any]:
    told = {"kind": fault.kind, "about": fault.about, "says": fault.says}
    return {**told, "id": "", "at": at, "last_at": at, "count": 1, "cleared_at": None}
