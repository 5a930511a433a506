"""Twilio's callbacks: signatures by published vectors, receipts and replies field by field.

The vectors are those of twilio/twilio-python (MIT), tests/unit/test_request_validator.py, and the
worked example of Twilio's documentation.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import Unreadable, Unverified
from connector.messages import Receipt, Reply
from connector.model import Hook, Status
from tests.providers.contract import NOW
from tests.providers.twilio_side import TwilioSide

CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
DOCS = {**CALL, "From": "+14158675310", "Caller": "+14158675310"}
REPEATED = [
    *(("Sid", "CA123"), ("SidAccount", "AC123")),
    *(("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")),
]
INBOUND = {
    "AccountSid": "AC1",
    "ApiVersion": "2010-04-01",
    "Body": "STOP please é 😀",
    "Empty": "",
    "From": "+14155552671",
    "MessageSid": "SM1",
    "NumMedia": "0",
    "NumSegments": "1",
    "SmsMessageSid": "SM1",
    "SmsSid": "SM1",
    "SmsStatus": "received",
    "To": "+15005550006",
    "ToCountry": "US",
}
QUERY = "/myapp.php?foo=1&bar=2"
SHA = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON = b'{"property": "value", "boolean": true}'
SITE = "https://sms.example.test/hooks/twilio/inbound"


def encoded(fields: object) -> bytes:
    return urlencode(fields).encode()  # type: ignore[arg-type]


SHARED = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="  #: of ``CALL``, SHA-256, key 12345
VECTORS = {
    "the documentation's example": (
        f"https://example.com{QUERY}",
        encoded(DOCS),
        "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    ),
    "https": (f"https://mycompany.com{QUERY}", encoded(CALL), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    "https with a port, signed without": (
        f"https://mycompany.com:1234{QUERY}",
        encoded(CALL),
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    ),
    "https without a port, signed with": (
        f"https://mycompany.com{QUERY}",
        encoded(CALL),
        "kvajT1Ptam85bY51eRf/AJRuM3w=",
    ),
    "http": (f"http://mycompany.com{QUERY}", encoded(CALL), "OyGYPqTF6ztdbRNCvuQO/oPvqQ4="),
    "http without a port, signed with": (
        f"http://mycompany.com{QUERY}",
        encoded(CALL),
        "0ZXoZLH/DfblKGATFgpif+LLRf4=",
    ),
    "http with a port": (
        f"http://mycompany.com:1234{QUERY}",
        encoded(CALL),
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
    ),
    "a repeated field": (
        f"https://mycompany.com{QUERY}",
        encoded(REPEATED),
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    "a hashed body": (
        f"https://mycompany.com{QUERY}&bodySHA256={SHA}",
        JSON,
        "a9nBmqA0ju/hNViExpshrM61xv4=",
    ),
    "blank fields and emoji": (SITE, encoded(INBOUND), "r6KCwRzWig3E8nmO7MriLPFLpxg="),
    "a stated default port": (
        SITE.replace("test/", "test:443/"),
        encoded(INBOUND),
        "r6KCwRzWig3E8nmO7MriLPFLpxg=",
    ),
    "a fragment, which is not signed": (
        f"{SITE}#rc=2&rp=5xx",
        encoded(INBOUND),
        "r6KCwRzWig3E8nmO7MriLPFLpxg=",
    ),
}

twilio = TwilioSide("12345").adapter


def hook(url: str, body: bytes, signature: str) -> Hook:
    return Hook("POST", url, {"x-twilio-signature": signature}, body)


@pytest.mark.parametrize(("url", "body", "signature"), VECTORS.values(), ids=VECTORS)
def test_published_signatures_are_proven(url: str, body: bytes, signature: str) -> None:
    twilio.verify(hook(url, body, signature), NOW)


@pytest.mark.parametrize(("url", "body", "signature"), VECTORS.values(), ids=VECTORS)
def test_they_are_not_with_anything_changed(url: str, body: bytes, signature: str) -> None:
    other_scheme = url.replace("https:", "x:").replace("http:", "https:").replace("x:", "http:")
    for forged in (
        hook(url, body, signature[:-2] + "x="),
        hook(url, body, ""),
        hook(url, body + b"&More=1", signature),
        hook(url, body[:-1], signature),
        hook(url.replace("//", "//x"), body, signature),
        hook(other_scheme, body, signature),
        hook("ftp://x/", body, signature),
        hook("", body, signature),
    ):
        with pytest.raises(Unverified):
            twilio.verify(forged, NOW)
    with pytest.raises(Unverified):
        TwilioSide("54321").adapter.verify(hook(url, body, signature), NOW)


def test_blank_fields_and_spaces_are_signed() -> None:
    signature = VECTORS["blank fields and emoji"][2]
    for fields in (
        {name: value for name, value in INBOUND.items() if value},
        {**INBOUND, "Body": INBOUND["Body"] + " "},
    ):
        with pytest.raises(Unverified):
            twilio.verify(hook(SITE, encoded(fields), signature), NOW)


def test_a_shared_key_signs_where_the_callback_says_so_and_nowhere_else() -> None:
    url = f"https://mycompany.com{QUERY}"
    told = hook(url, encoded(CALL), SHARED)
    said = {"x-twilio-webhooks-signature-settings": "key=HK1,algorithm=HMAC_SHA256"}
    told = replace(told, headers={**told.headers, **said})
    keyed = TwilioSide("54321", shared_keys=["old", "12345"]).adapter
    keyed.verify(told, NOW)
    plain = replace(told, headers={"x-twilio-signature": SHARED})
    for adapter, forged in ((keyed, plain), (twilio, told), (keyed, replace(told, body=b"a=1"))):
        with pytest.raises(Unverified):
            adapter.verify(forged, NOW)


def test_during_a_rotation_both_tokens_verify() -> None:
    both = TwilioSide(auth_tokens=["new", "", "old"]).adapter
    for token in ("new", "old"):
        both.verify(TwilioSide(token).signed(SITE, b"a=1"), NOW)
    for token in ("", "older"):
        with pytest.raises(Unverified):
            both.verify(TwilioSide(token, auth_tokens=["any"]).signed(SITE, b"a=1"), NOW)


@pytest.mark.parametrize(
    ("public", "seen"),
    [
        ("https://sms.example.test", "http://10.0.0.7:8080/hooks/twilio/inbound"),
        ("https://sms.example.test/", "https://sms.example.test/hooks/twilio/inbound"),
        ("https://sms.example.test/hooks", "http://localhost/twilio/inbound"),
        ("https://sms.example.test/hooks", "http://localhost/hooks/twilio/inbound"),
    ],
)
def test_a_public_address_stands_for_the_one_behind_the_proxy(public: str, seen: str) -> None:
    adapter = TwilioSide("12345", public_url=public).adapter
    signature = VECTORS["blank fields and emoji"][2]
    adapter.verify(hook(seen, encoded(INBOUND), signature), NOW)


def test_a_form_of_too_many_fields_is_not_even_read() -> None:
    side = TwilioSide()
    with pytest.raises(Unverified):
        side.adapter.verify(side.signed(SITE, encoded([("a", "1")] * 501)), NOW)


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=60), st.text(max_size=40))
def test_no_callback_makes_it_raise_anything_else(body: bytes, url: str, signature: str) -> None:
    for address in (url, f"https://{url}", f"https://a.test/?{url}", f"{SITE}?bodySHA256={url}"):
        with pytest.raises(Unverified):
            twilio.verify(hook(address, body, signature), NOW)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=9))
def test_whatever_is_signed_is_proven(pairs: list[tuple[str, str]]) -> None:
    side = TwilioSide("a token")
    side.adapter.verify(side.signed(SITE, urlencode(pairs, errors="replace").encode()), NOW)


def status(query: str = "", **fields: str) -> Receipt:
    body = {"AccountSid": "AC1", "MessageSid": "SM1", "SmsSid": "SM1", **fields}
    (receipt,) = twilio.parse(hook(f"https://sms.example.test/t{query}", encoded(body), ""))
    assert isinstance(receipt, Receipt)
    return receipt


@pytest.mark.parametrize(
    ("raw", "known"),
    [
        *((raw, Status.accepted) for raw in ("accepted", "scheduled", "queued", "sending")),
        ("sent", Status.sent),
        ("delivered", Status.delivered),
        ("read", Status.delivered),
        ("undelivered", Status.undelivered),
        ("failed", Status.failed),
        ("canceled", Status.canceled),
        ("partially_delivered", Status.unknown),
        ("Delivered", Status.unknown),
    ],
)
def test_each_status_is_one_of_ours_and_kept_raw(raw: str, known: Status) -> None:
    receipt = status(MessageStatus=raw, SmsStatus=raw)
    assert (receipt.status, receipt.raw_status) == (known, raw)


def test_a_receipt_carries_the_error_the_carriers_time_and_our_reference() -> None:
    receipt = status(
        "?x=1&s=snd_01k5%2Fabc",
        MessageStatus="undelivered",
        ErrorCode="30005",
        RawDlrDoneDate="2703011215",
        NumSegments="2",
    )
    assert receipt == Receipt(
        provider="twilio",
        provider_id="SM1",
        status=Status.undelivered,
        raw_status="undelivered",
        error_code="30005",
        reason="invalid_number",
        stamp="2703011215",
        send_id="snd_01k5/abc",
        segments=2,
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", ""),
        ("30003", "unavailable"),
        ("30007", "content"),
        ("39999", "unknown"),
        ("x", "unknown"),
    ],
)
def test_a_receipts_reason_follows_its_code(code: str, reason: str) -> None:
    assert status(MessageStatus="failed", ErrorCode=code).reason == reason


def test_an_inbound_text_is_a_reply() -> None:
    (reply,) = twilio.parse(hook(SITE, encoded({**INBOUND, "OptOutType": "Stop"}), ""))
    assert reply == Reply(
        provider="twilio",
        provider_id="SM1",
        sender="+14155552671",
        to="+15005550006",
        text="STOP please é 😀",
        opt_out_type="STOP",
    )


@pytest.mark.parametrize("missing", ["MessageSid", "SmsStatus", "From"])
def test_an_inbound_text_without_its_id_status_or_sender_is_unreadable(missing: str) -> None:
    fields = {name: value for name, value in INBOUND.items() if name not in (missing, "SmsSid")}
    with pytest.raises(Unreadable):
        twilio.parse(hook(SITE, encoded(fields), ""))


@pytest.mark.parametrize("sid", ["SM\n1", "x" * 256])
def test_an_id_that_cannot_be_kept_as_one_is_none(sid: str) -> None:
    with pytest.raises(Unreadable):
        twilio.parse(hook(SITE, encoded({**INBOUND, "MessageSid": sid}), ""))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_body_makes_parse_raise_anything_else(body: bytes) -> None:
    with pytest.raises(Unreadable):
        twilio.parse(replace(hook(SITE, b"", ""), body=body))
