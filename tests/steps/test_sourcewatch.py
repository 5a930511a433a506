"""A source that is silent beyond its habit is told of once, and again only after it was heard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from connector import clock
from connector.ledger import alarms, catalogue
from connector.ledger.sqlite import SqliteStore
from connector.steps import catalogue as cataloguing
from connector.steps import sourcewatch
from tests.steps.build import DAY, HOUR, MINUTE, NOW, Shop

OpenShop = Callable[..., Shop]
WEEK = 7 * DAY


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """A shop whose backend has told of something each hour for six weeks."""
    made = open_shop(silent_after={"backend": None})
    heard(made, [NOW - hours * HOUR for hours in range(6 * 7 * 24, -1, -1)])
    return made


def heard(shop: Shop, times: list[datetime], source: str = "backend") -> None:
    """Events that were counted already."""
    entry = catalogue.Entry(
        *(source, "track", "Cart", len(times), 0, 0, 0, 0, 0, 0),
        clock.text(times[0]),
        clock.text(times[-1]),
    )
    hours = {(source, clock.text(at)[:13]): 1 for at in times}
    with shop.store.write() as tx:
        catalogue.add(tx, [entry], hours, "evt_0")


def watched(shop: Shop, until: datetime, step: timedelta = 5 * MINUTE) -> list[datetime]:
    """Looking all the while until an instant; when alarms were raised."""
    found = []
    while shop.clock.at < until:
        shop.clock.at += step
        if sourcewatch.watch(shop.rt):
            found.append(shop.clock.at)
    return found


def open_alarms(shop: Shop) -> list[Any]:
    with shop.store.read() as tx:
        return [row["about"] for row in alarms.open_(tx) if row["kind"] == sourcewatch.KIND]


def test_a_silence_beyond_the_habit_is_told_of_once(shop: Shop) -> None:
    [at] = watched(shop, NOW + 2 * DAY)
    assert NOW + 2 * HOUR < at < NOW + 6 * HOUR
    assert open_alarms(shop) == ["backend"]
    with shop.store.read() as tx:
        says = alarms.open_(tx)[0]["says"]
    assert says.startswith("The source backend has told nothing since 2026-11-17T17:00Z; ")
    assert "silent_after" in says
    assert "`connector source list`" in says
    assert len(says) < alarms.MOST


def test_it_is_over_once_the_source_is_heard_again(shop: Shop) -> None:
    watched(shop, NOW + 8 * HOUR)
    heard(shop, [NOW + 8 * HOUR])
    watched(shop, NOW + 9 * HOUR)
    assert open_alarms(shop) == []
    assert len(watched(shop, NOW + DAY)) == 1, "and the next silence is another"


def test_one_that_a_person_has_seen_to_is_not_told_of_again(shop: Shop) -> None:
    watched(shop, NOW + 8 * HOUR)
    with shop.store.write() as tx:
        assert alarms.clear_all(tx, shop.clock.at) == 1
    assert watched(shop, NOW + 3 * DAY) == []


def test_while_nothing_ran_here_nobody_listened(shop: Shop) -> None:
    """After a night off, what came meanwhile is heard first; only then a silence begins."""
    watched(shop, NOW + HOUR)
    shop.clock.at = NOW + 12 * HOUR
    [at] = watched(shop, NOW + DAY)
    assert at > NOW + 14 * HOUR


@pytest.mark.parametrize("names", [{}, {"site": None}])
def test_a_source_that_is_not_watched_may_be_silent(
    shop: Shop, names: dict[str, timedelta | None]
) -> None:
    shop.rt.silent_after = names
    assert watched(shop, NOW + DAY) == []


def test_an_alarm_of_one_that_is_watched_no_longer_is_over(shop: Shop) -> None:
    watched(shop, NOW + 8 * HOUR)
    shop.rt.silent_after = {"site": None}
    watched(shop, NOW + 9 * HOUR)
    assert open_alarms(shop) == []


def test_a_bound_of_the_operators_own_needs_no_history(open_shop: OpenShop) -> None:
    shop = open_shop(silent_after={"backend": 30 * MINUTE})
    heard(shop, [NOW])
    [at] = watched(shop, NOW + DAY)
    assert NOW + 30 * MINUTE < at <= NOW + 40 * MINUTE


def test_a_new_source_has_no_habit_yet(open_shop: OpenShop) -> None:
    shop = open_shop(silent_after={"backend": None, "site": None})
    heard(shop, [NOW - hours * HOUR for hours in range(10 * 24, -1, -1)])
    assert watched(shop, NOW + WEEK, HOUR / 2) == []


def test_on_a_test_clock_time_is_a_toy(shop: Shop, tmp_path: Any) -> None:
    toy = clock.TestClock(tmp_path / "clock")
    toy.set(NOW + 8 * HOUR)
    shop.rt.clock = toy
    assert sourcewatch.watch(shop.rt) == 0
    with shop.store.read() as tx:
        assert tx.one("SELECT 1 FROM cursors WHERE name LIKE 'sourcewatch%'") is None


def test_what_is_heard_reaches_the_watch_by_the_catalogue(open_shop: OpenShop) -> None:
    shop = open_shop(silent_after={"backend": 30 * MINUTE})
    shop.rt.new_id = clock.new_id  # whose ids tell the time
    shop.clock.at = clock.now()
    shop.put({"event": "signed_up", "userId": "ann"})
    shop.walk()
    assert cataloguing.count(shop.rt) == 0, "it is too young"
    shop.tick(2 * catalogue.LATE)
    assert cataloguing.count(shop.rt) == 1
    assert cataloguing.count(shop.rt) == 0
    with shop.store.read() as tx:
        assert list(catalogue.last_heard(tx)) == ["backend"]
        assert sum(int(row["heard"]) for row in catalogue.hours(tx, "backend")) == 1
    assert len(watched(shop, shop.clock.at + 2 * HOUR)) == 1


def test_old_hours_are_dropped_once_a_day(shop: Shop) -> None:
    shop.clock.at = NOW + catalogue.KEPT_HOURS
    cataloguing.count(shop.rt)
    with shop.store.read() as tx:
        assert len(catalogue.hours(tx, "backend")) == 1
    assert isinstance(shop.store, SqliteStore)
