"""The policy: the list of checks, gravest first, that every text passes twice."""

from connector.rules.policy.checks import CHECKS, SYSTEM_CHECKS
from connector.rules.policy.values import (
    CHECK_AGAIN,
    Cap,
    Check,
    Facts,
    Policy,
    Rulebook,
    Suppression,
    Together,
)
from connector.rules.policy.weigh import decide

__all__ = [
    "CHECKS",
    "CHECK_AGAIN",
    "SYSTEM_CHECKS",
    "Cap",
    "Check",
    "Facts",
    "Policy",
    "Rulebook",
    "Suppression",
    "Together",
    "decide",
]
