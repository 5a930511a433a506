"""Kept: the facts of a decision made again from what the ledger stores of them.

``steps/keeping`` stores them. The rules must come to the same verdict by what is made here: that
is what an audit of a decision rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from connector.errors import ExpressionFailed
from connector.model import Contact, Json, Purpose, Said
from connector.rules.history import Answered
from connector.rules.places import Address, Sign
from connector.rules.plays import Condition
from connector.rules.policy.limits import SMS, Pot, Rival
from connector.rules.policy.values import Facts, Policy, Rulebook, Suppression

__all__ = ["NOT_KEPT", "PLACE", "PLAIN", "SMS", "TIMES", "Remade", "rebuilt"]

PLACE: Final = ("timezone", "country", "region", "postal")  #: of the contact
PLAIN: Final = (
    *("play", "role", "key", "step", "number_type", "blocked", "blocked_scope"),
    *("texts_for_key", "texts_for_cart", "asks", "text_fault", "hold", "paused", "clock_off"),
    *("busy_with", "not_valid", "too_long", "unanswered", "template_paused", "sender"),
    *("unheard", "segments", "cost_micros", "reassigned", "on_list", "list_fault", "facts_old"),
    *("number_unchecked", "no_route", "provider", "way"),
)
"""Fields of ``Facts`` that are kept under their own names, as they are."""
TIMES: Final = ("cart_at", "talking_until", "unanswered_at", "alive_at")
NOT_KEPT: Final[Mapping[str, str]] = {
    "due_at": "no check reads it, and waiting alone changes it",
    "text": "no check reads it: what is wrong with it, its length and its cost are kept",
}
"""Fields of ``Facts`` that are not kept, and why they have no bearing on a verdict."""


@dataclass(frozen=True, slots=True)
class Remade:
    """What a decision rested on, made again."""

    facts: Facts
    book: Rulebook  #: rules that read what is not kept answer as they did


def rebuilt(kept: Mapping[str, Any], book: Rulebook, now: datetime) -> Remade:
    """The facts of a decision of ``now``, and the book to weigh them by.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` where they are not as they were stored.
    """
    place: dict[str, Any] = {name: kept.get("place", {}).get(name, "") for name in PLACE}
    sign = _sign(kept["number"]) if "number" in kept else None
    facts = Facts(
        contact=Contact(
            id=kept["contact"],
            phone=sign.what if sign else "",
            stage=kept.get("stage", ""),
            **place,
        ),
        purpose=Purpose(kept["purpose"]),
        due_at=now,
        expires_at=_instant(kept["expires_at"]),
        consents=frozenset(kept["consents"]),
        max_texts_per_key=kept.get("max_texts_per_key"),
        sign=sign,
        context=_context(kept, now),
        **_fields(kept),
    )
    return Remade(facts, replace(book, policy=_answering(book.policy, kept.get("answers", {}))))


def _fields(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are kept under their own names."""
    usual = dict.fromkeys(
        ("play", "role", "key", "step", "number_type", "blocked", "blocked_scope"), ""
    )
    return {
        **usual,
        **{name: kept[name] for name in PLAIN if name in kept},
        **{name: _instant(kept[name]) for name in TIMES if name in kept},
        "scopes": tuple(kept.get("scopes", ())),
        "stages": tuple(kept.get("stages", ())),
        "said": _said(kept.get("said", ())),
        "said_to_number": _said(kept.get("said_to_number", ())),
        "touched": _said(kept.get("touched", ())),
        "addresses": tuple(Address(*each) for each in kept.get("addresses", ())),
        "rivals": tuple(Rival(_instant(at), *rest) for at, *rest in kept.get("rivals", ())),
        "pots": tuple(Pot(name, _instant(at), *rest) for name, at, *rest in kept.get("pots", ())),
    }


def _sign(told: Sequence[Any]) -> Sign:
    what, places, zones = told
    return Sign(what, tuple(places), tuple(zones))


def _said(rows: Sequence[Sequence[str]]) -> tuple[Said, ...]:
    return tuple(
        Said(_instant(at), Purpose(purpose), play, "", "", *channel)
        for at, purpose, play, *channel in rows
    )


def _context(kept: Mapping[str, Any], now: datetime) -> dict[str, Json]:
    """What expressions may read, as far as the rules of the policy did."""
    play, role = kept.get("play", ""), kept.get("role", "")
    found: dict[str, Json] = {
        "contact": {},
        **kept.get("read", {}),
        "signal": kept.get("signal", {}),
        "crm": kept.get("crm", {}),
        "now": f"{now.isoformat(timespec='microseconds')[:-6]}Z",
        "play": {
            "name": play,
            "role": role,
            "purpose": kept.get("play_purpose", kept["purpose"] if play else ""),
            "regulated": kept.get("regulated", ""),
        },
    }
    if "history" in kept:
        found["history"] = Answered(kept["history"], now)
    return found


def _answering(policy: Policy, answers: Mapping[str, Json]) -> Policy:
    """The policy, with rules that answer what they answered then; the others are asked."""
    if not answers:
        return policy
    rules = tuple(_rule(rule, answers) for rule in policy.suppressions)
    return replace(policy, suppressions=rules, together={})


def _rule(rule: Suppression, answers: Mapping[str, Json]) -> Suppression:
    return replace(rule, when=_said_then(answers[rule.name])) if rule.name in answers else rule


def _said_then(answer: Json) -> Condition:
    def when(context: Mapping[str, Json]) -> Json:
        if isinstance(answer, list):
            code, says = answer
            raise ExpressionFailed(says, code)
        return answer

    return when


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value)
