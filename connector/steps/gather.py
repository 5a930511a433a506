"""Gathering: everything a decision weighs, read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector import clock, phone
from connector.ledger import consents, contacts, enrolments, frequency, pauses
from connector.ledger.store import Row, Tx
from connector.model import Contact, Json, Purpose
from connector.rules import places, signs
from connector.rules.consent import standing
from connector.rules.expiry import Expiry
from connector.rules.optin import REQUEST
from connector.rules.plays import Play, Step
from connector.rules.policy import Facts
from connector.rules.policy.carts import REMINDERS
from connector.rules.routing import Way
from connector.steps import contexts, eligible, limits, route
from connector.steps.consent import read
from connector.steps.setup import Setup
from connector.text import count

CONVERSATION = timedelta(hours=24)  #: after its last message, either way
LEGAL_CAP = timedelta(hours=24)  #: the window in which laws count texts


def person(
    tx: Tx,
    contact_id: str,
    wants: frozenset[str] = frozenset(),
    expiries: tuple[Expiry, ...] = (),
    now: datetime | None = None,
) -> Contact | None:
    """The contact, with the number to use.

    Of several numbers: the one most recently confirmed by a trusted source that has live consent
    for what is wanted, which ``expiries`` have not ended by ``now`` and no owner before gave;
    where none has, the most recently confirmed.
    """
    row = contacts.row(tx, contact_id)
    if row is None:
        return None
    names = contacts.identities(tx, str(row["id"]))
    contact = contacts.read(row, names)
    numbers = contacts.phones(names)
    if len(numbers) > 1:
        for number in numbers:
            if wants <= _live(tx, contact, number, expiries, now):
                return replace(contact, phone=number)
    return contact


def _live(
    tx: Tx, contact: Contact, number: str, expiries: tuple[Expiry, ...], now: datetime | None
) -> frozenset[str]:
    said, known = consents.history(tx, number), consents.number(tx, number)
    rows, since, _ = eligible.own_consents(tx, contact.id, said, known)
    if now is None:
        return standing(rows, owner_since=since).live
    return read(rows, expiries, now, lambda: places.places(contact, number).rules, since).live


def with_number(contact: Contact, number: str) -> Contact:
    """The contact at one given number: an answer goes only to the number that wrote."""
    return replace(contact, phone=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One text as it is wanted: to whom, for what, by when, in which words."""

    contact: Contact
    purpose: Purpose
    due_at: datetime
    expires_at: datetime
    play: Play | None = None
    step: Step | None = None
    key: str = ""
    enrolment_id: str = ""
    started_at: datetime | None = None  #: when what started the play for this person occurred
    send_id: str = ""  #: its own, which is left out where texts are counted; "" before the plan
    way: Way | None = None  #: by whom it goes; None where that is not chosen yet (the plan)
    text: str = ""
    text_fault: str = ""
    template: str = ""
    is_answer: bool = False  #: a person's own words to somebody who just wrote
    at_gate: bool = False  #: it is about to go, so that what it rests on must be fresh
    leaves: bool = False  #: and it will leave for real where nothing is against it


def gather(tx: Tx, rt: Setup, wanted: Wanted, context: Mapping[str, Json], now: datetime) -> Facts:
    """All that a decision may know about one text to one contact, as the ledger has it now.

    ``context`` is what expressions may read (``contexts.of``).
    """
    contact = wanted.contact
    number = consents.number(tx, contact.phone) if contact.phone else None
    return Facts(
        contact=contact,
        purpose=wanted.purpose,
        key=wanted.key,
        step=wanted.step.name if wanted.step else "",
        due_at=wanted.due_at,
        expires_at=wanted.expires_at,
        text=wanted.text,
        text_fault=wanted.text_fault,
        too_long=_too_long(wanted.step, wanted.text),
        asks=wanted.template == REQUEST and wanted.purpose is Purpose.system,
        context={**context, "play": contexts.play_facts(wanted.play, wanted.template)},
        addresses=signs.addresses(rt.book.hours.signs, contact, context),
        **_of_holds(tx, wanted),
        **_of_number(tx, rt, wanted, number, context, now),
        **_of_eligibility(tx, rt, wanted, number, now),
        **_of_play(tx, rt, wanted, now),
        **_of_past(tx, rt, wanted, now),
        **_of_way(tx, rt, wanted, now),
    )


def _of_number(
    tx: Tx,
    rt: Setup,
    wanted: Wanted,
    number: Row | None,
    context: Mapping[str, Json],
    now: datetime,
) -> dict[str, Any]:
    """What is known of the number: its type, its consents, what holds texts to it."""
    e164 = wanted.contact.phone
    said = consents.history(tx, e164) if e164 else []
    rows, since, lost = eligible.own_consents(tx, wanted.contact.id, said, number)
    given = {wanted.purpose.value} if wanted.is_answer else set()
    talks = wanted.play is not None and not wanted.is_answer

    def where() -> tuple[str, ...]:
        others = signs.addresses(rt.book.hours.signs, wanted.contact, context)
        return places.places(wanted.contact, e164, others).rules

    return {
        "number_type": _number_type(e164, number),
        "blocked": number["blocked_by"] if number and number["blocked_scope"] else "",
        "blocked_scope": number["blocked_scope"] if number else "",
        "consents": read(rows, rt.book.policy.expiries, now, where, since).live | given,
        "alive_at": (
            limits.alive_at(wanted.contact, rows) if rt.book.policy.inactive_after else None
        ),
        "hold": number["held_why"] if number and number["held_at"] else "",
        "talking_until": _talking_until(number, now) if talks else None,
        **lost,
    }


