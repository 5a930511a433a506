"""Rules on what starts a play: whether it shows intent, for whom it is, and how often it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from connector.model import Purpose
from connector.rules.copy.reading import Finding
from connector.rules.plays import Kind, Mode, Once, Play

WEAK: Final = frozenset(
    {
        *("page_viewed", "screen_viewed", "identified", "session_started", "app_opened"),
        *("email_opened", "identity_joined", "group_joined", "ad_seen", "video_seen"),
    }
)
"""Signals that everybody gives all the time; alone they show no intent."""

MOST: Final = 0.2
"""Share of active contacts that a play may start for in 30 days before it is asked about."""

REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "no_condition": (
        "A play that starts at every such signal texts people who want nothing of it.",
        'Add where = "…", count = 2 within a span, or after with unless.',
    ),
    "no_audience": (
        "Without an audience it is for customers, leads and competitors alike.",
        'Add audience = "contact.stage != \'customer\'", or stages = ["lead"].',
    ),
    "no_goal": (
        "Without a goal nobody can say whether it works, and it goes on after it has.",
        "Add [goal] with the signal that proves the next step.",
    ),
    "no_cooldown": (
        "The same person may start it again and again.",
        'Add cooldown = "30d", or once = "contact".',
    ),
    "weak_signal": (
        "This signal shows no intent by itself.",
        "Start from what shows intent (a cart, a form, a second look), or add count and within.",
    ),
    "starts_too_often": (
        "What starts for so many is no answer to what one of them did.",
        "Narrow it by where, count or audience.",
    ),
}
"""Code → why it matters, and what to write instead."""


def start_findings(play: Play) -> Iterator[Finding]:
    """What is to be said of a play's start; what it silences is left out."""
    for code, says in _wrong(play):
        if code not in play.allowed:
            yield finding(code, says)


def finding(code: str, says: str) -> Finding:
    """A finding about a start with its reason and remedy."""
    return Finding(code, says, *REASONS[code])


def too_often(play: Play, started: int, active: int, most: float = MOST) -> Finding | None:
    """Whether a play started for more than a share of the contacts active in the same time."""
    if "starts_too_often" in play.allowed or play.purpose is not Purpose.marketing:
        return None
    if active < 50 or started <= most * active:
        return None
    share = 100 * started / active
    return finding(
        "starts_too_often",
        f"It started for {started:,} of {active:,} active contacts ({share:.0f} %).",
    )


def _wrong(play: Play) -> Iterator[tuple[str, str]]:
    if play.purpose is not Purpose.marketing or play.mode is Mode.off:
        return
    if _is_unconditional(play):
        yield "no_condition", f"Every {play.start.signal} starts it."
    if play.audience is None and not play.stages and not _has_segment(play):
        yield "no_audience", "It says nothing of whom it is for."
    if play.goal is None:
        yield "no_goal", "It says nothing of what it wants to happen."
    if _may_repeat(play):
        yield "no_cooldown", "Nothing says how soon it may start again."
    start = play.start
    if start.signal in WEAK and start.count < 2 and start.where is None and not start.first:
        yield "weak_signal", f"{start.signal} starts it."


def _is_unconditional(play: Play) -> bool:
    start = play.start
    return start.kind is Kind.signal and not (
        start.where
        or start.count > 1
        or start.first
        or start.unless
        or play.audience
        or play.stages
        or start.date
    )


def _has_segment(play: Play) -> bool:
    start = play.start
    return bool(start.edge or start.schedule or (start.fan_out and start.fan_out.segment)) or (
        start.kind is Kind.hand
    )


def _may_repeat(play: Play) -> bool:
    start = play.start
    if start.cooldown is not None or start.once is Once.contact or start.first:
        return False
    return start.kind not in (Kind.date, Kind.hand, Kind.schedule) and start.date is None
