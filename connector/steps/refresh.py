"""Refreshing: what a text waits for is asked anew of the CRM or the provider.

1. What is due is read under a short write transaction, which also forgets what no text waits for.
2. The CRM or the provider is asked outside any transaction.
3. What it told is kept in one transaction, and the texts that waited are due at once.

A process that dies between any two of these asks again. Where it cannot be told the text goes on
waiting until it expires, and an alarm is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from connector.errors import ConnectorError, Refused, SendFailed
from connector.ledger import alarms, contacts, numbers, refreshes
from connector.ledger.refreshes import CRM, NUMBER, Due
from connector.ledger.store import Tx
from connector.messages import LookedUp
from connector.model import Json, Subject
from connector.phone import mask
from connector.providers import LooksUp, who_looks_up
from connector.rules.policy import CHECK_AGAIN
from connector.rules.retry import WRITEBACKS, next_attempt
from connector.steps import crmfacts, crmpause
from connector.steps.alarm import alarm
from connector.steps.consent import tell_crm
from connector.steps.setup import Setup

BATCH: Final = 100  #: contacts in one call to the CRM
LOOKUPS: Final = 10  #: in a round; with a round a second, so many a second at the most
DAY: Final = timedelta(hours=24)

log = logging.getLogger("connector")


def refresh(rt: Setup) -> int:
    """Ask what is due; how many contacts and numbers were told of."""
    now = rt.clock()
    with rt.store.read() as tx:
        due = refreshes.next_due(tx)
    if due is None or due > now:
        return 0
    with rt.store.write() as tx:
        refreshes.tidy(tx)
    return ask_crm(rt) + look_up(rt)


def ask_crm(rt: Setup) -> int:
    """Ask the CRM about the contacts whose facts are too old; how many it told of."""
    with rt.store.read() as tx:
        wanted = refreshes.due(tx, CRM, rt.clock(), BATCH)
        subjects = [subject_of(tx, rt.crm, each.about) for each in wanted]
    if not wanted:
        return 0
    try:
        told = [
            crmfacts.of_record(rt, rt.crm, record) for record in rt.crms[rt.crm].fetch(subjects)
        ]
        found = list(zip(wanted, told, strict=True))
    except Exception as error:  # a door: whatever went wrong, it is asked again later
        _crm_failed(rt, wanted, error)
        return 0
    with rt.store.write() as tx:
        now = rt.clock()
        for each, facts in found:
            _learn(tx, rt, each, facts, now)
        alarms.clear(tx, "crm_not_asked", rt.crm, now)
    log.info("act=refresh crm=%s contacts=%d result=told", rt.crm, len(wanted))
    return len(wanted)


def subject_of(tx: Tx, crm: str, contact_id: str) -> Subject:
    """Whom to ask about: by the record that is known to be theirs, else by all their names."""
    row = contacts.row(tx, contact_id)
    if row is None:
        return Subject()
    names = contacts.identities(tx, str(row["id"]))
    contact = contacts.read(row, names)
    if record := contact.crm_links.get(crm, ""):
        return Subject(crm=crm, crm_id=record)
    user = next((str(name["value"]) for name in names if name["kind"] == "user_id"), "")
    return Subject(user_id=user, phone=contact.phone, email=contact.email)


def _learn(tx: Tx, rt: Setup, wanted: Due, facts: Mapping[str, Json], now: datetime) -> None:
    """Keep what the CRM told; that it knows nobody is told too, and is nothing."""
    row = contacts.row(tx, wanted.about)
    if row is not None:
        crmfacts.learn(tx, rt, rt.crm, str(row["id"]), facts, now, asked=True)
    refreshes.done(tx, CRM, wanted.about, now)


def _crm_failed(rt: Setup, wanted: Sequence[Due], error: Exception) -> None:
    now, words = rt.clock(), _words(error)
    after = getattr(error, "retry_after", None)
    with rt.store.write() as tx:
        for each in wanted:
            refreshes.put_off(tx, [each], _later(rt, each, now, after))
        says = f"The CRM could not be asked ({words}); texts wait for what it knows."
        alarm(tx, rt, "crm_not_asked", says + crmpause.remedy(error), now, about=rt.crm)
    log.warning("act=refresh crm=%s contacts=%d result=failed why=%s", rt.crm, len(wanted), words)


def look_up(rt: Setup) -> int:
    """Look up the numbers that are due, a few at a time; how many were told of."""
    checks = rt.book.policy.numbers
    by = who_looks_up(rt.provider, rt.providers) if checks.check_every is not None else None
    if by is None:
        return 0
    name, provider = by
    now = rt.clock()
    with rt.store.read() as tx:
        wanted = refreshes.due(tx, NUMBER, now, BATCH)
        room = checks.per_day - numbers.lookups_since(tx, now - DAY) if wanted else 0
        asked = wanted[: max(0, min(room, LOOKUPS))]
        owners = [_owner_since(tx, each.about) if checks.reassigned else None for each in asked]
    if wanted and not asked:
        _spent(rt, wanted, name)
        return 0
    told = [_ask(provider, each, owner) for each, owner in zip(asked, owners, strict=True)]
    if told:
        with rt.store.write() as tx:
            for each, answer in zip(asked, told, strict=True):
                _note(tx, rt, name, each, answer)
    return len(told)


def _owner_since(tx: Tx, phone: str) -> date | None:
    """The day of the newest consent: whose number it was then. None where there is none."""
    granted = numbers.newest_grant(tx, phone)
    return granted.date() if granted else None


def _ask(provider: LooksUp, wanted: Due, owner_since: date | None) -> LookedUp | Exception:
    try:
        return provider.lookup(wanted.about, owner_since)
    except Exception as error:  # a door: whatever went wrong, it is asked again later
        return error


def _note(tx: Tx, rt: Setup, name: str, wanted: Due, answer: LookedUp | Exception) -> None:
    now = rt.clock()
    about = (tx, rt.new_id("lkp"), wanted.about, name, now)
    if isinstance(answer, Exception):
        numbers.looked_up(*about, kind="", reassigned="", error=_words(answer))
        after = getattr(answer, "retry_after", None)
        is_final = isinstance(answer, Refused)
        until = now + DAY if is_final else _later(rt, wanted, now, after)
        refreshes.put_off(tx, [wanted], until)
        says = f"Numbers could not be looked up ({_words(answer)}); texts to them wait."
        alarm(tx, rt, "number_not_checked", says, now, about=name)
        log.warning("act=lookup number=%s result=failed why=%s", mask(wanted.about), _words(answer))
        return
    owner = {True: "yes", False: "no", None: ""}[answer.reassigned]  # nothing was told of it
    numbers.looked_up(*about, kind=answer.type, reassigned=owner)
    if answer.reassigned:
        tell_crm(tx, rt.crm, wanted.about, now)
    refreshes.done(tx, NUMBER, wanted.about, now)
    alarms.clear(tx, "number_not_checked", name, now)
    log.info("act=lookup number=%s type=%s", mask(wanted.about), answer.type or "unknown")


def _spent(rt: Setup, wanted: Sequence[Due], name: str) -> None:
    """No more look-ups today: what waits is asked about later, and somebody is told."""
    now, most = rt.clock(), rt.book.policy.numbers.per_day
    with rt.store.write() as tx:
        refreshes.put_off(tx, wanted, now + CHECK_AGAIN)
        says = f"All {most} look-ups of 24 hours are used up; texts to unchecked numbers wait."
        alarm(tx, rt, "lookups_spent", says, now, about=name)


def _later(rt: Setup, wanted: Due, now: datetime, after: float | None) -> datetime:
    attempt = wanted.attempt + 1
    at = next_attempt(attempt, now, "unavailable", after, rt.chance(), pace=WRITEBACKS)
    return at or now + WRITEBACKS.longest


def _words(error: Exception) -> str:
    """What to keep of an error: our own words, but of a stranger's only its name."""
    is_ours = isinstance(error, ConnectorError | SendFailed)
    return str(error) if is_ours else type(error).__name__
