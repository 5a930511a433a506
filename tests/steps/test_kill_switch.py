"""After a pause or an opt-out was answered no call begins, also of texts that passed the gate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from connector.ledger import consents, numbers, pauses, sends
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.messages import Message
from connector.model import Purpose, Subject
from connector.steps import holds
from connector.steps.answered import GivenBack
from connector.steps.consent import opt_out, record_consent
from connector.steps.dispatch import Dispatcher
from connector.steps.gate import Ticket
from tests.steps.build import MINUTE, NOW, ORDER, PHONE, WELCOME, Shop
from tests.steps.way import OpenShop

QUEUE = 10


def number(n: int) -> str:
    return f"+1202555{100 + n:04}"


class Slow:
    """A provider that takes a moment for each call, and notes when calls begin."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begun: list[tuple[float, str]] = []
        self.busy = threading.Event()

    def __call__(self, message: Message) -> None:
        self.begun.append((time.monotonic(), message.to))
        self.busy.set()
        time.sleep(self.seconds)


@contextmanager
def queue(shop: Shop, slow: Slow, threads: int = 1, texts: int = QUEUE) -> Iterator[Dispatcher]:
    """Texts that have all passed the gate, most of which wait for a thread to make the call."""
    for n in range(texts):
        record(shop, number(n))
        shop.tell("signed_up", Subject(user_id=f"u{n}", phone=number(n)))
    shop.walk()
    shop.carrier.before = slow
    shop.dispatcher = Dispatcher(shop.rt, pool=ThreadPoolExecutor(threads))
    shop.dispatcher.round()
    assert shop.states() == ["sending"] * texts
    assert slow.busy.wait(5)
    stop = threading.Event()

    def settle() -> None:
        while not stop.wait(0.005):
            shop.dispatcher.round()

    settling = threading.Thread(target=settle)
    settling.start()
    try:
        yield shop.dispatcher
    finally:
        stop.set()
        settling.join()
        shop._wait()
        shop.dispatcher.round()


def record(shop: Shop, phone: str, purpose: str = "marketing", granted: bool = True) -> None:
    with shop.store.write() as tx:
        told: dict[str, Any] = {"phone": phone, "purpose": purpose, "granted": granted}
        record_consent(tx, shop.rt, method="web_form", now=shop.clock(), **told)


def pause(shop: Shop, about: str = "*", patience: float = 5.0) -> tuple[int, float]:
    """Pause as another process would; how many calls are under way, and when it returned."""
    other = SqliteStore(shop.store.path)
    with other.write() as tx:
        holds.pause(tx, shop.rt, about, "hold", who="bea", why="", now=shop.clock())
    play = "" if about == pauses.EVERYTHING else about
    left = holds.await_stillness(other, patience, play=play, idle=lambda: False)
    at = time.monotonic()
    other.close()
    return left, at


@pytest.mark.parametrize("threads", [1, 4])
def test_no_call_begins_after_the_kill_switch_returned_though_a_queue_had_passed_the_gate(
    open_shop: OpenShop, threads: int
) -> None:
    shop, slow = open_shop(WELCOME), Slow(0.05)
    with queue(shop, slow, threads):
        left, returned = pause(shop)
        time.sleep(0.2)
    assert left == 0
    assert 0 < len(slow.begun) < QUEUE
    assert max(at for at, _ in slow.begun) < returned
    states = shop.states()
    assert states.count("accepted") == len(slow.begun)
    assert states.count("planned") == QUEUE - len(slow.begun)


def test_what_was_given_back_counts_for_nothing_is_decided_afresh_and_goes_after_a_resume(
    open_shop: OpenShop,
) -> None:
    shop, slow = open_shop(WELCOME), Slow(0.02)
    with queue(shop, slow):
        pause(shop)
    held = [row for row in shop.sends() if row["state"] == "planned"]
    assert held and all(row["counts_at"] is None for row in held)
    attempts = shop.rows("SELECT result, reason FROM attempts WHERE result = 'given_back'")
    assert len(attempts) == len(held)
    assert {row["reason"] for row in attempts} == {"paused"}
    shop.go()
    assert {row["reason"] for row in shop.sends() if row["state"] == "planned"} == {"paused"}
    with shop.store.write() as tx:
        assert holds.resume(tx, shop.rt, "*", who="bea", why="", now=shop.clock())
    shop.carrier.before = lambda message: None
    shop.go(16 * MINUTE)
    assert shop.states() == ["accepted"] * QUEUE
    assert len(shop.carrier.sent) == QUEUE


def test_a_pause_of_one_play_gives_back_its_own_texts_alone(open_shop: OpenShop) -> None:
    shop, slow = open_shop(WELCOME, ORDER), Slow(0.02)
    record(shop, PHONE, "service")
    with queue(shop, slow):
        pause(shop, "order")
    assert shop.states() == ["accepted"] * QUEUE


def test_an_opt_out_is_in_effect_for_a_text_that_had_passed_the_gate(open_shop: OpenShop) -> None:
    shop, slow = open_shop(WELCOME), Slow(0.03)
    last = number(QUEUE - 1)
    with queue(shop, slow):
        other = SqliteStore(shop.store.path)
        with other.write() as tx:
            opt_out(tx, shop.rt, last, "call", "stop", "api:crm", "", shop.clock())
        left = holds.await_stillness(other, 5.0, phone=last, idle=lambda: False)
        other.close()
    assert left == 0
    assert last not in {to for _, to in slow.begun}
    assert len(slow.begun) == QUEUE - 1
    [row] = [row for row in shop.sends() if row["phone"] == last]
    assert row["state"] in ("planned", "cancelled")
    shop.go()
    assert [row["state"] for row in shop.sends() if row["phone"] == last] == ["cancelled"]


