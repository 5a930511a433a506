"""Where a life may end: a store, a provider and a CRM that stand round the real ones."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from connector.crms import Crm
from connector.ledger.store import Store, Tx
from connector.messages import Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook, Json, Subject
from connector.providers import Provider
from connector.records import Writeback as Change
from connector.records import Written
from tests.crms.quiet import QuietCrm

POINTS = (
    "after the inbox commit",
    "before the reconcile commit",
    "after the reconcile commit",
    "before the advance commit",
    "after the advance commit",
    "before the gate commit",
    "after the gate commit",
    "before the call",
    "during the call",
    "before the settle commit",
    "after the settle commit",
    "after the claim commit",
    "before the write-back",
    "after the write-back",
    "before the keep commit",
    "after the keep commit",
)


class Fate:
    """Where a life ends: at the ``nth`` time that it reaches ``point``; never without one."""

    def __init__(self, point: str = "", nth: int = 1) -> None:
        self._point, self._left = point, nth
        self.doing = "reconcile"

    def reach(self, point: str) -> None:
        """Be killed here, if this is the place."""
        if point == self._point:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)  # of this thread nothing more may happen


class FatalStore:
    """A store whose commits are points, named by what is being done."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store, self._fate = store, fate

    def read(self) -> AbstractContextManager[Tx]:
        return self._store.read()

    @contextmanager
    def write(self) -> Iterator[Tx]:
        name = self._fate.doing
        with self._store.write() as tx:
            yield tx
            self._fate.reach(f"before the {name} commit")
        self._fate.reach(f"after the {name} commit")


class FatalProvider:
    """A provider on the way to which, and on the way back from which, one may die."""

    def __init__(self, provider: Provider, fate: Fate) -> None:
        self.name = provider.name
        self.channels, self.does = provider.channels, provider.does
        self._provider, self._fate = provider, fate

    def send(self, message: Message) -> Accepted:
        self._fate.reach("before the call")
        accepted = self._provider.send(message)
        self._fate.reach("during the call")
        self._fate.doing = "settle"
        return accepted

    def find(self, message: Message, since: datetime) -> Found:
        return self._provider.find(message, since)

    def verify(self, hook: Hook, now: datetime) -> None:
        self._provider.verify(hook, now)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        return self._provider.inbound(since)

    def carried(self, since: datetime) -> Iterator[Carried]:
        return self._provider.carried(since)

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        return self._provider.parse(hook)


class FatalCrm(QuietCrm):
    """A CRM before and after whose writing one may die."""

    def __init__(self, crm: Crm, fate: Fate) -> None:
        self.name = crm.name
        self._crm, self._fate = crm, fate

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        return self._crm.fetch(subjects)

    def write(self, changes: Sequence[Change]) -> list[Written]:
        self._fate.reach("before the write-back")
        written = self._crm.write(changes)
        self._fate.reach("after the write-back")
        self._fate.doing = "keep"
        return written
