"""A number that a form proposed: whose it becomes once it has said yes itself.

Anybody may type anybody's name, address or number. So the number goes to the contact that filled
in the form only while nothing else is known of that contact; it is never added to somebody whom
another source knows by a user id, a CRM's record, an e-mail or a number of their own, or whoever
typed it would be sent that person's texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from connector.ledger import contacts
from connector.ledger.store import Tx
from connector.model import Json
from connector.steps.consent import Names


class Seen(Protocol):
    """What an event tells of who filled in a form."""

    @property
    def traits(self) -> Mapping[str, Json]:
        """What they say of themselves."""

    @property
    def visit(self) -> Mapping[str, str]:
        """Where they came from."""


def is_stranger(tx: Tx, contact_id: str) -> bool:
    """Whether nothing is known of a contact but the visits of one browser."""
    names = contacts.identities(tx, contact_id)
    return all(name["kind"] == "anonymous_id" for name in names)


def is_self_proven(tx: Tx, contact_id: str) -> bool:
    """Whether a contact bears a number that no trusted source ever told."""
    names = contacts.identities(tx, contact_id)
    return any(name["kind"] == "phone" and not name["confirmed_at"] for name in names)


def whose(tx: Tx, rt: Names, contact_id: str, told: Seen, at: datetime) -> str:
    """The contact that a proposed number is for: who filled in the form, where they are a
    stranger; else a new one, who is told nothing of what is known of the other."""
    if is_stranger(tx, contact_id):
        return contact_id
    made = rt.new_id("con")
    contacts.create(tx, made, at)
    if (row := contacts.row(tx, made)) is not None:
        contacts.see(
            tx,
            row,
            traits=told.traits,
            visit=told.visit,
            stage="",
            at=at,
            activity=False,
            trusted=False,
        )
    return made


def bear(tx: Tx, rt: Names, phone: str, contact_id: str, request: str, at: datetime) -> None:
    """The number has said yes: from now on it is the contact's, unless somebody bears it already.

    ``request`` is what asked, which the link names as its proof. No trusted source has told of
    the number, so any that one tells of goes before it.
    """
    row = contacts.row(tx, contact_id)
    if row is None or contacts.bearers(tx, "phone", phone):
        return
    found = str(row["id"])
    if not is_stranger(tx, found):  # become somebody meanwhile, by whatever their browser said
        found = rt.new_id("con")
        contacts.create(tx, found, at)
    made = rt.new_id("lnk")
    contacts.link(tx, "phone", phone, found, request, at, confirmed=False, link_id=made)
