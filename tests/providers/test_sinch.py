"""Sinch: what is asked of it, and who may say that he is Sinch."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import requests

from connector.errors import Deferred, Refused, SendFailed, Unverified
from connector.messages import Found, Receipt, Reply
from connector.model import Hook, Status
from connector.providers.sinch import Sinch
from connector.providers.sinch_errors import reason
from tests.providers.contract import MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.http_side import DATE
from tests.providers.kit_sinch import CALLBACK, LISTED, PLAN, SinchKit, batch, inbound, signed

USUAL: dict[str, Any] = {
    "service_plan_id": PLAN,
    "api_token": SECRET,
    "from_number": OURS,
    "clock": NOW.replace,
}


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[SinchKit]:
    kit = SinchKit(tmp_path)
    kit.arrange("accepted")
    yield kit
    kit.close()


def test_a_text_bears_our_reference_and_its_end(kit: SinchKit) -> None:
    kit.provider.send(MESSAGE)
    (call,) = kit.calls()
    assert orjson.loads(call.body) == {
        "from": OURS,
        "to": [MESSAGE.to],
        "body": TEXT,
        "delivery_report": "per_recipient",
        "client_reference": MESSAGE.send_id,
        "expire_at": "2027-03-01T16:00:00.000Z",
        "max_number_of_message_parts": 30,
        "callback_url": "https://sms.example.test/providers/any?s=snd_01k5abc",
    }


def asked(kit: SinchKit, place: int = -1) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(kit.side.mock.calls[place].request.url)).query)


def test_it_is_asked_with_the_plans_token(kit: SinchKit) -> None:
    kit.provider.send(MESSAGE)
    assert kit.side.mock.calls[0].request.headers["Authorization"] == f"Bearer {SECRET}"


def test_a_doubtful_text_is_looked_for_from_five_minutes_before_it(kit: SinchKit) -> None:
    kit.lists()
    kit.provider.find(MESSAGE, NOW)
    for place in (0, 1):
        query = asked(kit, place)
        assert query["client_reference"] == [MESSAGE.send_id]
        assert query["start_date"] == ["2027-03-01T11:55:00.000Z"]


def test_a_batch_that_was_cancelled_is_told_as_such(kit: SinchKit) -> None:
    kit.lists(batches=[batch(canceled=True), batch(id="b2")])
    told = {each.provider_id: each.status for each in kit.provider.carried(NOW)}
    assert told == {batch()["id"]: Status.canceled, "b2": Status.accepted}


#: ``code`` of an answer → what it means for a text
CODES: dict[str, tuple[type[SendFailed], str]] = {
    "syntax_invalid_json": (Refused, "unknown"),
    "syntax_invalid_parameter_format": (Refused, "unknown"),
    "syntax_constraint_violation": (Refused, "content"),
    "illegal_number_type": (Refused, "not_mobile"),
    "blocked_account": (Deferred, "configuration"),
    "missing_callback_url": (Deferred, "configuration"),
    "unknown_group": (Deferred, "configuration"),
    "unknown_campaign": (Deferred, "configuration"),
}


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_sinch_has_its_meaning(kit: SinchKit, code: str) -> None:
    kit.answers(400, orjson.dumps({"code": code, "text": "x"}))
    with pytest.raises(SendFailed) as caught:
        kit.provider.send(MESSAGE)
    assert (type(caught.value), caught.value.reason) == CODES[code]


#: ``code`` of a delivery report, as Sinch's page has them → our reason
DELIVERY = {
    **{"402": "blocked", "403": "unavailable", "404": "unavailable", "405": "content"},
    **{"406": "timeout", "408": "blocked", "410": "configuration", "411": "content"},
    **{"412": "configuration", "413": "configuration", "414": "content", "415": "blocked"},
    **{"416": "not_mobile", "417": "unavailable", "418": "content", "407": "", "401": ""},
}


@pytest.mark.parametrize("code", DELIVERY)
def test_each_code_of_a_delivery_report_has_its_reason(code: str) -> None:
    assert reason(code) == DELIVERY[code]


@pytest.mark.parametrize(
    ("valid_for", "until"),
    [(timedelta(0), "2027-03-01T12:00:30.000Z"), (timedelta(days=9), "2027-03-04T12:00:00.000Z")],
)
def test_the_end_stays_in_sinchs_bounds(kit: SinchKit, valid_for: timedelta, until: str) -> None:
    kit.provider.send(replace(MESSAGE, valid_for=valid_for, sender="Shop"))
    told = orjson.loads(kit.calls()[0].body)
    assert (told["expire_at"], told["from"]) == (until, "Shop")


def test_a_text_is_found_by_its_delivery_report_where_no_batch_is_listed(kit: SinchKit) -> None:
    kit.lists(delivery_reports=[{"batch_id": "b7", "client_reference": MESSAGE.send_id}])
    assert kit.provider.find(MESSAGE, NOW) == Found(True, "b7", by_reference=True)


def test_a_text_is_not_missed_for_certain_before_a_minute(kit: SinchKit) -> None:
    kit.lists()
    assert kit.provider.find(MESSAGE, NOW) == Found(False)
    assert kit.provider.find(MESSAGE, NOW + timedelta(seconds=90)) == Found(None)


def paged(kit: SinchKit, pages: list[list[dict[str, Any]]], count: int) -> None:
    """Let batches be listed on those pages, whatever was asked for."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        page = int(str(request.url).rpartition("page=")[2].partition("&")[0])
        listed = pages[page] if page < len(pages) else []
        return 200, DATE, orjson.dumps({"count": count, "page": page, "batches": listed})

    kit.lists()
    kit.side.mock.remove("GET", LISTED["batches"])
    kit.side.mock.add_callback("GET", LISTED["batches"], answer)


