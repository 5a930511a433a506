"""What starts a play is read too: whether it shows intent, whom it is for, how often it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from connector.model import Purpose
from connector.rules.copy.starts import REASONS, WEAK, start_findings, too_often
from connector.rules.plays import (
    Date,
    Edge,
    FanOut,
    Goal,
    Mode,
    Once,
    Play,
    Role,
    Schedule,
    Silence,
    Start,
    Step,
)

DAY = timedelta(days=1)
STRONG = (
    *("cart_updated", "checkout_started", "form_started", "pricing_viewed", "quote_started"),
    *("booking_started", "trial_started", "plan_changed", "order_completed", "signed_up"),
    *("video_finished", "demo_requested", "wishlist_added", "coupon_entered", "search_empty"),
    *("lesson_finished", "feature_used", "review_left", "invoice_viewed", "referral_sent"),
)
MORE_WEAK = (*sorted(WEAK), *sorted(WEAK))


def yes(context: Mapping[str, Any]) -> bool:
    return True


def play(start: Start, **changes: Any) -> Play:
    made = Play(
        name="p",
        version="v",
        description="",
        role=Role.conversion,
        purpose=Purpose.marketing,
        scopes=(),
        start=start,
        audience=yes,
        steps=(Step("s", template="t"),),
        goal=Goal("order_completed", 7 * DAY),
        exits=(),
        stages=(),
    )
    return replace(made, **changes)


def codes(found: Play) -> set[str]:
    return {item.code for item in start_findings(found)}


SAFE: dict[str, Any] = {"cooldown": 30 * DAY}
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"where": yes},
    {"count": 2, "within": DAY},
    {"first": True},
    {"after": DAY, "unless": ("order_completed",)},
)
OTHER_KINDS = (
    Start(silence=Silence(7 * DAY)),
    Start(date=Date("contact.birthday", yearly=True)),
    Start(edge=Edge("high_intent", True)),
    Start(schedule=Schedule("0 10 * * MON", "UTC", "leads")),
)
BAD: dict[str, list[Play]] = {
    "no_condition": [play(Start(name, **SAFE), audience=None) for name in STRONG],
    "no_audience": [
        *(play(Start(name, where=yes, **SAFE), audience=None) for name in STRONG[:16]),
        *(play(Start(silence=Silence(n * DAY)), audience=None) for n in range(1, 5)),
    ],
    "no_goal": [play(Start(name, where=yes, **SAFE), goal=None) for name in STRONG],
    "no_cooldown": [
        *(play(Start(name, where=yes)) for name in STRONG[:16]),
        play(Start(silence=Silence(7 * DAY))),
        play(Start(edge=Edge("high_intent", True))),
        play(Start("back_in_stock", fan_out=FanOut(("product_viewed",)))),
        play(Start("form_started", after=DAY, unless=("form_submitted",))),
    ],
    "weak_signal": [play(Start(name, **SAFE)) for name in MORE_WEAK],
}
GOOD: dict[str, list[Play]] = {
    "no_condition": [
        *(play(Start(n, **SAFE, **c), audience=None) for n, c in product(STRONG[:4], CONDITIONS)),
        *(play(start, audience=None) for start in OTHER_KINDS),
    ],
    "no_audience": [
        *(play(Start(name, **SAFE)) for name in STRONG[:8]),
        *(play(Start(name, **SAFE), audience=None, stages=("lead",)) for name in STRONG[:8]),
        *(play(start, audience=None) for start in OTHER_KINDS[2:]),
        play(Start("storm", fan_out=FanOut(segment="north")), audience=None),
        play(Start(), audience=None),
    ],
    "no_goal": [
        *(play(Start(name, **SAFE)) for name in STRONG[:10]),
        *(play(Start(n), purpose=Purpose.service, goal=None) for n in STRONG[:10]),
    ],
    "no_cooldown": [
        *(play(Start(name, **SAFE)) for name in STRONG[:8]),
        *(play(Start(name, once=Once.contact)) for name in STRONG[:6]),
        *(play(Start(name, first=True)) for name in STRONG[:4]),
        play(Start(date=Date("contact.birthday", yearly=True))),
        play(Start("appointment_booked", date=Date("signal.starts_at"))),
    ],
    "weak_signal": [
        *(play(Start(name, **SAFE)) for name in STRONG[:10]),
        *(play(Start(name, count=3, within=DAY, **SAFE)) for name in sorted(WEAK)[:5]),
        *(play(Start(name, where=yes, **SAFE)) for name in sorted(WEAK)[5:]),
    ],
}


@pytest.mark.parametrize("code", BAD)
def test_a_rule_on_starts_finds_what_it_is_for_and_nothing_else(code: str) -> None:
    assert len(BAD[code]) >= 20 and len(GOOD[code]) >= 20
    assert [code in codes(item) for item in BAD[code]] == [True] * len(BAD[code])
    assert [code in codes(item) for item in GOOD[code]] == [False] * len(GOOD[code])


@pytest.mark.parametrize("number", range(20))
def test_a_play_that_starts_for_a_fifth_of_all_is_asked_about(number: int) -> None:
    active = 100 + 37 * number
    made = play(Start("cart_updated", **SAFE))
    many, few = int(active * 0.2) + 1 + number, int(active * 0.2) - number % 10
    found = too_often(made, many, active)
    assert found is not None and f"{many:,} of {active:,}" in found.says
    assert too_often(made, few, active) is None
    assert too_often(replace(made, allowed={"starts_too_often": "why"}), many, active) is None


def test_every_start_rule_has_a_reason_and_a_remedy() -> None:
    assert set(REASONS) == {*BAD, "starts_too_often"}


def test_a_finding_on_a_start_is_silenced_with_a_reason_and_a_play_that_is_off_is_left_alone() -> (
    None
):
    bare = play(Start("page_viewed"), audience=None, goal=None)
    assert codes(bare) == {"no_condition", "no_audience", "no_goal", "no_cooldown", "weak_signal"}
    assert codes(replace(bare, allowed=dict.fromkeys(BAD, "a test"))) == set()
    assert codes(replace(bare, mode=Mode.off)) == set()
