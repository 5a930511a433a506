"""The supervisor: web and worker as two children of one small process, all up or all down."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from connector import clock, watch
from connector.config.loaded import Loaded, load
from connector.errors import AlreadyRunning, ConnectorError
from connector.lock import Lock
from connector.runtime import open_ledger

log = logging.getLogger("connector")

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PATIENCE = 20.0  #: seconds that children have to finish what is under way
HASTE = 1.5  #: seconds that they have when one of them keeps dying
ORPHANED = 2.0  #: seconds in which the children of a killed supervisor are surely gone
TELL_EVERY = 0.5  #: seconds between two requests to stop
TOO_OFTEN = 5  #: deaths ...
WITHIN = 30.0  #: ... inside this many seconds, and the rest is brought down
PAUSE = 0.2  #: before a dead child is started again


class Supervisor:
    """Starts the children, starts one again that dies, and stops all when told to."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._lock = Lock(loaded.settings.ledger / "run.lock", "run")
        self._life: watch.Life
        self._children: dict[int, str] = {}
        self._deaths: list[float] = []
        self._asked = 0  #: how often it was told to read the files anew
        self._is_reading = False
        self._stopping = False

    def run(self) -> int:
        """Run until told to stop; the exit code."""
        self._lock.take()
        self._refuse_others()
        open_ledger(self._loaded.settings).close()
        self._life = watch.Life()
        for number in STOPS:
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)  # but `nohup connector run` outlives its terminal
        signal.signal(signal.SIGUSR1, self._pass_on)
        gc.collect()
        gc.freeze()
        for name in CHILDREN:
            self._start(name)
        code = self._watch_over()
        self._bring_down(HASTE if code else PATIENCE)
        if code:
            self._cry()
        self._lock.free()
        return code

    def _refuse_others(self) -> None:
        """Refuse what would only make the children fail: a ``serve`` or ``work`` already here."""
        from connector.serving import refuse_taken

        folder, web = self._loaded.settings.ledger, self._loaded.settings.web
        until = time.monotonic() + ORPHANED
        for name in CHILDREN:
            while True:
                try:
                    Lock(folder / f"{name}.lock", name).take().free()
                    break
                except AlreadyRunning:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.05)
        refuse_taken(web.host, web.port)

    def _start(self, name: str) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # our handler is not the child's
        pid = os.fork()
        if pid:
            self._children[pid] = name
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            return
        code = 70
        try:
            self._become(name)
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        except ConnectorError as error:
            log.error("act=%s result=failed: %s", name, error)
        except BaseException as error:
            log.exception("act=%s result=failed error=%s", name, type(error).__name__)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _become(self, name: str) -> None:
        self._lock.free()
        self._life.watch()
        clock.reseed()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)  # the supervisor tells us when to stop
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        _share_cores(name)
        CHILDREN[name](self._loaded)

    def _watch_over(self) -> int:
        while not self._stopping:
            try:
                pid, status = os.wait()
            except ChildProcessError:
                return 1
            except InterruptedError:
                continue
            name = self._children.pop(pid, "")
            if self._stopping or not name:
                continue
            code = os.waitstatus_to_exitcode(status)
            log.error("act=run child=%s pid=%d result=died code=%d", name, pid, code)
            self._raise(name, code)
            if self._died_too_often():
                log.error("act=run result=giving_up: a child died %d times", TOO_OFTEN)
                return 1
            time.sleep(PAUSE)
            if not self._stopping:
                self._start(name)
        return 0

    def _raise(self, name: str, code: int) -> None:
        """Raise an alarm of a dead child; the worker tells it, as soon as it is back."""
        from connector.targets import note  # here, as it is hardly ever wanted

        says = f"The process of `connector {name}` died with code {code}; see the log."
        note(self._loaded.settings, "process_died", name, says)

    def _cry(self) -> None:
        """Tell people that all is down: nobody is left who would."""
        from connector.targets import cry

        says = "The connector gave up: its processes kept dying, and nothing runs. See the log."
        cry(self._loaded.settings, "given_up", says)

    def _died_too_often(self) -> bool:
        now = time.monotonic()
        self._deaths = [at for at in self._deaths if now - at < WITHIN] + [now]
        return len(self._deaths) >= TOO_OFTEN

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """Tell the worker to read the files anew; the web hears of it by the ledger.

        A child that is started again later starts with them too, unless they are at fault. Told
        again while it reads, it reads once more: else the older reading would be kept as the last.
        """
        for pid, name in self._children.items():
            if name == "work":
                _signal(pid, number)
        self._asked += 1
        if self._is_reading:
            return
        self._is_reading, read = True, 0
        while read != self._asked:
            read = self._asked
            with suppress(ConnectorError, OSError):
                self._loaded = load(self._loaded.settings.folder)
        self._is_reading = False

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._children:
            _signal(pid, signal.SIGTERM)

    def _bring_down(self, patience: float) -> None:
        for pid in self._children:
            _signal(pid, signal.SIGTERM)
        until = time.monotonic() + patience
        while self._children and time.monotonic() < until:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._children.pop(pid, None)
            else:
                time.sleep(0.02)
        for pid in self._children:
            _signal(pid, signal.SIGKILL)


def _share_cores(name: str) -> None:
    """Give the worker a core of its own and the web the others, where there are two or more.

    Each of the two has one interpreter lock. Left to the system, the lock and all that it guards
    go from core to core at every turn of their threads, which makes a text cost half as much
    again, and an event too while the worker is busy (docs/benchmarks.md).
    """
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(cores) > 1:
        own = cores[os.getppid() % len(cores)]  # several connectors do not take the same
        os.sched_setaffinity(0, {own} if name == "work" else {*cores} - {own})


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _serve(loaded: Loaded) -> None:
    from connector.serving import serve

    serve(loaded)


def _work(loaded: Loaded) -> None:
    from connector.worker import work

    work(loaded)


CHILDREN: dict[str, Callable[[Loaded], None]] = {"serve": _serve, "work": _work}
