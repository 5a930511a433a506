"""Replies that came while nobody listened are heard before any marketing leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from connector.errors import Deferred
from connector.ledger import alarms, pauses
from connector.messages import Reply
from connector.providers import Ability
from connector.steps import hearing
from connector.steps.advance import Advancer
from connector.steps.catchup import CatchUp
from tests.steps.build import (
    CART,
    DAY,
    HOUR,
    MINUTE,
    ORDER,
    OTHER,
    OURS,
    PHONE,
    SECOND,
    Carrier,
    Shop,
)

OpenShop = Callable[..., Shop]


@dataclass
class Listing(Carrier):
    """A provider that lists the replies it took, when it can."""

    does: frozenset[Ability] = frozenset({Ability.lists_replies})
    replies: list[Reply] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)
    fails: bool = False

    def inbound(self, since: datetime) -> Iterator[Reply]:
        self.asked.append(since)
        if self.fails:
            raise Deferred("it is down", reason="unavailable")
        return iter([each for each in self.replies if (each.occurred_at or since) >= since])


class Away:
    """A shop whose web and worker are there, or are not."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.carrier = Listing()
        shop.carrier = self.carrier
        shop.rt.providers = {"carrier": self.carrier}
        shop.consent()
        shop.consent("service")
        self.web()
        self.catchup = self.starts()

    def starts(self) -> CatchUp:
        """The worker starts."""
        self.catchup = CatchUp(self.shop.rt, wall=self.shop.clock)
        self.catchup.begin()
        return self.catchup

    def web(self) -> None:
        """The web notes that it is there."""
        with self.shop.store.write() as tx:
            hearing.note(tx, self.shop.rt, "web", self.shop.clock(), self.shop.clock())

    def lives(self, span: timedelta, *, web: bool = True) -> int:
        """Both go on for a while; how many replies were heard."""
        heard, until = 0, self.shop.clock() + span
        while self.shop.clock() < until:
            self.shop.tick(30 * SECOND)
            if web:
                self.web()
            heard += self.catchup.round()
        return heard

    def was_told(self, text: str, ago: timedelta = MINUTE, phone: str = PHONE) -> None:
        """The provider took a reply; nobody heard of it."""
        at = self.shop.clock() - ago
        name = f"in-{len(self.carrier.replies)}"
        self.carrier.replies.append(Reply("carrier", name, phone, OURS, text, at))

    @property
    def is_held(self) -> bool:
        with self.shop.store.read() as tx:
            return pauses.UNHEARD in pauses.all_(tx)

    def alarms(self) -> list[str]:
        with self.shop.store.read() as tx:
            return [str(row["kind"]) for row in alarms.open_(tx)]


@pytest.fixture
def away(open_shop: OpenShop) -> Away:
    return Away(open_shop(CART, ORDER))


# -- as long as all is well --------------------------------------------------------------------


def test_at_start_and_every_quarter_of_an_hour_providers_are_asked(away: Away) -> None:
    away.catchup.round()
    assert len(away.carrier.asked) == 1
    away.lives(14 * MINUTE)
    assert len(away.carrier.asked) == 1
    away.lives(MINUTE)
    assert len(away.carrier.asked) == 2
    assert not away.is_held


def test_each_asking_begins_a_little_before_the_last_one(away: Away) -> None:
    away.catchup.round()
    first = away.shop.clock()
    away.lives(15 * MINUTE)
    assert away.carrier.asked[1] == first - 10 * MINUTE


def test_a_reply_whose_callback_was_lost_is_heard_once(away: Away) -> None:
    away.was_told("STOP")
    assert away.catchup.round() == 1
    assert away.shop.number()["blocked_scope"] == "all"
    assert away.lives(20 * MINUTE) == 0
    assert [row["repeats"] for row in away.shop.rows("SELECT * FROM replies")] == [0]


def test_what_was_heard_by_callback_is_not_heard_again(away: Away) -> None:
    away.was_told("thanks")
    away.shop.reply("thanks", reply_id="in-0")
    assert away.catchup.round() == 0


# -- after a gap -------------------------------------------------------------------------------


def test_after_a_gap_of_more_than_five_minutes_no_marketing_leaves_until_replies_were_listed(
    away: Away,
) -> None:
    away.catchup.round()
    away.shop.tell("cart_updated")
    away.shop.tick(HOUR)
    away.was_told("STOP", ago=20 * MINUTE)
    away.starts()
    assert away.is_held
    assert away.shop.go() == 0
    assert away.catchup.round() == 1
    with away.shop.store.read() as tx:
        assert pauses.all_(tx) == {}
    assert away.shop.dispatch() == 0, "somebody had said stop"


def test_what_waited_only_for_that_is_due_as_soon_as_they_were_listed(away: Away) -> None:
    away.catchup.round()
    away.shop.tell("cart_updated")
    away.shop.tick(HOUR)
    away.starts()
    assert away.shop.go() == 0
    assert away.shop.decisions("plan") == [("wait", "replies_unheard")]
    away.catchup.round()
    assert away.shop.dispatch() == 1


@pytest.mark.parametrize(("gap", "held"), [(5 * MINUTE, False), (5 * MINUTE + SECOND, True)])
def test_a_gap_is_more_than_five_minutes(away: Away, gap: timedelta, held: bool) -> None:
    away.shop.tick(gap)
    away.starts()
    assert away.is_held is held


def test_the_web_alone_meets_its_own_gap_before_anybody_can_overlook_it(away: Away) -> None:
    away.lives(MINUTE)
    away.shop.tick(6 * MINUTE)
    away.web()
    assert away.is_held


