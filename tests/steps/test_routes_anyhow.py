"""Whatever providers answer and however many wait: on a clock of its own, nothing goes too often,
too fast, too much in a day, too late, or from another sender than before."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.config.routes import Account
from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.messages import Accepted, Message
from connector.model import Subject
from connector.rules.policy import Policy
from connector.rules.policy.limits import Sender
from connector.rules.routing import Hop, Route
from connector.simulate.carrier import AtOnce
from connector.steps import dispatch
from connector.steps.dispatch import Dispatcher
from tests.steps.build import DAY, HOUR, NOW, ORDER, SECOND, WELCOME, Carrier, Shop

ANYHOW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
POOL: Final = tuple(f"+1800555010{number}" for number in range(5))
ANSWERS: Final = st.sampled_from(
    ("taken", "down", "configuration", "patience", "long patience", "refused", "silent", "lost")
)


@dataclass
class Moody(Carrier):
    """A provider that answers by its mood, and notes each call with what came of it."""

    moods: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, str]] = field(default_factory=list)  #: send, mood, from where

    def send(self, message: Message) -> Accepted:
        self.before(message)
        mood = self.moods.pop(0) if self.moods else "taken"
        self.calls.append((message.send_id, mood, message.sender))
        self.sent.append(message)
        failure = _failure(mood)
        if failure is not None:
            raise failure
        return Accepted(f"{self.name}-{message.send_id}-{len(self.calls)}", 1)


def _failure(mood: str) -> SendFailed | None:
    return {
        "down": Deferred("down"),
        "configuration": Deferred("no account", reason="configuration"),
        "patience": Deferred("slower", reason="rate_limited", retry_after=3),
        "long patience": Deferred("slower", reason="rate_limited", retry_after=90_000),
        "refused": Refused("no", reason="content"),
        "silent": Uncertain("no answer", reason="timeout"),  # and it was taken
        "lost": Uncertain("no answer", reason="timeout"),  # and it was not
    }.get(mood)


@contextmanager
def shop_of(*, policy: Policy | None = None, **changes: Any) -> Iterator[Shop]:
    """A shop whose calls are answered on the spot, so that only its clock makes time pass."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "shop"
        folder.mkdir()
        shop = Shop(folder, WELCOME, ORDER, policy=policy, **{"in_flight": 100, **changes})
        shop.dispatcher.close(0)
        shop.dispatcher = Dispatcher(shop.rt, pool=AtOnce())
        try:
            yield shop
        finally:
            shop.close()


def person(number: int) -> Subject:
    return Subject(user_id=f"user-{number}", phone=f"+1212555{number:04}")


def wants(shop: Shop, number: int, name: str = "signed_up", key: str = "") -> None:
    """Somebody did what a text follows."""
    who = person(number)
    for purpose in ("marketing", "service"):
        shop.consent(purpose, who.phone)
    shop.tell(name, who, key=key or f"{name}-{number}", facts={"order_id": "7"})


def drain(shop: Shop, most: timedelta = 3 * DAY) -> int:
    """Let time pass until nothing waits, from one due instant to the next; rounds that it took."""
    end, rounds = shop.clock() + most, 0
    shop.walk()
    while shop.clock() < end:
        if shop.dispatcher.round():
            rounds += 1
            continue
        shop.walk()
        due = dispatch.next_due(shop.rt, shop.clock())
        if due >= shop.clock() + DAY - SECOND and "planned" not in shop.states():
            return rounds
        shop.clock.at = max(due, shop.clock.at)
    return rounds


# -- failover ----------------------------------------------------------------------------------


@ANYHOW
@given(st.lists(ANSWERS, max_size=14), st.lists(ANSWERS, max_size=14), st.integers(1, 6))
def test_no_two_providers_ever_take_one_text(
    first: list[str], second: list[str], texts: int
) -> None:
    carriers = {"a": Moody("a", moods=first), "b": Moody("b", moods=second)}
    routes = (Route("both", (Hop("a"), Hop("b", POOL[:2]))),)
    with shop_of(providers=carriers, provider="a", routes=routes) as shop:
        for number in range(texts):
            wants(shop, number)
        drain(shop, DAY + HOUR)
        calls: dict[str, list[str]] = defaultdict(list)
        for row in shop.rows("SELECT * FROM attempts ORDER BY begun_at, attempt"):
            calls[row["send_id"]].append(row["result"])
        for results in calls.values():
            assert set(results[:-1]) <= {"deferred"}, results
        taken = Counter(
            send
            for carrier in carriers.values()
            for send, mood, _ in carrier.calls
            if mood in ("taken", "silent")
        )
        assert all(count == 1 for count in taken.values())
        made = sum(len(carrier.calls) for carrier in carriers.values())
        assert made == sum(map(len, calls.values()))
        for row in shop.sends():
            if row["state"] == "accepted":
                assert row["provider_id"].startswith(f"{row['provider']}-{row['id']}-")


# -- sticky senders ----------------------------------------------------------------------------

