"""The contract's second part: what a vendor tells us, and who only says that he is the vendor."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Unreadable, Unverified
from connector.messages import Receipt, Reply
from connector.model import Hook, Status
from connector.providers.reading import REFERENCE, tagged
from connector.web.hooks import kept
from tests.providers.contract import (
    CLASSES,
    COST_MICROS,
    ID,
    MESSAGE,
    NOW,
    OURS,
    SEGMENTS,
    Contract,
    Kit,
    anything,
)

NOT_SIGNED = ("", "é" * 40, "x", "Bearer", "Bearer a.b.c", "AAAA", "\x00", "0" * 5_000, "=", "nan")


def heard(kit: Kit, hook: Hook) -> Receipt | Reply:
    """The one thing that a genuine callback tells; what proved it is not kept to be read by."""
    kit.provider.verify(hook, NOW)
    (told,) = kit.provider.parse(replace(hook, headers=kept(hook.headers)))
    assert told.provider == kit.provider.name
    return told


def receipt_of(kit: Kit, status: str, code: str = "") -> Receipt:
    """A receipt, verified and read."""
    told = heard(kit, kit.receipt(status, code))
    assert isinstance(told, Receipt)
    return told


class CallbackContract(Contract):
    """Receipts and replies are read, and forged ones are not."""

    def test_a_receipt_is_read_in_our_words(self, kit: Kit, word: str) -> None:
        receipt = receipt_of(kit, word)
        assert (receipt.provider_id, receipt.raw_status) == (ID, word)
        assert receipt.status is kit.statuses[word]
        assert (receipt.error_code, receipt.reason) == ("", "")

    def test_delivered_and_not_delivered_are_both_told(self, kit: Kit) -> None:
        told = set(kit.statuses.values())
        assert Status.delivered in told
        assert told & {Status.undelivered, Status.failed}

    def test_a_status_never_heard_of_is_unknown(self, kit: Kit) -> None:
        receipt = receipt_of(kit, "teleported")
        assert (receipt.status, receipt.raw_status) == (Status.unknown, "teleported")

    def test_a_receipts_error_says_what_it_means_for_the_number(
        self, kit: Kit, error_class: str
    ) -> None:
        bad = next(word for word, status in kit.statuses.items() if status in BAD)
        receipt = receipt_of(kit, bad, kit.codes[error_class])
        assert receipt.error_code == kit.codes[error_class]
        assert receipt.reason == CLASSES[error_class][1]

    def test_an_error_never_heard_of_is_unknown(self, kit: Kit) -> None:
        bad = next(word for word, status in kit.statuses.items() if status in BAD)
        receipt = receipt_of(kit, bad, "98765")
        assert (receipt.error_code, receipt.reason) == ("98765", "unknown")

    def test_a_receipt_tells_price_and_segments_where_the_vendor_does(self, kit: Kit) -> None:
        delivered = next(word for word, s in kit.statuses.items() if s is Status.delivered)
        receipt = receipt_of(kit, delivered)
        priced = (COST_MICROS, kit.currency) if "receipt" in kit.priced else (None, "")
        assert (receipt.cost_micros, receipt.currency) == priced
        assert receipt.segments == (SEGMENTS if "receipt" in kit.counted else None)

    def test_repeated_receipts_in_any_order_are_read_alike(self, kit: Kit) -> None:
        hooks = [kit.receipt(status) for status in kit.statuses]
        forth = [kit.provider.parse(hook) for hook in hooks]
        back = [kit.provider.parse(hook) for hook in reversed(hooks)]
        assert forth == back[::-1]

    def test_our_own_reference_comes_back(self, kit: Kit, word: str) -> None:
        assert receipt_of(kit, word).send_id == MESSAGE.send_id

    def test_anothers_reference_in_the_address_is_not_believed(self, kit: Kit) -> None:
        hook = kit.receipt(next(iter(kit.statuses)))
        address = hook.url.replace(f"{REFERENCE}={MESSAGE.send_id}", f"{REFERENCE}=snd_other")
        for url in (address, tagged(address, "snd_other"), hook.url.partition("?")[0]):
            if url == hook.url:
                continue
            try:
                told = heard(kit, replace(hook, url=url))
            except Unverified:
                continue
            assert isinstance(told, Receipt)
            assert told.send_id in (MESSAGE.send_id, "")

    @pytest.mark.parametrize("text", ["STOP", "Yes please, é 😀 & more = fun", "", " a\nb "])
    def test_a_reply_is_read_as_it_was_written(self, kit: Kit, text: str) -> None:
        reply = heard(kit, kit.reply(text))
        assert isinstance(reply, Reply)
        assert (reply.sender, reply.to, reply.text) == (MESSAGE.to, OURS, text)
        assert reply.provider_id
        assert reply.opt_out_type == ""

    @pytest.mark.parametrize("keyword", ["STOP", "START", "HELP"])
    def test_a_reply_tells_that_the_vendor_has_answered_where_it_does(
        self, kit: Kit, keyword: str
    ) -> None:
        reply = heard(kit, kit.reply(keyword, keyword))
        assert isinstance(reply, Reply)
        assert reply.opt_out_type == (keyword if kit.opt_out_types else "")

    def test_a_changed_callback_is_forged(self, kit: Kit) -> None:
        hook = kit.reply("hello")
        kit.provider.verify(hook, NOW)
        changed = replace(hook, body=hook.body.replace(b"hello", b"STOP!"))
        assert changed.body != hook.body
        for forged in (
            changed,
            replace(hook, body=b""),
            replace(hook, body=hook.body + b"&a=b"),
            replace(hook, headers={}),
        ):
            with pytest.raises(Unverified):
                kit.provider.verify(forged, NOW)

    def test_a_callback_with_any_part_of_its_proof_missing_or_changed_is_forged(
        self, kit: Kit
    ) -> None:
        hook = kit.receipt(next(iter(kit.statuses)))
        assert kit.proof <= set(hook.headers)
        for name in kit.proof:
            without = {key: value for key, value in hook.headers.items() if key != name}
            with pytest.raises(Unverified):
                kit.provider.verify(replace(hook, headers=without), NOW)
            for other in NOT_SIGNED:
                with pytest.raises(Unverified):
                    kit.provider.verify(replace(hook, headers={**hook.headers, name: other}), NOW)

    def test_a_callback_that_bears_its_time_grows_stale(self, kit: Kit) -> None:
        hook = kit.reply("hello")
        week = timedelta(days=7)
        if kit.fresh_for is None:
            kit.provider.verify(hook, NOW + week)
            return
        kit.provider.verify(hook, NOW + kit.fresh_for)
        kit.provider.verify(hook, NOW - timedelta(seconds=30))
        for at in (NOW + kit.fresh_for + timedelta(seconds=2), NOW + week, NOW - week):
            with pytest.raises(Unverified):
                kit.provider.verify(hook, at)

    @pytest.mark.parametrize("body", [b"", b"[1]", b"\xff\xfe", b"a=1", b"{}x", b"null", b"{}"])
    def test_what_is_neither_receipt_nor_reply_is_unreadable(self, kit: Kit, body: bytes) -> None:
        with pytest.raises(Unreadable):
            kit.provider.parse(kit.sign(body))

    @given(body=st.binary(max_size=300))
    @anything
    def test_any_bytes_are_read_or_unreadable(self, kit: Kit, body: bytes) -> None:
        hook = kit.sign(body)
        with contextlib.suppress(Unreadable):
            kit.provider.parse(hook)
        with pytest.raises(Unverified):
            kit.provider.verify(replace(hook, headers={}), NOW)

    @given(data=st.data())
    @anything
    def test_a_callback_with_a_byte_changed_is_read_or_unreadable(
        self, kit: Kit, data: st.DataObject
    ) -> None:
        body = data.draw(st.sampled_from([kit.reply("hi"), kit.receipt("x", "1")])).body
        place = data.draw(st.integers(0, len(body) - 1))
        other = body[:place] + data.draw(st.binary(max_size=3)) + body[place + 1 :]
        with contextlib.suppress(Unreadable):
            kit.provider.parse(kit.sign(other))


BAD = (Status.undelivered, Status.failed)
