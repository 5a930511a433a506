"""Gathering: everything a decision may know, read in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from weakref import ref
from zoneinfo import ZoneInfo

import orjson

from connector import clock, phone
from connector.errors import ExpressionFailed
from connector.expressions import Template
from connector.ledger import consents, contacts, enrolments, pauses, sends, things
from connector.ledger.history import LedgerHistory
from connector.ledger.store import Row, Tx
from connector.model import Contact, Json, Purpose, Trust
from connector.rules import links, render
from connector.rules.consent import standing
from connector.rules.history import Segments
from connector.rules.plays import Play, Segment, Step
from connector.rules.policy import Facts
from connector.steps.links import Links
from connector.steps.setup import Setup
from connector.text import count

CONVERSATION = timedelta(hours=24)  #: after its last message, either way
LEGAL_CAP = timedelta(hours=24)  #: the window in which laws count texts


def person(tx: Tx, contact_id: str, wants: frozenset[str] = frozenset()) -> Contact | None:
    """The contact, with the number to use.

    Of several numbers: the one most recently confirmed by a trusted source that has live consent
    for what is wanted; where none has, the most recently confirmed.
    """
    row = contacts.row(tx, contact_id)
    if row is None:
        return None
    names = contacts.identities(tx, str(row["id"]))
    contact = contacts.read(row, names)
    numbers = contacts.phones(names)
    if len(numbers) > 1:
        for number in numbers:
            if wants <= standing(consents.history(tx, number)).live:
                return replace(contact, phone=number)
    return contact


def with_number(contact: Contact, number: str) -> Contact:
    """The contact at one given number: an answer goes only to the number that wrote."""
    return replace(contact, phone=number)


def context(
    tx: Tx,
    rt: Setup,
    contact: Contact,
    crm: Mapping[str, Json],
    signal: Mapping[str, Json],
    now: datetime,
    as_of: datetime | None = None,
    segments: Mapping[str, Segment] | None = None,
    **more: Json,
) -> dict[str, Json]:
    """What expressions and templates may read.

    What the person did is told as of an instant (now, unless said), by the segments of today or
    those of a play's own version.
    """
    known = rt.segments if segments is None else segments
    found: dict[str, Json] = {
        **about(tx, contact, crm, as_of or now, known),
        "signal": signal,
        "brand": rt.says.brand,
        "help_contact": rt.says.help_contact,
        "language": _reader(rt, contact.language or rt.says.language, contact),
        "zone": contact.timezone or rt.zone,
        **more,
    }
    if rt.things and "thing" not in found and signal.get("key"):
        found["thing"] = Thing(tx, str(signal["key"]))
    return found


def about(
    tx: Tx,
    contact: Contact,
    crm: Mapping[str, Json],
    as_of: datetime,
    segments: Mapping[str, Segment],
) -> dict[str, Json]:
    """What may be read of a person whatever started it, as of an instant; all a segment reads."""
    history = LedgerHistory(tx, contact.id, as_of)
    found: dict[str, Json] = {
        "contact": contact_facts(contact),
        "crm": crm,
        "now": clock.text(as_of),
    }
    if contact.first_seen_at is not None:
        found["first_seen"] = clock.text(contact.first_seen_at)
    if contact.last_seen_at is not None:
        found["last_seen"] = clock.text(contact.last_seen_at)
    asked = ref(history)  # a circle would be left to the collector, three times a text
    history.segments = Segments(segments, lambda: {**found, "history": asked()})
    return {**found, "history": history}


def _reader(rt: Setup, spoken: str, contact: Contact) -> str:
    return render.reader(spoken, contact.language, contact.country or rt.says.country)


def contact_facts(contact: Contact) -> dict[str, Json]:
    """A contact as expressions see it: traits, and what stands in columns where it is known."""
    facts: dict[str, Json] = dict(contact.traits)
    for name in ("phone", "email", "timezone", "country", "region", "postal", "language"):
        if value := getattr(contact, name):
            facts[name] = value
    facts["stage"] = contact.stage
    facts["id"] = contact.id
    return facts


def signal_of(row: Row | None) -> dict[str, Json]:
    """The start signal of an enrolment row: its facts, sensitive ones too, its name, its key."""
    if row is None or row["signal_facts"] is None:
        return {}
    facts = orjson.loads(row["signal_facts"])
    return {**facts, "name": row["signal_name"], "key": row["key"]}


def shown(context: Mapping[str, Json], row: Row | None) -> Mapping[str, Json]:
    """A context for texts and CRM notes, into which sensitive facts never come."""
    hidden = frozenset(row["sensitive"].split(",")) if row and row["sensitive"] else frozenset()
    if not hidden:
        return context
    signal = {name: value for name, value in context["signal"].items() if name not in hidden}
    return {**context, "signal": signal}


def write_text(
    rt: Setup,
    name: str,
    contact: Contact,
    facts: Mapping[str, Json],
    *,
    trusted: bool,
    short: Links | None = None,
    texts: Mapping[tuple[str, str], Template] | None = None,
) -> tuple[str, str, str]:
    """The text in the contact's language: (text, language, fault); a hole is a fault.

    Where the facts came from a browser, its links must be on the operator's ``link_hosts``.
    ``short`` makes its short links; without it ``link(url)`` gives the address itself.
    """
    language = contact.language or rt.says.language
    known = rt.templates if texts is None else texts
    try:
        template = render.choose(known, name, language, rt.says.language)
        found = next(key for key in known if known[key] is template)
        reader = _reader(rt, found[1], contact)
        text = render.render(template, {**facts, "links": short, "language": reader})
    except ExpressionFailed as error:
        hole = "cannot be sent" if error.code == links.NOT_ALLOWED else "has a hole"
        return "", language, f"The text {hole}: {error}"
    others = short.own_taken_out(text) if short else text
    foreign = [] if trusted else render.foreign_links(others, rt.says.link_hosts)
    if foreign:
        host = links.host(foreign[0])
        return "", language, f"The text links to {host}, which is not among link_hosts."
    return text, found[1], ""


def is_trusted(rt: Setup, row: Row | None) -> bool:
    """Whether an enrolment's start signal came from a trusted source; unknown counts as not."""
    if row is not None and row["event_id"] == "":  # of our own making, save a reply's words
        return bool(row["signal_name"] != "reply")
    source = rt.sources.get(str(row["source"])) if row is not None else None
    return source is not None and source.trust is Trust.trusted


