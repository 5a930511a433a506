"""What a form proposes: a number and a consent, kept as pending, and the number is asked once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from connector.ledger import consents, listings
from connector.ledger.store import Tx
from connector.model import ConsentGiven, Event, Signal
from connector.rules import optin as rule
from connector.steps import optin, proven
from connector.steps.alarm import alarm
from connector.steps.setup import OpenSource, Setup

FLOODED = "form_flooded"  #: the alarm: more is proposed than is asked for

Record = Callable[[ConsentGiven, str], None]
"""Keeps one consent for a number."""


def take(
    tx: Tx,
    rt: Setup,
    source: OpenSource,
    contact_id: str,
    signal: Signal,
    event: Event,
    record: Record,
    now: datetime,
) -> None:
    """Keep what the form proposes, and ask each number for its yes; nothing else comes of it.

    A number is asked at most once in 30 days, whoever proposes it, and only so many numbers of a
    source in a day; what was sent long ago, or is told again by a back-fill, asks nobody.
    """
    wanted: dict[str, set[str]] = {}
    for given in signal.consents:
        if given.phone and given.pending:
            record(given, given.phone)
            wanted.setdefault(given.phone, set()).add(given.purpose)
    if event.back_fill or now - event.occurred_at > rule.PROPOSED_WITHIN:
        return
    for phone, purposes in wanted.items():
        _ask(tx, rt, source, contact_id, phone, purposes, signal, now)


def _ask(
    tx: Tx,
    rt: Setup,
    source: OpenSource,
    contact_id: str,
    phone: str,
    purposes: set[str],
    signal: Signal,
    now: datetime,
) -> None:
    expiries = rt.book.policy.expiries
    wanted, _ = optin.wanted(tx, phone, purposes, now, expiries)
    if not wanted:
        return
    known = consents.proposed_since(tx, source.name, now - rule.A_DAY)
    if known > rule.MOST_A_DAY:
        says = (
            f"{source.name} proposed {known} numbers in 24 hours; no more than {rule.MOST_A_DAY} "
            "are asked. Look who fills in the form: connector events --source " + source.name
        )
        alarm(tx, rt, FLOODED, says, now, about=source.name)
        return
    bearers = listings.bearers(tx, "phone", phone, 2)
    about = bearers[0] if len(bearers) == 1 else ""
    bears = "" if bearers else proven.whose(tx, rt, contact_id, signal, now)
    optin.ask(tx, rt, phone, wanted, about or bears, rt.earnest.value, now, bears=bears)
