"""Texts go by routes: the next hop where it is certain that none took them, and no other time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.errors import Deferred, Refused, StorageRefused, Uncertain
from connector.ledger import reports
from connector.messages import Message, Reply
from connector.model import Subject
from connector.rules import explain
from connector.rules.health import FAILURES, FIRST
from connector.rules.policy import Policy
from connector.rules.policy.limits import Sender
from connector.rules.routing import Hop, Route, spread
from connector.steps import outcome
from connector.steps.dispatch import next_due
from connector.steps.route import TRY_AGAIN
from tests.steps.build import MINUTE, ORDER, PHONE, SECOND, WELCOME, Carrier, Shop
from tests.steps.test_dispatch import Refusing, fault_at

Open = Callable[..., Shop]
POOL = ("+18005550101", "+18005550102", "+18005550103")
BOTH = (Route("both", (Hop("first"), Hop("second", POOL))),)
DOWN = Deferred("it cannot be reached")


def two(open_shop: Open, *routes: Route, **changes: Any) -> Shop:
    """A shop that texts by two providers, the first of which is the one in use."""
    carriers = {name: Carrier(name) for name in ("first", "second")}
    given = {"routes": routes or BOTH, "providers": carriers, "provider": "first", **changes}
    shop = open_shop(WELCOME, ORDER, **given)
    shop.carrier = carriers["first"]
    return shop


def second(shop: Shop) -> Carrier:
    found = shop.rt.providers["second"]
    assert isinstance(found, Carrier)
    return found


def greet(shop: Shop, *people: int, name: str = "signed_up") -> None:
    for number in people:
        phone = f"+1212555{number:04}"
        shop.consent(phone=phone)
        shop.consent("service", phone=phone)
        known = Subject(user_id=f"user-{number}", phone=phone)
        shop.tell(name, known, key=f"{name}-{number}", facts={"order_id": "7"})


def rounds(shop: Shop, count: int = 6) -> None:
    """Some rounds of the dispatcher, a moment apart."""
    for _ in range(count):
        shop.dispatch()
        shop.tick(SECOND / 10)


def tries(shop: Shop) -> list[tuple[str, str, str]]:
    rows = shop.rows("SELECT * FROM attempts ORDER BY send_id, attempt")
    return [(row["provider"], row["result"], row["reason"]) for row in rows]


def test_a_text_that_was_certainly_not_taken_goes_by_the_next_hop_at_once(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(DOWN)
    greet(shop, 1)
    shop.go()
    rounds(shop)
    assert tries(shop) == [("first", "deferred", "unavailable"), ("second", "accepted", "")]
    [row] = shop.sends()
    assert (row["state"], row["provider"], row["attempt"]) == ("accepted", "second", 2)
    assert row["sender"] == second(shop).sent[0].sender


def test_when_no_hop_takes_it_the_text_waits_before_it_is_tried_again(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(DOWN)
    second(shop).answers.append(DOWN)
    greet(shop, 1)
    shop.go()
    rounds(shop)
    assert [name for name, _, _ in tries(shop)] == ["first", "second"]
    shop.go(MINUTE)
    assert [name for name, _, _ in tries(shop)] == ["first", "second", "first"]
    assert shop.states() == ["accepted"]


@pytest.mark.parametrize("failure", [Uncertain("no answer", reason="timeout"), ZeroDivisionError()])
def test_a_text_that_perhaps_went_is_handed_to_nobody_else(
    open_shop: Open, failure: Exception
) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(failure)
    greet(shop, 1)
    shop.go()
    shop.go(10 * MINUTE)
    assert shop.states() == ["uncertain"]
    assert second(shop).sent == []


def test_what_is_wrong_with_the_number_is_wrong_at_every_provider(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(Refused("no such number", reason="invalid_number"))
    greet(shop, 1)
    shop.go()
    shop.go(MINUTE)
    assert (shop.states(), second(shop).sent) == (["refused"], [])


def test_who_stopped_at_one_provider_is_texted_by_none(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(Refused("stopped", reason="opted_out"))
    greet(shop, 1)
    shop.go()
    shop.rt.routes = (Route("second alone", (Hop("second"),)),)
    shop.tell("order_completed", Subject(user_id="user-1", phone="+12125550001"), key="o")
    shop.go()
    assert shop.states() == ["refused"]
    assert second(shop).sent == []
    assert shop.decisions("plan")[-1] == ("stop", "opted_out")


def test_a_sender_that_is_asked_for_patience_keeps_its_texts(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(Deferred("slower", reason="rate_limited", retry_after=20))
    greet(shop, 1)
    shop.go()
    shop.go(30 * SECOND)
    assert [name for name, _, _ in tries(shop)] == ["first", "first"]


def test_a_text_that_would_expire_before_its_sender_is_free_goes_elsewhere(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(Deferred("slower", reason="rate_limited", retry_after=3_600 * 5))
    greet(shop, 1, name="order_completed")  # of use for four hours
    shop.go()
    rounds(shop)
    assert [name for name, _, _ in tries(shop)] == ["first", "second"]


def test_an_outage_does_not_cost_every_text_an_attempt(open_shop: Open) -> None:
    shop = two(open_shop, in_flight=1)
    shop.carrier.answers.extend([DOWN] * 40)
    greet(shop, *range(40))
    shop.walk()
    rounds(shop, 120)
    assert len(second(shop).sent) == 40
    assert len(shop.carrier.sent) == FAILURES
    [alarm] = shop.rows("SELECT kind, about FROM alarms WHERE cleared_at IS NULL")
    assert (alarm["kind"], alarm["about"]) == ("provider_rests", "first")


def test_a_provider_that_was_down_is_tried_with_one_text_and_then_has_all_again(
    open_shop: Open,
) -> None:
    shop = two(open_shop, in_flight=1)
    shop.carrier.answers.extend([DOWN] * (FAILURES + 1))
    greet(shop, *range(10))
    shop.walk()
    rounds(shop, 40)
    shop.tick(FIRST)
    greet(shop, *range(20, 26))
    shop.walk()
    rounds(shop, 30)
    assert len(shop.carrier.sent) == FAILURES + 1
    shop.tick(2 * FIRST)
    greet(shop, 30)
    shop.walk()
    rounds(shop, 2)
    assert len(shop.carrier.sent) == FAILURES + 2
    greet(shop, *range(31, 36))
    shop.walk()
    rounds(shop, 30)
    assert len(shop.carrier.sent) == FAILURES + 2 + 5
    assert shop.rows("SELECT * FROM alarms WHERE cleared_at IS NULL") == []


def test_while_every_hop_is_left_alone_texts_wait_and_say_why(open_shop: Open) -> None:
    shop = two(open_shop, Route("first alone", (Hop("first"),)), in_flight=1)
    shop.carrier.answers.extend([DOWN] * FAILURES)
    greet(shop, *range(8))
    shop.walk()
    rounds(shop, 40)
    assert len(shop.carrier.sent) == FAILURES
    waiting = [row["reason"] for row in shop.sends()]
    assert (set(waiting), shop.states()) == ({"provider_rests"}, ["planned"] * 8)
    for _ in range(60):
        shop.go(5 * SECOND)
    assert shop.states() == ["accepted"] * 8


def test_a_number_is_always_texted_from_the_same_sender(open_shop: Open) -> None:
    shop = two(open_shop, Route("pool", (Hop("second", POOL),)))
    for turn in range(3):
        greet(shop, *range(6), name="order_completed")
        for row in range(6):
            subject = Subject(user_id=f"user-{row}", phone=f"+1212555{row:04}")
            shop.tell("order_completed", subject, key=f"{turn}-{row}", facts={"order_id": "7"})
        shop.go()
    senders: dict[str, set[str]] = {}
    for message in second(shop).sent:
        senders.setdefault(message.to, set()).add(message.sender)
    assert all(len(known) == 1 for known in senders.values())
    assert len(set().union(*senders.values())) > 1


def test_a_sender_that_leaves_the_pool_hands_its_numbers_on_and_no_other_moves(
    open_shop: Open,
) -> None:
    shop = two(open_shop, Route("pool", (Hop("second", POOL),)), in_flight=50)
    greet(shop, *range(12))
    shop.go()
    before = {message.to: message.sender for message in second(shop).sent}
    shop.rt.routes = (Route("pool", (Hop("second", (*POOL[1:], "+18005550199")),)),)
    greet(shop, *range(12), name="order_completed")
    shop.go()
    after = {message.to: message.sender for message in second(shop).sent[12:]}
    moved = {phone for phone in before if before[phone] != after[phone]}
    assert moved == {phone for phone, sender in before.items() if sender == POOL[0]} != set()


def reply(shop: Shop, text: str, to: str, provider: str = "second", phone: str = PHONE) -> None:
    told = Reply(provider, f"in-{text}-{to}", phone, to, text, shop.clock())
    with shop.store.write() as tx:
        outcome.reply(tx, shop.rt, told, shop.clock())


def test_an_answer_goes_from_the_number_that_they_wrote_to(open_shop: Open) -> None:
    shop = two(open_shop)
    ours = next(each for each in POOL if each != spread(POOL, PHONE))
    reply(shop, "HELP", ours)
    shop.go()
    [answer] = second(shop).sent
    assert (answer.to, answer.sender, shop.carrier.sent) == (PHONE, ours, [])


def test_from_then_on_they_are_texted_from_the_number_that_they_wrote_to(open_shop: Open) -> None:
    shop = two(open_shop, Route("pool", (Hop("second", POOL),)))
    ours = next(each for each in POOL if each != spread(POOL, "+12125550001"))
    greet(shop, 1)
    reply(shop, "thanks", ours, phone="+12125550001")
    shop.go()
    assert [message.sender for message in second(shop).sent] == [ours]


def test_where_the_number_they_wrote_to_is_none_of_ours_the_route_answers(open_shop: Open) -> None:
    shop = two(open_shop)
    reply(shop, "HELP", "+19995550100")
    shop.go()
    assert [message.sender for message in shop.carrier.sent] == [""]
    assert shop.rows("SELECT * FROM sticky_senders") == []


def test_where_its_provider_is_left_alone_an_answer_goes_another_way(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.dispatcher._ways.leave_alone("second", shop.clock() + MINUTE)
    reply(shop, "HELP", POOL[0])
    shop.go()
    assert (len(shop.carrier.sent), second(shop).sent) == (1, [])


def test_while_the_one_try_is_under_way_others_are_not_asked_about_all_the_time(
    open_shop: Open,
) -> None:
    shop = two(open_shop, Route("first alone", (Hop("first"),)), in_flight=5)
    shop.dispatcher._ways.leave_alone("first", shop.clock())
    held = HeldPool()
    shop.dispatcher._pools["first"] = held  # type: ignore[assignment]
    greet(shop, *range(4))
    shop.walk()
    shop.dispatcher.round()
    assert shop.states().count("sending") == 1
    assert next_due(shop.rt, shop.clock()) >= shop.clock() + TRY_AGAIN
    held.let_go()


def test_where_only_routes_count_a_number_of_no_route_gets_nothing(open_shop: Open) -> None:
    shop = two(open_shop, Route("uk", (Hop("second"),), ("GB",)), only_routes=True)
    greet(shop, 1)
    assert shop.go() == 0
    assert shop.decisions("plan") == [("stop", "no_route")]


def test_else_it_goes_by_the_provider_in_use(open_shop: Open) -> None:
    shop = two(open_shop, Route("uk", (Hop("second"),), ("GB",)))
    greet(shop, 1)
    assert (shop.go(), len(shop.carrier.sent)) == (1, 1)


def test_each_provider_is_told_where_to_report_to(open_shop: Open) -> None:
    callbacks = {name: f"https://x.example/providers/{name}" for name in ("first", "second")}
    shop = two(open_shop, callbacks=callbacks)
    shop.carrier.answers.append(DOWN)
    greet(shop, 1)
    shop.go()
    rounds(shop)
    urls = [each.callback_url for each in (*shop.carrier.sent, *second(shop).sent)]
    assert urls == [callbacks["first"], callbacks["second"]]


def test_a_decision_keeps_which_way_the_text_went_and_why(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(DOWN)
    greet(shop, 1)
    shop.go()
    rounds(shop)
    rows = shop.rows("""SELECT f.body AS facts FROM decisions d JOIN facts f
        ON f.hash = d.facts_hash WHERE d.moment = 'send' ORDER BY d.id""")
    assert '"provider":"first"' in rows[0]["facts"]
    assert '"way":"both: first did not take it (unavailable)"' in rows[1]["facts"]


def test_the_carriers_day_is_that_of_the_sender_it_goes_by(open_shop: Open) -> None:
    limits = tuple(Sender(name, day_segments=50, reserve=0) for name in POOL)
    policy = Policy("p1", senders=limits)
    shop = two(open_shop, Route("pool", (Hop("second", POOL),)), policy=policy)
    greet(shop, *range(9))
    shop.go()
    used = {
        row["pot"].split(":")[1]: row["segments"] for row in shop.rows("SELECT * FROM spending")
    }
    left: dict[str, int] = {}
    for message in second(shop).sent:
        left[message.sender] = left.get(message.sender, 0) + 1
    assert used == left


def test_a_provider_that_hangs_keeps_no_other_waiting(open_shop: Open) -> None:
    routes = (Route("service", (Hop("second"),), (), ("service",)), *BOTH)
    shop = two(open_shop, *routes, in_flight=2)
    waiting: list[Message] = []
    shop.carrier.before = waiting.append
    held = HeldPool()
    shop.dispatcher._pools["first"] = held  # type: ignore[assignment]
    greet(shop, *range(30))
    greet(shop, *range(5), name="order_completed")
    shop.walk()
    for _ in range(40):
        shop.tick(SECOND / 10)
        shop.dispatcher.round()
        wait_for(shop, "second", len(held.held))
    assert len(held.held) == 2
    assert len(second(shop).sent) == 5
    reasons = {row["reason"] for row in shop.sends() if row["state"] == "planned"}
    assert reasons == {"in_flight"}
    held.let_go()


class HeldPool:
    """Takes calls and makes none of them."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    def submit(self, act: Any, *args: Any) -> None:
        self.held.append((act, args))

    def let_go(self) -> None:
        """Make them after all, or whoever closes the shop waits for them."""
        for act, args in self.held:
            act(*args)

    def shutdown(self, **options: Any) -> None:
        """Nothing runs."""