def gather(
    tx: Tx,
    rt: Setup,
    *,
    contact: Contact,
    purpose: Purpose,
    due_at: datetime,
    expires_at: datetime,
    facts_context: Mapping[str, Json],
    now: datetime,
    play: Play | None = None,
    step: Step | None = None,
    key: str = "",
    enrolment_id: str = "",
    but_send: str = "",
    text: str = "",
    text_fault: str = "",
    template: str = "",
    is_answer: bool = False,
) -> Facts:
    """All that a decision may know about one text to one contact, as the ledger has it now."""
    number: Any = consents.number(tx, contact.phone) if contact.phone else None
    rows = consents.history(tx, contact.phone) if contact.phone else []
    bounded = enrolment_id and play and play.max_texts_per_key is not None
    longest = max(LEGAL_CAP, rt.book.policy.gap, *(cap.per for cap in rt.book.policy.caps))
    to_person, to_number = sends.said(tx, contact.id, contact.phone, now - longest)
    return Facts(
        contact=contact,
        purpose=purpose,
        scopes=play.scopes if play else (),
        play=play.name if play else "",
        role=play.role.value if play else "",
        key=key,
        step=step.name if step else "",
        due_at=due_at,
        expires_at=expires_at,
        number_type=_number_type(contact.phone, number, rt.says.country),
        blocked=number["blocked_by"] if number and number["blocked_scope"] else "",
        blocked_scope=number["blocked_scope"] if number else "",
        consents=standing(rows).live | ({purpose.value} if is_answer else frozenset()),
        said=to_person,
        said_to_number=to_number,
        texts_for_key=(
            sends.for_key(tx, contact.id, play.name, key, but_send) if play and bounded else 0
        ),
        context={**facts_context, "play": _play(play)},
        stages=play.stages if play else (),
        max_texts_per_key=play.max_texts_per_key if play else None,
        text=text,
        text_fault=text_fault,
        hold=number["held_why"] if number and number["held_at"] else "",
        paused=_paused(tx, play),
        talking_until=_talking_until(number, now) if play and not is_answer else None,
        busy_with=_busy_with(tx, rt, play, contact, enrolment_id),
        not_valid=_not_valid(rt, play, template, now),
        too_long=_too_long(step, text),
    )


def _paused(tx: Tx, play: Play | None) -> str:
    """Why nothing of this play, or nothing at all, goes out just now."""
    row = pauses.of(tx, play.name if play else pauses.EVERYTHING)
    if row is None:
        return ""
    what = "Everything" if row["play"] == pauses.EVERYTHING else "The play"
    return f"{what} is paused{': ' + str(row['why']) if row['why'] else ''}."


def _talking_until(number: Any, now: datetime) -> datetime | None:
    """Until when a conversation with a person keeps plays from speaking; None where none does."""
    if number is None or not number["talk_at"] or number["talk_closed"]:
        return None
    until = clock.instant(number["talk_at"]) + CONVERSATION
    return until if until > now else None


