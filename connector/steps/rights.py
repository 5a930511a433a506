"""A person's rights, asked for by an event of a source: to be forgotten, or told what is held.

1. The id by which the source knows them decides who it is; a number or an address alone never
   erases anybody, since others may bear it too.
2. Whom that id names is forgotten at once, by the one way there is (``steps/forget``).
3. What a person has to look at, or to answer, is an alarm that names the command.
4. An act keeps that it was asked; of the event itself nothing stays that names anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from connector.ledger import acts, contacts, people
from connector.ledger.store import Tx
from connector.model import Event, Signal, Subject
from connector.rules.mapping import EXPORT, FORGET_ALL
from connector.steps.alarm import alarm
from connector.steps.forget import forget
from connector.steps.setup import Setup

DECIDING: Final = ("user_id", "crm_id")
ASKED: Final = "right_asked"  #: the act
WHY: Final = "asked through its source"
FORGET_ASKED: Final = "forget_asked"  #: the alarms
EXPORT_ASKED: Final = "export_asked"

log = logging.getLogger("connector")


def take(tx: Tx, rt: Setup, event: Event, signal: Signal, now: datetime) -> str:
    """Do what an event asks for by right; what came of it, in a word."""
    if signal.privacy == FORGET_ALL:
        result = _forget_all(tx, rt, event.source, now)
    elif signal.privacy == EXPORT:
        result = _export(tx, rt, event, signal.subject, now)
    else:
        result = _forget(tx, rt, event, signal.subject, now)
    why = f"{signal.privacy}: {result}"
    acts.add(tx, rt.new_id("act"), ASKED, "contact", who=event.source, why=why, at=now)
    log.warning("act=right source=%s asks=%s result=%s", event.source, signal.privacy, result)
    return result


def without_names(event: Event) -> Event:
    """The event as it is kept: that it was told, and nothing of whom it named."""
    return replace(event, payload={})


def _forget(tx: Tx, rt: Setup, event: Event, subject: Subject, now: datetime) -> str:
    """Forget whom the id names; who else bears the same number or address is for a person."""
    meant = _named(tx, subject)
    alike = [found for found in _alike(tx, subject) if found not in meant]
    for contact_id in meant:
        forget(tx, rt, people.find(tx, contact_id), who=event.source, why=WHY, now=now)
    if alike:
        says = (
            f"{event.source} asks that a person be forgotten, whose number or address "
            f"{_listed(alike)} bears too, known from elsewhere: look, and where it is the same "
            'person run `connector contact forget ID --why "the request"`'
        )
        alarm(tx, rt, FORGET_ASKED, says, now, about=event.id)
    if meant:
        return "forgotten"
    return "left_to_a_person" if alike else "nobody_known"


def _export(tx: Tx, rt: Setup, event: Event, subject: Subject, now: datetime) -> str:
    """Somebody has to answer, also where nothing is held."""
    found = list(dict.fromkeys([*_named(tx, subject), *_alike(tx, subject)]))
    held = "nobody of that id, number or address is known here, so nothing is held"
    if found:
        held = f"write it down with `connector contact export {found[0]} --html page.html`"
    if len(found) > 1:
        held += f", and so for {_listed(found[1:])} where it is the same person"
    says = (
        f"{event.source} passes on that a person asks what is held about them: {held}. "
        "Answer in the time that your law gives, often 30 days."
    )
    alarm(tx, rt, EXPORT_ASKED, says, now, about=event.id)
    return "told_to_a_person" if found else "nobody_known"


def _forget_all(tx: Tx, rt: Setup, source: str, now: datetime) -> str:
    says = (
        f"{source} asks that all it told be erased, since its app was taken off: forget its people "
        f"one by one (`connector events --source {source} --json` names them); or, where nothing "
        "else feeds this ledger, stop the connector and remove its data folder"
    )
    alarm(tx, rt, FORGET_ASKED, says, now, about=source)
    return "left_to_a_person"


def _named(tx: Tx, subject: Subject) -> list[str]:
    """Whom the source's own ids name: nobody else can be meant by them."""
    ids = [pair for pair in contacts.named(subject) if pair[0] in DECIDING]
    rows = (contacts.bearer(tx, *pair) for pair in ids)
    return list(dict.fromkeys(str(row["id"]) for row in rows if row is not None))


def _alike(tx: Tx, subject: Subject) -> list[str]:
    """Who bears the number or the address now; of each at most two are looked for."""
    pairs = [pair for pair in contacts.named(subject) if pair[0] not in DECIDING]
    return list(dict.fromkeys(one for pair in pairs for one in contacts.bearers(tx, *pair)))


def _listed(ids: Sequence[str]) -> str:
    return " and ".join(ids)
