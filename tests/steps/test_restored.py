"""After a restore nobody who said stop is texted, and nothing goes twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import ConnectorError, Deferred
from connector.ledger import pauses, restores
from connector.ledger.acts import of
from connector.messages import Carried
from connector.model import Purpose, Subject
from connector.rules.policy import Cap, Policy
from connector.rules.routing import Hop, Route
from connector.steps import fetch, holds, inquest
from tests.crms.memory import MemoryCrm
from tests.steps.build import DAY, HOUR, MINUTE, OTHER, PHONE, Shop
from tests.steps.desk import FIELD, furnish
from tests.steps.lives import Remembering, back_up, live_on, look, open_life, restore

BEN = Subject(user_id="ben", phone=OTHER)


@pytest.fixture(params=[True, False], ids=["with references", "without references"])
def carrier(request: pytest.FixtureRequest) -> Remembering:
    return Remembering(references=request.param)


class Lives:
    """A shop, its backup, and what follows."""

    def __init__(self, path: Path, carrier: Remembering) -> None:
        self.path, self.carrier = path, carrier
        self.lost = open_life(path / "lost", carrier)
        self.shops = [self.lost]

    def back_up(self) -> None:
        self.backup_at = back_up(self.lost, self.path / "new")

    def restore(self, *plays: object, **changes: object) -> Shop:
        shop = restore(self.lost, self.path / "new", self.backup_at, *plays, **changes)
        self.shops.append(shop)
        return shop

    def hear(self, text: str, phone: str = PHONE) -> None:
        told = self.carrier.heard(len(self.carrier.replies), text, phone)
        self.lost.reply(text, phone, reply_id=told.provider_id)

    def sent(self) -> list[tuple[str, str]]:
        return [(text.to, text.text) for text in self.carrier.texts]


@pytest.fixture
def lives(tmp_path: Path, carrier: Remembering) -> Iterator[Lives]:
    made = Lives(tmp_path, carrier)
    yield made
    for shop in made.shops:
        shop.close()


def test_a_text_that_went_in_the_gap_does_not_go_again_and_its_play_goes_on(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.back_up()
    assert lives.lost.go(HOUR) == 1
    lives.carrier.clock.at += HOUR
    shop = lives.restore()
    look(shop)
    assert shop.go(MINUTE) == 0
    look(shop)
    live_on(shop, 2 * DAY, HOUR)
    texts = [text for _, text in lives.sent()]
    assert texts == ["Corner Shop: you, your cart waits", "Corner Shop: still there"]


def test_a_text_that_was_planned_before_the_backup_and_went_is_accepted_as_of_then(
    lives: Lives,
) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.lost.tick(HOUR)
    lives.lost.walk()
    lives.back_up()
    assert lives.lost.dispatch() == 1
    went = lives.carrier.clock.at
    lives.carrier.clock.at += HOUR
    shop = lives.restore()
    assert [row["state"] for row in shop.sends()] == ["uncertain"]
    found = look(shop)
    assert found is not None and (found.ours, found.lost) == (1, 0)
    [send] = shop.sends()
    assert send["state"] == "accepted" and send["provider_id"].startswith("SM-")
    assert send["counts_at"][:19] == f"{went:%Y-%m-%dT%H:%M:%S}"
    live_on(shop, 2 * DAY, HOUR)
    assert len(lives.sent()) == 2  # and the next of its play


def test_a_stop_in_the_gap_blocks(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.lost.go(HOUR)
    lives.back_up()
    lives.carrier.clock.at += HOUR
    lives.hear("STOP")
    shop = lives.restore()
    look(shop)
    assert shop.live().stopped == "all"
    live_on(shop, 3 * DAY, HOUR)
    assert [text for _, text in lives.sent()] == ["Corner Shop: you, your cart waits"]


def test_what_changed_in_the_crm_in_the_gap_is_told_before_anything_leaves(lives: Lives) -> None:
    crm = MemoryCrm(lambda: lives.carrier.clock.at)
    desk = furnish(lives.lost, crm)
    desk.reads()
    crm.put("1", phone=PHONE, plan="free")
    desk.polls()
    desk.consent()
    desk.tell("cart_updated", Subject(crm="desk", crm_id="1"))
    lives.back_up()
    lives.carrier.clock.at += HOUR
    crm.put("1", plan="pro", **{FIELD: "true"})
    crm.put("2", phone=OTHER)
    desk.reads()
    heard = len(desk.events())
    shop = furnish(lives.restore(), crm)
    assert shop.reads() == 0, "only the look into the gap reads it"
    found = look(shop)

    assert found is not None
    assert found.changes == 2
    assert len(shop.events()) == heard
    assert shop.live().stopped == "all"
    live_on(shop, 3 * HOUR, HOUR)
    assert lives.sent() == []


def test_nothing_leaves_before_the_gap_was_looked_into(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.back_up()
    lives.carrier.clock.at += MINUTE
    shop = lives.restore()
    shop.tell("signed_up")
    live_on(shop, 3 * HOUR, HOUR)
    assert lives.sent() == []
    assert [row["state"] for row in shop.enrolments()] == ["waiting", "waiting"]
    assert look(shop) is not None
    live_on(shop, 12 * HOUR, HOUR)
    assert len(lives.sent()) >= 1


def test_what_did_not_go_in_the_gap_goes_once_the_provider_said_so(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.lost.tick(HOUR)
    lives.lost.walk()
    lives.back_up()
    lives.carrier.clock.at += HOUR  # the connector that was lost was down
    shop = lives.restore()
    assert [row["state"] for row in shop.sends()] == ["uncertain"]
    found = look(shop)
    assert found is not None and found.clear == 1
    live_on(shop, HOUR, MINUTE)
    assert [text for _, text in lives.sent()] == ["Corner Shop: you, your cart waits"]


def test_a_text_that_nobody_remembers_counts_in_caps(lives: Lives) -> None:
    policy = Policy("p1", caps=(Cap("one", Purpose.marketing, 1, 7 * DAY),))
    lives.lost.consent()
    lives.lost.tell("page_viewed")
    lives.back_up()
    lives.carrier.texts.append(
        Carried("carrier", "SM-unknown", PHONE, "Something else", lives.carrier.clock())
    )
    lives.carrier.clock.at += HOUR
    shop = lives.restore(policy=policy)
    found = look(shop)
    assert found is not None and (found.ours, found.lost) == (0, 1)
    shop.tell("signed_up")
    assert shop.go(MINUTE) == 0
    assert shop.decisions("plan")[-1][1] == "cap_full"
    assert look(shop) is None
    assert len([row for row in shop.sends() if row["cause"] == "lost"]) == 1


def test_other_words_after_a_text_was_due_leave_it_in_doubt_for_a_person(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.lost.tick(HOUR)
    lives.lost.walk()
    lives.back_up()
    lives.carrier.clock.at += HOUR
    lives.carrier.texts.append(
        Carried("carrier", "SM-other", PHONE, "Corner Shop: welcome", lives.carrier.clock())
    )
    shop = lives.restore()
    found = look(shop)
    assert found is not None and found.doubtful == 1
    assert shop.go(MINUTE) == 0
    [send] = [row for row in shop.sends() if row["state"] == "uncertain"]
    with shop.store.write() as tx:
        inquest.by_hand(
            tx, shop.rt, send["id"], went=False, who="operator:ann", why="log", now=shop.clock()
        )
    assert shop.go(MINUTE) == 1


def test_a_text_whose_words_were_changed_since_does_not_go_again(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.back_up()
    assert lives.lost.go(HOUR) == 1
    lives.carrier.clock.at += HOUR
    shop = lives.restore(texts={"cart": "{{ brand }}: come back"})
    look(shop)
    live_on(shop, 3 * HOUR, MINUTE * 20)
    assert len(lives.sent()) == 1
    assert [row["state"] for row in shop.sends() if row["cause"] == "play"] == ["uncertain"]


def test_a_provider_that_cannot_tell_keeps_everything_held(lives: Lives) -> None:
    lives.lost.consent()
    lives.back_up()
    lives.carrier.down = Deferred("down")
    shop = lives.restore()
    with pytest.raises(Deferred):
        fetch.fetch(shop.rt)
    with shop.store.read() as tx:
        assert restores.read(tx).is_open  # type: ignore[union-attr]
        assert restores.read(tx).trouble == "down"  # type: ignore[union-attr]
        assert pauses.of(tx, "cart") is not None


def test_no_road_lifts_the_kill_switch_before_the_gap_was_looked_into(lives: Lives) -> None:
    lives.back_up()
    shop = lives.restore()
    with pytest.raises(ConnectorError, match="restore fetch"), shop.store.write() as tx:
        holds.resume(tx, shop.rt, pauses.EVERYTHING, who="operator:ann", why="go", now=shop.clock())
    look(shop)
    with shop.store.read() as tx:
        assert pauses.all_(tx) == {}


def test_a_pause_of_an_operators_own_outlasts_the_fetching(lives: Lives) -> None:
    with lives.lost.store.write() as tx:
        holds.pause(
            tx, lives.lost.rt, "*", "hold", who="operator:bea", why="x", now=lives.lost.clock()
        )
    lives.back_up()
    shop = lives.restore()
    look(shop)
    with shop.store.read() as tx:
        assert pauses.all_(tx)["*"]["who"] == "operator:bea"


def test_a_person_may_answer_for_the_gap_and_doubts_stay_doubts(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("cart_updated")
    lives.lost.tick(HOUR)
    lives.lost.walk()
    lives.back_up()
    lives.lost.dispatch()
    lives.carrier.clock.at += MINUTE
    shop = lives.restore()
    with shop.store.write() as tx:
        known = restores.read(tx)
        assert known is not None
        now = shop.clock()
        fetch.confirm(tx, known, who="operator:ann", why="list read", now=now, act_id="act_z")
        shop.rt.restored = restores.read(tx)
        assert next(row["act"] for row in of(tx, "ledger")) == "restore_confirmed"
    live_on(shop, 2 * DAY, HOUR)
    assert [row["state"] for row in shop.sends()] == ["uncertain"]
    assert len(lives.sent()) == 1


def test_an_event_told_again_after_the_restore_does_not_text_again(lives: Lives) -> None:
    lives.lost.consent()
    lives.back_up()
    heard_at = lives.carrier.clock.at
    lives.lost.tell("cart_updated")
    assert lives.lost.go(HOUR) == 1
    lives.carrier.clock.at += HOUR
    shop = lives.restore()
    look(shop)
    shop._told = 0
    shop.tell("cart_updated", at=heard_at)  # the source sends again what it holds
    live_on(shop, 5 * HOUR, MINUTE * 10)
    assert len(Counter(lives.sent())) == len(lives.sent()) == 1


def test_a_reply_in_the_gap_is_not_answered_again(lives: Lives) -> None:
    lives.lost.consent()
    lives.lost.tell("signed_up")
    lives.lost.go(MINUTE)
    lives.back_up()
    lives.hear("HELP")
    lives.lost.go()
    lives.carrier.clock.at += MINUTE
    shop = lives.restore()
    look(shop)
    live_on(shop, 10 * MINUTE, timedelta(seconds=10))
    answers = [text for _, text in lives.sent() if "write to" in text]
    assert len(answers) == 1


def test_every_provider_that_texts_went_by_is_asked_for_the_gap(lives: Lives) -> None:
    other = Remembering("other", clock=lives.carrier.clock)
    both = (Route("both", (Hop("carrier"), Hop("other"))),)
    for phone in (PHONE, OTHER):
        lives.lost.consent(phone=phone)
    lives.back_up()
    lives.lost.rt.routes = both
    lives.lost.rt.providers = {"carrier": lives.carrier, "other": other}
    lives.lost.tell("signed_up")
    lives.carrier.answers.append(Deferred("down"))
    lives.lost.go()
    lives.lost.dispatch()
    assert (len(other.texts), lives.carrier.texts) == (1, [])
    stop = other.heard(1, "STOP", OTHER)
    lives.lost.reply("STOP", OTHER, reply_id=stop.provider_id)
    lives.carrier.clock.at += HOUR
    shop = lives.restore()
    shop.rt.providers, shop.rt.routes = lives.lost.rt.providers, both
    found = fetch.fetch(shop.rt)
    assert found is not None
    assert (found.texts, found.replies) == (1, 1)
    assert shop.number(OTHER)["blocked_scope"] == "all"