def _busy_with(tx: Tx, rt: Setup, play: Play | None, contact: Contact, enrolment_id: str) -> str:
    """The play that is in another conversation with the person and comes first; "" for none.

    It may be the same play about another occurrence. Of two of the same priority that have both
    spoken (two contacts were merged), the first.
    """
    if play is None or not play.exclusive or not contact.id:
        return ""
    if not enrolments.others_walk(tx, contact.id, enrolment_id):
        return ""
    has_spoken = False
    for row in enrolments.speaking(tx, contact.id):
        other = rt.plays.get(str(row["play"]))
        if row["id"] == enrolment_id:
            has_spoken = True
        elif other is None or not _comes_first(other, play):
            continue
        elif other.priority > play.priority or not has_spoken:
            return other.name
    return ""


def _comes_first(other: Play, play: Play) -> bool:
    """Whether a conversation of one play keeps another from speaking."""
    return other.exclusive and other.priority >= play.priority


def _not_valid(rt: Setup, play: Play | None, template: str, now: datetime) -> str:
    """Why the play or the text may no longer go, by the operator's calendar."""
    if play is None or not (play.valid_until or play.texts_until):
        return ""
    today = now.astimezone(ZoneInfo(rt.zone)).date()
    if play.valid_until is not None and today > play.valid_until:
        return f"The play was valid until {play.valid_until}."
    last = play.texts_until.get(template)
    return f"The text was valid until {last}." if last is not None and today > last else ""


def _too_long(step: Step | None, text: str) -> str:
    if step is None or step.max_segments is None or not text:
        return ""
    found = count(text).segments
    if found <= step.max_segments:
        return ""
    return f"The text has {found} segments; the step allows {step.max_segments}."


class _Asked(Mapping[str, Json]):
    """Facts that are read from the ledger when one of them is first asked for."""

    def __init__(self, read: Callable[[], dict[str, Json]]) -> None:
        self._read = read
        self._found: dict[str, Json] | None = None

    def _facts(self) -> dict[str, Json]:
        if self._found is None:
            self._found = self._read()
        return self._found

    def __getitem__(self, name: str) -> Json:
        return self._facts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts())

    def __len__(self) -> int:
        return len(self._facts())


class Walked(_Asked):
    """What has come of an enrolment so far."""

    def __init__(self, tx: Tx, enrolment_id: str, step: str) -> None:
        super().__init__(lambda: {**enrolments.walked(tx, enrolment_id), "step": step})


class Thing(_Asked):
    """What is known of the thing that a start's key names."""

    def __init__(self, tx: Tx, key: str) -> None:
        super().__init__(lambda: things.facts(tx, key))


def _play(play: Play | None) -> dict[str, Json]:
    """A play as the policy's expressions see it."""
    if play is None:
        return {}
    return {"name": play.name, "role": play.role.value, "purpose": play.purpose.value}


def _number_type(e164: str, number: Any, country: str) -> str:
    """What a look-up or an error told of the number, else what its digits tell."""
    if number is not None and number["type"]:
        return str(number["type"])
    try:
        return phone.parse(e164, country).type if e164 else ""
    except phone.NotANumber:
        return "invalid"


def kept(facts: Facts) -> dict[str, Json]:
    """The facts as a decision keeps them: everything it weighed, no number and no text.

    Not when it is due, which waiting alone changes: the same waiting again is the same facts.
    """
    beside = {
        "paused": facts.paused,
        "talking": facts.talking_until is not None,
        "busy_with": facts.busy_with,
        "not_valid": facts.not_valid,
        "too_long": facts.too_long,
    }
    return {
        "contact": facts.contact.id,
        "stage": facts.contact.stage,
        "place": {
            "timezone": facts.contact.timezone,
            "country": facts.contact.country,
            "region": facts.contact.region,
            "postal": facts.contact.postal,
        },
        "purpose": facts.purpose.value,
        "scopes": list(facts.scopes),
        "play": facts.play,
        "key": facts.key,
        "step": facts.step,
        "expires_at": clock.text(facts.expires_at),
        "number_type": facts.number_type,
        "blocked": facts.blocked,
        "blocked_scope": facts.blocked_scope,
        "consents": sorted(facts.consents),
        "said": [[clock.text(item.at), item.purpose.value, item.play] for item in facts.said],
        "said_to_number": [
            [clock.text(item.at), item.purpose.value, item.play] for item in facts.said_to_number
        ],
        "texts_for_key": facts.texts_for_key,
        "signal": dict(facts.context.get("signal", {})),
        "crm": dict(facts.context.get("crm", {})),
        "text_fault": facts.text_fault,
        "hold": facts.hold,
        **{name: value for name, value in beside.items() if value},
    }
