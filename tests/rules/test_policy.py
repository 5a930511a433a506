"""Every check alone, what they come to together, and what must hold whatever the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ExpressionFailed
from connector.expressions import compile_expression
from connector.model import Contact, Decision, Json, Purpose, Said, Verdict
from connector.rules import policy
from connector.rules.ages import NumberChecks
from connector.rules.hours import Hours, HoursRule
from connector.rules.policy import Cap, Facts, Policy, Rulebook, Suppression, decide
from connector.rules.policy.limits import Budget, Fatigue, Pot, Rival, Sender

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)  # Tuesday noon in New York
NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)
SEND, WAIT, STOP = Verdict.send, Verdict.wait, Verdict.stop


def row(place: str, window: tuple[int, int], max_24h: int | None = None) -> HoursRule:
    return HoursRule(
        place=place,
        marketing=(window,) * 7,
        service=((7 * 60, 22 * 60),) * 7,
        holidays=True,
        max_24h=max_24h,
        clock="",
        zones=(),
        presume_area_code=False,
        source="",
        valid_from=date(2000, 1, 1),
        confidence="choice",
    )


def hours(*rows: HoursRule) -> Hours:
    rules = {each.place: (each,) for each in rows or (row("US", (8 * 60, 21 * 60)),)}
    return Hours(rules, {}, "h1", date(2026, 11, 1))


COMPETITOR = Suppression(
    "competitor",
    compile_expression("contact.email.endswith('@rival.example')", strict=True),
    "a competitor's address",
)
POLICY = Policy(
    version="p1",
    caps=(Cap("marketing a day", Purpose.marketing, 1, DAY),),
    gap=4 * HOUR,
    suppressions=(COMPETITOR,),
    fatigue=Fatigue(6, 14 * DAY, 12),
    inactive_after=365 * DAY,
    budget=Budget(day_segments=100),
    senders=(Sender("*", day_segments=2_000),),
)
BOOK = Rulebook(POLICY, hours())


def book(*caps: Cap, **changes: Any) -> Rulebook:
    """The book with other caps and no gap, unless it is named."""
    return Rulebook(replace(POLICY, **{"caps": caps, "gap": timedelta(0), **changes}), hours())


def facts(**changes: Any) -> Facts:
    """Facts of a marketing text that nothing stands against."""
    fine = Facts(
        contact=Contact("con_1", phone="+12125550123", stage="lead", region="NY"),
        purpose=Purpose.marketing,
        scopes=("cart_reminders",),
        play="cart",
        role="conversion",
        key="cart-7",
        step="reminder",
        due_at=NOW,
        expires_at=NOW + 24 * HOUR,
        number_type="mobile",
        blocked="",
        blocked_scope="",
        consents=frozenset({"marketing", "service", "cart_reminders"}),
        said=(),
        said_to_number=(),
        context={"contact": {"email": "ann@corner.example"}},
        stages=("lead", "customer"),
        max_texts_per_key=1,
        text="Hello",
    )
    return replace(fine, **changes)


def said(
    *ages: timedelta, purpose: Purpose = Purpose.marketing, play: str = "cart"
) -> tuple[Said, ...]:
    return tuple(Said(NOW - age, purpose, play, "cart-1", "reminder") for age in ages)


def reasons(decision: Decision) -> list[str]:
    return [objection.reason for objection in decision.objections]


#: What trips each check and no other: the changes, its reason, its verdict.
TROUBLES: Mapping[str, tuple[dict[str, Any], str, Verdict]] = {
    "opted_out": ({"blocked": "reply", "blocked_scope": "all"}, "opted_out", STOP),
    "reassigned": (
        {"consents": frozenset({"service"}), "reassigned": "The number has a new owner."},
        "reassigned",
        STOP,
    ),
    "no_consent": ({"consents": frozenset({"service"})}, "no_consent", STOP),
    "on_list": ({"on_list": "partners.csv: asked by phone"}, "on_list", STOP),
    "suppressed": ({"context": {"contact": {"email": "x@rival.example"}}}, "suppressed", STOP),
    "no_mobile": ({"number_type": "fixed_line"}, "no_mobile", STOP),
    "no_route": ({"no_route": "No route takes marketing texts to FR."}, "no_route", STOP),
    "wrong_stage": ({"stages": ("customer",)}, "wrong_stage", STOP),
    "already_said": ({"texts_for_key": 1}, "already_said", STOP),
    "cart_said": ({"texts_for_cart": 1}, "already_said", STOP),
    "cart_too_old": ({"cart_at": NOW - timedelta(hours=48, seconds=1)}, "cart_too_old", STOP),
    "expired": ({"expires_at": NOW}, "expired", STOP),
    "value_missing": ({"text_fault": "contact.first_name has no value"}, "value_missing", STOP),
    "no_longer_valid": ({"not_valid": "It was valid until now."}, "no_longer_valid", STOP),
    "too_long": ({"too_long": "The text has 4 segments."}, "too_long", STOP),
    "fatigue_stop": ({"unanswered": 12}, "fatigue_stop", STOP),
    "inactive": ({"alive_at": NOW - 365 * DAY}, "inactive", STOP),
    "quiet_hours": ({}, "quiet_hours", WAIT),
    "cap_full": ({"said": said(20 * HOUR)}, "cap_full", WAIT),
    "last_place": ({"rivals": (Rival(NOW, "quote", 60),)}, "cap_full", WAIT),
    "too_soon": ({"said": said(3 * HOUR)}, "minimum_gap", WAIT),
    "fatigue_slow": (
        {"unanswered": 6, "unanswered_at": NOW - 14 * DAY + HOUR},
        "fatigue_slow",
        WAIT,
    ),
    "list_unreadable": ({"list_fault": "a.csv:3: names nobody."}, "list_unreadable", WAIT),
    "facts_old": ({"facts_old": "The CRM was never asked."}, "facts_old", WAIT),
    "number_unchecked": ({"number_unchecked": "Never looked up."}, "number_unchecked", WAIT),
    "held": ({"hold": "An unclear reply waits for a person."}, "reply_unread", WAIT),
    "clock_off": ({"clock_off": "This machine's clock is wrong."}, "clock_off", WAIT),
    "replies_unheard": ({"unheard": "The web was away."}, "replies_unheard", WAIT),
    "paused": ({"paused": "The play is paused."}, "paused", WAIT),
    "template_paused": ({"template_paused": "The text cart is paused."}, "template_paused", WAIT),
    "in_conversation": ({"talking_until": NOW + HOUR}, "in_conversation", WAIT),
    "in_another_play": ({"busy_with": "quote"}, "in_another_play", WAIT),
    "budget_spent": (
        {"pots": (Pot("budget:2026-11-17", NOW + HOUR, 90),), "segments": 1},
        "budget_spent",
        WAIT,
    ),
    "carrier_cap": (
        {"pots": (Pot("carrier:*:2026-11-17", NOW + HOUR, 1_800),), "segments": 1},
        "carrier_cap",
        WAIT,
    ),
}
#: The books under which the last ones speak alone.
BOOKS = {
    "fatigue_slow": BOOK,
    "carrier_cap": BOOK,
    "quiet_hours": Rulebook(POLICY, hours(row("US", (15 * 60, 21 * 60)))),
    "cap_full": replace(BOOK, policy=replace(POLICY, gap=timedelta(0))),
    "too_soon": replace(BOOK, policy=replace(POLICY, caps=())),
}


def test_a_text_that_nothing_stands_against_may_go() -> None:
    assert decide(facts(), BOOK, NOW) == Decision(SEND, policy_version="p1+h1")


@pytest.mark.parametrize("name", TROUBLES)
def test_each_check_alone_keeps_a_text_back(name: str) -> None:
    changes, reason, verdict = TROUBLES[name]
    decision = decide(facts(**changes), BOOKS.get(name, BOOK), NOW)
    assert (reasons(decision), decision.verdict) == ([reason], verdict)
    assert decision.objections[0].says.endswith(".") or name == "value_missing" or "suppr" in name


def test_every_check_has_its_test_above_and_stands_in_the_list_gravest_first() -> None:
    assert [check.__name__ for check in policy.CHECKS] == list(TROUBLES)


@given(st.sets(st.sampled_from(sorted(TROUBLES.keys() - BOOKS.keys() | {"cap_full"}))))
@settings(max_examples=60, deadline=None)
def test_every_objection_is_kept_stops_first_in_the_order_of_the_list(names: set[str]) -> None:
    changes: dict[str, Any] = {}
    for name in names:
        changes |= TROUBLES[name][0]
    decision = decide(facts(**changes), BOOKS["cap_full"], NOW)
    found = reasons(decision)
    if "reassigned" in names:
        names = names - {"no_consent"}  # it says why there is none
    wanted = {TROUBLES[name][1] for name in names}
    assert set(found) == wanted
    stops = [TROUBLES[name][1] for name in TROUBLES if name in names and TROUBLES[name][2] is STOP]
    assert found[: len(stops)] == stops
    worst = STOP if stops else WAIT if names else SEND
    if names != {"cap_full", "expired"}:
        assert decision.verdict is worst
    assert (decision.until is not None) == (decision.verdict is WAIT)


# -- reminders of carts, and the request of a double opt-in -------------------------------------


def test_a_reminder_may_go_until_48_hours_after_the_carts_last_change() -> None:
    assert decide(facts(cart_at=NOW - timedelta(hours=48)), BOOK, NOW).verdict is SEND


@pytest.mark.parametrize("change", [{"texts_for_cart": 3}, {"cart_at": NOW - timedelta(days=9)}])
def test_a_play_that_reminds_of_no_cart_is_not_held_to_what_carriers_say_of_carts(
    change: dict[str, Any],
) -> None:
    assert decide(facts(scopes=(), **change), BOOK, NOW).verdict is SEND


ASKS: dict[str, Any] = {"asks": True, "purpose": Purpose.system, "consents": frozenset()}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"blocked": "reply", "blocked_scope": "all"}, ""),
        ({"blocked": "provider", "blocked_scope": "all"}, "opted_out"),
        ({"on_list": "complaints"}, "on_list"),
        ({"list_fault": "no such file"}, "list_unreadable"),
        ({"number_type": "fixed_line"}, "no_mobile"),
        ({"no_route": "No route takes system texts to FR."}, "no_route"),
        ({"expires_at": NOW}, "expired"),
        ({"text_fault": "what has no value"}, "value_missing"),
        ({"paused": "Everything is paused."}, "paused"),
        ({"clock_off": "The clock is off."}, "clock_off"),
        ({"unheard": "The web was away."}, "replies_unheard"),
    ],
)
def test_a_request_for_a_yes_reaches_a_stopped_number_and_keeps_every_other_rule(
    change: dict[str, Any], reason: str
) -> None:
    assert decide(facts(**ASKS, **change), BOOK, NOW).reason == reason


# -- what objections come to -------------------------------------------------------------------


def test_the_latest_of_several_waits_holds_and_is_told_first() -> None:
    decision = decide(facts(said=said(HOUR)), BOOK, NOW)
    assert reasons(decision) == ["cap_full", "minimum_gap"]
    assert decision.until == NOW + 23 * HOUR


def test_a_wait_that_ends_after_the_text_expires_is_a_stop_for_the_same_reason() -> None:
    late = facts(said=said(HOUR), expires_at=NOW + 23 * HOUR)
    decision = decide(late, BOOK, NOW)
    assert (decision.verdict, decision.reason, decision.until) == (STOP, "cap_full", None)
    assert "not before the text expires" in decision.objections[0].says
    in_time = replace(late, expires_at=late.expires_at + timedelta(microseconds=1))
    assert decide(in_time, BOOK, NOW).verdict is WAIT


def test_a_check_that_raises_waits_for_its_cause_to_clear() -> None:
    unknown = facts(context={"contact": {}})
    decision = decide(unknown, BOOK, NOW)
    assert (decision.verdict, decision.reason) == (WAIT, "fact_missing")
    assert decision.until == NOW + policy.CHECK_AGAIN
    assert "contact.email" in decision.objections[0].says


def test_a_check_that_raises_stops_when_the_text_expires_first() -> None:
    decision = decide(facts(context={"contact": {}}, expires_at=NOW + MINUTE), BOOK, NOW)
    assert (decision.verdict, decision.reason) == (STOP, "fact_missing")


def test_a_check_that_raises_is_asked_a_last_time_just_before_the_text_expires() -> None:
    soon = facts(context={"contact": {}}, expires_at=NOW + 10 * MINUTE)
    decision = decide(soon, BOOK, NOW)
    assert (decision.verdict, decision.until) == (WAIT, NOW + 9 * MINUTE)
    assert decide(soon, BOOK, NOW + 9 * MINUTE).verdict is STOP


@pytest.mark.parametrize("check", policy.CHECKS, ids=lambda check: check.__name__)
def test_whichever_check_raises_the_text_waits_and_stops_where_it_expires_first(
    check: policy.Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(facts: Facts, book: Rulebook, now: datetime) -> None:
        raise ZeroDivisionError

    broken.__name__ = check.__name__
    checks = [broken if each is check else each for each in policy.CHECKS]
    monkeypatch.setattr("connector.rules.policy.weigh.CHECKS", checks)
    decision = decide(facts(), BOOK, NOW)
    assert (decision.verdict, decision.reason) == (WAIT, "check_failed")
    assert check.__name__ in decision.objections[0].says
    late = decide(facts(expires_at=NOW + MINUTE), BOOK, NOW)
    assert (late.verdict, late.reason) == (STOP, "check_failed")


# -- rules of the policy file ------------------------------------------------------------------


def rule(when: str, **changes: Any) -> Suppression:
    return replace(Suppression("x", compile_expression(when, strict=True), "it is so"), **changes)


def test_of_two_rules_that_are_true_the_one_that_stops_is_named() -> None:
    rules = (rule("true", name="wait", verdict=WAIT), rule("true", name="stop"))
    decision = decide(facts(), book(suppressions=rules), NOW)
    assert (decision.verdict, decision.objections[0].says) == (STOP, "stop: it is so")


def test_a_rule_that_cannot_be_asked_hides_no_rule_that_stops() -> None:
    rules = (rule("crm.open_case", name="case"), rule("true", name="stop"))
    decision = decide(facts(), book(suppressions=rules), NOW)
    assert (decision.verdict, decision.reason) == (STOP, "suppressed")
    alone = decide(facts(), book(suppressions=rules[:1]), NOW)
    assert (alone.verdict, alone.reason) == (WAIT, "fact_missing")
    assert "case: " in alone.objections[0].says


def test_a_rule_of_another_purpose_or_role_is_not_asked_at_all() -> None:
    rules = (
        rule("crm.never", purposes=("service",)),
        rule("crm.never", roles=("acquisition",)),
    )
    assert decide(facts(), book(suppressions=rules), NOW).verdict is SEND


# -- numbers and lists -------------------------------------------------------------------------


def test_numbers_of_the_internet_are_texted_only_where_the_policy_says_so() -> None:
    voip = facts(number_type="voip")
    stopped = decide(voip, BOOK, NOW)
    assert (stopped.verdict, stopped.reason) == (STOP, "no_mobile")
    assert 'voip = "allow"' in stopped.objections[0].says
    assert decide(voip, book(numbers=NumberChecks(voip=True)), NOW).verdict is SEND
    landline = facts(number_type="fixed_line")
    assert decide(landline, book(numbers=NumberChecks(voip=True)), NOW).reason == "no_mobile"


@pytest.mark.parametrize("kind", ["fixed_line", "toll_free", "invalid", "pager", "premium", ""])
def test_numbers_that_take_no_texts_are_never_texted(kind: str) -> None:
    assert decide(facts(number_type=kind), BOOK, NOW).reason == "no_mobile"


def test_a_consent_given_by_the_new_owner_counts() -> None:
    told = facts(reassigned="The number has a new owner (2026-03-01).")
    assert decide(told, BOOK, NOW).verdict is SEND
    lost = decide(replace(told, consents=frozenset({"service"})), BOOK, NOW)
    assert (lost.verdict, reasons(lost)) == (STOP, ["reassigned"])


def test_a_check_that_raises_anything_at_all_never_lets_a_text_go() -> None:
    def broken(context: Mapping[str, Json]) -> Json:
        raise ZeroDivisionError

    rule = Suppression("broken", broken, "")
    decision = decide(facts(), book(suppressions=(rule,)), NOW)
    assert (decision.verdict, decision.reason) == (WAIT, "check_failed")


def test_a_check_that_raises_hides_no_graver_objection() -> None:
    decision = decide(facts(context={"contact": {}}, blocked="x", blocked_scope="all"), BOOK, NOW)
    assert (decision.verdict, reasons(decision)) == (STOP, ["opted_out", "fact_missing"])


# -- opted out, consent, number ----------------------------------------------------------------


def test_a_stop_of_marketing_only_lets_service_texts_pass() -> None:
    stopped = facts(blocked="reply", blocked_scope="marketing", purpose=Purpose.service, scopes=())
    assert decide(stopped, BOOK, NOW).verdict is SEND
    assert decide(replace(stopped, purpose=Purpose.marketing), BOOK, NOW).reason == "opted_out"
    assert decide(replace(stopped, blocked_scope="all"), BOOK, NOW).reason == "opted_out"


def test_every_scope_that_a_play_wants_must_be_live_beside_the_purpose() -> None:
    decision = decide(facts(consents=frozenset({"marketing"})), BOOK, NOW)
    assert "cart_reminders" in decision.objections[0].says
    assert decide(facts(consents=frozenset({"cart_reminders"})), BOOK, NOW).reason == "no_consent"
    assert decide(facts(consents=frozenset({"marketing"}), scopes=()), BOOK, NOW).verdict is SEND


def test_a_service_text_needs_a_consent_of_its_own() -> None:
    service = facts(purpose=Purpose.service, scopes=(), consents=frozenset({"marketing"}))
    assert decide(service, BOOK, NOW).reason == "no_consent"


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("mobile", SEND),
        ("fixed_line_or_mobile", SEND),
        ("fixed_line", STOP),
        ("voip", STOP),
        ("toll_free", STOP),
        ("invalid", STOP),
        ("", STOP),
    ],
)
def test_only_numbers_that_can_take_texts_get_one(kind: str, verdict: Verdict) -> None:
    assert decide(facts(number_type=kind), BOOK, NOW).verdict is verdict


def test_a_contact_without_a_number_gets_none() -> None:
    decision = decide(facts(contact=Contact("con_1", stage="lead")), BOOK, NOW)
    assert "no_mobile" in reasons(decision)


def test_a_play_without_stages_is_for_every_stage() -> None:
    nobody = replace(facts().contact, stage="")
    assert decide(facts(contact=nobody, stages=()), BOOK, NOW).verdict is SEND
    assert decide(facts(contact=nobody), BOOK, NOW).reason == "wrong_stage"


def test_texts_about_one_occurrence_are_bounded_only_where_the_play_says_so() -> None:
    assert decide(facts(texts_for_key=9, max_texts_per_key=None), BOOK, NOW).verdict is SEND
    assert decide(facts(texts_for_key=1, max_texts_per_key=2), BOOK, NOW).verdict is SEND


# -- suppressions ------------------------------------------------------------------------------


def always(context: Mapping[str, Json]) -> Json:
    return True


def test_a_suppression_holds_for_its_purposes_and_roles_only() -> None:
    rule = Suppression("x", always, "", purposes=("marketing",), roles=("conversion",))
    held = book(suppressions=(rule,))
    assert decide(facts(), held, NOW).reason == "suppressed"
    assert decide(facts(role="retention"), held, NOW).verdict is SEND
    service = facts(purpose=Purpose.service, scopes=())
    assert decide(service, held, NOW).verdict is SEND


def test_a_suppression_may_only_wait() -> None:
    rule = Suppression("open deal", always, "a deal is open", verdict=Verdict.wait)
    decision = decide(facts(), book(suppressions=(rule,)), NOW)
    assert (decision.verdict, decision.until) == (WAIT, NOW + policy.CHECK_AGAIN)


def test_the_suppression_that_decided_is_named() -> None:
    decision = decide(facts(context={"contact": {"email": "x@rival.example"}}), BOOK, NOW)
    assert decision.objections[0].says == "competitor: a competitor's address"


# -- hours -------------------------------------------------------------------------------------


def test_a_text_waits_for_the_next_lawful_minute() -> None:
    at_night = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)  # 23:00 in New York
    decision = decide(facts(expires_at=at_night + DAY), BOOK, at_night)
    assert (decision.verdict, decision.reason) == (WAIT, "quiet_hours")
    assert decision.until == datetime(2026, 11, 18, 13, 0, tzinfo=UTC)


def test_service_texts_keep_the_wider_hours_of_service() -> None:
    early = datetime(2026, 11, 17, 12, 30, tzinfo=UTC)  # 07:30 in New York
    assert decide(facts(), BOOK, early).reason == "quiet_hours"
    assert decide(facts(purpose=Purpose.service, scopes=()), BOOK, early).verdict is SEND


def test_the_margin_of_the_window_is_the_operators() -> None:
    late = datetime(2026, 11, 18, 1, 50, tzinfo=UTC)  # 20:50 in New York
    wanted = facts(expires_at=late + DAY)
    assert decide(wanted, BOOK, late).reason == "quiet_hours"
    assert decide(wanted, book(window_margin=timedelta(minutes=5)), late).verdict is SEND


def test_a_country_without_hours_is_closed_for_good() -> None:
    berlin = facts(contact=Contact("con_1", phone="+4915112345678", stage="lead"))
    decision = decide(berlin, BOOK, NOW)
    assert (decision.verdict, decision.reason) == (STOP, "country_closed")


def test_where_no_instant_of_the_next_days_suits_the_text_is_dropped() -> None:
    never = Rulebook(POLICY, hours(replace(row("US", (0, 1440)), marketing=(None,) * 7)))
    decision = decide(facts(), never, NOW)
    assert (decision.verdict, decision.reason) == (STOP, "quiet_hours")


# -- caps --------------------------------------------------------------------------------------

ONE_A_DAY = Cap("one a day", Purpose.marketing, 1, DAY)
THREE = Cap("three a week", Purpose.marketing, 3, timedelta(days=7))


def test_a_cap_has_room_again_exactly_when_the_oldest_that_fills_it_leaves_the_window() -> None:
    texts = said(HOUR, 2 * DAY, 3 * DAY, 4 * DAY)
    decision = decide(facts(said=texts, expires_at=NOW + 9 * DAY), book(THREE), NOW)
    assert decision.until == NOW - 3 * DAY + timedelta(days=7)


def test_a_text_counts_for_24_hours_to_the_microsecond() -> None:
    tick = timedelta(microseconds=1)
    assert decide(facts(said=said(DAY)), book(ONE_A_DAY), NOW).verdict is SEND
    decision = decide(facts(said=said(DAY - tick)), book(ONE_A_DAY), NOW)
    assert (decision.verdict, decision.until) == (WAIT, NOW + tick)


@pytest.mark.parametrize(
    "night",
    [datetime(2026, 11, 1, 12, 0, tzinfo=NEW_YORK), datetime(2026, 3, 8, 12, 0, tzinfo=NEW_YORK)],
)
def test_a_day_is_24_real_hours_through_a_change_of_clocks(night: datetime) -> None:
    sent = (night - DAY).astimezone(UTC)  # the same wall clock the day before: 25 or 23 hours ago
    real = sent + DAY
    texts = (Said(sent, Purpose.marketing, "cart", "", ""),)
    wanted = facts(said=texts, expires_at=real + DAY)
    assert decide(wanted, book(ONE_A_DAY), real - MINUTE).until == real
    assert decide(wanted, book(ONE_A_DAY), real).verdict is SEND


def test_the_fuller_of_person_and_number_decides() -> None:
    for texts in ({"said": said(HOUR)}, {"said_to_number": said(HOUR)}):
        assert decide(facts(**texts), book(ONE_A_DAY), NOW).reason == "cap_full"
    both = facts(said=said(5 * HOUR), said_to_number=said(2 * HOUR))
    assert decide(both, book(ONE_A_DAY), NOW).until == NOW + 22 * HOUR


def test_service_texts_and_marketing_texts_do_not_fill_each_others_caps() -> None:
    service_cap = Cap("service", Purpose.service, 2, DAY)
    caps = book(ONE_A_DAY, service_cap)
    chatter = said(HOUR, 2 * HOUR, purpose=Purpose.service)
    assert decide(facts(said=chatter), caps, NOW).verdict is SEND
    service = facts(purpose=Purpose.service, scopes=(), said=said(HOUR))
    assert decide(service, caps, NOW).verdict is SEND
    assert decide(replace(service, said=chatter), caps, NOW).reason == "cap_full"


def test_the_gap_holds_marketing_only_and_counts_marketing_only() -> None:
    service = facts(purpose=Purpose.service, scopes=(), said=said(MINUTE))
    assert decide(service, BOOK, NOW).verdict is SEND
    chatter = facts(said=said(MINUTE, purpose=Purpose.service))
    assert decide(chatter, BOOK, NOW).verdict is SEND
    gap_only = book(gap=4 * HOUR)
    assert decide(facts(said_to_number=said(HOUR)), gap_only, NOW).until == NOW + 3 * HOUR
    assert decide(facts(said=said(4 * HOUR)), gap_only, NOW).verdict is SEND


def test_a_cap_may_be_for_one_play_or_for_each_play_by_itself() -> None:
    other = said(HOUR, play="welcome")
    own = said(HOUR, play="cart")
    for play in ("cart", "*"):
        cap = replace(ONE_A_DAY, play=play)
        assert decide(facts(said=other), book(cap), NOW).verdict is SEND
        assert decide(facts(said=own), book(cap), NOW).reason == "cap_full"
    assert decide(facts(said=own), book(replace(ONE_A_DAY, play="welcome")), NOW).verdict is SEND


def test_a_cap_of_none_is_always_full() -> None:
    assert decide(facts(), book(replace(ONE_A_DAY, count=0)), NOW).reason == "cap_full"


def test_the_law_may_cap_marketing_too_whatever_the_play() -> None:
    lawful = Rulebook(
        replace(POLICY, caps=(), gap=timedelta(0)),
        hours(row("US", (0, 1440)), row("US-NY", (0, 1440), max_24h=3)),
    )
    texts = said(HOUR, 2 * HOUR, play="a") + said(3 * HOUR, play="b")
    decision = decide(facts(said_to_number=texts), lawful, NOW)
    assert (decision.reason, decision.until) == ("cap_full", NOW + 21 * HOUR)
    assert "law of US-NY" in decision.objections[0].says
    assert decide(facts(said_to_number=texts[1:]), lawful, NOW).verdict is SEND
    service = facts(purpose=Purpose.service, scopes=(), said_to_number=texts)
    assert decide(service, lawful, NOW).verdict is SEND


@given(
    st.lists(st.integers(0, 14 * 24 * 60), max_size=12),
    st.integers(1, 5),
    st.integers(1, 7 * 24),
)
@settings(max_examples=150, deadline=None)
def test_a_capped_text_may_go_at_the_told_instant_and_not_before(
    ages: list[int], count: int, hours_: int
) -> None:
    cap = Cap("any", Purpose.marketing, count, hours_ * HOUR)
    texts = said(*(age * MINUTE for age in ages))
    wanted = facts(said=texts, expires_at=NOW + timedelta(days=365))
    always_open = Rulebook(
        replace(POLICY, caps=(cap,), gap=timedelta(0)), hours(row("US", (0, 1440)))
    )
    decision = decide(wanted, always_open, NOW)
    inside = [age for age in ages if age * MINUTE < cap.per]
    assert (decision.verdict is SEND) == (len(inside) < count)
    if decision.until:
        assert decide(wanted, always_open, decision.until).verdict is SEND
        assert decide(wanted, always_open, decision.until - MINUTE).verdict is WAIT


# -- held, system ------------------------------------------------------------------------------


def test_an_unread_reply_holds_marketing_and_lets_service_go_on() -> None:
    service = facts(purpose=Purpose.service, scopes=(), hold="unclear")
    assert decide(service, BOOK, NOW).verdict is SEND


def test_our_own_answer_passes_a_stop_quiet_hours_and_full_caps() -> None:
    at_night = datetime(2026, 11, 18, 6, 0, tzinfo=UTC)
    answer = facts(
        purpose=Purpose.system,
        blocked="reply",
        blocked_scope="all",
        consents=frozenset(),
        said=said(MINUTE),
        hold="unclear",
        stages=("customer",),
        expires_at=at_night + MINUTE,
    )
    assert decide(answer, BOOK, at_night).verdict is SEND


@pytest.mark.parametrize("name", ["no_mobile", "no_route", "expired", "value_missing"])
def test_our_own_answer_still_needs_a_number_its_time_and_all_its_words(name: str) -> None:
    changes, reason, _ = TROUBLES[name]
    decision = decide(facts(purpose=Purpose.system, **changes), BOOK, NOW)
    assert (decision.verdict, decision.reason) == (STOP, reason)


def test_the_checks_of_our_own_answers_are_these_and_no_others() -> None:
    names = [check.__name__ for check in policy.SYSTEM_CHECKS]
    assert names == ["no_mobile", "no_route", "expired", "value_missing", "paused"]


def test_an_expression_failure_keeps_its_code() -> None:
    def missing(context: Mapping[str, Json]) -> Json:
        raise ExpressionFailed("crm.owner has no value", "fact_missing")

    decision = decide(facts(), book(suppressions=(Suppression("x", missing, ""),)), NOW)
    assert decision.reason == "fact_missing"
