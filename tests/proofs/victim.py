"""A real ``connector run`` that may be killed: its processes, its port, and its way back."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

PROCESSES = 4  #: supervisor, granian's main, granian's worker, worker
BOUND = 2.0  #: seconds in which all are back, or all are down
PATIENCE = 10.0  #: seconds after which we stop looking
ROLES = ("supervisor", "server", "web", "worker")


class Victim:
    """``connector run`` on a folder, started as an operator would."""

    def __init__(self, path: Path, port: int) -> None:
        self.path, self.port = path, port
        self.process: subprocess.Popen[bytes] | None = None
        self._log = (path / "log").open("ab")

    def start(self, *, session: bool = False) -> None:
        """Start it, perhaps in a session of its own; it may be killed before it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "connector", "-C", str(self.path), "run"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=session,
        )

    def is_down(self) -> bool:
        """Whether the supervisor has left."""
        return self.process is None or self.process.poll() is not None

    def living(self) -> set[int]:
        """Every process of this folder's run, orphans too."""
        name = f"\0{self.path}\0run\0".encode()
        found = set()
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if name in file.read_bytes():
                    found.add(int(file.parent.name))
        return found

    def roles(self) -> dict[int, str]:
        """The processes below the supervisor, and it, with their roles."""
        if self.process is None or self.is_down():
            return {}
        found = {self.process.pid: "supervisor"}
        locks = {_pid(self.path, "serve"): "server", _pid(self.path, "work"): "worker"}
        for child in _children(self.process.pid):
            found[child] = locks.get(child, "starting")
            found.update(dict.fromkeys(_children(child), "web"))
        return found

    def answers(self) -> bool:
        """Whether anybody listens at the port."""
        with socket.socket() as door:
            door.settimeout(0.5)
            return door.connect_ex(("127.0.0.1", self.port)) == 0

    def is_ready(self) -> bool:
        """Whether it says that it takes requests and works on them."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False

    def is_whole(self) -> bool:
        """Whether all processes live, no orphan does, and it is ready."""
        roles = self.roles()
        if len(roles) != PROCESSES or "starting" in roles.values():
            return False
        return set(roles) == self.living() and self.is_ready()

    def is_gone(self) -> bool:
        """Whether nothing of it is left."""
        return self.is_down() and not self.living() and not self.answers()

    def until(self, true: Callable[[], object], patience: float = 30.0) -> None:
        """Wait until something is so; raises ``TimeoutError`` with the end of the log."""
        end = time.monotonic() + patience
        while not true():
            if time.monotonic() > end:
                log = (self.path / "log").read_text()[-2000:]
                raise TimeoutError(f"not so within {patience:.0f} s; the log ends:\n{log}")
            time.sleep(0.02)

    def kill(self, pid: int) -> tuple[str, float]:
        """Kill one process: ``back``, ``down`` or ``neither``, and the seconds that it took."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        while (took := time.monotonic() - began) < PATIENCE:
            if self.is_down():
                if self.is_gone():
                    return "down", took
            elif pid not in self.roles() and self.is_whole():
                return "back", took
            time.sleep(0.01)
        return "neither", took

    def stop(self) -> tuple[int, float]:
        """Ask it to stop: its exit code and the seconds that it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        return code, time.monotonic() - began

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        for pid in self.living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(5)
        self._log.close()


def _children(pid: int) -> list[int]:
    try:
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def _pid(path: Path, lock: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int((path / "data" / f"{lock}.lock").read_text())
    return 0
