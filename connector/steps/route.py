"""The way of a text: by which provider and from which sender it goes, and which rest just now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.errors import Deferred, SendFailed, Uncertain
from connector.ledger import alarms, attempts, sticky
from connector.ledger.store import Row, Tx
from connector.messages import channel_of
from connector.model import Cause, Purpose
from connector.rules import health, routing
from connector.rules.health import WELL, Health
from connector.rules.routing import PROVIDERS_OWN, Hop, Try, Way
from connector.steps.alarm import alarm
from connector.steps.limits import country_of
from connector.steps.setup import Setup

log = logging.getLogger("connector")

LAST_REPLY: Final = """SELECT provider, sender FROM replies WHERE phone = :phone
    ORDER BY occurred_at DESC LIMIT 1"""
RESTS: Final = "provider_rests"  #: the alarm while a provider is left alone, and why a text waits
TRY_AGAIN: Final = timedelta(seconds=5)  #: before a provider that is being tried is asked of again
Choose = Callable[[str], Way]
"""The way of one text, by the number that it goes to."""


class Ways:
    """Chooses the way of each text, and remembers which providers fail.

    In memory: after a start, every provider is tried. Where no route is configured everything goes
    by the provider in use, and nothing is read, counted or remembered.
    """

    def __init__(self, rt: Setup) -> None:
        self._rt = rt
        self._health: dict[str, Health] = {}
        self._patience: dict[str, datetime] = {}  #: provider → until when it asked us to wait
        self._is_fresh = True

    def of(self, tx: Tx, row: Row, phone: str, now: datetime) -> Way:
        """By whom a planned text goes to a number now."""
        rt = self._rt
        if not rt.routes:
            is_its_own = row["provider"] in ("", rt.provider)
            return Way(rt.provider, str(row["sender"] if is_its_own else "") or rt.sender)
        country, purpose = country_of(phone), str(row["purpose"])
        offered = routing.hops(rt.routes, country, purpose, Hop(rt.provider), only=rt.only_routes)
        if not offered:
            return Way("", why=none_for(country, purpose))
        tries = _tries(tx, row) if int(row["attempt"]) else ()
        bound = next((each for each in tries if _binds(each)), None)
        if bound is not None:  # whatever the routes say by now
            offered = (Hop(bound.provider, (bound.sender,) if bound.sender else ()),)
        provider, own = ("", "") if tries else _written_to(tx, rt, row, phone)
        if provider and self._may_try(provider, row, now):
            has_more = any(hop.provider != provider for hop in offered)
            return Way(provider, own, why="they wrote to this sender", has_more=has_more)
        return self._choose(tx, row, phone, offered, tries, now)

    def _choose(
        self,
        tx: Tx,
        row: Row,
        phone: str,
        offered: tuple[Hop, ...],
        tries: tuple[Try, ...],
        now: datetime,
    ) -> Way:
        rt = self._rt
        route = routing.route_of(rt.routes, country_of(phone), str(row["purpose"]))
        name = route.name if route is not None else ""
        chosen = routing.choose(
            offered, tries, lambda provider: not self._may_try(provider, row, now)
        )
        if chosen is None:
            return Way(offered[0].provider, route=name, why=RESTS, until=self._wakes(offered, now))
        place, has_more = chosen
        hop = offered[place]
        return Way(
            hop.provider,
            sender_at(tx, hop, phone),
            route=name,
            why=_why(offered, place, tries),
            has_more=has_more,
            is_pooled=len(hop.senders) > 1,
        )

    def leave_alone(self, provider: str, until: datetime) -> None:
        """As if a provider had failed: for telling what would become of texts."""
        self._health[provider] = Health(health.FAILURES, 1, until)

    # -- how providers answer ------------------------------------------------------------------

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What a round learns, unless its transaction fails: then nothing of it has happened."""
        before = dict(self._health), dict(self._patience), self._is_fresh
        try:
            yield
        except BaseException:
            self._health, self._patience, self._is_fresh = before
            raise

    def begin(self, tx: Tx, now: datetime) -> None:
        """At a start: what was told of providers that rested before is over."""
        if self._is_fresh and self._rt.routes:
            for provider in self._rt.carriers:
                alarms.clear(tx, RESTS, provider, now)
        self._is_fresh = False

    def took(self, way: Way) -> None:
        """A text is about to be handed over."""
        if (known := self._health.get(way.provider)) is not None:
            self._health[way.provider] = health.tried(known)

    def answered(self, tx: Tx, provider: str, result: object, now: datetime) -> None:
        """What a provider said to one text tells how it is itself."""
        if not self._rt.routes:
            return
        before = self._health.get(provider, WELL)
        if not isinstance(result, SendFailed):
            self._well(tx, provider, before, now)
        elif isinstance(result, Deferred) and result.reason == "rate_limited":
            self._asked_for_patience(provider, result, now)
            self._health[provider] = health.spared(before)
        elif isinstance(result, Deferred | Uncertain) and result.reason in PROVIDERS_OWN:
            self._failed(tx, provider, before, result, now)
        else:
            self._well(tx, provider, before, now)

    def spared(self, provider: str) -> None:
        """A text that was about to be handed over was given back."""
        if (known := self._health.get(provider)) is not None:
            self._health[provider] = health.spared(known)

    def _well(self, tx: Tx, provider: str, before: Health, now: datetime) -> None:
        if before is WELL:
            return
        self._health[provider] = WELL
        if before.until is not None:
            alarms.clear(tx, RESTS, provider, now)
            log.warning("act=route provider=%s result=answers_again", provider)

    def _failed(
        self, tx: Tx, provider: str, before: Health, result: SendFailed, now: datetime
    ) -> None:
        after = self._health[provider] = health.failed(before, now)
        if after.until is None or after.until == before.until:
            return
        says = (
            f"{provider} failed {after.failed} times in a row ({result.reason}); it is left alone "
            f"until {after.until:%H:%M:%S} UTC and then tried with one text. Texts go by the next "
            "hop of their route, or wait. See `connector capacity`, and how the provider is."
        )
        alarm(tx, self._rt, RESTS, says, now, about=provider)

    def _asked_for_patience(self, provider: str, result: Deferred, now: datetime) -> None:
        if result.retry_after:
            until = now + timedelta(seconds=result.retry_after)
            self._patience[provider] = max(self._patience.get(provider, now), until)

    def _may_try(self, provider: str, row: Row, now: datetime) -> bool:
        """Whether a text may be handed to a provider, or soon enough for it to be of use."""
        if provider not in self._rt.providers:
            return False
        known = self._health.get(provider)
        if known is not None and not health.may_try(known, now):
            return False
        patience = self._patience.get(provider)
        return patience is None or patience < clock.instant(row["expires_at"])

    def _wakes(self, offered: tuple[Hop, ...], now: datetime) -> datetime:
        """When the first of those that rest is tried again."""
        found = [
            known.until
            for hop in offered
            if (known := self._health.get(hop.provider)) is not None and known.until is not None
        ]
        return max(min(found, default=now), now + TRY_AGAIN)


