"""WhatsApp and RCS through Twilio: the same interface, where the sender says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.messages import Found, Message, Receipt, Reply, bare, channel_of
from connector.model import Status
from connector.providers.twilio_errors import CODES as TABLE
from tests.providers.contract import MESSAGE, NOW, SECRET, SETTLED, TEXT
from tests.providers.twilio_side import LIST, TwilioSide, created, dated, form

WHATSAPP = replace(MESSAGE, sender="whatsapp:+15005550006")
RCS = replace(MESSAGE, sender="rcs:corner_shop")
CALLBACK = "https://sms.example.test/providers/twilio"


@pytest.fixture
def side() -> Iterator[TwilioSide]:
    with TwilioSide(SECRET) as side:
        yield side


def asked(side: TwilioSide) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(side.calls.calls[-1].request.url)).query)


@pytest.mark.parametrize(
    ("message", "to"),
    [(WHATSAPP, "whatsapp:+14155552671"), (RCS, "rcs:+14155552671"), (MESSAGE, "+14155552671")],
)
def test_both_addresses_bear_the_channel_of_the_sender(
    side: TwilioSide, message: Message, to: str
) -> None:
    side.answers_send(status=201, json=created())
    side.adapter.send(message)
    fields = form(side.calls.calls[0].request)
    assert fields["To"] == to
    assert fields.get("From", "") == message.sender


def test_a_messaging_service_of_numbers_does_not_speak_on_another_channel(
    side: TwilioSide,
) -> None:
    side.answers_send(status=201, json=created())
    side.adapter.send(WHATSAPP)
    assert "MessagingServiceSid" not in form(side.calls.calls[0].request)


def test_the_settings_own_sender_may_be_one_of_whatsapp() -> None:
    with TwilioSide(SECRET, messaging_service_sid="", from_number=WHATSAPP.sender) as side:
        side.answers_send(status=201, json=created())
        side.adapter.send(MESSAGE)
        assert form(side.calls.calls[0].request)["To"] == "whatsapp:+14155552671"


def test_a_text_on_another_channel_is_looked_up_there(side: TwilioSide) -> None:
    at = dated(NOW, to="whatsapp:+14155552671", body=TEXT)
    side.answers_list(json={**LIST, "messages": [at]}, at=SETTLED)
    found = side.adapter.find(WHATSAPP, NOW)
    assert asked(side)["To"] == ["whatsapp:+14155552671"]
    assert (found.taken, found.fits[0].to) == (True, MESSAGE.to)


def test_what_was_carried_and_replied_there_is_listed_by_the_number(side: TwilioSide) -> None:
    reply = dated(
        NOW,
        sid="SMreply",
        direction="inbound",
        to="whatsapp:+15005550006",
        body="STOP",
        **{"from": "whatsapp:+14155552671"},
    )
    sent = dated(NOW, to="rcs:+14155552671")
    side.answers_list(json={**LIST, "messages": [reply, sent]}, at=SETTLED)
    (heard,) = side.adapter.inbound(NOW)
    assert (heard.sender, heard.channel, heard.text) == (MESSAGE.to, "whatsapp", "STOP")
    (carried,) = side.adapter.carried(NOW)
    assert carried.to == MESSAGE.to


@pytest.mark.parametrize(
    ("sender", "channel"),
    [
        ("whatsapp:+14155552671", "whatsapp"),
        ("rcs:+14155552671", "rcs"),
        ("+14155552671", "sms"),
    ],
)
def test_a_stop_counts_for_the_number_on_whatever_channel_it_comes(
    side: TwilioSide, sender: str, channel: str
) -> None:
    fields = {"MessageSid": "SM2", "SmsStatus": "received", "From": sender, "Body": "STOP"}
    hook = side.signed(CALLBACK, urlencode(fields).encode())
    side.adapter.verify(hook, NOW)
    (reply,) = side.adapter.parse(hook)
    assert isinstance(reply, Reply)
    assert (reply.sender, reply.channel, reply.text) == (MESSAGE.to, channel, "STOP")


def test_a_text_that_was_read_has_arrived(side: TwilioSide) -> None:
    fields = {"MessageSid": "SM2", "MessageStatus": "read", "To": "whatsapp:+14155552671"}
    (receipt,) = side.adapter.parse(side.signed(CALLBACK, urlencode(fields).encode()))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.raw_status) == (Status.delivered, "read")


#: Twilio's codes of its other channels → what they mean for a text (Twilio's error pages).
CODES: dict[int, tuple[type[SendFailed], str]] = {
    **dict.fromkeys((63001, 63007, 63008, 63020), (Deferred, "configuration")),
    **dict.fromkeys((63005, 63013, 63016, 63021), (Refused, "content")),
    **dict.fromkeys((63003, 63024, 63049), (Refused, "blocked")),
    **dict.fromkeys((63018, 63038), (Deferred, "rate_limited")),
    **dict.fromkeys((63010, 63012), (Uncertain, "unavailable")),
    **dict.fromkeys((63036, 63106), (Refused, "unavailable")),
    63014: (Refused, "opted_out"),
}


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_a_channel_has_its_meaning(side: TwilioSide, code: int) -> None:
    side.answers_send(status=400, json={"code": code, "message": "x", "status": 400})
    with pytest.raises(SendFailed) as caught:
        side.adapter.send(WHATSAPP)
    assert (type(caught.value), caught.value.reason) == CODES[code]


def test_who_is_not_on_whatsapp_may_still_have_a_mobile() -> None:
    to_itself = "63031"
    told = {why for code, (_, why) in TABLE.items() if code[:2] == "63" and code != to_itself}
    assert not told & {"invalid_number", "not_mobile"}


@pytest.mark.parametrize(
    ("address", "channel", "rest"),
    [
        ("whatsapp:+1202", "whatsapp", "+1202"),
        ("rcs:shop", "rcs", "shop"),
        ("+1202", "sms", "+1202"),
        ("MG1", "sms", "MG1"),
        ("sip:x", "sms", "sip:x"),
        ("", "sms", ""),
    ],
)
def test_an_address_is_taken_apart(address: str, channel: str, rest: str) -> None:
    assert (channel_of(address), bare(address)) == (channel, rest)


def test_nothing_is_found_where_only_another_channel_carried_the_words(side: TwilioSide) -> None:
    side.answers_list(json=LIST, at=SETTLED)
    assert side.adapter.find(RCS, NOW) == Found(False)
