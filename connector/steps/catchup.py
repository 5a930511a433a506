"""Catching up: each provider that lists replies is asked for those that we may have missed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.errors import SendFailed
from connector.ledger import cursors, pauses
from connector.ledger.store import Row, Tx, is_storage, savepoint
from connector.messages import Reply
from connector.providers import Ability, Provider
from connector.steps import hearing, outcome
from connector.steps.advance import INBOX
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

log = logging.getLogger("connector")

EVERY: Final = timedelta(minutes=15)
OFTEN: Final = timedelta(minutes=3)  #: while the web is away, so that no gap comes about
AGAIN: Final = timedelta(minutes=1)  #: after a provider that could not list them
MARGIN: Final = timedelta(minutes=10)  #: by a provider's clock beside ours, and its list being late
LASTING: Final = timedelta(minutes=5)  #: a hold that stands for so long raises an alarm
SLICE: Final = 50  #: replies taken in one transaction
KNOWN = "SELECT 1 AS yes FROM replies WHERE provider = :provider AND provider_id = :id"


class CatchUp:
    """Asks at start and every quarter of an hour, and after every gap until all have answered.

    The asking is outside any transaction, in a thread of its own. What is listed goes through the
    same door as callbacks, which knows each reply again. ``wall`` is the machine's clock.
    """

    def __init__(
        self,
        rt: Setup,
        heard: Callable[[], None] = lambda: None,
        wall: Callable[[], datetime] = clock.now,
    ) -> None:
        self._rt, self._wall = rt, wall
        self._heard = heard  #: called when marketing may go on, or a reply was heard
        self._asked_at: dict[str, datetime] = {}  #: when each listed all, by ``wall``
        self._trouble: dict[str, tuple[datetime, str]] = {}  #: when one could not, and why
        self._noted_at: datetime | None = None

    def begin(self) -> None:
        """Before anything leaves: a gap since the last life, or one of the web's, is a hold."""
        self._note(self._wall())

    def round(self) -> int:
        """Note that we live, and ask whom it is time to ask; how many new replies were heard."""
        wall = self._wall()
        if self._noted_at is None or wall - self._noted_at >= self._note_every:
            self._note(wall)
        held, alone = self._stands(wall)
        found = sum(
            self._ask(name, provider)
            for name, provider in self._listing.items()
            if self._is_due(name, wall, held, OFTEN if alone else EVERY)
        )
        if held is not None:
            self._end(held)
        if found:
            self._heard()
        return found

    @property
    def _note_every(self) -> timedelta:
        return timedelta(seconds=hearing.NOTE_EVERY)

    @property
    def _listing(self) -> dict[str, Provider]:
        """The providers that list replies."""
        return {
            name: provider
            for name, provider in self._rt.providers.items()
            if Ability.lists_replies in provider.does
        }

    def _note(self, wall: datetime) -> None:
        """Note that the worker lives; a web that is away is a gap as long as nobody is asked."""
        with self._rt.store.write() as tx:
            now = self._rt.clock()
            hearing.note(tx, self._rt, hearing.WORKER, wall, now)
            web = hearing.alive(tx, hearing.WEB)
            if web is not None and wall - max(web, self._caught_up(tx, web, wall)) > hearing.GAP:
                hearing.hold(tx, self._rt, "the web is away", now)
        self._noted_at = wall

    def _caught_up(self, tx: Tx, never: datetime, wall: datetime) -> datetime:
        """Since when nothing can have been missed that anybody could tell of."""
        asked = [self._asked_at.get(name, never) for name in self._in_use(tx)]
        return min(asked, default=wall)

    def _in_use(self, tx: Tx) -> dict[str, str]:
        """The providers in use that list replies, and when each last did ("" for never).

        One that is only configured and never listed anything is not in use.
        """
        seen = {name: cursors.get(tx, _cursor(name)) for name in self._listing}
        return {name: at for name, at in seen.items() if at or name in self._rt.carriers}

    def _stands(self, wall: datetime) -> tuple[Row | None, bool]:
        """The hold, where there is one, and whether the worker is alone, without a web."""
        with self._rt.store.read() as tx:
            web = hearing.alive(tx, hearing.WEB)
            held = pauses.all_(tx).get(pauses.UNHEARD)
        return held, web is not None and wall - web >= OFTEN

    def _is_due(self, name: str, wall: datetime, held: Row | None, every: timedelta) -> bool:
        if name in self._trouble:
            return wall >= self._trouble[name][0] + AGAIN
        if name not in self._asked_at or wall >= self._asked_at[name] + every:
            return True
        return held is not None and not self._is_asked(name, held)

    def _is_asked(self, name: str, held: Row) -> bool:
        """Whether a provider has listed its replies since the hold began."""
        with self._rt.store.read() as tx:
            return cursors.get(tx, _cursor(name)) >= str(held["since"])

    def _ask(self, name: str, provider: Provider) -> int:
        """Ask one provider, and take what is new; a failure is tried again in a minute."""
        began, wall = self._rt.clock(), self._wall()
        try:
            replies = list(provider.inbound(self._since(name, began)))
        except Exception as error:  # a door: whatever it answered, it has not told all
            says = str(error) if isinstance(error, SendFailed) else type(error).__name__
            log.warning("act=catchup provider=%s result=failed %s", name, says)
            self._trouble[name] = (wall, says)
            return 0
        fresh, failed = self._take(replies)
        if fresh:
            log.info("act=catchup provider=%s result=heard replies=%d", name, fresh)
        if failed:
            self._trouble[name] = (wall, f"{failed} of its replies could not be taken, see the log")
            return fresh
        with self._rt.store.write() as tx:
            cursors.set_(tx, _cursor(name), clock.text(began))
        self._trouble.pop(name, None)
        self._asked_at[name] = wall
        return fresh

    def _since(self, name: str, now: datetime) -> datetime:
        with self._rt.store.read() as tx:
            seen = cursors.get(tx, _cursor(name))
        return (clock.instant(seen) if seen else now) - MARGIN

    def _take(self, replies: Sequence[Reply]) -> tuple[int, int]:
        """Take the replies that are not known, oldest first: how many were, and were not, taken."""
        with self._rt.store.read() as tx:
            fresh = [each for each in replies if not _is_known(tx, each)]
        taken = 0
        for begin in range(0, len(fresh), SLICE):
            with self._rt.store.write() as tx:
                taken += sum(self._hear(tx, told) for told in fresh[begin : begin + SLICE])
        return taken, len(fresh) - taken

    def _hear(self, tx: Tx, told: Reply) -> bool:
        """Hear one reply; one that cannot be heard keeps no other from it."""
        try:
            with savepoint(tx):
                outcome.reply(tx, self._rt, told, self._rt.clock())
        except Exception as error:  # a door: it may be a STOP, so its provider has not told all
            if is_storage(error):
                raise
            log.exception("act=catchup provider=%s result=failed", told.provider)
            return False
        return True

    def _end(self, held: Row) -> None:
        """End the hold once all were asked since it began and the inbox has been heard."""
        if self._missing(held) or not self._inbox_is_heard(held):
            self._warn(held)
            return
        with self._rt.store.write() as tx:
            hearing.let_go(tx, self._rt, self._rt.clock())
        log.info("act=catchup result=caught_up")
        self._heard()

    def _missing(self, held: Row) -> list[str]:
        """Providers in use that have not listed their replies since the hold began."""
        with self._rt.store.read() as tx:
            return [name for name, at in self._in_use(tx).items() if at < str(held["since"])]

    def _inbox_is_heard(self, held: Row) -> bool:
        """Whether all that had come in before the hold was moved into the ledger."""
        with self._rt.store.read() as tx:
            moved = int(cursors.get(tx, INBOX, "0"))
        waiting = self._rt.inbox.after(moved, 1)
        return not waiting or waiting[0].received_at > clock.instant(held["since"])

    def _warn(self, held: Row) -> None:
        now = self._rt.clock()
        if now - clock.instant(held["since"]) < LASTING:
            return
        why = {name: says for name, (_, says) in self._trouble.items()}
        missing = ", ".join(f"{name} ({why.get(name, '-')})" for name in self._missing(held))
        says = f"{held['why']} No marketing leaves until they are listed: {missing or 'the inbox'}."
        with self._rt.store.write() as tx:
            alarm(tx, self._rt, hearing.KIND, says, now)


def _is_known(tx: Tx, told: Reply) -> bool:
    return tx.one(KNOWN, provider=told.provider, id=told.provider_id) is not None


def _cursor(name: str) -> str:
    return f"inbound:{name}"
