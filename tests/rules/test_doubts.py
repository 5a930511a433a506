"""What is said of a text of unknown fate rests on what is certain, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.doubts import LOOKS, Doubt, Fate, Look, first_look, is_marked, judge

SINCE = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORDS = Doubt(
    SINCE, SINCE, marketing=True, is_marked=False, finds=True, by_reference=False, repeats=False
)
REFERENCE = replace(WORDS, by_reference=True)
MARKED = replace(WORDS, is_marked=True)
BLIND = replace(WORDS, finds=False)
FIRST, SECOND, LAST = (SINCE + span for span in (LOOKS[0], LOOKS[1], LOOKS[-1]))


def look(taken: bool | None, *fits: str, at: datetime = FIRST, **more: object) -> Look:
    return Look(at, taken, fits=fits, **more)  # type: ignore[arg-type]


CASES = {
    "our reference": (REFERENCE, [look(True, "SM1", by_reference=True)], FIRST, Fate.sent),
    "our reference at another's id": (
        REFERENCE,
        [look(True, by_reference=True, others=1)],
        FIRST,
        Fate.person,
    ),
    "a link of its own": (MARKED, [look(True, "SM1")], FIRST, Fate.sent),
    "words that others may use": (WORDS, [look(True, "SM1")], FIRST, Fate.person),
    "two that fit, marked or not": (MARKED, [look(None, "SM1", "SM2")], FIRST, Fate.person),
    "only another text of ours": (MARKED, [look(True, others=1)], FIRST, Fate.again),
    "not there, but another text of ours is": (
        REFERENCE,
        [look(False, others=1)],
        FIRST,
        Fate.again,
    ),
    "not there by reference": (REFERENCE, [look(False)], FIRST, Fate.not_sent),
    "not there by words, once": (WORDS, [look(False)], FIRST, Fate.again),
    "not there by words, twice": (
        WORDS,
        [look(False), look(False, at=SECOND)],
        SECOND,
        Fate.not_sent,
    ),
    "not there by words, by two answers at about one time": (
        WORDS,
        [look(False, at=FIRST + 2 * MINUTE), look(False, at=FIRST + 2 * MINUTE + MINUTE / 2)],
        FIRST + 2 * MINUTE + MINUTE / 2,
        Fate.again,
    ),
    "not there by words, for a service text": (
        replace(WORDS, marketing=False),
        [look(False)],
        FIRST,
        Fate.not_sent,
    ),
    "not there, asked too early": (
        REFERENCE,
        [look(False, at=SINCE + MINUTE / 2)],
        SINCE + MINUTE / 2,
        Fate.again,
    ),
    "cannot tell": (REFERENCE, [look(None)], FIRST, Fate.again),
    "cannot tell for four hours": (REFERENCE, [look(None, at=LAST)], LAST, Fate.person),
    "nobody to ask": (BLIND, [], SECOND, Fate.again),
    "nobody to ask for four hours": (BLIND, [], LAST, Fate.person),
    "one that repeats safely": (replace(BLIND, repeats=True), [], FIRST, Fate.repeat),
    "one that repeats safely, too early": (replace(BLIND, repeats=True), [], SINCE, Fate.again),
    "one that repeats safely, a day later": (
        replace(BLIND, repeats=True, begun_at=SINCE - timedelta(days=1)),
        [],
        LAST,
        Fate.person,
    ),
    "one that repeats safely and knows": (
        replace(REFERENCE, repeats=True),
        [look(True, "SM1", by_reference=True)],
        FIRST,
        Fate.sent,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name: str) -> None:
    doubt, looks, now, fate = CASES[name]
    ruling = judge(doubt, looks, now)
    assert ruling.fate is fate
    assert (ruling.look_at is not None) == (fate is Fate.again)
    assert bool(ruling.provider_id) == (fate is Fate.sent)
    assert bool(ruling.why) == (fate is not Fate.again)


def test_the_first_look_is_after_a_minute_where_there_is_anything_to_do() -> None:
    assert first_look(WORDS) == first_look(replace(BLIND, repeats=True)) == FIRST
    assert first_look(BLIND) == LAST


def test_a_text_is_marked_by_a_link_that_was_made_for_it_alone() -> None:
    text = "Shop: https://shop.example/l/abc2 waits"
    assert is_marked(text, ["zzz9", "abc2"])
    assert not is_marked(text, ["zzz9", ""])
    assert not is_marked("abc2", ["abc2"])


FOUND = st.builds(
    look,
    st.sampled_from((True, False, None)),
    *(),
    by_reference=st.booleans(),
    others=st.integers(0, 2),
)
DOUBTS = st.builds(
    Doubt,
    since=st.just(SINCE),
    begun_at=st.just(SINCE),
    marketing=st.booleans(),
    is_marked=st.booleans(),
    finds=st.booleans(),
    by_reference=st.booleans(),
    repeats=st.booleans(),
)


@given(DOUBTS, st.lists(FOUND, max_size=4), st.lists(st.text("ab", min_size=1), max_size=2))
def test_it_is_never_taken_for_another_and_never_goes_again_without_a_no(
    doubt: Doubt, looks: list[Look], ids: list[str]
) -> None:
    looks = [replace(each, fits=tuple(ids)) for each in looks]
    ruling = judge(doubt, looks, LAST)
    if ruling.fate is Fate.sent:
        assert ids
        assert looks[-1].by_reference or (doubt.is_marked and len(ids) == 1)
    if ruling.fate is Fate.not_sent:
        assert looks[-1].taken is False
        assert not ids
    if ruling.fate is Fate.repeat:
        assert doubt.repeats
    assert ruling.fate is not Fate.again, "after the last look somebody has the word"
