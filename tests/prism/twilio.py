"""The Twilio adapter against a server made from Twilio's own OpenAPI description.

Not in the default run: it needs npm. ``make prism`` fetches prism (@stoplight/prism-cli,
Apache-2.0) and runs this file. The description is twilio/twilio-oai's (MIT), its Messages paths
only. prism checks each request against it and refuses with 422 what it does not allow. A field
that the description does not name it lets pass; tests/providers/test_twilio_description.py does
not.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.errors import Refused
from connector.messages import Accepted, Message
from connector.model import Status
from connector.providers.twilio import Twilio

DESCRIPTION = Path(__file__).parents[1] / "samples" / "twilio_messages_openapi.json"
ACCOUNT, SERVICE = "AC" + "a" * 32, "MG" + "b" * 32
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)
MESSAGE = Message(
    send_id="snd_01k5abc",
    to="+14155552671",
    text="Corner Shop: your basket is waiting, é 😀. Reply STOP to opt out",
    callback_url="https://sms.example.test/providers/twilio",
)


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """prism on loopback. Its own answers are Twilio's examples, which break the description."""
    port = free_port()
    place = ["-h", "127.0.0.1", "-p", str(port)]
    command = [os.environ["PRISM"], "mock", *place, str(DESCRIPTION)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture
def twilio(origin: str) -> Twilio:
    return made(origin)


def made(origin: str, **settings: Any) -> Twilio:
    usual = {
        "account_sid": ACCOUNT,
        "auth_tokens": ["secret"],
        "messaging_service_sid": SERVICE,
        "base_url": origin,
    }
    return Twilio(**{**usual, **settings})


def free_port() -> int:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise AssertionError(f"prism ended with {server.returncode}")
        with closing(socket.socket()) as calling:
            if calling.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("prism does not listen")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, MESSAGE),
        ({}, replace(MESSAGE, sender="+15005550006")),
        ({}, replace(MESSAGE, sender="MG" + "c" * 32)),
        ({"messaging_service_sid": "", "from_number": "+15005550006"}, MESSAGE),
        ({}, replace(MESSAGE, sender="whatsapp:+15005550006")),
        ({}, replace(MESSAGE, sender="rcs:corner_shop")),
        ({}, replace(MESSAGE, valid_for=timedelta(seconds=1))),
        ({}, replace(MESSAGE, valid_for=timedelta(days=30))),
        ({}, replace(MESSAGE, callback_url="")),
        ({}, replace(MESSAGE, callback_url="https://sms.example.test/t?x=1#rc=2&rp=5xx")),
        ({}, replace(MESSAGE, text="x" * 1_600)),
        ({"api_key": "SK" + "d" * 32, "api_secret": "s"}, MESSAGE),
    ],
)
def test_every_form_of_a_text_is_one_that_the_description_allows(
    origin: str, settings: dict[str, Any], message: Message
) -> None:
    accepted = made(origin, **settings).send(message)
    assert isinstance(accepted, Accepted)
    assert accepted.provider_id.startswith("SM")
    assert accepted.segments == 1


def test_lists_are_asked_for_as_the_description_allows(twilio: Twilio, origin: str) -> None:
    assert twilio.find(MESSAGE, datetime(2023, 8, 24, 5, 1, tzinfo=UTC)).taken is not True
    for adapter in (twilio, made(origin, messaging_service_sid="", from_number="+15005550006")):
        list(adapter.inbound(datetime(2027, 1, 1, tzinfo=UTC)))
        list(adapter.carried(datetime(2027, 1, 1, tzinfo=UTC)))


def test_one_text_is_asked_for_as_the_description_allows(twilio: Twilio) -> None:
    receipt = twilio.status("SM" + "e" * 32, MESSAGE)
    assert receipt is not None
    assert receipt.status in set(Status)


@pytest.mark.parametrize(
    "changed",
    [
        {"ValidityPeriod": "soon"},  # no number
        {"StatusCallback": "not an address"},
        {"MessagingServiceSid": "MG1"},
        {"To": None},  # must be there
    ],
    ids=str,
)
def test_what_the_description_does_not_allow_is_refused(
    origin: str, changed: dict[str, str | None]
) -> None:
    """The check itself: without it, all of the above would say nothing."""
    fields = {"To": MESSAGE.to, "From": "+15005550006", "Body": "x", **changed}
    answer = requests.post(
        f"{origin}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        data={name: value for name, value in fields.items() if value is not None},
        auth=(ACCOUNT, "secret"),
        timeout=10,
    )
    assert answer.status_code == 422, answer.text


def test_the_adapter_itself_is_refused_where_it_breaks_the_description(origin: str) -> None:
    """As it would be if a change of it sent what Twilio does not know."""
    broken = made(origin, messaging_service_sid="MG-no-such-form")
    with pytest.raises(Refused) as caught:
        broken.send(MESSAGE)
    assert "422" in str(caught.value)
