"""The guards that are no check of the policy: where each stands, and what is there without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from connector.errors import Refused
from connector.ledger.store import Row, Tx
from connector.model import ConsentRow, Event, Trust
from connector.rules.clockwatch import Watch
from connector.rules.places import Sign
from connector.rules.policy import Facts
from connector.web.answers import LackingScope

Instead = Callable[..., Any]
"""What stands in a check's place: it is given the check itself, and what that was asked."""


@dataclass(frozen=True)
class Value:
    """What a constant is without the limit that it sets."""

    value: object


def always(answer: object) -> Instead:
    """Something that does nothing and says the same to everything."""
    return lambda original, *args, **named: answer


NOTHING: Final = always(None)
TRUE: Final = always(True)
FALSE: Final = always(False)
AGES: Final = Value(timedelta(days=9_999))


def _without_scopes(original: Instead, facts: Facts, *rest: Any) -> Any:
    return original(replace(facts, scopes=()), *rest)


def _to_number(original: Instead, facts: Facts) -> Any:
    return (), facts.said_to_number


def _to_person(original: Instead, facts: Facts) -> Any:
    return (*facts.said, *facts.touched), ()


def _no_margin(original: Instead, *args: Any) -> Any:
    where, hours, purpose, now, _, *more = args
    return original(where, hours, purpose, now, timedelta(), *more)


def _marketing_hours(original: Instead, case: Any, *rest: Any) -> Any:
    return original(replace(case, rules=case.rules[:1]), *rest)


def _one_sign(original: Instead, timezone: str, signs: list[Sign]) -> Any:
    return original(timezone, signs[:1])


def _one_zone(original: Instead, *args: Any) -> Any:
    return set(sorted(original(*args))[:1])


def _not_stated(original: Instead, timezone: str, *rest: Any) -> Any:
    return original("", *rest)


def _all_rows(
    original: Instead, tx: Any, contact_id: str, rows: list[ConsentRow], number: Row | None
) -> Any:
    return rows, None, {}


def _as_a_reply(original: Instead, self: Any, row: ConsentRow) -> Any:
    return original(self, replace(row, method="reply"))


def _not_pending(original: Instead, self: Any, row: ConsentRow) -> Any:
    return original(self, replace(row, pending=False))


def _trusted(original: Instead, mapping: Any, event: Event, trust: Trust, region: str) -> Any:
    return original(mapping, event, Trust.trusted, region)


def _any_scope(original: Instead, self: Any, scope: str) -> Any:
    with suppress(LackingScope):
        return original(self, scope)
    return "api:anybody"


def _anybody(original: Instead, self: Any, told: str) -> Any:
    return "anybody", frozenset({"read", "send", "consent", "operate"})


def _planned_again(original: Instead, tx: Tx, send_id: str, *why: str) -> Any:
    tx.run("UPDATE sends SET state = 'planned' WHERE id = :id AND state = 'sending'", id=send_id)


def _only_refused(original: Instead, tx: Tx, rt: Any, row: Row, error: Refused, now: Any) -> Any:
    return original(tx, rt, row, Refused(str(error), reason="other", code=error.code), now)


def _asked_since_ever(original: Instead, left_at: datetime | None, at: datetime) -> Any:
    return left_at is not None


