"""Calls to other tools: signed by Standard Webhooks, known by their step, never followed away."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests
import responses

from connector.crms.webhook import Webhook
from connector.records import Page, Writeback

URL = "https://mail.example/hooks"
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
KEY = base64.b64encode(b"of twenty-four bytes, ok").decode()
CHANGE = Writeback("wrb_1", "hook:mail", "con_1", "", "webhook", "call:enr_1:mail", {"play": "p"})


def tool(*secrets: str) -> Webhook:
    return Webhook(
        name="mail",
        url=URL,
        secrets=secrets or (f"whsec_{KEY}",),
        http=requests.Session(),
        clock=lambda: NOW,
    )


@responses.activate
def test_a_call_is_signed_over_its_id_its_time_and_its_body() -> None:
    responses.post(URL, status=204)
    [answer] = tool("plain-secret", f"whsec_{KEY}").write([CHANGE])
    sent = responses.calls[0].request
    assert answer.ok and answer.record == "call:enr_1:mail"
    assert json.loads(sent.body or "") == {"play": "p"}
    signed = f"call:enr_1:mail.{int(NOW.timestamp())}.".encode() + (sent.body or b"")  # type: ignore[operator]
    digest = hmac.digest(base64.b64decode(KEY), signed, "sha256")
    old = hmac.digest(b"plain-secret", signed, "sha256")
    wanted = " ".join(f"v1,{base64.b64encode(each).decode()}" for each in (old, digest))
    assert sent.headers["webhook-signature"] == wanted
    assert sent.headers["webhook-id"] == "call:enr_1:mail"
    assert sent.headers["webhook-timestamp"] == str(int(NOW.timestamp()))


@responses.activate
@pytest.mark.parametrize(
    ("status", "ok", "permanent"),
    [
        *((200, True, False), (202, True, False), (301, False, False), (400, False, True)),
        *((404, False, True), (408, False, False), (410, False, True), (425, False, False)),
        *((429, False, False), (500, False, False), (503, False, False)),
    ],
)
def test_each_status_is_a_verdict(status: int, ok: bool, permanent: bool) -> None:
    responses.post(URL, status=status, headers={"location": "https://elsewhere.example/"})
    [answer] = tool().write([CHANGE])
    assert (answer.ok, answer.permanent) == (ok, permanent)
    assert len(responses.calls) == 1  # a redirect is not followed


@responses.activate
def test_a_tool_that_cannot_be_reached_is_called_again_later_and_its_secret_is_not_told() -> None:
    responses.post(URL, body=requests.ConnectionError("secret plain-secret"))
    [answer] = tool("plain-secret").write([CHANGE])
    assert (answer.ok, answer.permanent) == (False, False)
    assert answer.error == "could not be called: ConnectionError"


@responses.activate
def test_a_tool_that_is_dead_is_asked_once_and_not_once_for_each_call() -> None:
    responses.post(URL, status=200)
    responses.post(URL, body=requests.Timeout())
    changes = [replace(CHANGE, id=f"wrb_{number}") for number in range(5)]
    answers = tool().write(changes)
    assert len(responses.calls) == 2
    assert [answer.id for answer in answers] == [change.id for change in changes]
    assert [answer.ok for answer in answers] == [True, *[False] * 4]
    assert not any(answer.permanent for answer in answers)


@responses.activate
def test_of_a_long_answer_only_the_beginning_is_taken() -> None:
    responses.post(URL, body=b"x" * 10_000_000)
    assert tool().write([CHANGE])[0].ok


def test_a_tool_is_told_and_not_asked() -> None:
    assert tool().fetch([]) == []
    assert tool().changes("contact", "c") == Page((), "c")
