"""Watching the clock: whether the machine's clock agrees with others, and with itself.

Every response of a provider or a CRM bears a ``Date``, so each is a look at another clock. And
the wall clock must go on as the monotonic one does, which nobody can set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

OFF: Final = 60.0  #: seconds from which a clock counts as off
BACK: Final = 5.0  #: seconds back against the monotonic clock that count as a jump
KEPT: Final = 5  #: looks at a host's clock that are kept, the newest
FEWEST: Final = 3  #: looks that it takes to say anything: one of them may be an outlier
FRESH: Final = 900.0  #: seconds for which a look counts
GOOD_FOR: Final = 300.0  #: seconds without a fault before marketing goes on
RESET: Final = 1.0  #: seconds: past such a jump, looks at the clock as it was say nothing


@dataclass(frozen=True, slots=True)
class Look:
    """What one response told: how far our clock was ahead of its ``Date``, in seconds."""

    at: float  #: monotonic seconds
    ahead: float


@dataclass(frozen=True, slots=True)
class Watch:
    """How the clock stands: what is wrong with it ("" for nothing) and since when it was right."""

    wrong: str = ""
    bad_at: float | None = None  #: monotonic seconds of the newest fault; None where all is well


def off_by(looks: Mapping[str, Iterable[Look]], at: float) -> tuple[float, str]:
    """(seconds, host) by which our clock is ahead of the others; (0, "") where it agrees.

    Of each host the median of its last few looks counts, so that one outlier says nothing; the
    clock is off where at least as many hosts say so as do not, by the host that says it most.
    """
    told = {host: found for host, each in looks.items() if (found := _median(each, at)) is not None}
    off = {host: ahead for host, ahead in told.items() if abs(ahead) > OFF}
    if not off or 2 * len(off) < len(told):
        return 0.0, ""
    host = max(off, key=lambda name: abs(off[name]))
    return off[host], host


def jump(wall: float, monotonic: float) -> float:
    """Seconds that the wall clock gained (or lost) beyond what really went by; 0 for no jump.

    ``wall`` and ``monotonic`` are what both went on by since the last look at them.
    """
    gained = wall - monotonic
    return gained if gained > OFF or gained < -BACK else 0.0


def judge(watch: Watch, at: float, ahead: float, host: str, jumped: float) -> Watch:
    """How the clock stands after one more look at it, ``at`` in monotonic seconds.

    What was wrong stays so until five minutes have gone by without a fault.
    """
    wrong = _says(ahead, host, jumped)
    if wrong:
        return Watch(wrong, at)
    if watch.bad_at is None or at - watch.bad_at >= GOOD_FOR:
        return Watch()
    return watch


def _says(ahead: float, host: str, jumped: float) -> str:
    if host:
        way = "ahead of" if ahead > 0 else "behind"
        return f"This machine's clock is {_span(ahead)} {way} that of {host}; set it right (NTP)."
    if jumped:
        way = "forward" if jumped > 0 else "back"
        return f"This machine's clock jumped {way} by {_span(jumped)}; see to its NTP."
    return ""


def _span(seconds: float) -> str:
    whole = round(abs(seconds))
    return f"{whole} seconds" if whole < 600 else f"{whole // 60} minutes"


def _median(looks: Iterable[Look], at: float) -> float | None:
    fresh = [look.ahead for look in looks if at - look.at <= FRESH][-KEPT:]
    return median(fresh) if len(fresh) >= FEWEST else None
