"""The gap between a backup and its restoring, at the gate: what was due in it waits in doubt.

Another connector lived in the gap, and texted. ``steps/restored`` settles the doubt by what the
provider told of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from connector import clock
from connector.ledger import acts, pauses, restores
from connector.ledger.restores import Restored
from connector.ledger.store import Row, Tx
from connector.model import Cause
from connector.rules import restored as rule
from connector.steps.setup import Setup

log = logging.getLogger("connector")

MANY: Final = 10_000_000  #: more than any ledger has planned at once


class Names(Protocol):
    """What keeping an act needs of the setup."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""


def hold(tx: Tx, rt: Names, restored: Restored, *, who: str, why: str) -> int:
    """Begin a restored ledger's life: everything is held, and what was due by now is in doubt.

    How many texts that are.
    """
    at = restored.restored_at
    restores.mark(tx, restored)
    if pauses.EVERYTHING not in pauses.all_(tx):
        says = "restored: run `connector restore fetch`, or `connector restore confirm`"
        pauses.set_(tx, pauses.EVERYTHING, "hold", who=pauses.RESTORED, why=says, at=at)
    made = clock.text(restored.backup_at)
    why = f"{why}, made at {made}"
    act = rt.new_id("act")  # from its version on, anchors up to it are of what was lost
    acts.add(tx, act, "restored", "ledger", who=who, at=at, why=why, version=made)
    return restores.doubt_due(tx, at, MANY)


def covers(rt: Setup, due_at: datetime) -> bool:
    """Whether what was due then may have been done by the connector that was lost."""
    return rt.restored is not None and due_at <= rt.restored.restored_at


def holds_back(tx: Tx, rt: Setup, send: Row) -> bool:
    """Put a planned text in doubt that was due in the gap, before anything else is asked of it."""
    if send["cause"] == Cause.system or not covers(rt, clock.instant(send["due_at"])):
        return False
    restores.doubt(tx, str(send["id"]), str(send["text"]))
    log.info("act=gate send=%s result=uncertain reason=restored", send["id"])
    return True


def was_said(tx: Tx, rt: Setup, send: Row, phone: str, text: str, now: datetime) -> bool:
    """Put a text in doubt whose very words were lost: asked as it leaves, for a day afterwards."""
    known = rt.restored
    if known is None or now > known.restored_at + rule.AFTERWARDS:
        return False
    since, words = known.backup_at - rule.EARLY, rule.wording(text)
    found = restores.lost_to(tx, phone, since)
    if all(rule.wording(str(row["text"])) != words for row in found if row["cause"] == Cause.lost):
        return False
    restores.doubt(tx, str(send["id"]), text)
    log.info("act=gate send=%s result=uncertain reason=restored", send["id"])
    return True
