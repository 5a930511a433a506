"""Contacts, the identities that name them, and who turned out to be whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import Contact, Json, Subject

BY_IDENTITY = """SELECT contact_id FROM identities
    WHERE kind = :kind AND value = :value AND detached_at IS NULL ORDER BY contact_id LIMIT 2"""
BORNE = """SELECT c.* FROM identities i JOIN contacts c ON c.id = i.contact_id
    WHERE i.kind = :kind AND i.value = :value AND i.detached_at IS NULL
    ORDER BY i.contact_id LIMIT 1"""
NAMELESS = """SELECT i.contact_id FROM identities i
    WHERE i.kind = :kind AND i.value = :value AND i.detached_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM identities o WHERE o.contact_id = i.contact_id AND o.detached_at IS NULL
        AND o.kind <> 'phone' AND o.kind <> 'email')
    ORDER BY i.linked_at LIMIT 1"""
LINK = """INSERT INTO identities
        (kind, value, contact_id, event_id, linked_at, confirmed_at, profile, profile_at)
    VALUES (:kind, :value, :contact, :event, :at, :confirmed, :profile, :profile_at)
    ON CONFLICT (kind, value, contact_id) DO UPDATE SET detached_at = NULL,
        confirmed_at = coalesce(excluded.confirmed_at, identities.confirmed_at),
        profile = coalesce(nullif(excluded.profile, ''), identities.profile),
        profile_at = coalesce(excluded.profile_at, identities.profile_at)
    WHERE identities.detached_at IS NOT NULL
        OR excluded.confirmed_at > coalesce(identities.confirmed_at, '')"""
KNOWN = """SELECT confirmed_at, detached_at FROM identities
    WHERE kind = :kind AND value = :value AND contact_id = :contact"""
NOTE = """INSERT INTO identity_links (id, act, kind, value, contact_id, event_id, at)
    VALUES (:id, :act, :kind, :value, :contact, :event, :at)"""
CREATE = """INSERT INTO contacts (id, created_at, first_seen_at, last_seen_at)
    VALUES (:id, :at, :at, :at)"""
GET = "SELECT * FROM contacts WHERE id = :id"
IDENTITIES = """SELECT kind, value, confirmed_at, linked_at FROM identities
    WHERE contact_id = :contact AND detached_at IS NULL
    ORDER BY coalesce(confirmed_at, linked_at) DESC,
        CASE WHEN confirmed_at IS NULL THEN 1 ELSE 0 END"""
DETACH = """UPDATE identities SET detached_at = :at
    WHERE kind = :kind AND value = :value AND contact_id = :contact"""
CONFIRM = """UPDATE identities SET confirmed_at = :at
    WHERE kind = :kind AND value = :value AND contact_id = :contact AND detached_at IS NULL"""
SEEN = """UPDATE contacts SET first_seen_at = :first_seen_at, last_seen_at = :last_seen_at,
        last_activity_at = :last_activity_at WHERE id = :id"""
LEARNED = """UPDATE contacts SET traits = :traits, timezone = :timezone, country = :country,
        region = :region, postal = :postal, language = :language, stage = :stage,
        first_seen_at = :first_seen_at, last_seen_at = :last_seen_at,
        last_activity_at = :last_activity_at,
        first_visit = :first_visit, last_visit = :last_visit WHERE id = :id"""
STAGE = """INSERT INTO stage_changes (id, contact_id, from_stage, to_stage, occurred_at, heard_at,
    event_id) VALUES (:id, :contact, :before, :after, :occurred, :heard, :event)"""
Changed = tuple[str, Json, Json]
"""(path, before, after), such as ``("contact.plan", "trial", "paid")``."""
#: Kinds that decide who it is; phone and email only attach (semantics: Who is who).
DECIDING = ("user_id", "crm_id", "anonymous_id")
PLACE = ("timezone", "country", "region", "postal", "language")
WHEN_SEEN = ("first_seen_at", "last_seen_at", "last_activity_at")
ROW = ("id", *WHEN_SEEN, "traits", *PLACE, "stage", "first_visit", "last_visit")


def bearers(tx: Tx, kind: str, value: str) -> list[str]:
    """Contact ids that bear an identity now; at most two are looked for."""
    return [str(row["contact_id"]) for row in tx.all(BY_IDENTITY, kind=kind, value=value)]


def bearer(tx: Tx, kind: str, value: str) -> Row | None:
    """The row of the first contact that bears an identity now."""
    return tx.one(BORNE, kind=kind, value=value)


def nameless(tx: Tx, kind: str, value: str) -> str:
    """The contact that bears a shared phone or e-mail and has no name of its own, or ""."""
    row = tx.one(NAMELESS, kind=kind, value=value)
    return str(row["contact_id"]) if row else ""


def create(tx: Tx, contact_id: str, at: datetime) -> None:
    """A new contact that nothing is known of yet."""
    tx.run(CREATE, id=contact_id, at=clock.text(at))


def link(
    tx: Tx,
    kind: str,
    value: str,
    contact_id: str,
    event_id: str,
    at: datetime,
    *,
    confirmed: bool,
    link_id: str,
    profile: str = "",
) -> bool:
    """Attach an identity to a contact; a row says which event proved it.

    ``confirmed`` (by a trusted source) moves the identity to the front where a contact has
    several numbers; ``profile`` is what keeps this one number for them, "" where nothing does.
    True where the contact did not bear it until now.
    """
    known = tx.one(KNOWN, kind=kind, value=value, contact=contact_id)
    stamp = clock.text(at)
    if known and not known["detached_at"] and (not confirmed or known["confirmed_at"]):
        if confirmed and kind == "phone" and stamp > str(known["confirmed_at"]):
            _put(tx, kind, value, contact_id, event_id, stamp, stamp, profile)
        return False
    _put(tx, kind, value, contact_id, event_id, stamp, stamp if confirmed else None, profile)
    is_new = not known or bool(known["detached_at"])
    if is_new:
        note(tx, "link", kind, value, contact_id, event_id, at, link_id=link_id)
    return is_new


def _put(
    tx: Tx,
    kind: str,
    value: str,
    contact_id: str,
    event_id: str,
    at: str,
    confirmed: str | None,
    profile: str,
) -> None:
    tx.run(
        LINK,
        kind=kind,
        value=value,
        contact=contact_id,
        event=event_id,
        at=at,
        confirmed=confirmed,
        profile=profile,
        profile_at=at if profile else None,
    )


def confirm(tx: Tx, kind: str, value: str, contact_id: str, at: datetime | None) -> None:
    """An identity that a contact bears is the one to use among those of its kind; without an
    instant it is the last to use."""
    stamp = clock.text(at) if at else None
    tx.run(CONFIRM, kind=kind, value=value, contact=contact_id, at=stamp)


def note(
    tx: Tx,
    act: str,
    kind: str,
    value: str,
    contact_id: str,
    event_id: str,
    at: datetime,
    *,
    link_id: str,
) -> None:
    """Keep an identity act (link, detach, merge) with the event that proved it."""
    tx.run(
        NOTE,
        id=link_id,
        act=act,
        kind=kind,
        value=value,
        contact=contact_id,
        event=event_id,
        at=clock.text(at),
    )


def detach(
    tx: Tx, kind: str, value: str, contact_id: str, event_id: str, at: datetime, *, link_id: str
) -> None:
    """Take an identity from a contact (wrong person, split); the row stays, marked."""
    tx.run(DETACH, kind=kind, value=value, contact=contact_id, at=clock.text(at))
    note(tx, "detach", kind, value, contact_id, event_id, at, link_id=link_id)


def row(tx: Tx, contact_id: str) -> Row | None:
    """The contact's row; of the winner where it was merged away."""
    for _ in range(20):  # a chain of merges is short, and this bounds a loop made by hand
        found = tx.one(GET, id=contact_id)
        if found is None or not found["merged_into"]:
            return found
        contact_id = str(found["merged_into"])
    return found


