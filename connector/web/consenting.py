"""``/api/opt-outs`` and ``/api/consents``: what numbers agreed to, told by the operator's programs.

No number ever stands in an address, where logs would keep it.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint

from connector import phone
from connector.errors import Unreadable
from connector.ledger import acts, consents, listings, reports
from connector.ledger.store import Tx
from connector.model import Capture, Json, Purpose
from connector.rules.consent import CRM_FIELD, EVERYTHING
from connector.steps import hand
from connector.steps.consent import known_purposes, opt_out, record_consent, stands
from connector.web.answers import Answer, told
from connector.web.keys import Keys
from connector.web.objects import read_choice, read_number, read_object, read_text, request_id
from connector.web.wiring import WebRuntime
from connector.web.writing import write

ASKED_BY: Final = {"call": "call", "email": "email", "crm": CRM_FIELD, "note": "crm_note"}
"""How somebody asked to be left alone, as a caller says it → as the ledger does."""

GIVEN_BY: Final = ("web_form", "checkout", "paper", "verbal", "call", "import", "crm_field")
"""How consent is given elsewhere. A reply or a double opt-in only the number itself can give."""

OPT_OUT: Final = ("number", "method", "wording", "why", "purpose", "source", "id")
GRANT: Final = (
    *("number", "purpose", "scopes", "method", "wording", "wording_version", "source", "why"),
    *("ip", "url", "user_agent", "id"),
)
REVOKE: Final = ("number", "purpose", "wording", "why", "source", "id")
MOST_SCOPES: Final = 20
MAX_WORD: Final = 100


def add_to(door: Blueprint, rt: WebRuntime, keys: Keys) -> None:
    """Add these to the door of the API."""

    @door.post("/api/opt-outs")
    def opt_outs() -> Answer:
        who = keys.bearer("consent")
        body = read_object(OPT_OUT)
        number = _number(rt, body)
        method = ASKED_BY[read_choice(body, "method", ASKED_BY)]
        wording = read_text(body, "wording", needed="what the person said or wrote")
        return _end(rt, who, body, number, method, wording, "opt_out")

    @door.post("/api/consents/revoke")
    def revoke() -> Answer:
        who = keys.bearer("consent")
        body = read_object(REVOKE)
        wording = read_text(body, "wording")
        return _end(rt, who, body, _number(rt, body), "operator", wording, "revoke")

    @door.post("/api/consents/grant")
    def grant() -> Answer:
        who = keys.bearer("consent")
        return _grant(rt, who, read_object(GRANT))

    @door.post("/api/consents/show")
    def show() -> Answer:
        keys.bearer("read")
        number = _number(rt, read_object(("number",)))
        with rt.store.read() as tx:
            return told(_shown(tx, rt, number))


def _number(rt: WebRuntime, body: dict[str, Json]) -> str:
    return read_number(read_text(body, "number", most=MAX_WORD), rt.settings.country)


def _end(
    rt: WebRuntime,
    who: str,
    body: dict[str, Json],
    number: str,
    method: str,
    wording: str,
    act: str,
) -> Answer:
    """End consent of a number, all of it unless a purpose is named, before the next call to it."""
    purpose = read_text(body, "purpose", most=MAX_WORD) or EVERYTHING
    why, source = read_text(body, "why"), read_text(body, "source", most=MAX_WORD)

    with rt.store.read() as tx:
        known = known_purposes(tx, rt.plays.values(), number)
    if purpose not in known:
        raise Unreadable(f"purpose is none that is known; it may be {', '.join(sorted(known))}")

    def done(tx: Tx) -> dict[str, Any]:
        now = rt.clock()
        is_new = opt_out(
            tx, rt, number, method, wording, who, why, now, purpose=purpose, source=source
        )
        hand.release(tx, rt, number, who=who, now=now, why=why)  # a person has decided
        acts.add(tx, rt.new_id("act"), act, f"consent:{purpose}", who=who, why=why, at=now)
        return {"recorded": is_new, **_standing(tx, rt, number)}

    what = _what(act, number, purpose, method)
    return write(rt, who, request_id(body), what, done, phone=number)


def _grant(rt: WebRuntime, who: str, body: dict[str, Json]) -> Answer:
    number = _number(rt, body)
    purpose = read_choice(body, "purpose", (Purpose.marketing, Purpose.service), "marketing")
    scopes, method = _scopes(body), read_choice(body, "method", GIVEN_BY)
    wording = read_text(body, "wording", needed="the exact words the person agreed to")
    source = read_text(body, "source", most=MAX_WORD) or who
    why = read_text(body, "why")
    capture = Capture(
        **{name: read_text(body, name) for name in ("wording_version", "ip", "url", "user_agent")}
    )

    def done(tx: Tx) -> dict[str, Any]:
        now = rt.clock()
        recorded = [
            name
            for name in (purpose, *scopes)
            if record_consent(
                tx,
                rt,
                phone=number,
                purpose=name,
                granted=True,
                method=method,
                wording=wording,
                source=source,
                recorded_by=who,
                evidence={"why": why} if why else None,
                capture=capture,
                now=now,
            )
        ]
        acts.add(tx, rt.new_id("act"), "grant", f"consent:{purpose}", who=who, why=why, at=now)
        return {"recorded": recorded, **_standing(tx, rt, number)}

    what = _what("grant", number, ",".join((purpose, *scopes)), method)
    return write(rt, who, request_id(body), what, done)


def _scopes(body: dict[str, Json]) -> list[str]:
    scopes = body.get("scopes") or []
    if not isinstance(scopes, list) or len(scopes) > MOST_SCOPES:
        raise Unreadable(f"scopes is a list of at most {MOST_SCOPES} words")
    if not all(isinstance(scope, str) and 0 < len(scope) <= MAX_WORD for scope in scopes):
        raise Unreadable("scopes holds what is no word, such as cart_reminders")
    if EVERYTHING in scopes:
        raise Unreadable(f"{EVERYTHING} is not given, only what it stands for")
    return scopes


def _standing(tx: Tx, rt: WebRuntime, number: str) -> dict[str, Any]:
    found = stands(tx, number, rt.asking().book.policy.expiries, rt.clock())
    return {"phone": phone.mask(number), "live": found.live, "stopped": found.stopped}


def _shown(tx: Tx, rt: WebRuntime, number: str) -> dict[str, Any]:
    """All that is known of a number's consent, oldest first; the number itself is masked."""
    known = consents.number(tx, number)
    rows = reports.number(tx, number)["consents"]
    masked = phone.mask(number)
    return {
        **_standing(tx, rt, number),
        "held": known["held_why"] if known and known["held_at"] else "",
        "contacts": listings.bearers(tx, "phone", number),
        "consents": [{**dict(row), "phone": masked} for row in rows],
    }


def _what(act: str, number: str, *more: str) -> str:
    """Names a request, so that its id is not taken for another."""
    return "\n".join((act, number, *more))
