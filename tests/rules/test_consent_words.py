"""Marketing's consent in one word, with the row that made it so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connector.model import ConsentRow
from connector.rules.consent import of_marketing, standing

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
METHODS = ("web_form", "reply", "double_opt_in", "crm_field", "operator", "wrong_person")


@st.composite
def rows(draw: st.DrawFn) -> list[ConsentRow]:
    purposes = st.sampled_from(["all", "marketing", "service", "cart_reminders"])
    one = st.tuples(purposes, st.booleans(), st.sampled_from(METHODS), st.booleans())
    return [
        ConsentRow(purpose, granted, method, AT + timedelta(minutes=place), pending)
        for place, (purpose, granted, method, pending) in enumerate(
            draw(st.lists(one, max_size=12))
        )
    ]


@given(rows())
def test_the_word_is_granted_exactly_where_a_marketing_text_could_go(
    said: list[ConsentRow],
) -> None:
    stands = standing(said)
    word, row = of_marketing(said, stands)
    assert (word == "granted") == ("marketing" in stands.live)
    if stands.stopped:
        assert word == "denied"
    if word == "unknown":
        assert row is None
    else:
        assert row is not None and row in said and not row.pending
        assert row.granted == (word == "granted")


@given(rows())
def test_the_order_in_which_rows_are_read_does_not_matter(said: list[ConsentRow]) -> None:
    assert of_marketing(said, standing(said)) == of_marketing(said[::-1], standing(said))
