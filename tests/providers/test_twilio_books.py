"""Twilio's books: a doubtful text looked up in them, and what they list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from connector.errors import Deferred, Uncertain
from connector.messages import Found, Receipt, Reply
from connector.model import Status
from connector.providers import Ability
from tests.providers.contract import MESSAGE, NOW, SECRET, SETTLED, TEXT
from tests.providers.twilio_side import (
    ACCOUNT,
    LIST,
    MESSAGES_URL,
    ORIGIN,
    TwilioSide,
    created,
    dated,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def side() -> Iterator[TwilioSide]:
    with TwilioSide(SECRET) as side:
        yield side


# Looking a doubtful send up


def found(side: TwilioSide, *messages: dict[str, Any], at: datetime | None = SETTLED) -> Found:
    side.answers_list(json={**LIST, "messages": list(messages)}, at=at)
    return side.adapter.find(MESSAGE, NOW)


def test_the_text_with_the_same_body_at_that_time_is_ours(side: TwilioSide) -> None:
    other = created(sid="SM0", body="something else")
    told = found(side, other, created(sid="SM1"))
    assert (told.taken, told.provider_id, told.by_reference) == (True, "SM1", False)
    assert [(each.provider_id, each.text) for each in told.fits] == [("SM1", TEXT)]
    assert "To=%2B14155552671" in str(side.calls.calls[0].request.url)


@pytest.mark.parametrize(
    "other",
    [
        dated(NOW - timedelta(minutes=5, seconds=1)),
        dated(NOW + timedelta(minutes=5, seconds=1)),
        created(body=TEXT + " now"),
        created(direction="inbound"),
    ],
)
def test_other_texts_are_not_ours(side: TwilioSide, other: dict[str, Any]) -> None:
    assert found(side, other) == Found(False)


def test_two_texts_that_fit_cannot_be_told_apart(side: TwilioSide) -> None:
    told = found(side, created(sid="SM1"), created(sid="SM2"))
    assert (told.taken, told.provider_id) == (None, "")
    assert [each.provider_id for each in told.fits] == ["SM1", "SM2"]


def test_nothing_listed_within_a_minute_proves_nothing(side: TwilioSide) -> None:
    assert found(side, at=NOW + timedelta(seconds=59)) == Found(None)


def test_an_answer_without_its_time_proves_nothing(side: TwilioSide) -> None:
    assert found(side, at=None) == Found(None)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"status": 429},
        {"status": 401},
        {"body": "<html>"},
        {"json": {"messages": [{"sid": "SM1"}]}},
        {"json": {"messages": [{"sid": "SM1", "date_created": "2027-03-01"}]}},
        {"json": {"messages": [None]}},
        {"json": {"messages": [], "next_page_uri": ["/page2"]}},
        {"body": requests.ConnectionError()},
    ],
)
def test_a_failed_look_up_cannot_tell(side: TwilioSide, answer: dict[str, Any]) -> None:
    side.answers_list(at=SETTLED, **answer)
    assert side.adapter.find(MESSAGE, NOW) == Found(None)


@pytest.mark.parametrize(
    ("ours", "listed"),
    [
        ("It’s “20%” off — today…", 'It\'s "20%" off - today...'),
        ("½ price\u200b for\u00a0you", "1/2 price for you"),
        ("two  blanks \r\n", "two blanks"),
        ("half \ud800", "half ?"),
    ],
)
def test_a_text_whose_marks_twilio_wrote_in_another_way_did_go(
    side: TwilioSide, ours: str, listed: str
) -> None:
    side.answers_list(json={**LIST, "messages": [created(sid="SM1", body=listed)]}, at=SETTLED)
    told = side.adapter.find(replace(MESSAGE, text=ours), NOW)
    assert (told.taken, told.provider_id) == (True, "SM1")


def test_where_twilio_keeps_no_words_nobody_can_tell(side: TwilioSide) -> None:
    assert found(side, created(body="")) == Found(None)


def pages(side: TwilioSide, *told: list[dict[str, Any]], at: Sequence[datetime]) -> None:
    """A list of several pages, each answered at its own time."""
    for place, (messages, when) in enumerate(zip(told, at, strict=True), 1):
        onward = f"/page{place + 1}" if place < len(told) else None
        url = MESSAGES_URL if place == 1 else f"{ORIGIN}/page{place}"
        side.answers_list(json={"messages": messages, "next_page_uri": onward}, at=when, url=url)


def test_a_look_up_reads_the_list_to_its_end_since_what_waits_may_stand_anywhere(
    side: TwilioSide,
) -> None:
    old = dated(NOW - timedelta(days=9), body="x")
    pages(side, [old], [old], [created(sid="SM1")], at=(SETTLED, SETTLED, SETTLED))
    assert side.adapter.find(MESSAGE, NOW).provider_id == "SM1"


def test_a_look_up_is_as_old_as_its_first_page(side: TwilioSide) -> None:
    pages(side, [], [], at=(NOW + timedelta(seconds=59), SETTLED))
    assert side.adapter.find(MESSAGE, NOW) == Found(None)


def test_a_list_without_end_cannot_tell(side: TwilioSide) -> None:
    onward = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1"
    page = {"messages": [dated(NOW + timedelta(hours=1), body="x")], "next_page_uri": onward}
    side.answers_list(json=page, at=SETTLED)
    assert side.adapter.find(MESSAGE, NOW) == Found(None)
    assert len(side.calls.calls) == 5


def test_no_page_of_another_host_is_asked_for_and_without_it_nobody_can_tell(
    side: TwilioSide,
) -> None:
    for onward in ("https://evil.test/x", "@evil.test/x", ".evil.test/x"):
        side.calls.reset()
        side.answers_list(json={"messages": [], "next_page_uri": onward}, at=SETTLED)
        assert side.adapter.find(MESSAGE, NOW) == Found(None)
        with pytest.raises(Uncertain):
            list(side.adapter.inbound(NOW))


# Listing what came while we were away


def test_inbound_texts_since_an_instant_come_oldest_first(side: TwilioSide) -> None:
    person, ours = "+14155550001", "+15005550006"
    messages = [
        dated(NOW, sid="SM3", direction="inbound", **{"from": person}, to=ours, body="START"),
        dated(NOW - timedelta(minutes=1), sid="SM2", direction="outbound-reply"),
        dated(
            NOW - timedelta(hours=1),
            sid="SM1",
            direction="inbound",
            **{"from": person},
            to=ours,
            body="STOP",
        ),
        dated(NOW - timedelta(hours=3), sid="SM0", direction="inbound", body="old"),
    ]
    side.answers_list(json={**LIST, "messages": messages}, at=SETTLED)
    since = NOW - timedelta(hours=1) + timedelta(microseconds=400)
    assert list(side.adapter.inbound(since)) == [
        Reply("twilio", "SM1", person, ours, "STOP", NOW - timedelta(hours=1)),
        Reply("twilio", "SM3", person, ours, "START", NOW),
    ]


def reply(sid: str, at: datetime, body: str = "STOP", **changes: Any) -> dict[str, Any]:
    return dated(at, sid=sid, direction="inbound", body=body, **changes)


@pytest.mark.parametrize("listed", ["inbound", "carried"])
def test_a_list_goes_on_where_the_instant_falls_upon_the_end_of_a_page(
    side: TwilioSide, listed: str
) -> None:
    made = reply if listed == "inbound" else lambda sid, at: dated(at, sid=sid)
    first, second = [made("SM2", NOW)], [made("SM1", NOW), made("SM0", NOW - HOUR)]
    pages(side, first, second, at=(SETTLED, SETTLED))
    told = [each.provider_id for each in getattr(side.adapter, listed)(NOW)]
    assert told == ["SM1", "SM2"]


@pytest.mark.parametrize("listed", ["inbound", "carried"])
def test_a_text_that_was_made_long_ago_and_left_just_now_does_not_end_a_list(
    side: TwilioSide, listed: str
) -> None:
    late = dated(NOW - 9 * HOUR, sid="SM9", date_sent=format_datetime(NOW + HOUR))
    ours = reply("SM1", NOW) if listed == "inbound" else dated(NOW, sid="SM1")
    pages(side, [late], [ours], at=(SETTLED, SETTLED))
    assert [each.provider_id for each in getattr(side.adapter, listed)(NOW)] == ["SM1"]


def test_texts_come_by_the_time_they_were_made_however_late_they_left(side: TwilioSide) -> None:
    waited = dated(NOW, sid="SM1", date_sent=format_datetime(NOW + HOUR))
    side.answers_list(json={**LIST, "messages": [waited, dated(NOW + HOUR, sid="SM2")]}, at=SETTLED)
    assert [each.provider_id for each in side.adapter.carried(NOW)] == ["SM1", "SM2"]


def test_a_reply_that_is_still_coming_in_is_left_for_the_next_list(side: TwilioSide) -> None:
    coming = reply("SM2", NOW, "", status="receiving")
    side.answers_list(json={**LIST, "messages": [coming, reply("SM1", NOW)]}, at=SETTLED)
    assert [each.provider_id for each in side.adapter.inbound(NOW)] == ["SM1"]


def test_two_replies_of_one_second_come_in_the_order_they_were_written(side: TwilioSide) -> None:
    told = [reply("SM2", NOW, "STOP"), reply("SM1", NOW, "START")]
    side.answers_list(json={**LIST, "messages": told}, at=SETTLED)
    assert [each.text for each in side.adapter.inbound(NOW)] == ["START", "STOP"]


def test_a_single_number_lists_its_own_texts_only() -> None:
    with TwilioSide(messaging_service_sid="", from_number="+15005550006") as side:
        side.answers_list(json=LIST, at=SETTLED)
        assert list(side.adapter.inbound(NOW)) == []
        assert "To=%2B15005550006" in str(side.calls.calls[0].request.url)


def test_a_pool_of_senders_lists_the_replies_to_each_of_them_and_to_no_other() -> None:
    ours = ("+15005550006", "+15005550007", "whatsapp:+15005550008")
    settings: dict[str, Any] = {
        "messaging_service_sid": "",
        "from_number": ours[0],
        "senders": ours[1:],
    }
    told = [
        dated(NOW, sid=f"SM{place}", direction="inbound", to=to, body="STOP")
        for place, to in enumerate((*ours, "+15005550099", "+15005550008"))
    ]
    with TwilioSide(**settings) as side:
        side.answers_list(json={**LIST, "messages": told}, at=SETTLED)
        assert {reply.to for reply in side.adapter.inbound(NOW)} == set(ours)
        assert "To=" not in str(side.calls.calls[0].request.url)


def test_a_failed_listing_is_told(side: TwilioSide) -> None:
    side.answers_list(status=503, at=SETTLED)
    with pytest.raises(Uncertain):
        list(side.adapter.inbound(NOW))


def test_a_pool_with_a_messaging_service_lists_the_replies_to_any_number() -> None:
    settings: dict[str, Any] = {"messaging_service_sid": "", "from_number": "+15005550006"}
    with TwilioSide(**settings, senders=["MG2"]) as side:
        side.answers_list(json={**LIST, "messages": [reply("SM1", NOW, to="+1500")]}, at=SETTLED)
        assert [each.to for each in side.adapter.inbound(NOW)] == ["+1500"]
        assert "To=" not in str(side.calls.calls[0].request.url)


# Asking how one text stands


def test_a_status_tells_all_that_twilio_knows_of_the_text(side: TwilioSide) -> None:
    told = created(sid="SM1", status="failed", error_code=30007, num_segments="2", price="-0.0158")
    side.calls.get(MESSAGES_URL.replace(".json", "/SM1.json"), json=told)
    assert side.adapter.status("SM1", MESSAGE) == Receipt(
        provider="twilio",
        provider_id="SM1",
        status=Status.failed,
        raw_status="failed",
        error_code="30007",
        reason="content",
        send_id=MESSAGE.send_id,
        segments=2,
        cost_micros=15_800,
        currency="USD",
    )


# Message Redaction


@pytest.mark.parametrize("field", ["to", "from"])
def test_a_list_that_hides_numbers_is_no_list_and_says_what_to_set(
    side: TwilioSide, field: str
) -> None:
    hidden = dated(NOW, **{field: "+1415555XXXX"})
    side.answers_list(json={**LIST, "messages": [hidden]}, at=SETTLED)
    for listed in (side.adapter.inbound, side.adapter.carried):
        with pytest.raises(Uncertain, match="redacted = true"):
            list(listed(NOW))
    assert side.adapter.find(MESSAGE, NOW) == Found(None)


def test_an_account_that_hides_what_it_sent_is_asked_for_nothing_but_statuses() -> None:
    with TwilioSide(SECRET, redacted=True) as side:
        assert side.adapter.does == {Ability.tells_status}
        assert side.adapter.find(MESSAGE, NOW) == Found(None)
        for listed in (side.adapter.inbound, side.adapter.carried):
            with pytest.raises(Deferred, match="redacted"):
                list(listed(NOW))