def test_a_call_that_had_begun_is_told_of_and_not_waited_for_without_end(
    open_shop: OpenShop,
) -> None:
    shop, slow = open_shop(WELCOME), Slow(0.4)
    with queue(shop, slow, texts=1):
        left, _ = pause(shop, patience=0.05)
    assert left == 1
    assert shop.states() == ["accepted"]


def test_where_no_worker_runs_nobody_waits(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME)
    with queue(shop, Slow(0.2), texts=1):
        began = time.monotonic()
        assert holds.await_stillness(shop.store, 10, idle=lambda: True) == 0
        assert time.monotonic() - began < 5


def test_where_the_ledger_cannot_be_asked_nothing_leaves(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(WELCOME)

    def broken(*args: Any) -> str:
        raise OSError("the disk is gone")

    monkeypatch.setattr(sends, "objection", broken)
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 0
    [row] = shop.sends()
    assert (row["state"], row["reason"]) == ("planned", "check_failed")
    monkeypatch.undo()
    assert shop.dispatch() == 0, "not again at once"
    shop.go(16 * MINUTE)
    assert shop.states() == ["accepted"]


def at_the_last_instant(shop: Shop, change: Callable[[Tx], object]) -> str:
    """What keeps back a text that had passed the gate, where something comes up before its call."""
    given_back = shop.dispatcher._given_back

    def late(ticket: Ticket) -> GivenBack | None:
        with shop.store.write() as tx:
            change(tx)
        return given_back(ticket)

    shop.dispatcher._given_back = late  # type: ignore[method-assign]
    shop.dispatch()
    assert shop.carrier.sent == []
    return str(shop.rows("SELECT reason FROM attempts")[0]["reason"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tx: consents.hold(tx, PHONE, "unclear", NOW), "reply_unread"),
        (lambda tx: numbers.suppress(tx, PHONE, "court order", "all", NOW), "on_list"),
        (lambda tx: numbers.suppress(tx, PHONE, "asked", "marketing", NOW), "on_list"),
        (lambda tx: set_(tx, "@clock"), "paused"),
        (lambda tx: set_(tx, "@template:welcome"), "paused"),
    ],
)
def test_whatever_comes_up_before_the_call_keeps_marketing_back_that_had_passed_the_gate(
    open_shop: OpenShop, change: Callable[[Tx], object], reason: str
) -> None:
    shop = open_shop(WELCOME)
    shop.consent()
    shop.tell("signed_up")
    shop.walk()
    assert at_the_last_instant(shop, change) == reason
    [row] = shop.sends()
    assert row["state"] in ("planned", "cancelled") and row["counts_at"] is None


def test_what_holds_marketing_alone_lets_a_service_text_go(open_shop: OpenShop) -> None:
    shop = open_shop(ORDER)
    shop.consent("service")
    shop.tell("order_completed", facts={"order_id": "o-1"})
    shop.walk()
    with shop.store.write() as tx:
        set_(tx, "@clock")
        set_(tx, "@template:welcome")
        numbers.suppress(tx, PHONE, "asked", "marketing", NOW)
        consents.hold(tx, PHONE, "unclear", NOW)
    assert shop.dispatch() == 1


@pytest.mark.parametrize("held", ["@clock", "@template:welcome"])
def test_what_holds_texts_beside_plays_is_not_lifted_as_if_it_were_one(
    shop: Shop, held: str
) -> None:
    with shop.store.write() as tx:
        set_(tx, held)
        assert not holds.resume(tx, shop.rt, held, who="bea", why="", now=shop.clock())
        assert held in pauses.all_(tx)


def set_(tx: Tx, about: str) -> None:
    pauses.set_(tx, about, "hold", who="connector", why="it is wrong", at=NOW)


@pytest.mark.parametrize(
    ("purpose", "blocked", "objects"),
    [
        ("marketing", "all", "opted_out"),
        ("marketing", "marketing", "opted_out"),
        ("service", "all", "opted_out"),
        ("service", "marketing", ""),
        ("system", "all", ""),
        ("marketing", "", ""),
    ],
)
def test_our_one_answer_to_a_stop_goes_to_the_number_that_is_stopped(
    open_shop: OpenShop, purpose: str, blocked: str, objects: str
) -> None:
    shop = open_shop(WELCOME)
    shop.consent()
    shop.tell("signed_up")
    shop.walk()
    with shop.store.write() as tx:
        [row] = sends.due(tx, shop.clock(), 1)
        tx.run("UPDATE sends SET state = 'sending', attempt = 1, begun_at = :at", at="2026-11-17")
        tx.run("UPDATE numbers SET blocked_scope = :scope", scope=blocked)
        tx.run("UPDATE consents SET recorded_at = '2026-11-16'")
        about = (str(row["id"]), 1, "welcome", PHONE, str(Purpose(purpose)))
        assert sends.objection(tx, *about) == objects
        assert sends.objection(tx, str(row["id"]), 2, *about[2:]) == "settled"
