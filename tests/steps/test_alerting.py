"""Alarms are told to every target, none of which can hold up or break the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connector.errors import NoticeFailed, Refused, StorageRefused
from connector.ledger import alarms
from connector.rules.alerts import Notice
from connector.rules.policy import checks
from connector.steps.alarm import alarm
from connector.steps.alerting import Alerter, Told, failing
from connector.steps.faultlog import KEPT, FaultLog
from tests.steps.build import HOUR, MINUTE, WELCOME, Shop
from tests.steps.way import OpenShop

log = logging.getLogger("connector")


class Target:
    """Hears messages, unless it is broken."""

    def __init__(self) -> None:
        self.heard: list[Notice] = []
        self.tries = 0
        self.broken = False

    def __call__(self, notice: Notice) -> None:
        self.tries += 1
        if self.broken:
            raise NoticeFailed("chat.example did not take the notice (it answered 500)")
        self.heard.append(notice)

    @property
    def subjects(self) -> list[str]:
        return [notice.subject.partition("] ")[2] for notice in self.heard]


class Desk:
    """An alerter with two targets, its own clock for retries, and the log's errors."""

    def __init__(self, shop: Shop, hourly: int = 12) -> None:
        self.shop, self.at = shop, 0.0
        self.chat, self.mail = Target(), Target()
        self.faults = FaultLog()
        targets = {"webhook": self.chat, "email": self.mail}
        told = Told(targets, timedelta(minutes=15), hourly, "Shop")
        self.alerter = Alerter(shop.rt, self.faults, told, lambda: self.at)

    def raise_(self, kind: str = "clock_off", about: str = "") -> None:
        with self.shop.store.write() as tx:
            alarm(tx, self.shop.rt, kind, "Something is wrong.", self.shop.clock(), about=about)

    def go(self, seconds: float = 2.0) -> int:
        self.at += seconds
        self.shop.clock.at += timedelta(seconds=seconds)
        return self.alerter.round()


@pytest.fixture
def desk(shop: Shop) -> Iterator[Desk]:
    made = Desk(shop)
    log.addHandler(made.faults)
    yield made
    log.removeHandler(made.faults)


def test_an_alarm_is_told_once_to_every_target(desk: Desk) -> None:
    desk.raise_()
    assert desk.go() == 1
    assert desk.go() == 0
    assert desk.chat.subjects == desk.mail.subjects == ["clock_off"]


def test_the_same_again_within_the_groups_time_is_counted_and_told_after_it(desk: Desk) -> None:
    desk.raise_()
    desk.go()
    for _ in range(10):
        desk.raise_()
        assert desk.go(60) == 0
    assert desk.go(300) == 1
    assert "(11 times" in desk.chat.heard[1].text
    assert desk.go(HOUR.total_seconds()) == 0, "nothing came again, so nothing is told again"


def test_another_thing_is_another_alarm(desk: Desk) -> None:
    desk.raise_("writeback_parked", "hubspot")
    desk.raise_("writeback_parked", "hook:mail")
    assert desk.go() == 2


def test_no_more_messages_go_in_an_hour_than_are_allowed_and_the_rest_is_a_digest(
    shop: Shop,
) -> None:
    desk = Desk(shop, hourly=3)
    for n in range(2):
        desk.raise_("a", str(n))
    assert desk.go() == 2
    for n in range(5):
        desk.raise_("b", str(n))
    assert desk.go() == 1
    assert desk.chat.subjects[-1] == "5 alarms"
    desk.raise_("c")
    assert desk.go(60) == 0
    assert desk.go(HOUR.total_seconds()) == 1
    assert desk.chat.subjects[-1] == "c"


def test_what_one_target_did_not_hear_it_is_told_again_and_the_others_are_not(desk: Desk) -> None:
    desk.chat.broken = True
    desk.raise_()
    assert desk.go() == 1
    assert desk.mail.subjects == ["clock_off"]
    with desk.shop.store.read() as tx:
        assert "500" in failing(tx, ["webhook", "email"])["webhook"]
    desk.chat.broken = False
    desk.go(31)
    assert (desk.chat.subjects, desk.mail.subjects) == (["clock_off"], ["clock_off"])
    with desk.shop.store.read() as tx:
        assert failing(tx, ["webhook", "email"]) == {}


def test_a_target_that_stays_broken_is_given_up_after_a_few_tries(desk: Desk) -> None:
    desk.chat.broken = True
    desk.raise_()
    for _ in range(200):
        desk.go(30)
    assert desk.chat.tries == 4
    assert desk.mail.subjects == ["clock_off"]


