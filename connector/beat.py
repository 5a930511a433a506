"""The heartbeat: APScheduler rings steps, which run until there is nothing left to do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from connector import clock
from connector.errors import StorageRefused

log = logging.getLogger("connector")

NET_SECONDS = 1.0
IDLE_WAIT = 0.5
LINGER = 0.25


class Beat:
    """One step: rung when there may be work, looped until there is none, a net each second.

    A wake-up call is never lost: ``ring`` sets the flag before it looks whether the step runs,
    and the step looks at the flag again after it has let go of its lock.
    """

    def __init__(
        self,
        scheduler: BackgroundScheduler,
        name: str,
        work: Callable[[], int],
        *,
        busy: Callable[[], bool] = lambda: False,
        due: Callable[[], float] | None = None,
        then: Callable[[], None] = lambda: None,
        breathe: Callable[[], None] = lambda: None,
        seconds: float = NET_SECONDS,
    ) -> None:
        self._scheduler, self._name = scheduler, name
        self._work, self._busy, self._due, self._then = work, busy, due, then
        self._breathe = breathe  #: between two rounds
        self._flag = threading.Event()
        self._lock = threading.Lock()
        self._refused = False
        self._held = False
        self.stopped = False
        scheduler.add_job(self.ring, "interval", seconds=seconds, id=f"{name}:net")

    def ring(self) -> None:
        """There may be work."""
        self._flag.set()
        if not self._lock.locked() and not self.stopped:
            self._scheduler.add_job(
                self._beat, id=f"{self._name}:rung", replace_existing=True, max_instances=8
            )

    def _beat(self) -> None:
        while self._flag.is_set() and not (self.stopped or self._held):
            if not self._lock.acquire(blocking=False):
                return
            try:
                self._until_idle()
            finally:
                self._lock.release()

    def _until_idle(self) -> None:
        """Work until there is none and none comes for a moment.

        Lingering spares a new job for each wake-up call, which costs more than a small round.
        """
        worked = False
        while not (self.stopped or self._held):
            self._flag.clear()
            try:
                done = self._work()
            except StorageRefused as error:
                self._tell(error)
                return  # the net asks again; what was to be done is still on disk
            self._tell(None)
            if done:
                worked = True
                self._breathe()
            elif self._busy():
                self._flag.wait(IDLE_WAIT)
            elif not self._linger(worked):
                return
            else:
                worked = False

    def _linger(self, worked: bool) -> bool:
        """Wait a moment for more to do; whether there is."""
        if worked:
            self._then()
        due = self._due() if self._due is not None else NET_SECONDS
        if self._flag.wait(min(due, LINGER)) or due <= LINGER:
            return True
        self._set_alarm(due - LINGER)
        return False

    def _tell(self, error: StorageRefused | None) -> None:
        """Log that the disk refuses, once, and that it takes writes again."""
        if error is not None and not self._refused:
            log.error("act=%s result=storage_refused %s", self._name, error)
        elif error is None and self._refused:
            log.warning("act=%s result=recovered", self._name)
        self._refused = error is not None

    def _set_alarm(self, seconds: float) -> None:
        """A dated job for the next due instant, where it comes before the net does."""
        if seconds < NET_SECONDS:
            at = clock.now() + timedelta(seconds=seconds)
            self._scheduler.add_job(
                self.ring, "date", run_date=at, id=f"{self._name}:due", replace_existing=True
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Between two rounds: nothing of this step runs for the length of the block."""
        self._held = True
        self._flag.set()
        with self._lock:
            try:
                yield
            finally:
                self._held = False
        self.ring()

    def stop(self) -> None:
        """Begin nothing new, and wait for the round under way."""
        self.stopped = True
        self._flag.set()
        with self._lock:
            pass


def scheduler() -> BackgroundScheduler:
    """APScheduler without a job store: what is due is a row in the ledger."""
    made = BackgroundScheduler(
        timezone="UTC",
        executors={"default": ThreadPoolExecutor(8)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    made.add_listener(_fault, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return made


def _fault(event: Any) -> None:
    error = getattr(event, "exception", None)
    log.error("act=beat job=%s result=failed", event.job_id, exc_info=error)
