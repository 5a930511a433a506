"""Clicks: all are kept, a person's are activity, an outcome, a signal, and told to the CRM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from connector import clock
from connector.errors import Unreadable
from connector.ledger import links as ledger
from connector.ledger.inbox import Delivery
from connector.rules.plays import Start, Step
from connector.steps import advance, clicks
from tests.steps.build import DAY, HOUR, MINUTE, NOW, PHONE, SECOND, WELCOME, Shop

OpenShop = Callable[..., Shop]
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)
URL = "https://corner.example/cart/1"
TEXT = "Corner Shop: {{ link(signal.url) }} {{ link(signal.url ~ '/help') }}"
THANKS = replace(
    WELCOME, name="thanks", start=Start("click"), steps=(Step("hello", template="thanks"),)
)


@pytest.fixture
def linked(open_shop: OpenShop) -> Shop:
    """Ann was texted two links at noon, a minute ago."""
    shop = open_shop(
        WELCOME,
        THANKS,
        texts={"welcome": TEXT, "thanks": "Corner Shop: thank you"},
        links_url="https://t.corner.example",
    )
    shop.consent()
    shop.tell("signed_up", facts={"url": URL}, key="cart-1")
    assert shop.go() == 1
    shop.tick(MINUTE)
    return shop


def code(shop: Shop, url: str = URL, send: str = "snd_000001") -> str:
    [row] = shop.rows("SELECT code FROM links WHERE url = :url AND send_id = :s", url=url, s=send)
    return str(row["code"])


def fetched(shop: Shop, link: str = "", **told: Any) -> None:
    """Somebody fetched a link now."""
    body = {
        "code": link or code(shop),
        "method": "GET",
        "agent": IPHONE,
        "accept": "text/html",
        "purpose": "",
        "network": "203.0.113.0/24",
        **told,
    }
    shop.inbox.append(Delivery("click", "links", shop.clock(), orjson.dumps(body)))
    while advance.advance(shop.rt):
        pass


def verdicts(shop: Shop) -> list[tuple[str, str]]:
    return [(row["verdict"], row["why"]) for row in shop.rows("SELECT * FROM clicks ORDER BY id")]


def signals(shop: Shop) -> list[dict[str, Any]]:
    return shop.rows("SELECT * FROM signals WHERE name = 'click' ORDER BY id")


def test_a_tap_is_activity_an_outcome_and_a_signal_and_starts_plays(linked: Shop) -> None:
    linked.tick(HOUR)
    fetched(linked)
    at = clock.text(linked.clock())
    [row] = linked.rows("SELECT * FROM clicks")
    assert (row["verdict"], row["why"], row["method"], row["agent"], row["at"]) == (
        "human",
        "tapped",
        "GET",
        IPHONE,
        at,
    )
    assert (row["send_id"], row["contact_id"]) == ("snd_000001", "con_000001")
    [contact] = linked.rows("SELECT last_activity_at FROM contacts")
    assert contact["last_activity_at"] == at
    [heard] = linked.rows("SELECT * FROM outcomes")
    assert (heard["kind"], heard["thing"], heard["enrolment_id"], heard["send_id"]) == (
        "clicked",
        "corner.example",
        "enr_000001",
        "snd_000001",
    )
    [signal] = signals(linked)
    assert orjson.loads(signal["facts"]) == {"url": URL, "play": "welcome", "step": "hello"}
    assert (signal["key"], signal["activity"], signal["contact_id"]) == ("cart-1", 1, "con_000001")
    assert [row["play"] for row in linked.enrolments()] == ["welcome", "thanks"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"method": "HEAD"}, "head"),
        ({"agent": "WhatsApp/2.23.20.0 A"}, "preview"),
        ({"agent": "Barracuda Sentinel (EE)"}, "scanner"),
        ({"agent": ""}, "no_agent"),
        ({"purpose": "Prefetch"}, "prefetch"),
        ({"accept": "*/*"}, "no_page"),
    ],
)
def test_what_is_no_person_is_kept_and_does_nothing(
    linked: Shop, told: dict[str, str], why: str
) -> None:
    before = linked.rows("SELECT last_activity_at FROM contacts")
    fetched(linked, **told)
    assert [reason for _, reason in verdicts(linked)] == [why]
    assert signals(linked) == linked.rows("SELECT * FROM outcomes") == []
    assert linked.rows("SELECT last_activity_at FROM contacts") == before
    assert len(linked.enrolments()) == 1
    assert linked.rows("SELECT * FROM writebacks WHERE key LIKE 'outcome:%'") == []


def test_a_link_tapped_again_is_a_signal_again_but_one_outcome_and_one_line_in_the_crm(
    linked: Shop,
) -> None:
    for _ in range(3):
        fetched(linked)
        linked.tick(MINUTE)
    assert len(verdicts(linked)) == len(signals(linked)) == 3
    assert len(linked.rows("SELECT * FROM outcomes")) == 1
    assert len(linked.rows("SELECT * FROM writebacks WHERE key LIKE 'outcome:%'")) == 1
    fetched(linked, code(linked, f"{URL}/help"))
    assert len(linked.rows("SELECT * FROM writebacks WHERE key LIKE 'outcome:%'")) == 2


@pytest.mark.parametrize(("after", "why"), [(SECOND, "too_soon"), (2 * SECOND, "tapped")])
def test_a_fetch_as_soon_as_the_text_left_is_a_scanners(
    linked: Shop, after: timedelta, why: str
) -> None:
    linked.clock.at = NOW + after
    fetched(linked)
    assert [reason for _, reason in verdicts(linked)] == [why]


def test_who_follows_all_links_of_a_text_is_a_scanner(linked: Shop) -> None:
    fetched(linked)
    linked.tick(SECOND)
    fetched(linked, code(linked, f"{URL}/help"))
    linked.tick(MINUTE)
    fetched(linked, code(linked, f"{URL}/help"))
    assert [why for _, why in verdicts(linked)] == ["tapped", "all_links", "tapped"]


def five_others(shop: Shop) -> list[str]:
    """The codes of five more texts."""
    with shop.store.write() as tx:
        for number in range(5):
            ledger.add(tx, f"OTHER{number}", URL, f"snd_{number}", "con_000001", NOW)
            tx.run(
                """INSERT INTO sends (id, cause, cause_id, step, contact_id, purpose, phone,
                template, state, planned_at, due_at, expires_at) VALUES (:id, 'play', :id, 's',
                'con_000001', 'marketing', :phone, 't', 'accepted', '', '', '')""",
                id=f"snd_{number}",
                phone=PHONE,
            )
    return [f"OTHER{number}" for number in range(5)]


def test_who_follows_many_peoples_links_at_once_is_a_scanner(linked: Shop) -> None:
    for link in five_others(linked):
        fetched(linked, link)
    assert [why for _, why in verdicts(linked)] == ["tapped"] * 4 + ["many_codes"]
    linked.tick(SECOND)
    fetched(linked, network="198.51.100.0/24")
    assert verdicts(linked)[-1][1] == "tapped"


@pytest.mark.parametrize("differs", ["agent", "network", "time"])
def test_many_people_behind_one_network_are_people(linked: Shop, differs: str) -> None:
    for number, link in enumerate(five_others(linked)):
        agent = f"{IPHONE} ({number})" if differs == "agent" else IPHONE
        network = f"203.0.{number}.0/24" if differs == "network" else "203.0.113.0/24"
        linked.tick(2 * SECOND if differs == "time" else timedelta())
        fetched(linked, link, agent=agent, network=network)
    assert {why for _, why in verdicts(linked)} == {"tapped"}


def test_a_tap_is_laid_to_whom_the_contact_was_merged_into(linked: Shop) -> None:
    with linked.store.write() as tx:
        tx.run("INSERT INTO contacts (id, created_at) VALUES ('con_9', '')")
        tx.run("UPDATE contacts SET merged_into = 'con_9' WHERE id = 'con_000001'")
    fetched(linked)
    assert [row["contact_id"] for row in signals(linked)] == ["con_9"]


def test_a_tap_in_a_text_to_ourselves_is_kept_and_counts_for_nothing(linked: Shop) -> None:
    with linked.store.write() as tx:
        tx.run("UPDATE sends SET cause = 'test'")
    fetched(linked)
    assert verdicts(linked) == [("human", "tapped")]
    assert signals(linked) == linked.rows("SELECT * FROM outcomes") == []


def test_a_tap_whose_text_is_still_on_its_way_is_judged_by_when_it_was_handed_over(
    linked: Shop,
) -> None:
    with linked.store.write() as tx:
        tx.run("UPDATE sends SET state = 'sending', accepted_at = NULL")
    fetched(linked)
    assert verdicts(linked) == [("human", "tapped")]


def test_a_link_of_somebody_erased_is_forgotten_without_a_word_of_it(
    linked: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    found = code(linked)
    fetched(linked, found)
    with linked.store.write() as tx:
        tx.run("DELETE FROM links")
    fetched(linked, found)
    assert len(verdicts(linked)) == 1
    assert "act=click send=snd_000001 verdict=human" in caplog.text
    assert "result=unknown_link" in caplog.text
    assert found not in caplog.text
    assert URL not in caplog.text


def test_a_delivery_is_taken_once_however_often_the_worker_dies(linked: Shop) -> None:
    fetched(linked)
    linked.walk()
    linked.walk()
    assert len(verdicts(linked)) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"code": "x"}', b"null"])
def test_what_is_no_fetch_is_kept_as_unreadable(linked: Shop, body: bytes) -> None:
    with pytest.raises(Unreadable):
        clicks.read(Delivery("click", "links", NOW, body))
    linked.deliver(body, "links", "click")
    linked.walk()
    assert len(linked.rows("SELECT * FROM unreadable")) == 1


def test_whether_an_enrolment_was_tapped_goes_by_people_alone(linked: Shop) -> None:
    def tapped() -> bool:
        with linked.store.read() as tx:
            return ledger.clicked(tx, "enr_000001")

    fetched(linked, method="HEAD")
    assert not tapped()
    fetched(linked)
    assert tapped()


def test_the_click_of_a_play_comes_to_the_crm_in_plain_words(linked: Shop) -> None:
    from connector.ledger import outcomes
    from connector.rules import activities

    fetched(linked)
    [heard] = linked.rows("SELECT id FROM outcomes")
    with linked.store.read() as tx:
        [owed] = activities.for_outcome(outcomes.get(tx, heard["id"]), "welcome")
    assert owed.change["subject"] == "Outcome: clicked, corner.example"


def test_a_late_told_tap_is_judged_by_when_it_was(linked: Shop) -> None:
    body = {"code": code(linked), "method": "GET", "agent": IPHONE, "accept": None}
    told = orjson.dumps({**body, "purpose": "", "network": ""})
    linked.inbox.append(Delivery("click", "links", linked.clock(), told))
    at = clock.text(linked.clock())
    linked.tick(DAY)
    linked.walk()
    [signal] = signals(linked)
    assert signal["occurred_at"] == at
