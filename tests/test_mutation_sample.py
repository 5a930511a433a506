"""A few of the mutants of the shipped plays (``python -m tests.mutation`` tries them all)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.mutation.listed import differences, listed
from tests.mutation.mutants import FOR_PEOPLE, Mutant
from tests.mutation.shops import names, shop_of
from tests.mutation.texts import broken
from tests.mutation.words import Words, numbers, spans

SAMPLE = 40


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    return [
        each for play in names() for shop, name in [shop_of(play)] for each in shop.mutants(name)
    ]


def test_a_broken_line_of_a_shipped_play_fails_an_example_or_has_a_reason(
    mutants: list[Mutant],
) -> None:
    known = listed()
    for mutant in random.Random(3).sample(mutants, SAMPLE):
        shop, _ = shop_of(mutant.play)
        failing = shop.failing(mutant)
        assert failing or mutant.name in known, f"nothing tells {mutant.name}"
        assert not (failing and mutant.name in known), f"{mutant.name} does not survive any more"


def test_every_listed_survivor_is_a_mutant_there_is(mutants: list[Mutant]) -> None:
    assert set(listed()) <= {mutant.name for mutant in mutants}
    assert len({mutant.name for mutant in mutants}) == len(mutants)


def test_every_line_is_broken_but_those_for_people(mutants: list[Mutant]) -> None:
    broken_lines = {(mutant.play, mutant.line) for mutant in mutants}
    for play in names():
        shop, name = shop_of(play)
        values = shop.files[name]
        for key in values:
            tables = isinstance(values[key], list) and isinstance(values[key][0], dict)
            if key not in FOR_PEOPLE and not tables:
                assert (play, key) in broken_lines
        for step in values["steps"]:
            for key in step:
                if key not in ("branches", "choose") and not (key == "name" and "wait_for" in step):
                    assert (play, f"steps.{step['name']}.{key}") in broken_lines


def test_what_survives_without_a_reason_and_a_reason_without_a_survivor_are_told(
    tmp_path: Path,
) -> None:
    one, two = ("cart", "goal.within", "becomes 14d"), ("cart", "start.after", "dropped")
    assert not differences({one}, {one: "why"}, ["cart"])
    assert differences({one}, {}, ["cart"]) == [
        "survives, and no reason is given: cart: goal.within · becomes 14d"
    ]
    assert differences({one}, {one: "why", two: "why"}, ["cart"]) == [
        "is listed, and does not survive any more: cart: start.after · dropped"
    ]
    assert not differences(set(), {one: "why"}, ["another"]), "a play that was not tried"
    path = tmp_path / "survivors.toml"
    path.write_text('[[survivors]]\nplay = "a"\nline = "b"\nmutation = "c"\nwhy = ""\n')
    with pytest.raises(ValueError, match="a sentence"):
        listed(path)


@pytest.mark.parametrize(
    ("source", "then"),
    [
        ("a >= 5", ["a > 5", "a < 5", "a >= 6", "a >= 4"]),
        ("not a and b", [" a and b", "not a or b"]),
        ("a in ['x']", ["a not in ['x']", "a in ['another']"]),
        ("did('one', within='2d')", ["did('two', within='2d')"]),
        ("did('one', within='2d')", ["did('one', within='4d')", "did('one', within='1d')"]),
        ("a | default(0)", ["a | default(1000)", "a | default(-1000)"]),
        ("a | lower == 'b'", ["a | string == 'b'", "a | lower != 'b'"]),
        ("a / b", ["a * b"]),
        ("a == 'order-1'", ["a == 'another'"]),
    ],
)
def test_an_expression_is_broken_at_each_of_its_words(source: str, then: list[str]) -> None:
    made = [changed for _, changed in Words(source, [("one", "two")]).broken()]
    assert set(then) <= set(made)
    assert source not in made


def test_spans_and_numbers_are_broken_both_ways() -> None:
    assert list(spans("7d")) == ["14d", "84h"]
    assert list(spans("-24h")) == ["-48h", "-12h"]
    assert list(numbers("3")) == ["4", "2"]
    assert list(numbers("0.8")) == ["0.81", "0.79"]


def test_each_condition_and_each_value_of_a_text_is_broken() -> None:
    text = "{{ brand }}: hello{% if a.b %}, {{ a.b }}{% endif %}"
    assert dict(broken(text)) == {
        "always if a.b": "{{ brand }}: hello{% if 1 == 1 %}, {{ a.b }}{% endif %}",
        "never if a.b": "{{ brand }}: hello{% if 1 == 2 %}, {{ a.b }}{% endif %}",
        "without a.b": "{{ brand }}: hello{% if a.b %}, {% endif %}",
    }