def identities(tx: Tx, contact_id: str) -> list[Row]:
    """kind, value, confirmed_at, linked_at; the most recently confirmed first."""
    return tx.all(IDENTITIES, contact=contact_id)


def get(tx: Tx, contact_id: str) -> Contact | None:
    """The contact as known now, with the number most recently confirmed."""
    found = row(tx, contact_id)
    return read(found, identities(tx, str(found["id"]))) if found else None


def read(found: Row, names: list[Row]) -> Contact:
    """A contact from its row and its identities (most recently confirmed first)."""
    first: dict[str, str] = {}
    links: dict[str, str] = {}
    for name in names:
        kind, value = name["kind"], name["value"]
        first.setdefault(kind, value)
        if kind == "crm_id":
            crm, _, record = value.partition(":")
            links.setdefault(crm, record)
    return Contact(
        id=found["id"],
        phone=first.get("phone", ""),
        email=first.get("email", ""),
        traits=_object(found["traits"]),
        stage=found["stage"],
        timezone=found["timezone"],
        country=found["country"],
        region=found["region"],
        postal=found["postal"],
        language=found["language"],
        first_seen_at=_at(found["first_seen_at"]),
        last_seen_at=_at(found["last_seen_at"]),
        last_activity_at=_at(found["last_activity_at"]),
        first_visit=_object(found["first_visit"]),
        last_visit=_object(found["last_visit"]),
        crm_links=links,
        others=tuple(
            str(name["value"])
            for name in names
            if name["kind"] in ("phone", "email") and name["value"] != first[name["kind"]]
        ),
    )


