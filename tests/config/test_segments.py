"""Segments files: read as they are meant, names and circles looked after, faults at their lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.config.segments import load_segments
from connector.config.supply import Supply
from connector.errors import ExpressionFailed, Fault
from connector.rules.history import Segments, Told
from connector.rules.plays import Segment

SHIPPED = Path(__file__).parents[2] / "mappings" / "segments.toml"
SUPPLY = Supply(
    signals={"order_completed": frozenset(), "pricing_viewed": frozenset()},
    traits=frozenset({"vip"}),
    crm=frozenset({"owner"}),
)
FILE = """\
[[segments]]
name = "buyers"
description = "Has bought of late"
when = "did('order_completed', within='30d')"
[[segments]]
name = "vip_buyers"
when = "in_segment('buyers') and contact.vip | default(false) and days_since(first_seen) > 7"
"""
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def read(folder: Path, text: str, supply: Supply = SUPPLY) -> tuple[dict[str, Segment], list[str]]:
    path = folder / "segments.toml"
    path.write_text(text, "utf-8")
    faults: list[Fault] = []
    found = load_segments(path, supply, faults)
    told = [f"{fault.line}: {fault.field} {fault.message}; {fault.remedy}" for fault in faults]
    return found, told


def one(folder: Path, when: str) -> list[str]:
    """The faults of a condition."""
    return read(folder, f'[[segments]]\nname = "a"\nwhen = """{when}"""\n')[1]


def test_no_file_is_no_fault_and_no_segment(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert load_segments(tmp_path / "segments.toml", SUPPLY, faults) == {}
    assert faults == []


def test_segments_are_read_with_all_that_they_read(tmp_path: Path) -> None:
    found, faults = read(tmp_path, FILE)
    assert faults == []
    assert list(found) == ["buyers", "vip_buyers"]
    buyers, vips = found.values()
    assert (buyers.description, vips.description) == ("Has bought of late", "")
    assert buyers.source == "did('order_completed', within='30d')"
    assert buyers.signals == {"order_completed"}
    assert not buyers.paths
    assert vips.signals == {"order_completed"}  # by way of the other
    assert vips.paths == {"contact.vip", "first_seen", "now"}


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (
            "did('order_complete')",
            "3: segments[0].when asks for the signal order_complete, which no mapping gives; "
            "did you mean order_completed?",
        ),
        (
            "in_segment('b')",
            "3: segments[0].when asks for the segment b, which is not there; there is a",
        ),
        (
            "contact.vipp",
            "3: segments[0].when reads contact.vipp, which nothing supplies; "
            "did you mean contact.vip?",
        ),
        (
            "crm.owne == 'x'",
            "3: segments[0].when reads crm.owne, which nothing supplies; did you mean crm.owner?",
        ),
        (
            "signal.value > 3",
            "3: segments[0].when reads signal.value, which nothing supplies; "
            "there is contact, crm, first_seen, last_seen, now",
        ),
        (
            "history == 1",
            "3: segments[0].when reads history, which nothing supplies; "
            "there is contact, crm, first_seen, last_seen, now",
        ),
        (
            "dit('a')",
            "3: segments[0].when cannot be understood: column 1: there is no function dit(); "
            "did you mean did()?; mend the expression",
        ),
        ("in_segment('a')", "3: segments[0].when asks for itself; break the circle"),
    ],
)
def test_what_nothing_supplies_is_told_with_the_nearest_name(
    tmp_path: Path, when: str, told: str
) -> None:
    assert one(tmp_path, when) == [told]


def test_replies_and_clicks_need_no_mapping(tmp_path: Path) -> None:
    assert one(tmp_path, "did('reply', within='30d') or count('click') > 1") == []


def test_where_a_mapping_is_broken_no_name_is_a_fault(tmp_path: Path) -> None:
    broken = Supply(complete=False)
    assert read(tmp_path, FILE.replace("order_completed", "anything"), broken)[1] == []


def test_segments_may_use_each_other_but_not_in_a_circle(tmp_path: Path) -> None:
    asks = {"a": "b", "b": "c", "c": "a", "d": "a", "e": "f"}
    tables = [
        f"[[segments]]\nname = '{of}'\nwhen = \"in_segment('{by}')\"" for of, by in asks.items()
    ]
    found, faults = read(tmp_path, "\n".join([*tables, "[[segments]]\nname='f'\nwhen='true'"]))
    assert faults == [
        "3: segments[0].when asks for itself, by way of b and c; break the circle",
        "6: segments[1].when asks for itself, by way of a and c; break the circle",
        "9: segments[2].when asks for itself, by way of a and b; break the circle",
    ]
    assert set(found) == set("abcdef")


def test_faults_stand_at_their_lines(tmp_path: Path) -> None:
    content = """
