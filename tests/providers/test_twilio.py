"""Twilio: what is asked of it, and what its answers mean."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.messages import Accepted
from connector.providers.twilio import Twilio
from tests.providers.contract import MESSAGE, NOW, SECRET, TEXT
from tests.providers.twilio_side import (
    ACCOUNT,
    SERVICE,
    TwilioSide,
    created,
    form,
)

R, D, U = Refused, Deferred, Uncertain

#: Twilio's error code → what it means for a text (Twilio's error pages).
CODES: dict[int, tuple[type[SendFailed], str]] = {
    **dict.fromkeys((14107, 20429, 21611, 30001, 30017, 30022, 30023, 30027), (D, "rate_limited")),
    **dict.fromkeys((20003, 20404, 21212, 21603, 21606, 21609), (D, "configuration")),
    **dict.fromkeys((21703, 21704, 21705, 21709, 30002), (D, "configuration")),
    **dict.fromkeys((30024, 30032, 30034, 30035, 30450), (D, "configuration")),
    **dict.fromkeys((30610, 30615), (D, "unavailable")),
    **dict.fromkeys((20500, 20503, 30020), (U, "unavailable")),
    30410: (U, "timeout"),
    **dict.fromkeys((21211, 21265, 21266, 30005), (R, "invalid_number")),
    **dict.fromkeys((21614, 21635, 30006), (R, "not_mobile")),
    **dict.fromkeys((21408, 21608), (R, "configuration")),
    **dict.fromkeys((21602, 21617, 30007, 30019), (R, "content")),
    **dict.fromkeys((21612, 30004, 30039), (R, "blocked")),
    **dict.fromkeys((21610, 63014), (R, "opted_out")),
    **dict.fromkeys((21999, 30008, 30999, 1), (R, "unknown")),
    30003: (R, "unavailable"),
}


@pytest.fixture
def side() -> Iterator[TwilioSide]:
    with TwilioSide(SECRET) as side:
        yield side


def failed(side: TwilioSide) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        side.adapter.send(MESSAGE)
    return caught.value


def test_a_text_is_posted_with_sender_callback_and_validity(side: TwilioSide) -> None:
    side.answers_send(status=201, json=created())
    assert side.adapter.send(MESSAGE) == Accepted("SM" + "c" * 32, 1, None, "USD")
    request = side.calls.calls[0].request
    assert form(request) == {
        "To": "+14155552671",
        "MessagingServiceSid": SERVICE,
        "Body": TEXT,
        "StatusCallback": "https://sms.example.test/providers/any?s=snd_01k5abc",
        "ValidityPeriod": "14400",
    }
    login = base64.b64encode(f"{ACCOUNT}:{SECRET}".encode()).decode()
    assert request.headers["Authorization"] == f"Basic {login}"


@pytest.mark.parametrize(
    ("settings", "sender", "sent_from"),
    [
        ({}, "", {"MessagingServiceSid": SERVICE}),
        (
            {"from_number": "+15005550006"},
            "",
            {"From": "+15005550006", "MessagingServiceSid": SERVICE},
        ),
        ({"messaging_service_sid": "", "from_number": "+1500"}, "", {"From": "+1500"}),
        ({}, "+1501", {"From": "+1501", "MessagingServiceSid": SERVICE}),
        ({"from_number": "+1500"}, "MG2", {"MessagingServiceSid": "MG2"}),
    ],
)
def test_the_sender_is_the_texts_own_or_the_settings(
    settings: dict[str, str], sender: str, sent_from: dict[str, str]
) -> None:
    with TwilioSide(**settings) as side:
        side.answers_send(status=201, json=created())
        side.adapter.send(replace(MESSAGE, sender=sender))
        fields = form(side.calls.calls[0].request)
    assert {name: fields[name] for name in ("From", "MessagingServiceSid") if name in fields} == (
        sent_from
    )


@pytest.mark.parametrize(
    ("callback", "sent"),
    [
        ("", None),
        ("https://a.test/t?x=1", "https://a.test/t?x=1&s=snd_01k5abc"),
        ("https://a.test/t#rc=2&rp=5xx", "https://a.test/t?s=snd_01k5abc#rc=2&rp=5xx"),
    ],
)
def test_the_callback_brings_our_reference_back(
    side: TwilioSide, callback: str, sent: str | None
) -> None:
    side.answers_send(status=201, json=created())
    side.adapter.send(replace(MESSAGE, callback_url=callback))
    assert form(side.calls.calls[0].request).get("StatusCallback") == sent


@pytest.mark.parametrize(
    ("valid_for", "sent"),
    [(timedelta(days=3), "36000"), (timedelta(minutes=7), "420"), (timedelta(0), "1")],
)
def test_the_validity_stays_in_twilios_bounds(
    side: TwilioSide, valid_for: timedelta, sent: str
) -> None:
    side.answers_send(status=201, json=created())
    side.adapter.send(replace(MESSAGE, valid_for=valid_for))
    assert form(side.calls.calls[0].request)["ValidityPeriod"] == sent


def test_any_text_survives_the_form(side: TwilioSide) -> None:
    side.answers_send(status=201, json=created())
    side.adapter.send(replace(MESSAGE, text="50% off & more + é 😀 \n=\ud800"))
    assert form(side.calls.calls[0].request)["Body"] == "50% off & more + é 😀 \n=?"


def test_an_api_key_sends_while_the_tokens_verify() -> None:
    with TwilioSide("token", api_key="SK1", api_secret="s") as side:
        side.answers_send(status=201, json=created())
        side.adapter.send(MESSAGE)
        sent = side.calls.calls[0].request.headers["Authorization"]
        hook = side.signed("https://sms.example.test/x", b"a=1")
        side.adapter.verify(hook, NOW)
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"SK1:s"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_segments": "3"}, (3, None, "USD")),
        ({"num_segments": "0"}, (None, None, "USD")),
        ({"num_segments": "many", "price_unit": None}, (None, None, "")),
        ({"num_segments": None, "price": "-0.00750"}, (None, 7_500, "USD")),
        ({"price": "-1.2", "price_unit": "eur"}, (1, 1_200_000, "EUR")),
        ({"price": "1E+999999"}, (1, None, "USD")),
        ({"num_segments": "9" * 9_999, "price": []}, (999_999, None, "USD")),
    ],
)
def test_segments_and_price_are_read_where_twilio_knows_them(
    side: TwilioSide, changes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    side.answers_send(status=201, json=created(**changes))
    accepted = side.adapter.send(MESSAGE)
    assert (accepted.segments, accepted.cost_micros, accepted.currency) == expected


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_meaning(side: TwilioSide, code: int) -> None:
    side.answers_send(status=400, json={"code": code, "message": "x", "status": 400})
    error = failed(side)
    assert (type(error), error.reason, error.code) == (*CODES[code], str(code))
    assert str(code) in str(error)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (302, D, "configuration"),
        (400, R, "unknown"),
        (401, D, "configuration"),
        (403, D, "configuration"),
        (404, D, "configuration"),
        (408, U, "timeout"),
        (422, R, "unknown"),
        (429, D, "rate_limited"),
        (500, U, "unavailable"),
        (504, U, "unavailable"),
    ],
)
@pytest.mark.parametrize("body", ["", "<html>", '{"code": "x"}', "[1]", '{"code": null}'])
def test_a_status_without_a_code_has_its_meaning(
    side: TwilioSide, status: int, kind: type[SendFailed], reason: str, body: str
) -> None:
    side.answers_send(status=status, body=body)
    error = failed(side)
    assert (type(error), error.reason, error.code) == (kind, reason, "")


@pytest.mark.parametrize("code", [20429, 21611, 21610, 99999])
def test_429_is_never_processed_whatever_its_code(side: TwilioSide, code: int) -> None:
    side.answers_send(status=429, json={"code": code})
    error = failed(side)
    assert (type(error), error.reason, error.code) == (D, "rate_limited", str(code))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2.0),
        ("99999999999", 3600.0),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("Mon, 01 Mar 2027 12:00:30 GMT", 30.0),
        ("Mon, 01 Mar 2027 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_honoured(side: TwilioSide, header: str, seconds: float | None) -> None:
    headers = {"Retry-After": header, "Date": "Mon, 01 Mar 2027 12:00:00 GMT"}
    side.answers_send(status=429, json={"code": 20429}, headers=headers)
    error = failed(side)
    assert isinstance(error, Deferred)
    assert error.retry_after == seconds


@pytest.mark.parametrize("body", ["", "null", "[]", '{"sid": null}', '{"sid": 1}', "{" * 10_000])
def test_an_unreadable_acceptance_is_uncertain(side: TwilioSide, body: str) -> None:
    side.answers_send(status=201, body=body)
    assert type(failed(side)) is Uncertain


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_names_the_certificates_and_proxies(
    side: TwilioSide, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "/etc/our-ca.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    side.answers_send(status=201, json=created())
    side.adapter.send(MESSAGE)
    settings = side.calls.calls[0].request.req_kwargs  # type: ignore[attr-defined]
    assert settings["verify"] == "/etc/our-ca.pem"
    assert settings["proxies"]["https"] == "http://proxy.test:3128"
    assert settings["timeout"] == (3.05, 10.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"account_sid": "../Accounts"},
        {"account_sid": ""},
        {"auth_tokens": []},
        {"auth_tokens": [""]},
        {"messaging_service_sid": "", "from_number": ""},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"account_sid|auth_tokens|from_number"):
        TwilioSide(**settings)


def test_a_session_that_repeats_requests_is_refused() -> None:
    with requests.Session() as session:
        session.mount("https://", requests.adapters.HTTPAdapter(max_retries=3))
        adapter = Twilio(account_sid="AC1", auth_tokens=["t"], from_number="+1500", http=session)
        with pytest.raises(ValueError, match="without retries"):
            adapter.send(MESSAGE)
