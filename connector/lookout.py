"""The lookout: two quiet threads beside the steps, one for the clock and one that tells alarms."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from connector import clock
from connector.config.settings import Settings
from connector.errors import LedgerBusy, StorageRefused
from connector.steps.alerting import Alerter
from connector.steps.clockguard import ClockGuard
from connector.steps.faultlog import FaultLog
from connector.steps.setup import Setup
from connector.targets import told

log = logging.getLogger("connector")

ALERT_SECONDS: Final = 2.0
CLOCK_SECONDS: Final = 5.0


class Lookout:
    """Threads of their own, not the scheduler's: it goes by the wall clock, which may be wrong,
    and a target of alarms that hangs may hold up nothing.

    ``jumped`` is called when the clock was set back or forward, with by how many seconds. A
    folder on a test clock has no guard: there time is a toy.
    """

    def __init__(self, rt: Setup, settings: Settings, jumped: Callable[[float], None]) -> None:
        self._faults = FaultLog()
        self._alerter = Alerter(rt, self._faults, told(settings))
        is_toy = isinstance(rt.clock, clock.TestClock)
        self._guard = None if is_toy else ClockGuard(rt)
        self._jumped = jumped
        self._stopping = threading.Event()

    def start(self) -> None:
        """Hear the log's errors, and begin to look."""
        log.addHandler(self._faults)
        self._run("alerts", self._alerter.round, ALERT_SECONDS)
        if self._guard is not None:
            self._run("clock", self._look_at_clock, CLOCK_SECONDS)

    def renew(self, settings: Settings) -> None:
        """Tell alarms from now on as changed files say."""
        self._alerter.told = told(settings)

    def stop(self) -> None:
        """Tell nothing more; what is not told yet stands in the ledger for the next start."""
        self._stopping.set()
        log.removeHandler(self._faults)

    def _run(self, name: str, act: Callable[[], object], seconds: float) -> None:
        def loop() -> None:
            while not self._stopping.wait(seconds):
                try:
                    act()
                except (StorageRefused, LedgerBusy):
                    continue  # the steps tell of it; the next look tries again
                except Exception:  # a door: the lookout outlives whatever it meets
                    if not self._stopping.is_set():
                        log.exception("act=lookout what=%s result=failed", name)

        threading.Thread(target=loop, name=name, daemon=True).start()

    def _look_at_clock(self) -> None:
        if self._guard is not None and (by := self._guard.round()):
            self._jumped(by)