[[segments]]
name = "a"
wen = "true"
[[segments]]
name = "Big Spender"
when = "true"
[[segments]]
when = "true"
[[segments]]
name = "b"
when = "true"
[[segments]]
name = "b"
when = "false"
[[segments]]
name = "c"
when = 3
[segment]
"""
    faults = [fault.partition(";")[0] for fault in read(tmp_path, content)[1]]
    assert faults == [
        "2: segments[0].when is missing",
        "4: segments[0].wen is not known here",
        "6: segments[1].name is 'Big Spender'",
        "8: segments[2].name is missing",
        "14: segments[4].name is 'b' again",
        "18: segments[5].when is 3, not a text in quotes",
        "19: segment is not known here",
    ]


def test_a_file_that_is_no_toml_is_one_fault(tmp_path: Path) -> None:
    found, faults = read(tmp_path, "[[segments]\n")
    assert found == {}
    assert len(faults) == 1


# The segments that ship


def shipped() -> dict[str, Segment]:
    """The shipped segments, as a folder without any mapping would read them."""
    faults: list[Fault] = []
    found = load_segments(SHIPPED, Supply(complete=False), faults)
    assert faults == []
    return found


def inside(**signals: list[float]) -> set[str]:
    """The shipped segments that somebody is in: signal → how many days ago."""
    return within(stage="lead", seen=1, first=20, signals=signals)


def within(*, stage: str, seen: float, first: float, signals: dict[str, list[float]]) -> set[str]:
    known = shipped()
    times = [(name, NOON - timedelta(days=ago)) for name in signals for ago in signals[name]]
    context: dict[str, Any] = {
        "contact": {"stage": stage},
        "crm": {},
        "now": NOON.isoformat(),
        "first_seen": (NOON - timedelta(days=first)).isoformat(),
        "last_seen": (NOON - timedelta(days=seen)).isoformat(),
    }
    context["history"] = Told(times, NOON, Segments(known, lambda: context))
    return {name for name in known if _holds(context, name)}


def _holds(context: dict[str, Any], name: str) -> bool:
    try:
        return bool(context["history"].in_segment(name))
    except ExpressionFailed:
        return False


def test_who_looks_again_and_again_has_high_intent_until_the_order() -> None:
    assert "high_intent" in inside(pricing_viewed=[1, 3])
    assert "high_intent" not in inside(pricing_viewed=[1, 8])
    assert "high_intent" not in inside(pricing_viewed=[1, 3], order_completed=[0.5])


def test_the_first_order_makes_a_first_time_buyer_and_the_second_a_repeat_customer() -> None:
    assert inside(order_completed=[2]) & {"first_time_buyer", "repeat_customer"} == {
        "first_time_buyer"
    }
    assert inside(order_completed=[2, 9]) & {"first_time_buyer", "repeat_customer"} == {
        "repeat_customer"
    }


def test_a_lead_not_heard_of_is_inactive() -> None:
    assert "inactive_lead" in within(stage="lead", seen=15, first=40, signals={})
    assert "inactive_lead" not in within(stage="lead", seen=3, first=40, signals={})
    assert "inactive_lead" not in within(stage="customer", seen=15, first=40, signals={})


def test_the_first_seven_days_end() -> None:
    assert "first_seven_days" in within(stage="lead", seen=1, first=6.9, signals={})
    assert "first_seven_days" not in within(stage="lead", seen=1, first=7, signals={})
