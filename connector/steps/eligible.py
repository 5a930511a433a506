"""Eligible: what lists, look-ups and the age of facts have against a text to somebody."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from connector import clock
from connector.ledger import crm_facts, numbers, refreshes
from connector.ledger.store import Row, Tx
from connector.model import ConsentRow, Contact, Decision, Purpose
from connector.rules.ages import old_facts, unchecked_number
from connector.rules.numberfile import DEACTIVATED
from connector.rules.plays import Play
from connector.rules.policy import CHECK_AGAIN, Facts
from connector.steps.consent import owner_since
from connector.steps.setup import Setup

BY_HAND: Final = "by hand"

log = logging.getLogger("connector")


def read_lists(rt: Setup) -> int:
    """Read the suppression lists before a text waits for it; how many faults they have.

    Each is logged as an error, which raises an alarm.
    """
    faults = rt.book.policy.lists.faults()
    for fault in faults:
        log.error("act=lists what=%s result=marketing_waits %s", fault.file, fault)
    return len(faults)


def own_consents(
    tx: Tx, contact_id: str, rows: list[ConsentRow], number: Row | None
) -> tuple[list[ConsentRow], datetime | None, dict[str, str]]:
    """Of a number's rows those that may speak for a contact, since when, and what to tell.

    A consent of before the number changed hands counts for nothing, and what ended one counts
    whoever said it. Where somebody else has come to bear the number since, what they agreed to is
    no leave to text who bore it before.
    """
    since = owner_since(number)
    if number is None or since is None:
        return rows, None, {}
    is_off = number["reassigned_how"] == DEACTIVATED
    what = "was deactivated by its carrier" if is_off else "has a new owner"
    says = f"The number {what} ({since:%Y-%m-%d}); "
    if numbers.passed_on(tx, str(number["phone"]), contact_id, since):
        told = {"reassigned": f"{says}somebody else has come to bear it."}
        return [row for row in rows if not row.granted], since, told
    if all(row.occurred_at > since for row in rows if row.granted):
        return rows, since, {}
    return rows, since, {"reassigned": f"{says}consents of before count for nothing."}


def listed(
    rt: Setup, contact: Contact, purpose: Purpose, number: Row | None, now: datetime
) -> dict[str, str]:
    """Which list names the person, and which list cannot be gone by."""
    found = {}
    if number is not None and number["suppressed_scope"] in ("all", purpose.value):
        found["on_list"] = f"{BY_HAND}: {number['suppressed_why']}"
    lists = rt.book.policy.lists
    if lists and purpose.value in lists.purposes:
        today = now.astimezone(ZoneInfo(rt.zone)).date()
        if name := lists.find(contact.phone, contact.email, today, contact.others):
            found["on_list"] = name
        if lists.fault:
            found["list_fault"] = lists.fault
    return found


def stale(
    tx: Tx,
    rt: Setup,
    contact: Contact,
    purpose: Purpose,
    play: Play | None,
    number: Row | None,
    now: datetime,
    *,
    leaves: bool,
) -> dict[str, str]:
    """What the text rests on that must be asked again before it goes.

    A number is only looked up for a play's text that ``leaves``, since each look-up costs money.
    """
    policy = rt.book.policy
    found = {}
    if policy.ages and contact.id:
        role, own = (play.role.value, play.crm) if play else ("", frozenset[str]())
        allowed = policy.ages.allowed(policy.crm(purpose.value, role) | own)
        if allowed is not None:
            asked_at = crm_facts.fetched_at(tx, rt.crm, contact.id)
            found["facts_old"] = old_facts(asked_at, allowed, now)
    every = policy.numbers.check_every
    if every is not None and leaves and play is not None and contact.phone:
        at = number["checked_at"] if number is not None else None
        checked_at = clock.instant(at) if at else None
        found["number_unchecked"] = unchecked_number(checked_at, every, now)
    return found


def ask_for(tx: Tx, facts: Facts, decision: Decision, send_id: str, now: datetime) -> None:
    """Note what a waiting text waits for, where nothing else holds it for longer."""
    if decision.until is None or decision.until > now + CHECK_AGAIN:
        return
    if facts.facts_old:
        refreshes.ask(tx, refreshes.CRM, facts.contact.id, send_id, now)
    if facts.number_unchecked:
        refreshes.ask(tx, refreshes.NUMBER, facts.contact.phone, send_id, now)
