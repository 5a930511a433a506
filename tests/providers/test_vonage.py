"""Vonage: what is sent, its passes, its tokens, and what is in its callbacks."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector.errors import Deferred, Unverified
from connector.messages import Receipt, Reply
from connector.model import Hook, Status
from connector.providers.vonage import Vonage
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.kit_vonage import CREATE, VonageKit, signed

KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
AT = int(NOW.timestamp())

#: PyJWT's token, as Vonage's own library (vonage-jwt 1.1.5) takes it with ``SECRET``.
TOLD = b'{"message_uuid":"u1","status":"delivered"}'
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE4MDM5MDI0MDAsImp0aSI6ImM1YmEiLCJhcGlfa2V5"
    "IjoiYWJjZDEyMzQiLCJwYXlsb2FkX2hhc2giOiJkMGJiZGY3OGZhMjEzOTA0Y2ZmOWY5YmEwYTkzNTEzYjM2YzRmNW"
    "YwNjlhZTIwY2U1ZWM5ZjVlY2FiYjIwMmExIn0.4qeIhJCL7SmN4Gp1fbpTly3VTGFD07mlEc4MI_XZbwE"
)
CLAIMS = {"iat": AT, "payload_hash": hashlib.sha256(TOLD).hexdigest()}


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[VonageKit]:
    kit = VonageKit(tmp_path)
    yield kit
    kit.close()


def made(at: datetime = NOW, **settings: Any) -> Vonage:
    given = {
        "from_number": OURS,
        "signature_secrets": [SECRET],
        "clock": lambda: at,
        "application_id": "78d335fa",
        "private_key": PEM,
        **settings,
    }
    return Vonage(**given)


def hook(token: str, body: bytes = TOLD, scheme: str = "Bearer") -> Hook:
    return Hook("POST", "https://sms.example.test/", {"authorization": f"{scheme} {token}"}, body)


def test_a_text_is_handed_over_without_plus_and_with_our_reference(kit: VonageKit) -> None:
    kit.arrange("accepted")
    assert kit.provider.send(MESSAGE).provider_id == ID
    assert json.loads(kit.calls()[0].body) == {
        "channel": "sms",
        "message_type": "text",
        "from": OURS[1:],
        "to": MESSAGE.to[1:],
        "text": TEXT,
        "ttl": 14_400,
        "client_ref": MESSAGE.send_id,
        "webhook_url": f"{MESSAGE.callback_url}?s={MESSAGE.send_id}",
        "webhook_version": "v1",
    }


@pytest.mark.parametrize(
    ("valid_for", "ttl"),
    [(timedelta(seconds=1), 20), (timedelta(hours=1), 3_600), (timedelta(days=30), 604_800)],
)
def test_the_time_a_text_is_good_for_is_within_what_vonage_takes(
    kit: VonageKit, valid_for: timedelta, ttl: int
) -> None:
    kit.arrange("accepted")
    kit.provider.send(replace(MESSAGE, valid_for=valid_for, sender="CornerShop"))
    sent = json.loads(kit.calls()[0].body)
    assert (sent["ttl"], sent["from"]) == (ttl, "CornerShop")


def login_of(call: responses.Call) -> str:
    return str(call.request.headers["Authorization"])


@responses.activate
def test_an_account_logs_in_with_its_key_and_secret() -> None:
    responses.post(CREATE, status=202, json={"message_uuid": ID})
    made(application_id="", private_key="", api_key="abcd1234", api_secret="s").send(MESSAGE)
    login = base64.b64encode(b"abcd1234:s").decode()
    assert login_of(responses.calls[0]) == f"Basic {login}"


@responses.activate
def test_an_application_shows_a_pass_that_it_signs_anew_before_it_ends() -> None:
    responses.post(CREATE, status=202, json={"message_uuid": ID})
    now = NOW
    vonage = made(clock=lambda: now)
    vonage.send(MESSAGE)
    now = NOW + timedelta(minutes=9)
    vonage.send(MESSAGE)
    now = NOW + timedelta(minutes=11)
    vonage.send(MESSAGE)
    now = NOW  # a clock that was put back
    vonage.send(MESSAGE)
    first, again, later, back = (login_of(call) for call in responses.calls)
    assert first == again
    assert len({first, later, back}) == 3
    scheme, token = first.split(" ")
    unchecked = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, KEY.public_key(), algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
    assert (scheme, claims["application_id"]) == ("Bearer", "78d335fa")
    assert claims["exp"] - claims["iat"] == 900
    assert claims["jti"]


def test_a_private_key_that_is_none_keeps_the_text_for_later() -> None:
    broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    with pytest.raises(Deferred, match="no RSA key") as caught:
        made(private_key=broken).send(MESSAGE)
    assert caught.value.reason == "configuration"
    assert "AAAA" not in str(caught.value)


def test_a_token_that_vonages_own_library_takes_is_proven() -> None:
    made().verify(hook(TOKEN), NOW)
    made().verify(hook(TOKEN, scheme="bearer"), NOW)


@pytest.mark.parametrize(
    "forged",
    [
        signed(TOLD, AT, secret="another" * 8),
        signed(b"another", AT),
        signed(TOLD, AT, payload_hash=None),
        signed(TOLD, AT, payload_hash=["x"]),
        signed(TOLD, AT, iat="soon"),
        signed(TOLD, AT, iat=True),
        signed(TOLD, AT, iat=None),
        jwt.encode({"iat": AT, "payload_hash": hashlib.sha256(TOLD).hexdigest()}, "", "none"),
        jwt.encode(
            {"iat": AT, "payload_hash": hashlib.sha256(TOLD).hexdigest()}, SECRET * 2, "HS512"
        ),
        TOKEN[:-2],
    ],
)
def test_a_token_that_is_not_of_this_body_by_this_secret_is_forged(forged: str) -> None:
    with pytest.raises(Unverified):
        made().verify(hook(forged), NOW)


def test_a_basic_login_is_no_token() -> None:
    with pytest.raises(Unverified):
        made().verify(hook(TOKEN, scheme="Basic"), NOW)


def test_a_hash_of_the_body_without_its_blanks_counts_as_the_bodys() -> None:
    spaced = b'{ "message_uuid": "u1",\n "text": "\xc3\xa9" }'
    compact = orjson.dumps(orjson.loads(spaced))
    made().verify(hook(signed(compact, AT), spaced), NOW)


def test_a_secret_is_replaced_without_a_callback_lost() -> None:
    made(signature_secrets=["new" * 12, SECRET]).verify(hook(TOKEN), NOW)
    with pytest.raises(Unverified):
        made(signature_secrets=["new" * 12]).verify(hook(TOKEN), NOW)


def test_a_callback_is_read_field_by_field(kit: VonageKit) -> None:
    (receipt,) = kit.provider.parse(kit.receipt("rejected", "1240"))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.error_code, receipt.reason) == (
        Status.undelivered,
        "1240",
        "opted_out",
    )
    assert (receipt.cost_micros, receipt.currency, receipt.segments) == (7_500, "EUR", 2)
    assert receipt.occurred_at == NOW.replace(second=3, microsecond=10_000)
    (reply,) = kit.provider.parse(kit.reply("STOP"))
    assert isinstance(reply, Reply)
    assert (reply.sender, reply.to) == (MESSAGE.to, OURS)
    assert reply.occurred_at == NOW.replace(second=3, microsecond=10_000)


@pytest.mark.parametrize(
    ("picture", "text"), [({"url": "u", "caption": "STOP"}, "STOP"), ({"url": "u"}, ""), ("u", "")]
)
def test_the_words_of_a_picture_are_its_caption(kit: VonageKit, picture: object, text: str) -> None:
    told = {
        "channel": "mms",
        "message_uuid": "u1",
        "from": MESSAGE.to[1:],
        "to": OURS[1:],
        "message_type": "image",
        "image": picture,
    }
    (reply,) = kit.provider.parse(kit.sign(orjson.dumps(told)))
    assert isinstance(reply, Reply)
    assert (reply.sender, reply.text) == (MESSAGE.to, text)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            {"title": 1210, "type": "https://developer.nexmo.com/api-errors/messages-olympus#1210"},
            "1210",
        ),
        ({"title": "1210"}, "1210"),
        ({"type": "https://developer.vonage.com/api-errors#throttled"}, "throttled"),
        ({"type": "https://developer.vonage.com/api-errors#something-new"}, ""),
        ({"title": "Throttled"}, ""),
        ("1210", ""),
        (None, ""),
    ],
)
def test_an_errors_code_is_found_where_vonage_writes_it(
    kit: VonageKit, error: object, code: str
) -> None:
    told = {"message_uuid": ID, "status": "rejected", "error": error}
    (receipt,) = kit.provider.parse(kit.sign(orjson.dumps(told)))
    assert isinstance(receipt, Receipt)
    assert receipt.error_code == code


@pytest.mark.parametrize(
    "settings",
    [
        {"application_id": "", "private_key": ""},
        {"application_id": ""},
        {"private_key": ""},
        {"api_key": "abcd1234"},
        {"private_key": "secrets/vonage.key"},
        {"signature_secrets": []},
        {"signature_secrets": [""]},
        {"from_number": ""},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"application_id|api_key|_key|_secrets|from_number"):
        made(**settings)
