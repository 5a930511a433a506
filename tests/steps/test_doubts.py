"""A text of unknown fate is looked up, settled where that is certain, never blindly repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from connector.errors import Refused, Uncertain
from connector.ledger import alarms, doubts, pauses
from connector.messages import Carried, Found, Message, Receipt
from connector.model import Purpose, Status
from connector.providers import Ability
from connector.rules.policy import Cap, Policy
from connector.steps import inquest, outcome
from connector.steps.reconcile import LEASE, Reconciler, after_a_death
from tests.steps.build import CART, DAY, HOUR, MINUTE, ORDER, SECOND, Carrier, Shop, open_hours

OpenShop = Callable[..., Shop]
FINDS = frozenset({Ability.finds})
BY_REFERENCE = FINDS | {Ability.finds_by_reference}
SAFE = frozenset({Ability.repeats_safely})
NOT_THERE = Found(False)
SILENT = Uncertain("it did not answer", reason="timeout")


@dataclass
class Looking(Carrier):
    """A provider that is asked what it has, and answers in turn; the last answer stays."""

    tells: list[Found | Exception] = field(default_factory=lambda: [Found(None)])
    asked: list[tuple[Message, datetime]] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None  #: happens while it looks

    def find(self, message: Message, since: datetime) -> Found:
        self.asked.append((message, since))
        self.meanwhile()
        told = self.tells.pop(0) if len(self.tells) > 1 else self.tells[0]
        if isinstance(told, Exception):
            raise told
        return told


class Doubtful:
    """A shop one of whose texts perhaps went."""

    def __init__(self, shop: Shop, does: frozenset[Ability], *tells: Found | Exception) -> None:
        self.shop = shop
        self.carrier = Looking(does=does, tells=list(tells) or [Found(None)])
        shop.carrier = self.carrier
        shop.rt.providers = {"carrier": self.carrier}
        shop.rt.links_url = "https://corner.example"
        self.reconciler = Reconciler(shop.rt)
        shop.consent()
        shop.consent("service")

    def cart(self, failure: Exception = SILENT) -> Doubtful:
        """A marketing text."""
        self.carrier.answers.append(failure)
        self.shop.tell("cart_updated")
        assert self.shop.go(HOUR) == 1
        self.look()
        return self

    def order(self) -> Doubtful:
        """A service text."""
        self.carrier.answers.append(SILENT)
        self.shop.tell("order_completed", facts={"order_id": "7"})
        assert self.shop.go() == 1
        self.look()
        return self

    def look(self, after: timedelta = timedelta()) -> int:
        """Time passes, and what is due is looked up and settled; how many looks there were."""
        self.shop.tick(after)
        before = len(self.carrier.asked)
        while self.reconciler.round() or self.reconciler.asking:
            time.sleep(0.0005)
        return len(self.carrier.asked) - before

    def looks(self, *after: timedelta) -> None:
        for span in after:
            self.look(span)

    @property
    def text(self) -> dict[str, object]:
        return self.shop.sends()[0]

    @property
    def doubt(self) -> dict[str, object]:
        return self.shop.rows("SELECT * FROM doubts")[0]

    def stands(self) -> tuple[object, object]:
        return self.text["state"], self.doubt["verdict"]


@pytest.fixture
def doubtful(open_shop: OpenShop) -> Callable[..., Doubtful]:
    def make(does: frozenset[Ability], *tells: Found | Exception, **changes: object) -> Doubtful:
        texts = changes.pop("texts", None)
        shop = open_shop(CART, ORDER, texts=texts, **changes)
        return Doubtful(shop, does, *tells)

    return make


def by_link(doubtful: Callable[..., Doubtful], *tells: Found, **changes: object) -> Doubtful:
    """A provider that finds by words, and a text that bears a short link of its own."""
    texts = {"cart": "{{ brand }}: {{ link('https://corner.example/cart') }}"}
    return doubtful(FINDS, *tells, texts=texts, **changes).cart()


# -- when it is looked up ----------------------------------------------------------------------


def test_it_is_looked_up_after_a_minute_then_5_and_30_then_4_hours(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS).cart()
    assert found.look(59 * SECOND) == 0
    assert found.look(SECOND) == 1
    assert [found.look(span) for span in (3 * MINUTE, MINUTE)] == [0, 1]
    assert [found.look(span) for span in (24 * MINUTE, MINUTE)] == [0, 1]
    assert found.stands() == ("uncertain", "")
    assert found.look(210 * MINUTE) == 1
    assert found.stands() == ("uncertain", "person")
    assert found.look(9 * DAY) == 0


def test_it_is_asked_about_as_it_was_handed_over(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(FINDS).cart()
    found.look(MINUTE)
    [(asked, since)] = found.carrier.asked
    [sent] = found.carrier.sent
    assert (asked.send_id, asked.to, asked.text) == (sent.send_id, sent.to, sent.text)
    assert since == found.shop.clock() - MINUTE


def test_a_provider_that_cannot_be_asked_leaves_4_hours_for_a_callback(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(frozenset()).cart()
    assert found.look(4 * HOUR - SECOND) == 0
    assert found.stands() == ("uncertain", "")
    found.look(SECOND)
    assert found.stands() == ("uncertain", "person")


def test_a_look_that_raises_tells_nothing(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(BY_REFERENCE, ZeroDivisionError()).cart()
    assert found.look(MINUTE) == 1
    assert found.stands() == ("uncertain", "")


# -- sent --------------------------------------------------------------------------------------


def test_found_by_our_reference_it_went_and_its_play_goes_on(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(BY_REFERENCE, Found(True, "SM9", by_reference=True)).cart()
    begun_at = found.text["begun_at"]
    found.look(MINUTE)
    assert found.stands() == ("accepted", "sent")
    assert (found.text["provider_id"], found.text["accepted_at"]) == ("SM9", begun_at)
    assert found.shop.go(DAY) == 1
    assert [text.text for text in found.carrier.sent][1:] == ["Corner Shop: still there"]


def test_found_by_a_link_that_only_it_bears_it_went(doubtful: Callable[..., Doubtful]) -> None:
    found = by_link(doubtful, Found(True, "SM9"))
    assert "/l/" in str(found.text["text"])
    found.look(MINUTE)
    assert found.stands() == ("accepted", "sent")


def test_what_was_heard_under_its_id_before_it_was_known_counts_then(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = by_link(doubtful, Found(True, "SM9"))
    found.shop.clock.at += SECOND
    with found.shop.store.write() as tx:
        told = Receipt("carrier", "SM9", Status.delivered, "delivered")
        outcome.receipt(tx, found.shop.rt, told, found.shop.clock())
    assert found.text["state"] == "uncertain"
    found.look(MINUTE)
    assert found.shop.states() == ["delivered"]
    [kept] = found.shop.rows("SELECT * FROM receipts")
    assert kept["send_id"] == found.text["id"]


STOPPED = Receipt("carrier", "SM9", Status.undelivered, "failed", "21610", "opted_out")


def heard_of_nobody(found: Doubtful) -> None:
    """A callback that does not say which text it is about tells that the number is blocked."""
    with found.shop.store.write() as tx:
        outcome.receipt(tx, found.shop.rt, STOPPED, found.shop.clock())
    assert found.shop.number()["blocked_scope"] == ""


def test_a_block_that_was_heard_under_its_id_before_stops_the_number_then(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = by_link(doubtful, Found(True, "SM9"))
    heard_of_nobody(found)
    found.look(MINUTE)
    assert found.shop.states() == ["undelivered"]
    assert found.shop.number()["blocked_scope"] == "all"


def test_what_was_heard_under_the_id_that_a_person_found_counts_then(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, Found(True, "SM-other")).cart()
    heard_of_nobody(found)
    with found.shop.store.write() as tx:
        told = {"went": True, "who": "operator:bea", "why": "in its log", "provider_id": "SM9"}
        now = found.shop.clock()
        inquest.by_hand(tx, found.shop.rt, "snd_000001", **told, now=now)  # type: ignore[arg-type]
    assert found.shop.states() == ["undelivered"]
    assert found.shop.number()["blocked_scope"] == "all"


def test_the_status_that_its_listing_tells_is_taken_over(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = by_link(doubtful)
    listed = Carried(
        "carrier", "SM9", "+1", "", found.shop.clock(), status=Status.delivered, segments=2
    )
    found.carrier.tells = [Found(True, "SM9", fits=(listed,))]
    found.look(MINUTE)
    assert (found.text["state"], found.text["segments"]) == ("delivered", 2)


def test_a_callback_settles_it_and_ends_the_looking(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(FINDS).cart()
    found.shop.receipt(Status.sent)
    assert found.stands() == ("accepted", "sent")
    assert found.look(5 * HOUR) == 0


# -- another's text ----------------------------------------------------------------------------


def test_words_that_another_system_may_have_sent_are_never_taken_for_ours(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, Found(True, "SM-other")).cart()
    found.look(MINUTE)
    assert found.stands() == ("uncertain", "person")
    assert found.text["provider_id"] is None
    assert found.shop.go(9 * DAY) == 0


def test_what_is_another_text_of_ours_is_not_taken_for_this_one(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = by_link(doubtful, Found(True, "SM-first"))
    with found.shop.store.write() as tx:
        tx.run(
            """INSERT INTO sends (id, cause, cause_id, step, contact_id, purpose, phone, provider,
                template, state, planned_at, due_at, expires_at, provider_id) VALUES ('snd_other',
                'play', 'x', 'x', 'x', 'marketing', '+1', 'carrier', 'x', 'accepted', :at, :at,
                :at, 'SM-first')""",
            at="2026-11-17T17:00:00.000000Z",
        )
    found.looks(MINUTE, 4 * MINUTE, 25 * MINUTE, 4 * HOUR)
    assert found.stands() == ("uncertain", "person")
    assert doubts.evidence(found.doubt)[0]["others"] == 1


def test_of_two_that_fit_only_a_person_can_tell(doubtful: Callable[..., Doubtful]) -> None:
    found = by_link(doubtful)
    two = tuple(Carried("carrier", name, "+1", "", found.shop.clock()) for name in ("SM-a", "SM-b"))
    found.carrier.tells = [Found(None, fits=two)]
    found.look(MINUTE)
    assert found.stands() == ("uncertain", "person")
    assert doubts.evidence(found.doubt)[0]["fits"] == ["SM-a", "SM-b"]


def test_a_person_is_asked_for_by_an_alarm_until_the_last_is_settled(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, Found(True, "SM-other")).cart()
    found.look(MINUTE)
    shop = found.shop
    assert [row["kind"] for row in shop.rows("SELECT kind FROM alarms")] == ["text_in_doubt"]
    with shop.store.write() as tx:
        told = {"went": True, "who": "operator:bea", "why": "in its log", "now": shop.clock()}
        inquest.by_hand(tx, shop.rt, str(found.text["id"]), **told)  # type: ignore[arg-type]
    with shop.store.read() as tx:
        assert alarms.open_(tx) == []


def test_a_callback_for_the_last_that_waits_for_a_person_ends_the_alarm(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, Found(True, "SM-other")).cart()
    found.look(MINUTE)
    found.shop.receipt(Status.sent)
    with found.shop.store.read() as tx:
        assert alarms.open_(tx) == []
    assert found.stands() == ("accepted", "sent")


# -- not sent ----------------------------------------------------------------------------------


def test_not_found_by_reference_it_goes_again_once(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE).cart()
    found.look(MINUTE)
    assert found.stands() == ("planned", "not_sent")
    assert found.shop.go() == 1
    assert found.shop.go(HOUR) == 0
    assert found.text["state"] == "accepted"


def test_a_marketing_text_goes_again_only_after_two_looks_by_words_have_not_found_it(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, NOT_THERE).cart()
    found.look(MINUTE)
    assert found.stands() == ("uncertain", "")
    found.look(4 * MINUTE)
    assert found.stands() == ("planned", "not_sent")


def test_looks_that_do_not_agree_do_not_count(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(FINDS, NOT_THERE, Found(None), NOT_THERE).cart()
    found.looks(MINUTE, 4 * MINUTE, 25 * MINUTE)
    assert found.stands() == ("uncertain", "")
    found.look(4 * HOUR)
    assert found.stands() == ("planned", "not_sent")


def test_a_service_text_goes_again_after_one_look(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(FINDS, NOT_THERE).order()
    found.look(MINUTE)
    assert found.stands() == ("planned", "not_sent")


def test_while_the_clock_is_wrong_what_is_not_listed_may_be_there_all_the_same(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, NOT_THERE).order()
    with found.shop.store.write() as tx:
        now = found.shop.clock()
        pauses.set_(tx, pauses.CLOCK, "hold", who="connector", why="an hour ahead", at=now)
    found.look(MINUTE)
    assert found.stands() == ("uncertain", "")
    with found.shop.store.write() as tx:
        pauses.lift(tx, pauses.CLOCK)
    found.look(4 * MINUTE)
    assert found.stands() == ("planned", "not_sent")


def test_it_goes_again_only_while_it_is_wanted(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE).cart()
    found.shop.reply("STOP")
    found.look(MINUTE)
    assert found.shop.dispatch() == 1  # the one answer to the STOP
    assert found.text["state"] == "cancelled"


def test_one_whose_time_has_passed_expires(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(FINDS, *(Found(None),) * 3, NOT_THERE).order()
    found.looks(MINUTE, 4 * MINUTE, 25 * MINUTE, 210 * MINUTE)
    assert found.stands() == ("planned", "not_sent")
    assert found.shop.go() == 0
    assert found.text["state"] == "expired"


def test_in_doubt_it_counts_in_caps_and_not_sent_it_does_not(
    doubtful: Callable[..., Doubtful],
) -> None:
    policy = Policy("p1", caps=(Cap("one", Purpose.marketing, 1, DAY),))
    found = doubtful(BY_REFERENCE, Found(None), NOT_THERE, policy=policy).cart()
    found.look(MINUTE)
    found.shop.plan_by_hand()
    assert found.shop.go() == 0
    found.look(4 * MINUTE)
    assert found.text["counts_at"] is None
    assert found.shop.go() == 1


def test_a_callback_that_comes_after_all_ends_the_trying_again(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE).cart()
    found.look(MINUTE)
    assert found.text["state"] == "planned"
    found.shop.receipt(Status.sent)
    assert found.shop.states() == ["accepted"]
    assert found.shop.go(HOUR) == 0
    assert found.shop.go(DAY) == 1, "the play goes on from there"


def test_a_callback_for_one_that_expired_counts_it_as_sent(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, *(Found(None),) * 3, NOT_THERE).order()
    found.looks(MINUTE, 4 * MINUTE, 25 * MINUTE, 210 * MINUTE)
    found.shop.go()
    found.shop.receipt(Status.delivered)
    assert (found.text["state"], found.text["counts_at"] is None) == ("delivered", False)


def test_a_second_doubt_about_the_same_text_begins_anew_and_keeps_what_was_found(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE).cart()
    found.look(MINUTE)
    found.carrier.answers.append(SILENT)
    assert found.shop.go() == 1
    found.look()
    assert found.stands() == ("uncertain", "")
    assert found.look(59 * SECOND) == 0
    found.carrier.tells = [Found(True, "SM2", by_reference=True)]
    found.look(SECOND)
    assert found.stands() == ("accepted", "sent")
    assert [each["attempt"] for each in doubts.evidence(found.doubt)] == [1, 2]


def test_what_was_not_there_the_first_time_says_nothing_of_the_second(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(FINDS, NOT_THERE).cart()
    found.looks(MINUTE, 4 * MINUTE)
    found.carrier.answers.append(SILENT)
    assert found.shop.go() == 1
    found.look()
    assert found.look(MINUTE) == 1
    assert found.stands() == ("uncertain", "")
    found.look(4 * MINUTE)
    assert found.stands() == ("planned", "not_sent")


# -- repeated safely ---------------------------------------------------------------------------


def test_a_provider_that_takes_the_same_text_only_once_is_given_it_again(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(SAFE).cart()
    found.look(MINUTE)
    assert found.text["counts_at"] is not None
    assert found.shop.dispatch() == 1
    assert found.stands() == ("accepted", "sent")
    first, second = found.carrier.sent
    assert (first.send_id, first.text, first.sender) == (
        second.send_id,
        second.text,
        second.sender,
    )


def test_it_does_not_stand_in_its_own_way(doubtful: Callable[..., Doubtful]) -> None:
    policy = Policy("p1", caps=(Cap("one", Purpose.marketing, 1, DAY),))
    found = doubtful(SAFE, policy=policy).cart()
    found.look(MINUTE)
    assert found.shop.dispatch() == 1


def test_with_other_words_by_then_it_is_not_repeated(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(SAFE).cart()
    found.shop.rt.says = replace(found.shop.rt.says, brand="Another Shop")
    found.look(MINUTE)
    assert found.shop.dispatch() == 0
    assert (found.text["state"], found.text["counts_at"]) == ("uncertain", found.text["begun_at"])
    assert "its words are others now" in str(found.doubt["why"])


def test_by_another_provider_it_is_not_repeated(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(SAFE).cart()
    other = Carrier("other")
    found.shop.rt.providers = {"carrier": found.carrier, "other": other}
    found.shop.rt.provider = "other"
    found.look(MINUTE)
    found.shop.dispatch()
    assert (found.text["state"], other.sent) == ("uncertain", [])
    assert "it would go another way now" in str(found.doubt["why"])


def test_no_longer_wanted_it_stays_in_doubt_and_is_no_text_that_did_not_go(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(SAFE).cart()
    found.look(MINUTE)
    found.shop.tell("order_completed", facts={"order_id": "7"})
    found.shop.reply("STOP")
    found.shop.dispatch()
    assert found.text["state"] == "uncertain"
    found.looks(4 * HOUR, MINUTE, MINUTE)
    found.shop.dispatch()
    found.looks(DAY, MINUTE)
    found.shop.dispatch()
    assert found.stands() == ("uncertain", "person")


@pytest.mark.parametrize("failure", [Refused("no", reason="blocked"), SILENT])
def test_a_repetition_that_fails_says_nothing_of_the_first_time(
    doubtful: Callable[..., Doubtful], failure: Exception
) -> None:
    found = doubtful(SAFE).cart()
    found.look(MINUTE)
    found.carrier.answers.append(failure)
    assert found.shop.dispatch() == 1
    assert found.text["state"] == "uncertain"
    found.look()
    found.look(4 * HOUR)
    assert found.stands() == ("uncertain", "person")
    assert found.shop.go(DAY) == 0


def test_a_pause_that_comes_before_it_is_repeated_leaves_it_in_doubt(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(SAFE).cart()
    found.look(MINUTE)
    shop = found.shop
    shop.rt.book = replace(shop.rt.book, hours=open_hours((0, 1)))
    assert shop.dispatch() == 0
    assert found.text["state"] == "uncertain"
    assert "quiet_hours" in str(found.doubt["why"])


def test_a_day_after_it_went_it_is_not_repeated_since_its_provider_may_have_forgotten_it(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(SAFE)
    step = replace(CART.steps[0], expires=9 * DAY)
    found.shop.rt.plays = {"cart": replace(CART, steps=(step,))}
    found.shop.rt.index()
    found.cart()
    found.look(MINUTE)
    assert found.shop.states() == ["planned"]
    assert found.shop.go(DAY - MINUTE) == 0, "the worker was away"
    assert found.shop.states() == ["uncertain"]
    assert "may not know it again" in str(found.doubt["why"])
    found.look()
    assert found.stands() == ("uncertain", "person")
    assert [row["kind"] for row in found.shop.rows("SELECT kind FROM alarms")] == ["text_in_doubt"]


def test_a_repetition_that_hears_of_an_opt_out_stops_the_number(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(SAFE).cart()
    found.look(MINUTE)
    found.carrier.answers.append(Refused("stopped", reason="opted_out", code="21610"))
    assert found.shop.dispatch() == 1
    assert found.text["state"] == "uncertain"
    assert found.shop.number()["blocked_scope"] == "all"


def test_what_cannot_be_decided_about_at_its_end_is_in_doubt_and_no_text_that_did_not_go(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(SAFE).cart()
    found.look(MINUTE)
    ways = found.shop.dispatcher._ways
    ways.of = lambda *given, **named: 1 / 0  # type: ignore[assignment,method-assign]
    found.shop.dispatch()
    assert (found.text["state"], found.text["reason"]) == ("planned", "check_failed")
    found.shop.tick(2 * DAY)
    found.shop.dispatch()
    assert found.text["state"] == "uncertain"
    assert found.text["counts_at"] is not None


def test_a_callback_for_one_that_is_to_be_repeated_settles_it(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(SAFE).cart()
    found.look(MINUTE)
    found.shop.receipt(Status.sent)
    assert found.stands() == ("accepted", "sent")
    assert found.doubt["settled_at"] is not None
    assert found.shop.dispatch() == 0


# -- who is first ------------------------------------------------------------------------------


def test_a_callback_that_comes_while_it_is_looked_up_is_not_undone(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE).cart()
    found.carrier.meanwhile = lambda: found.shop.receipt(Status.delivered)
    found.look(MINUTE)
    assert found.text["state"] == "delivered"
    assert found.shop.go(HOUR) == 0


def test_a_persons_word_while_it_is_looked_up_stands(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE).cart()
    shop = found.shop

    def settle() -> None:
        with shop.store.write() as tx:
            told = {"went": True, "who": "operator:bea", "why": "seen", "now": shop.clock()}
            inquest.by_hand(tx, shop.rt, str(found.text["id"]), **told)  # type: ignore[arg-type]

    found.carrier.meanwhile = settle
    found.look(MINUTE)
    assert found.stands() == ("accepted", "sent")
    assert found.doubt["who"] == "operator:bea"


def test_two_workers_look_a_text_up_once(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(BY_REFERENCE, Found(None)).cart()
    other = Reconciler(found.shop.rt)
    found.shop.tick(MINUTE)
    found.reconciler.round()
    other.round()
    found.look()
    assert len(found.carrier.asked) == 1


def test_a_look_that_answers_late_holds_nothing_up_and_is_made_again(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(BY_REFERENCE, Found(True, "SM9", by_reference=True)).cart()
    late = threading.Event()
    found.carrier.meanwhile = lambda: late.wait(20)
    found.shop.tick(MINUTE)
    found.reconciler.round()
    found.carrier.meanwhile = lambda: None
    found.shop.tell("order_completed", facts={"order_id": "7"})
    assert found.shop.go() == 1, "other texts leave meanwhile"
    found.shop.tick(LEASE)
    while found.text["state"] == "uncertain":
        found.reconciler.round()
        time.sleep(0.001)
    assert len(found.carrier.asked) == 2
    late.set()
    found.look()
    assert found.stands() == ("accepted", "sent")


def test_a_late_answer_to_an_attempt_that_is_over_says_nothing_of_the_next(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE).cart()
    found.look(MINUTE)
    found.carrier.answers.append(SILENT)
    found.shop.go()
    found.look()
    with found.shop.store.write() as tx:
        fate = inquest.hear(
            tx, found.shop.rt, str(found.text["id"]), 1, NOT_THERE, found.shop.clock()
        )
    assert fate is None
    assert found.text["state"] == "uncertain"


def test_a_doubt_that_cannot_be_settled_keeps_no_other_in_doubt(
    doubtful: Callable[..., Doubtful],
) -> None:
    found = doubtful(BY_REFERENCE, Found(True, "SM8", True), Found(True, "SM9", True)).order()
    found.carrier.answers.append(SILENT)
    found.shop.tell("order_completed", facts={"order_id": "8"}, key="8")
    assert found.shop.go() == 1
    found.look()
    with found.shop.store.write() as tx:
        tx.run("UPDATE doubts SET evidence = '{' WHERE send_id = 'snd_000001'")
    found.look(MINUTE)
    assert found.shop.states() == ["uncertain", "accepted"]
    assert found.look(LEASE - SECOND) == 0
    assert found.look(SECOND) == 1, "it is asked about again"


def test_nor_does_one_that_nobody_can_be_asked_about(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(SAFE).order()
    found.carrier.answers.append(SILENT)
    found.shop.tell("order_completed", facts={"order_id": "8"}, key="8")
    assert found.shop.go() == 1
    found.look()
    with found.shop.store.write() as tx:
        tx.run("UPDATE doubts SET evidence = '{' WHERE send_id = 'snd_000001'")
    found.look(MINUTE)
    assert found.shop.states() == ["uncertain", "planned"]


def test_a_death_puts_it_in_doubt_and_it_is_looked_up(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(BY_REFERENCE, NOT_THERE)
    found.cart()
    with found.shop.store.write() as tx:
        tx.run("UPDATE sends SET state = 'sending'")
        tx.run("DELETE FROM doubts")
    after_a_death(found.shop.rt)
    found.look()
    found.look(MINUTE)
    assert found.stands() == ("planned", "not_sent")


def test_an_accepted_answer_that_comes_late_settles_it(doubtful: Callable[..., Doubtful]) -> None:
    found = doubtful(BY_REFERENCE).cart()
    found.shop.receipt(Status.accepted)
    assert found.stands() == ("accepted", "sent")
