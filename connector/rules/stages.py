"""Stages: where a person stands in their life as a customer, and which way they may move."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stages:
    """``mappings/stages.toml`` as values."""

    order: tuple[str, ...]  #: earliest first
    fall_back: frozenset[str] = frozenset()  #: stages that may be returned to from a later one
    version: str = ""
    content: str = ""


def next_stage(stages: Stages, current: str, proposed: str) -> str:
    """The stage after an event proposes one: a later one, or one that may be returned to.

    "" proposes nothing; a current stage the file no longer knows gives way. Raises
    ``ValueError`` for a proposed stage that the file does not know.
    """
    if not proposed:
        return current
    if proposed not in stages.order:
        near = difflib.get_close_matches(proposed, stages.order, 1)
        hint = f"did you mean {near[0]!r}?" if near else "add it to mappings/stages.toml"
        raise ValueError(f"there is no stage {proposed!r}; {hint}")
    if current not in stages.order or proposed in stages.fall_back:
        return proposed
    return max(current, proposed, key=stages.order.index)
