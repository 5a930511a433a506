"""Triggers: whether a signal opens, re-arms or ends a contact's way through a play."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connector.errors import ExpressionFailed
from connector.model import Decision, Json, Objection, Verdict
from connector.rules.plays import Condition, Mode, Once, Play, Restart

STALE: Final = timedelta(hours=48)
"""A start signal heard later than this after it occurred does not enrol."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a contact stands in a play, as the ledger tells it.

    ``same`` is the enrolment with the same key (or, where the play keys nothing, the one still
    waiting); ``last_start`` the last start signal that enrolled; ``over`` the names of signals
    heard already, though they occurred after the start, that end or fulfil the play.
    """

    same_state: str = ""  #: "" | waiting | walking | done | ended
    last_start: datetime | None = None
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """A start signal as the rule needs it."""

    occurred_at: datetime
    stage: str
    back_fill: bool
    context: Mapping[str, Json]


def matches(play: Play, context: Mapping[str, Json]) -> bool:
    """Whether the signal's facts meet the play's ``where``."""
    return play.mode is not Mode.off and (
        play.start.where is None or bool(play.start.where(context))
    )


def occurrence(play: Play, signal_key: str, signal_id: str, context: Mapping[str, Json]) -> str:
    """The key under which one contact walks the play once.

    ``once = "contact"`` has one for good; else the play's own ``key``, the signal's key, or the
    signal itself where nothing names the occurrence.
    """
    if play.start.once is Once.contact:
        return "once"
    if play.start.key is not None:
        value = play.start.key(context)
        return str(value)[:200] if value not in (None, "") else signal_id
    return signal_key[:200] or signal_id


def judge(play: Play, start: Start, standing: Standing, now: datetime) -> Decision:
    """Whether a matched start enrols: *send* means yes, *stop* names every reason why not.

    A same start while the enrolment waits re-arms it where the play says so; that is told as the
    objection ``already_waiting`` and left to :func:`rearms`.
    """
    objections = [
        Objection(reason, Verdict.stop, says)
        for reason, says in _against(play, start, standing, now)
    ]
    verdict = Verdict.stop if objections else Verdict.send
    return Decision(verdict, tuple(objections), None, play.version)


def _against(play: Play, start: Start, standing: Standing, now: datetime) -> list[tuple[str, str]]:
    against = []
    if start.back_fill:
        against.append(("back_fill", "Imports and back-fills never enrol."))
    if now - start.occurred_at > STALE:
        against.append(
            ("stale_start", "The signal was heard more than 48 hours after it occurred.")
        )
    if standing.same_state == "waiting":
        against.append(("already_waiting", "The contact waits in this play already."))
    elif standing.same_state:
        against.append(("already_enrolled", "The contact walked this play for this occurrence."))
    if standing.over:
        names = " and ".join(standing.over)
        against.append(
            ("already_over", f"{names} was heard already, and occurred after the start.")
        )
    if _cooling(play, start, standing):
        against.append(("cooldown", "The last start of this play was too short a time ago."))
    if play.stages and start.stage not in play.stages:
        against.append(("wrong_stage", f"The play is for {' or '.join(play.stages)} only."))
    against.extend(_audience(play.audience, start.context))
    return against


def _cooling(play: Play, start: Start, standing: Standing) -> bool:
    if play.start.cooldown is None or standing.last_start is None:
        return False
    return abs(start.occurred_at - standing.last_start) < play.start.cooldown


def _audience(audience: Condition | None, context: Mapping[str, Json]) -> list[tuple[str, str]]:
    if audience is None:
        return []
    try:
        wanted = bool(audience(context))
    except ExpressionFailed as error:
        return [(error.code, f"The audience could not be told: {error}")]
    return [] if wanted else [("audience", "The contact is not in the play's audience.")]


def rearms(play: Play, decision: Decision, start_at: datetime, waits_since: datetime) -> bool:
    """Whether a refused start starts the waiting enrolment's timer anew."""
    reasons = {objection.reason for objection in decision.objections}
    return (
        play.start.restart is Restart.rearm
        and reasons <= {"already_waiting", "cooldown"}
        and "already_waiting" in reasons
        and start_at > waits_since
    )


def ends(play: Play, signal_name: str, state: str) -> str:
    """Why a signal ends an enrolment: ``unless:…``, ``exit:…`` or "" when it does not."""
    if state == "waiting" and signal_name in play.start.unless:
        return f"unless:{signal_name}"
    if state in ("waiting", "walking") and signal_name in play.exits:
        return f"exit:{signal_name}"
    return ""


def is_about(play: Play, signal_key: str, key: str) -> bool:
    """Whether a signal is about the thing that an enrolment is about, where the play asks."""
    return not play.same_key or not signal_key or signal_key[:200] == key


def goal_kind(
    occurred_at: datetime, first_text_at: datetime | None, goal_until: datetime | None
) -> str:
    """What reaching the goal counts as: ``converted``, ``goal_before_text`` or "" (too late)."""
    if first_text_at is None or occurred_at <= first_text_at:
        return "goal_before_text"
    return "converted" if goal_until is None or occurred_at <= goal_until else ""


def share(salt: str, experiment: str, contact_id: str) -> float:
    """A person's fixed place in [0, 1) for an experiment: a salted hash, the same for ever."""
    digest = hashlib.sha256(f"{salt}\x1f{experiment}\x1f{contact_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 10_000 / 10_000
