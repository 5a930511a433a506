"""Telnyx: what is sent, what answers and events come to beyond what all providers share."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.errors import SendFailed, Uncertain, Unverified
from connector.messages import Accepted, Receipt, Reply
from connector.model import Hook, Status
from connector.providers.telnyx import Telnyx
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.kit_telnyx import PUBLIC, TelnyxKit, outbound

ANOTHER = base64.b64encode(bytes(32)).decode()

#: PyNaCl 1.6.2, with which telnyx-python verifies, signed this at ``NOW`` with bytes 0 to 31.
SIGNED_BY_NACL = (
    "v0HVPa71aSOhp2Wf/6uxoDWa05ZKl23TXxypfzGG6jyY5x3B9NsJVAbdKAJ9Fo44HWqRUehBMREvM0T520hzAw=="
)
SIGNED_BODY = b'{"data":{"event_type":"message.received","payload":{"text":"\xc3\xa9"}}}'


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[TelnyxKit]:
    kit = TelnyxKit(tmp_path)
    yield kit
    kit.close()


def sent(kit: TelnyxKit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kit.calls()[-1].body)
    return found


def test_a_text_is_handed_over_with_our_reference_in_key_and_callback(kit: TelnyxKit) -> None:
    kit.arrange("accepted")
    assert kit.provider.send(MESSAGE) == Accepted(ID, 2)
    assert sent(kit) == {
        "from": OURS,
        "to": MESSAGE.to,
        "text": TEXT,
        "type": "SMS",
        "webhook_url": f"{MESSAGE.callback_url}?s={MESSAGE.send_id}",
    }
    assert kit.calls()[0].key == MESSAGE.send_id


def test_a_repetition_is_the_same_byte_for_byte(kit: TelnyxKit) -> None:
    kit.arrange("accepted")
    kit.provider.send(MESSAGE)
    kit.provider.send(replace(MESSAGE, valid_for=MESSAGE.valid_for / 2))
    first, again = kit.calls()
    assert (first.body, first.key) == (again.body, again.key)


def test_a_profile_chooses_the_number_and_a_text_may_name_its_own(kit: TelnyxKit) -> None:
    kit.arrange("accepted")
    profile = Telnyx(api_key=SECRET, public_keys=[PUBLIC], messaging_profile_id="400017e9")
    profile.send(MESSAGE)
    assert (sent(kit).get("from"), sent(kit)["messaging_profile_id"]) == (None, "400017e9")
    profile.send(replace(MESSAGE, sender="CornerShop"))
    assert (sent(kit)["from"], sent(kit)["messaging_profile_id"]) == ("CornerShop", "400017e9")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (409, {}),
        (409, {"code": "10027"}),
        (422, {"code": "10027", "title": "Idempotency-Key reused with another body"}),
        (422, {"code": "10027", "detail": "The idempotency key was used before"}),
    ],
)
def test_a_key_that_was_used_before_leaves_the_text_in_doubt(
    kit: TelnyxKit, status: int, error: dict[str, str]
) -> None:
    kit.answers(status, json.dumps({"errors": [error]}).encode())
    with pytest.raises(Uncertain):
        kit.provider.send(MESSAGE)


def test_a_disabled_profile_is_the_operators_to_mend_also_as_a_conflict(kit: TelnyxKit) -> None:
    kit.answers(409, b'{"errors": [{"code": "40312"}]}')
    with pytest.raises(SendFailed) as caught:
        kit.provider.send(MESSAGE)
    assert caught.value.reason == "configuration"


def test_an_event_is_read_field_by_field(kit: TelnyxKit) -> None:
    (receipt,) = kit.provider.parse(kit.receipt("delivery_failed", "40001"))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.error_code, receipt.reason) == (
        Status.undelivered,
        "40001",
        "not_mobile",
    )
    assert receipt.stamp == "2027-03-01T12:00:00.148+00:00"
    assert receipt.occurred_at == NOW.replace(microsecond=148_000)
    (reply,) = kit.provider.parse(kit.reply("stop", "STOP"))
    assert isinstance(reply, Reply)
    assert (reply.provider_id, reply.channel) == ("7ee4241c-f127-47e5-9c34-3aac291f8058", "sms")
    assert reply.occurred_at == NOW.replace(microsecond=148_000)


def test_a_picture_without_words_is_a_reply_without_words(kit: TelnyxKit) -> None:
    hook = kit.reply("x")
    told = json.loads(hook.body)
    told["data"]["payload"]["text"] = None
    (reply,) = kit.provider.parse(kit.sign(json.dumps(told).encode()))
    assert isinstance(reply, Reply)
    assert reply.text == ""


@pytest.mark.parametrize(
    ("kind", "direction"), [("message.received", None), ("message.new", "inbound")]
)
def test_a_text_that_came_in_is_a_reply_whichever_field_says_so(
    kit: TelnyxKit, kind: str, direction: str | None
) -> None:
    told = json.loads(kit.reply("STOP").body)["data"]["payload"]
    (reply,) = kit.provider.parse(kit.event(kind, {**told, "direction": direction}))
    assert isinstance(reply, Reply)
    assert reply.text == "STOP"


def test_our_reference_is_believed_only_in_the_body_that_is_signed(kit: TelnyxKit) -> None:
    payload = {**outbound("sent"), "webhook_url": None}
    hook = kit.event("message.sent", payload)
    assert f"s={MESSAGE.send_id}" in hook.url
    (receipt,) = kit.provider.parse(hook)
    assert isinstance(receipt, Receipt)
    assert receipt.send_id == ""


def test_a_key_is_replaced_without_a_callback_lost(kit: TelnyxKit) -> None:
    both = Telnyx(api_key=SECRET, public_keys=[ANOTHER, PUBLIC], from_number=OURS)
    both.verify(kit.reply("hello"), NOW)
    with pytest.raises(Unverified):
        Telnyx(api_key=SECRET, public_keys=[ANOTHER], from_number=OURS).verify(
            kit.reply("hello"), NOW
        )


def test_a_signature_of_another_time_is_forged(kit: TelnyxKit) -> None:
    hook = kit.reply("hello")
    later = str(int(NOW.timestamp()) + 1)
    with pytest.raises(Unverified):
        kit.provider.verify(replace(hook, headers={**hook.headers, "telnyx-timestamp": later}), NOW)


def test_a_signature_made_with_the_library_that_telnyx_uses_is_proven(kit: TelnyxKit) -> None:
    headers = {"telnyx-signature-ed25519": SIGNED_BY_NACL, "telnyx-timestamp": "1803902400"}
    hook = Hook("POST", "https://any.test/", headers, SIGNED_BODY)
    kit.provider.verify(hook, NOW)
    with pytest.raises(Unverified):
        kit.provider.verify(replace(hook, body=SIGNED_BODY + b" "), NOW)


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": ""},
        {"public_keys": []},
        {"public_keys": [""]},
        {"public_keys": ["not base64!"]},
        {"public_keys": ["c2hvcnQ="]},
        {"from_number": ""},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    given = {"api_key": SECRET, "public_keys": [PUBLIC], "from_number": OURS, **settings}
    with pytest.raises(ValueError, match=r"api_key|public_keys|from_number"):
        Telnyx(**given)
