"""Walks: one person's way through a play told in plain words, decision by decision to the CRM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connector.model import SendState
from connector.rules.activities import LABEL_WORDS, LEFT, status_words
from connector.rules.page import Page, one_line, short

Known = Mapping[str, Any]

MOMENTS: Final = {"trigger": "start", "plan": "plan", "send": "send"}
WORDS: Final = {
    "active_again": "the person was active again",
    "condition_false": "the step's condition no longer held",
    "contact_erased": "the contact is no longer known",
    "date_changed": "the date it was about was changed",
    "dry:holdout": "the person is in the holdout, whose texts are only decided about",
    "dry:sandbox": "it was begun in the sandbox, and what began there stays there",
    "dry:shadow": "the play runs in shadow and only decides",
    "exit_when": "what ends the play came true",
    "failed": "it failed by a fault of ours, which the log tells",
    "goal": "its goal was reached",
    "goal_before_text": "its goal was reached before any text",
    "goal_late": "its goal was reached after the time in which it counts",
    "merged": "two contacts were merged, and the other's way through the play goes on",
    "no_step": "the play has no such step any more",
    "outranked": "a play of a higher priority spoke to the person",
    "paused": "the play was paused",
    "play_off": "the play was switched off",
    "play_removed": "the play was removed",
    "worker_died": "the worker died while it was being sent",
}
"""Reasons that say too little by themselves."""


def tell_walk(page: Page, walk: Known) -> None:
    """A play that was started, or refused to start, with all that came of it."""
    _title(page, walk)
    _decisions(page, walk["decisions"])
    if walk["goes_on_with"]:
        page.add("Result", f"Told in full by: connector explain {walk['enrolment']['id']}")
        return
    for text in walk["texts"]:
        tell_text(page, text)
    tell_crm(page, walk["tasks"], "Task")
    _result(page, walk)


def tell_text(page: Page, text: Known) -> None:
    """A text: what was decided of it, what it said, what became of it."""
    _decisions(page, text["decisions"])
    stands = status_words({**text, "reason": why(text["reason"])})
    if text["state"] == SendState.planned and not text["attempt"]:
        stands = "Planned"
    name = text["step"] or text["template"]
    page.add("Text", f"{text['id']} {name} to {text['phone']}: {stands}")
    for made in text.get("tries", ()):
        page.add("Text", _try(page, made))
    page.add("Text", _handed(page, text))
    page.add("Text", f'"{one_line(text["text"])}"' if text["text"] else "")
    page.add("Receipts", " · ".join(_receipt(page, item) for item in text["receipts"]))
    for reply in text["replies"]:
        page.add("Outcome", _reply(page, reply))
    tell_outcomes(page, text["outcomes"])
    tell_crm(page, text["crm"])


def tell_outcomes(page: Page, outcomes: Iterable[Known]) -> None:
    """What the person did next; replies are told by themselves."""
    for item in outcomes:
        if item["cause"].startswith("reply:"):
            continue
        words = f"{item['kind'].replace('_', ' ')} {page.at(item['occurred_at'], there=True)}"
        if item["thing"]:
            words += f", {short(item['thing'], 40)}"
        if item["value_micros"] is not None:
            words += f", {item['value_micros'] / 1_000_000:.2f} {item['currency']}".rstrip()
        page.add("Outcome", f"{words} ({item['event_id']})" if item["event_id"] else words)


def tell_crm(page: Page, rows: Iterable[Known], label: str = "CRM") -> None:
    """What a CRM was told, or is owed, or refused."""
    for row in rows:
        what = one_line(row["subject"] or row["kind"])
        status = f" — {row['status']}" if row["status"] else ""
        page.add(label, f"{row['crm']}: {what}{status}, {_stands(page, row)}")


def ended(page: Page, walk: Known, *, by: bool = True) -> str:
    """Why, by which event, and when a walk ended or reached its goal."""
    event = f" ({walk['ended_by']})" if by and walk["ended_by"] else ""
    reason = why(walk["exit_reason"] or "goal")
    return f"{reason}{event}, {page.at(walk['ended_at'] or walk['goal_at'])}"


def why(reason: str) -> str:
    """A stored reason in words, where its code says too little."""
    kind, _, name = str(reason).partition(":")
    if kind in ("unless", "exit") and name:
        return f"{name} was heard"
    if kind == "exit_stage" and name:
        return f"the contact came to the stage {name}"
    if kind == "exit_left" and name:
        return f"the contact left the segment {name}"
    if kind == "refused" and name:
        return f"the provider refused it for good ({name})"
    return WORDS.get(reason, reason)


def _title(page: Page, walk: Known) -> None:
    enrolment = walk["enrolment"]
    title = f"{walk['play']}@{walk['version'][:12]}"
    if enrolment:
        title += f" ({enrolment['id']}), counted from {page.at(enrolment['triggered_at'])}"
    page.add("Play", f"{title}, key {short(walk['key'], 40)}" if walk["key"] else title)
    arms = [_arm(arm) for arm in walk["arms"]]
    if enrolment and enrolment["mode"] == "shadow":
        arms.append("in shadow: decided, never sent")
    page.add("Play", ", ".join(arms))


def _arm(arm: Known) -> str:
    kind, _, about = str(arm["experiment"]).partition(":")
    name = {"global": "global holdout", "test": f"experiment {about.partition(':')[2]}"}.get(
        kind, "holdout"
    )
    mixed = ", mixed by a merge" if arm["mixed_at"] else ""
    return f"{name}: {arm['arm']} ({float(arm['probability']):.1%}{mixed})"


def _decisions(page: Page, decisions: Iterable[Known]) -> None:
    """A line for each decision and each further reason; timers started anew are told once."""
    rearmed = []
    for item in decisions:
        if item["moment"] == "trigger" and item["verdict"] == "stop" and item["enrolment_id"]:
            rearmed.append(item)
        else:
            _decision(page, item)
    if rearmed:
        times = "once," if len(rearmed) == 1 else f"{len(rearmed)} times, last"
        last = f"{page.at(rearmed[-1]['decided_at'])} by {rearmed[-1]['event_id']}"
        page.add("Decision", f"the timer was started anew {times} {last}")


def _decision(page: Page, item: Known) -> None:
    moment = MOMENTS.get(item["moment"], item["moment"])
    head = f"{moment:<5} {page.at(item['decided_at'])}  {_verdict(page, item)}"
    first, *rest = item["objections"] or [None]
    if first is None:
        page.add("Decision", f"{head}{_policy(item)}")
    else:
        page.add("Decision", f"{head} — {first['reason']}: {one_line(first['says'])}")
    for other in rest:
        page.add("Decision", f"  also {other['reason']}: {one_line(other['says'])}")
    if page.full:
        _weighed(page, item)


def _weighed(page: Page, item: Known) -> None:
    """By which policy (or play, for a start) it was decided, and on what facts."""
    what = "play" if item["moment"] == "trigger" else "policy"
    page.add("Decision", f"  by {what} {item['policy_version']}")
    facts = item.get("facts")
    page.add("Decision", f"  saw {one_line(facts)}" if facts else "  what it saw is not kept")


def _verdict(page: Page, item: Known) -> str:
    is_start = item["moment"] == "trigger" and item["verdict"] == "send"
    words = "START" if is_start else str(item["verdict"]).upper()
    if item["until_at"]:
        words += f" until {page.at(item['until_at'], there=True)}"
    if item["repeats"]:
        words += f" (asked {item['repeats'] + 1} times, last {page.at(item['last_at'])})"
    return words


def _policy(item: Known) -> str:
    if item["moment"] == "trigger":
        return ""
    return f" (policy {'+'.join(part[:8] for part in item['policy_version'].split('+'))})"


def _handed(page: Page, text: Known) -> str:
    if text["state"] == SendState.planned:
        return f"due {page.at(text['due_at'], there=True)}, until {page.at(text['expires_at'])}"
    if not text["begun_at"]:
        return ""
    segments = "1 segment" if text["segments"] == 1 else f"{text['segments']} segments"
    size = f"{segments} {text['encoding']}"
    if not text["accepted_at"]:
        begun = page.at(text["begun_at"], there=True)
        return f"handed to {text['provider']}{_from(text)} {begun}, {size}"
    name = f" as {text['provider_id']}" if text["provider_id"] else ""
    accepted = page.at(text["accepted_at"], there=True)
    return f"accepted {accepted} by {text['provider']}{name}{_from(text)}, {size}"


def _try(page: Page, made: Known) -> str:
    """One of several tries: by whom, from where, and what came of it."""
    came = str(made["result"]).replace("_", " ") or "under way"
    why = f" ({made['reason']}{' ' + made['code'] if made['code'] else ''})"
    told = f"{came}{why if made['reason'] else ''}"
    return f"tried {page.at(made['begun_at'])} by {made['provider']}{_from(made)}: {told}"


def _from(known: Known) -> str:
    return f" from {known['sender']}" if known.get("sender") else ""


def _receipt(page: Page, receipt: Known) -> str:
    status = receipt["status"] if receipt["status"] != "unknown" else receipt["raw_status"]
    code = f" (error {receipt['error_code']})" if receipt["error_code"] else ""
    return f"{status} {page.at(receipt['occurred_at'] or receipt['heard_at'])}{code}"


def _reply(page: Page, reply: Known) -> str:
    meant = LABEL_WORDS.get(reply["label"])
    arrow = f" → {meant}" if meant else ""
    at = page.at(reply["occurred_at"], there=True)
    return f'replied {at} "{short(reply["text"])}"{arrow} ({reply["id"]})'


def _stands(page: Page, row: Known) -> str:
    if row["state"] == "written":
        return f"written {page.at(row['written_at'])}"
    if row["state"] == "dropped":
        return "dropped by hand"
    if row["state"] == "parked":
        by = "waits for a record" if row["code"] == "no_record" else "refused by the CRM"
        return f"{by}: {one_line(row['error'])}"
    if row["in_doubt"]:
        return f"perhaps written, looked up {page.at(row['due_at'])}: {one_line(row['error'])}"
    tried = f", tried {row['attempt']} times: {one_line(row['error'])}" if row["error"] else ""
    return f"owed since {page.at(row['owed_at'])}{tried}"


def _result(page: Page, walk: Known) -> None:
    """Where a walk stands, and where it stopped if no text came of it."""
    enrolment = walk["enrolment"]
    if not any(text["state"] in LEFT for text in walk["texts"]):
        page.add("Result", _no_text(walk))
    if enrolment is None:
        return
    if enrolment["goal_at"] and not enrolment["exit_reason"].startswith("goal"):
        reached = page.at(enrolment["goal_at"], there=True)
        by = enrolment["goal_event_id"]
        page.add("Result", f"Its goal was reached {reached} ({enrolment['goal_kind']}, {by}).")
    page.add("Result", _now(page, enrolment))


def _now(page: Page, enrolment: Known) -> str:
    if enrolment["state"] == "ended":
        return f"Ended: {ended(page, enrolment)}."
    if enrolment["state"] == "done":
        until = enrolment["goal_until"]
        return f"Every step is done{f'; its goal counts until {page.at(until)}' if until else ''}."
    if enrolment["state"] == "waiting" and not enrolment["due_at"]:
        return "It waits until its own level of the measure is reached."
    if enrolment["awaiting_since"] and enrolment["due_at"]:
        since, due = page.at(enrolment["awaiting_since"]), page.at(enrolment["due_at"], there=True)
        return f"It waits at {enrolment['step_name']} since {since}; it is looked at again {due}."
    if enrolment["due_at"]:
        return f"The next step is due {page.at(enrolment['due_at'], there=True)}."
    return "It waits for its text to leave."


def _no_text(walk: Known) -> str:
    enrolment = walk["enrolment"]
    if enrolment is None:
        return f"No text: the play was not started ({_reasons(walk['decisions'])})."
    if any(text["state"] in (SendState.planned, SendState.sending) for text in walk["texts"]):
        return "No text yet."
    if walk["texts"]:
        return f"No text: it was stopped before it left ({why(walk['texts'][-1]['reason'])})."
    stops = [item for item in walk["decisions"] if item["moment"] == "plan"]
    if stops:
        return f"No text: it was stopped when it was planned ({_reasons(stops[-1:])})."
    return "No text yet." if enrolment["state"] in ("waiting", "walking") else "No text."


def _reasons(decisions: Iterable[Known]) -> str:
    codes = [item["reason"] for found in decisions for item in found["objections"] or ()]
    return ", ".join(dict.fromkeys(codes)) or "no reason is kept"