def test_what_nobody_heard_stays_untold_and_is_tried_ever_more_rarely(desk: Desk) -> None:
    desk.chat.broken = desk.mail.broken = True
    desk.raise_()
    for _ in range(60):
        assert desk.go(30) == 0
    assert 4 <= desk.chat.tries <= 8
    desk.chat.broken = desk.mail.broken = False
    desk.go(600)
    assert desk.chat.subjects == desk.mail.subjects == ["clock_off"]


def test_a_target_with_a_fault_of_its_own_breaks_nothing(desk: Desk) -> None:
    def boom(notice: Notice) -> None:
        raise ZeroDivisionError

    desk.alerter.told = Told({"email": boom, "webhook": desk.chat}, MINUTE, 12, "Shop")
    desk.raise_()
    assert desk.go() == 1
    assert desk.chat.subjects == ["clock_off"]


def test_without_a_target_alarms_stand_in_the_ledger_and_do_not_pile_up(desk: Desk) -> None:
    desk.alerter.told = Told({}, MINUTE, 12, "Shop")
    desk.raise_()
    desk.go()
    desk.alerter.told = Told({"webhook": desk.chat}, MINUTE, 12, "Shop")
    assert desk.go() == 0
    with desk.shop.store.read() as tx:
        assert [row["kind"] for row in alarms.open_(tx)] == ["clock_off"]


# -- what the log says -------------------------------------------------------------------------


def test_every_error_of_the_log_is_an_alarm_grouped_by_what_failed(desk: Desk) -> None:
    for n in range(50):
        log.error("act=map event=evt_%d source=shop result=failed", n)
    log.error("act=run child=work pid=12 result=died code=-9")
    log.warning("act=alert target=webhook result=failed")
    desk.go()
    with desk.shop.store.read() as tx:
        found = {(row["kind"], row["about"]): row["count"] for row in alarms.open_(tx)}
    assert found == {("map_failed", "source=shop"): 50, ("run_failed", "child=work"): 1}


def test_an_alarm_is_no_fault_of_its_own(desk: Desk) -> None:
    desk.raise_()  # which the log tells as an error too
    desk.go()
    with desk.shop.store.read() as tx:
        assert [row["kind"] for row in alarms.open_(tx)] == ["clock_off"]


def test_a_storm_of_errors_is_bounded(desk: Desk) -> None:
    for n in range(KEPT * 5):
        log.error("act=map source=s%d", n)
    assert len(desk.faults.take()) == KEPT


def test_a_check_that_raises_is_told_at_once_and_its_text_waits(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise ZeroDivisionError

    broken.__name__ = "cap_full"
    monkeypatch.setattr("connector.rules.policy.weigh.CHECKS", (*checks.CHECKS[:2], broken))
    shop = open_shop(WELCOME)
    desk = Desk(shop)
    log.addHandler(desk.faults)
    try:
        shop.consent()
        shop.tell("signed_up")
        assert shop.go() == 0
        desk.go()
    finally:
        log.removeHandler(desk.faults)
    assert desk.chat.subjects == ["decide_failed (check=cap_full)"]


def test_a_provider_that_refuses_us_is_told_and_the_text_is_tried_again(shop: Shop) -> None:
    desk = Desk(shop)
    shop.consent()
    shop.carrier.answers.append(Refused("no", reason="configuration", code="20003"))
    shop.tell("signed_up")
    shop.go()
    desk.go()
    assert desk.chat.subjects == ["provider_refuses (carrier 20003)"]


# -- when the ledger refuses -------------------------------------------------------------------


class Full:
    """A ledger whose disk is full."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def read(self) -> Any:
        return self._store.read()

    def write(self, patience: float = -1.0) -> Any:
        raise StorageRefused("the ledger could not be written: database or disk is full")


def test_a_full_disk_is_told_past_the_ledger_once_in_the_groups_time(desk: Desk) -> None:
    desk.shop.rt.store = Full(desk.shop.store)
    log.error("act=advance result=storage_refused the disk is full")
    for _ in range(10):
        desk.go(60)
        log.error("act=advance result=storage_refused the disk is full")
    [notice] = desk.chat.heard
    assert "disk is full" in notice.text
    assert desk.chat.subjects == ["2 alarms"]


# -- the command -------------------------------------------------------------------------------


def test_a_target_that_hangs_holds_up_no_text(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME)
    desk, free = Desk(shop), threading.Event()

    def hang(notice: Notice) -> None:
        free.wait(10)

    desk.alerter.told = Told({"webhook": hang}, MINUTE, 12, "Shop")
    desk.raise_()
    thread = threading.Thread(target=desk.go)
    thread.start()
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 1
    free.set()
    thread.join()
