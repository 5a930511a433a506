"""Capacity: what each sender may still send, what waits for it, and when that will have left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import alarms, queue, spending
from connector.ledger.store import Row, Tx
from connector.model import Json, Purpose
from connector.rules import health
from connector.rules.capacity import Limits, Waiting, forecast, mean
from connector.rules.policy import pots
from connector.rules.policy.limits import Sender, sender_of
from connector.rules.routing import Way
from connector.steps.limits import country_of
from connector.steps.route import RESTS, Ways
from connector.steps.setup import Setup
from connector.text import count

MANY_ALARMS: Final = 500
NONE: Final = Sender("")  #: no limit at all
Key = tuple[str, str]  #: provider and sender


@dataclass(slots=True)
class Lane:
    """One sender of one provider, with what waits for it."""

    provider: str
    sender: str
    waiting: list[Waiting] = field(default_factory=list)
    share: float = 1.0  #: of what the account may send, by what waits at its other senders

    @property
    def segments(self) -> int:
        """Of all that waits."""
        return _segments(self.waiting)


def capacity(tx: Tx, rt: Setup, now: datetime) -> list[dict[str, Json]]:
    """Each sender that has limits, leaves or is waited for: from the ledger alone.

    What rests is told by its alarm, since the worker remembers it in memory.
    """
    ways, resting = Ways(rt), _resting(tx, rt)
    for provider, until in resting.items():
        ways.leave_alone(provider, until)
    lanes, leaving = _lanes(rt), queue.leaving(tx)
    for key in leaving:
        lanes.setdefault(key, Lane(*key))
    sizes = queue.sizes(tx)
    for row in queue.waiting(tx, now):
        if rt.may_leave(str(row["mode"])):
            _join(tx, rt, ways, lanes, row, sizes, now)
    in_all = Counter[str]()
    for (provider, _), calls in leaving.items():
        in_all[provider] += calls
    _share(lanes.values())
    return [
        _told(tx, rt, lane, leaving.get(key, 0), in_all, resting, now)
        for key, lane in sorted(lanes.items())
    ]


def _resting(tx: Tx, rt: Setup) -> dict[str, datetime]:
    """Provider → until when it is left alone, of those that are."""
    return {
        str(row["about"]): clock.instant(row["last_at"]) + health.rest(int(row["count"]))
        for row in alarms.open_(tx, MANY_ALARMS)
        if row["kind"] == RESTS and row["about"] in rt.carriers
    }


def _lanes(rt: Setup) -> dict[Key, Lane]:
    """Every sender that the configuration names."""
    hops = [hop for route in rt.routes for hop in route.hops]
    keys = {(hop.provider, sender) for hop in hops for sender in hop.senders or ("",)}
    if not rt.routes:
        keys.add((rt.provider, rt.sender))
    return {key: Lane(*key) for key in keys}


def _join(
    tx: Tx,
    rt: Setup,
    ways: Ways,
    lanes: dict[Key, Lane],
    row: Row,
    sizes: dict[str, list[int]],
    now: datetime,
) -> None:
    way: Way = ways.of(tx, row, str(row["phone"]), now)
    if not way.provider:
        return  # no route takes it: it will be stopped
    lane = lanes.setdefault((way.provider, way.sender), Lane(way.provider, way.sender))
    limits = sender_of(rt.book.policy.senders, way.sender)
    counts = limits is not None and country_of(str(row["phone"])) in limits.countries
    lane.waiting.append(
        Waiting(
            str(row["purpose"]),
            count(row["text"]).segments if row["text"] else mean(sizes.get(row["template"], ())),
            clock.instant(row["expires_at"]),
            counts,
            int(row["priority"]),
        )
    )


def _share(lanes: Collection[Lane]) -> None:
    """Senders of one account share what it may send: all of it in all, by what waits at each."""
    waits = Counter[str]()
    for lane in lanes:
        waits[lane.provider] += lane.segments
    for lane in lanes:
        if lane.waiting:
            lane.share = lane.segments / waits[lane.provider]


def _told(
    tx: Tx,
    rt: Setup,
    lane: Lane,
    leaving: int,
    in_all: Counter[str],
    resting: dict[str, datetime],
    now: datetime,
) -> dict[str, Json]:
    limits = sender_of(rt.book.policy.senders, lane.sender) or NONE
    account = rt.accounts.get(lane.provider)
    of_all = account.per_second if account is not None else 0.0
    rates = [rate for rate in (limits.per_second, of_all * lane.share) if rate]
    used, rests_until = _used(tx, limits, now), resting.get(lane.provider)
    told = forecast(lane.waiting, Limits(min(rates, default=0), limits, used, rests_until), now)
    marketing = [each for each in lane.waiting if each.purpose == Purpose.marketing]
    service = [each for each in lane.waiting if each.purpose != Purpose.marketing]
    return {
        "provider": lane.provider,
        "sender": lane.sender,
        "segments_a_second": limits.per_second or None,
        "account_segments_a_second": of_all or None,
        "day_segments": limits.day_segments or None,
        "left_today": max(0, limits.day_segments - used) if limits.day_segments else None,
        "leaving": leaving,
        "in_flight": in_all[lane.provider],
        "in_flight_limit": rt.room_at(lane.provider),
        "service_texts": len(service),
        "service_segments": _segments(service),
        "marketing_texts": len(marketing),
        "marketing_segments": _segments(marketing),
        "empty_at": told.empty_at if lane.waiting else now,
        "expiring": told.expiring,
        "rests_until": rests_until,
    }


def _used(tx: Tx, sender: Sender, now: datetime) -> int:
    """Segments of the carriers' day so far."""
    if not sender.day_segments:
        return 0
    [pot] = pots.names(None, sender, sender.countries[0], sender.zone, now)
    return spending.read(tx, pot.name)[0]


def _segments(texts: Sequence[Waiting]) -> int:
    return sum(each.segments for each in texts)
