"""While the machine's clock is wrong marketing waits, service goes on, and people are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector import dates
from connector.ledger import alarms, pauses
from connector.steps.clockguard import ClockGuard
from tests.steps.build import HOUR, MINUTE, ORDER, PHONE, WELCOME, Shop
from tests.steps.way import OpenShop

HOST = "https://api.provider.example"
NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


class Machine:
    """A machine whose wall clock may be set, and what others' clocks say of it."""

    def __init__(self) -> None:
        self.went = 1_000.0
        self.set_by = 0.0
        self.heard: list[tuple[float, float]] = []
        self.asked: list[str] = []

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.went + self.set_by)

    def monotonic(self) -> float:
        return self.went

    def answers(self, ahead: float, times: int = 3) -> None:
        """Responses come whose date our clock is ahead of."""
        self.heard += [(self.went, ahead)] * times

    def guard(self, shop: Shop) -> ClockGuard:
        return ClockGuard(
            shop.rt,
            heard=lambda: {HOST: self.heard[-5:]},
            wall=self.wall,
            monotonic=self.monotonic,
            ask=self.asked.append,
        )


def go(guard: ClockGuard, machine: Machine, seconds: float, ahead: float | None = None) -> None:
    """Look every five seconds for so long."""
    until = machine.went + seconds
    while machine.went < until:
        machine.went += 5
        if ahead is not None:
            machine.answers(ahead, 1)
        guard.round()


def kinds(shop: Shop) -> list[str]:
    with shop.store.read() as tx:
        return [str(row["kind"]) for row in alarms.open_(tx)]


def reasons(shop: Shop) -> list[str]:
    """Why texts wait."""
    return [row["reason"] for row in shop.rows("SELECT reason FROM decisions WHERE verdict='wait'")]


@pytest.fixture
def machine() -> Machine:
    return Machine()


def both(shop: Shop) -> None:
    """Ann signs up and orders: a marketing text and a service text are wanted."""
    shop.consent()
    shop.consent("service")
    shop.tell("signed_up")
    shop.tell("order_completed", facts={"order_id": "7"})


def test_marketing_waits_while_the_clock_is_off_and_service_goes_on(
    open_shop: OpenShop, machine: Machine
) -> None:
    shop = open_shop(WELCOME, ORDER)
    guard = machine.guard(shop)
    machine.answers(61.0)
    guard.round()
    both(shop)
    assert shop.go() == 1
    assert {row["play"]: row["state"] for row in shop.sends()} == {
        "order": "accepted",
        "welcome": "planned",
    }
    assert kinds(shop) == ["clock_off"]
    [row] = shop.rows("SELECT objections FROM decisions WHERE reason = 'clock_off'")
    assert "61 seconds ahead of" in row["objections"]


def test_it_clears_itself_after_five_good_minutes(open_shop: OpenShop, machine: Machine) -> None:
    shop = open_shop(WELCOME)
    guard = machine.guard(shop)
    machine.answers(90.0)
    guard.round()
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 0
    go(guard, machine, 290, ahead=0.4)
    assert kinds(shop) == ["clock_off"]
    go(guard, machine, 25, ahead=0.4)
    assert kinds(shop) == []
    assert shop.go(16 * MINUTE) == 1
    acts = shop.rows("SELECT act, about, who FROM acts ORDER BY id")
    assert [(act["act"], act["about"], act["who"]) for act in acts] == [
        ("pause", "play:@clock", "connector"),
        ("resume", "play:@clock", "connector"),
    ]


@pytest.mark.parametrize("seconds", [-10.0, -3600.0, 90.0, 86_400.0])
def test_a_clock_that_jumps_against_the_monotonic_one_holds_marketing(
    open_shop: OpenShop, machine: Machine, seconds: float
) -> None:
    shop = open_shop(WELCOME)
    guard = machine.guard(shop)
    machine.answers(0.3)
    assert guard.round() == 0
    machine.set_by, machine.went = seconds, machine.went + 5
    assert guard.round() == pytest.approx(seconds)
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 0
    assert reasons(shop) == ["clock_off"]
    go(guard, machine, 305)
    assert kinds(shop) == []


