"""The policy file as values, and its faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.config.policy import load
from connector.config.supply import Supply
from connector.errors import Fault
from connector.model import Purpose, Verdict
from connector.rules.history import Segments, Told
from connector.rules.plays import Segment
from connector.rules.policy import Cap, Policy

FILE = """\
stop_scope = "marketing"
gap = "4h"
window_margin = "20m"
[[caps]]
name = "a day"
purpose = "marketing"
count = 1
per = "24h"
[[caps]]
name = "a cart"
purpose = "marketing"
count = 1
per = "48h"
play = "cart"
[[suppress]]
name = "rival"
when = "(contact.email | default('')).endswith('@rival.example')"
says = "a competitor"
verdict = "wait"
purposes = ["marketing", "service"]
roles = ["conversion"]
"""
SUPPLY = Supply(crm=frozenset({"do_not_call"}))


def read(folder: Path, text: str = FILE) -> tuple[Policy, list[Fault]]:
    path = folder / "policy.toml"
    path.write_text(text)
    faults: list[Fault] = []
    return load(path, SUPPLY, ("cart", "welcome"), faults), faults


def test_a_policy_is_read_field_by_field(tmp_path: Path) -> None:
    policy, faults = read(tmp_path)
    assert faults == []
    assert policy.caps == (
        Cap("a day", Purpose.marketing, 1, timedelta(days=1)),
        Cap("a cart", Purpose.marketing, 1, timedelta(days=2), "cart"),
    )
    assert (policy.gap, policy.window_margin) == (timedelta(hours=4), timedelta(minutes=20))
    assert policy.stop_scope == "marketing"
    rule = policy.suppressions[0]
    assert (rule.name, rule.says, rule.verdict) == ("rival", "a competitor", Verdict.wait)
    assert (rule.purposes, rule.roles) == (("marketing", "service"), ("conversion",))
    assert rule.when({"contact": {"email": "a@rival.example"}}) is True
    assert rule.when({"contact": {}}) is False


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    first = read(tmp_path)[0]
    assert first.version == read(tmp_path)[0].version != read(tmp_path, FILE + "#")[0].version
    assert (len(first.version), first.content) == (12, FILE)


def test_an_empty_policy_has_the_defaults_of_its_type(tmp_path: Path) -> None:
    policy, faults = read(tmp_path, "")
    assert faults == []
    assert (policy.gap, policy.window_margin, policy.stop_scope) == (
        timedelta(0),
        timedelta(minutes=15),
        "all",
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ('"marketing"\ngap', '"some"\ngap', 1, "stop_scope", "one of all, marketing"),
        ('gap = "4h"', 'gap = "30d"', 2, "gap", "at most 168h"),
        ('margin = "20m"', 'margin = "5h"', 3, "window_margin", "at most 4h"),
        ("count = 1", "count = 0", 7, "caps[0].count", "between 1 and 1000"),
        ('per = "24h"', 'per = "0h"', 8, "caps[0].per", "is no window"),
        ('per = "24h"', 'per = "365d"', 8, "caps[0].per", "up to 90d"),
        ('play = "cart"', 'play = "crat"', 14, "caps[1].play", "did you mean 'cart'?"),
        ('name = "a cart"', 'name = "a day"', 10, "caps[1].name", "its own name"),
        ("contact.email", "contact.emial", 17, "suppress[0].when", "did you mean contact.email?"),
        ("contact.email", "crm.do_not_text", 17, "suppress[0].when", "crm.do_not_call?"),
        ("default('')", "defalt('')", 17, "suppress[0].when", "cannot be understood"),
        ('roles = ["conversion"]', 'roles = ["sales"]', 21, "suppress[0].roles", "one of"),
    ],
)
def test_each_fault_has_its_line_and_what_would_be_right(
    tmp_path: Path, old: str, new: str, line: int, field: str, says: str
) -> None:
    assert old in FILE
    _, faults = read(tmp_path, FILE.replace(old, new, 1))
    assert [(fault.line, fault.field) for fault in faults] == [(line, field)]
    assert says in str(faults[0])


def test_a_rule_without_a_condition_is_a_fault(tmp_path: Path) -> None:
    policy, faults = read(tmp_path, '[[suppress]]\nname = "all"\n')
    assert policy.suppressions == ()
    assert (faults[0].field, faults[0].message) == ("suppress[0].when", "is missing")


HISTORY = """\
[[suppress]]
name = "bought"
when = "did('order_completed', within='1d') or in_segment('vip')"
says = "bought just now"
"""


def with_names(folder: Path, text: str) -> tuple[Policy, list[Fault]]:
    path = folder / "policy.toml"
    path.write_text(text)
    faults: list[Fault] = []
    signals = {"order_completed": frozenset[str]()}
    supply = Supply(signals=signals, segments=frozenset({"vip"}))
    return load(path, supply, (), faults), faults


@pytest.mark.parametrize(("did", "inside"), [(True, False), (False, True), (False, False)])
def test_a_rule_may_ask_what_a_person_did_and_is_in(
    tmp_path: Path, did: bool, inside: bool
) -> None:
    policy, faults = with_names(tmp_path, HISTORY)
    assert faults == []
    now = datetime(2026, 11, 20, 15, tzinfo=UTC)
    heard = [("order_completed", now - timedelta(hours=1))] if did else []
    vip = Segment("vip", lambda _: inside, "")
    context = {"history": Told(heard, now, Segments({"vip": vip}, dict))}
    assert bool(policy.suppressions[0].when(context)) is (did or inside)
    asked = policy.together["marketing", "conversion"](context)
    assert {name: bool(value) for name, value in asked.items()} == {"bought": did or inside}
    assert ("service", "service") not in policy.together


def test_a_rule_asks_for_signals_and_segments_that_there_are(tmp_path: Path) -> None:
    _, faults = with_names(
        tmp_path, HISTORY.replace("order_completed", "order_complete").replace("'vip'", "'vp'")
    )
    assert [(fault.line, fault.message, fault.remedy) for fault in faults] == [
        (
            3,
            "asks for the signal order_complete, which no mapping gives",
            "did you mean order_completed?",
        ),
        (3, "asks for the segment vp, which is not there", "did you mean vip?"),
    ]


EXPIRY = """\
[[consent_expiry]]
name = "presumed"
places = ["CA", "US-FL"]
purposes = ["marketing"]
methods = ["implied_purchase"]
after = "24mo"
source = "CASL"
[[consent_expiry]]
name = "imported"
methods = ["import"]
after = "180d"
"""


def test_consent_that_ends_of_itself_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(EXPIRY, encoding="utf-8")
    faults: list[Fault] = []
    presumed, imported = load(path, SUPPLY, (), faults).expiries
    assert faults == []
    assert (presumed.months, presumed.days, presumed.source) == (24, 0, "CASL")
    assert presumed.places == {"CA", "US-FL"}
    assert (imported.months, imported.days) == (0, 180)
    assert imported.methods == {"import"}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('after = "soon"', "after"),
        ('after = "0d"', "after"),
        ('after = "9999y"', "after"),
        ('after = "1y"\nplaces = ["Canada"]', "places"),
        ('after = "1y"\nmethods = ["Web Form"]', "methods"),
        ('after = "1y"\nmonths = 3', "months"),
    ],
)
def test_each_fault_of_an_expiry_is_named(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f'[[consent_expiry]]\nname = "x"\n{line}\n', encoding="utf-8")
    faults: list[Fault] = []
    load(path, SUPPLY, (), faults)
    assert [found.field for found in faults] == [f"consent_expiry[0].{fault}"]