def wait_for(shop: Shop, provider: str, held: int) -> None:
    waiting = shop.dispatcher
    until = time.monotonic() + 5
    while waiting.flying - held > len(waiting._answers) and time.monotonic() < until:
        time.sleep(0.0005)


def test_without_routes_nothing_is_read_or_remembered_of_ways(open_shop: Open) -> None:
    shop = open_shop(WELCOME)
    shop.carrier.answers.extend([DOWN] * (FAILURES + 2))
    greet(shop, *range(FAILURES + 2))
    shop.go()
    assert shop.rows("SELECT * FROM sticky_senders") == []
    assert shop.rows("SELECT * FROM alarms") == []
    assert shop.dispatcher._ways._health == {}


def test_explain_tells_each_way_that_a_text_was_tried(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(DOWN)
    greet(shop, 1)
    shop.go()
    rounds(shop)
    with shop.store.read() as tx:
        chain = reports.of_send(tx, "snd_000001")
    assert chain is not None
    told = " ".join(explain.tell(explain.shown(chain), 200))
    sender = second(shop).sent[0].sender
    assert "by first: deferred (unavailable)" in told
    assert f"by second from {sender}: accepted" in told
    assert f"as SM-snd_000001 from {sender}, 1 segment" in told


# -- a round that fails ------------------------------------------------------------------------


def refused(shop: Shop, times: int) -> None:
    """Rounds that the disk refuses."""
    shop.rt.store = Refusing(shop, times)
    for _ in range(times):
        with pytest.raises(StorageRefused):
            shop.dispatcher.round()


def test_a_provider_whose_one_try_was_not_written_is_tried_all_the_same(open_shop: Open) -> None:
    shop = two(open_shop, Route("first alone", (Hop("first"),)), in_flight=1)
    shop.carrier.answers.extend([DOWN] * FAILURES)
    greet(shop, *range(FAILURES))
    shop.walk()
    rounds(shop, 40)
    shop.tick(FIRST)
    refused(shop, 1)
    for _ in range(20):
        shop.go(5 * SECOND)
    assert shop.states() == ["accepted"] * FAILURES


def test_a_provider_whose_one_try_could_not_be_settled_is_tried_again(open_shop: Open) -> None:
    shop = two(open_shop, Route("first alone", (Hop("first"),)), in_flight=1)
    shop.carrier.answers.extend([DOWN] * FAILURES)
    greet(shop, *range(FAILURES + 1))
    shop.walk()
    rounds(shop, 40)
    shop.tick(FIRST)
    fault_at(shop, "accepted", "%")
    shop.dispatch()
    with shop.store.write() as tx:
        tx.run("DROP TRIGGER fault")
    assert shop.states().count("uncertain") == 1
    for _ in range(20):
        shop.go(5 * SECOND)
    assert shop.states().count("accepted") == FAILURES


def test_answers_that_were_not_written_at_once_are_not_counted_twice(open_shop: Open) -> None:
    shop = two(open_shop)
    shop.carrier.answers.append(DOWN)
    greet(shop, 1)
    shop.walk()
    shop.dispatcher.round()
    shop._wait()
    refused(shop, FAILURES)
    rounds(shop)
    assert shop.dispatcher._ways._health["first"].failed == 1


def test_a_round_that_was_not_written_takes_no_time_from_its_sender(open_shop: Open) -> None:
    shop = two(open_shop, routes=(), policy=Policy("p1", senders=(Sender("*", 0.01),)))
    greet(shop, 1)
    shop.walk()
    refused(shop, 3)
    assert shop.dispatch() == 1


def test_a_changed_limit_whose_round_was_not_written_counts_with_the_next(open_shop: Open) -> None:
    shop = two(open_shop, routes=(), policy=Policy("p1", senders=(Sender("*", 0.001),)))
    greet(shop, *range(3))
    shop.go()
    faster = replace(shop.rt.book.policy, senders=(Sender("*", 100),))
    shop.rt.book = replace(shop.rt.book, policy=faster)
    refused(shop, 1)
    rounds(shop)
    assert shop.states() == ["accepted"] * 3


def test_without_routes_a_sender_of_the_provider_before_is_not_handed_to_the_next(
    open_shop: Open,
) -> None:
    shop = two(open_shop, Route("pool", (Hop("second", POOL[:1]),)))
    second(shop).answers.append(DOWN)
    greet(shop, 1)
    shop.go()
    assert shop.sends()[0]["sender"] == POOL[0]
    shop.rt.routes = ()
    shop.go(MINUTE)
    assert [message.sender for message in shop.carrier.sent] == [""]
