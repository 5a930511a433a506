"""Changes: a field or the stage became another value, and plays that wait for it start."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from connector.ledger.contacts import Changed
from connector.ledger.store import Tx
from connector.rules.plays import Kind
from connector.rules.triggers import change as rules
from connector.steps.began import begin
from connector.steps.setup import Setup


def changed(
    tx: Tx,
    rt: Setup,
    contact_id: str,
    found: Iterable[Changed],
    *,
    at: datetime,
    now: datetime,
    event_id: str,
    back_fill: bool = False,
) -> None:
    """Start the plays that wait for one of these changes."""
    for path, before, after in found:
        for play in rt.of_kind(Kind.change):
            form = play.start.change
            if form is None or not rules.matches(form, path, before, after):
                continue
            facts = {"field": path, "before": rules.said(before), "after": rules.said(after)}
            begin(
                tx,
                rt,
                play,
                contact_id,
                "change",
                facts,
                occurrence=f"{path}@{event_id}",
                at=at,
                now=now,
                back_fill=back_fill,
                change=facts,
            )
