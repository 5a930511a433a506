"""Triggers: whether something that happened opens, re-arms or ends a way through a play.

One small pure function for each thing that may start a play, and one judge that all of them meet.
"""

from connector.rules.triggers.counts import counted, first
from connector.rules.triggers.judge import (
    STALE,
    Standing,
    Start,
    ends,
    goal_kind,
    is_about,
    judge,
    matches,
    occurrence,
    rearms,
    share,
)
from connector.rules.triggers.threshold import number

__all__ = [
    "STALE",
    "Standing",
    "Start",
    "counted",
    "ends",
    "first",
    "goal_kind",
    "is_about",
    "judge",
    "matches",
    "number",
    "occurrence",
    "rearms",
    "share",
]
