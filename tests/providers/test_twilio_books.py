"""Twilio's books: a doubtful text looked up in them, and what they list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from connector.errors import Uncertain
from connector.messages import Found, Reply
from tests.providers.contract import MESSAGE, NOW, SECRET, SETTLED, TEXT
from tests.providers.twilio_side import (
    ACCOUNT,
    LIST,
    ORIGIN,
    TwilioSide,
    created,
    dated,
)


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
        created(body=TEXT + "."),
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
        {"body": requests.ConnectionError()},
    ],
)
def test_a_failed_look_up_cannot_tell(side: TwilioSide, answer: dict[str, Any]) -> None:
    side.answers_list(at=SETTLED, **answer)
    assert side.adapter.find(MESSAGE, NOW) == Found(None)


def test_a_look_up_follows_the_pages_until_it_is_past(side: TwilioSide) -> None:
    later = [dated(NOW + timedelta(hours=1), body="x")]
    onward = "/2010-04-01/Accounts/x/Messages.json?PageSize=100&Page=1&PageToken=PA1"
    side.answers_list(json={"messages": later, "next_page_uri": onward}, at=SETTLED)
    side.answers_list(
        url=ORIGIN + onward.partition("?")[0],
        json={"messages": [created(), dated(NOW - timedelta(hours=1))], "next_page_uri": onward},
        at=SETTLED,
    )
    assert side.adapter.find(MESSAGE, NOW).taken is True
    assert len(side.calls.calls) == 2


def test_a_list_without_end_cannot_tell(side: TwilioSide) -> None:
    onward = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1"
    page = {"messages": [dated(NOW + timedelta(hours=1), body="x")], "next_page_uri": onward}
    side.answers_list(json=page, at=SETTLED)
    assert side.adapter.find(MESSAGE, NOW) == Found(None)
    assert len(side.calls.calls) == 5


def test_no_page_of_another_host_is_asked_for(side: TwilioSide) -> None:
    for onward in ("https://evil.test/x", "@evil.test/x", ".evil.test/x"):
        side.calls.reset()
        side.answers_list(json={"messages": [], "next_page_uri": onward}, at=SETTLED)
        assert side.adapter.find(MESSAGE, NOW) == Found(False)


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
