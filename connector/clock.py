"""The only place that reads the clock, makes identifiers or takes chances."""

from __future__ import annotations

import mmap
import os
import random
import secrets
import struct
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

Clock = Callable[[], datetime]

CODE_LETTERS = "23456789bcdfghjkmnpqrstvwxyzBCDFGHJKLMNPQRSTVWXYZ"
"""Letters and digits that are not mistaken for each other, and make no words."""
CODE_LENGTH = 11  #: of 49 letters: 61 bits, which nobody guesses

_lock = threading.Lock()
_last = 0


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=256)
def text(instant: datetime) -> str:
    """An instant as the ledger keeps it: fixed-width UTC, so that text order is time order."""
    if instant.tzinfo is None:
        raise ValueError("an instant must be aware; attach UTC where it is made")
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return f"{instant.isoformat(timespec='microseconds')[:-6]}Z"  # strftime costs ten times as much


def instant(value: str) -> datetime:
    """The instant behind the ledger's text; the inverse of :func:`text`."""
    return datetime.fromisoformat(value)


def new_id(kind: str) -> str:
    """A new identifier such as ``snd_019e5c…``: time-ordered, unique over processes.

    48 bits of milliseconds, then 32 random bits; within one process strictly increasing.
    """
    global _last
    stamp = (time.time_ns() // 1_000_000) << 32
    with _lock:
        value = max(stamp | random.getrandbits(32), _last + 1)
        _last = value
    return f"{kind}_{value:020x}"


def first_id(kind: str, at: datetime) -> str:
    """What sorts before every identifier of a kind that :func:`new_id` makes from ``at`` on."""
    return f"{kind}_{(int(at.timestamp() * 1_000) << 32):020x}"


def new_code() -> str:
    """A new code that nobody can guess, made of what every text message keeps."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def new_salt() -> str:
    """128 random bits that nobody can guess, in hex: what hides a value behind its digest."""
    return secrets.token_hex(16)


def chance() -> float:
    """A random number in [0, 1)."""
    return random.random()


def reseed() -> None:
    """Forget the parent's random state; called in a freshly forked process."""
    random.seed(os.urandom(16))


class TestClock:
    """A clock that may be set and scaled, shared by all processes of one folder.

    The file holds three doubles: the wall instant at which it was set, the instant it then
    showed, and how many seconds pass in a second. Only the demo and tests use it, and the
    configuration refuses it together with a live provider.
    """

    __test__ = False  # its name starts with Test, which pytest would collect

    _FORMAT = struct.Struct("<ddd")

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(self._FORMAT.pack(time.time(), time.time(), 1.0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), self._FORMAT.size)

    def __call__(self) -> datetime:
        wall, shown, speed = self._FORMAT.unpack(self._map[:])
        return datetime.fromtimestamp(shown + (time.time() - wall) * speed, UTC)

    def set(self, shows: datetime, speed: float = 1.0) -> None:
        """From now on show ``shows`` and let ``speed`` seconds pass in each second."""
        self._map[:] = self._FORMAT.pack(time.time(), shows.timestamp(), speed)

    @property
    def speed(self) -> float:
        """How many seconds pass in a second."""
        return float(self._FORMAT.unpack(self._map[:])[2])

    def wall_seconds_until(self, due: datetime) -> float:
        """Real seconds until this clock shows ``due``; never negative."""
        return max(0.0, (due - self()) / timedelta(seconds=1) / max(self.speed, 1e-9))
