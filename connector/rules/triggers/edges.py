"""Edges: coming into a segment, or out of it."""

from __future__ import annotations

from datetime import datetime

from connector.rules.plays import Edge


def crossed(edge: Edge, segment: str, before: bool, after: bool) -> bool:
    """Whether a change of membership is the one the play waits for."""
    return edge.segment == segment and before != after and after == edge.entering


def occurrence(at: datetime) -> str:
    """The key of one crossing: when it was."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
