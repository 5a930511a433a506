"""The stage: ``connector run`` as a child process, in a folder of its own, on this machine."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import requests

from connector.adapters import CLOCK_FILE
from connector.clock import TestClock
from connector.demo import day
from connector.demo.folder import write_folder
from connector.errors import ConnectorError
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.runtime import LEDGER_FILE, Waker

STARTS_WITHIN: Final = 20.0  #: seconds
STOPS_WITHIN: Final = 15.0
BROKEN_OFF_WITHIN: Final = 2.0  #: where nobody waits for the end of the day any more
PATIENCE: Final = 20.0  #: for anything the connector is to do meanwhile
PORTS_TRIED: Final = 3

T = TypeVar("T")


class Stage:
    """A running connector whose clock stands still until it is moved; stopped at the block's end.

    Raises ``ConnectorError`` when it does not start, or does not do what it should in time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._data.mkdir(parents=True, exist_ok=True)
        self.clock = TestClock(self._data / CLOCK_FILE)
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy stands between a machine and itself
        self._wake = Waker(self._data)
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._store: SqliteStore | None = None

    def __enter__(self) -> Stage:
        try:
            self._start()
        except BaseException:
            self.close(BROKEN_OFF_WITHIN)
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(STOPS_WITHIN if kind is None else BROKEN_OFF_WITHIN)

    def _start(self) -> None:
        self.show(day.BEGINS)
        for _ in range(PORTS_TRIED):
            self._launch(free_port())
            if self._is_up():
                break
        else:
            raise ConnectorError(f"`connector run` did not start. {self._log_ends()}")
        self._store = SqliteStore(self._data / LEDGER_FILE)

    def _launch(self, port: int) -> None:
        self._end(BROKEN_OFF_WITHIN)
        write_folder(self.folder, port)
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "connector", "-C", str(self.folder), "run"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop it in good order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    def _is_up(self) -> bool:
        """Wait until it takes requests; false when it ended instead (another took the port)."""
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end and self._lives():
            with suppress(requests.RequestException):
                if self.http.get(f"{self.url}/ready", timeout=2).ok:
                    return True
            time.sleep(0.02)
        return False

    @property
    def log(self) -> Path:
        """What the connector says while it runs."""
        return self.folder / "log"

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send one request, which must be taken."""
        try:
            answer = self.http.post(f"{self.url}{path}", data=body, headers=headers, timeout=10)
        except requests.RequestException as error:
            says = f"{path} could not be reached ({type(error).__name__}). {self._log_ends()}"
            raise ConnectorError(says) from error
        if not answer.ok:
            raise ConnectorError(f"{path} was answered {answer.status_code}: {answer.text}")

    def show(self, at: datetime) -> None:
        """Let the connector's clock stand at an instant, and wake it."""
        self.clock.set(at, 0.0)
        self._wake()

    def read(self, question: Callable[[Tx], Any]) -> Any:
        """Ask the ledger, as any other process may."""
        if self._store is None:
            raise ConnectorError("the connector of the demo does not run")
        with self._store.read() as tx:
            return question(tx)

    def until(self, is_so: Callable[[], T], what: str) -> T:
        """Wait until something is so, and return it."""
        end = time.monotonic() + PATIENCE
        while not (found := is_so()):
            if not self._lives() or time.monotonic() > end:
                raise ConnectorError(f"{what}: not within {PATIENCE:g} s. {self._log_ends()}")
            time.sleep(0.02)
        return found

    def close(self, patience: float) -> None:
        """Stop what was started; the folder stays, and its clock goes on by itself."""
        self.http.close()
        if self._store is not None:
            self._store.close()
            self._store = None
        self._end(patience)
        self.clock.set(self.clock(), 1.0)

    def _end(self, patience: float) -> None:
        """Ask the connector to stop; it and its children are killed where they do not."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.terminate()
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _log_ends(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"Its log, {self.log}, ends:", *lines[-12:]])


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """In the child, on Linux: be told to stop when the demo is killed (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
