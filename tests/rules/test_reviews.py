"""What is past its day, and what nobody has read again in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.expressions import compile_template
from connector.model import Purpose
from connector.rules.plays import Mode, Play, Role, Start
from connector.rules.reviews import Overdue, Terms, overdue, terms

TODAY = date(2026, 11, 20)
PLAY = Play(
    name="cart",
    version="",
    description="",
    role=Role.conversion,
    purpose=Purpose.marketing,
    scopes=(),
    start=Start(),
    audience=None,
    steps=(),
    goal=None,
    exits=(),
    stages=(),
)
QUARTER = timedelta(days=90)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Terms(), ""),
        (Terms(valid_until=TODAY), ""),
        (Terms(valid_until=date(2026, 11, 19)), "was valid until 2026-11-19"),
        (Terms(review_every=QUARTER, reviewed=TODAY - QUARTER), ""),
        (Terms(review_every=QUARTER, reviewed=date(2026, 8, 1)), "read again by 2026-10-30"),
        (Terms(review_every=QUARTER), "nobody has said when it last was"),
        (Terms(reviewed=date(2020, 1, 1)), ""),
    ],
)
def test_the_last_day_itself_is_still_good(said: Terms, why: str) -> None:
    assert why in said.over(TODAY)
    assert bool(said.over(TODAY)) is bool(why)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("Hi", Terms()),
        ("", Terms()),
        ("{# a note #}\nHi", Terms()),
        ("{# ask: Ann #}\nHi", Terms()),
        ("Hi\n{# valid_until: 2026-12-31 #}", Terms()),
        ("{# valid_until: 2026-12-31 #}\nHi", Terms(date(2026, 12, 31))),
        ("{#- valid_until:2026-12-31 -#} Hi", Terms(date(2026, 12, 31))),
        (
            "{# valid_until: 2026-12-31, review_every: 12w, reviewed: 2026-11-01 #}\nHi",
            Terms(date(2026, 12, 31), timedelta(days=84), date(2026, 11, 1)),
        ),
    ],
)
def test_a_text_says_its_terms_on_its_first_line(source: str, found: Terms) -> None:
    assert terms(source) == found


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("valid_until: tomorrow", "no day; write valid_until: 2027-01-31"),
        ("valid_until: 2026-02-30", "which is no day"),
        ("valid_until: 20261231", "which is no day"),
        ("review_every: 3 months", "write it in days"),
        ("review_every: 0d", "write it in days"),
        ("valid_untl: 2026-12-31", "it may say valid_until"),
        ("reviewed: 2026-11-01, by Ann", "says 'by Ann'"),
        ("reviewed: 2026-11-01, by: Ann", "says 'by: Ann'"),
    ],
)
def test_terms_said_wrongly_are_a_fault(comment: str, says: str) -> None:
    with pytest.raises(ValueError, match="says") as caught:
        terms(f"{{# {comment} #}}\nHi")
    assert says in str(caught.value)


@given(st.text(alphabet="{#-} valid_until:20,-\n", max_size=60))
def test_any_text_has_terms_or_a_fault(source: str) -> None:
    try:
        assert isinstance(terms(source), Terms)
    except ValueError as error:
        assert str(error).startswith("says")


def test_plays_and_texts_past_their_terms_are_listed_but_none_that_is_off() -> None:
    past = replace(PLAY, valid_until=date(2026, 1, 1))
    plays = [past, replace(past, name="old", mode=Mode.off), replace(PLAY, name="good")]
    texts = {
        ("sale", "es"): compile_template("{# review_every: 30d, reviewed: 2026-01-01 #}\nhola"),
        ("sale", "en"): compile_template("hello"),
    }
    assert [*overdue(plays, texts, TODAY)] == [
        Overdue("play", "cart", "was valid until 2026-01-01, and nothing of it goes any more"),
        Overdue("text", "sale.es", "was to be read again by 2026-01-31"),
    ]
