"""What each answer of a provider comes to, and that no answer is ever lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from connector.errors import Deferred, Refused, SendFailed, StorageRefused, Uncertain
from connector.ledger.store import Tx
from connector.messages import Accepted, Message
from connector.model import Purpose, Status, Subject
from connector.rules.policy import Cap, Policy
from connector.steps import answered, dispatch
from connector.steps.answered import Answer
from connector.steps.dispatch import Dispatcher
from connector.steps.gate import Ticket
from tests.steps.build import CART, DAY, HOUR, MINUTE, ORDER, PHONE, SECOND, WELCOME, Carrier, Shop

OpenShop = Callable[..., Shop]


def welcomed(shop: Shop, *answers: Accepted | Exception) -> dict[str, object]:
    """Ann signs up, and the provider answers; her text."""
    shop.consent()
    shop.carrier.answers.extend(answers)
    shop.tell("signed_up")
    shop.go()
    return shop.sends()[0]


# -- accepted ----------------------------------------------------------------------------------


def test_an_accepted_text_keeps_the_providers_id_and_price_and_moves_the_play_on(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(CART)
    shop.carrier.answers.append(Accepted("SM1", 2, 7_900, "USD"))
    shop.consent()
    shop.tell("cart_updated")
    shop.go(HOUR)
    [send] = shop.sends()
    assert (send["state"], send["provider_id"], send["segments"], send["cost_micros"]) == (
        "accepted",
        "SM1",
        2,
        7900,
    )
    [enrolment] = shop.enrolments()
    assert enrolment["first_text_at"] == send["accepted_at"]
    assert enrolment["goal_until"].startswith("2026-11-24T18:00")
    assert (enrolment["state"], enrolment["step"]) == ("walking", 1)


def test_a_text_that_left_is_owed_to_the_crm(shop: Shop) -> None:
    welcomed(shop)
    keys = {row["key"] for row in shop.rows("SELECT key FROM writebacks")}
    assert keys == {"send:snd_000001", "fields:con_000001"}


# -- refused -----------------------------------------------------------------------------------


def test_a_refused_text_is_over_and_so_is_its_play(open_shop: OpenShop) -> None:
    shop = open_shop(CART)
    shop.carrier.answers.append(Refused("no", reason="blocked", code="30007"))
    shop.consent()
    shop.tell("cart_updated")
    shop.go(HOUR)
    [send] = shop.sends()
    assert (send["state"], send["reason"], send["error_code"]) == ("refused", "blocked", "30007")
    [enrolment] = shop.enrolments()
    assert (enrolment["state"], enrolment["exit_reason"]) == ("ended", "refused:blocked")
    assert shop.go(DAY) == 0


def test_a_provider_that_knows_of_a_stop_stops_everything_to_the_number(shop: Shop) -> None:
    welcomed(shop, Refused("unsubscribed", reason="opted_out", code="21610"))
    assert shop.live().stopped == "all"
    assert (shop.number()["blocked_scope"], shop.number()["blocked_by"]) == ("all", "provider")
    shop.plan_by_hand()
    assert shop.dispatch() == 0


@pytest.mark.parametrize(
    ("reason", "kind"), [("not_mobile", "fixed_line"), ("invalid_number", "invalid")]
)
def test_what_a_providers_error_tells_of_a_number_is_believed_from_then_on(
    shop: Shop, reason: str, kind: str
) -> None:
    welcomed(shop, Refused("no", reason=reason))
    assert shop.number()["type"] == kind
    shop.plan_by_hand()
    assert shop.dispatch() == 0
    assert shop.decisions("send")[-1] == ("stop", "no_mobile")


# -- deferred ----------------------------------------------------------------------------------


def test_a_deferred_text_is_tried_again_and_is_one_text(shop: Shop) -> None:
    send = welcomed(shop, Deferred("busy", reason="unavailable", code="503"))
    assert (send["state"], send["reason"], send["attempt"]) == ("planned", "unavailable", 1)
    assert shop.dispatch() == 0, "not at once"
    shop.tick(10 * SECOND)
    assert shop.dispatch() == 1
    [send] = shop.sends()
    assert (send["state"], send["attempt"]) == ("accepted", 2)


def test_a_deferred_text_waits_as_long_as_the_provider_asks(shop: Shop) -> None:
    welcomed(shop, Deferred("slow down", reason="rate_limited", retry_after=600))
    assert shop.go(599 * SECOND) == 0
    assert shop.go(MINUTE + SECOND) == 1


def test_a_deferred_text_counts_in_no_cap(open_shop: OpenShop) -> None:
    shop = open_shop(policy=Policy("p1", caps=(Cap("one", Purpose.marketing, 1, DAY),)))
    welcomed(shop, Deferred("busy"))
    shop.plan_by_hand()
    assert shop.dispatch() == 1


def test_a_text_deferred_until_it_is_of_no_use_is_dropped(shop: Shop) -> None:
    welcomed(shop, *(Deferred("busy") for _ in range(500)))
    for _ in range(400):
        shop.tick(10 * MINUTE)
        shop.dispatch()
        if shop.states() == ["expired"]:
            break
    assert shop.states() == ["expired"]
    assert shop.sends()[0]["counts_at"] is None


# -- uncertain ---------------------------------------------------------------------------------


def test_a_doubtful_text_is_never_sent_again_and_counts_in_caps(open_shop: OpenShop) -> None:
    shop = open_shop(policy=Policy("p1", caps=(Cap("one", Purpose.marketing, 1, DAY),)))
    send = welcomed(shop, Uncertain("no answer", reason="timeout"))
    assert (send["state"], send["reason"]) == ("uncertain", "timeout")
    shop.plan_by_hand()
    assert shop.go(HOUR) == 0
    assert shop.decisions("send")[-1][1] == "cap_full"
    assert len(shop.carrier.sent) == 1


def test_an_adapter_that_fails_by_itself_leaves_a_doubtful_text(shop: Shop) -> None:
    send = welcomed(shop, ValueError("a bug"))
    assert (send["state"], send["reason"]) == ("uncertain", "unknown")


def test_the_log_of_an_adapters_fault_holds_no_number_and_no_words(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    welcomed(shop, ValueError("a bug"))
    assert "result=uncertain" in caplog.text
    assert PHONE not in caplog.text
    assert "Corner Shop" not in caplog.text


# -- many at once ------------------------------------------------------------------------------


def crowd(shop: Shop, count: int) -> None:
    """So many people each have a text due."""
    for number in range(count):
        phone = f"+1212555{number + 200:04}"
        shop.consent(phone=phone)
        shop.tell("signed_up", Subject(user_id=str(number), phone=phone))
    shop.walk()


def test_no_more_calls_are_under_way_than_the_account_allows(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME, in_flight=3)
    free = threading.Event()
    shop.carrier.before = lambda message: free.wait(5)
    crowd(shop, 8)
    shop.dispatcher.round()
    assert shop.dispatcher.flying == 3
    assert shop.dispatcher.round() == 0
    assert sorted(shop.states()) == ["planned"] * 5 + ["sending"] * 3
    free.set()
    while "planned" in shop.states() or shop.dispatcher.flying:
        shop.dispatch()
    assert shop.states() == ["accepted"] * 8
    assert len({message.send_id for message in shop.carrier.sent}) == 8


def test_the_ledger_is_free_while_the_provider_thinks(shop: Shop) -> None:
    wrote = []

    def write(message: Message) -> None:
        with shop.store.write() as tx:
            tx.run("INSERT INTO counters VALUES ('x', 1)")
            wrote.append(message.send_id)

    shop.carrier.before = write
    welcomed(shop)
    assert wrote == ["snd_000001"]


def test_who_listens_is_told_when_an_answer_has_come(shop: Shop) -> None:
    rung = threading.Event()
    shop.consent()
    shop.tell("signed_up")
    shop.walk()
    dispatcher = Dispatcher(shop.rt, rung.set)
    dispatcher.round()
    assert rung.wait(5)
    assert dispatcher.round() == 1
    dispatcher.close()


def test_a_text_whose_provider_asks_for_more_patience_than_it_has_expires_in_time(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(ORDER)
    shop.consent("service")
    shop.carrier.answers.append(Deferred("slower", reason="rate_limited", retry_after=9 * 3_600))
    shop.tell("order_completed", facts={"order_id": "7"})
    shop.go()
    shop.dispatch()
    assert shop.go(4 * HOUR + SECOND) == 0
    assert shop.states() == ["expired"]


# -- nothing is lost ---------------------------------------------------------------------------


class Refusing:
    """The shop's store, whose disk refuses the next writes as they are about to be kept."""

    def __init__(self, shop: Shop, times: int) -> None:
        self._store, self._times = shop.store, times
        self.read = shop.store.read

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._store.write() as tx:
            yield tx
            if self._times:
                self._times -= 1
                raise StorageRefused


