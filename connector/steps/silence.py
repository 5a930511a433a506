"""Silence: people of whom nothing was heard for a play's span, found by when they last acted."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from connector import clock
from connector.ledger import cursors, quiet
from connector.ledger.store import Row, Tx
from connector.rules.plays import Kind, Mode, Play, Silence
from connector.rules.triggers import silence as rules
from connector.steps.apart import apart
from connector.steps.began import begin
from connector.steps.setup import Setup

SLICE = 32  #: people at a time
LAG = timedelta(minutes=1)  #: how far the mark may stay behind where nobody fell silent
PAST_ALL = "~"  #: after every id


def scan(tx: Tx, rt: Setup, now: datetime, *, careful: bool = True) -> int:
    """Start the plays of people who have been silent long enough; how many were looked at.

    A play that is new, or was off, begins with those who fall silent from now on.
    """
    looked = 0
    for play in rt.by_kind.get(Kind.silence, ()):
        form = play.start.silence
        if form is not None:
            looked += _scan(tx, rt, play, form, now, careful=careful)
    return looked


def _scan(tx: Tx, rt: Setup, play: Play, form: Silence, now: datetime, *, careful: bool) -> int:
    name, until = _cursor(play, form), now - form.span
    mark = cursors.get(tx, name)
    if play.mode is Mode.off:
        if mark:
            cursors.set_(tx, name, "")
        return 0
    if not mark:
        cursors.set_(tx, name, f"{clock.text(until)}|")
        return 0
    at, _, after = mark.partition("|")
    rows = quiet.between(tx, at, after, until, SLICE, also_never=form.since == "first_seen")
    for row in rows:
        begun = partial(fire, tx, rt, play, form, row, now)
        apart(tx, begun, f"{play.name}:{row['id']}", careful=careful)
    if len(rows) == SLICE:
        cursors.set_(tx, name, f"{rows[-1]['since']}|{rows[-1]['id']}")
    elif rows or until - clock.instant(at) > LAG:  # an import from before it starts nothing
        cursors.set_(tx, name, f"{clock.text(until)}|{PAST_ALL}")
    return len(rows)


def fire(tx: Tx, rt: Setup, play: Play, form: Silence, row: Row, now: datetime) -> None:
    """Start a play for one who has been silent since the row's instant."""
    began = clock.instant(row["since"])
    facts = {"since": row["since"], "days": form.span / timedelta(days=1)}
    begin(
        tx,
        rt,
        play,
        str(row["id"]),
        "silence",
        facts,
        occurrence=rules.occurrence(began),
        at=began + form.span,
        now=now,
    )


def heard_late(tx: Tx, rt: Setup, contact_id: str, at: datetime, now: datetime) -> None:
    """An activity heard so late that the scan is past it: the silence after it is judged now."""
    for play in rt.of_kind(Kind.silence):
        form = play.start.silence
        if form is None or at + form.span > now:
            continue
        mark = cursors.get(tx, _cursor(play, form)).partition("|")[0]
        row = quiet.one(tx, contact_id)
        if mark and row is not None and row["since"] == clock.text(at) and row["since"] <= mark:
            fire(tx, rt, play, form, row, now)


def next_due(tx: Tx, rt: Setup) -> datetime | None:
    """When the next person will have been silent long enough."""
    found = []
    for play in rt.of_kind(Kind.silence):
        form = play.start.silence
        mark = cursors.get(tx, _cursor(play, form)) if form else ""
        if form is None or not mark:
            found.append(clock.instant("1970-01-01T00:00:00Z"))
            continue
        since = quiet.next_after(tx, *mark.split("|", 1), also_never=form.since == "first_seen")
        if since is not None:
            found.append(since + form.span)
    return min(found, default=None)


def _cursor(play: Play, form: Silence) -> str:
    return f"silence:{play.name}:{form.since}:{int(form.span.total_seconds())}"