def phones(names: list[Row]) -> list[str]:
    """The contact's numbers, the one most recently confirmed by a trusted source first."""
    return [str(name["value"]) for name in names if name["kind"] == "phone"]


def _object(text: str) -> dict[str, Json]:
    return orjson.loads(text) if text != "{}" else {}


def _at(value: str | None) -> datetime | None:
    return clock.instant(value) if value else None


def see(
    tx: Tx,
    found: Row,
    *,
    traits: Mapping[str, Json],
    visit: Mapping[str, str],
    stage: str,
    at: datetime,
    activity: bool,
    trusted: bool,
    newer: Collection[str] = (),
) -> tuple[dict[str, Any], list[Changed]]:
    """Take over what an event tells of a contact: traits, visit, stage, when seen.

    Gives the row as it is now and the values that became others.

    Where a person is and what language they read decide hours and words, so from a browser they
    only fill what is empty; so do ``newer`` traits, of which something later was heard already.
    """
    row = {name: found[name] for name in ROW}
    changes = _take_over(row, traits, newer, trusted=trusted)
    row["stage"] = stage
    if visit:
        row["last_visit"] = orjson.dumps(dict(visit)).decode()
        if row["first_visit"] == "{}":
            row["first_visit"] = row["last_visit"]
    stamp = clock.text(at)
    row["first_seen_at"] = min(row["first_seen_at"] or stamp, stamp)
    row["last_seen_at"] = max(row["last_seen_at"] or stamp, stamp)
    if activity:
        row["last_activity_at"] = max(row["last_activity_at"] or stamp, stamp)
    if changes or stage != found["stage"] or row["last_visit"] != found["last_visit"]:
        tx.run(LEARNED, **row)
    elif [row[name] for name in WHEN_SEEN] != [found[name] for name in WHEN_SEEN]:
        tx.run(SEEN, id=row["id"], **{name: row[name] for name in WHEN_SEEN})
    return row, changes


def _take_over(
    row: dict[str, Any], traits: Mapping[str, Json], newer: Collection[str], *, trusted: bool
) -> list[Changed]:
    """Put what is told of a person into their row; the values that became others."""
    if not traits:
        return []
    known: dict[str, Json] = _object(row["traits"])
    changes: list[Changed] = []
    for name, value in traits.items():
        if value is None or value == "":
            continue
        was = row[name] if name in PLACE else known.get(name)
        is_free = not was if name in PLACE else name not in known
        is_told = str(value) if name in PLACE else value
        is_believed = trusted and name not in newer
        if (is_believed or is_free) and was != is_told:
            changes.append((f"contact.{name}", was, is_told))
            (row if name in PLACE else known)[name] = is_told
    if known != _object(row["traits"]):
        row["traits"] = orjson.dumps(known).decode()
    return changes


def stage_changed(
    tx: Tx,
    contact_id: str,
    before: str,
    after: str,
    occurred_at: datetime,
    heard_at: datetime,
    event_id: str,
    *,
    change_id: str,
) -> None:
    """Keep a change of stage with when it happened and when it was heard."""
    tx.run(
        STAGE,
        id=change_id,
        contact=contact_id,
        before=before,
        after=after,
        occurred=clock.text(occurred_at),
        heard=clock.text(heard_at),
        event=event_id,
    )


def named(subject: Subject) -> list[tuple[str, str]]:
    """The identities a subject names: (kind, value), the deciding ones first."""
    pairs = [
        ("user_id", subject.user_id),
        ("crm_id", f"{subject.crm}:{subject.crm_id}" if subject.crm_id else ""),
        ("anonymous_id", subject.anonymous_id),
        ("phone", subject.phone),
        ("email", subject.email),
    ]
    return [(kind, value) for kind, value in pairs if value]
