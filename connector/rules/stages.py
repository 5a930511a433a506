"""Stages: where a person stands in their life as a customer, and which way they may move."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stages:
    """``mappings/stages.toml`` as values."""

    order: tuple[str, ...]  #: earliest first
    crms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  #: crm → stage → its name
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


def crm_name(stages: Stages, crm: str, stage: str) -> str:
    """What a CRM calls a stage; the stage's own name where the file names no other."""
    return stages.crms.get(crm, {}).get(stage, stage)


def own_name(stages: Stages, crm: str, name: str) -> str:
    """The earliest stage that a CRM calls ``name``; "" where there is none."""
    return next((stage for stage in stages.order if crm_name(stages, crm, stage) == name), "")
