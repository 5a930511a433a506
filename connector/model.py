"""The nouns: frozen values that every floor of the house may pass around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

Json = Any  #: what orjson reads: dict, list, str, int, float, bool, None
T = TypeVar("T")


class Trust(StrEnum):
    """How far a source is believed (semantics: Trust)."""

    trusted = "trusted"
    browser = "browser"
    form = "form"  #: may propose a phone and a consent, pending until the number confirms them


class Purpose(StrEnum):
    """What a text is for; consent is given per purpose. ``system`` is our own answer."""

    marketing = "marketing"
    service = "service"
    system = "system"


class Cause(StrEnum):
    """What made a send: a play's step, our own answer, a person's hand, a test."""

    play = "play"
    system = "system"
    hand = "hand"
    test = "test"
    lost = "lost"  #: found at the provider after a restore: it went, and nobody here remembers why


class Mode(StrEnum):
    """In what earnest an enrolment and its texts were opened; it stays so to their end."""

    live = "live"
    sandbox = "sandbox"  #: opened while the sandbox was the provider: never goes out for real
    shadow = "shadow"  #: decides and records everything, sends nothing
    holdout = "holdout"  #: the person misses this play, to measure what it brings


class Verdict(StrEnum):
    """What a decision says: send it now, wait until an instant, or stop for good."""

    send = "send"
    wait = "wait"
    stop = "stop"


class SendState(StrEnum):
    """Where a send stands. The arrows are in docs/architecture.md."""

    planned = "planned"
    sending = "sending"
    accepted = "accepted"
    delivered = "delivered"
    undelivered = "undelivered"
    refused = "refused"
    uncertain = "uncertain"
    cancelled = "cancelled"
    expired = "expired"


class Status(StrEnum):
    """What a provider's receipt says, in our words; a status we do not know is ``unknown``."""

    accepted = "accepted"
    sent = "sent"
    delivered = "delivered"
    undelivered = "undelivered"
    failed = "failed"
    canceled = "canceled"
    unknown = "unknown"


class Label(StrEnum):
    """How a reply is understood."""

    opt_out = "opt_out"
    opt_in = "opt_in"
    help = "help"
    wrong_person = "wrong_person"
    hold = "hold"
    none = "none"


@dataclass(frozen=True, slots=True)
class Hook:
    """A request as plain data, so that nothing below the web knows Flask.

    ``url`` is the public address the sender used (scheme, host, path, raw query), built from
    ``web.public_url``; header names are lower case; ``body`` is raw but already inflated.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    remote: str = ""


def light(cls: type[T]) -> type[T]:
    """Make a frozen dataclass cheap to make: at run time its fields are set plainly.

    A frozen one sets each field by a call of its own (docs/decisions, 4). That nobody changes a
    field is the type checker's to see, for which the class stays frozen.
    """
    specs = []
    for each in fields(cls):  # type: ignore[arg-type]
        made = each.default_factory if each.default_factory is not MISSING else None
        spec: Any = field(default=each.default) if made is None else field(default_factory=made)
        specs.append((each.name, each.type, spec))
    cls.__init__ = make_dataclass(cls.__name__, specs).__init__  # type: ignore[misc, method-assign]
    del cls.__setattr__, cls.__delattr__
    return cls


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an event speaks of, as the event says it; empty strings mean "not said"."""

    user_id: str = ""
    anonymous_id: str = ""
    phone: str = ""  #: E.164
    email: str = ""  #: lower case
    crm: str = ""
    crm_id: str = ""


@light
@dataclass(frozen=True, slots=True)
class Event:
    """What a source told us, once. ``(source, source_event_id)`` is its key."""

    id: str
    source: str
    source_event_id: str
    type: str
    #: track, identify, page, screen, group, alias; "form" for /forms/<name>; "webhook" for
    #: /in/<source> and a CRM's record, of which "merge" and "delete" say what became of it
    name: str
    occurred_at: datetime
    received_at: datetime
    payload: Mapping[str, Json]
    back_fill: bool = False  #: imports and back-fills never enrol


class Fate(StrEnum):
    """What became of a record that is no longer there to read."""

    deleted = "deleted"
    merged = "merged"  #: into another of its kind, ``became``
    converted = "converted"  #: a lead into a contact, ``became``
    erased = "erased"  #: by law: our copy goes too


@dataclass(frozen=True, slots=True)
class Hint:
    """A sender says that a record may have changed; what it holds is read from the CRM itself."""

    crm: str
    object: str  #: contact, lead, deal, meeting, case … in our words
    record: str
    occurred_at: datetime
    fate: Fate | None = None
    became: str = ""  #: the id of the record that took its place


