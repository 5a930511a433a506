"""Recording consent: a row is appended, and the number's block brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from connector import clock
from connector.ledger import consents, forgotten, listings, sends
from connector.ledger.store import Row, Tx
from connector.model import NO_CAPTURE, Capture, ConsentRow, Contact, Event, Purpose
from connector.rules import places
from connector.rules.consent import EVERYTHING, Standing, standing, wording_version
from connector.rules.expiry import IMPLIED, NEVER, Expiries, Expiry, concerned
from connector.rules.optin import REQUEST
from connector.rules.plays import Play
from connector.steps import owed

MOST_BEARERS: Final = 1_000  #: contacts that share a number and are all told in the CRM
RENEWS_AFTER: Final = timedelta(days=1)
"""From then on the same consent, said again by a source that may renew it, counts anew."""

CLOSED: Final = "opted_out"  #: why a request for a yes that had not left is not sent any more
FORGOTTEN: Final = "forgotten"  #: the method of the opt-out with which a forgotten number returns
TICK: Final = timedelta(microseconds=1)  #: the least by which one thing comes after another


class Names(Protocol):
    """What recording needs of the setup."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""

    @property
    def crm(self) -> str:
        """The name of the CRM that is written to; "" for none."""


@dataclass(frozen=True, slots=True)
class By:
    """All that recording needs, for a door that opens nothing else."""

    new_id: Callable[[str], str]
    crm: str = ""


def record_consent(
    tx: Tx,
    rt: Names,
    *,
    phone: str,
    purpose: str,
    granted: bool,
    method: str,
    wording: str = "",
    source: str = "",
    recorded_by: str = "connector",
    evidence: Mapping[str, str] | None = None,
    event: Event | None = None,
    occurred_at: datetime | None = None,
    now: datetime,
    capture: Capture = NO_CAPTURE,
    pending: bool = False,
    renews: bool = False,
) -> bool:
    """Append to a number's consent ledger and bring its block up to date; False if known.

    The CRM is owed it for every contact that bears the number.
    """
    if not phone:
        return False
    at = min(occurred_at or (event.occurred_at if event else now), now)
    if not granted and (later := consents.later(tx, phone, now)):
        at = later + TICK  # what stands in the future came before: the clock was wrong then
    if method != FORGOTTEN and (since := forgotten.returning(tx, phone)):
        _stay_out(tx, rt, phone, since, now)  # whatever is said first, also that it wants nothing
    version = wording_version(wording, capture.wording_version)
    added = consents.add(
        tx,
        consent_id=rt.new_id("cns"),
        phone=phone,
        purpose=purpose,
        granted=granted,
        method=method,
        wording=wording,
        source=source,
        recorded_by=recorded_by,
        event_id=event.id if event else "",
        occurred_at=at,
        now=now,
        evidence=evidence,
        capture=replace(capture, wording_version=version),
        pending=pending,
        renews_after=RENEWS_AFTER if renews or method in IMPLIED else None,
        anew=event is None or not is_profile(event, rt.crm),
    )
    if added and not pending:
        _block(tx, rt, phone, method, at, now)
    return added


def is_profile(event: Event, crm: str) -> bool:
    """Whether an event tells what is held of a person, one number among it, rather than what they
    have just said. That is told again and again, and may still be of a number's owner before."""
    return event.type == "identify" or event.source == crm


def _stay_out(tx: Tx, rt: Names, phone: str, since: datetime, now: datetime) -> None:
    """A number that was forgotten comes back with the opt-out it was forgotten with."""
    record_consent(
        tx,
        rt,
        phone=phone,
        purpose=EVERYTHING,
        granted=False,
        method=FORGOTTEN,
        wording="this number was forgotten on request",
        occurred_at=since,
        now=now,
    )


def opt_out(
    tx: Tx,
    rt: Names,
    phone: str,
    method: str,
    wording: str,
    who: str,
    why: str,
    now: datetime,
    *,
    purpose: str = EVERYTHING,
    source: str = "",
    occurred_at: datetime | None = None,
) -> bool:
    """Somebody asked, by a call, an e-mail, a CRM's field or an operator, to be left alone.

    The one road for all of them: from the next text on nothing (or nothing of that purpose)
    reaches the number; every contact that bears it is owed to the CRM. A request for its yes that
    has not left is not sent. False where it was known.
    """
    if purpose in (EVERYTHING, "marketing"):
        sends.cancel_own(tx, phone, REQUEST, CLOSED, now)
    return record_consent(
        tx,
        rt,
        phone=phone,
        purpose=purpose,
        granted=False,
        method=method,
        wording=wording,
        source=source or method,
        recorded_by=who,
        evidence={"why": why} if why else None,
        occurred_at=occurred_at,
        now=now,
    )


def known_purposes(tx: Tx, plays: Iterable[Play], phone: str) -> frozenset[str]:
    """What consent of a number may be ended for: a purpose, a play's scope, or what it granted.

    Anything else is a slip of the pen, which would end nothing in silence.
    """
    scopes = {scope for play in plays for scope in play.scopes}
    granted = {row.purpose for row in consents.history(tx, phone)}
    given = (Purpose.marketing.value, Purpose.service.value)
    return frozenset({EVERYTHING, *given, *scopes, *granted})


def stands(
    tx: Tx,
    phone: str,
    rows: tuple[Expiry, ...],
    now: datetime,
    contact: Contact | None = None,
) -> Standing:
    """What a number's rows come to now, with what has ended of itself where the person may be."""
    who = contact or Contact("", phone)
    since = owner_since(consents.number(tx, phone))
    said = consents.history(tx, phone)
    return read(said, rows, now, lambda: places.places(who, phone).rules, since)


def owner_since(number: Row | None) -> datetime | None:
    """Since when a number is its present owner's; None where it never changed hands."""
    since = number["reassigned_at"] if number is not None else None
    return clock.instant(since) if since else None


def read(
    said: Sequence[ConsentRow],
    rows: tuple[Expiry, ...],
    now: datetime,
    where: Callable[[], tuple[str, ...]],
    since: datetime | None,
) -> Standing:
    """What consent rows come to; ``where`` gives the places, and is asked only if a row may end.

    ``since`` is when the number came to its present owner.
    """
    is_asked = concerned(rows, {row.method for row in said})
    return standing(said, now, Expiries(rows, where()) if is_asked else NEVER, since)


def _block(tx: Tx, rt: Names, phone: str, method: str, at: datetime, now: datetime) -> None:
    stopped = standing(consents.history(tx, phone)).stopped
    known = consents.number(tx, phone)
    if known is not None and known["blocked_scope"] != stopped:
        consents.block(tx, phone, stopped, method if stopped else "", at)
    tell_crm(tx, rt.crm, phone, now)


def tell_crm(tx: Tx, crm: str, phone: str, now: datetime) -> None:
    """What a number's consents come to is owed to the CRM ("" for none) for all who bear it."""
    for contact_id in listings.bearers(tx, "phone", phone, MOST_BEARERS) if crm else ():
        owed.contact_changed(tx, crm, contact_id, now)
