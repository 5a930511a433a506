"""Plays are read whole, and every name in them is checked against what there is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector.config.plays import load_plays
from connector.config.supply import Supply
from connector.errors import Fault
from connector.expressions import compile_template
from connector.model import Purpose
from connector.rules.plays import Mode, Once, Play, Restart, Role

SUPPLY = Supply(
    signals={
        "cart_updated": frozenset({"value", "cart_url"}),
        "order_completed": frozenset({"value"}),
        "signed_up": frozenset(),
    },
    sensitive={"order_completed": frozenset({"value"})},
    traits=frozenset({"plan"}),
    crm=frozenset({"do_not_call"}),
    stages=("lead", "customer"),
)
TEMPLATES = {
    ("cart", "en"): "{{ brand }}: finish here {{ signal.cart_url }}",
    ("cart", "es"): "{{ brand }}: termina {{ signal.cart_url }}",
    ("order", "en"): "{{ brand }}: thank you",
    ("solo", "es"): "{{ brand }}: hola",
}
CART = """\
description = "Remind once"
role = "conversion"
purpose = "marketing"
scopes = ["cart_reminders"]
mode = "shadow"
audience = "contact.stage != 'customer' and contact.plan | default('') != 'pro'"
stages = ["lead"]
exits = ["signed_up"]
holdout = 0.1
max_texts_per_key = 1
priority = 5
[start]
signal = "cart_updated"
where = "signal.value >= 20"
after = "60m"
unless = ["order_completed"]
key = "signal.key"
once = "key"
cooldown = "7d"
restart = "rearm"
[[steps]]
name = "reminder"
template = "cart"
[[steps]]
name = "call"
wait = "24h"
where = "not crm.do_not_call | default(false)"
task = "Call {{ contact.first_name | default('them') }}"
[goal]
signal = "order_completed"
within = "7d"
where = "signal.value >= start.value"
same_key = true
"""
ORDER = """\
role = "service"
purpose = "service"
[start]
signal = "order_completed"
[[steps]]
name = "thanks"
template = "order"
"""


def read(folder: Path, **files: str) -> tuple[dict[str, Play], list[Fault]]:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    faults: list[Fault] = []
    templates = {key: compile_template(text) for key, text in TEMPLATES.items()}
    plays = load_plays(folder, SUPPLY, templates, "en", faults)
    return plays, faults


def test_a_play_is_read_field_by_field(tmp_path: Path) -> None:
    plays, faults = read(tmp_path, cart=CART)
    assert faults == []
    play = plays["cart"]
    assert (play.name, play.role, play.purpose) == ("cart", Role.conversion, Purpose.marketing)
    assert (play.mode, play.holdout, play.priority) == (Mode.shadow, 0.1, 5)
    assert (play.scopes, play.stages, play.exits) == (
        ("cart_reminders",),
        ("lead",),
        ("signed_up",),
    )
    start = play.start
    assert (start.signal, start.after, start.unless) == (
        "cart_updated",
        timedelta(hours=1),
        ("order_completed",),
    )
    assert (start.once, start.restart, start.cooldown) == (
        Once.key,
        Restart.rearm,
        timedelta(days=7),
    )
    assert start.where is not None and start.where({"signal": {"value": 20}}) is True
    assert [step.name for step in play.steps] == ["reminder", "call"]
    assert play.steps[1].wait == timedelta(days=1)
    assert play.goal is not None and play.goal.same_key


def test_what_is_not_said_is_the_choice_that_sends_less(tmp_path: Path) -> None:
    plays, faults = read(tmp_path, order=ORDER)
    assert faults == []
    play = plays["order"]
    assert (play.mode, play.holdout, play.start.once) == (Mode.live, 0.0, Once.key)
    assert (play.start.restart, play.goal, play.exits) == (Restart.ignore, None, ())
    assert play.steps[0].expires == timedelta(hours=4)


def test_marketing_holds_5_percent_out_and_expires_after_a_day(tmp_path: Path) -> None:
    play = read(tmp_path, cart=CART.replace("holdout = 0.1\n", ""))[0]["cart"]
    assert play.holdout == 0.05
    assert play.steps[0].expires == timedelta(hours=24)


def test_the_version_is_of_the_file_and_of_its_texts(tmp_path: Path) -> None:
    first = read(tmp_path, cart=CART)[0]["cart"]
    again = read(tmp_path, cart=CART)[0]["cart"]
    other = read(tmp_path, cart=CART + "# a thought\n")[0]["cart"]
    assert first.version == again.version != other.version
    assert len(first.version) == 12
    assert CART in first.content
    assert "--- templates/cart.en.txt\n{{ brand }}: finish here" in first.content
    assert "--- templates/cart.es.txt" in first.content


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ('"cart_updated"', '"cart_updatd"', 13, "start.signal", "did you mean 'cart_updated'?"),
        ('["order_completed"]', '["order_done"]', 16, "start.unless", "one of cart_updated"),
        ('["signed_up"]', '["signed_of"]', 8, "exits", "did you mean 'signed_up'?"),
        ('signal = "order_comp', 'signal = "order_cmp', 30, "goal.signal", "order_completed"),
        ('["lead"]', '["leed"]', 7, "stages", "did you mean 'lead'?"),
        ('["cart_reminders"]', '["cart_reminder"]', 4, "scopes", "did you mean 'cart_reminders'?"),
        ("contact.stage ", "contact.stag ", 6, "audience", "did you mean contact.stage?"),
        (
            "signal.value >= 20",
            "signal.valu >= 20",
            14,
            "start.where",
            "did you mean signal.value?",
        ),
        (
            "crm.do_not_call",
            "crm.do_not_cal",
            27,
            "steps[1].where",
            "did you mean crm.do_not_call?",
        ),
        ("start.value", "start.total", 32, "goal.where", "reads start.total"),
        ("contact.first_name", "contact.frist_name", 28, "steps[1].task", "contact.first_name?"),
        ("signal.value >= 20", "signal.value >=", 14, "start.where", "cannot be understood"),
        ("{{ contact", "{{ }} {{ contact", 28, "steps[1].task", "cannot be understood"),
        ('template = "cart"', 'template = "crat"', 23, "steps[0].template", "did you mean cart?"),
        ('template = "cart"', 'template = "solo"', 23, "steps[0].template", "solo.en.txt"),
        ("holdout = 0.1", "holdout = 0.6", 9, "holdout", "between 0 and 0.5"),
        ('"reminder"\n', '"reminder"\nexpires = "0m"\n', 23, "steps[0].expires", "no time"),
        ('"reminder"\n', '"reminder"\nexpires = "9d"\n', 23, "steps[0].expires", "over 7 days"),
        ('name = "call"', 'name = "reminder"', 25, "steps[1].name", "its own name"),
        ('within = "7d"', 'within = "0d"', 31, "goal.within", "no time at all"),
        ('after = "60m"', 'after = "0m"', 16, "start.unless", "no time to happen in"),
        ('once = "key"', 'once = "key"\ncount = 2', 19, "start.count", 'add within = "24h"'),
        ('wait = "24h"', 'wait = "24h"\ntemplate = "cart"', 24, "steps[1]", "template or a task"),
        ('task = "Call', 'taks = "Call', 28, "steps[1].taks", "did you mean task?"),
    ],
)
def test_each_fault_has_its_line_and_what_would_be_right(
    tmp_path: Path, old: str, new: str, line: int, field: str, says: str
) -> None:
    assert old in CART
    _, faults = read(tmp_path, cart=CART.replace(old, new, 1))
    found = [fault for fault in faults if fault.field == field]
    assert found, faults
    assert found[0].line == line
    assert says in str(found[0])


def test_a_text_may_only_read_what_its_start_signal_carries(tmp_path: Path) -> None:
    _, faults = read(tmp_path, order=ORDER.replace('"order"', '"cart"'))
    assert [fault.message for fault in faults] == [
        "reads signal.cart_url, which nothing supplies",
        "reads signal.cart_url, which nothing supplies",
    ]


def test_a_sensitive_fact_may_be_asked_but_never_told(tmp_path: Path) -> None:
    asked = ORDER.replace("[[steps]]", 'where = "signal.value > 1"\n[[steps]]')
    assert read(tmp_path, order=asked)[1] == []
    told = ORDER + '[[steps]]\nname = "call"\ntask = "Ask about {{ signal.value.of }}"\n'
    _, faults = read(tmp_path, order=told)
    assert [(fault.field, fault.message) for fault in faults] == [
        ("steps[1].task", "reads signal.value.of, which is sensitive and never enters a text")
    ]


def test_a_marketing_play_says_what_it_is_for(tmp_path: Path) -> None:
    _, faults = read(tmp_path, cart=CART[: CART.index("[goal]")])
    assert [(fault.field, fault.message) for fault in faults] == [("goal", "is missing")]


def test_a_play_without_steps_does_nothing_and_is_a_fault(tmp_path: Path) -> None:
    _, faults = read(tmp_path, order=ORDER[: ORDER.index("[[steps]]")])
    assert [fault.field for fault in faults] == ["steps"]


def test_a_broken_file_is_one_fault_and_the_others_are_still_read(tmp_path: Path) -> None:
    plays, faults = read(tmp_path, cart="[start", order=ORDER)
    assert set(plays) == {"order"}
    assert len(faults) == 1


def test_a_play_is_named_like_a_word(tmp_path: Path) -> None:
    _, faults = read(tmp_path, **{"My Play": ORDER})
    assert "is named 'My Play'" in faults[0].message


def test_names_are_not_checked_against_mappings_that_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "cart.toml").write_text(CART)
    faults: list[Fault] = []
    templates = {("cart", "en"): compile_template("{{ signal.cart_url }}")}
    load_plays(tmp_path, Supply(scopes=frozenset(), complete=False), templates, "en", faults)
    assert faults == [], "faulty mappings are told once, not again for every play"
