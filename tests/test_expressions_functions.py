"""Functions of the expression language: what they answer, what they ask for, what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ExpressionFailed
from connector.expressions import compile_all, compile_expression, compile_template
from connector.rules.history import Segments, Told
from connector.rules.plays import Segment

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FUNCTIONS = ["did('a')", "count('a')", "first('a')", "last('a')", "in_segment('a')"]


def vip(_: Any) -> bool:
    return True


def context(**more: Any) -> dict[str, Any]:
    """Somebody who saw one thing twice, once of late, and bought a year ago."""
    days = {"seen": (3, 20), "bought": (365,)}
    signals = [(name, NOON - timedelta(days=ago)) for name in days for ago in days[name]]
    segments = Segments({"vip": Segment("vip", vip, "")}, dict)
    return {
        "history": Told(signals, NOON, segments),
        "now": "2026-11-20T12:00:00.000000Z",
        "first_seen": "2026-11-13T12:00:00.000000Z",
        **more,
    }


def value(source: str, **more: Any) -> Any:
    return compile_expression(source, strict=True)(context(**more))


def failure(source: str, **more: Any) -> ExpressionFailed:
    with pytest.raises(ExpressionFailed) as caught:
        value(source, **more)
    return caught.value


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("did('seen')", True),
        ("did('seen', within='7d')", True),
        ("did('seen', within='2d')", False),
        ("did('never')", False),
        ("count('seen')", 2),
        ("count('seen', within='2w') + count('bought')", 2),
        ("count('seen', within='20d') == 1", True),  # a window does not hold its own beginning
        ("count('seen', within='28801m') == 2", True),
        ("last('seen')", "2026-11-17T12:00:00.000000Z"),
        ("first('seen')", "2026-10-31T12:00:00.000000Z"),
        ("last('never')", None),
        ("last('never') is defined", False),
        ("last('seen') > first_seen and last('seen') < now", True),
        ("in_segment('vip') and not did('never')", True),
        ("days_since(first_seen)", 7.0),
        ("days_since(last('seen')) < 3.5", True),
        ("days_since('2026-11-20') * 24", 12.0),
        ("days_since(last('never') | default(first_seen))", 7.0),
        ("hours_until('2026-11-21T06:00:00-05:00')", 23.0),
        ("hours_until(now)", 0.0),
        ("hours_until(1795262400)", 24.0),
        ("'yes' if did('bought', within='1d') else 'no'", "no"),
    ],
)
def test_a_function_answers(source: str, answer: Any) -> None:
    assert value(source) == answer


def test_the_names_that_are_asked_about_are_known_and_the_history_is_no_path() -> None:
    source = (
        "did('a') and count('b', within='7d') > 1 and in_segment('vip') "
        "and days_since(contact.birthday) > 3 and last('c') is defined"
    )
    found = compile_expression(source, strict=True)
    assert found.signals == {"a", "b", "c"}
    assert found.segments == {"vip"}
    assert found.paths == {"contact.birthday", "now"}
    template = compile_template("{% if did('a') %}{{ link(signal.url) }}{% endif %}")
    assert template.signals == {"a"}
    assert template.paths == {"signal.url"}
    bundle = compile_all({"one": found, "two": "did('d')"}, strict=True)
    assert bundle.signals == {"a", "b", "c", "d"}
    assert bundle.segments == {"vip"}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("dit('a')", "there is no function dit(); did you mean did()?"),
        ("range(9)", "there is no function range(); there are count,"),
        ("did()", "did takes one value, without stars"),
        ("did('a', '7d')", "did takes one value, without stars"),
        ("did(*a)", "did takes one value, without stars"),
        ("did(a)", "did wants the signal's name in quotes"),
        ("did('a' ~ 'b')", "did wants the signal's name in quotes"),
        ("did(3)", "did wants the signal's name in quotes"),
        ("in_segment(contact.segment)", "in_segment wants the segment's name in quotes"),
        ("did('a', within=b)", "within: a span is written"),
        ("did('a', within=30)", "within: a span is written"),
        ("did('a', within='30')", "within: a span is written"),
        ("did('a', within='30 d')", "within: a span is written"),
        ("did('a', within='-3d')", "within: a span is written"),
        ("did('a', within='٣d')", "within: a span is written"),
        ("did('a', within='0d')", "within: the span is no time at all"),
        ("did('a', within='9999w')", "within: the span is no time at all, or over ten years"),
        ("did('a', inside='3d')", "write did('…', within='30d')"),
        ("last('a', within='3d')", "write last('…')"),
        ("days_since()", "days_since takes one value"),
        ("days_since(a, zone='UTC')", "days_since takes one value, without names"),
        ("link('x')", "link() is for texts only"),
    ],
)
def test_a_wrong_call_is_refused_when_the_file_is_read(source: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^column 1: ") as caught:
        compile_expression(source, strict=True)
    assert says in str(caught.value)


@pytest.mark.parametrize("source", [*FUNCTIONS, "days_since(a)", "hours_until(a)", "link(a)"])
def test_a_mapping_knows_no_person_and_has_no_functions(source: str) -> None:
    with pytest.raises(ValueError, match="is for plays, segments, policy and texts"):
        compile_expression(source, strict=False)


@pytest.mark.parametrize(
    "source",
    [
        "history",
        "history ~ ''",
        "[history]",
        "{'a': history}",
        "history.count('a')",
        "history._times",
        "history['count']",
        "history.as_of",
        "history | first",
        "history | length",
        "history.get('a')",
        "history | default('x')",
        "history if true else 1",
    ],
)
def test_nothing_else_of_a_history_can_be_reached(source: str) -> None:
    try:
        expression = compile_expression(source, strict=True)
    except ValueError:
        return
    assert "history" in {path.partition(".")[0] for path in expression.paths}  # and refused by it
    with pytest.raises(ExpressionFailed):
        expression(context())


@pytest.mark.parametrize("source", FUNCTIONS)
@pytest.mark.parametrize("history", [None, {}, {"count": 3}, [], "x", 3, True])
def test_what_comes_as_json_is_no_history(source: str, history: Any) -> None:
    assert failure(source, history=history).code == "expression_failed"


@pytest.mark.parametrize("source", FUNCTIONS)
def test_without_a_history_nothing_is_answered(source: str) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        compile_expression(source, strict=True)({})
    assert (str(caught.value), caught.value.code) == ("history has no value", "fact_missing")


def test_a_span_from_nothing_is_a_missing_fact_and_from_nonsense_a_fault() -> None:
    error = failure("days_since(last('never'))")
    assert str(error) == "what days_since asks about has no value"
    assert error.code == "fact_missing"
    assert str(failure("hours_until(contact.at)")) == "contact.at has no value"
    assert failure("days_since('soon')").code == "expression_failed"
    assert failure("days_since([])").code == "expression_failed"
    assert failure("days_since(first_seen)", now=[]).code == "expression_failed"


def test_a_bundle_names_the_rule_whose_segment_cannot_be_told() -> None:
    bundle = compile_all({"fine": "did('seen')", "broken": "in_segment('gone')"}, strict=True)
    with pytest.raises(ExpressionFailed, match=r"^broken: there is no segment gone"):
        bundle(context())


@pytest.mark.parametrize("name", ["history", "links", "now", "language", "zone", "loop"])
def test_no_loop_may_take_the_place_of_what_functions_read(name: str) -> None:
    with pytest.raises(ValueError, match="no value may be called"):
        compile_template(f"{{% for {name} in signal.items %}}{{{{ did('a') }}}}{{% endfor %}}")


class Short:
    def link(self, url: str) -> str:
        return f"https://s.example/l/{len(url)}"


class Refusing:
    def link(self, url: str) -> str:
        raise ExpressionFailed("the link leads elsewhere", "link_not_allowed")


URL = "https://corner.example/cart"


def test_a_text_has_short_links_where_they_are_made_and_whole_ones_where_not() -> None:
    template = compile_template("Here: {{ link(signal.url) }}")
    signal = {"url": URL}
    assert template({"signal": signal, "links": Short()}) == "Here: https://s.example/l/27"
    assert template({"signal": signal}) == template({"signal": signal, "links": None})
    assert template({"signal": signal}) == f"Here: {URL}"


@pytest.mark.parametrize("url", [None, "", "  ", 7, [], {}, True])
def test_only_a_text_is_linked_to(url: Any) -> None:
    template = compile_template("{{ link(signal.url) }}")
    for links in (None, Short()):
        with pytest.raises(ExpressionFailed):
            template({"signal": {"url": url}, "links": links})


def test_a_link_without_a_value_is_a_hole_and_a_refusal_keeps_its_code() -> None:
    template = compile_template("{{ link(signal.url) }}")
    with pytest.raises(ExpressionFailed, match=r"signal\.url has no value") as missing:
        template({"signal": {}, "links": Short()})
    assert missing.value.code == "fact_missing"
    with pytest.raises(ExpressionFailed) as refused:
        template({"signal": {"url": URL}, "links": Refusing()})
    assert refused.value.code == "link_not_allowed"


@pytest.mark.parametrize("links", [{}, "x", 3, [], {"link": "x"}])
def test_what_comes_as_json_makes_no_links(links: Any) -> None:
    with pytest.raises(ExpressionFailed):
        compile_template("{{ link('https://x.example') }}")({"links": links})


CALLS = st.sampled_from(["did", "count", "first", "last", "in_segment", "days_since", "link"])


@settings(deadline=None)
@given(CALLS, st.text(max_size=12), st.text(max_size=6))
def test_any_call_answers_or_says_why_not(name: str, what: str, span: str) -> None:
    for source in (f"{name}({what!r})", f"{name}({what!r}, within={span!r})"):
        try:
            answer = compile_expression(source, strict=True)(context())
        except (ValueError, ExpressionFailed) as error:
            assert str(error)
        else:
            assert answer is None or isinstance(answer, str | int | float)
