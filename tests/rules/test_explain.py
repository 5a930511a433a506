"""Explaining: a chain as plain lines, masked, bounded, and saying where it stopped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules import explain

PHONE = "+14155550123"


def t(clock: str, day: int = 20) -> str:
    return f"2026-11-{day}T{clock}.000000Z"


def event(**changes: Any) -> dict[str, Any]:
    known = {
        "id": "evt_1",
        "source": "backend",
        "type": "track",
        "name": "Order Completed",
        "occurred_at": t("10:00:00"),
        "received_at": "2026-11-20T10:00:00.200000Z",
        "state": "done",
        "reason": "",
        "mapping": "segment@ab12",
        "back_fill": False,
        "repeats": 0,
        "conflicts": 0,
    }
    return {**known, **changes}


def signal(**changes: Any) -> dict[str, Any]:
    known = {"name": "order_completed", "key": "1001", "facts": {"value": 30}, "hidden_facts": 0}
    return {**known, **changes}


def decision(moment: str, verdict: str, *reasons: tuple[str, str], **changes: Any) -> Any:
    known = {
        "moment": moment,
        "verdict": verdict,
        "reason": reasons[0][0] if reasons else "",
        "objections": [{"reason": code, "says": says} for code, says in reasons],
        "decided_at": t("11:00:00"),
        "until_at": None,
        "repeats": 0,
        "last_at": t("11:00:00"),
        "policy_version": "9a8b7c6d5e4f+001122334455",
        "enrolment_id": "enr_1",
        "event_id": "evt_1",
        "facts": {"blocked": ""},
        "facts_hash": "ff",
    }
    return {**known, **changes}


def enrolment(**changes: Any) -> dict[str, Any]:
    known = {
        "id": "enr_1",
        "mode": "live",
        "state": "walking",
        "step_name": "reminder",
        "arm": "",
        "due_at": None,
        "awaiting_since": None,
        "triggered_at": t("10:00:00"),
        "goal_until": None,
        "goal_at": None,
        "goal_event_id": None,
        "goal_kind": "",
        "ended_at": None,
        "exit_reason": "",
        "ended_by": "",
    }
    return {**known, **changes}


def text(**changes: Any) -> dict[str, Any]:
    known = {
        "id": "snd_1",
        "cause": "play",
        "step": "reminder",
        "template": "cart_abandoned",
        "play": "cart_abandoned",
        "phone": PHONE,
        "state": "delivered",
        "reason": "",
        "error_code": "",
        "mode": "live",
        "attempt": 1,
        "text": "Your cart waits, Ann.",
        "encoding": "GSM-7",
        "segments": 1,
        "provider": "sandbox",
        "provider_id": "SM1",
        "due_at": t("14:00:00"),
        "expires_at": t("14:00:00", 21),
        "begun_at": t("14:00:00"),
        "accepted_at": t("14:00:00"),
        "decisions": [],
        "receipts": [],
        "replies": [],
        "outcomes": [],
        "crm": [],
    }
    return {**known, **changes}


def walk(**changes: Any) -> dict[str, Any]:
    known = {
        "play": "cart_abandoned",
        "version": "1f2e3d4c5b6a7788",
        "key": "cart-7",
        "enrolment": enrolment(),
        "goes_on_with": "",
        "arms": [],
        "decisions": [decision("trigger", "send", decided_at=t("10:00:00"))],
        "texts": [],
        "tasks": [],
    }
    return {**known, **changes}


def story(**changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"event": event(), "signal": signal(), "reply": None, "consents": []}
    return {**known, "walks": [], "ends": [], "outcomes": [], "texts": [], **changes}


def chain(*stories: dict[str, Any], **changes: Any) -> dict[str, Any]:
    contact = {
        "id": "con_1",
        "first_name": "Ann",
        "phone": PHONE,
        "email": "ann@shop.example",
        "stage": "lead",
        "zone": "America/Los_Angeles",
    }
    known = {"kind": "event", "id": "evt_1", "contact": contact, "numbers": [], "bearers": []}
    known["crm_history"] = []
    return {**known, "stories": list(stories), "left_out": 0, **changes}


def told(*stories: dict[str, Any], width: int = 10_000, **changes: Any) -> str:
    lines = explain.tell(explain.shown(chain(*stories, **changes)), width)
    return "\n".join(" ".join(line.split()) for line in lines)


def of_walk(**changes: Any) -> str:
    return told(story(walks=[walk(**changes)]))


def test_a_whole_chain_reads_like_a_story() -> None:
    receipts = [
        {"status": status, "error_code": "", "occurred_at": t(at), "heard_at": t(at)}
        for status, at in (("sent", "14:00:01"), ("delivered", "14:00:03"))
    ]
    reply = {"id": "rpl_1", "text": "STOP", "label": "opt_out", "occurred_at": t("14:05:00")}
    activity = {"crm": "local", "subject": "Text: cart", "kind": "activity", "status": "Delivered"}
    written = {**activity, "state": "written", "written_at": t("14:00:04"), "error": ""}
    quiet = decision("plan", "wait", ("quiet_hours", "It is night."), until_at=t("14:00:00"))
    sent = text(
        decisions=[quiet, decision("send", "send", decided_at=t("14:00:00"))],
        receipts=receipts,
        replies=[reply],
        crm=[written],
    )
    arms = [{"experiment": "play:x", "arm": "treated", "probability": "0.95", "mixed_at": None}]
    body = walk(texts=[sent], arms=arms, enrolment=enrolment(state="done"))
    lines = explain.tell(explain.shown(chain(story(walks=[body]))), 10_000)
    assert lines == [
        "Event     evt_1 Order Completed from source backend, occurred 2026-11-20 10:00:00 UTC "
        "(02:00 PST), heard 0.2 s later",
        "Signal    order_completed (mapping segment@ab12), key 1001, about con_1 "
        "(Ann, +1415***0123)",
        "          facts: value=30",
        "Play      cart_abandoned@1f2e3d4c5b6a (enr_1), counted from 10:00:00, key cart-7",
        "          holdout: treated (95.0%)",
        "Decision  start 10:00:00  START",
        "          plan  11:00:00  WAIT until 14:00:00 (06:00 PST) — quiet_hours: It is night.",
        "          send  14:00:00  SEND (policy 9a8b7c6d+00112233)",
        "Text      snd_1 reminder to +1415***0123: Delivered",
        "          accepted 14:00:00 (06:00 PST) by sandbox as SM1, 1 segment GSM-7",
        '          "Your cart waits, Ann."',
        "Receipts  sent 14:00:01 · delivered 14:00:03",
        'Outcome   replied 14:05:00 (06:05 PST) "STOP" → asked to stop (rpl_1)',
        "CRM       local: Text: cart — Delivered, written 14:00:04",
        "Result    Every step is done.",
    ]


def test_a_date_is_told_when_it_changes_and_again_in_each_story() -> None:
    late = walk(enrolment=enrolment(due_at=t("10:00:00", 21)))
    page = told(story(walks=[late]), story())
    assert "due 2026-11-21 10:00:00 UTC" in page
    assert page.count("occurred 2026-11-20") == 2


def test_without_a_zone_only_utc_is_told() -> None:
    known = chain(story())
    known["contact"]["zone"] = ""
    assert "PST" not in "\n".join(explain.tell(known))
    known["contact"]["zone"] = "Nowhere/Land"
    assert "occurred 2026-11-20 10:00:00 UTC," in "\n".join(explain.tell(known, 200))


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("unmapped", "unknown_event", "No signal (unknown_event)."),
        ("failed", "mapping_error: x", "It failed (mapping_error: x)."),
    ],
)
def test_an_event_kept_aside_says_why_and_how_to_try_again(
    state: str, reason: str, words: str
) -> None:
    page = told(story(event=event(state=state, reason=reason), signal=None), contact=None)
    assert words in page
    assert "connector events replay evt_1" in page


def test_a_signal_that_starts_nothing_says_so() -> None:
    assert "No play starts on order_completed, or its conditions" in told(story())


def test_what_a_source_was_not_believed_is_told() -> None:
    dropped = event(reason="phone: not from a browser", repeats=2, conflicts=1, back_fill=True)
    page = told(story(event=dropped))
    assert "not believed: phone: not from a browser" in page
    assert "told 2 times more, 1 with another body; the first stands" in page
    assert "back-fill" in page


def test_a_refused_start_names_every_reason() -> None:
    reasons = (("cooldown", "Too short a time ago."), ("audience", "Not in the audience."))
    stop = decision("trigger", "stop", *reasons, enrolment_id=None)
    page = of_walk(enrolment=None, decisions=[stop])
    assert "STOP — cooldown: Too short a time ago." in page
    assert "also audience: Not in the audience." in page
    assert "No text: the play was not started (cooldown, audience)." in page


def test_a_text_stopped_when_it_was_planned() -> None:
    stop = decision("plan", "stop", ("no_consent", "No live consent for marketing."))
    ended = enrolment(state="ended", exit_reason="no_consent", ended_at=t("11:00:00"))
    page = of_walk(decisions=[stop], enrolment=ended)
    assert "No text: it was stopped when it was planned (no_consent)." in page
    assert "Ended: no_consent, 11:00:00." in page


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("opted_out", "opted_out"),
        ("dry:holdout", "the person is in the holdout"),
        ("dry:shadow", "the play runs in shadow"),
        ("unless:order_completed", "order_completed was heard"),
    ],
)
def test_a_text_stopped_before_it_left(reason: str, words: str) -> None:
    stopped = text(state="cancelled", reason=reason, begun_at=None, accepted_at=None, text="")
    page = of_walk(texts=[stopped])
    assert f"No text: it was stopped before it left ({words}" in page
    assert "Not sent: " in page


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("active_again", "the person was active again"),
        ("exit_when", "what ends the play came true"),
        ("exit_stage:customer", "the contact came to the stage customer"),
        ("exit_left:high_intent", "the contact left the segment high_intent"),
        ("outranked", "a play of a higher priority spoke to the person"),
        ("date_changed", "the date it was about was changed"),
        ("play_off", "the play was switched off"),
        ("paused", "the play was paused"),
    ],
)
def test_what_ended_a_walk_is_told_in_words(reason: str, words: str) -> None:
    ended = enrolment(state="ended", exit_reason=reason, ended_at=t("11:00:00"))
    assert f"Ended: {words}, 11:00:00." in of_walk(enrolment=ended)


def test_a_walk_that_waits_says_for_what() -> None:
    level = enrolment(state="waiting")
    assert "It waits until its own level of the measure is reached." in of_walk(enrolment=level)
    awaiting = enrolment(step_name="nudge", awaiting_since=t("11:00:00"), due_at=t("13:00:00"))
    page = of_walk(enrolment=awaiting)
    assert "It waits at nudge since 11:00:00; it is looked at again 13:00:00" in page
    assert "It waits for its text to leave." in of_walk(enrolment=enrolment())


@pytest.mark.parametrize(
    ("experiment", "words"),
    [
        ("global", "global holdout: short (50.0%)"),
        ("play:cart", "holdout: short (50.0%)"),
        ("test:cart:sooner", "experiment sooner: short (50.0%)"),
    ],
)
def test_an_arm_is_told_with_what_it_is_an_arm_of(experiment: str, words: str) -> None:
    arm = {"experiment": experiment, "arm": "short", "probability": "0.5", "mixed_at": None}
    assert words in of_walk(arms=[arm])


def test_a_text_that_waits_says_until_when() -> None:
    waiting = text(state="planned", begun_at=None, accepted_at=None, attempt=0)
    page = of_walk(texts=[waiting])
    assert "No text yet." in page
    assert ": Planned" in page
    assert "tried again" not in page
    assert "due 14:00:00 (06:00 PST), until 2026-11-21 14:00:00" in page


def test_a_text_of_unknown_fate_says_so_and_whom_it_was_handed_to() -> None:
    doubtful = text(state="uncertain", accepted_at=None, provider_id=None)
    page = of_walk(texts=[doubtful])
    assert "Perhaps sent, being looked up" in page
    assert "handed to sandbox 14:00:00 (06:00 PST), 1 segment GSM-7" in page
    assert "No text" not in page


def test_repeated_waiting_is_one_line() -> None:
    again = decision(
        "send",
        "wait",
        ("cap_full", "Full."),
        repeats=3,
        until_at=t("15:00:00"),
        last_at=t("14:30:00"),
    )
    assert "WAIT until 15:00:00 (07:00 PST) (asked 4 times, last 14:30:00)" in of_walk(
        texts=[text(decisions=[again])]
    )


def test_a_timer_started_anew_is_told_once() -> None:
    waiting = ("already_waiting", "The contact waits in this play already.")
    rearmed = [
        decision("trigger", "stop", waiting, decided_at=t(f"10:0{minute}:00"), event_id="evt_9")
        for minute in range(1, 4)
    ]
    page = of_walk(decisions=[decision("trigger", "send"), *rearmed])
    assert "the timer was started anew 3 times, last 10:03:00 by evt_9" in page
    assert "STOP" not in page


def test_a_walk_told_elsewhere_names_where() -> None:
    page = of_walk(goes_on_with="evt_2")
    assert "Told in full by: connector explain enr_1" in page


def test_a_goal_and_an_end_name_their_event() -> None:
    reached = enrolment(state="done", goal_at=t("15:00:00"), goal_event_id="evt_5")
    page = of_walk(enrolment={**reached, "goal_kind": "converted", "goal_until": t("10:00:00", 27)})
    assert "Its goal was reached 15:00:00 (07:00 PST) (converted, evt_5)." in page
    assert "its goal counts until 2026-11-27" in page
    ended = enrolment(
        state="ended",
        exit_reason="unless:order_completed",
        ended_by="evt_5",
        ended_at=t("15:00:00"),
    )
    assert "Ended: order_completed was heard (evt_5), 15:00:00." in of_walk(enrolment=ended)
    page = told(story(ends=[{**ended, "play": "cart_abandoned"}]))
    assert "Ended cart_abandoned (enr_1): order_completed was heard, 15:00:00" in page


def test_what_the_crm_refused_or_is_owed_is_told_in_its_words() -> None:
    row = {"crm": "hubspot", "subject": None, "kind": "activity", "status": None, "attempt": 2}
    row |= {"code": "", "in_doubt": 0}
    parked = {**row, "state": "parked", "error": "no such property"}
    owed = {**row, "state": "owed", "error": "timeout", "owed_at": t("14:00:00")}
    page = of_walk(texts=[text(crm=[parked, owed])])
    assert "hubspot: activity, refused by the CRM: no such property" in page
    assert "owed since 14:00:00, tried 2 times: timeout" in page


def test_an_outcome_tells_its_worth() -> None:
    outcome = {
        "cause": "event:evt_1",
        "kind": "converted",
        "occurred_at": t("10:00:00"),
        "thing": "1001",
        "value_micros": 42_500_000,
        "currency": "USD",
        "event_id": "evt_1",
    }
    page = told(story(outcomes=[outcome, {**outcome, "cause": "reply:rpl_1"}]))
    assert page.count("converted 10:00:00 (02:00 PST), 1001, 42.50 USD (evt_1)") == 1


def test_a_reply_tells_how_it_was_understood_and_what_it_changed() -> None:
    reply = {
        "id": "rpl_1",
        "phone": PHONE,
        "text": "stop it\nnow",
        "label": "opt_out",
        "why": "exact",
        "occurred_at": t("14:05:00"),
        "answers": {"id": "snd_1", "play": "cart_abandoned", "step": "reminder", "template": "t"},
        "crm": [],
    }
    consent = {"purpose": "all", "action": "revoked", "phone": PHONE}
    page = told(story(event=None, signal=None, reply=reply, consents=[consent], texts=[text()]))
    assert 'rpl_1 from +1415***0123, 2026-11-20 14:05:00 UTC (06:05 PST): "stop it now"' in page
    assert "after snd_1 (cart_abandoned, reminder)" in page
    assert "understood as: asked to stop (exact)" in page
    assert "all revoked for +1415***0123" in page


def number(**changes: Any) -> dict[str, Any]:
    granted = {
        "purpose": "marketing",
        "action": "granted",
        "method": "web_form",
        "source": "backend",
        "wording": "Text me offers",
        "occurred_at": t("09:00:00"),
    }
    known = {"phone": PHONE, "blocked_scope": "", "blocked_at": None, "blocked_by": ""}
    return {**known, "held_at": None, "held_why": "", "consents": [granted], **changes}


def test_a_person_is_told_with_what_stands_against_their_numbers() -> None:
    held = number(held_at=t("12:00:00"), held_why="An unclear reply waits.")
    page = told(kind="contact", numbers=[held], left_out=3)
    assert "Contact con_1 (Ann, +1415***0123), lead, clock of America/Los_Angeles" in page
    assert "+1415***0123: live consent for marketing" in page
    assert "held since 2026-11-20 12:00:00 UTC: An unclear reply waits." in page
    assert 'marketing granted 09:00:00 by web_form through backend: "Text me offers"' in page
    assert "Nothing has started a play for them" in page
    assert "3 older left out; --limit shows more." in page


def test_a_consent_of_before_a_number_changed_hands_is_told_as_none() -> None:
    told_of = {"reassigned_at": t("10:00:00"), "reassigned_how": ""}
    page = told(kind="contact", numbers=[number(**told_of)])
    assert "+1415***0123: no live consent; with a new owner since 2026-11-20" in page
    off = told_of | {"reassigned_how": "deactivated"}
    page = told(kind="contact", numbers=[number(**off)])
    assert "no live consent; deactivated by its carrier since 2026-11-20" in page


def test_a_stop_is_told_before_any_consent() -> None:
    stopped = number(blocked_scope="all", blocked_at=t("12:00:00"), blocked_by="reply")
    page = told(
        kind="number", id=PHONE, contact=None, bearers=["con_1", "con_2"], numbers=[stopped]
    )
    assert "everything stopped since 2026-11-20 12:00:00 UTC, by reply" in page
    assert "Several people bear it: con_1, con_2." in page
    nobody = told(kind="number", id=PHONE, contact=None, numbers=[number(consents=[])])
    assert "Nobody is known by it." in nobody
    assert "no live consent" in nobody


def test_numbers_and_addresses_are_masked_unless_asked_for_in_full() -> None:
    whole = chain(story(walks=[walk(texts=[text()])]), kind="number", id=PHONE, numbers=[number()])
    hidden = explain.shown(whole)
    assert PHONE not in str(hidden)
    assert "ann@" not in str(hidden)
    assert hidden["contact"]["email"] == "a***@shop.example"
    assert explain.shown(whole, full=True) == whole


def test_the_facts_of_a_decision_are_for_the_full_chain_only() -> None:
    whole = chain(story(walks=[walk()]))
    [kept] = explain.shown(whole)["stories"][0]["walks"][0]["decisions"]
    assert not {"facts", "facts_hash"} & set(kept)
    assert "facts" in explain.shown(whole)["stories"][0]["signal"]


words = st.text(max_size=200)


@given(words, words, words, st.integers(40, 120))
def test_whatever_strangers_write_the_lines_stay_lines(
    name: str, value: str, reply: str, width: int
) -> None:
    answered = {"id": "rpl_1", "text": reply, "label": "none", "occurred_at": t("14:05:00")}
    body = walk(key=value, texts=[text(text=value, replies=[answered])])
    hostile = story(event=event(name=name), signal=signal(facts={name: value}), walks=[body])
    for line in explain.tell(explain.shown(chain(hostile)), width):
        assert len(line) <= width
        assert "\n" not in line
