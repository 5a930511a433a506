"""Records of a CRM: what is read of them, what they are owed, and what a CRM says it can hold."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connector.model import Fate, Json


@dataclass(frozen=True, slots=True)
class Owed:
    """What a CRM is owed: said by a rule, kept by the ledger until it is written.

    ``change`` holds only what cannot be looked up when the write-back goes out; ``key`` names
    the thing it is about, so that a newer wording takes the place of an older one.
    """

    kind: str  #: activity | fields | task
    key: str
    change: Mapping[str, Json] = field(default_factory=dict)
    send_id: str = ""
    urgent: bool = False  #: a person waits for it: it does not wait for others to go along


@dataclass(frozen=True, slots=True)
class Writeback:
    """One change owed to a CRM: an activity to add or update, or fields to set.

    ``key`` makes the change harmless to repeat.
    """

    id: str
    crm: str
    contact_id: str
    record: str  #: the id of the contact's record there; "" where none is known
    kind: str  #: activity | fields | task
    key: str
    change: Mapping[str, Json]
    attempt: int = 0
    made: str = ""  #: the id of what the CRM made of this change before: an activity's, a task's
    in_doubt: bool = False  #: an earlier call's fate is unknown: it is looked up before it is made
    related: Mapping[str, str] = field(default_factory=dict)  #: object → id: deal, company, case
    owner: str = ""  #: the CRM's id of the user whom the contact belongs to


@dataclass(frozen=True, slots=True)
class Written:
    """A CRM's verdict on one write-back.

    ``record`` is the id of what was made or changed: of the activity, the task, or, for fields,
    the contact's record. Where it is not ``ok``, ``code`` is the CRM's own code of the error and
    ``certain`` says that nothing was made; ``remedy`` is what the operator can do about it.
    """

    id: str
    ok: bool
    permanent: bool = False
    record: str = ""
    error: str = ""
    code: str = ""
    remedy: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """One record as a CRM holds it now; of one that is gone only what became of it."""

    object: str
    id: str
    modified_at: datetime
    values: Mapping[str, Json] = field(default_factory=dict)  #: by the CRM's own field names
    history: Mapping[str, tuple[tuple[datetime, Json], ...]] = field(default_factory=dict)
    #: field → (when it came to hold, what), oldest first, where the CRM tells
    people: tuple[str, ...] = ()  #: ids of the contacts (or leads) that it is about
    related: Mapping[str, str] = field(default_factory=dict)  #: object → id
    fate: Fate | None = None
    became: str = ""
    created_at: datetime | None = None
    #: when it was made there: one made before the first connection is never new, nor is one of
    #: which the CRM does not say


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what changed in a CRM, oldest first, and the cursor to ask with next."""

    records: tuple[Record, ...]
    cursor: str
    is_last: bool = True  #: nothing more for now


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a mapping file reads of a CRM; the adapter asks for no more.

    Objects are named in our words (contact, lead, deal, meeting, case), fields in the CRM's.
    """

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: object → fields
    history: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: those with history
    phone: tuple[str, ...] = ()  #: fields that may hold a person's number, the best first
    email: tuple[str, ...] = ()
    opt_out: str = ""  #: the field that opts out
    stage: str = ""  #: the field that holds the lifecycle stage
    beside: frozenset[str] = frozenset()  #: what is fetched beside a person: ``deals``, ``cases``


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field of a CRM's object, as the CRM describes it."""

    name: str
    type: str  #: text, number, flag, date, instant, choice, choices, reference, other
    label: str = ""
    choices: tuple[str, ...] = ()  #: internal values, where it takes only these
    length: int = 0  #: the longest text it takes, in characters; 0 where the CRM does not say
    writable: bool = True  #: by whom we are logged in as
    is_unique: bool = False  #: no two records hold the same value


@dataclass(frozen=True, slots=True)
class Schema:
    """What a CRM can hold, for whom we are logged in as."""

    objects: Mapping[str, Mapping[str, FieldShape]] = field(default_factory=dict)
    #: object → field → its shape; an object that may not be read is absent
    notes: tuple[str, ...] = ()  #: what else was found out: a scope that is missing, a plan's limit


class PartState(StrEnum):
    """What became of one part of what a CRM is prepared with."""

    there = "there"  #: it was there before and is left as it is
    made = "made"  #: it was made just now
    missing = "missing"  #: it would be made
    differs = "differs"  #: something else stands under its name, which is left as it is
    failed = "failed"  #: the CRM refused it


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what a CRM is prepared with: a property, a field, a permission set."""

    kind: str  #: the CRM's word for it
    name: str
    state: PartState
    says: str = ""
    remedy: str = ""  #: what the operator can do about it; "" where there is nothing to do


NOTHING_WANTED = Wanted()


def reference(key: str) -> str:
    """A short name of ours for a change, to find it by in a CRM that keeps no key: 50 bits."""
    digest = hashlib.sha256(key.encode()).digest()
    return base64.b32encode(digest)[:10].decode().lower()
