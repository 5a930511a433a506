"""What the worker asks providers by itself: replies that were missed, statuses that never came."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from connector.errors import LedgerBusy, StorageRefused
from connector.steps.catchup import CatchUp
from connector.steps.setup import Setup
from connector.steps.statuses import StatusSweep

log = logging.getLogger("connector")

CATCHUP_SECONDS: Final = 5.0
STATUS_SECONDS: Final = 1.0


class Inquiry:
    """Threads of their own, so that a provider that does not answer holds nothing else up.

    ``rung`` is called when something was heard, or marketing may go on.
    """

    def __init__(self, rt: Setup, rung: Callable[[], None]) -> None:
        self._catchup, self._statuses = CatchUp(rt, rung), StatusSweep(rt)
        self._look_now = threading.Event()
        self._stopping = threading.Event()

    def begin(self) -> None:
        """Before anything leaves: where there was a gap, marketing is held."""
        self._catchup.begin()

    def start(self) -> None:
        """Ask, from now on."""
        self._run("catchup", self._catchup.round, self._look_now, CATCHUP_SECONDS)
        self._run("statuses", self._statuses.round, self._stopping, STATUS_SECONDS)

    def look_now(self) -> None:
        """The machine may have slept: look at once."""
        self._look_now.set()

    def stop(self) -> None:
        """Begin nothing new; what is being asked is not waited for."""
        self._stopping.set()
        self._look_now.set()

    def _run(
        self, name: str, act: Callable[[], object], woken: threading.Event, seconds: float
    ) -> None:
        def loop() -> None:
            while not self._stopping.is_set():
                try:
                    act()
                except (StorageRefused, LedgerBusy):
                    pass  # the steps tell of it; the next round tries again
                except Exception:  # a door: it outlives whatever it meets
                    if not self._stopping.is_set():
                        log.exception("act=inquiry what=%s result=failed", name)
                woken.wait(seconds)
                if not self._stopping.is_set():
                    woken.clear()

        threading.Thread(target=loop, name=name, daemon=True).start()
