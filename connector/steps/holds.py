"""Holding and letting go: a play, or everything, before the next call to a provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from connector.ledger import acts, pauses, sends
from connector.ledger.store import Store, Tx

BESIDE: Final = "@"  #: begins what stands in a play's place in ``pauses`` and is none
LOOK_AGAIN: Final = 0.01  #: seconds between two looks at what is under way


class Names(Protocol):
    """What keeping an act needs of the setup."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""


def pause(
    tx: Tx, rt: Names, about: str, verdict: str, *, who: str, why: str, now: datetime
) -> None:
    """Pause a play, or everything (``*``, which always holds); who and why are kept."""
    pauses.set_(tx, about, verdict, who=who, why=why, at=now)
    acts.add(tx, rt.new_id("act"), "pause", f"play:{about}", who=who, why=why, at=now)


def resume(tx: Tx, rt: Names, about: str, *, who: str, why: str, now: datetime) -> bool:
    """Let it go on, each text decided afresh; False where it was not paused.

    What a wrong clock or a template's readers hold is no play's, and is not lifted here.
    """
    if about.startswith(BESIDE) or not pauses.lift(tx, about):
        return False
    acts.add(tx, rt.new_id("act"), "resume", f"play:{about}", who=who, why=why, at=now)
    return True


def await_stillness(
    store: Store, patience: float, *, play: str = "", phone: str = "", idle: Callable[[], bool]
) -> int:
    """Wait until no call about a play or to a number is under way any more; how many still are.

    A pause or an opt-out that is in the ledger lets nothing new pass the gate, and what had
    passed it is given back right before its call. What is left are calls that had begun; once
    they are settled, nothing leaves any more. ``idle`` tells that no worker runs: what then
    stands as under way is a dead one's. ``patience`` is in seconds.
    """
    until = time.monotonic() + patience
    while True:
        with store.read() as tx:
            left = sends.under_way(tx, play=play, phone=phone)
        if not left or idle():
            return 0
        if time.monotonic() >= until:
            return left
        time.sleep(LOOK_AGAIN)