@dataclass(frozen=True, slots=True)
class Errand:
    """A workflow of a CRM wants something about one record, once that record has been read.

    Either ``event`` is to be heard, or a person is to be texted: by a ``play``, or by a
    ``template`` for a ``purpose``. ``key`` makes it harmless to repeat; where a text is wanted it
    is what the workflow's step waits by, to be told what came of it.
    """

    crm: str
    key: str
    object: str  #: contact, lead, deal, meeting, case … in our words
    record: str
    occurred_at: datetime
    event: str = ""
    play: str = ""
    template: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one request held: its events, and the pieces that could not be read, with the reason."""

    events: tuple[Event, ...] = ()
    rejected: tuple[tuple[str, bytes], ...] = ()  #: (reason, the piece as JSON)
    hints: tuple[Hint, ...] = ()  #: of a CRM: what may have changed there
    errands: tuple[Errand, ...] = ()  #: of a CRM's workflows
    ignored: tuple[str, ...] = ()  #: what is of no use here, by its kind; it is only counted


@dataclass(frozen=True, slots=True)
class Capture:
    """Where a consent was given: what proves it beside the words that were shown."""

    wording_version: str = ""  #: the operator's name for the words; "" takes a hash of them
    ip: str = ""
    url: str = ""
    user_agent: str = ""


NO_CAPTURE = Capture()


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A consent (or its end) as an event states it; never from a browser source."""

    phone: str
    purpose: str  #: marketing, service, or a scope such as cart_reminders
    granted: bool
    method: str
    wording: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    capture: Capture = NO_CAPTURE
    occurred_at: datetime | None = None  #: where it is not the event's own time
    pending: bool = False  #: counts for nothing until the number itself says yes (double opt-in)
    renews: bool = False  #: said again it counts anew, from then on


@light
@dataclass(frozen=True, slots=True)
class Signal:
    """An event mapped: what it means here, about whom, and the facts it carries."""

    name: str
    subject: Subject
    facts: Mapping[str, Json]
    traits: Mapping[str, Json]  #: what is now known of the contact: first_name, postal, …
    stage: str = ""
    key: str = ""  #: occurrence key: cart id, order id, form id …
    activity: bool = True
    consents: tuple[ConsentGiven, ...] = ()
    visit: Mapping[str, str] = field(default_factory=dict)  #: campaign, referrer, page, click id …
    merges: Subject | None = None  #: alias or identify that proves two subjects to be one
    outcome: str = ""  #: kind of outcome this signal is, e.g. converted
    value_micros: int | None = None
    currency: str = ""
    mapping: str = ""  #: file@version
    sensitive: frozenset[str] = frozenset()  #: facts that never enter a text, link, log or note
    dropped: tuple[str, ...] = ()  #: what the source said and was not believed, and why
    thing: str = ""  #: the kind of thing it is about, where it is about no person: product …
    contact_made: str = ""  #: the channel on which another tool reached the person: email, call …
    contact_purpose: Purpose = Purpose.marketing  #: what for, where it did
    privacy: str = ""  #: what the person asks for by right: forget, export; forget_all: the shop
    proven: bool = False  #: a page's event, whose user id your server signed


@light
@dataclass(frozen=True, slots=True)
class Contact:
    """One person, as the ledger knows them now."""

    id: str
    phone: str = ""
    email: str = ""
    traits: Mapping[str, Json] = field(default_factory=dict)
    stage: str = ""
    timezone: str = ""  #: IANA name stated by the person through a trusted source
    country: str = ""  #: ISO 3166 alpha-2
    region: str = ""  #: state or province code
    postal: str = ""
    language: str = ""
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    last_activity_at: datetime | None = None  #: what the person did: events, replies, clicks
    first_visit: Mapping[str, str] = field(default_factory=dict)
    last_visit: Mapping[str, str] = field(default_factory=dict)
    crm_links: Mapping[str, str] = field(default_factory=dict)  #: crm name → record id
    others: tuple[str, ...] = ()  #: further numbers and e-mail addresses they bear


@light
@dataclass(frozen=True, slots=True)
class Objection:
    """One reason against sending now. ``until`` is when a *wait* may end, where known."""

    reason: str  #: stable snake code, e.g. quiet_hours
    verdict: Verdict  #: stop or wait
    says: str  #: one plain sentence with the figures
    until: datetime | None = None


@light
@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with every reason it rests on."""

    verdict: Verdict
    objections: tuple[Objection, ...] = ()
    until: datetime | None = None
    policy_version: str = ""

    @property
    def reason(self) -> str:
        """The code of the gravest objection, or "" when the text may go."""
        return self.objections[0].reason if self.objections else ""


@light
@dataclass(frozen=True, slots=True)
class Said:
    """One text that counts in caps: accepted, or of unknown fate; or what another tool sent."""

    at: datetime
    purpose: Purpose
    play: str
    key: str
    step: str
    channel: str = "sms"


@light
@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One row of the consent ledger, as the rule needs it."""

    purpose: str
    granted: bool
    method: str
    occurred_at: datetime
    pending: bool = False  #: proposed, and waiting for the number's own yes
