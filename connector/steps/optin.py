"""Double opt-in: a consent waits, the number is asked once, and only its own yes grants it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from connector import clock
from connector.ledger import acts, consents, frequency, listings, sends
from connector.ledger.store import Row, Tx
from connector.messages import Reply
from connector.model import Cause, Contact, Json, Purpose
from connector.rules import optin as rule
from connector.rules.expiry import Expiry
from connector.steps import proven
from connector.steps.consent import CLOSED, Names, record_consent, stands
from connector.steps.setup import Setup

ORDER: Final = {name: place for place, name in enumerate(rule.NAMED)}
LEFT: Final = frozenset({"sending", "accepted", "delivered", "undelivered", "uncertain"})


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of a consent that was proposed for a number."""

    asked: bool
    why_not: str = ""  #: live, recent or blocked


def propose(
    tx: Tx,
    rt: Names,
    phone: str,
    purposes: Collection[str],
    contact_id: str,
    mode: str,
    now: datetime,
    expiries: tuple[Expiry, ...] = (),
) -> Proposed:
    """Ask a number for its yes to what was proposed for it; at most once in 30 days."""
    asks, why_not = wanted(tx, phone, purposes, now, expiries)
    if asks:
        ask(tx, rt, phone, asks, contact_id, mode, now)
    return Proposed(bool(asks), why_not)


def wanted(
    tx: Tx,
    phone: str,
    purposes: Collection[str],
    now: datetime,
    expiries: tuple[Expiry, ...] = (),
) -> tuple[list[str], str]:
    """What a number may be asked for now; else nothing, and why not. What is live already is not
    asked for."""
    live = stands(tx, phone, expiries, now).live
    asks = sorted(set(purposes) - live, key=lambda name: (ORDER.get(name, len(ORDER)), name))
    if not asks:
        return [], "live"
    number = consents.number(tx, phone)
    if number is not None and number["blocked_by"] == "provider" and number["blocked_scope"]:
        return [], "blocked"
    asked_at = _asked_at(tx, number, phone)
    if not rule.may_ask(clock.instant(asked_at) if asked_at else None, now):
        return [], "recent"
    return asks, ""


