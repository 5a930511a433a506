"""A CRM that cannot be asked: when it is asked again, and what the operator is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DOWN: Final = "crm_down"
UNAUTHORIZED: Final = "crm_unauthorized"
LIMIT: Final = "crm_limit"
KINDS: Final = (DOWN, UNAUTHORIZED, LIMIT)  #: of alarms, all over as soon as it answers

ALARM_AFTER: Final = timedelta(minutes=5)
"""How long an outage that waiting may mend is nobody's business."""

LOOK_AFTER: Final = timedelta(seconds=30)
"""How long after a time-out a change is looked up at the soonest: what came late may still act."""

_OF_CODE: Final[Mapping[str, str]] = {
    "unauthorized": UNAUTHORIZED,
    "forbidden": UNAUTHORIZED,
    "daily_limit": LIMIT,
    "rate_limited": LIMIT,
}
_AT_ONCE: Final = frozenset({"unauthorized", "forbidden", "daily_limit"})
_SAYS: Final[Mapping[str, str]] = {
    DOWN: "cannot be reached; what it is owed is kept, and is written when it answers",
    UNAUTHORIZED: "refuses our credentials, so nothing is written to it",
    LIMIT: "lets us make no more calls for now; what it is owed is kept, and is written later",
}
_REMEDIES: Final[Mapping[str, str]] = {
    DOWN: "See whether it is up and can be reached from this machine.",
    UNAUTHORIZED: "Renew its key or rights in [crms] of config.toml, and restart the connector.",
    LIMIT: "See in the CRM what else uses its allowance, or raise [crm] flush_after.",
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """What the operator is told of an outage."""

    kind: str
    says: str


def alarm_for(
    code: str, remedy: str, since: datetime, until: datetime, now: datetime, *, crm: str
) -> Alarm | None:
    """What to tell of an outage that began at ``since`` and is looked at again at ``until``.

    What only the operator can mend is told at once; the rest when it lasts.
    """
    if code not in _AT_ONCE and now - since < ALARM_AFTER:
        return None
    kind = _OF_CODE.get(code, DOWN)
    says = f"{crm} {_SAYS[kind]} ({code or 'unavailable'}); asked again at {until:%H:%M} UTC."
    return Alarm(kind, f"{says} {remedy or _REMEDIES[kind]}")
