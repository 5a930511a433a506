"""The worker: APScheduler as the heartbeat of the steps, woken by work and by what is due."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime

from apscheduler.triggers.interval import IntervalTrigger

from connector import clock, memory, reloading
from connector.beat import Beat, scheduler
from connector.config.loaded import Loaded
from connector.errors import StorageRefused
from connector.inquiry import Inquiry
from connector.ledger import captures
from connector.ledger.sqlite import SqliteStore
from connector.lock import Lock
from connector.lookout import Lookout
from connector.rules.hours import learn_holidays
from connector.runtime import listen, open_ledger, open_setup, patiently
from connector.steps import (
    advance,
    catalogue,
    crmread,
    dispatch,
    eligible,
    errands,
    reconcile,
    sourcewatch,
)
from connector.steps.advance import Advancer
from connector.steps.dispatch import Dispatcher
from connector.steps.reconcile import Reconciler
from connector.steps.refresh import refresh
from connector.steps.setup import Setup
from connector.steps.tidy import tidy
from connector.steps.writeback import writeback
from connector.upkeep import Upkeep

log = logging.getLogger("connector")

CHECKPOINT_SECONDS = 2.0
TIDY_SECONDS = 60.0
BACKUP_SECONDS = 20.0  #: between two looks at whether a backup is due
ANCHOR_SECONDS = 60.0  #: between two looks at whether an anchor is due
MANY = 4  #: calls under way from which ...
GATHER_SECONDS = 0.005  #: ... answers are let gather; a text leaves that much later at the most
CROWD = 32  #: and from so many on, answers, texts in line and events ...
CROWD_SECONDS = 0.02  #: ... for longer: at a steady pace each would else have a commit of its own
BATCHES_WHILE_SENDING = 2  #: so that the CRM never holds up a text
READ_WHILE_SENDING = 1  #: calls that read it, likewise


class Worker:
    """All steps of one folder, in one process."""

    def __init__(self, loaded: Loaded, store: SqliteStore) -> None:
        self._loaded = loaded
        self.rt: Setup = open_setup(loaded, store)
        eligible.read_lists(self.rt)
        self._store = store
        self._scheduler = scheduler()
        self.dispatcher = Dispatcher(self.rt, self._answered)
        self.dispatching = Beat(
            self._scheduler,
            "dispatch",
            self.dispatcher.round,
            busy=lambda: self.dispatcher.flying > 0,
            breathe=self._gather_answers,
            due=lambda: self._seconds(dispatch.next_due),
            then=lambda: self.writing_back.ring(),
        )
        self.advancer = Advancer(self.rt)
        self.advancing = Beat(
            self._scheduler,
            "advance",
            self._advance,
            breathe=self._gather_events,
            due=lambda: self._seconds(advance.next_due),
            then=self._moved_on,
        )
        self.writing_back = Beat(self._scheduler, "writeback", self._write_back)
        self.reading = Beat(self._scheduler, "read", self._read)
        self.refreshing = Beat(self._scheduler, "refresh", self._refresh)
        self.running = Beat(self._scheduler, "errands", self._run_errands)
        self._reconciler = Reconciler(self.rt, lambda: self.reconciling.ring())
        self.reconciling = Beat(self._scheduler, "reconcile", self._reconcile)
        self._every(CHECKPOINT_SECONDS, "checkpoint", self._checkpoint)
        self.tidying = Beat(self._scheduler, "tidy", self._tidy, seconds=TIDY_SECONDS)
        self._upkeep = Upkeep(self.rt, store)
        self._every(BACKUP_SECONDS, "backup", lambda: self._upkeep.back_up(self._loaded.settings))
        self._every(ANCHOR_SECONDS, "anchor", lambda: self._upkeep.anchor(self._loaded.settings))
        if self.rt.restored is not None:
            Beat(self._scheduler, "restore", self._upkeep.look_into_the_gap)
        self._inquiry = Inquiry(self.rt, self._told_by_a_provider)
        self._lookout = Lookout(self.rt, loaded.settings, self._clock_jumped)
        self._pipe = listen(loaded.settings.ledger)
        self._listener = threading.Thread(target=self._listen, name="listener", daemon=True)

    def _every(self, seconds: float, name: str, act: Callable[[], object]) -> None:
        self._scheduler.add_job(act, "interval", seconds=seconds, id=name)

    def start(self) -> None:
        """Look after what a death left behind, then beat."""
        patiently(lambda: reconcile.after_a_death(self.rt))
        patiently(self._inquiry.begin)
        self._scheduler.start()
        self._listener.start()
        self._lookout.start()
        self._inquiry.start()
        for beat in self._beats:
            beat.ring()

    @property
    def _beats(self) -> tuple[Beat, ...]:
        return (
            *(self.advancing, self.dispatching, self.writing_back, self.reading, self.running),
            *(self.refreshing, self.tidying, self.reconciling),
        )

    def reload(self) -> None:
        """Take over the folder's files as they are now, whole, or keep the present ones."""
        with ExitStack() as still:
            for beat in self._beats:
                still.enter_context(beat.held())
            self._loaded = reloading.take_over(self.rt, self._loaded)
        self._lookout.renew(self._loaded.settings)

    def stop(self) -> None:
        """Begin nothing new, settle what is under way, and close."""
        self._upkeep.stop()
        self._inquiry.stop()
        self._lookout.stop()
        for beat in self._beats:
            beat.stop()
        self.dispatcher.close()
        self._scheduler.shutdown(wait=False)
        self._checkpoint()

    def _advance(self) -> int:
        done = self.advancer.round()
        if done:
            self.dispatching.ring()
        return done

    def _moved_on(self) -> None:
        """What came in was moved into the ledger: CRMs may be owed something, or have hinted."""
        self.writing_back.ring()
        self.reading.ring()

    def _read(self) -> int:
        """Read the CRM; while texts are leaving, only a small share each second."""
        sending = self.dispatcher.flying > 0
        done = crmread.round(self.rt, READ_WHILE_SENDING if sending else crmread.CALLS)
        if done:
            for beat in (self.advancing, self.dispatching, self.running, self.writing_back):
                beat.ring()
        return 0 if sending else done

    def _refresh(self) -> int:
        done = refresh(self.rt)
        if done:
            self.dispatching.ring()
        return done

    def _run_errands(self) -> int:
        done = errands.run(self.rt)
        if done:
            self.advancing.ring()
            self.dispatching.ring()
            self.writing_back.ring()
        return done

    def _reconcile(self) -> int:
        done = self._reconciler.round()
        if done:
            self._told_by_a_provider()
        return done

    def _told_by_a_provider(self) -> None:
        for beat in (self.advancing, self.dispatching, self.writing_back):
            beat.ring()

    def _tidy(self) -> int:
        tidy(self.rt)
        catalogue.count(self.rt)
        sourcewatch.watch(self.rt)
        captures.tidy(self._loaded.settings.ledger, self.rt.clock())
        memory.give_back()
        return 0

    def _gather_answers(self) -> None:
        """With many calls under way, let some answers come together: one commit serves them all."""
        if self.dispatcher.flying >= MANY:
            crowd = self.dispatcher.flying >= CROWD
            time.sleep(CROWD_SECONDS if crowd else GATHER_SECONDS)

    def _gather_events(self) -> None:
        """While very many texts are leaving, let some events come together likewise."""
        if self.dispatcher.flying >= CROWD:
            time.sleep(CROWD_SECONDS)

    def _write_back(self) -> int:
        """Write back what is owed; while texts are leaving, only a small share each second."""
        if self.dispatcher.flying:
            writeback(self.rt, BATCHES_WHILE_SENDING)
            return 0
        return writeback(self.rt)

    def _answered(self) -> None:
        self.dispatching.ring()

    def _listen(self) -> None:
        while True:
            os.read(self._pipe, 65_536)
            self.advancing.ring()

    def _checkpoint(self) -> None:
        with suppress(StorageRefused):  # whoever writes next tells of it
            self._store.checkpoint()

    def _clock_jumped(self, seconds: float) -> None:
        """The scheduler goes by the wall clock: set back, it would sleep until that is made up."""
        log.warning("act=clock result=jumped seconds=%d", seconds)
        self._inquiry.look_now()
        for job in self._scheduler.get_jobs():
            if isinstance(job.trigger, IntervalTrigger):
                job.reschedule(IntervalTrigger(seconds=int(job.trigger.interval_length)))
        for beat in self._beats:
            beat.ring()

    def _seconds(self, next_due: Callable[[Setup, datetime], datetime]) -> float:
        now = self.rt.clock()
        due = next_due(self.rt, now)
        if isinstance(self.rt.clock, clock.TestClock):
            return self.rt.clock.wall_seconds_until(due)
        return max(0.0, (due - now).total_seconds())


def work(loaded: Loaded, *, ready: Callable[[], None] = lambda: None) -> None:
    """Run the worker until SIGTERM, SIGINT or SIGHUP; SIGUSR1 reads the folder's files anew."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until there is something to reload
    memory.share_arenas()
    lock = Lock(loaded.settings.ledger / "work.lock", "work").take()
    store = patiently(lambda: open_ledger(loaded.settings))
    worker = patiently(lambda: Worker(loaded, store))
    called, stopping = threading.Event(), threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        called.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
    signal.signal(signal.SIGUSR1, lambda *_: called.set())
    learn_holidays(loaded.hours, clock.now().date())
    worker.start()
    log.info("act=work result=started pid=%d", os.getpid())
    ready()
    while called.wait() and not stopping.is_set():
        called.clear()
        worker.reload()
    worker.stop()
    store.close()
    lock.free()
    log.info("act=work result=stopped")
