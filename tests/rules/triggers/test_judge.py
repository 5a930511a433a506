"""When a signal opens, re-arms or ends a way through a play, and who is held out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.expressions import compile_expression
from connector.model import Decision, Json, Purpose, Verdict
from connector.rules import triggers
from connector.rules.plays import Goal, Mode, Once, Play, Restart, Role, Start, Step
from connector.rules.triggers import STALE, Standing

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def when(source: str) -> Any:
    return compile_expression(source, strict=True)


def play(*, start: Mapping[str, Any] | None = None, **changes: Any) -> Play:
    """A cart play; ``start`` changes its ``[start]`` table."""
    made = Play(
        name="cart",
        version="v1",
        description="",
        role=Role.conversion,
        purpose=Purpose.marketing,
        scopes=(),
        start=Start("cart_updated", after=HOUR, unless=("order_completed",), **(start or {})),
        audience=None,
        steps=(Step("reminder", template="cart"),),
        goal=Goal("order_completed", 7 * DAY),
        exits=("unsubscribed",),
        stages=(),
    )
    return replace(made, **changes)


def judge(
    wanted: Play | None = None,
    standing: Standing | None = None,
    *,
    at: datetime = NOW,
    stage: str = "",
    back_fill: bool = False,
    context: Mapping[str, Json] | None = None,
    now: datetime = NOW,
) -> Decision:
    start = triggers.Start(at, stage, back_fill, context or {})
    return triggers.judge(wanted or play(), start, standing or Standing(), now)


def reasons(decision: Decision) -> list[str]:
    return [objection.reason for objection in decision.objections]


# -- does the signal match ---------------------------------------------------------------------


def test_a_play_without_a_condition_matches_every_such_signal() -> None:
    assert triggers.matches(play(), {})


def test_a_condition_reads_the_signals_facts() -> None:
    dear = play(start={"where": when("signal.value >= 20")})
    assert triggers.matches(dear, {"signal": {"value": 20}})
    assert not triggers.matches(dear, {"signal": {"value": 19.99}})


def test_a_play_that_is_off_matches_nothing() -> None:
    assert not triggers.matches(play(mode=Mode.off), {})
    assert triggers.matches(play(mode=Mode.shadow), {})


# -- which occurrence --------------------------------------------------------------------------


def test_the_occurrence_is_the_plays_key_else_the_signals_else_the_signal_itself() -> None:
    keyed = play(start={"key": when("signal.cart_id")})
    assert triggers.occurrence(keyed, "k", "sig_1", {"signal": {"cart_id": "c-7"}}) == "c-7"
    assert triggers.occurrence(play(), "k", "sig_1", {}) == "k"
    assert triggers.occurrence(play(), "", "sig_1", {}) == "sig_1"


def test_an_empty_key_is_no_key_that_strangers_would_share() -> None:
    keyed = play(start={"key": when("signal.cart_id")})
    for nothing in ("", None):
        found = triggers.occurrence(keyed, "", "sig_1", {"signal": {"cart_id": nothing}})
        assert found == "sig_1"
    assert triggers.occurrence(keyed, "", "sig_1", {"signal": {"cart_id": 0}}) == "0"


def test_once_a_contact_is_one_occurrence_for_good() -> None:
    once = play(start={"once": Once.contact})
    assert {triggers.occurrence(once, key, key, {}) for key in "abc"} == {"once"}


def test_a_very_long_key_is_cut() -> None:
    assert len(triggers.occurrence(play(), "k" * 999, "sig_1", {})) == 200


# -- whether it enrols -------------------------------------------------------------------------


def test_a_fresh_start_enrols() -> None:
    decision = judge()
    assert decision == Decision(Verdict.send, policy_version="v1")


def test_imports_and_back_fills_never_enrol() -> None:
    assert reasons(judge(back_fill=True)) == ["back_fill"]


def test_a_start_heard_more_than_48_hours_late_is_stale() -> None:
    assert judge(at=NOW - STALE).verdict is Verdict.send
    late = judge(at=NOW - STALE - timedelta(microseconds=1))
    assert (late.verdict, reasons(late)) == (Verdict.stop, ["stale_start"])
    assert timedelta(hours=48) == STALE


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("waiting", "already_waiting"),
        ("walking", "already_enrolled"),
        ("done", "already_enrolled"),
        ("ended", "already_enrolled"),
    ],
)
def test_one_occurrence_is_walked_once(state: str, reason: str) -> None:
    assert reasons(judge(standing=Standing(same_state=state))) == [reason]


def test_what_ended_the_wait_counts_even_when_it_was_heard_first() -> None:
    decision = judge(standing=Standing(over=("order_completed",)))
    assert reasons(decision) == ["already_over"]
    assert "order_completed" in decision.objections[0].says


def test_a_cooldown_counts_from_the_last_enrolling_start_to_this_one() -> None:
    calm = play(start={"cooldown": 7 * DAY})
    for age, enrols in ((7 * DAY, True), (7 * DAY - MINUTE, False), (MINUTE, False)):
        decision = judge(calm, Standing(last_start=NOW - age))
        assert (decision.verdict is Verdict.send) is enrols
    assert reasons(judge(calm, Standing(last_start=NOW))) == ["cooldown"]
    assert judge(calm, Standing()).verdict is Verdict.send
    assert judge(play(), Standing(last_start=NOW)).verdict is Verdict.send


def test_a_cooldown_holds_for_a_late_event_too() -> None:
    calm = play(start={"cooldown": DAY})
    late = judge(calm, Standing(last_start=NOW), at=NOW - HOUR)
    assert reasons(late) == ["cooldown"]


def test_a_late_event_from_before_the_cooldown_enrols_as_if_it_had_come_in_time() -> None:
    calm = play(start={"cooldown": HOUR})
    assert judge(calm, Standing(last_start=NOW), at=NOW - 2 * HOUR).verdict is Verdict.send


def test_a_play_for_some_stages_enrols_no_other() -> None:
    leads = play(stages=("lead", "qualified"))
    assert judge(leads, stage="lead").verdict is Verdict.send
    assert reasons(judge(leads, stage="customer")) == ["wrong_stage"]
    assert reasons(judge(leads)) == ["wrong_stage"]


def test_an_audience_is_asked_and_what_it_cannot_know_is_no_yes() -> None:
    rich = play(audience=when("contact.orders > 2"))
    assert judge(rich, context={"contact": {"orders": 3}}).verdict is Verdict.send
    assert reasons(judge(rich, context={"contact": {"orders": 2}})) == ["audience"]
    assert reasons(judge(rich, context={"contact": {}})) == ["fact_missing"]


def test_every_reason_against_is_told() -> None:
    wanted = play(start={"cooldown": DAY}, stages=("lead",), audience=when("false"))
    decision = judge(
        wanted,
        Standing("waiting", NOW, ("unsubscribed",)),
        at=NOW - 3 * DAY + timedelta(hours=49),
        back_fill=True,
        now=NOW + 3 * DAY,
    )
    assert reasons(decision) == [
        "back_fill",
        "stale_start",
        "already_waiting",
        "already_over",
        "cooldown",
        "wrong_stage",
        "audience",
    ]
    assert decision.verdict is Verdict.stop
    assert all(each.verdict is Verdict.stop for each in decision.objections)


# -- re-arming ---------------------------------------------------------------------------------

REARM = play(start={"restart": Restart.rearm, "cooldown": DAY})


def test_the_same_start_while_waiting_starts_the_timer_anew_where_the_play_says_so() -> None:
    refused = judge(REARM, Standing("waiting", NOW - MINUTE))
    assert reasons(refused) == ["already_waiting", "cooldown"]
    assert triggers.rearms(REARM, refused, NOW, NOW - MINUTE)
    assert not triggers.rearms(play(), refused, NOW, NOW - MINUTE)


def test_an_earlier_start_that_is_heard_later_does_not_turn_the_timer_back() -> None:
    refused = judge(REARM, Standing("waiting", NOW))
    assert not triggers.rearms(REARM, refused, NOW - MINUTE, NOW)
    assert not triggers.rearms(REARM, refused, NOW, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"back_fill": True},
        {"at": NOW - 3 * DAY},
        {"standing": Standing("walking", NOW - MINUTE)},
        {"standing": Standing("", NOW - MINUTE)},
        {"standing": Standing("waiting", NOW - MINUTE, ("order_completed",))},
    ],
)
def test_nothing_is_rearmed_by_a_start_that_is_refused_for_another_reason(
    changes: dict[str, Any],
) -> None:
    changes = {"standing": Standing("waiting", NOW - 9 * DAY), **changes}
    refused = judge(REARM, **changes)
    assert not triggers.rearms(REARM, refused, changes.get("at", NOW), NOW - 9 * DAY)


# -- ends and goals ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "state", "reason"),
    [
        ("order_completed", "waiting", "unless:order_completed"),
        ("order_completed", "walking", ""),
        ("unsubscribed", "waiting", "exit:unsubscribed"),
        ("unsubscribed", "walking", "exit:unsubscribed"),
        ("unsubscribed", "done", ""),
        ("page_viewed", "waiting", ""),
    ],
)
def test_what_ends_a_way_through_a_play(signal: str, state: str, reason: str) -> None:
    assert triggers.ends(play(), signal, state) == reason


def test_a_goal_is_a_conversion_only_after_a_text_and_within_its_window() -> None:
    until = NOW + 7 * DAY
    assert triggers.goal_kind(NOW, None, None) == "goal_before_text"
    assert triggers.goal_kind(NOW, NOW, until) == "goal_before_text"
    assert triggers.goal_kind(NOW - HOUR, NOW, until) == "goal_before_text"
    assert triggers.goal_kind(NOW + MINUTE, NOW, until) == "converted"
    assert triggers.goal_kind(until, NOW, until) == "converted"
    assert triggers.goal_kind(until + MINUTE, NOW, until) == ""


# -- holdouts ----------------------------------------------------------------------------------


def test_a_persons_place_in_an_experiment_never_changes() -> None:
    assert triggers.share("salt", "play:cart", "con_1") == triggers.share(
        "salt", "play:cart", "con_1"
    )
    assert triggers.share("salt", "play:cart", "con_1") == 0.2063


def test_places_are_spread_evenly_so_that_a_share_is_a_share() -> None:
    places = [triggers.share("salt", "play:cart", f"con_{n}") for n in range(20_000)]
    assert all(0 <= place < 1 for place in places)
    for share in (0.05, 0.25, 0.5, 0.9):
        held = sum(place < share for place in places) / len(places)
        assert abs(held - share) < 4 * (share * (1 - share) / len(places)) ** 0.5


def test_experiments_and_companies_split_their_people_independently() -> None:
    people = [f"con_{n}" for n in range(20_000)]

    def held(salt: str, experiment: str) -> set[str]:
        return {who for who in people if triggers.share(salt, experiment, who) < 0.1}

    one = held("salt", "play:cart")
    for other in (held("salt", "play:welcome"), held("other salt", "play:cart")):
        both = len(one & other) / len(people)
        assert abs(both - 0.01) < 0.003, "a tenth of a tenth"
