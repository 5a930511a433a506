"""What happens to people whom a CRM knows: texts, receipts, replies, as the steps keep them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from connector.ledger import contacts, crm_facts, sends
from connector.ledger.sends import Plan
from connector.ledger.store import Tx
from connector.messages import Accepted, Receipt, Reply
from connector.model import Status
from connector.steps import outcome, owed
from connector.steps.setup import Setup

FACTS = {"object": "contact", "lifecyclestage": "lead"}


def phone(person: int) -> str:
    """The number of a person."""
    return f"+1212{5_550_000 + person}"


def know(tx: Tx, rt: Setup, person: int, record: str, now: datetime) -> None:
    """A contact as they came from the CRM, where this record is theirs."""
    contact = f"con_{person}"
    contacts.create(tx, contact, now)
    for kind, value in (("crm_id", f"{rt.crm}:{record}"), ("phone", phone(person))):
        link = {"confirmed": True, "link_id": f"{kind}_{person}"}
        contacts.link(tx, kind, value, contact, "", now, **cast(Any, link))
    crm_facts.keep(tx, rt.crm, contact, {**FACTS, "id": record}, now)


def text(tx: Tx, rt: Setup, number: int, person: int, now: datetime) -> str:
    """A text to a person was taken by the provider; its id."""
    send_id = f"snd_{number}"
    plan = Plan(
        id=send_id,
        cause="play",
        cause_id=send_id,
        step="reminder",
        contact_id=f"con_{person}",
        phone=phone(person),
        purpose="marketing",
        template="cart",
        play="cart_abandoned",
        due_at=now,
        expires_at=now + timedelta(days=1),
    )
    said = {"text": f"Your cart {number} is waiting.", "language": "en", "encoding": "gsm7"}
    told = {**said, "segments": 1, "provider": "sandbox", "phone": plan.phone, "at": now}
    sends.plan(tx, plan, now)
    sends.begin(tx, send_id, **cast(Any, told))
    sends.accepted(tx, send_id, Accepted(f"SM{number}"), now)
    owed.send_changed(tx, rt.crm, cast(Any, sends.get(tx, send_id)), now)
    return send_id


def receipt(tx: Tx, rt: Setup, number: int, now: datetime) -> None:
    """A text arrived."""
    told = Receipt("sandbox", f"SM{number}", Status.delivered, "delivered")
    outcome.receipt(tx, rt, told, now)


def reply(tx: Tx, rt: Setup, number: int, person: int, words: str, now: datetime) -> None:
    """A person texted back."""
    told = Reply("sandbox", f"MO{number}", phone(person), "+12125550199", words)
    outcome.reply(tx, rt, told, now)