CHANGES: Final = st.lists(st.sampled_from((*POOL, "text", "text", "down")), max_size=24)


@ANYHOW
@given(CHANGES, st.sets(st.sampled_from(POOL), min_size=2, max_size=4))
def test_a_number_keeps_its_sender_as_long_as_that_is_in_the_pool(
    changes: list[str], begin: set[str]
) -> None:
    carriers = {"a": Moody("a"), "b": Moody("b")}
    with shop_of(providers=carriers, provider="a") as shop:
        pool = set(begin)
        known: dict[str, str] = {}
        for turn, change in enumerate(changes):
            if change in POOL:
                pool ^= {change} if len(pool ^ {change}) >= 2 else set()
                continue
            shop.rt.routes = (Route("pool", (Hop("a", tuple(sorted(pool))), Hop("b"))),)
            if change == "down":
                carriers["a"].moods.append("down")
            wants(shop, turn % 3, "order_completed", f"order-{turn}")
            seen = len(carriers["a"].sent)
            drain(shop, HOUR)
            for message in carriers["a"].sent[seen:]:
                before = known.get(message.to)
                assert message.sender in pool
                assert before is None or before not in pool or message.sender == before
                known[message.to] = message.sender


# -- the pace ----------------------------------------------------------------------------------

RATES: Final = st.sampled_from((0.5, 1.0, 2.0, 5.0, 20.0))
SIZES: Final = st.sampled_from((10, 200, 500))  #: letters, of one, two and four segments


def leaves(shop: Shop, carrier: Carrier) -> list[tuple[datetime, Message]]:
    """Notes when each text leaves."""
    found: list[tuple[datetime, Message]] = []
    carrier.before = lambda message: found.append((shop.clock(), message))
    return found


