"""Edges: coming into a segment, or out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from connector.rules.plays import Edge, Segment

TIMELY: Final = frozenset({"now", "first_seen", "last_seen"})
LOOK_AGAIN: Final = timedelta(hours=6)
"""Where a segment reads the time itself (``days_since``), how often it is asked again."""
EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def crossed(edge: Edge, segment: str, before: bool, after: bool) -> bool:
    """Whether a change of membership is the one the play waits for."""
    return edge.segment == segment and before != after and after == edge.entering


def occurrence(at: datetime) -> str:
    """The key of one crossing: when it was."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


def reads(segment: Segment, signal: str, changed: Collection[str]) -> bool:
    """Whether a signal, or values that became others, may have moved somebody in or out."""
    if signal in segment.signals or (signal and "last_seen" in segment.paths):
        return True
    if not segment.paths:
        return bool(changed) and not segment.signals
    roots = {path for path in segment.paths if "." not in path}
    return any(
        _in_context(path) in segment.paths or path.partition(".")[0] in roots for path in changed
    )


def _in_context(path: str) -> str:
    return "contact.stage" if path == "stage" else path


def is_timely(segment: Segment) -> bool:
    """Whether time alone may move somebody in or out."""
    return bool(segment.signals or segment.paths & TIMELY)


def look_again(segment: Segment, contact_id: str, at: datetime) -> datetime | None:
    """When to ask again about a segment that reads the time itself.

    Each person has fixed instants, so that whenever they were asked last, they are asked at the
    same ones from then on, and not all people at the same.
    """
    if not segment.paths & TIMELY:
        return None
    digest = hashlib.sha256(f"{segment.name}\x1f{contact_id}".encode()).digest()
    place = LOOK_AGAIN * (int.from_bytes(digest[:4], "big") / 2**32)
    return at + LOOK_AGAIN - (at - EPOCH - place) % LOOK_AGAIN


def meaning(segments: Collection[Segment]) -> str:
    """A short name for what segments mean, which is another when one of them was edited."""
    told = "\x1f".join(sorted(f"{each.name}={each.source}" for each in segments))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
