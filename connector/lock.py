"""One holder a folder: a lock the kernel frees when its process dies, with the pid to name."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from connector.errors import AlreadyRunning


class Lock:
    """Held from ``take`` until ``free`` or the end of the process."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._file = -1

    def take(self) -> Lock:
        """Take it, or raise ``AlreadyRunning`` with the holder's pid."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = os.read(file, 20).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise AlreadyRunning(
                f"`connector {self._what}` already runs on this folder (pid {pid}); "
                f"stop it first, or work in another folder"
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file
        return self

    def free(self) -> None:
        """Let go; also what a forked child does with its parent's lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def holder(path: Path) -> int | None:
    """The pid that holds a lock, or None where it is free."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        text = os.read(file, 20).decode(errors="replace").strip()
        return int(text) if text.isdigit() else 0
    else:
        return None
    finally:
        os.close(file)
