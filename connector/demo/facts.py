"""The eight things the day must show, each proven from what was kept, or found missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from connector.clock import instant
from connector.demo.kept import Kept, Row

Proof = Callable[[Kept], str]
"""The id of what proves it, for ``connector explain``; "" where nothing does."""


def log_agrees(kept: Kept) -> bool:
    """Whether the provider's log holds exactly the texts that the ledger says were taken."""
    taken = [(row["id"], row["phone"], row["text"]) for row in kept.sends if row["accepted_at"]]
    return sorted(taken) == sorted((line["send_id"], line["to"], line["text"]) for line in kept.log)


def delivered(kept: Kept) -> str:
    """A text whose delivery the provider told of."""
    told = {row["send_id"] for row in kept.receipts if row["status"] == "delivered"}
    return _first(
        row["id"] for row in _in_log(kept) if row["state"] == "delivered" and row["id"] in told
    )


def replied(kept: Kept) -> str:
    """A text that was answered with something else than a wish to stop."""
    answered = {row["send_id"] for row in kept.replies if row["label"] == "none"}
    known = {row["send_id"] for row in kept.outcomes if row["kind"] == "replied"}
    return _first(row["id"] for row in _in_log(kept) if row["id"] in answered & known)


def held_for_the_morning(kept: Kept) -> str:
    """A text that quiet hours held, and that left when they were over."""
    until = {
        row["send_id"]: row["until_at"]
        for row in kept.decisions
        if row["verdict"] == "wait" and row["reason"] == "quiet_hours"
    }
    found = (row for row in _in_log(kept) if row["id"] in until)
    return _first(row["id"] for row in found if row["accepted_at"] >= until[row["id"]])


def unconsented(kept: Kept) -> str:
    """A text that was not sent because nobody had agreed to it."""
    return _first(row["enrolment_id"] for row in _stopped(kept, "no_consent"))


def capped(kept: Kept) -> str:
    """A text that was not sent because the person had had enough."""
    return _first(row["enrolment_id"] for row in _stopped(kept, "cap_full"))


def stop_honoured(kept: Kept) -> str:
    """A STOP, confirmed once, after which a text was wanted and none went to that number."""
    for reply in kept.replies:
        if reply["label"] != "opt_out":
            continue
        after = [row for row in _in_log(kept) if row["phone"] == reply["phone"]]
        after = [row for row in after if row["accepted_at"] >= reply["occurred_at"]]
        stopped = _stopped(kept, "opted_out")
        if [row["template"] for row in after] == ["stop_confirmed"]:
            return _first(
                row["enrolment_id"] for row in stopped if row["contact_id"] == reply["contact_id"]
            )
    return ""


def goal_reached(kept: Kept) -> str:
    """A goal reached after the first of a play's texts; the time of the second passed silently."""
    for row in kept.enrolments:
        if row["exit_reason"] != "goal" or row["goal_kind"] != "converted":
            continue
        sent = [send for send in _in_log(kept) if send["enrolment_id"] == row["id"]]
        steps = [step for step in kept.plays[row["play"]].steps if step.template]
        if not sent or len(sent) >= len(steps):
            continue
        if instant(sent[-1]["accepted_at"]) + steps[len(sent)].wait < kept.now:
            return str(sent[-1]["id"])
    return ""


def crm_knows(kept: Kept) -> str:
    """Each text that left, each reply and each other outcome, on the record of a person."""
    owed = {
        *(f"send:{row['id']}" for row in _in_log(kept)),
        *(f"reply:{row['id']}" for row in kept.replies),
        *(f"outcome:{row['id']}" for row in _apart_from_replies(kept)),
    }
    records = {row["id"] for row in kept.records}
    known = {row["key"] for row in kept.activities if row["record"] in records}
    return _first(row["contact_id"] for row in kept.records) if owed and owed <= known else ""


FROM_REPLIES: Final = frozenset({"replied", "opted_out"})


def _apart_from_replies(kept: Kept) -> list[Row]:
    """The outcomes that are not replies, which stand on the record in their own words."""
    return [row for row in kept.outcomes if row["kind"] not in FROM_REPLIES]


FACTS: Final[dict[str, tuple[str, Proof]]] = {
    "delivered": ("A text was sent and delivered", delivered),
    "replied": ("A text was replied to", replied),
    "quiet_hours": ("A text was held by quiet hours, sent in the morning", held_for_the_morning),
    "no_consent": ("A text was stopped for lack of consent", unconsented),
    "cap": ("A text was stopped because a cap was reached", capped),
    "stop": ("A STOP was honoured: confirmed once, then no text", stop_honoured),
    "goal": ("A goal was reached, and the follow-up was cancelled", goal_reached),
    "crm": ("The CRM has every text, reply and outcome", crm_knows),
}
"""Each fact by its stable name: what it says, and how it is proven."""


def _in_log(kept: Kept) -> list[Row]:
    """The texts that both the ledger and the provider's log know, oldest first."""
    logged = {line["send_id"] for line in kept.log}
    return [row for row in kept.sends if row["accepted_at"] and row["id"] in logged]


def _stopped(kept: Kept, reason: str) -> list[Row]:
    """Decisions that stopped a text for a reason, where indeed none of that step went."""
    went = {(row["enrolment_id"], row["step"]) for row in _in_log(kept)}
    return [
        row
        for row in kept.decisions
        if (row["verdict"], row["reason"]) == ("stop", reason)
        and (row["enrolment_id"], row["step"]) not in went
    ]


def _first(ids: Iterator[str]) -> str:
    return next(ids, "")
