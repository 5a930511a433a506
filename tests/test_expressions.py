"""The expression language: what it gives, what it refuses, and that nothing makes it run away."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ExpressionFailed
from connector.expressions import compile_all, compile_expression, compile_template

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=15,
)
SHOP = {
    "contact": {"first_name": "ann", "stage": "lead", "email": None, "tags": ["vip", "new"]},
    "cart": {"total": 42.5, "items": [{"title": "Mug", "keys": 2}], "id": 7, "note": ""},
    "big": "x" * 4_000,
    "huge": "x" * 500_000,
    "many": list(range(100_000)),
    "whole": 2**62,
}


def strict(source: str, **context: Any) -> Any:
    return compile_expression(source, strict=True)(context or SHOP)


def lenient(source: str, **context: Any) -> Any:
    return compile_expression(source, strict=False)(context or SHOP)


def failure(source: str, *, is_strict: bool = True, **context: Any) -> ExpressionFailed:
    expression = compile_expression(source, strict=is_strict)
    with pytest.raises(ExpressionFailed) as caught:
        expression(context or SHOP)
    return caught.value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("contact.stage == 'lead' and cart.total >= 40", True),
        ("contact['stage'] in ['lead', 'customer']", True),
        ("'vip' not in contact.tags", False),
        ("cart.items[0].title", "Mug"),
        ("cart.items[0].keys", 2),  # data wins: no method of the dict is ever reached
        ("contact.tags[-1]", "new"),
        ("contact.first_name[:2] ~ '-' ~ cart.id", "an-7"),
        ("contact.first_name | title", "Ann"),
        ("contact.first_name.upper().startswith('A')", True),
        ("contact.tags | join(' & ')", "vip & new"),
        ("contact.tags | first", "vip"),
        ("contact.tags | last", "new"),
        ("contact.tags | length", 2),
        ("(cart.items | find('title', 'Mug')).keys", 2),
        ("cart.items | find('title', 'Cup')", None),
        (
            "[{'f': {'id': 1}}, 7, {'f': {'id': 2}, 'n': 3}] | find('f.id', 2)",
            {"f": {"id": 2}, "n": 3},
        ),
        ("'a.b'.split('.')", ["a", "b"]),
        ("'+1 (415) 555' | digits", "1415555"),
        ("' 42 ' | trim | int + 1", 43),
        ("'42.50' | float", 42.5),
        ("cart.total | round", 42),
        ("42.126 | round(2)", 42.13),
        ("1234.5 | money('EUR')", "€1,234.50"),
        ("-3 | money", "-$3.00"),
        ("500 | money('JPY')", "¥500"),
        ("'a long title' | truncate(8)", "a lon..."),
        ("contact.email | default('none yet')", "none yet"),
        ("cart.note | default('empty')", "empty"),
        ("0 | default(9)", 0),
        ("nowhere.at.all | default('x')", "x"),
        ("nowhere.at.all is defined", False),
        ("contact.email is defined", False),
        ("contact.email is none", True),
        ("cart.total is number and contact.stage is string", True),
        ("cart.get('colour', 'grey')", "grey"),
        ("7 // 2 + 7 % 2 - -1", 5),
        ("'yes' if cart.total > 40 else 'no'", "yes"),
        ("none if cart.total > 40 else 'no'", None),
        ("{'id': cart.id, 'tags': contact.tags}", {"id": 7, "tags": ["vip", "new"]}),
        ("(1, 2)", [1, 2]),
        ("[]", []),
    ],
)
def test_an_expression_gives_its_value(source: str, value: Any) -> None:
    assert strict(source) == value


@pytest.mark.parametrize(
    "source",
    [
        "contact.stag == 'lead'",
        "not crm.do_not_call",
        "contact.address.city",
        "contact.first_name ~ contact.suffix",
        "crm.owner in []",
        "[crm.owner] != ['a', 'b']",
        "contact.age | round",
        "contact.nick.upper()",
        "cart.items[3].title",
        "crm is none",
        "contact.tags | join(contact.glue)",
        "cart.total * rates.euro",
        "{'a': crm.owner}",
        "crm.owner or true",
        "many[cart.place]",
    ],
)
def test_strict_never_takes_a_missing_path_for_an_answer(source: str) -> None:
    assert failure(source).code == "fact_missing"


def test_a_missing_fact_is_named_by_its_path() -> None:
    assert str(failure("contact.stag == 'lead'")) == "contact.stag has no value"
    assert str(failure("not crm.do_not_call")) == "crm.do_not_call has no value"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("nowhere", None),
        ("nowhere.at.all[0]['x']", None),
        ("nowhere.value > 0", False),
        ("nowhere.value <= 0", False),
        ("nowhere.total * 100 + 1", None),
        ("'cart-' ~ nowhere.id", None),
        ("nowhere.name | lower | title", None),
        ("nowhere.name.upper().startswith('A')", None),
        ("nowhere.postal[:5]", None),
        ("'/pricing' in nowhere.path", False),
        ("'x' not in nowhere.path", True),
        ("nowhere.a == none", True),
        ("nowhere.a is none", True),
        ("nowhere or contact.stage", "lead"),
        ("nowhere.granted == true", False),
        ("-nowhere.x", None),
        ("'a' if nowhere", None),
        ("cart.note | default('empty')", "empty"),
    ],
)
def test_in_a_mapping_a_missing_path_reads_as_none_and_none_is_catching(
    source: str, value: Any
) -> None:
    assert lenient(source) == value


@pytest.mark.parametrize("is_strict", [True, False])
@pytest.mark.parametrize(
    "source",
    [
        "'a' * 2000000000",
        "contact.tags * 2000000000",
        "whole * whole",
        "whole * whole * whole * whole",
        "'%1000000000d' % 1",
        "'%s' % contact",
        "big ~ big",
        "big + big",
        "many + many",
        "[big, big, big, big, big] | join",
        "many | join",
        "big | replace('', big)",
        "big.replace('x', 'yyyyyyyyyy')",
        "huge",
        "huge | upper",
        "huge.split('x')",
        "'ß' | truncate(999999999)",
        "big | truncate(5000)",
        "1 | round(1000000000)",
        "'9' | int * 99999999999999999999",
        "huge | int",
        "'inf' | float",
        "'nan' | float",
        "1e308 * 10",
        "many",
        "[many]",
        "1 / 0",
        "1 % 0.0",
        "1 < 'a'",
        "contact < cart",
        "contact.stage - 1",
        "true + 1",
        "5 in 'text'",
        "contact.tags | lower",
        "1 | money('not a currency')",
        "''.split('')",
    ],
)
def test_hostile_values_are_refused_at_once(source: str, is_strict: bool) -> None:
    began = perf_counter()
    assert failure(source, is_strict=is_strict).code == "expression_failed"
    assert perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "source",
    [
        "2 ** 99999999",
        "range(1000000000)",
        "'x' | center(1000000000)",
        "'x'.ljust(1000000000)",
        "'x'.zfill(1000000000)",
        "'{:1000000000}'.format(1)",
        "'x' | format(1)",
        "'x' | indent(1000000000)",
        "'x' | wordwrap(1)",
        "'x' | batch(3)",
        "many | map('upper')",
        "many | tojson",
        "many | list",
        "contact | attr('get')",
        "contact.__class__",
        "contact['a'].__class__.__mro__",
        "''.__class__",
        "''.join(many)",
        "contact.update({})",
        "many.append(1)",
        "contact.get('a', default=1)",
        "contact.tags | join(*many)",
        "lipsum()",
        "cycler('a')",
        "dict(a=1)",
        "self",
        "self._TemplateReference__context",
        "_left",
        "caller()",
        "1 < 2 < 3",
        "cart.items[0:1:1]",
        "{1: 2}",
        "1e999",
        "a ==",
        "a b",
        "'open",
        "",
        "   ",
        "a" * 2_001,
        "(" * 900,
        "not " * 400 + "a",
        "[" * 45 + "]" * 45,
        "-" * 500 + "1",
        " + ".join(["1"] * 300),
        "a" + ".b" * 200,
        "{{ a }}",
        "a.b is callable",
    ],
)
def test_what_is_not_offered_is_refused_when_the_file_is_read(source: str) -> None:
    began = perf_counter()
    with pytest.raises(ValueError, match=r"."):
        compile_expression(source, strict=True)
    assert perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("contact.stage ==", "column 15: unexpected 'end'"),
        ("cart.total $ 3", "column 12: unexpected char '$'"),
        ("cart.name | titel", "column 13: there is no filter 'titel'; did you mean 'title'?"),
        (
            "foo(1)",
            "column 1: there is no function foo(); there are "
            "count, days_since, did, first, hours_until, in_segment, last",
        ),
        ("a.b is defned", "column 5: there is no test 'defned'; did you mean 'defined'?"),
        ("'x'.uper()", "column 9: there is no method 'uper'; did you mean 'upper'?"),
        ("cart.total | round(1, 2)", "column 14: round takes other values than these"),
    ],
)
def test_a_fault_of_syntax_is_named_with_its_column(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"column") as caught:
        compile_expression(source, strict=True)
    assert str(caught.value) == message


def test_the_paths_read_are_known() -> None:
    source = "contact.stage == 'x' or headers['x-topic'] | lower == cart.items[0].title ~ now"
    assert compile_expression(source, strict=True).paths == {
        "contact.stage",
        "headers.x-topic",
        "cart.items",
        "now",
    }


def test_a_reason_never_holds_the_values() -> None:
    for source in ("secret | int", "secret < 1", "secret | round", "secret / 2", "table | lower"):
        error = failure(source, secret="hunter2 " * 3, table={"k": "hunter2"})
        assert "hunter2" not in str(error)
        assert error.__cause__ is None


@pytest.mark.parametrize("value", [object(), {1, 2}, iter([]), b"raw", float("nan"), 2**64, len])
def test_only_plain_values_leave(value: Any) -> None:
    assert failure("x", x=value).code == "expression_failed"
    assert failure("[x]", x=value).code == "expression_failed"


def test_a_result_nested_too_deeply_is_refused() -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    assert "nested" in str(failure("x", x=deep))


def test_a_list_may_be_larger_where_the_file_reader_allows_it() -> None:
    items = [{"text": "x" * 100} for _ in range(1_000)]
    assert failure("x", x=items).code == "expression_failed"
    assert compile_expression("x", strict=False, limit=10**6)({"x": items}) is items


# Bundles


def test_a_bundle_gives_all_values_by_name() -> None:
    bundle = compile_all({"a": "cart.total * 2", "b.c": "contact.stage"}, strict=True)
    assert bundle(SHOP) == {"a": 85.0, "b.c": "lead"}
    assert bundle.paths == {"cart.total", "contact.stage"}
    assert compile_all({}, strict=True)(SHOP) == {}


def test_a_bundle_names_the_expression_that_failed() -> None:
    bundle = compile_all({"good": "cart.total", "bad": "cart.note + 1", "gone": "x"}, strict=True)
    with pytest.raises(ExpressionFailed, match=r"^bad: \+ wants two numbers") as caught:
        bundle(SHOP)
    assert caught.value.code == "expression_failed"
    with pytest.raises(ExpressionFailed, match=r"^gone: x has no value") as caught:
        compile_all({"good": "cart.total", "gone": "x"}, strict=True)(SHOP)
    assert caught.value.code == "fact_missing"


def test_a_bundle_takes_compiled_expressions_and_names_a_faulty_source() -> None:
    stage = compile_expression("contact.stage", strict=False)
    assert compile_all({"stage": stage, "id": "cart.id"}, strict=False)(SHOP)["stage"] == "lead"
    with pytest.raises(ValueError, match=r"^worse: column"):
        compile_all({"good": "a", "worse": "a ="}, strict=True)


# Templates


def text(source: str, **context: Any) -> str:
    return compile_template(source)(context or SHOP)


def hole(source: str, **context: Any) -> ExpressionFailed:
    template = compile_template(source)
    with pytest.raises(ExpressionFailed) as caught:
        template(context or SHOP)
    return caught.value


def test_a_text_is_written_out() -> None:
    source = (
        "Hi {{ contact.first_name | title }}!{# seen by nobody #}"
        "{% if cart.total >= 40 %} {{ cart.total | money }}{% elif x %}{% else %}-{% endif %}"
        "{% for item in cart.items %} {{ loop.index }}.{{ item.title }}{% endfor %}\n"
    )
    assert text(source) == "Hi Ann! $42.50 1.Mug"
    assert compile_template(source).paths == {"contact.first_name", "cart.total", "cart.items", "x"}


def test_numbers_are_written_as_people_write_them() -> None:
    assert text("{{ a }} {{ b }} {{ c }}", a=42.0, b=0.1, c=-3) == "42 0.1 -3"


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_an_empty_value_is_a_hole(value: Any) -> None:
    error = hole("Hi {{ contact.first_name }}", contact={"first_name": value})
    assert error.code == "fact_missing"
    assert str(error) == "contact.first_name has no value"


def test_a_missing_value_is_a_hole_unless_a_default_fills_it() -> None:
    assert hole("{{ contact.nick }}").code == "fact_missing"
    assert hole("{% if crm.vip %}x{% endif %}").code == "fact_missing"
    assert hole("{% for x in crm.deals %}x{% endfor %}").code == "fact_missing"
    assert hole("{% for x in cart.items %}{{ x.colour }}{% endfor %}").code == "fact_missing"
    assert text("{{ contact.nick | default('you') }}") == "you"


@pytest.mark.parametrize("source", ["{{ contact }}", "{{ contact.tags }}", "{{ 1 == 1 }}"])
def test_only_texts_and_numbers_stand_in_a_text(source: str) -> None:
    assert hole(source).code == "expression_failed"


@pytest.mark.parametrize(
    "source",
    [
        "{{ big }}{{ big }}{{ big }}",
        "{{ huge }}",
        "{% for x in many %}{% endfor %}",
        "{% for x in hundred %}{% for y in hundred %}{% endfor %}{% endfor %}",
        "{% for x in hundred %}{{ big }}{% endfor %}",
        "{% for x in big %}{% endfor %}",
        "{% for x in contact %}{% endfor %}",
    ],
)
def test_a_text_and_its_loops_are_bounded(source: str) -> None:
    template = compile_template(source)
    began = perf_counter()
    with pytest.raises(ExpressionFailed):
        template({**SHOP, "hundred": [1] * 100})
    assert perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% macro x() %}{% endmacro %}",
        "{% call x() %}{% endcall %}",
        "{% block x %}{% endblock %}",
        "{% set x = 1 %}",
        "{% set x %}a{% endset %}",
        "{% filter upper %}a{% endfilter %}",
        "{% for x in y recursive %}{% endfor %}",
        "{% for x in y if x %}{% endfor %}",
        "{% for x, y in z %}{% endfor %}",
        "{% for _left in z %}{% endfor %}",
        "{% for self in z %}{% endfor %}",
        "{% for x in y %}{{ loop.cycle('a') }}{% endfor %}",
        "{% for x in y %}{{ loop.__init__ }}{% endfor %}",
        "{% do x %}",
        "{% if x %}",
        "{{ x",
        "{{ contact | center(9) }}",
        "x" * 10_001,
        "{% if a %}" * 200 + "{% endif %}" * 200,
    ],
)
def test_a_text_offers_if_and_for_and_nothing_more(source: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compile_template(source)


def test_a_fault_in_a_text_is_named_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"^line 2: there is no filter 'moneyy'"):
        compile_template("Hi\n{{ cart.total | moneyy }}")


# Whatever comes


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_source_compiles_or_says_why_not(source: str) -> None:
    for compile_one in (compile_template, lambda text: compile_expression(text, strict=True)):
        try:
            found = compile_one(source)
        except ValueError as error:
            assert str(error)
            continue
        try:
            found({})
        except ExpressionFailed as error:
            assert error.code in ("fact_missing", "expression_failed")


SOURCES = [
    "a.b.c[0].d",
    "a.b * b.a + a",
    "(a ~ b) | upper | trim | digits",
    "a | join(b) | replace('a', b)",
    "a > b or a in b or a == b",
    "[a, b, {'c': a}][1]",
    "a[b]",
    "a[:3]",
    "(a | length) // (b | int)",
    "a | round(2) | money(b)",
    "a | money(b)",
    "a | date(b)",
    "a | time(b)",
    "a.get(b).split(b)[0].title()",
    "a | first | last | float",
    "a is number and b is string",
    "(a | default(b)) | truncate(b)",
]


@settings(deadline=None)
@given(a=JSON, b=JSON, source=st.sampled_from(SOURCES), is_strict=st.booleans())
def test_any_value_gives_plain_json_or_a_named_failure(
    a: Any, b: Any, source: str, is_strict: bool
) -> None:
    try:
        value = compile_expression(source, strict=is_strict)({"a": a, "b": b})
    except ExpressionFailed as error:
        assert error.code in ("fact_missing", "expression_failed")
    else:
        assert value is None or isinstance(value, str | int | float | bool | list | dict)