def sender_at(tx: Tx, hop: Hop, phone: str) -> str:
    """From which sender of a hop a number is written to: the one it knows, else its own share."""
    if len(hop.senders) < 2:
        return hop.senders[0] if hop.senders else ""
    known = sticky.of(tx, phone, hop.provider, channel_of(hop.senders[0]))
    return known if known in hop.senders else routing.spread(hop.senders, phone)


def expected(tx: Tx, rt: Setup, phone: str, purpose: Purpose) -> str:
    """From which sender a text would go to a number if all were well."""
    offered = routing.hops(rt.routes, country_of(phone), purpose.value, Hop(rt.provider))
    return sender_at(tx, offered[0], phone)


def closed(rt: Setup, phone: str, purpose: Purpose) -> str:
    """Why nobody takes such a text; "" where somebody does."""
    if not (rt.only_routes and rt.routes):
        return ""
    country = country_of(phone)
    taken = routing.route_of(rt.routes, country, purpose.value)
    return "" if taken is not None else none_for(country, purpose.value)


def none_for(country: str, purpose: str) -> str:
    """In words that no route takes a text."""
    return f"No route takes {purpose} texts to {country or 'a number of no country'}."


def wrote_to(tx: Tx, rt: Setup, phone: str, provider: str, ours: str, at: datetime) -> None:
    """A person wrote to one of our senders: from now on they are texted from it, where offered."""
    if rt.routes and ours in routing.senders_of(rt.routes, provider):
        sticky.keep(tx, phone, provider, channel_of(ours), ours, at)


def _written_to(tx: Tx, rt: Setup, row: Row, phone: str) -> tuple[str, str]:
    """(provider, sender) that an answer goes from: where the person wrote to. "" where it is no
    answer, or that sender is none of those that routes name."""
    is_answer = row["cause"] == Cause.system or (row["cause"] == Cause.hand and not row["template"])
    reply = tx.one(LAST_REPLY, phone=phone) if is_answer else None
    provider, sender = (str(reply["provider"]), str(reply["sender"])) if reply else ("", "")
    is_ours = sender in routing.senders_of(rt.routes, provider)
    return (provider, sender) if is_ours else ("", "")


def _tries(tx: Tx, row: Row) -> tuple[Try, ...]:
    return tuple(
        Try(str(each["provider"]), str(each["sender"]), str(each["result"]), str(each["reason"]))
        for each in attempts.of(tx, str(row["id"]))
    )


def _binds(made: Try) -> bool:
    """Whether the fate of a try was in doubt: the text stays with its provider and its sender."""
    return made.result not in (routing.DEFERRED, routing.GIVEN_BACK)


def _why(offered: tuple[Hop, ...], place: int, tries: tuple[Try, ...]) -> str:
    """Why it is not the first hop; "" where it is."""
    if place == 0:
        return ""
    failed = [each for each in tries if each.result == routing.DEFERRED]
    if failed:
        return f"{failed[-1].provider} did not take it ({failed[-1].reason})"
    return f"{offered[0].provider} is left alone just now"
