"""Untaken: what becomes of a text that a provider certainly did not take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.errors import Deferred, Refused
from connector.ledger import consents, enrolments, sends
from connector.ledger.store import Row, Tx
from connector.rules import retry
from connector.rules.routing import Way, goes_on
from connector.steps import templates
from connector.steps.alarm import alarm
from connector.steps.consent import record_consent
from connector.steps.setup import Setup

ACCOUNT: Final = "configuration"  #: the reason where it is not the text that is at fault
NUMBER_TYPES: Final = {"not_mobile": "fixed_line", "invalid_number": "invalid"}
"""What a provider's refusal tells of the number itself."""


def refused(tx: Tx, rt: Setup, row: Row, error: Refused, now: datetime) -> None:
    """It will never be taken: the text ends, its enrolment too, and the number learns why."""
    ends = sends.refused(tx, str(row["id"]), error.reason, error.code, now)
    of_number(tx, rt, row, error, now)
    if ends and row["enrolment_id"]:
        enrolments.end(tx, str(row["enrolment_id"]), f"refused:{error.reason}", now)


def of_number(tx: Tx, rt: Setup, row: Row, error: Refused, now: datetime) -> None:
    """What a refusal tells of the number itself, whatever becomes of the text."""
    if error.reason in NUMBER_TYPES:
        consents.set_type(tx, str(row["phone"]), NUMBER_TYPES[error.reason])
    if error.reason == "opted_out":
        added = record_consent(
            tx,
            rt,
            phone=str(row["phone"]),
            purpose="all",
            granted=False,
            method="provider",
            source=str(row["provider"]),
            wording=f"provider error {error.code}",
            now=now,
        )
        if added:
            templates.opted_out(tx, rt, str(row["phone"]), now, now)


def deferred(tx: Tx, rt: Setup, row: Row, error: Deferred, way: Way, now: datetime) -> None:
    """Due again later, for as long as the text is worth sending; the gate drops it after.

    At once, where the next hop of its route may take it.
    """
    attempt = int(row["attempt"])
    expires_at = clock.instant(row["expires_at"])
    due_at = retry.next_attempt(attempt, now, error.reason, error.retry_after, rt.chance())
    due_at = min(due_at or expires_at, max(expires_at, now + timedelta(seconds=1)))
    asked_until = now + timedelta(seconds=error.retry_after or 0)
    if way.has_more and goes_on(error.reason, asked_until, expires_at):
        due_at = now
    sends.deferred(tx, str(row["id"]), error.reason, error.code, due_at)


def alarm_of(tx: Tx, rt: Setup, provider: str, code: str, now: datetime) -> None:
    """Tell somebody that the whole account is refused."""
    says = (
        f"{provider} refuses us, not the text (error {code or 'without a code'}): look at its "
        "credentials, its sender and the account; texts are tried again until they expire."
    )
    alarm(tx, rt, "provider_refuses", says, now, about=f"{provider} {code}".strip())