def segments(length: int) -> int:
    return 1 if length <= 160 else -(-length // 153)


@ANYHOW
@given(RATES, st.integers(1, 25), SIZES, st.lists(st.integers(0, 3_000), max_size=12))
def test_no_sender_is_ever_faster_than_it_may_nor_slower_than_it_could(
    rate: float, texts: int, length: int, later: list[int]
) -> None:
    policy = Policy("p1", senders=(Sender("*", rate),))
    words = {"welcome": "w" * length, "order": "o" * length}
    with shop_of(policy=policy, texts=words) as shop:
        left, size = leaves(shop, shop.carrier), segments(length)
        for number in range(texts):
            wants(shop, number)
        begun = shop.clock()
        for number, wait in enumerate(sorted(later)):
            due = begun + timedelta(milliseconds=wait)
            while dispatch.next_due(shop.rt, shop.clock()) < due and shop.clock() < due:
                shop.walk()
                if not shop.dispatcher.round():
                    upcoming = dispatch.next_due(shop.rt, shop.clock())
                    shop.clock.at = min(due, max(upcoming, shop.clock.at))
            shop.clock.at = max(due, shop.clock.at)
            wants(shop, number, "order_completed")
        drain(shop)
        total = texts + len(later)
        assert shop.states() == ["accepted"] * total
        times = [at for at, _ in left]
        for place, at in enumerate(times):
            within = sum(size for other in times[place:] if other < at + SECOND)
            assert within <= 2 * rate + size + 1e-6, (rate, size, within)
        took = (times[-1] - begun).total_seconds()
        allowed = max((total * size) / rate, max(later, default=0) / 1_000) + size / rate + 1
        assert took <= allowed + max(later, default=0) / 1_000, (took, allowed)


@pytest.mark.parametrize(("sender", "account"), [(1.0, 5.0), (5.0, 1.0)])
def test_the_slower_of_sender_and_account_decides(sender: float, account: float) -> None:
    policy = Policy("p1", senders=(Sender("*", sender),))
    with shop_of(policy=policy, accounts={"carrier": Account(100, account)}) as shop:
        left = leaves(shop, shop.carrier)
        for number in range(8):
            wants(shop, number)
        drain(shop, HOUR)
        assert 6 * SECOND <= left[-1][0] - left[0][0] <= 8 * SECOND


def test_a_long_queue_is_asked_about_a_few_times_for_each_text_that_leaves() -> None:
    policy = Policy("p1", senders=(Sender("*", 20),))
    with shop_of(policy=policy) as shop:
        for number in range(400):
            wants(shop, number)
        shop.walk()
        asked = counted(shop)
        for number in range(40):  # those go before, and every place behind them moves
            wants(shop, number, "order_completed")
        drain(shop, HOUR)
        assert shop.states() == ["accepted"] * 440
        assert asked["rows"] <= 4 * 440, asked


def counted(shop: Shop) -> Counter[str]:
    """Counts the due texts that the dispatcher looks at."""
    asked: Counter[str] = Counter()
    hold = shop.dispatcher._pace.held

    def held(*given: Any) -> bool:
        asked["rows"] += 1
        return hold(*given)

    shop.dispatcher._pace.held = held  # type: ignore[method-assign,assignment]
    return asked


def test_texts_that_turn_out_not_to_go_leave_their_place_to_those_behind() -> None:
    policy = Policy("p1", senders=(Sender("*", 1),))
    with shop_of(policy=policy) as shop:
        for number in range(40):
            wants(shop, number)
        shop.walk()
        for number in range(40):
            if number % 4:
                shop.revoke("marketing", f"+1212555{number:04}")
        left, begun = leaves(shop, shop.carrier), shop.clock()
        drain(shop, HOUR)
        assert len(left) == 10
        assert left[-1][0] - begun <= 12 * SECOND


def test_a_changed_limit_counts_at_once_for_those_who_stand_in_line() -> None:
    with shop_of(policy=Policy("p1", senders=(Sender("*", 0.1),))) as shop:
        for number in range(30):
            wants(shop, number)
        shop.walk()
        shop.dispatcher.round()
        faster = replace(shop.rt.book.policy, senders=(Sender("*", 10),))
        shop.rt.book = replace(shop.rt.book, policy=faster)
        left, begun = leaves(shop, shop.carrier), shop.clock()
        drain(shop, HOUR)
        assert left[-1][0] - begun <= 5 * SECOND


@ANYHOW
@given(st.integers(1, 12), st.integers(1, 12), RATES)
def test_service_goes_before_marketing_however_long_the_queue(
    marketing: int, service: int, rate: float
) -> None:
    policy = Policy("p1", senders=(Sender("*", rate),))
    with shop_of(policy=policy) as shop:
        left = leaves(shop, shop.carrier)
        for number in range(marketing):
            wants(shop, number)
        shop.walk()
        shop.dispatcher.round()
        begun = len(left)  # what its sender had saved up
        for number in range(service):
            wants(shop, number, "order_completed")
        drain(shop, HOUR)
        purposes = [message.purpose for _, message in left[begun:]]
        assert purposes == sorted(purposes, key=lambda purpose: purpose == "marketing")


@ANYHOW
@given(st.integers(1, 40), RATES, st.integers(1, 30))
def test_a_text_that_is_not_reached_in_time_never_leaves(
    texts: int, rate: float, lives: int
) -> None:
    step = replace(WELCOME.steps[0], expires=lives * SECOND)
    policy = Policy("p1", senders=(Sender("*", rate),), window_margin=timedelta(0))
    with shop_of(policy=policy) as shop:
        shop.rt.plays = {"welcome": replace(WELCOME, steps=(step,))}
        shop.rt.index()
        left = leaves(shop, shop.carrier)
        for number in range(texts):
            wants(shop, number)
        begun = shop.clock()
        drain(shop, HOUR)
        assert all(at < begun + lives * SECOND for at, _ in left)
        assert set(shop.states()) <= {"accepted", "expired"}
        assert shop.states().count("accepted") == len(left)
        assert len(left) >= min(texts, int(rate * (lives - 1)))
        assert {row["state"] for row in shop.enrolments()} <= {"done", "ended"}


# -- the carriers' day -------------------------------------------------------------------------

LA: Final = "America/Los_Angeles"
BEGINS: Final = st.sampled_from(
    (
        NOW,
        datetime(2026, 11, 1, 5, 0, tzinfo=UTC),  # two hours before the day of 25 hours
        datetime(2026, 3, 8, 6, 30, tzinfo=UTC),  # and before the day of 23
        datetime(2026, 12, 31, 7, 59, tzinfo=UTC),
    )
)


@ANYHOW
@given(BEGINS, st.integers(1, 8), st.sampled_from((0.0, 0.25, 0.5)), st.integers(1, 20))
def test_no_carriers_day_is_ever_passed_and_its_last_share_is_for_service(
    begins: datetime, most: int, reserve: float, texts: int
) -> None:
    sender = Sender("*", day_segments=most, reserve=reserve, zone=LA)
    with shop_of(policy=Policy("p1", senders=(sender,))) as shop:
        shop.clock.at = begins
        left = leaves(shop, shop.carrier)
        for turn in range(3):
            for number in range(texts):
                wants(shop, number + 100 * turn)
                if number % 3 == 0:
                    wants(shop, number + 100 * turn, "order_completed")
            until(shop, begins + (turn + 1) * 9 * HOUR)
        drain(shop, 2 * DAY)
        for_marketing = most - round(most * reserve)
        for day in _days(left):
            assert len(day) <= most
            for before, message in enumerate(day):
                assert message.purpose != "marketing" or before < for_marketing


def until(shop: Shop, at: datetime) -> None:
    """Let time come to an instant."""
    while shop.clock() < at:
        shop.walk()
        if not shop.dispatcher.round():
            shop.clock.at = min(at, max(dispatch.next_due(shop.rt, shop.clock()), shop.clock.at))


def _days(left: Sequence[tuple[datetime, Message]]) -> list[list[Message]]:
    days: dict[Any, list[Message]] = defaultdict(list)
    for at, message in left:
        days[at.astimezone(ZoneInfo(LA)).date()].append(message)
    return list(days.values())
