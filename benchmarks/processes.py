"""Processes under measurement: started, watched for what they use, always ended by their pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.load import Failed
from connector.lock import holder

TICKS = os.sysconf("SC_CLK_TCK")


class Child:
    """A Python module run as a process on a port of loopback, until the block ends."""

    def __init__(self, port: int, *arguments: str, log: Path) -> None:
        self.port, self._arguments, self._log = port, arguments, log
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Child:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and after some patience every process that it started."""
        family = self.pids()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in reversed(family):
                _kill(pid)
            self.process.wait(5)

    def listening(self) -> Child:
        """Wait until its port takes connections."""
        until(lambda: self._alive() and is_open(self.port), 30, "a process does not listen")
        return self

    def _alive(self) -> bool:
        if self.process.poll() is not None:
            raise Failed(f"a process ended: {self._log.read_text()[-2000:]}")
        return True

    def pids(self) -> list[int]:
        """The process and all that it started."""
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in _text(children).split()]
        return found


def connector(verb: str, folder: Path, port: int) -> Child:
    """``connector run``, ``serve`` or ``work`` on a folder."""
    return Child(port, "connector", "-C", str(folder), verb, log=folder / "log")


def worker_of(folder: Path) -> int:
    """The pid of the worker that runs on a folder."""
    found: list[int] = []

    def seen() -> bool:
        found[:] = [holder(folder / "data" / "work.lock") or 0]
        return bool(found[0])

    until(seen, 30, "no worker runs")
    return found[0]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes have used so far, their own and the kernel's for them."""
    return sum(map(_ticks, pids)) / TICKS


def _ticks(pid: int) -> int:
    stat = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return int(stat[11]) + int(stat[12]) if stat else 0


def pss_mb(pids: Iterable[int]) -> float:
    """Memory of processes, each shared page counted once: the sum of their PSS."""
    rows = [row for pid in pids for row in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()]
    return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    """Whether a port takes connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(true: Callable[[], bool], seconds: float, otherwise: str, every: float = 0.02) -> None:
    """Wait until something is so; raise ``Failed`` when it is not in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise Failed(f"{otherwise} after {seconds:.0f} s")
        time.sleep(every)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