def test_an_answer_the_disk_refuses_is_settled_when_it_takes_writes_again(shop: Shop) -> None:
    shop.consent()
    shop.tell("signed_up")
    shop.walk()
    shop.dispatcher.round()
    shop._wait()
    real, shop.rt.store = shop.rt.store, Refusing(shop, 2)
    for _ in range(2):
        with pytest.raises(StorageRefused):
            shop.dispatcher.round()
        assert shop.dispatcher.flying == 1
    assert shop.dispatcher.round() == 1
    shop.rt.store = real
    assert shop.states() == ["accepted"]
    assert len(shop.carrier.sent) == 1


def test_a_disk_that_refuses_hands_over_nothing_and_leaves_every_text_planned(shop: Shop) -> None:
    crowd(shop, 2)
    real, shop.rt.store = shop.rt.store, Refusing(shop, 1)
    with pytest.raises(StorageRefused):
        shop.dispatcher.round()
    assert shop.carrier.sent == []
    shop.rt.store = real
    assert shop.states() == ["planned", "planned"]
    assert shop.dispatch() == 2


def fault_at(shop: Shop, state: str, send_id: str = "snd_000002") -> None:
    """A text cannot come to a state, for a fault of ours."""
    with shop.store.write() as tx:
        tx.run(
            f"""CREATE TRIGGER fault BEFORE UPDATE ON sends
            WHEN NEW.state = '{state}' AND NEW.id LIKE '{send_id}'
            BEGIN SELECT RAISE(ABORT, 'a fault of ours'); END"""
        )