GUARDS: Final[Mapping[str, tuple[str, Instead | Value]]] = {
    # what was said of the number
    "the number's row is touched first": ("connector.ledger.consents:touch", NOTHING),
    "an opt-out blocks the number": ("connector.ledger.consents:block", NOTHING),
    "an unclear reply holds": ("connector.ledger.consents:hold", NOTHING),
    "an unclear reply lapses": ("connector.steps.tidy:UNDECIDED", AGES),
    "a STOP ends consent": ("connector.steps.obey:stop", NOTHING),
    "a STOP reaches the person's other numbers": (
        "connector.steps.obey:_stop_other_numbers",
        NOTHING,
    ),
    "a STOP comes after what a wrong clock put into the future": (
        "connector.ledger.consents:later",
        NOTHING,
    ),
    "a consent from elsewhere does not lift a STOP": (
        "connector.rules.consent:_Reading._is_open",
        TRUE,
    ),
    "a CRM's box lifts only what the CRM set": (
        "connector.rules.consent:_Reading._start",
        _as_a_reply,
    ),
    "a box ticked in the CRM is a STOP": ("connector.steps.optouts:_tick", TRUE),
    "after a wrong person START brings nothing back": (
        "connector.rules.consent:_Reading._stop",
        _as_a_reply,
    ),
    "what is pending counts for nothing": ("connector.rules.consent:_Reading.take", _not_pending),
    "a consent ends of itself": ("connector.rules.expiry:Expiries.lapsed", FALSE),
    "an owner before the present one agreed to nothing": (
        "connector.steps.eligible:own_consents",
        _all_rows,
    ),
    "who was forgotten stays out": ("connector.steps.consent:_stay_out", NOTHING),
    "an opt-out at the provider is taken over": (
        "connector.steps.untaken:of_number",
        _only_refused,
    ),
    "scopes are asked for beside purposes": (
        "connector.rules.policy.consent:no_consent",
        _without_scopes,
    ),
    "a browser says nothing of numbers and consents": ("connector.rules.mapping:apply", _trusted),
    # double opt-in, and our own answers
    "a number is asked for its yes once in 30 days": ("connector.rules.optin:may_ask", TRUE),
    "a yes answers a text of the last 24 hours": (
        "connector.rules.optin:is_open",
        _asked_since_ever,
    ),
    "a STOP closes what was asked": ("connector.steps.optin:close", NOTHING),
    "an answer leaves within five minutes": ("connector.steps.obey:ANSWER_WITHIN", AGES),
    "a STOP is confirmed once": ("connector.steps.obey:_confirmed_already", FALSE),
    "a person answers a reply of the last seven days": (
        "connector.steps.hand:ANSWERABLE",
        Value(timedelta(days=999)),
    ),
    # hours and places
    "some of the lawful hours must be left": ("connector.rules.hours:judge", _no_margin),
    "every state that a sign names has its say": ("connector.rules.places:_where", _one_sign),
    "every place has its say in the hours": ("connector.rules.hours:_pairs", _marketing_hours),
    "a text suits every zone a person may be in": ("connector.rules.places:_zones", _one_zone),
    "a zone that was stated decides the clock": ("connector.rules.places:_where", _not_stated),
    "a country without a row is closed": ("connector.rules.hours:_missing", always("")),
    "holidays close where the law says so": ("connector.rules.hours:is_holiday", FALSE),
    "what the clocks say of ours holds marketing": (
        "connector.rules.clockwatch:judge",
        always(Watch()),
    ),
    # how often
    "caps count what the person was told at any number": (
        "connector.rules.policy.frequency:_heard",
        _to_number,
    ),
    "caps count what the number was told, whoever bore it": (
        "connector.rules.policy.frequency:_heard",
        _to_person,
    ),
    "the law of a region counts texts": (
        "connector.rules.policy.frequency:_legal_caps",
        always(()),
    ),
    "a sender's pace is kept": ("connector.steps.pace:Pace.held", FALSE),
    "what leaves is counted in the budget first": ("connector.steps.budget:reserve", NOTHING),
    "a template that drives people away is paused": (
        "connector.rules.templates:judge",
        always(""),
    ),
    # whom
    "lists and hands keep texts from people": ("connector.steps.eligible:listed", always({})),
    "old facts are asked for again": ("connector.steps.eligible:stale", always({})),
    "a number is what a look-up told": ("connector.steps.gather:_number_type", always("mobile")),
    # the moment of sending
    "a check that raises keeps the text back": ("connector.rules.policy.weigh:failed", NOTHING),
    "the play may end what was planned": ("connector.steps.gate:_over", NOTHING),
    "conditions are asked again": ("connector.steps.gate:_unwanted", NOTHING),
    "a shadow sends nothing": ("connector.steps.setup:Setup.may_leave", TRUE),
    "a pause and a STOP are asked for right before the call": (
        "connector.steps.dispatch:Dispatcher._given_back",
        NOTHING,
    ),
    "a text of unknown fate is not sent again": ("connector.ledger.sends:doubted", _planned_again),
    "another system's text is not taken for ours": ("connector.rules.doubts:is_marked", TRUE),
    "a marketing text goes again only after two looks": (
        "connector.rules.doubts:_in_a_row",
        always(99),
    ),
    "what may be repeated goes only as it was": ("connector.steps.repeats:forbidden", always("")),
    "after a gap marketing waits": ("connector.steps.hearing:hold", NOTHING),
    "after a gap replies are asked for": ("connector.steps.catchup:CatchUp._missing", always(())),
    "what was due before a restore is in doubt": ("connector.steps.gap:holds_back", FALSE),
    "words that a lost ledger said are not said again": ("connector.steps.gap:was_said", FALSE),
    "a play goes live with two people behind it": ("connector.rules.approvals:missing", always(0)),
    # who may ask for a text
    "the API asks for the scope": ("connector.web.keys:Keys.bearer", _any_scope),
    "the API asks for a key": ("connector.web.keys:Keys._find", _anybody),
    "a signed source is verified": ("connector.sources.signatures:verify", NOTHING),
    "a write key is verified": ("connector.sources.segment:Segment.verify", NOTHING),
    "a source described by its file is verified": (
        "connector.sources.standard:Standard.verify",
        NOTHING,
    ),
    "a provider's callback is verified": ("connector.providers.twilio:Twilio.verify", NOTHING),
    "the sandbox's callback is verified": ("connector.providers.sandbox:Sandbox.verify", NOTHING),
}
"""What it does → where it stands, and what stands there without it."""
