"""Replies: whoever wants out is out, whoever is unclear is read by a person, in is only START."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.model import Label
from connector.rules.replies import (
    HELPS,
    MAX_LETTERS,
    RESERVED,
    STARTS,
    STOPS,
    YESES,
    Understood,
    answer,
    classify,
    folded,
    understood,
)
from connector.rules.replies.languages.common import SLIPPED

OUT = {
    "STOP": "exact",
    "Stop.": "exact",
    "stop!!! 🛑": "exact",
    "Please stop": "exact",
    "pls, stop": "exact",
    "STOP ALL": "exact",
    "StopAll": "exact",
    "Opt-out": "exact",
    "OPTOUT": "exact",
    "Arrêt": "exact",
    "ＳＴＯＰ": "exact",
    "𝐒𝐓𝐎𝐏": "exact",
    "Ⓢⓣⓞⓟ": "exact",
    "st\u200bop": "exact",
    "_stop_": "exact",
    "STOP ℹ️": "exact",
    "Ⓜ️ stop": "exact",
    "S.T.O.P.": "exact",
    "STOOOOP": "exact",
    "\tend\n": "exact",
    "quit": "exact",
    "CANCEL": "exact",
    "Unsubscribe": "exact",
    "revoke": "exact",
    "TD": "exact",
    "baja": "exact",
    "Stopp": "exact",
    "stop now please": "lead_word",
    "cancel it": "lead_word",
    "STOP STOP STOP": "lead_word",
    "end these texts now": "lead_word",
    "please stop texting me": "phrase",
    "Don’t text me again": "phrase",
    "do not contact me": "phrase",
    "Unsubscribe me": "phrase",
    "how do I unsubscribe?": "phrase",
    "opt me out": "phrase",
    "take me off your list": "phrase",
    "remove me": "phrase",
    "no more texts": "phrase",
    "LEAVE ME ALONE!!": "phrase",
    "ok stop": "lead_word",
    "quiero darme de baja": "phrase",
    "St0p": "typo",
    "sotp": "typo",
    "un-subscribe": "exact",
    "unsuscribe me plaese": "phrase",
    "I bought one elsewhere. Stop. Thank you": "lead_word",
    "why don't you stop texting me": "phrase",
    "bórrenme de su lista": "phrase",
    "ne m’écrivez plus": "phrase",
    "Lasst mich in Ruhe!": "phrase",
    "me tira dessa lista": "phrase",
    "toglietemi dalla lista": "phrase",
}
WRONG = ["wrong number", "Sorry, wrong number!", "you have the wrong person", "WRONG NUMBER. stop"]
HELD = {
    "I can't stop laughing": "negation",
    "don't stop": "negation",
    "dont stop texting me lol": "negation",
    "never cancel this": "negation",
    "what time does the sale end?": "stop_word",
    "cancel my order 123": "stop_word",
    "END of sale?": "stop_word",
    "help stop": "stop_word",
    "stop, I will think about it and write later": "stop_word",
    "no": "unclear",
    "No thanks!": "unclear",
    "who dis": "unclear",
    "🛑": "sign",
    "😡😡": "sign",
}
NOTHING = [
    *(
        "thanks!",
        "",
        "   ",
        "restart",
        "start the day",
        "unstoppable",
        "endless",
    ),
    *("help me choose", "yes", "Y", "no problem", "ok 👍", "1", "\ud800", "😂" * 900),
]


@pytest.mark.parametrize(("text", "why"), OUT.items())
def test_who_asks_to_stop_is_out(text: str, why: str) -> None:
    understood = classify(text)
    assert (understood.label, understood.why) == (Label.opt_out, why)
    assert understood.keyword


@pytest.mark.parametrize("text", WRONG)
def test_another_person_is_not_ours_to_text(text: str) -> None:
    assert classify(text).label is Label.wrong_person


@pytest.mark.parametrize(("text", "why"), HELD.items())
def test_what_may_be_a_wish_to_stop_is_held_for_a_person(text: str, why: str) -> None:
    understood = classify(text)
    assert (understood.label, understood.why) == (Label.hold, why)


def test_a_word_that_only_begins_like_a_stop_word_stops_nothing() -> None:
    assert classify("stopwatch").label is not Label.opt_out
    assert understood("stopwatch").label is Label.none


def test_a_wish_that_no_phrase_explains_is_held() -> None:
    said = "kindly make sure that i am never bothered again by these message things of yours"
    assert understood(said).label is Label.none
    assert classify(said) == Understood(Label.hold, "likeness")


def test_what_the_provider_understood_counts_before_a_likeness() -> None:
    said = "kindly make sure that i am never bothered again by these message things of yours"
    assert classify(said, opt_out_type="HELP").label is Label.help
    assert classify(said, opt_out_type="STOP").label is Label.opt_out


@pytest.mark.parametrize("text", NOTHING)
def test_anything_else_says_nothing(text: str) -> None:
    assert classify(text).label is Label.none


@pytest.mark.parametrize(
    "text",
    ["HELP", "help?", "Info", "AIDE", "please help!", "Ayuda", "information", "Ich brauche Hilfe"],
)
def test_help_is_asked_for_by_one_word(text: str) -> None:
    assert classify(text).label is Label.help


@pytest.mark.parametrize("text", ["START", "Start!", "unstop", "ｓｔａｒｔ", "please start"])
def test_only_the_whole_message_start_opts_in_again(text: str) -> None:
    assert classify(text).label is Label.opt_in


@pytest.mark.parametrize("text", ["YES", "yes!", "y", "Y 👍"])
def test_yes_opts_in_only_while_a_double_opt_in_is_open(text: str) -> None:
    assert classify(text).label is Label.none
    assert classify(text, pending=True).label is Label.opt_in


@pytest.mark.parametrize("text", ["yes but stop", "yes, cancel", "maybe", "yesterday", "no"])
def test_an_open_double_opt_in_takes_only_a_plain_yes(text: str) -> None:
    assert classify(text, pending=True).label is not Label.opt_in


@pytest.mark.parametrize(
    ("text", "type", "label"),
    [
        ("STOP", "STOP", Label.opt_out),
        ("quitar", "STOP", Label.opt_out),
        ("don't stop", "STOP", Label.opt_out),
        ("wrong number", "STOP", Label.wrong_person),
        ("JOIN", "START", Label.opt_in),
        ("START", "START", Label.opt_in),
        ("yes", "START", Label.none),
        ("stop", "START", Label.opt_out),
        ("join or cancel", "START", Label.hold),
        ("hours?", "HELP", Label.help),
        ("help, take me off", "HELP", Label.opt_out),
        ("thanks", "OTHER", Label.none),
    ],
)
def test_the_provider_is_believed_unless_the_words_are_graver(
    text: str, type: str, label: Label
) -> None:
    assert classify(text, opt_out_type=type).label is label


def test_a_provider_start_on_yes_counts_while_a_double_opt_in_is_open() -> None:
    assert classify("YES", pending=True, opt_out_type="START").label is Label.opt_in


def test_only_the_first_letters_of_a_long_reply_are_read() -> None:
    assert classify("x " * (MAX_LETTERS // 2) + "unsubscribe").label is Label.none
    assert classify("unsubscribe " + "x " * 10_000).label is Label.opt_out


@pytest.mark.parametrize(
    "piece", ["a", "\u0301", "ﷺ", "stop ", "don't ", "no more ", "é\u0301", "ⓢ"]
)
def test_hostile_length_costs_little(piece: str) -> None:
    begin = time.perf_counter()
    classify(piece * 1_000_000)
    assert time.perf_counter() - begin < 0.5


@settings(deadline=None)
@given(st.text(max_size=2_000), st.booleans(), st.sampled_from(["", "STOP", "START", "HELP", "?"]))
@example("\ud800\udfff", False, "")
def test_no_text_makes_it_raise(text: str, pending: bool, type: str) -> None:
    classify(text, pending=pending, opt_out_type=type)


SAYINGS = (
    *("start", "unstop", "START!", "yes", "sí", "oui", "ja", "sim", "no", "not", "don't", "please"),
    *(
        "stop",
        "texting",
        "me",
        "no quiero",
        "más",
        "ne",
        "plus",
        "keine",
        "SMS",
        "mehr",
        "não",
        "più",
    ),
    *("wrong", "number", "Ann", "I'm not", "·", "@", "?", ".", "st0p", "s t o p", "help"),
)

quiet = st.text(
    st.one_of(
        st.characters(categories=["P", "Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me"]),
        st.characters(categories=["S"]),
        st.sampled_from("🛑🙏👍😡✋ℹ️Ⓜ️🅿️™©®"),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(before=quiet, word=st.sampled_from(["STOP", "Stop", "stop", "Ｓｔｏｐ"]), after=quiet)
def test_stop_in_any_dressing_is_out(before: str, word: str, after: str) -> None:
    assert classify(before + word + after).label is Label.opt_out


@settings(deadline=None)
@given(word=st.sampled_from(sorted(STOPS)), case=st.sampled_from([str.upper, str.title, str.lower]))
def test_every_stop_word_is_out_in_any_case(word: str, case: type) -> None:
    assert classify(case(word)).label is Label.opt_out


@settings(deadline=None)
@given(
    before=quiet,
    word=st.sampled_from(sorted(SLIPPED - {"stopp"})),
    case=st.sampled_from([str.upper, str.title, str.lower]),
    after=quiet,
)
def test_a_word_of_leaving_stays_one_in_any_dressing(
    before: str, word: str, case: type, after: str
) -> None:
    assert classify(before + case(word) + after).label is Label.opt_out


@settings(deadline=None)
@given(st.lists(st.sampled_from(SAYINGS), max_size=12).map(" ".join))
def test_only_the_whole_words_opt_in(text: str) -> None:
    if classify(text).label is Label.opt_in:
        assert plain(text) in STARTS


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(["start", "unstop", "stop", "yes", "y", "please", "me", "!", "again"]),
            max_size=6,
        ).map(" ".join),
    )
)
def test_nothing_but_the_start_family_opts_in(text: str) -> None:
    if classify(text).label is Label.opt_in:
        assert plain(text) in STARTS
    if classify(text, pending=True).label is Label.opt_in:
        assert plain(text) in STARTS | YESES


def plain(text: str) -> str:
    """The letters of a text without polite words, by a shorter road than the rule's own."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    words = [word for word in letters.split() if word not in ("please", "pls", "plz", "kindly")]
    return "".join(words)