def ask(
    tx: Tx,
    rt: Names,
    phone: str,
    asks: Sequence[str],
    contact_id: str,
    mode: str,
    now: datetime,
    *,
    bears: str = "",
) -> None:
    """Plan the text that asks. What it names is noted on the number, and a yes grants exactly
    that, also where more was proposed meanwhile. ``bears``: whose the number is from then on."""
    request = rt.new_id("doi")
    noted = {"request": request, "purposes": asks, **({"bears": bears} if bears else {})}
    consents.confirming(tx, phone, orjson.dumps(noted).decode(), now)
    sends.plan(tx, _plan(rt, request, phone, contact_id, mode, now), now)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an operator proposes for a number, and where the proof of it is."""

    phone: str  #: E.164
    purposes: tuple[str, ...]
    method: str
    wording: str
    source: str
    who: str


def request(
    tx: Tx,
    rt: Names,
    proposal: Proposal,
    mode: str,
    now: datetime,
    expiries: tuple[Expiry, ...] = (),
) -> Proposed:
    """Keep what an operator proposes as waiting, with the act, and ask the number for its yes."""
    why = f"{proposal.method}, kept at {proposal.source}"
    about = f"consent:{proposal.purposes[0]}"
    acts.add(tx, rt.new_id("act"), "request", about, who=proposal.who, why=why, at=now)
    last = proposal.purposes[-1]
    for purpose in proposal.purposes:
        record_consent(
            tx,
            rt,
            phone=proposal.phone,
            purpose=purpose,
            granted=True,
            method=proposal.method,
            wording=proposal.wording,
            source=proposal.source,
            evidence={"asks": ",".join(proposal.purposes)} if purpose == last else None,
            recorded_by=proposal.who,
            now=now,
            pending=True,
            renews=purpose == last,  # asked anew in the same words, it is told anew
        )
    bearers = listings.bearers(tx, "phone", proposal.phone)
    contact_id = bearers[0] if len(bearers) == 1 else ""
    return propose(tx, rt, proposal.phone, proposal.purposes, contact_id, mode, now, expiries)


def words(tx: Tx, rt: Setup, contact: Contact) -> dict[str, Json]:
    """What the text that asks may read: what for, and how many a month at most."""
    number = consents.number(tx, contact.phone)
    purposes = _noted(number).get("purposes", [])
    spoken = {language for name, language in rt.templates if name == rule.REQUEST}
    language = contact.language if contact.language in spoken else rt.says.language
    return {
        "purposes": purposes,
        "what": rule.what(purposes, language),
        "per_month": rule.per_month(rt.book.policy),
    }


def is_open(tx: Tx, phone: str, at: datetime, asked_since: str | None = None) -> bool:
    """Whether the number was asked for its yes, and a yes of this instant answers that.

    ``asked_since`` is when another text left that asks for something: the newer one is answered.
    """
    request = _request(tx, consents.number(tx, phone), at)
    return request is not None and (not asked_since or asked_since <= request["begun_at"])


def complete(tx: Tx, rt: Setup, told: Reply, at: datetime, now: datetime) -> bool:
    """The number said yes: grant exactly what it was asked for; False where nothing was open."""
    number = consents.number(tx, told.sender)
    request = _request(tx, number, at)
    if number is None or request is None:
        return False
    noted = _noted(number)
    if bears := str(noted.get("bears", "")):
        proven.bear(tx, rt, told.sender, bears, str(noted["request"]), at)
    for purpose in noted["purposes"]:
        record_consent(
            tx,
            rt,
            phone=told.sender,
            purpose=purpose,
            granted=True,
            method=rule.REQUEST,
            wording=str(request["text"]),
            source=told.provider,
            evidence={"reply": told.text[:160], "request": str(request["id"])},
            occurred_at=at,
            now=now,
        )
    close(tx, told.sender, now)
    return True


def close(tx: Tx, phone: str, now: datetime) -> None:
    """Nothing is asked of the number any more, also where the text that asks has not left yet;
    when it was asked last is remembered."""
    number = consents.number(tx, phone)
    if number is not None and number["confirming"] != "[]":
        at = number["confirming_at"]
        consents.confirming(tx, phone, "[]", clock.instant(at) if at else None)
        sends.cancel_own(tx, phone, rule.REQUEST, CLOSED, now)


def _asked_at(tx: Tx, number: Row | None, phone: str) -> str | None:
    """When the number was asked last: as the text left, which may be long after it was wanted."""
    wanted_at = number["confirming_at"] if number is not None else None
    left_at = frequency.last_of(tx, phone, rule.REQUEST)
    return max(filter(None, (wanted_at, left_at)), default=None)


def _request(tx: Tx, number: Row | None, at: datetime) -> Row | None:
    """The text that asked, where a yes of this instant answers it."""
    request = _noted(number).get("request")
    send = sends.of_cause(tx, Cause.system, request, rule.REQUEST) if request else None
    if send is None or send["state"] not in LEFT or not send["begun_at"]:
        return None
    return send if rule.is_open(clock.instant(send["begun_at"]), at) else None


def _noted(number: Row | None) -> Mapping[str, Any]:
    if number is None or number["confirming"] == "[]":
        return {}
    noted: Mapping[str, Any] = orjson.loads(number["confirming"])
    return noted


def _plan(
    rt: Names, request: str, phone: str, contact_id: str, mode: str, now: datetime
) -> sends.Plan:
    return sends.Plan(
        id=rt.new_id("snd"),
        cause=Cause.system.value,
        cause_id=request,
        step=rule.REQUEST,
        contact_id=contact_id,
        phone=phone,
        purpose=Purpose.system.value,
        template=rule.REQUEST,
        due_at=now,
        expires_at=now + rule.LEAVES_WITHIN,
        mode=mode,
        priority=50,
    )
