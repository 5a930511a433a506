"""Plays: what starts a text, whom it is for, when it speaks, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from connector.model import Json, Purpose

Condition = Callable[[Mapping[str, Json]], Json]
"""A compiled expression: context in, value out; raises ``ExpressionFailed``."""


class Role(StrEnum):
    """What a play is for in the life of a customer."""

    acquisition = "acquisition"
    conversion = "conversion"
    onboarding = "onboarding"
    retention = "retention"
    service = "service"


class Mode(StrEnum):
    """live sends; shadow decides and records all but sends nothing; off starts nothing."""

    live = "live"
    shadow = "shadow"
    off = "off"


class Once(StrEnum):
    """How often one contact may walk a play: once ever, or once for each occurrence key."""

    contact = "contact"
    key = "key"


class Restart(StrEnum):
    """What the same start does while an enrolment waits: nothing, or start its timer anew."""

    ignore = "ignore"
    rearm = "rearm"


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a play (the ``[start]`` table)."""

    signal: str
    where: Condition | None = None  #: over signal, contact, crm
    count: int = 1  #: the Nth such signal ...
    within: timedelta | None = None  #: ... inside this rolling window, by occurred_at
    after: timedelta = timedelta(0)  #: speak this long after the start signal
    unless: tuple[str, ...] = ()  #: signals that end the wait (an absence starts the message)
    key: Condition | None = None  #: occurrence key; None takes the signal's own key
    once: Once = Once.key
    cooldown: timedelta | None = None  #: from the last enrolling start signal to the next
    restart: Restart = Restart.ignore


@dataclass(frozen=True, slots=True)
class Step:
    """One text or one CRM task (a ``[[steps]]`` table)."""

    name: str
    wait: timedelta = timedelta(0)  #: after the step before was done; the first: after due
    template: str = ""  #: a text: template name without language and ending
    task: str = ""  #: or a CRM task: its subject line, a template text
    expires: timedelta = timedelta(hours=24)  #: after due; 4 h for service
    where: Condition | None = None  #: asked when due; false skips the step


@dataclass(frozen=True, slots=True)
class Goal:
    """What the play wants to happen (the ``[goal]`` table)."""

    signal: str
    within: timedelta  #: of the first accepted text
    where: Condition | None = None  #: over signal, contact, start
    same_key: bool = False  #: only a goal signal with the enrolment's occurrence key counts


@dataclass(frozen=True, slots=True)
class Play:
    """One file in ``mappings/plays``; its name is the file's name."""

    name: str
    version: str  #: sha256 of the file and its templates, 12 hex digits
    description: str
    role: Role
    purpose: Purpose
    scopes: tuple[str, ...]  #: consent scopes wanted beside the purpose, e.g. cart_reminders
    start: Start
    audience: Condition | None
    steps: tuple[Step, ...]
    goal: Goal | None
    exits: tuple[str, ...]  #: signals that end the enrolment
    stages: tuple[str, ...]  #: stages allowed; empty allows all
    mode: Mode = Mode.live
    holdout: float = 0.05  #: share that misses this play; 0 for service
    max_texts_per_key: int | None = None  #: over all enrolments of one occurrence key
    priority: int = 0
    content: str = ""  #: the file and its templates as read, kept in the ledger by version
