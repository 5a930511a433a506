"""Values that are made cheaply are values all the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from connector.model import Contact, Event, light


@light
@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)


def test_a_light_value_has_its_defaults_each_its_own() -> None:
    one, other = Point(1), Point(1)
    assert (one.x, one.y, one.names) == (1, 2, [])
    assert one.names is not other.names


def test_a_light_value_is_compared_replaced_and_shown_as_any_other() -> None:
    assert Point(1) == Point(1, 2) != Point(1, 3)
    assert replace(Point(1), y=5) == Point(1, 5)
    assert repr(Point(1)) == "Point(x=1, y=2, names=[])"
    assert not hasattr(Point(1), "__dict__")
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]


def test_the_nouns_hash_and_compare() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    told = [Event("evt_1", "s", "m", "track", "x", at, at, {}) for _ in range(2)]
    assert told[0] == told[1]
    assert Contact("con_1", "") == Contact("con_1", "")
