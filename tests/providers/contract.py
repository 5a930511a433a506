"""What every provider must do alike: one suite, run by each adapter through a kit of its own.

A kit makes the other side behave: it arranges the fate of the next text and makes signed
callbacks in the provider's own tongue. The suite knows no provider.
"""

from __future__ import annotations

import inspect
import typing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from connector.errors import Deferred, Refused, SendFailed, Uncertain, Unreadable, Unverified
from connector.messages import Accepted, Message, Receipt, Reply
from connector.model import Hook, Status
from connector.providers import Provider

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
TEXT = "Corner Shop: your basket is waiting. Reply STOP to opt out"
MESSAGE = Message(
    send_id="snd_01k5abc",
    to="+14155552671",
    text=TEXT,
    callback_url="https://sms.example.test/providers/any",
)
SECRET = "0123456789secret"

#: fate of a text → what ``send`` raises, with which reason
FAILURES: dict[str, tuple[type[SendFailed], str]] = {
    "invalid_number": (Refused, "invalid_number"),
    "not_mobile": (Refused, "not_mobile"),
    "opted_out": (Refused, "opted_out"),
    "blocked": (Refused, "blocked"),
    "content": (Refused, "content"),
    "unheard_of": (Refused, "unknown"),
    "configuration": (Deferred, "configuration"),
    "rate_limited": (Deferred, "rate_limited"),
    "unreachable": (Deferred, "timeout"),
    "server_error": (Uncertain, "unavailable"),
    "malformed": (Uncertain, "unknown"),
    "lost_untaken": (Uncertain, "timeout"),
    "lost_taken": (Uncertain, "timeout"),
}

#: status as we name it → (status in the receipt, our reason)
STATUSES: dict[str, tuple[Status, str]] = {
    "sent": (Status.sent, ""),
    "delivered": (Status.delivered, ""),
    "undelivered": (Status.undelivered, "not_mobile"),
    "failed": (Status.failed, "not_mobile"),
    "canceled": (Status.canceled, ""),
    "teleported": (Status.unknown, ""),
}


class Kit(Protocol):
    """One adapter and the other side of it."""

    provider: Provider

    def arrange(self, fate: str) -> None:
        """Let the next text be ``accepted`` or meet a fate of ``FAILURES``."""

    def receipt(self, provider_id: str, status: str) -> Hook:
        """A signed receipt of ``MESSAGE``; a bad one says the number is no mobile."""

    def reply(self, text: str) -> Hook:
        """A signed text from ``MESSAGE.to``."""

    def sign(self, body: bytes) -> Hook:
        """A signed callback with any body."""


class ProviderContract:
    """The suite; a subclass supplies the ``kit`` fixture."""

    def test_a_text_is_accepted_with_its_id_and_segments(self, kit: Kit) -> None:
        kit.arrange("accepted")
        accepted = kit.provider.send(MESSAGE)
        assert accepted == Accepted(accepted.provider_id, segments=1, currency=accepted.currency)
        assert accepted.provider_id

    @pytest.mark.parametrize("fate", FAILURES)
    def test_each_failure_says_what_to_do_next(self, kit: Kit, fate: str) -> None:
        kind, reason = FAILURES[fate]
        kit.arrange(fate)
        with pytest.raises(SendFailed) as caught:
            kit.provider.send(MESSAGE)
        assert (type(caught.value), caught.value.reason) == (kind, reason)

    @pytest.mark.parametrize("fate", FAILURES)
    def test_no_failure_tells_the_text_the_number_or_the_secret(self, kit: Kit, fate: str) -> None:
        kit.arrange(fate)
        with pytest.raises(SendFailed) as caught:
            kit.provider.send(MESSAGE)
        for private in (TEXT, MESSAGE.to, MESSAGE.to[1:], SECRET):
            assert private not in f"{caught.value}{caught.value.args}"
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    @pytest.mark.parametrize(("fate", "taken"), [("lost_taken", True), ("lost_untaken", False)])
    def test_a_text_whose_answer_was_lost_can_be_looked_up(
        self, kit: Kit, fate: str, taken: bool
    ) -> None:
        kit.arrange(fate)
        with pytest.raises(Uncertain):
            kit.provider.send(MESSAGE)
        found = kit.provider.find(MESSAGE, NOW)
        assert found.taken is taken
        assert bool(found.provider_id) is taken

    @pytest.mark.parametrize("status", STATUSES)
    def test_a_receipt_is_read(self, kit: Kit, status: str) -> None:
        hook = kit.receipt("SM1", status)
        kit.provider.verify(hook, NOW)
        (receipt,) = kit.provider.parse(hook)
        assert isinstance(receipt, Receipt)
        assert receipt.provider == kit.provider.name
        assert (receipt.provider_id, receipt.send_id) == ("SM1", MESSAGE.send_id)
        assert (receipt.status, receipt.reason) == STATUSES[status]
        assert receipt.raw_status == status

    def test_repeated_receipts_in_any_order_are_read_alike(self, kit: Kit) -> None:
        hooks = [kit.receipt("SM1", status) for status in STATUSES]
        forth = [kit.provider.parse(hook) for hook in hooks]
        back = [kit.provider.parse(hook) for hook in reversed(hooks)]
        assert forth == back[::-1]

    @pytest.mark.parametrize("text", ["STOP", "Yes please, é 😀 & more = fun", "", " a\nb "])
    def test_a_reply_is_read_as_it_was_written(self, kit: Kit, text: str) -> None:
        hook = kit.reply(text)
        kit.provider.verify(hook, NOW)
        (reply,) = kit.provider.parse(hook)
        assert isinstance(reply, Reply)
        assert (reply.sender, reply.text) == (MESSAGE.to, text)
        assert reply.provider_id and reply.to

    def test_a_changed_callback_is_forged(self, kit: Kit) -> None:
        hook = kit.reply("hello")
        for forged in (
            replace(hook, body=hook.body.replace(b"hello", b"STOP!")),
            replace(hook, body=b""),
            replace(hook, headers={}),
            replace(hook, headers=dict.fromkeys(hook.headers, "")),
            replace(hook, headers=dict.fromkeys(hook.headers, "é" * 40)),
        ):
            with pytest.raises(Unverified):
                kit.provider.verify(forged, NOW)

    @pytest.mark.parametrize("body", [b"", b"[1]", b"\xff\xfe", b"a=1", b"{}x", b"null"])
    def test_what_is_neither_receipt_nor_reply_is_unreadable(self, kit: Kit, body: bytes) -> None:
        with pytest.raises(Unreadable):
            kit.provider.parse(kit.sign(body))

    def test_its_settings_are_keyword_only_and_typed(self, kit: Kit) -> None:
        adapter = type(kit.provider)
        parameters = list(inspect.signature(adapter).parameters.values())
        hints = typing.get_type_hints(adapter.__init__)
        assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
        assert {parameter.name for parameter in parameters} <= set(hints)


SETTLED = NOW + timedelta(minutes=2)  #: when a look-up may be sure
