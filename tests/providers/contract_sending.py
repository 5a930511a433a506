"""The contract's first part: handing a text over, and every way in which that may go wrong."""

from __future__ import annotations

import inspect
import json
import logging
import typing
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import SendFailed, Uncertain
from connector.http import CONNECT_SECONDS, READ_SECONDS
from connector.messages import CHANNELS, Accepted
from connector.model import Json
from connector.providers import Ability
from tests.providers.contract import (
    CLASSES,
    FAILURES,
    MESSAGE,
    NOW,
    SECRET,
    SEGMENTS,
    TEXT,
    Contract,
    Kit,
    KitClass,
    anything,
)

PRIVATE = (TEXT, MESSAGE.to, MESSAGE.to[1:], SECRET)
OTHER_THINGS: tuple[Json, ...] = (None, "", "x" * 9_000, True, -1, 10**30, 1.5, [], {}, [[]])
UNREADABLE = {
    "empty": b"",
    "not JSON": b"<html>",
    "cut off": b'{"id": "x"',
    "no object": b"[]",
    "null": b"null",
    "a number": b"7",
    "a string": b'"id"',
    "an empty object": b"{}",
    "no UTF-8": b"\xff\xfe{}",
    "deep": b"[" * 20_000,
    "deep objects": b'{"a":' * 20_000,
    "huge": b" " * 9_000_000,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


class SendingContract(Contract):
    """A text is accepted, or fails in a way that says what to do next."""

    def test_it_declares_what_it_does_and_on_which_channels(self, kit: Kit) -> None:
        assert kit.provider.does == kit.does
        assert kit.provider.channels
        assert kit.provider.channels <= set(CHANNELS)

    def test_a_text_is_accepted_with_its_id_and_segments(self, kit: Kit) -> None:
        kit.arrange("accepted")
        accepted = kit.provider.send(replace(MESSAGE, text=TEXT * 3))  # two segments
        counted = SEGMENTS if "accepted" in kit.counted else None
        assert accepted == Accepted(
            accepted.provider_id, counted, accepted.cost_micros, accepted.currency
        )
        assert accepted.provider_id

    def test_each_failure_says_what_to_do_next(self, kit: Kit, fate: str) -> None:
        kit.arrange(fate)
        with pytest.raises(SendFailed) as caught:
            kit.provider.send(MESSAGE)
        assert (type(caught.value), caught.value.reason) == FAILURES[fate]

    def test_no_failure_tells_the_text_the_number_or_the_secret(
        self, kit: Kit, fate: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        kit.arrange(fate)
        with pytest.raises(SendFailed) as caught:
            kit.provider.send(MESSAGE)
        for private in PRIVATE:
            assert private not in f"{caught.value}{caught.value.args}{caught.value.code}"
            assert private not in caplog.text
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    def test_each_error_class_is_heard_at_once_or_by_receipt(self, kit: Kit) -> None:
        assert kit.at_send <= set(CLASSES)
        untold: frozenset[str] = getattr(kit, "untold", frozenset())
        assert not untold & {*kit.at_send, *kit.codes}
        assert {*kit.at_send, *kit.codes, *untold} == set(CLASSES)

    def test_its_settings_are_keyword_only_and_typed(self, kit: Kit) -> None:
        adapter = type(kit.provider)
        parameters = list(inspect.signature(adapter).parameters.values())
        hints = typing.get_type_hints(adapter.__init__)
        assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
        assert {parameter.name for parameter in parameters} <= set(hints)


class OverHttpContract(Contract):
    """What a vendor may answer, and how long and how often it is asked."""

    def test_a_text_is_handed_over_once_whatever_comes_of_it(self, kit: Kit, fate: str) -> None:
        kit.arrange(fate)
        with pytest.raises(SendFailed):
            kit.provider.send(MESSAGE)
        assert len(kit.calls()) == 1

    def test_no_answer_is_waited_for_longer_than_we_are_patient(self, kit: Kit) -> None:
        kit.arrange("accepted")
        kit.provider.send(MESSAGE)
        kit.looks_up(500, b"")
        kit.provider.find(MESSAGE, NOW)
        for call in kit.calls():
            assert 0 < call.timeouts[0] <= CONNECT_SECONDS
            assert 0 < call.timeouts[1] <= READ_SECONDS

    @pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
    def test_an_acceptance_that_cannot_be_read_leaves_the_text_in_doubt(
        self, kit: Kit, body: bytes
    ) -> None:
        kit.answers(200, body)
        with pytest.raises(Uncertain):
            kit.provider.send(MESSAGE)

    def test_an_acceptance_with_anything_in_any_place_is_read_or_in_doubt(self, kit: Kit) -> None:
        for changed in mangled(kit.acceptance()):
            kit.answers(200, json.dumps(changed).encode())
            try:
                accepted = kit.provider.send(MESSAGE)
            except Uncertain:
                continue
            assert isinstance(accepted.provider_id, str)
            assert 0 < len(accepted.provider_id) < 300
            assert accepted.segments is None or 0 < accepted.segments < 10**6
            assert accepted.cost_micros is None or accepted.cost_micros >= 0

    @given(status=st.sampled_from([200, 201, 202, 207, 302, 400, 403, 422, 429, 503]), said=JSON)
    @anything
    def test_whatever_it_answers_a_text_is_accepted_or_fails(
        self, kit: Kit, status: int, said: Json
    ) -> None:
        kit.answers(status, json.dumps(said).encode())
        try:
            assert kit.provider.send(MESSAGE).provider_id
            assert status < 300
        except SendFailed as error:
            assert status < 500 or isinstance(error, Uncertain)

    def test_an_error_with_anything_in_any_place_is_a_failure(self, kit: Kit) -> None:
        for status in (400, 404, 409, 422, 500):
            for body in UNREADABLE.values():
                kit.answers(status, body)
                with pytest.raises(SendFailed):
                    kit.provider.send(MESSAGE)

    def test_hostile_words_in_a_text_arrive_whole_or_not_at_all(self, kit: Kit) -> None:
        kit.arrange("accepted")
        for text in ("é 😀 & a=b #c", "\ud800 half of a pair", "\x00\x1b", "x" * 1_600):
            assert kit.provider.send(replace(MESSAGE, text=text)).provider_id


class RepeatsSafelyContract(Contract):
    """The vendor tells a repetition by our own reference."""

    def test_a_text_bears_the_same_key_each_time_and_another_text_another(self, kit: Kit) -> None:
        kit.arrange("accepted")
        for message in (MESSAGE, MESSAGE, replace(MESSAGE, send_id="snd_other")):
            kit.provider.send(message)
        first, again, other = (call.key for call in kit.calls())
        assert first and other
        assert first == again != other


def of_sending(kit: KitClass) -> Iterator[type[Contract]]:
    """The parts that fit a vendor."""
    yield SendingContract
    if kit.over_http:
        yield OverHttpContract
    if Ability.repeats_safely in kit.does:
        yield RepeatsSafelyContract


def mangled(value: Json) -> Iterator[Json]:
    """The value with each of its parts in turn left out or made another thing."""
    yield from OTHER_THINGS
    if isinstance(value, dict):
        for name, part in value.items():
            yield {key: each for key, each in value.items() if key != name}
            yield from ({**value, name: changed} for changed in mangled(part))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], c, *value[place + 1 :]] for c in mangled(part))
