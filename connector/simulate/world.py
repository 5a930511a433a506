"""The world: the real steps over a scratch ledger, with a clock that jumps to what is next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from types import TracebackType
from typing import Final, TypeVar

from connector import clock
from connector.config.loaded import Loaded
from connector.errors import ConnectorError
from connector.ledger.inbox import Delivery
from connector.ledger.store import Tx, is_storage
from connector.model import Event, Receipt, Reply
from connector.rules.clicks import Fetch
from connector.simulate.carrier import AtOnce, Carrier
from connector.simulate.opening import Ids, open_world
from connector.simulate.scratch import FIRST_HELD, Scratch
from connector.steps import advance, dispatch
from connector.steps.advance import Advancer, Mapped, Piece, map_event, take
from connector.steps.dispatch import Dispatcher
from connector.steps.setup import Setup
from connector.steps.tidy import UNDECIDED, tidy

DUE_TABLES: Final = {
    *("contacts", "cursors", "enrolments", "fanouts", "memberships"),
    *("numbers", "pauses", "sends", "timers"),
}
"""Tables by which the next due instant may change."""

MOST_ROUNDS: Final = 200_000  #: at one instant; more means that something stays due for ever

T = TypeVar("T")


class Clock:
    """Stands still until the world moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class World:
    """What happens is told to it in order; between two things all that is due is done.

    Nothing runs beside anything else, and no identifier or chance is new, so that the same
    inputs always come to the same.
    """

    def __init__(
        self,
        loaded: Loaded,
        begins: datetime,
        *,
        store: Scratch | None = None,
        carrier: Carrier | None = None,
        ids: Ids | None = None,
        pool: Callable[[Setup], AtOnce] = lambda rt: AtOnce(),
        change: Callable[[Setup], None] = lambda rt: None,
    ) -> None:
        self.clock = Clock(begins)
        self.store = store or Scratch()
        self.rt: Setup = open_world(
            loaded, self.store, self.clock, ids or Ids(), carrier or Carrier()
        )
        change(self.rt)
        self._advancer = Advancer(self.rt)
        self._pool = pool(self.rt)
        self._dispatcher = Dispatcher(self.rt, pool=self._pool)
        self._due: datetime | None = None

    def __enter__(self) -> World:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with closing(self.store):
            self._dispatcher.close(0.0)

    # -- what happens --------------------------------------------------------------------------

    def event(self, event: Event, mapped: Mapped = None) -> None:
        """An event is heard now; ``mapped`` stands in for what its source's mapping says."""
        if mapped is None:
            mapped = map_event(self.rt, self.rt.sources[event.source], event)
        delivery = Delivery("events", event.source, event.received_at, b"")
        self._take(Piece(delivery, 1, True, event=event), mapped)

    def told(self, told: Receipt | Reply | Fetch) -> None:
        """A receipt, a reply or the fetch of a link is heard now."""
        delivery = Delivery("callback", self.rt.provider, self.clock(), b"")
        self._take(Piece(delivery, 1, True, told=told), None)

    def act(self, act: Callable[[Tx, Setup, datetime], T]) -> T:
        """Somebody does something now that is neither: grants a consent, pauses a play."""
        with self.store.write() as tx:
            return act(tx, self.rt, self.clock())

    def _take(self, piece: Piece, mapped: Mapped) -> None:
        """As the advancer does it: where a piece fails, it is taken again with care."""
        try:
            with self.store.write() as tx:
                take(tx, self.rt, piece, mapped, self.clock(), careful=False)
        except Exception as error:
            if is_storage(error):
                raise
            with self.store.write() as tx:
                take(tx, self.rt, piece, mapped, self.clock(), careful=True)

    # -- time ----------------------------------------------------------------------------------

    def until(self, at: datetime) -> None:
        """Let time come to an instant: all that is due before it is done, each when it is due."""
        while (due := self.next_due()) < at:
            self._show(due)
            if not self._do() and self.next_due() <= due:
                raise ConnectorError(f"what is due at {clock.text(due)} cannot be done")
        self._show(at)

    def finish(self, at: datetime) -> None:
        """As ``until``, and what is due at the instant itself is done too."""
        self.until(at)
        self._do()

    def next_due(self) -> datetime:
        """When the connector next has something to do by itself; a day on where it has nothing."""
        touched = self.store.tx.touched
        if self._due is None or self._due <= self.clock() or not touched.isdisjoint(DUE_TABLES):
            self._due = self._find_due()
            touched.clear()
        return self._due

    def _find_due(self) -> datetime:
        now = self.clock()
        due = min(advance.next_due(self.rt, now), dispatch.next_due(self.rt, now))
        first_held = self.store.tx.one(FIRST_HELD)
        if first_held and first_held["at"]:
            due = min(due, clock.instant(first_held["at"]) + UNDECIDED)
        answer, wake = self._pool.next(), self.store.tx.wake
        due = min(due, answer) if answer else due
        return min(due, clock.instant(wake)) if wake else due

    def _show(self, at: datetime) -> None:
        self.clock.at = max(at, self.clock.at)

    def _do(self) -> int:
        """All that is due now, until nothing is; in how many rounds."""
        for rounds in range(MOST_ROUNDS):
            self._pool.answer(self.clock())
            if not (self._advancer.round() + self._dispatcher.round() + tidy(self.rt)):
                self._due = None
                return rounds
        raise ConnectorError(f"something stays due for ever at {clock.text(self.clock())}")