# -- answers -----------------------------------------------------------------------------------

ASKED = ("1", "2", "12", "reschedule", "yes", "Sí", "stop by", "see you")
ANSWERS = {
    "1": "1",
    " 1. ": "1",
    "1!!": "1",
    "1️⃣": "1",
    "①": "1",
    "❶": "1",
    "１": "1",
    "𝟏": "1",
    "١": "1",
    "#2": "2",
    "(2)": "2",
    "⑫": "12",
    "1 please": "1",
    "please 2, thank you": "2",
    "YES": "yes",
    "Yes!!! 👍": "yes",
    "yesss": "yes",
    "ＹＥＳ": "yes",
    "yes thanks": "yes",
    "Reschedule.": "reschedule",
    "réschedule": "reschedule",
    "si": "Sí",
    "stop by": "stop by",
    "y e s": "",
    "1 2": "",
    "1 or 2": "",
    "½": "",
    "10": "",
    "option 1": "",
    "yes but not today": "",
    "👍": "",
    "": "",
    "STOP": "",
    "cancel": "",
    "HELP": "",
    "START": "",
    "wrong number": "",
}


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_known_however_it_is_written(text: str) -> None:
    assert answer(text, ASKED) == ANSWERS[text]


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_no_answer_even_where_a_text_asks_for_it(word: str) -> None:
    assert answer(word.upper(), [word]) == ""


def test_what_is_reserved_is_what_carriers_act_on() -> None:
    assert RESERVED == STOPS | STARTS | HELPS
    assert not RESERVED & YESES


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=10), max_size=4))
def test_an_answer_is_always_one_that_was_asked_for(text: str, asked: list[str]) -> None:
    found = answer(text, asked)
    assert found == "" or (found in asked and folded(found) == folded(text))


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=10), max_size=4))
def test_whoever_wants_out_has_answered_nothing(text: str, asked: list[str]) -> None:
    if classify(text).label in (Label.opt_out, Label.wrong_person):
        assert answer(text, asked) == ""


@pytest.mark.parametrize("asked", ["yes", "1", "stop by", "réschedule", "See you", "①"])
def test_what_a_text_asks_for_is_understood_as_it_stands(asked: str) -> None:
    assert answer(asked, [asked]) == asked
