"""Money, dates and times in the reader's language: as people write them, in signs that cost one."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ExpressionFailed
from connector.expressions import compile_expression, compile_template
from connector.text import count

INSTANT = "2026-11-21T20:04:00.000000Z"


def written(source: str, language: Any = None, zone: Any = None, **context: Any) -> Any:
    """What a text makes of a value for a reader."""
    reader = {"language": language, "zone": zone}
    known = {name: each for name, each in reader.items() if each is not None}
    return compile_template(source)({**context, **known})


@pytest.mark.parametrize(
    ("language", "amount", "day", "hour"),
    [
        (None, "$1,234.50", "November 21, 2026", "8:04 PM"),
        ("en", "$1,234.50", "November 21, 2026", "8:04 PM"),
        ("en-GB", "US$1,234.50", "21 November 2026", "20:04"),
        ("es", "1.234,50 US$", "21 de noviembre de 2026", "20:04"),
        ("es-US", "$1,234.50", "21 de noviembre de 2026", "8:04 p.m."),
        ("es-MX", "USD 1,234.50", "21 de noviembre de 2026", "8:04 p.m."),
        ("fr", "1 234,50 $US", "21 novembre 2026", "20:04"),
        ("de", "1.234,50 $", "21. November 2026", "20:04"),
        ("de-CH", "$ 1'234.50", "21. November 2026", "20:04"),
        ("pt-BR", "US$ 1.234,50", "21 de novembro de 2026", "20:04"),
        ("pt_BR", "US$ 1.234,50", "21 de novembro de 2026", "20:04"),
        ("es-ZZ", "1.234,50 US$", "21 de noviembre de 2026", "20:04"),
        ("zz", "$1,234.50", "November 21, 2026", "8:04 PM"),
    ],
)
def test_each_language_writes_in_its_own_way(
    language: str | None, amount: str, day: str, hour: str
) -> None:
    assert written("{{ 1234.5 | money }}", language) == amount
    assert written("{{ at | date }}", language, at=INSTANT) == day
    assert written("{{ at | time }}", language, at=INSTANT) == hour


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 1234.5 | money('eur') }}", "€1,234.50"),
        ("{{ '1234.5' | money('USD') }}", "$1,234.50"),
        ("{{ 1234.5 | money('CHF') }}", "CHF 1,234.50"),
        ("{{ -3 | money('CHF') }}", "-CHF 3.00"),
        ("{{ 500 | money('JPY') }}", "¥500"),
        ("{{ 0.1 + 0.2 | money }}", "{}"),
        ("{{ '2026-11-21' | date('short') }}", "11/21/26"),
        ("{{ '2026-11-21' | date('full') }}", "Saturday, November 21, 2026"),
        ("{{ '2026-11-21' | date('EEEE d MMMM') }}", "Saturday 21 November"),
        ("{{ 1795262400 | date }}", "November 21, 2026"),
        ("{{ 1795262400000 | time }}", "12:00 PM"),
        ("{{ '2026-11-21T09:30' | time('HH:mm') }}", "09:30"),
    ],
)
def test_a_value_is_written_in_the_form_that_is_asked_for(source: str, text: str) -> None:
    if text == "{}":
        with pytest.raises(ExpressionFailed):
            written(source)
    else:
        assert written(source) == text


def test_an_instant_is_told_on_the_readers_clock_and_a_day_on_none() -> None:
    late = "2026-11-22T03:30:00Z"
    source = "{{ at | date('d MMM') }} {{ at | time }}"
    assert written(source, at=late) == "22 Nov 3:30 AM"
    assert written(source, zone="America/New_York", at=late) == "21 Nov 10:30 PM"
    assert written(source, zone="Pacific/Kiritimati", at=late) == "22 Nov 5:30 PM"
    assert written("{{ '2026-11-22' | date('d MMM') }}", zone="America/New_York") == "22 Nov"
    local = "2026-11-22T03:30:00"  # an hour without a zone is the hour that is meant
    assert written(source, zone="America/New_York", at=local) == "22 Nov 3:30 AM"


EUROPE = ["de", "de-CH", "es", "fi", "fr", "it", "it-CH", "nl", "sv", "da", "nb", "pt", "en-GB"]
ELSEWHERE = ["en", "en-CH", "en-ZA", "es-US", "fr-CA", "pt-BR"]


@pytest.mark.parametrize("language", EUROPE + ELSEWHERE)
def test_no_strange_blank_or_sign_makes_a_text_cost_twice(language: str) -> None:
    for amount in (1234567.5, -3):
        for currency in ("USD", "EUR", "GBP", "CHF"):
            text = written(f"{{{{ {amount} | money('{currency}') }}}}", language)
            assert count(text).encoding == "GSM-7", (language, text)
    for hour in (3, 15):
        at = datetime(2026, 11, 21, hour, 4, tzinfo=UTC).isoformat()
        for form in ("short", "medium"):
            text = written(f"{{{{ at | time('{form}') }}}}", language, at=at)
            assert count(text).encoding == "GSM-7", (language, text)
    numbers = written("{{ '2026-11-21' | date('short') }}", language)
    assert count(numbers).encoding == "GSM-7", (language, numbers)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{ nowhere | money }}", "fact_missing"),
        ("{{ 5 | money(signal.currency) }}", "fact_missing"),  # never another currency in its place
        ("{{ '2026-11-21' | date(signal.form) }}", "fact_missing"),
        ("{{ 5 | money(none) }}", "expression_failed"),
        ("{{ 5 | money('dollars') }}", "expression_failed"),
        ("{{ 5 | money('€€€') }}", "expression_failed"),
        ("{{ 'much' | money }}", "expression_failed"),
        ("{{ true | money }}", "expression_failed"),
        ("{{ none | date }}", "expression_failed"),
        ("{{ 'soon' | date }}", "expression_failed"),
        ("{{ true | date }}", "expression_failed"),
        ("{{ 9e17 | date }}", "expression_failed"),
        ("{{ '2026-02-30' | date }}", "expression_failed"),
        ("{{ '2026-11-21' | date('HH:mm') }}", "expression_failed"),
        ("{{ '2026-11-21' | time }}", "expression_failed"),
        ("{{ '2026-11-21T10:00' | time('d MMM') }}", "expression_failed"),
        ("{{ '2026-11-21' | date('') }}", "expression_failed"),
        ("{{ '2026-11-21' | date('" + "y" * 41 + "') }}", "expression_failed"),
        ("{{ '0001-01-01T00:00Z' | date }}", "expression_failed"),
    ],
)
def test_what_cannot_be_written_is_a_fault(source: str, code: str) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        written(source, zone="America/New_York", signal={})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "source", ["5 | money('EUR', 'x')", "5 | date(form='x')", "5 | date(*x)", "5 | time('a', 'b')"]
)
def test_these_filters_take_one_value(source: str) -> None:
    with pytest.raises(ValueError, match="takes one value, without a name"):
        compile_expression(source, strict=True)


def test_the_reader_is_no_path_of_the_file() -> None:
    template = compile_template("{{ signal.at | date }} {{ signal.at | time }} {{ 5 | money }}")
    assert template.paths == {"signal.at"}


def test_in_a_mapping_no_key_of_an_event_sets_the_language_and_none_stays_none() -> None:
    told = {"language": "de", "zone": "Asia/Tokyo", "price": 5, "at": INSTANT}
    found = compile_expression("(price | money) ~ ' ' ~ (at | time)", strict=False)
    assert found(told) == "$5.00 8:04 PM"
    for source in ("gone | money", "price | money(gone)", "gone | date", "at | time(gone)"):
        assert compile_expression(source, strict=False)(told) is None


HOSTILE = st.one_of(
    st.text(max_size=80), st.none(), st.integers(), st.lists(st.integers()), st.just("../../x")
)


@settings(deadline=None)
@given(HOSTILE, HOSTILE)
def test_whatever_the_reader_is_said_to_speak_the_text_is_written(language: Any, zone: Any) -> None:
    text = written("{{ 5 | money }} {{ at | date('y') }}", language, zone, at=INSTANT)
    assert "5" in text


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_form_is_written_or_refused(form: str) -> None:
    for name in ("date", "time"):
        try:
            text = written(f"{{{{ at | {name}(form) }}}}", at=INSTANT, form=form)
        except ExpressionFailed as error:
            assert str(error)
        else:
            assert text.strip()


def test_babel_is_loaded_only_where_it_is_needed() -> None:
    source = (
        "import sys; from connector.expressions import compile_template as c; "
        "c('{{ x | money }} {{ x | date }}'); assert 'babel' not in sys.modules; "
        "c('{{ 5 | money }}')({}); assert 'babel' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", source], check=True)
