"""Hearing: that the connector is there to be told things, and what follows where it was not.

Callbacks come to the web, and most providers tell a reply once. Web and worker note now and then
that they live; after a gap of more than five minutes somebody may have said stop unheard, so all
marketing waits until every provider that can list replies was asked (``steps/catchup``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from connector import clock
from connector.ledger import acts, alarms, cursors, pauses
from connector.ledger.store import Tx
from connector.rules.policy import CHECK_AGAIN

GAP: Final = timedelta(minutes=5)
NOTE_EVERY: Final = 30.0  #: seconds
WEB, WORKER = "web", "worker"
WHO: Final = "connector"
KIND: Final = "replies_unheard"  #: of the alarm
WAKE = """UPDATE sends SET due_at = :now WHERE state = 'planned' AND due_at > :now
    AND due_at <= :soon AND EXISTS (SELECT 1 FROM decided d WHERE d.send_id = sends.id
        AND d.reason = 'replies_unheard' AND d.until_at = sends.due_at)"""


class Names(Protocol):
    """What keeping an act needs of the setup."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""


def note(tx: Tx, rt: Names, part: str, wall: datetime, now: datetime) -> bool:
    """A part of the connector lives at ``wall``; whether it had not for more than five minutes.

    A gap is met by the first part that sees it, in the transaction that would else hide it.
    ``wall`` is the machine's own clock, ``now`` that of the folder.
    """
    before = alive(tx, part)
    cursors.set_(tx, _cursor(part), clock.text(wall))
    if before is None or wall - before <= GAP:
        return False
    hold(tx, rt, f"the {part} was away for {_span(wall - before)}", now)
    return True


def alive(tx: Tx, part: str) -> datetime | None:
    """When a part of the connector was last known to live; None where it never was."""
    written = cursors.get(tx, _cursor(part))
    return clock.instant(written) if written else None


def hold(tx: Tx, rt: Names, why: str, now: datetime) -> None:
    """Let no marketing leave until replies were asked for; an older hold stands."""
    if pauses.UNHEARD in pauses.all_(tx):
        return
    says = f"Replies may have been missed: {why}."
    pauses.set_(tx, pauses.UNHEARD, "hold", who=WHO, why=says, at=now)
    acts.add(tx, rt.new_id("act"), "pause", f"play:{pauses.UNHEARD}", who=WHO, why=says, at=now)


def let_go(tx: Tx, rt: Names, now: datetime) -> None:
    """Replies were asked for: marketing goes on, and what waited only for that is due."""
    if not pauses.lift(tx, pauses.UNHEARD):
        return
    why = "every provider that lists replies has listed them"
    acts.add(tx, rt.new_id("act"), "resume", f"play:{pauses.UNHEARD}", who=WHO, why=why, at=now)
    tx.run(WAKE, now=clock.text(now), soon=clock.text(now + CHECK_AGAIN))
    alarms.clear(tx, KIND, "", now)


def _cursor(part: str) -> str:
    return f"alive:{part}"


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"
