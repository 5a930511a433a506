"""Bird: what is asked of it, and who may say that he is Bird."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import requests

from connector.errors import Unverified
from connector.messages import Carried, Receipt, Reply
from connector.model import Status
from connector.providers.bird import Bird
from tests.providers.contract import ID, MESSAGE, NOW, SECRET, TEXT
from tests.providers.http_side import DATE
from tests.providers.kit_bird import (
    CALLBACK,
    CHANNEL,
    IN,
    ONE,
    OUT,
    WORKSPACE,
    BirdKit,
    incoming,
    outgoing,
    signed,
    written,
)

OTHER = "0f2d4d1b-9a53-4c2f-8d7e-1a103c4b9a6e"
USUAL: dict[str, Any] = {
    "workspace_id": WORKSPACE,
    "channel_id": CHANNEL,
    "access_key": SECRET,
    "signing_keys": [SECRET],
}


def there(url: re.Pattern[str]) -> re.Pattern[str]:
    """An address of our channel, on the other one."""
    return re.compile(url.pattern.replace(re.escape(CHANNEL), re.escape(OTHER)))


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[BirdKit]:
    kit = BirdKit(tmp_path)
    kit.arrange("accepted")
    yield kit
    kit.close()


def test_a_text_bears_our_reference(kit: BirdKit) -> None:
    kit.provider.send(MESSAGE)
    (call,) = kit.calls()
    assert orjson.loads(call.body) == {
        "receiver": {"contacts": [{"identifierKey": "phonenumber", "identifierValue": MESSAGE.to}]},
        "body": {"type": "text", "text": {"text": TEXT}},
        "reference": MESSAGE.send_id,
    }


def test_it_is_asked_with_the_access_key(kit: BirdKit) -> None:
    kit.provider.send(MESSAGE)
    assert kit.side.mock.calls[0].request.headers["Authorization"] == f"AccessKey {SECRET}"


def test_a_text_by_another_channel_is_looked_up_and_asked_about_there(kit: BirdKit) -> None:
    message = replace(MESSAGE, sender=OTHER)
    kit.lists(there(OUT), [outgoing("sent")])
    assert kit.provider.find(message, NOW).taken is True
    query = parse_qs(urlsplit(str(kit.side.mock.calls[0].request.url)).query)
    assert query["startAt"] == ["2027-03-01T11:55:00.000Z"]
    assert query["endAt"] == ["2027-03-01T12:05:00.000Z"]
    kit.side.answers("GET", there(ONE), json=outgoing("sent"))
    provider: Any = kit.provider
    assert provider.status(ID, message).status is Status.sent


def test_the_same_words_at_another_time_are_not_ours(kit: BirdKit) -> None:
    late = written(NOW + timedelta(minutes=6))
    kit.lists(OUT, [outgoing("sent", reference=None, createdAt=late)])
    assert kit.provider.find(MESSAGE, NOW).taken is False


def test_a_texts_sender_may_name_another_channel(kit: BirdKit) -> None:
    url = f"https://api.bird.com/workspaces/{WORKSPACE}/channels/{OTHER}/messages"
    kit.side.answers("POST", url, status=202, json=outgoing("accepted"))
    kit.provider.send(replace(MESSAGE, sender=OTHER))
    kit.provider.send(replace(MESSAGE, sender="../../elsewhere"))
    assert [OTHER in call.path for call in kit.calls()] == [True, False]


def test_where_no_reference_comes_back_number_words_and_time_are_gone_by(kit: BirdKit) -> None:
    kit.lists(OUT, [outgoing("sent", reference=None)])
    found = kit.provider.find(MESSAGE, NOW)
    assert (found.taken, found.by_reference) == (True, False)
    kit.lists(OUT, [outgoing("sent", reference=None, id=name) for name in ("a", "b")])
    found = kit.provider.find(MESSAGE, NOW)
    assert (found.taken, len(found.fits)) == (None, 2)


def test_what_came_on_the_channels_of_routes_is_listed_too(kit: BirdKit) -> None:
    provider = Bird(**USUAL, senders=[OTHER, "Corner Shop"])
    for url, own in ((IN, incoming("STOP")), (OUT, outgoing(""))):
        kit.lists(url, [own])
        kit.lists(there(url), [{**own, "id": "there"}])
    assert {each.provider_id for each in provider.inbound(NOW)} == {incoming("")["id"], "there"}
    assert {each.provider_id for each in provider.carried(NOW)} == {outgoing("")["id"], "there"}


@pytest.mark.parametrize("left_out", [{"body": None}, {"receiver": None}])
def test_a_listed_text_without_words_or_number_may_be_ours(
    kit: BirdKit, left_out: dict[str, Any]
) -> None:
    kit.lists(OUT, [outgoing("sent", reference=None, **left_out)])
    assert kit.provider.find(MESSAGE, NOW).taken is None
    kit.lists(OUT, [outgoing("sent", reference="snd_other", **left_out)])
    assert kit.provider.find(MESSAGE, NOW).taken is False
    both = [outgoing("sent", reference=None, id="a", **left_out), outgoing("sent", reference=None)]
    kit.lists(OUT, both)
    found = kit.provider.find(MESSAGE, NOW)
    assert (found.taken, found.provider_id) == (None, "")


def test_words_that_were_sent_with_other_marks_are_ours(kit: BirdKit) -> None:
    body = {"type": "text", "text": {"text": f" {TEXT} ".replace(" ", "\u00a0")}}
    kit.lists(OUT, [outgoing("sent", reference=None, body=body)])
    assert kit.provider.find(MESSAGE, NOW).taken is True


def test_a_list_of_many_pages_is_read_to_its_end(kit: BirdKit) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        onward = "pageToken=next" in str(request.url)
        page: dict[str, Any] = {"results": [outgoing("sent", id="b" if onward else "a")]}
        if not onward:
            page["nextPageToken"] = "next"
        return 200, DATE, orjson.dumps(page)

    kit.side.mock.add_callback("GET", OUT, answer)
    texts: list[Carried] = list(kit.provider.carried(NOW))
    assert [each.provider_id for each in texts] == ["a", "b"]


def test_a_failure_is_told_by_its_code_and_not_in_birds_words(kit: BirdKit) -> None:
    told = outgoing("delivery_failed", "15005", reason=f"details: {MESSAGE.to}")
    (receipt,) = kit.provider.parse(kit.event("sms.outbound", told))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.reason) == (Status.undelivered, "invalid_number")
    assert MESSAGE.to not in str(receipt)


def test_a_reply_that_does_not_name_our_number_names_the_channel(kit: BirdKit) -> None:
    told = incoming("hi", receiver={"connector": {"id": "x"}})
    (reply,) = kit.provider.parse(kit.event("sms.inbound", told))
    assert isinstance(reply, Reply)
    assert reply.to == CHANNEL


def test_the_address_is_part_of_the_signature() -> None:
    provider = Bird(**{**USUAL, "signing_keys": ["new", "old"]})
    for key in ("new", "old"):
        provider.verify(signed(b"{}", key, CALLBACK), NOW)
    moved = replace(signed(b"{}", "new", CALLBACK), url=f"{CALLBACK}?x=1")
    for forged in (moved, signed(b"{}", "other", CALLBACK)):
        with pytest.raises(Unverified):
            provider.verify(forged, NOW)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"workspace_id": "../x"}, "workspace_id"),
        ({"channel_id": "sms"}, "channel_id"),
        ({"signing_keys": []}, "signing_keys"),
        ({"signing_keys": [""]}, "signing_keys"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Bird(**{**USUAL, **settings})
