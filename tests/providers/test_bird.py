"""Bird: what is asked of it, and who may say that he is Bird."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from connector.errors import Unverified
from connector.messages import Carried, Receipt, Reply
from connector.model import Status
from connector.providers.bird import Bird
from tests.providers.contract import MESSAGE, NOW, SECRET, TEXT
from tests.providers.kit_bird import (
    CALLBACK,
    CHANNEL,
    DATE,
    OUT,
    WORKSPACE,
    BirdKit,
    incoming,
    outgoing,
    signed,
)

OTHER = "0f2d4d1b-9a53-4c2f-8d7e-1a103c4b9a6e"
USUAL: dict[str, Any] = {
    "workspace_id": WORKSPACE,
    "channel_id": CHANNEL,
    "access_key": SECRET,
    "signing_keys": [SECRET],
}


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
