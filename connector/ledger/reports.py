"""Reports: the chain from an event to the CRM, read as plain values for one thing of the ledger.

A chain is ``{"kind", "id", "contact", "numbers", "bearers", "stories", "left_out"}``; what a
story holds is told in :mod:`connector.ledger.stories`. Every query is by an index, and bounded.
"""

from __future__ import annotations

from connector import phone
from connector.ledger import consents, contacts, crm_history, decisions, enrolments, sends, stories
from connector.ledger.store import Row, Tx
from connector.ledger.stories import MANY, REPLY
from connector.model import Json

Chain = dict[str, Json]

STARTS = f"""{decisions.SAME} SELECT id, event_id, enrolment_id, play, reason, decided_at AS at
    FROM decisions WHERE contact_id IN (SELECT same.id FROM same) AND moment = 'trigger'
    ORDER BY decided_at DESC LIMIT :limit"""  # noqa: S608
REPLIES_FROM = """SELECT id, occurred_at AS at FROM replies WHERE phone = :phone
    ORDER BY occurred_at DESC LIMIT :limit"""
SHARED = """SELECT i.contact_id, c.value AS crm_id FROM identities i LEFT JOIN identities c
        ON c.contact_id = i.contact_id AND c.kind = 'crm_id' AND c.detached_at IS NULL
    WHERE i.kind = 'phone' AND i.value = :phone AND i.detached_at IS NULL
    ORDER BY i.contact_id, coalesce(c.confirmed_at, c.linked_at) DESC LIMIT 100"""
KNOWN = (
    *("type", "country", "blocked_at", "blocked_by", "blocked_scope", "held_at", "held_why"),
    *("reassigned_at", "reassigned_how"),
)


def of_send(tx: Tx, send_id: str) -> Chain | None:
    """The chain of one text, or None."""
    send = sends.get(tx, send_id)
    if send is None:
        return None
    enrolment = enrolments.get(tx, send["enrolment_id"]) if send["enrolment_id"] else None
    reply = tx.one(REPLY, id=send["cause_id"]) if send["cause"] == "system" else None
    if enrolment is not None:
        story = stories.started(tx, enrolment, only=send)
    elif reply is not None:
        story = stories.replied(tx, reply)
    else:
        story = stories.story(texts=[stories.text(tx, send)])
    return _chain(tx, "send", send_id, send["contact_id"]) | {"stories": [story]}


def of_enrolment(tx: Tx, enrolment_id: str) -> Chain | None:
    """The chain of one contact's way through one play, or None."""
    row = enrolments.get(tx, enrolment_id)
    if row is None:
        return None
    chain = _chain(tx, "enrolment", enrolment_id, row["contact_id"])
    return chain | {"stories": [stories.started(tx, row)]}


def of_event(tx: Tx, event_id: str) -> Chain | None:
    """The chain of one event: every play it started, ended or was refused by; or None."""
    story = stories.heard(tx, event_id)
    if story is None:
        return None
    contact_id = story["event"]["contact_id"]
    return _chain(tx, "event", event_id, contact_id) | {"stories": [story]}


def of_reply(tx: Tx, reply_id: str) -> Chain | None:
    """The chain of one reply: what it answered, how it was understood, what it did; or None."""
    row = tx.one(REPLY, id=reply_id)
    if row is None:
        return None
    chain = _chain(tx, "reply", reply_id, row["contact_id"])
    return chain | {"stories": [stories.replied(tx, row)]}


def of_contact(tx: Tx, contact_id: str, limit: int) -> Chain | None:
    """The newest ``limit`` stories of a contact, oldest first; or None.

    Starts that one play refused for one and the same reason are told once, by the newest.
    """
    chain = _chain(tx, "contact", contact_id, contact_id)
    if chain["contact"] is None:
        return None
    known = chain["contact"]["id"]
    numbers = contacts.phones(contacts.identities(tx, known))
    starts: dict[tuple[str, str], Row] = {}
    for row in tx.all(STARTS, contact=known, limit=MANY):
        starts.setdefault((row["play"], row["enrolment_id"] or row["reason"]), row)
    found = list(starts.values())
    for e164 in numbers:
        found += tx.all(REPLIES_FROM, phone=e164, limit=limit + 1)
    beside = {
        "numbers": [number(tx, e164) for e164 in numbers],
        "crm_history": crm_history.of_person(tx, known, limit),
    }
    return _told(tx, chain, found, limit) | beside


def of_number(tx: Tx, e164: str, limit: int) -> Chain:
    """What stands against a number, and the stories of the one contact that bears it.

    Where none or several bear it, the stories are its replies alone.
    """
    bearers = contacts.bearers(tx, "phone", e164)
    chain = of_contact(tx, bearers[0], limit) if len(bearers) == 1 else None
    if chain is None:
        replies = tx.all(REPLIES_FROM, phone=e164, limit=limit + 1)
        chain = _told(tx, _chain(tx, "number", e164, ""), replies, limit)
        chain |= {"numbers": [number(tx, e164)], "crm_history": []}
    return chain | {"kind": "number", "id": e164, "bearers": bearers}


def number(tx: Tx, e164: str) -> dict[str, Json]:
    """What is known of a number itself, with its consent rows, oldest first, and who shares it."""
    row = consents.number(tx, e164)
    known = {name: row[name] if row else "" for name in KNOWN}
    rows: list[Json] = [dict(item) for item in consents.rows(tx, e164)]
    return {"phone": e164, **known, "consents": rows, "shared": _shared(tx, e164)}


def _shared(tx: Tx, e164: str) -> list[Json]:
    """The people who share a number, each with the CRM's record of theirs that is written to."""
    found: dict[str, str] = {}
    for row in tx.all(SHARED, phone=e164):
        found.setdefault(str(row["contact_id"]), str(row["crm_id"] or ""))
    people: list[Json] = [{"id": id_, "crm_id": crm_id} for id_, crm_id in found.items()]
    return people if len(people) > 1 else []


def who(tx: Tx, contact_id: str) -> dict[str, Json] | None:
    """The contact in brief, of the winner where it was merged away; ``zone`` is "" if unknown."""
    contact = contacts.get(tx, contact_id) if contact_id else None
    if contact is None:
        return None
    by_number = phone.zones(contact.phone) if contact.phone else ()
    return {
        "id": contact.id,
        "first_name": contact.traits.get("first_name"),
        "phone": contact.phone,
        "email": contact.email,
        "stage": contact.stage,
        "zone": contact.timezone or (by_number[0] if len(by_number) == 1 else ""),
    }


def _chain(tx: Tx, kind: str, id_: str, contact_id: str | None) -> Chain:
    """A chain with every key, so that its JSON has one shape."""
    contact = who(tx, contact_id or "")
    lists: dict[str, Json] = {"numbers": [], "bearers": [], "stories": []}
    return {"kind": kind, "id": id_, "contact": contact, **lists, "left_out": 0}


def _told(tx: Tx, chain: Chain, found: list[Row], limit: int) -> Chain:
    """The chain with its newest stories, of start decisions and replies, oldest first."""
    newest = sorted(found, key=lambda row: str(row["at"]), reverse=True)[:limit]
    told = [stories.begun_by(tx, row["id"]) for row in reversed(newest)]
    return chain | {
        "stories": [story for story in told if story is not None],
        "left_out": len(found) - len(newest),
    }
