"""Asking before acting: what the gate would say of a text to a number, and when it may go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connector.ledger import crm_facts, forgotten, listings
from connector.ledger.store import Tx
from connector.model import Contact, Decision, Purpose, Said, Verdict
from connector.rules import hours, policy
from connector.rules.hours import HoursRule
from connector.rules.places import Where, places
from connector.steps import contexts, gather
from connector.steps.setup import Setup

USEFUL: Final = timedelta(days=366)  #: how long the text that is asked about stays worth sending
MOST_BEARERS: Final = 20  #: contacts of one number that are asked about
MOST_WAITS: Final = 200  #: one after the other, until it is said that no instant is known

_GRAVITY: Final = {Verdict.send: 0, Verdict.wait: 1, Verdict.stop: 2}


@dataclass(frozen=True, slots=True)
class Question:
    """A text of no play to a number. What is "" is taken from what is known of its bearer."""

    phone: str  #: E.164
    purpose: Purpose
    at: datetime
    scopes: tuple[str, ...] = ()
    country: str = ""
    region: str = ""
    postal: str = ""
    timezone: str = ""
    suppose_consent: bool = False  #: to the purpose and scopes; it lifts no STOP
    suppose_sent: tuple[datetime, ...] = ()  #: texts of the purpose that went, beside those known


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate would say."""

    decision: Decision
    where: Where  #: the zones and rules that were considered, and why
    day: date  #: which it is there, on the first of their clocks
    rows: tuple[HoursRule, ...]  #: of the hours file, those in force that day
    next_at: datetime | None  #: the first instant known at which it would go
    contact_ids: tuple[str, ...]  #: who bears the number
    live: frozenset[str]  #: purposes and scopes with live consent, supposed ones too


def can_send(tx: Tx, rt: Setup, question: Question) -> Answer:
    """Answer as the gate would, with every objection.

    Where several people bear the number, by the one to whom the gravest is said: nobody knows
    who reads it.
    """
    bearers = tuple(listings.bearers(tx, "phone", question.phone)[:MOST_BEARERS])
    people = [gather.person(tx, contact_id) for contact_id in bearers]
    known = [person for person in people if person is not None] or [Contact("", question.phone)]
    asked = [_ask(tx, rt, question, _placed(person, question), bearers) for person in known]
    return max(asked, key=lambda answer: _GRAVITY[answer.decision.verdict])


def _placed(person: Contact, question: Question) -> Contact:
    names = ("phone", "country", "region", "postal", "timezone")
    told = {name: value for name in names if (value := getattr(question, name))}
    return replace(person, **told)


def _ask(
    tx: Tx, rt: Setup, question: Question, person: Contact, bearers: tuple[str, ...]
) -> Answer:
    facts = _facts(tx, rt, question, person, question.at)
    decision = policy.decide(facts, rt.book, question.at)
    next_at = None
    if decision.verdict is not Verdict.stop:
        next_at = next(_openings(tx, rt, question, person, decision), None)
    where = places(person, person.phone, facts.addresses)
    day = question.at.astimezone(ZoneInfo(where.zones[0]) if where.zones else UTC).date()
    rows = hours.in_force(where, rt.book.hours, day)
    return Answer(decision, where, day, rows, next_at, bearers, facts.consents)


def _openings(
    tx: Tx, rt: Setup, question: Question, person: Contact, decision: Decision
) -> Iterator[datetime]:
    """The first instant at which nothing is left to wait for, as far as is known now."""
    at = question.at
    for _ in range(MOST_WAITS):
        if decision.verdict is Verdict.send:
            yield at
            return
        if decision.verdict is Verdict.stop or decision.until is None or decision.until <= at:
            return
        at = decision.until
        decision = policy.decide(_facts(tx, rt, question, person, at), rt.book, at)


def _facts(tx: Tx, rt: Setup, question: Question, person: Contact, at: datetime) -> policy.Facts:
    crm = crm_facts.of(tx, rt.crm, person.id)
    wanted = gather.Wanted(
        contact=person,
        purpose=question.purpose,
        due_at=at,
        expires_at=question.at + USEFUL,
        at_gate=True,
    )
    found = gather.gather(tx, rt, wanted, contexts.of(tx, rt, person, crm, {}, at), at)
    supposed = tuple(Said(then, question.purpose, "", "", "") for then in question.suppose_sent)
    given = {question.purpose.value, *question.scopes} if question.suppose_consent else set()
    if not found.blocked and forgotten.returning(tx, person.phone) is not None:
        found = replace(found, blocked="forgotten", blocked_scope="all")
    return replace(
        found,
        scopes=question.scopes,
        consents=found.consents | given,
        said=(*found.said, *supposed),
        said_to_number=(*found.said_to_number, *supposed),
    )