def _of_eligibility(
    tx: Tx, rt: Setup, wanted: Wanted, number: Row | None, now: datetime
) -> dict[str, Any]:
    """Which lists name the person, and what must be asked again first."""
    about = (wanted.contact, wanted.purpose)
    asks = wanted.template == REQUEST and wanted.purpose is Purpose.system
    for_what = Purpose.marketing if asks else wanted.purpose  # it asks for leave to send that
    found: dict[str, Any] = {**eligible.listed(rt, wanted.contact, for_what, number, now)}
    if wanted.at_gate:
        leaves = wanted.leaves and not wanted.is_answer
        found |= eligible.stale(tx, rt, *about, wanted.play, number, now, leaves=leaves)
    return found


def _of_play(tx: Tx, rt: Setup, wanted: Wanted, now: datetime) -> dict[str, Any]:
    """What the play says of the text, and what it has said of the same occurrence."""
    play = wanted.play
    if play is None:
        return {"scopes": (), "play": "", "role": ""}
    bounded = wanted.enrolment_id and play.max_texts_per_key is not None
    key = (wanted.contact.id, play.name, wanted.key, wanted.send_id)
    return {
        "scopes": play.scopes,
        "play": play.name,
        "role": play.role.value,
        "stages": play.stages,
        "max_texts_per_key": play.max_texts_per_key,
        "texts_for_key": frequency.for_key(tx, *key) if bounded else 0,
        **(_of_cart(tx, rt, wanted) if REMINDERS in play.scopes else {}),
        "busy_with": _busy_with(tx, rt, play, wanted.contact, wanted.enrolment_id),
        "not_valid": _not_valid(rt, play, wanted.template, now),
    }


def _of_cart(tx: Tx, rt: Setup, wanted: Wanted) -> dict[str, Any]:
    """What any play that reminds of carts has said of this one, and when it was last changed."""
    said = sum(
        frequency.for_key(tx, wanted.contact.id, name, wanted.key, wanted.send_id)
        for name, play in rt.plays.items()
        if REMINDERS in play.scopes
    )
    return {"texts_for_cart": said, "cart_at": wanted.started_at}


def _of_past(tx: Tx, rt: Setup, wanted: Wanted, now: datetime) -> dict[str, Any]:
    """What was said to the person and to the number, as far back as any cap counts."""
    policy = rt.book.policy
    longest = max(LEGAL_CAP, policy.gap, *(cap.per for cap in policy.caps))
    contact = wanted.contact
    to_person, to_number = frequency.said(tx, contact.id, contact.phone, now - longest)
    found: dict[str, Any] = {"said": to_person, "said_to_number": to_number}
    if wanted.purpose is Purpose.marketing:
        found |= limits.of_past(tx, rt, contact, (to_person, to_number), now - longest)
        found["rivals"] = limits.rivals(tx, rt, contact, wanted.play, wanted.send_id, now)
    return found


def _of_way(tx: Tx, rt: Setup, wanted: Wanted, now: datetime) -> dict[str, Any]:
    """By whom it goes, and what is used of budgets and of the sender's day.

    What is used is held, last of all rows, as it leaves.
    """
    contact, way, found = wanted.contact, wanted.way, {}
    sender = way.sender if way is not None else rt.sender
    if rt.routes:
        if way is None and not rt.book.policy.senders:
            sender = ""  # nothing asks for it
        elif way is None:
            sender = route.expected(tx, rt, contact.phone, wanted.purpose)
        found = {
            "no_route": route.closed(rt, contact.phone, wanted.purpose),
            "provider": way.provider if way is not None else "",
            "way": ": ".join(filter(None, (way.route, way.why))) if way is not None else "",
        }
    hold = bool(wanted.send_id)
    pots = limits.of_pots(tx, rt, contact, wanted.text, sender, now, hold=hold)
    return {**found, **pots}


def _of_holds(tx: Tx, wanted: Wanted) -> dict[str, Any]:
    """Why nothing of this play, or nothing at all, or no marketing goes out just now."""
    play, template = wanted.play, wanted.template
    row, wrong_clock, paused, unheard = pauses.against(
        tx, play.name if play else pauses.EVERYTHING, template
    )
    return {
        "paused": _paused(row) if row else "",
        "clock_off": str(wrong_clock["why"]) if wrong_clock else "",
        "unheard": str(unheard["why"]) if unheard else "",
        "template_paused": f"The text {template} is paused: {paused['why']}." if paused else "",
    }


def _paused(row: Row) -> str:
    what = "Everything" if row["play"] == pauses.EVERYTHING else "The play"
    return f"{what} is paused{': ' + str(row['why']) if row['why'] else ''}."


def _talking_until(number: Row | None, now: datetime) -> datetime | None:
    """Until when a conversation with a person keeps plays from speaking; None where none does."""
    if number is None or not number["talk_at"] or number["talk_closed"]:
        return None
    until = clock.instant(number["talk_at"]) + CONVERSATION
    return until if until > now else None


def _busy_with(tx: Tx, rt: Setup, play: Play, contact: Contact, enrolment_id: str) -> str:
    """The play that is in another conversation with the person and comes first; "" for none.

    It may be the same play about another occurrence. Of two of the same priority that have both
    spoken (two contacts were merged), the first.
    """
    if not play.exclusive or not contact.id:
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


def _not_valid(rt: Setup, play: Play, template: str, now: datetime) -> str:
    """Why the play or the text may no longer go, by the operator's calendar."""
    if not (play.valid_until or play.texts_until):
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


def _number_type(e164: str, number: Row | None) -> str:
    """What a look-up or an error told of the number, else what its digits tell."""
    if number is not None and number["type"]:
        return str(number["type"])
    try:
        return phone.parse(e164, "").type if e164 else ""
    except phone.NotANumber:
        return "invalid"
