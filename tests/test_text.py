"""Segments by the GSM 03.38 rules, and strangers' words made safe."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.text import BASIC, EXTENDED, clean, count

WINK, FLAG, RAINBOW, GRIN = "😜", "🇮🇹", "🏳️‍🌈", "😀"
G, U = "GSM-7", "UCS-2"

VECTORS = [
    ("", G, 0),
    ("0" * 160, G, 1),
    ("0" * 161, G, 2),
    ("0" * 306, G, 2),
    ("0" * 307, G, 3),
    (WINK + "0" * 68, U, 1),
    (WINK + "0" * 69, U, 2),
    (WINK + "0" * 132, U, 2),
    (WINK + "0" * 133, U, 3),
    (FLAG + "0" * 66, U, 1),
    (FLAG + "0" * 67, U, 2),
    (RAINBOW + "0" * 64, U, 1),
    (RAINBOW + "0" * 65, U, 2),
    *[(letter + "a" * 158, G, 1) for letter in "|^€{}[]~\\"],
    *[(letter + "a" * 159, G, 2) for letter in "|^€{}[]~\\"],
    *[(letter * 70, U, 1) for letter in "ÁÚúçíÍóÓ"],
    *[(letter * 71, U, 2) for letter in "ÁÚúçíÍóÓ"],
    (GRIN + "]" * 68, U, 1),
    (GRIN + "]" * 69, U, 2),
    ("\f" + "a" * 158, G, 1),
    ("a" * 152 + "€" + "a" * 151, G, 2),
    ("a" * 152 + "€" + "a" * 152, G, 3),
    ("あ" * 66 + GRIN + "あ" * 10, U, 2),
    (GRIN * 35, U, 1),
    (GRIN * 36, U, 2),
    (GRIN * 66, U, 2),
    (GRIN * 67, U, 3),
    ("a\r\nb", G, 1),
    ("It’s 20% off", U, 1),
    ("Ç", G, 1),
    ("あ" * 60 + "👨‍👩‍👧‍👦" + "あ" * 59, U, 2),
]

UNITS = [
    ("", 0),
    ("a\r\nb", 4),
    (WINK + "0" * 68, 70),
    (WINK + "0" * 133, 135),
    ("a" * 152 + "€" + "a" * 151, 305),
    ("a" * 152 + "€" + "a" * 152, 306),
    ("あ" * 66 + GRIN + "あ" * 10, 78),
    (GRIN + "]" * 68, 70),
]

letters = st.one_of(
    st.sampled_from(sorted(BASIC | EXTENDED)),
    st.sampled_from("çéあ’\u00a0😀🇮"),
    st.characters(),
)
texts = st.one_of(
    st.text(letters, max_size=80),
    st.text(st.sampled_from("a€[0"), max_size=500),
    st.text(st.sampled_from("aあ😀"), max_size=250),
)


@pytest.mark.parametrize(("text", "encoding", "segments"), VECTORS)
def test_segments_are_counted_as_the_network_counts(
    text: str, encoding: str, segments: int
) -> None:
    counted = count(text)
    assert (counted.encoding, counted.segments) == (encoding, segments)


@pytest.mark.parametrize(("text", "units"), UNITS)
def test_pairs_cost_two_units(text: str, units: int) -> None:
    assert count(text).units == units


def test_the_first_letter_that_forced_the_wide_encoding_is_named() -> None:
    assert count("Café – 20 % off’s").forced_by == "–"
    assert count("Café {20 %} off").forced_by == ""


@pytest.mark.parametrize("letter", "`çáíóúâêôãõ\t\u00a0‘’“”–—…•™®©")
def test_look_alikes_are_not_in_the_seven_bit_alphabet(letter: str) -> None:
    assert count(letter).encoding == "UCS-2"


@given(texts, st.integers(0, 500), letters)
def test_adding_a_letter_never_lowers_the_count(text: str, place: int, letter: str) -> None:
    longer = text[:place] + letter + text[place:]
    assert count(longer).segments >= count(text).segments


@given(texts)
def test_no_part_is_overfull_and_no_pair_is_split(text: str) -> None:
    """The parts laid out one by one, apart from how ``count`` does it."""
    counted = count(text)
    single, room = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    costs = [_cost(letter, counted.encoding) for letter in text]
    if sum(costs) <= single:
        assert counted.segments == (1 if text else 0)
        return
    parts: list[list[int]] = [[]]
    for cost in costs:
        if sum(parts[-1]) + cost > room:
            parts.append([])
        parts[-1].append(cost)
    assert counted.segments == len(parts)
    assert max(map(sum, parts)) <= room
    assert all(sum(part) >= room - 1 for part in parts[:-1])


def _cost(letter: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return 2 if letter in "\f^{}\\[~]|€" else 1
    return len(letter.encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("Ann-Sophie O'Neil", "Ann-Sophie O'Neil"),
        ("St. Louis", "St. Louis"),
        ("J.R. Smith, 9.30am", "J.R. Smith, 9.30am"),
        ("Shoes 3.50 kg (v1.2.3)", "Shoes 3.50 kg (v1.2.3)"),
        ("a\r\nb\tc", "a b c"),
        ("bell\x07 and \x1b[31mred", "bell and [31mred"),
        ("turned \u202eback\u202c", "turned back"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("see http://evil.example/x now", "see now"),
        ("see HTTPS://EVIL.EXAMPLE now", "see now"),
        ("www.evil.example", ""),
        ("call evil.com today", "call today"),
        ("(evil.com)", ""),
        ("evil。com", ""),
        ("ｅｖｉｌ．ｃｏｍ", ""),
        ("ev\u200bil.co\u200bm", ""),
        ("bücher.example", ""),
        ("x.xn--p1ai", ""),
        ("mail ann@evil.com", "mail"),
        ("javascript:alert(1)", ""),
        ("tel:+12025550123", ""),
        ("10.0.0.1/login", ""),
        ("١٠.٠.٠.١/x", ""),
        ("Time 12:30", "Time 12:30"),
    ],
)
def test_links_and_control_characters_leave_a_strangers_words(value: str, cleaned: str) -> None:
    assert clean(value, 40) == cleaned


def test_a_strangers_words_are_cut_to_their_limit() -> None:
    assert clean("word " * 1_000_000, 11) == "word word w"
    assert clean("anything", 0) == ""


@given(st.text(max_size=200), st.integers(0, 60))
def test_cleaned_words_are_short_visible_and_stay_as_they_are(value: str, limit: int) -> None:
    cleaned = clean(value, limit)
    assert len(cleaned) <= limit
    assert clean(cleaned, limit) == cleaned
    assert cleaned.replace(" ", "").isprintable()


hostile = st.lists(
    st.sampled_from(["http", ":", "//", "evil", ".", "com", "\u200b", " ", "\n", "．", "a", "@"]),
    max_size=30,
).map("".join)


@given(hostile)
def test_no_arrangement_of_pieces_makes_a_link(value: str) -> None:
    cleaned = clean(value, 60)
    assert "//" not in cleaned or "http:" not in cleaned.split("//")[0][-5:]
    assert not re.search(r"\w\.com", cleaned)