def others(first: int, size: int) -> list[dict[str, Any]]:
    numbers = range(first, first + size)
    return [batch(id=f"b{number}", client_reference=f"snd_{number}") for number in numbers]


def test_a_text_is_found_behind_all_others_where_sinch_lists_them_too(kit: SinchKit) -> None:
    paged(kit, [others(0, 100), [*others(100, 50), batch(id="ours")]], 151)
    assert kit.provider.find(MESSAGE, NOW) == Found(True, "ours", by_reference=True)
    paged(kit, [others(0, 100), others(100, 50)], 150)
    assert kit.provider.find(MESSAGE, NOW) == Found(False)


def test_a_page_shorter_than_was_asked_is_not_the_last(kit: SinchKit) -> None:
    paged(kit, [others(0, 30), [*others(30, 29), batch(id="ours")]], 60)
    assert kit.provider.find(MESSAGE, NOW).provider_id == "ours"
    assert len(list(kit.provider.carried(NOW))) == 60


def test_a_list_that_is_left_out_is_empty_only_where_none_are_counted(kit: SinchKit) -> None:
    for count, taken in ((0, False), (3, None), (None, None)):
        kit.looks_up(200, orjson.dumps({"count": count, "page": 0}))
        assert kit.provider.find(MESSAGE, NOW) == Found(taken)


def test_a_list_of_many_pages_is_read_to_its_end_and_each_text_once(kit: SinchKit) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        page = int(str(request.url).rpartition("page=")[2].partition("&")[0])
        first = page * 99  # one more came meanwhile, so that pages overlap
        size = 100 if page < 2 else 3
        entries = [batch(id=f"b{first + place:03d}") for place in range(size)]
        return 200, DATE, orjson.dumps({"count": 201, "page": page, "batches": entries})

    kit.side.mock.remove("GET", LISTED["batches"])
    kit.side.mock.add_callback("GET", LISTED["batches"], answer)
    texts = [each.provider_id for each in kit.provider.carried(NOW)]
    assert texts == [f"b{number:03d}" for number in range(201)]


@pytest.mark.parametrize(
    "told",
    [
        inbound("hi", **{"from": "14155552671"}),
        inbound("hi", **{"from": "+14155552671"}),
        inbound("", type="mo_media", body={"subject": "", "message": "hi", "media": []}),
    ],
)
def test_a_reply_is_by_its_whole_number_however_it_is_written(
    kit: SinchKit, told: dict[str, Any]
) -> None:
    (reply,) = kit.provider.parse(kit.sign(orjson.dumps(told)))
    assert isinstance(reply, Reply)
    assert (reply.sender, reply.text) == (MESSAGE.to, "hi")


def test_our_short_code_is_no_number(kit: SinchKit) -> None:
    (reply,) = kit.provider.parse(kit.sign(orjson.dumps(inbound("hi", to="54321"))))
    assert isinstance(reply, Reply)
    assert reply.to == "54321"


def test_a_report_on_the_whole_batch_is_read_too(kit: SinchKit) -> None:
    statuses = [
        {"code": 401, "count": 0, "status": "Dispatched"},
        {"code": 402, "count": 1, "status": "Rejected"},
    ]
    told = {"type": "delivery_report_sms", "batch_id": "b1", "statuses": statuses}
    (receipt,) = kit.provider.parse(kit.sign(orjson.dumps(told)))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.reason) == (Status.undelivered, "blocked")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("0", ""), ("400", ""), ("401", ""), ("407", ""), ("404", "unavailable"), ("499", "unknown")],
)
def test_codes_of_no_error_have_no_reason(code: str, expected: str) -> None:
    assert reason(code) == expected


def basic(login: str) -> Hook:
    written = base64.b64encode(login.encode()).decode()
    return Hook("POST", CALLBACK, {"authorization": f"Basic {written}"}, b"{}")


def test_a_callback_may_be_proven_by_user_and_password_instead() -> None:
    provider = Sinch(**USUAL, callback_passwords=["old:1", "new:2"])
    provider.verify(basic("new:2"), NOW)
    provider.verify(basic("old:1"), NOW)
    for forged in (basic("new:1"), basic(""), signed(b"{}", ""), signed(b"{}", SECRET)):
        with pytest.raises(Unverified):
            provider.verify(forged, NOW)


def test_a_secret_can_be_changed_for_another() -> None:
    provider = Sinch(**USUAL, callback_secrets=["new", "old"])
    for secret in ("new", "old"):
        provider.verify(signed(b"{}", secret), NOW)
    with pytest.raises(Unverified):
        provider.verify(signed(b"{}", "other"), NOW)


def test_a_callback_that_sinch_repeats_for_a_day_is_heard() -> None:
    provider = Sinch(**USUAL, callback_secrets=[SECRET])
    provider.verify(signed(b"{}", SECRET), NOW + timedelta(hours=23))
    with pytest.raises(Unverified):
        provider.verify(signed(b"{}", SECRET), NOW - timedelta(minutes=6))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "callback_secrets"),
        ({"callback_secrets": [""]}, "callback_secrets"),
        ({"callback_passwords": ["secret"]}, "user:password"),
        ({"callback_secrets": ["a"], "region": "mars"}, "region"),
        ({"callback_secrets": ["a"], "service_plan_id": "a/b"}, "service_plan_id"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Sinch(**{**USUAL, **settings})
