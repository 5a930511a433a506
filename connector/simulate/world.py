"""The world: the real steps over a scratch ledger, with a clock that jumps to what is next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Final, TypeVar

from connector import clock
from connector.config.loaded import Loaded
from connector.errors import ConnectorError
from connector.ledger import enrolments, fanouts, sends, timers
from connector.ledger.inbox import Delivery
from connector.ledger.store import Tx, is_storage
from connector.messages import Receipt, Reply
from connector.model import Event
from connector.rules.clicks import Fetch
from connector.rules.history import sooner
from connector.simulate.asking import answer
from connector.simulate.carrier import AtOnce, Carrier
from connector.simulate.opening import Ids, open_world
from connector.simulate.scratch import FIRST_HELD, Scratch, ScratchTx
from connector.steps import schedules, silence
from connector.steps.advance import Advancer, Mapped, hear, map_event, take
from connector.steps.dispatch import Dispatcher
from connector.steps.pace import Pace
from connector.steps.pieces import Piece
from connector.steps.restored import settle_all
from connector.steps.route import Ways
from connector.steps.setup import Setup
from connector.steps.tidy import UNDECIDED, tidy

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
Part = Callable[[Tx, Setup], datetime | None]
"""When something of one kind is next due."""

PARTS: Final[dict[str, Part]] = {
    "enrolments": lambda tx, rt: enrolments.next_due(tx),
    "sends": lambda tx, rt: sends.next_due(tx),
    "timers": lambda tx, rt: timers.next_due(tx),
    "cursors": lambda tx, rt: sooner(silence.next_due(tx, rt), schedules.next_due(tx, rt)),
    "fanouts": lambda tx, rt: EPOCH if fanouts.is_any(tx) else None,
    "numbers": lambda tx, rt: _first_lapse(tx),
}
"""Table → what of it is next due. Somebody's activity only ever puts a silence off, so that the
table of contacts need not be looked at: an instant that is too early is found to be none."""

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
        pace: Callable[[Setup], Pace] = Pace,
        ways: Callable[[Setup], Ways] = Ways,
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
        self._dispatcher = Dispatcher(
            self.rt, pool=self._pool, pace=pace(self.rt), ways=ways(self.rt)
        )
        self._parts: dict[str, datetime | None] = {}
        self._is_bound = type(self.store.tx) is not ScratchTx  #: to what the worker did then

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
        self._take(partial(hear, mapped=mapped, now=self.clock.at), event)

    def told(self, told: Receipt | Reply | Fetch) -> None:
        """A receipt, a reply or the fetch of a link is heard now."""
        delivery = Delivery("callback", self.rt.provider, self.clock.at, b"")
        piece = Piece(delivery, 1, True, told=told)
        self._take(partial(take, mapped=None, now=self.clock.at), piece)

    def act(self, act: Callable[[Tx, Setup, datetime], T]) -> T:
        """Somebody does something now that is neither: grants a consent, pauses a play."""
        with self.store.write() as tx:
            return act(tx, self.rt, self.clock())

    def _take(self, take_in: Callable[..., None], what: Event | Piece) -> None:
        """As the advancer does it: what fails is taken again with care."""
        try:
            with self.store.write() as tx:
                take_in(tx, self.rt, what, careful=False)
        except Exception as error:
            if is_storage(error):
                raise
            with self.store.write() as tx:
                take_in(tx, self.rt, what, careful=True)

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
        now, tx = self.clock(), self.store.tx
        for name, part in PARTS.items():
            known = self._parts.get(name)
            if name == "cursors" and self._is_bound and "contacts" in tx.touched:
                known = EPOCH
            if name in tx.touched or name not in self._parts or (known and known <= now):
                self._parts[name] = part(tx, self.rt)
        tx.touched.clear()
        found = [at for at in self._parts.values() if at is not None]
        if (answer := self._pool.next()) is not None:
            found.append(answer)
        if tx.wake:
            found.append(clock.instant(tx.wake))
        return max(now, min(found)) if found else now + DAY

    def _show(self, at: datetime) -> None:
        self.clock.at = max(at, self.clock.at)

    def _do(self) -> int:
        """All that is due now, until nothing is; in how many rounds."""
        for rounds in range(MOST_ROUNDS):
            self._pool.answer(self.clock())
            done = self._advancer.round() + self._dispatcher.round() + tidy(self.rt)
            if not (done + self._answer() + (settle_all(self.rt) if self.rt.restored else 0)):
                self._parts.clear()
                return rounds
        raise ConnectorError(f"something stays due for ever at {clock.text(self.clock())}")

    def _answer(self) -> int:
        """What texts wait for is told as it is known, where nothing tells how it was then."""
        tx = self.store.tx
        if tx.is_told or "refreshes" not in tx.touched:
            return 0
        with self.store.write() as open_:
            return answer(open_, self.rt, self.clock())


def _first_lapse(tx: Tx) -> datetime | None:
    """When the first number that an unclear reply holds is given up."""
    row = tx.one(FIRST_HELD)
    return clock.instant(row["at"]) + UNDECIDED if row and row["at"] else None
