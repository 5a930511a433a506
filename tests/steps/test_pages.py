"""Whatever a page says: no number of its own making is texted, no consent is its own, and whom it
may speak for depends on what your server signed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger.inbox import Delivery
from connector.model import Purpose, Trust
from connector.rules.identity import signature
from connector.rules.plays import Restart, Start
from connector.rules.policy import Cap, Policy
from connector.sources.segment import Segment
from connector.steps.setup import OpenSource
from tests.rules.test_mapping import SEGMENT
from tests.steps.build import CART, DAY, HOUR, MINUTE, Shop

SECRET = b"the secret of the members' pages"
KNOWN, SILENT, STRANGE = "+12125550101", "+12125550102", "+12125550199"
NUMBERS = (KNOWN, SILENT, STRANGE, "+447700900123")
USERS = ("u-1", "u-2", "u-3", "u-9")
PAGES = ("site", "members")  # the second one's users must be signed
LIMIT = 3
ONE = CART.steps[:1]
TEXTED = (
    replace(CART, start=replace(CART.start, after=MINUTE), steps=ONE),
    replace(CART, name="form", start=Start("form_started", restart=Restart.rearm), steps=ONE),
    replace(CART, name="seen", start=Start("identified"), steps=ONE),
)


def open_shop(folder: Path) -> Shop:
    """A shop with two kinds of pages, and a server that tells of Ann's consent and Bob's none."""
    cap = Cap("most", Purpose.marketing, LIMIT, DAY)
    shop = Shop(folder, *TEXTED, policy=Policy("p1", caps=(cap,)), texts={"cart": "hello"})
    for name in (*PAGES, "backend"):
        trust = Trust.browser if name in PAGES else Trust.trusted
        adapter = Segment(source=name, trust=trust, keys=[b"key"])
        signed = (SECRET,) if name == "members" else None
        shop.rt.sources[name] = OpenSource(name, trust, adapter, SEGMENT, signed)  # type: ignore[index]
    for user, phone, agreed in (("u-1", KNOWN, True), ("u-2", SILENT, None)):
        traits = {"phone": phone, "sms_consent": agreed, "email": f"{user}@shop.example"}
        say(shop, "backend", {"type": "identify", "userId": user, "traits": traits})
    shop.go()
    return shop


def say(shop: Shop, source: str, *events: dict[str, Any]) -> None:
    """What a page's library, or a server's, sends."""
    body = orjson.dumps({"batch": list(events)})
    shop.inbox.append(Delivery("events", source, shop.clock(), body, "https://x/v1/batch"))


def told(kind: str, user: str, agent: str, phone: str, signed: str, name: str) -> dict[str, Any]:
    """An event as somebody would write it who may write anything."""
    traits = {
        "phone": phone,
        "sms_consent": True,
        "cart_reminders_consent": "yes",
        "email": "u-1@shop.example",
        "timezone": "Asia/Tokyo",
    }
    return {
        "type": kind,
        "event": name,
        "userId": user or None,
        "anonymousId": agent,
        "previousId": "u-1",
        "userHash": signature(signed, SECRET) if signed else "",
        "identity": "proven",
        "traits": traits,
        "properties": {**traits, "cart_id": "c-1", "form_id": phone},
        "context": {"traits": traits, "identity": "proven"},
    }


EVENTS = st.tuples(
    st.sampled_from(PAGES),
    st.builds(
        told,
        kind=st.sampled_from(("identify", "track", "track", "track", "page", "alias", "group")),
        user=st.sampled_from(("", *USERS)),
        agent=st.sampled_from(("a-1", "a-2", "u-1")),
        phone=st.sampled_from(NUMBERS),
        signed=st.sampled_from(("", "u-2", "u-9")),  # u-1 never signs anything in
        name=st.sampled_from(("Cart Updated", "Form Started", "Form Submitted", "SMS Opted Out")),
    ),
    st.sampled_from((0, 1, 30, 700)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=12))
def test_whatever_pages_say_only_a_number_of_a_trusted_source_is_texted_and_within_its_caps(
    heard: list[tuple[str, dict[str, Any], int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = open_shop(Path(folder))
        for source, event, minutes in heard:
            say(shop, source, event)
            shop.go(minutes * MINUTE)
        shop.go(2 * HOUR)
        texted = [message.to for message in shop.carrier.sent]
        assert set(texted) <= {KNOWN}
        consents = shop.rows("SELECT DISTINCT phone, source FROM consents")
        assert consents == [{"phone": KNOWN, "source": "backend"}]
        phones = shop.rows("SELECT DISTINCT value FROM identities WHERE kind = 'phone'")
        assert {row["value"] for row in phones} == {KNOWN, SILENT}
        assert not shop.rows("SELECT 1 FROM contacts WHERE timezone <> ''")
        users = shop.rows("SELECT value, contact_id FROM identities WHERE kind = 'user_id'")
        assert len({row["contact_id"] for row in users}) == len(users), "two users are never one"
        spread = sum(minutes for *_, minutes in heard) // 1_440 + 1
        assert len(texted) <= LIMIT * (spread + 1)
        shop.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(EVENTS.filter(lambda told: told[0] == "members"), max_size=12))
def test_where_users_must_be_signed_nobody_else_speaks_for_them(
    heard: list[tuple[str, dict[str, Any], int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = open_shop(Path(folder))
        shop.carrier.sent.clear()
        for source, event, minutes in heard:
            say(shop, source, event)
            shop.go(minutes * MINUTE)
        assert not shop.carrier.sent, "u-1 alone may be texted, and nobody signed u-1 in"
        ann = shop.rows(
            "SELECT contact_id FROM identities WHERE value = 'u-1' AND kind = 'user_id'"
        )
        spoken = shop.rows(
            "SELECT source FROM events WHERE contact_id = :id", id=ann[0]["contact_id"]
        )
        assert {row["source"] for row in spoken} == {"backend"}
        shop.close()


# -- one by one --------------------------------------------------------------------------------


@pytest.fixture
def pages(tmp_path: Path) -> Any:
    shop = open_shop(tmp_path)
    yield shop
    shop.close()


def whose(shop: Shop, kind: str, value: str) -> str:
    """The contact that bears a name."""
    sql = "SELECT contact_id FROM identities WHERE kind = :kind AND value = :value"
    found = shop.rows(sql, kind=kind, value=value)
    return str(found[0]["contact_id"]) if found else ""


def test_a_signed_user_is_joined_with_who_they_were_before_they_signed_in(pages: Shop) -> None:
    say(pages, "members", {"type": "page", "anonymousId": "a-7"})
    pages.go()
    before = whose(pages, "anonymous_id", "a-7")
    signed = signature("u-1", SECRET)
    who = {"userId": "u-1", "anonymousId": "a-7", "userHash": signed}
    say(pages, "members", {"type": "identify", **who})
    pages.go()
    ann = whose(pages, "user_id", "u-1")
    assert before and whose(pages, "anonymous_id", "a-7") == ann != before


def test_an_unsigned_one_is_not_and_the_event_says_why(pages: Shop) -> None:
    say(pages, "members", {"type": "page", "anonymousId": "a-7"})
    say(pages, "members", {"type": "identify", "userId": "u-1", "anonymousId": "a-7"})
    pages.go()
    assert whose(pages, "anonymous_id", "a-7") != whose(pages, "user_id", "u-1")
    reasons = [row["reason"] for row in pages.rows("SELECT reason FROM events")]
    assert "subject.user_id: its signature is missing or wrong" in reasons


def test_a_signed_user_cannot_take_over_another_one_by_an_alias(pages: Shop) -> None:
    signed = signature("u-9", SECRET)
    mine = {"userId": "u-9", "anonymousId": "a-7", "userHash": signed}
    say(pages, "members", {"type": "alias", "previousId": "u-1", **mine})
    say(pages, "site", {"type": "page", "userId": "u-1", "anonymousId": "a-1"})
    pages.go()
    say(pages, "members", {"type": "identify", **mine, "anonymousId": "a-1"})
    pages.go()
    assert len({whose(pages, "user_id", user) for user in ("u-1", "u-2", "u-9")}) == 3


def test_a_replay_of_what_was_signed_needs_no_secret(pages: Shop) -> None:
    who = {"userId": "u-1", "anonymousId": "a-7", "userHash": signature("u-1", SECRET)}
    say(pages, "members", {"type": "track", "event": "Cart Updated", **who})
    pages.go(2 * HOUR)
    kept = pages.rows("SELECT payload FROM events WHERE source = 'members'")
    assert '"identity":"proven"' in kept[0]["payload"]
    assert signature("u-1", SECRET) not in kept[0]["payload"]
    assert [message.to for message in pages.carrier.sent][-1] == KNOWN