def test_what_was_heard_before_a_jump_says_nothing_of_the_clock_after_it(
    shop: Shop, machine: Machine
) -> None:
    guard = machine.guard(shop)
    machine.answers(3600.0)
    guard.round()
    assert kinds(shop) == ["clock_off"]
    machine.set_by, machine.went = -3600.0, machine.went + 5  # somebody set it right
    guard.round()
    go(guard, machine, 305)
    assert kinds(shop) == []


def test_a_slow_clock_that_is_slewed_holds_nothing(shop: Shop, machine: Machine) -> None:
    guard = machine.guard(shop)
    for _ in range(200):
        machine.went += 5
        machine.set_by -= 0.5
        assert guard.round() == 0
    assert kinds(shop) == []


def test_while_it_is_off_other_clocks_are_asked_each_minute(shop: Shop, machine: Machine) -> None:
    guard = machine.guard(shop)
    machine.answers(0.1)
    go(guard, machine, 300)
    assert machine.asked == []
    machine.answers(90.0)
    go(guard, machine, 300, ahead=90.0)
    assert machine.asked == [HOST] * 5


def test_a_worker_that_starts_anew_goes_on_where_the_other_was(
    open_shop: OpenShop, machine: Machine
) -> None:
    shop = open_shop(WELCOME)
    machine.guard(shop)._write()
    machine.answers(90.0)
    machine.guard(shop).round()
    machine.heard.clear()
    again = machine.guard(shop)
    go(again, machine, 290)
    with shop.store.read() as tx:
        assert pauses.against(tx, "welcome")[1] is not None
    go(again, machine, 15)
    with shop.store.read() as tx:
        assert pauses.against(tx, "welcome")[1] is None


def test_lifting_the_kill_switch_does_not_set_a_clock_right(
    open_shop: OpenShop, machine: Machine
) -> None:
    shop = open_shop(WELCOME)
    machine.answers(90.0)
    machine.guard(shop).round()
    with shop.store.write() as tx:
        pauses.set_(tx, "*", "hold", who="bea", why="", at=shop.clock())
        pauses.lift(tx, "*")
    shop.consent()
    shop.tell("signed_up")
    assert shop.go(HOUR) == 0
    assert reasons(shop) == ["clock_off"]


# -- what responses tell -----------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Any:
    dates.forget()
    monkeypatch.setattr("connector.clock.now", lambda: NOON)
    yield dates.heard
    dates.forget()


def test_the_date_of_a_response_tells_how_far_our_clock_is_ahead(heard: Any) -> None:
    dates.note(f"{HOST}/Messages.json?To={PHONE}", {"Date": "Tue, 17 Nov 2026 11:58:30 GMT"})
    [(host, [(_, ahead)])] = heard().items()
    assert (host, ahead) == (HOST, 90.0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Date": "yesterday"},
        {"Date": "Tue, 17 Nov 2026 11:58:30 GMT", "Age": "90"},
        {"Date": "Tue, 17 Nov 2026 11:58:30 -0000"},
    ],
)
def test_a_date_that_is_none_or_was_kept_by_a_cache_tells_nothing(
    heard: Any, headers: dict[str, str]
) -> None:
    dates.note(HOST, headers)
    assert [told for told in heard().values() if told] == []


def test_what_is_kept_of_dates_is_bounded(heard: Any) -> None:
    for n in range(500):
        dates.note(f"https://{n % 100}.example/x", {"Date": "Tue, 17 Nov 2026 11:58:30 GMT"})
    assert len(heard()) == dates.HOSTS
    assert {len(told) for told in heard().values()} == {dates.KEPT}