def test_a_web_that_stays_away_is_made_up_for_by_asking(away: Away) -> None:
    away.catchup.round()
    away.lives(15 * MINUTE)
    away.lives(HOUR, web=False)
    assert len(away.carrier.asked) == 2 + 20
    assert away.shop.rows("SELECT * FROM acts WHERE about = 'play:@unheard'") == []


def test_while_the_web_is_away_a_stop_is_heard_within_minutes(away: Away) -> None:
    away.lives(20 * MINUTE, web=False)
    away.was_told("STOP", ago=SECOND)
    assert away.lives(3 * MINUTE, web=False) == 1
    assert away.shop.number()["blocked_scope"] == "all"


def test_while_the_web_is_away_and_replies_cannot_be_listed_marketing_waits(away: Away) -> None:
    away.lives(20 * MINUTE, web=False)
    away.carrier.fails = True
    away.lives(8 * MINUTE, web=False)
    assert away.is_held
    away.lives(20 * MINUTE, web=False)
    assert (away.is_held, away.alarms()) == (True, ["replies_unheard"])
    assert len(away.shop.rows("SELECT * FROM acts WHERE about = 'play:@unheard'")) == 1


@pytest.mark.parametrize("others", ["one that is only configured", "none that lists replies"])
def test_a_web_that_stays_away_holds_nothing_that_nobody_in_use_could_tell_of(
    away: Away, others: str
) -> None:
    other = Listing(name="other", fails=True)
    away.shop.rt.providers = {"carrier": away.carrier, "other": other}
    if others == "none that lists replies":
        away.carrier.does = other.does = frozenset()
    away.lives(HOUR, web=False)
    assert away.shop.rows("SELECT * FROM acts WHERE about = 'play:@unheard'") == []


def test_a_marketing_text_that_had_passed_the_gate_is_given_back(away: Away) -> None:
    away.shop.tell("cart_updated")
    now = away.shop.clock()
    before = away.shop.dispatcher._given_back

    def hold_first(ticket: object) -> object:
        with away.shop.store.write() as tx:
            hearing.hold(tx, away.shop.rt, "the web was away for 6 minutes", now)
        return before(ticket)  # type: ignore[arg-type]

    away.shop.dispatcher._given_back = hold_first  # type: ignore[method-assign,assignment]
    assert away.shop.go(HOUR) == 0
    assert away.shop.sends()[0]["state"] == "planned"


def test_service_texts_and_answers_go_on(away: Away) -> None:
    away.shop.tick(HOUR)
    away.carrier.fails = True
    away.starts()
    away.shop.tell("order_completed", facts={"order_id": "7"})
    away.shop.reply("HELP")
    assert away.shop.go() == 2


def test_while_a_provider_cannot_list_them_marketing_waits_and_somebody_is_told(
    away: Away,
) -> None:
    away.shop.tick(HOUR)
    away.carrier.fails = True
    away.starts()
    away.lives(4 * MINUTE)
    assert (away.is_held, away.alarms()) == (True, [])
    away.lives(2 * MINUTE)
    assert (away.is_held, away.alarms()) == (True, ["replies_unheard"])
    assert len(away.carrier.asked) <= 8, "it is asked once a minute"
    away.carrier.fails = False
    away.lives(MINUTE)
    assert (away.is_held, away.alarms()) == (False, [])


def test_every_provider_in_use_must_have_listed_them(away: Away) -> None:
    other = Listing(name="other")
    away.shop.rt.providers = {"carrier": away.carrier, "other": other}
    away.catchup.round()
    other.fails = True
    away.shop.tick(HOUR)
    away.starts()
    away.catchup.round()
    assert away.is_held
    other.fails = False
    away.lives(MINUTE)
    assert not away.is_held


def test_one_that_is_only_configured_holds_nothing(away: Away) -> None:
    other = Listing(name="other", fails=True)
    away.shop.rt.providers = {"carrier": away.carrier, "other": other}
    away.shop.tick(HOUR)
    away.starts()
    away.catchup.round()
    assert not away.is_held


def test_one_that_cannot_list_replies_holds_nothing_for_long(away: Away) -> None:
    away.carrier.does = frozenset()
    away.shop.tick(HOUR)
    away.starts()
    away.catchup.round()
    assert not away.is_held
    assert away.carrier.asked == []


def test_what_waits_in_the_inbox_is_heard_first(away: Away) -> None:
    away.shop.put({"event": "cart_updated", "userId": "ann"})
    away.shop.tick(HOUR)
    away.starts()
    away.catchup.round()
    assert away.is_held
    Advancer(away.shop.rt).round()
    away.catchup.round()
    assert not away.is_held


def test_a_reply_that_cannot_be_taken_keeps_no_other_from_being_heard_and_holds_marketing(
    away: Away,
) -> None:
    other = Listing(name="other")
    away.shop.rt.providers = {"carrier": away.carrier, "other": other}
    away.catchup.round()
    away.was_told("what?", phone=OTHER)
    nameless = replace(away.carrier.replies[0], provider_id=None)  # type: ignore[arg-type]
    away.carrier.replies[0] = nameless
    away.was_told("STOP")
    away.shop.tick(HOUR)
    away.starts()
    away.lives(6 * MINUTE)
    assert away.shop.number()["blocked_scope"] == "all"
    assert len(other.asked) == 2
    assert (away.is_held, away.alarms()) == (True, ["replies_unheard"])
    [alarm] = away.shop.rows("SELECT says FROM alarms")
    assert "carrier (1 of its replies could not be taken, see the log)" in alarm["says"]


def test_no_hand_lifts_it_and_a_new_ledger_has_no_gap(away: Away, open_shop: OpenShop) -> None:
    fresh = Away(open_shop(CART))
    assert not fresh.is_held
    assert fresh.shop.clock() < away.shop.clock() + DAY
