"""Alarms become few messages, and none of them tells a whole number."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.alerts import HOUR, TOGETHER, body, masked, notices

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


def row(n: int = 1, **more: Any) -> dict[str, Any]:
    return {
        **{"id": f"alm_{n}", "kind": "check_failed", "about": f"check={n}", "says": "It failed."},
        **{"count": 1, "at": "2026-11-17T11:59:00Z", "last_at": "2026-11-17T12:00:00Z"},
        **{"cleared_at": None, **more},
    }


def test_one_alarm_is_one_message_with_what_to_do() -> None:
    [notice] = notices([row(count=17)], [], 12, "Corner Shop", NOW)
    assert notice.subject == "[Corner Shop] check_failed (check=1)"
    assert notice.text == "It failed. (17 times since 2026-11-17T11:59Z)"


def test_many_at_once_are_one_digest() -> None:
    rows = [row(n) for n in range(TOGETHER + 1)]
    [notice] = notices(rows, [], 12, "B", NOW)
    assert notice.subject == "[B] 6 alarms"
    assert notice.text.count("It failed.") == TOGETHER + 1
    assert len(notices(rows[:TOGETHER], [], 12, "B", NOW)) == TOGETHER


def test_the_last_place_of_an_hour_is_a_digest_and_after_it_there_is_silence() -> None:
    sent = [NOW - timedelta(minutes=n) for n in range(3)]
    assert len(notices([row(1), row(2)], sent, 5, "B", NOW)) == 2
    assert len(notices([row(1), row(2)], sent, 4, "B", NOW)) == 1
    assert notices([row(1), row(2)], sent, 3, "B", NOW) == []
    assert notices([row(1)], [NOW - HOUR], 1, "B", NOW) != []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=60), st.integers(1, 6))
def test_no_hour_ever_has_more_messages_than_are_allowed(
    steps: list[tuple[int, int]], hourly: int
) -> None:
    now, sent, left = NOW, list[datetime](), 0
    for raised, minutes in steps:
        now += timedelta(minutes=minutes)
        left += raised
        found = notices([row(n) for n in range(left)], sent, hourly, "B", now)
        told = sum(len(notice.alarms) for notice in found)
        assert told in (0, left), "all that wait are told, or none"
        left -= told
        sent += [now] * len(found)
    for at in sent:
        assert sum(at - HOUR < other <= at for other in sent) <= hourly


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to +12025550123 now", "+1202"),
        ("(12025550123)", "1202"),
        ("snd_019e5c3f0011223344556", "snd_019e5c3f0011223344556"),
        ("since 2026-11-17T11:59Z", "since 2026-11-17T11:59Z"),
        ("error 30007 ms=212", "error 30007 ms=212"),
    ],
)
def test_no_whole_number_is_told(text: str, told: str) -> None:
    assert "2025550123" not in masked(text)
    if told == text:
        assert masked(text) == text


def test_a_program_is_told_the_same_in_fields() -> None:
    [notice] = notices([row(says="See +12025550123.", count=3)], [], 12, "B", NOW)
    told = body(notice)
    assert told["text"].startswith("[B] check_failed (check=1)\n")
    [alarm] = told["alarms"]
    assert (alarm["kind"], alarm["count"]) == ("check_failed", 3)
    assert "2025550123" not in json.dumps(told)
