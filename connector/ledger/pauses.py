"""Pauses: plays that hold or drop, and the kill switch that holds everything."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.errors import ConnectorError
from connector.ledger import cursors
from connector.ledger.store import Row, Tx

EVERYTHING = "*"
CLOCK = "@clock"  #: stands in a play's place where a wrong clock holds all marketing
UNHEARD = "@unheard"  #: likewise where replies may have been missed while nobody listened
RESTORED = "restored"  #: who holds everything after a restore, and the cursor that tells of it
RESTORE_OPEN = "restore_open"  #: a cursor that is set for as long as nobody looked into the gap
ALL = "SELECT * FROM pauses"
SET = """INSERT INTO pauses (play, verdict, since, who, why)
    VALUES (:play, :verdict, :at, :who, :why)
    ON CONFLICT (play) DO UPDATE SET verdict = excluded.verdict, since = excluded.since,
        who = excluded.who, why = excluded.why"""
DROP = """UPDATE enrolments SET state = 'ended', due_at = NULL, ended_at = :at,
    exit_reason = 'paused' WHERE play = :play AND (state = 'waiting' OR state = 'walking')"""
CANCEL = """UPDATE sends SET state = 'cancelled', reason = 'paused', settled_at = :at
    WHERE play = :play AND state = 'planned' AND counts_at IS NULL"""
LIFT = "DELETE FROM pauses WHERE play = :play"


def of(tx: Tx, play: str) -> Row | None:
    """The pause that a play is under: the kill switch before its own; None where it runs."""
    return against(tx, play)[0]


def against(
    tx: Tx, play: str, template_name: str = ""
) -> tuple[Row | None, Row | None, Row | None, Row | None]:
    """The pause that a play is under, as ``of`` tells, the hold of a wrong clock, the pause of a
    template, and the hold while replies may have been missed."""
    held = tx.all(ALL)  # hardly ever any, and asked for every text
    if not held:
        return None, None, None, None
    by_play = {str(row["play"]): row for row in held}
    now = by_play.get(EVERYTHING) or by_play.get(play)
    paused = by_play.get(template(template_name))
    return now, by_play.get(CLOCK), paused, by_play.get(UNHEARD)


def of_marketing(tx: Tx) -> dict[str, str]:
    """What holds all marketing just now, by the reason that decisions give, and why."""
    reasons = {CLOCK: "clock_off", UNHEARD: "replies_unheard"}
    held = all_(tx)
    return {code: str(held[name]["why"]) for name, code in reasons.items() if name in held}


def is_clock_off(tx: Tx) -> bool:
    """Whether this machine's clock is known to be wrong."""
    return CLOCK in all_(tx)


def template(name: str) -> str:
    """What stands in a play's place where a template is paused."""
    return f"@template:{name}"


def all_(tx: Tx) -> dict[str, Row]:
    """Every pause by play; ``*`` is the kill switch."""
    return {str(row["play"]): row for row in tx.all(ALL)}


def set_(tx: Tx, play: str, verdict: str, *, who: str, why: str, at: datetime) -> None:
    """Pause a play, or everything; a pause that drops ends what is on the way at once."""
    stamp = clock.text(at)
    tx.run(SET, play=play, verdict=verdict, at=stamp, who=who[:200], why=why[:500])
    if verdict == "drop":
        tx.run(DROP, play=play, at=stamp)
        tx.run(CANCEL, play=play, at=stamp)


def lift(tx: Tx, play: str) -> bool:
    """End a pause; False where there was none.

    Raises ``ConnectorError`` for the kill switch of a restored ledger until the replies and texts
    since its backup were fetched, or a person answered for them: whichever road asks.
    """
    if play == EVERYTHING and cursors.get(tx, RESTORE_OPEN):
        raise ConnectorError(
            "this is a restored ledger, and the replies and texts since its backup are not known "
            "yet: run `connector restore fetch`, or answer for them with "
            "`connector restore confirm --why ...`"
        )
    return bool(tx.run(LIFT, play=play))
