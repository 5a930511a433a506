"""Guarding the clock: while it is wrong, all marketing waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from connector import clock, dates
from connector.ledger import acts, alarms, pauses
from connector.ledger.store import Tx
from connector.rules import clockwatch
from connector.rules.clockwatch import Look, Watch
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

KIND: Final = "clock_off"  #: of the alarm
WHO: Final = "connector"
ASK_EVERY: Final = 60.0  #: seconds between two questions to other clocks while ours is wrong

Heard = Callable[[], Mapping[str, Iterable[tuple[float, float]]]]


class ClockGuard:
    """Looks at the clock every few seconds, and holds marketing for as long as it is wrong.

    The hold stands in the ledger beside the pauses, so that every process and command knows of
    it, and is read with them: a decision asks nothing more for it. While it stands nothing but
    service texts may leave, so other clocks are asked for their ``Date`` each minute.
    """

    def __init__(
        self,
        rt: Setup,
        *,
        heard: Heard = dates.heard,
        wall: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = time.monotonic,
        ask: Callable[[str], object] | None = None,
    ) -> None:
        self._rt, self._heard, self._wall, self._monotonic = rt, heard, wall, monotonic
        self._ask = ask or _ask
        self._before = (wall(), monotonic())
        self._asked_at = monotonic()
        self._since = monotonic()  #: looks before it were at another clock
        with rt.store.read() as tx:
            held = pauses.all_(tx).get(pauses.CLOCK)
        self._held = held is not None  #: what the ledger says
        self.watch = Watch(str(held["why"]), self._before[1]) if held else Watch()

    def round(self) -> float:
        """Look once; how far the clock jumped since the last look, in seconds, 0 for no jump.

        Raises ``StorageRefused`` where the ledger cannot be written; the next look tries again.
        """
        wall, at = self._wall(), self._monotonic()
        gone = (wall - self._before[0]).total_seconds(), at - self._before[1]
        self._before = (wall, at)
        if abs(gone[0] - gone[1]) > clockwatch.RESET:
            self._since = at
            dates.forget()
        jumped = clockwatch.jump(*gone)
        ahead, host = clockwatch.off_by(self._looks(), at)
        self.watch = clockwatch.judge(self.watch, at, ahead, host, jumped)
        self._write()
        if self.watch.wrong:
            self._ask_others(at)
        return jumped

    def _looks(self) -> dict[str, list[Look]]:
        return {
            host: [Look(at, ahead) for at, ahead in heard if at >= self._since]
            for host, heard in self._heard().items()
        }

    def _write(self) -> None:
        if bool(self.watch.wrong) == self._held:
            return
        with self._rt.store.write() as tx:
            if self.watch.wrong:
                _hold(tx, self._rt, self.watch.wrong, self._rt.clock())
            else:
                _let_go(tx, self._rt, self._rt.clock())
        self._held = bool(self.watch.wrong)

    def _ask_others(self, at: float) -> None:
        if at - self._asked_at < ASK_EVERY:
            return
        self._asked_at = at
        for host in list(self._heard()):
            with suppress(OSError):  # requests' own are OSErrors too
                self._ask(host)


def _hold(tx: Tx, rt: Setup, why: str, now: datetime) -> None:
    pauses.set_(tx, pauses.CLOCK, "hold", who=WHO, why=why, at=now)
    acts.add(tx, rt.new_id("act"), "pause", f"play:{pauses.CLOCK}", who=WHO, why=why, at=now)
    alarm(tx, rt, KIND, f"{why} Marketing waits meanwhile.", now)


def _let_go(tx: Tx, rt: Setup, now: datetime) -> None:
    pauses.lift(tx, pauses.CLOCK)
    why = "the clock was right for five minutes"
    acts.add(tx, rt.new_id("act"), "resume", f"play:{pauses.CLOCK}", who=WHO, why=why, at=now)
    alarms.clear(tx, KIND, "", now)


def _ask(origin: str) -> Any:
    """Ask a host for its date; the answer is noted by the session as any other is."""
    from connector.http import open_session

    with open_session(connections=1) as http, http.head(f"{origin}/", allow_redirects=False) as got:
        return got.status_code
