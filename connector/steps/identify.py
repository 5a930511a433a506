"""Who an event speaks of: identities resolve to one contact, and proof merges two."""

from __future__ import annotations

from dataclasses import dataclass

from connector.ledger import contacts, merges, writebacks
from connector.ledger.store import Row, Tx
from connector.model import Event, Signal, Subject
from connector.rules.mapping import MERGED
from connector.steps import proven
from connector.steps.consent import is_profile
from connector.steps.setup import Setup


@dataclass(frozen=True, slots=True)
class Identified:
    """Whom an event speaks of, and what it proved of them."""

    contact_id: str
    is_new: bool = False  #: nobody bore any of the names
    linked: tuple[str, ...] = ()  #: kinds of the names that are theirs from now on
    merged: tuple[str, ...] = ()  #: ids of contacts that turned out to be them
    row: Row | None = None  #: theirs, where it was read on the way
    profile: str = ""  #: what it tells of and keeps one number for them: a source, or its record


def identify(tx: Tx, rt: Setup, signal: Signal, event: Event, *, trusted: bool) -> Identified:
    """The contact, made, linked or merged as the event proves.

    1. ``user_id`` and CRM ids decide; then the anonymous id, unless its contact bears another
       user id (a shared device); then phone or e-mail, where exactly one contact bears it and
       nothing named disagrees.
    2. Every identity named and not borne by somebody else is linked.
    3. A trusted alias, or a trusted identify that names both, merges the anonymous contact; so
       does a CRM that made one of two records, of which the second may be new to us. A page whose
       user your server signed merges who was anonymous, and nobody who is known by an id.
    """
    subject = signal.subject
    contact_id, proof, row = _find(tx, subject)
    if not contact_id and event.type == MERGED and signal.merges is not None and trusted:
        contact_id, _, row = _find(tx, signal.merges)
    is_new = not contact_id
    if is_new:
        contact_id = rt.new_id("con")
        contacts.create(tx, contact_id, event.occurred_at)
    profile = _profile(rt, subject, event) if trusted else ""
    linked = _link_all(tx, rt, signal, contact_id, event, trusted, proof, profile)
    merged: list[str] = []
    if signal.merges is not None and (trusted or signal.proven):
        is_proof = trusted and event.type in ("alias", MERGED)
        merged = _merge(tx, rt, contact_id, signal.merges, event, explicit=is_proof)
    if merged:
        writebacks.record_found(tx, contact_id, event.occurred_at)
    if merged or (row is not None and row["merged_into"]):
        row = None  # no longer what they are
    return Identified(contact_id, is_new, tuple(linked), tuple(merged), row, profile)


def _profile(rt: Setup, subject: Subject, event: Event) -> str:
    if not is_profile(event, rt.crm):
        return ""
    return f"{event.source}:{subject.crm_id}" if subject.crm_id else event.source


def _find(tx: Tx, subject: Subject) -> tuple[str, str, Row | None]:
    """The contact's id, "" for a new one, the kind of the name that decided, if one did, and
    their row, where it was read."""
    for kind, value in contacts.named(subject)[:2]:
        if kind in ("user_id", "crm_id") and (row := contacts.bearer(tx, kind, value)):
            return str(row["id"]), kind, row
    if subject.anonymous_id:
        found = contacts.bearers(tx, "anonymous_id", subject.anonymous_id)
        if found and not _disagrees(tx, found[0], subject):
            return found[0], "anonymous_id", None
    return _attach(tx, subject), "", None


def _attach(tx: Tx, subject: Subject) -> str:
    """By phone or e-mail, where exactly one contact bears it and nothing named disagrees.

    What a shared number says without naming anybody is laid to one contact of its own.
    """
    candidates = set()
    is_nameless = not (subject.user_id or subject.crm_id or subject.anonymous_id)
    for kind, value in (("phone", subject.phone), ("email", subject.email)):
        if not value:
            continue
        found = contacts.bearers(tx, kind, value)
        if len(found) > 1:
            return contacts.nameless(tx, kind, value) if is_nameless else ""
        candidates.update(found)
    if len(candidates) != 1:
        return ""
    candidate = candidates.pop()
    return "" if _disagrees(tx, candidate, subject) else candidate


def _disagrees(tx: Tx, contact_id: str, subject: Subject) -> bool:
    """Whether the contact bears another user id, or another id in the same CRM."""
    wanted = dict(contacts.named(subject))
    for name in contacts.identities(tx, contact_id):
        want = wanted.get(str(name["kind"]))
        if want is None or want == name["value"]:
            continue
        if name["kind"] == "user_id":
            return True
        same_crm = want.partition(":")[0] == str(name["value"]).partition(":")[0]
        if name["kind"] == "crm_id" and same_crm:
            return True
    return False


def _link_all(
    tx: Tx,
    rt: Setup,
    signal: Signal,
    contact_id: str,
    event: Event,
    trusted: bool,
    proof: str,
    profile: str,
) -> list[str]:
    """Link the names that nobody bears; the kinds of those that are new to the contact.

    A stranger names nobody who bears a number that only a form told of: whose it is would be sent
    what is meant for the one named.
    """
    linked = []
    named = contacts.named(signal.subject)
    is_told = trusted or signal.proven or proof in ("user_id", "crm_id")
    if not is_told and _names_somebody(named) and proven.is_self_proven(tx, contact_id):
        named = [each for each in named if each[0] == "anonymous_id"]
    for kind, value in named:
        if kind == proof or (kind in contacts.DECIDING and contacts.bearers(tx, kind, value)):
            continue  # borne by this contact already, or by somebody else
        is_news = contacts.link(
            tx,
            kind,
            value,
            contact_id,
            event.id,
            event.occurred_at,
            confirmed=trusted,
            link_id=rt.new_id("lnk"),
            profile=profile,
        )
        if is_news:
            linked.append(kind)
            if kind == "crm_id":
                writebacks.record_found(tx, contact_id, event.occurred_at)
    return linked


def _names_somebody(named: list[tuple[str, str]]) -> bool:
    return any(kind != "anonymous_id" for kind, _ in named)


def _merge(
    tx: Tx, rt: Setup, contact_id: str, other: Subject, event: Event, *, explicit: bool
) -> list[str]:
    """Merge those who bear the other's names; their ids."""
    merged = []
    for kind, value in contacts.named(other):
        found = contacts.bearers(tx, kind, value)
        if not found or found[0] == contact_id:
            continue
        own = {str(row["kind"]) for row in contacts.identities(tx, found[0])}
        if not explicit and own & {"user_id", "crm_id"}:
            continue  # another known person on the same device, not this one
        merges.merge(
            tx, contact_id, found[0], event.id, event.occurred_at, merge_id=rt.new_id("mrg")
        )
        contacts.note(
            tx,
            "merge",
            kind,
            value,
            contact_id,
            event.id,
            event.occurred_at,
            link_id=rt.new_id("lnk"),
        )
        merged.append(found[0])
    return merged