def test_a_text_that_the_gate_fails_on_waits_alone(shop: Shop) -> None:
    crowd(shop, 3)
    fault_at(shop, "sending")
    assert shop.dispatch() == 2
    assert shop.states() == ["accepted", "planned", "accepted"]
    assert shop.sends()[1]["reason"] == "check_failed"
    assert shop.dispatch() == 0, "not again at once"


def test_a_text_that_the_gate_fails_on_to_its_end_expires_and_its_play_ends(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated")
    shop.dispatcher._ways.of = lambda *given, **named: 1 / 0  # type: ignore[assignment,method-assign]
    shop.go(HOUR)
    assert shop.states() == ["planned"]
    shop.go(9 * DAY)
    [text], [way] = shop.sends(), shop.enrolments()
    assert (text["state"], text["reason"]) == ("expired", "check_failed")
    assert (way["state"], way["exit_reason"]) == ("ended", "check_failed")


def test_an_answer_that_cannot_be_settled_leaves_its_own_text_in_doubt(shop: Shop) -> None:
    crowd(shop, 3)
    fault_at(shop, "accepted")
    assert shop.dispatch() == 3
    assert shop.states() == ["accepted", "uncertain", "accepted"]
    assert shop.dispatcher.flying == 0


def test_closing_waits_for_the_calls_under_way_and_settles_them(shop: Shop) -> None:
    free = threading.Event()
    shop.carrier.before = lambda message: free.wait(5)
    shop.consent()
    shop.tell("signed_up")
    shop.walk()
    shop.dispatcher.round()
    threading.Timer(0.05, free.set).start()
    shop.dispatcher.close()
    assert shop.states() == ["accepted"]


def test_answers_that_cannot_be_kept_at_closing_are_kept_by_closing_again(shop: Shop) -> None:
    shop.consent()
    shop.tell("signed_up")
    shop.walk()
    shop.dispatcher.round()
    shop._wait()
    real, shop.rt.store = shop.rt.store, Refusing(shop, 1)
    with pytest.raises(StorageRefused):
        shop.dispatcher.close()
    shop.rt.store = real
    shop.dispatcher.close()
    assert shop.states() == ["accepted"]


# -- handing over ------------------------------------------------------------------------------

TICKET = Ticket("snd_1", "carrier", 1, Message("snd_1", PHONE, "Hello"))


@pytest.mark.parametrize(
    "error", [Refused("r"), Deferred("d"), Uncertain("u"), SendFailed("s", reason="x")]
)
def test_what_the_provider_raises_is_its_answer(error: SendFailed) -> None:
    carrier = Carrier()
    carrier.answers.append(error)
    assert dispatch.hand_over(carrier, TICKET) is error


def test_an_answer_about_a_text_that_is_gone_is_let_go(shop: Shop) -> None:
    answer = Answer(TICKET, Accepted("SM1"), 5)
    with shop.store.write() as tx:
        answered.settle(tx, shop.rt, answer, shop.clock())
    assert shop.sends() == []


def test_an_accepted_answer_that_comes_twice_moves_the_play_on_once(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, steps=(*CART.steps, *CART.steps)))
    shop.consent()
    shop.tell("cart_updated")
    shop.go(HOUR)
    [send] = shop.sends()
    ticket = replace(TICKET, send_id=send["id"])
    with shop.store.write() as tx:
        answered.settle(tx, shop.rt, Answer(ticket, Accepted("SM1"), 5), shop.clock())
    assert shop.enrolments()[0]["step"] == 1


def test_a_refusal_of_what_was_told_to_have_gone_meanwhile_ends_no_play(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated")
    shop.carrier.answers.append(Refused("no", reason="content"))
    shop.carrier.before = lambda message: shop.receipt(Status.sent)
    shop.go(HOUR)
    assert shop.states() == ["accepted"]
    assert [row["state"] for row in shop.enrolments()] == ["walking"]
