"""What happened is owed to the CRM: marked in the transaction in which it happened.

Only that something changed is marked. What there is to say is looked up when the write-back
goes out, so that ten changes of one text or one contact are written once, as they then stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connector import clock
from connector.ledger import writebacks
from connector.ledger.store import Tx
from connector.records import Owed
from connector.rules import activities as rules
from connector.rules.writeback import fields_key

HOOK = "hook:"  #: before the name of a tool, where a CRM's name stands


def send_changed(tx: Tx, crm: str, send: Mapping[str, Any], now: datetime) -> None:
    """A text came to a new state; ``send`` is its row after that.

    Texts that were held or stopped before they left are not the CRM's business.
    """
    if rules.is_shown(send):
        owed = Owed("activity", rules.send_key(send["id"]), {}, send["id"])
        writebacks.owe(tx, crm, send["contact_id"], owed, now)
    elif not (
        rules.may_be_shown(send) and writebacks.touch(tx, crm, rules.send_key(send["id"]), now)
    ):
        return
    contact_changed(tx, crm, send["contact_id"], now)


def replied(tx: Tx, crm: str, reply: Mapping[str, Any], now: datetime) -> None:
    """A reply was heard; one from a number nobody is known by has no record to stand on."""
    if reply["contact_id"]:
        owed = Owed("activity", f"reply:{reply['id']}", {}, reply["send_id"] or "")
        writebacks.owe(tx, crm, reply["contact_id"], owed, now)
        contact_changed(tx, crm, reply["contact_id"], now)


def hot_reply(tx: Tx, crm: str, reply: Mapping[str, Any], now: datetime) -> None:
    """A reply needs a person: it is a task, at once and only once. Its words are looked up."""
    key = rules.hot_key(reply["id"])
    owed = Owed("task", key, {}, reply["send_id"] or "", urgent=True)
    writebacks.owe(tx, crm, reply["contact_id"], owed, now)


def outcome_heard(tx: Tx, crm: str, outcome: Mapping[str, Any], now: datetime) -> None:
    """An outcome was heard."""
    owed = Owed("activity", f"outcome:{outcome['id']}", {}, outcome["send_id"] or "")
    writebacks.owe(tx, crm, outcome["contact_id"], owed, now)
    contact_changed(tx, crm, outcome["contact_id"], now)


def task_due(tx: Tx, crm: str, contact_id: str, key: str, subject: str, now: datetime) -> None:
    """A play's step asks for a task; ``key`` is ``<enrolment>:<step>``, ``subject`` its words."""
    for owed in rules.for_task(key, subject, clock.text(now)):
        writebacks.owe(tx, crm, contact_id, owed, now)


def call_due(
    tx: Tx, webhook: str, contact_id: str, key: str, told: Mapping[str, Any], now: datetime
) -> None:
    """A play's step asks another tool to be called; ``key`` is ``<enrolment>:<step>``."""
    owed = Owed("webhook", f"call:{key}", dict(told), urgent=True)
    writebacks.owe(tx, f"{HOOK}{webhook}", contact_id, owed, now)


def contact_changed(tx: Tx, crm: str, contact_id: str, now: datetime) -> None:
    """Something that the contact's fields sum up has changed: stage, opt-out, traits."""
    writebacks.owe(tx, crm, contact_id, Owed("fields", fields_key(contact_id)), now)
