"""What came of it in a world: texts, tasks, calls to other tools, decisions, ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from connector.clock import instant
from connector.ledger.store import Row, Tx

TEXTS: Final = """SELECT * FROM sends WHERE accepted_at IS NOT NULL OR counts_at IS NOT NULL
    ORDER BY coalesce(accepted_at, counts_at), id"""
OWED: Final = """SELECT * FROM writebacks WHERE kind <> 'activity' AND kind <> 'fields'
    AND key NOT LIKE 'task:reply:%' ORDER BY owed_at, id"""
DECISIONS: Final = "SELECT * FROM decided ORDER BY decided_at, id"
GOALS: Final = {"converted": "goal"}
"""A goal reached when all steps were done ends nothing any more, and is a goal all the same."""
ENROLMENTS: Final = "SELECT * FROM enrolments ORDER BY opened_at, id"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that left: a text, an answer of ours, a task, a call to another tool."""

    at: datetime
    kind: str  #: text, answer, task or webhook
    step: str
    says: str  #: the text, the task's subject, or what is called
    template: str = ""
    language: str = ""
    segments: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision."""

    at: datetime
    moment: str
    play: str
    step: str
    verdict: str
    reasons: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An enrolment that is over, and why."""

    at: datetime | None
    step: int
    reason: str


@dataclass(frozen=True, slots=True)
class Happened:
    """All that came of it, in order."""

    acts: tuple[Act, ...]
    judged: tuple[Judged, ...]
    ended: tuple[Ended, ...]
    enrolled: int = 0
    faults: tuple[str, ...] = ()  #: what the steps logged as failed


def happened(tx: Tx, faults: Sequence[str] = ()) -> Happened:
    """What a world's ledger knows."""
    acts = [*map(_text, tx.all(TEXTS)), *_owed(tx.all(OWED))]
    enrolments = tx.all(ENROLMENTS)
    return Happened(
        acts=tuple(sorted(acts, key=lambda act: act.at)),
        judged=tuple(map(_judged, tx.all(DECISIONS))),
        ended=tuple(_ended(row) for row in enrolments if row["exit_reason"] or row["goal_kind"]),
        enrolled=len(enrolments),
        faults=tuple(faults),
    )


def _text(row: Row) -> Act:
    return Act(
        at=instant(row["accepted_at"] or row["counts_at"]),
        kind="answer" if row["cause"] == "system" else "text",
        step=row["step"],
        says=row["text"],
        template=row["template"],
        language=row["language"],
        segments=int(row["segments"] or 0),
    )


def _owed(rows: Sequence[Row]) -> Iterator[Act]:
    """Tasks for the CRM and calls to other tools; the key ends in the step that made them."""
    for row in rows:
        change: dict[str, Any] = orjson.loads(row["change"])
        is_task = row["kind"] == "task"
        says = change.get("subject") if is_task else _tool(row, change)
        yield Act(
            at=instant(row["owed_at"]),
            kind="task" if is_task else "webhook",
            step=str(row["key"]).rpartition(":")[2],
            says=str(says or ""),
        )


def _tool(row: Row, change: dict[str, Any]) -> str:
    """The tool that is called: its own name, or the last part of the adapter's."""
    return str(change.get("webhook") or str(row["crm"]).rpartition(":")[2])


def _judged(row: Row) -> Judged:
    objections: list[dict[str, Any]] = orjson.loads(row["objections"])
    return Judged(
        at=instant(row["decided_at"]),
        moment=row["moment"],
        play=row["play"],
        step=row["step"],
        verdict=row["verdict"],
        reasons=tuple(str(item["reason"]) for item in objections),
        says=" ".join(str(item["says"]) for item in objections),
    )


def _ended(row: Row) -> Ended:
    reason = row["exit_reason"] or GOALS.get(row["goal_kind"], row["goal_kind"])
    at = row["ended_at"] or row["goal_at"]
    return Ended(instant(at) if at else None, int(row["step"]), str(reason))
