"""The carrier: a provider that answers at once, and tells nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Any

from connector.messages import CHANNELS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook
from connector.providers import Ability


class Carrier:
    """Takes every text; nothing leaves."""

    name = "simulated"
    channels = frozenset(CHANNELS)
    does: frozenset[Ability] = frozenset()

    def send(self, message: Message) -> Accepted:
        """Take a text."""
        return Accepted(f"SIM-{message.send_id}")

    def find(self, message: Message, since: datetime) -> Found:
        """Nothing is ever in doubt."""
        return Found(None)

    def verify(self, hook: Hook, now: datetime) -> None:
        """Nobody calls."""

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Nothing came while nobody looked."""
        return iter(())

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Nothing went that was not recorded."""
        return iter(())

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Nobody calls."""
        return ()


class AtOnce(Executor):
    """Stands in for the dispatcher's pool of threads: what is submitted is done on the spot."""

    def submit(self, act: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Do it now."""
        done: Future[Any] = Future()
        done.set_result(act(*args, **named))
        return done

    def next(self) -> datetime | None:
        """When the next answer comes: none is waited for."""
        return None

    def answer(self, now: datetime) -> int:
        """Let the answers come whose instant is here; how many."""
        return 0
