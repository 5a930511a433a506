"""What was asked before acting, and the answer, as plain values: the same at every door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from connector.errors import Unreadable
from connector.model import Json, Purpose
from connector.rules import replies
from connector.rules.hours import HoursRule
from connector.rules.places import country_of, is_zone, of_number, of_postal, of_region
from connector.rules.windows import ALL_DAY, Week, shown
from connector.steps import ask

PURPOSES: Final = (Purpose.marketing.value, Purpose.service.value)
FIELDS: Final = (
    *("number", "purpose", "scopes", "at", "state", "zip", "country", "zone"),
    *("suppose_consent", "suppose_sent"),
)
MOST: Final = 50  #: scopes, supposed texts


def question(
    asked: Mapping[str, Json], number: Callable[[str], str], own: str, now: datetime
) -> ask.Question:
    """A question as a program asks it; ``number`` reads one, ``own`` is the operator's zone.

    Raises ``Unreadable`` saying which field is wrong and how it is written.
    """
    purpose = asked.get("purpose") or PURPOSES[0]
    if purpose not in PURPOSES:
        raise Unreadable(f"purpose is one of {' and '.join(PURPOSES)}")
    zone = _word(asked, "zone")
    if zone and not is_zone(zone):
        raise Unreadable("zone is no time zone; write it as America/Chicago")
    country = _word(asked, "country")
    made = ask.Question(
        phone=number(_word(asked, "number")),
        purpose=Purpose(purpose),
        at=_instant(asked["at"], own) if asked.get("at") else now,
        scopes=tuple(_words(asked, "scopes")),
        country=country_of(country) if country else "",
        region=_word(asked, "state"),
        postal=_word(asked, "zip"),
        timezone=zone,
        suppose_consent=asked.get("suppose_consent") is True,
        suppose_sent=tuple(_instant(at, own) for at in _words(asked, "suppose_sent")),
    )
    if fault := doubt(made, made.region, made.postal):
        raise Unreadable(fault)
    return made


def doubt(question: ask.Question, state: str, postal: str) -> str:
    """What of a question would count for nothing, so that its answer would mislead; else ""."""
    country = question.country or "".join(of_number(question.phone).places[:1])[:2]
    if country and state and not of_region(country, state):
        return f"{state!r:.30} is no state that is known; write it as FL or US-FL"
    if postal and country == "US" and not of_postal(country, postal):
        return f"{postal!r:.30} is no ZIP that is known; write it as 33101"
    if any(at > question.at for at in question.suppose_sent):
        return "a text cannot be supposed to have gone after the instant that is asked about"
    return ""


def answered(question: ask.Question, answer: ask.Answer) -> dict[str, Any]:
    """A question and its answer as plain values."""
    decision, where = answer.decision, answer.where
    return {
        "purpose": question.purpose.value,
        "scopes": question.scopes,
        "at": question.at,
        "verdict": decision.verdict.value,
        "until": decision.until,
        "next_at": answer.next_at,
        "objections": [
            {
                "reason": item.reason,
                "verdict": item.verdict.value,
                "says": item.says,
                "until": item.until,
            }
            for item in decision.objections
        ],
        "zones": where.zones,
        "rules": where.rules,
        "law": law(question, answer),
        "signs": where.why,
        "consents": sorted(answer.live),
        "contacts": answer.contact_ids,
        "policy_version": decision.policy_version,
    }


def law(question: ask.Question, answer: ask.Answer) -> list[dict[str, Any]]:
    """The rows of the hours file that have a say that day, with their source."""
    return [
        {
            "place": row.place,
            "hours": _hours(row, question, answer),
            "max_24h": row.max_24h if question.purpose is Purpose.marketing else None,
            "source": row.source,
            "valid_from": row.valid_from.isoformat(),
            "confidence": row.confidence,
        }
        for row in answer.rows
    ]


def _hours(row: HoursRule, question: ask.Question, answer: ask.Answer) -> str:
    """A row's window on the day asked about; for service a state's is its country's."""
    week: Week | None = row.marketing
    if question.purpose is Purpose.service:
        country = row.place.partition("-")[0]
        week = row.service or next(
            (other.service for other in answer.rows if other.place == country), None
        )
    if week is None:
        return "as its country"
    window = week[answer.day.weekday()]
    return "at any hour" if window == ALL_DAY else shown(window)


def classified(texts: Iterable[str], *, pending: bool) -> list[dict[str, str]]:
    """How replies would be understood, and by which rule."""
    found = ((text, replies.classify(text, pending=pending)) for text in texts)
    return [
        {"text": text, "label": read.label.value, "why": read.why, "keyword": read.keyword}
        for text, read in found
    ]


def _instant(written: Json, own: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(written).strip())
    except ValueError:
        raise Unreadable("a time is written 2026-11-20T10:00 or …T10:00-05:00") from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(own))


def _word(asked: Mapping[str, Json], name: str) -> str:
    value = asked.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 100:
        raise Unreadable(f"{name} is a text of at most 100 letters")
    return value.strip()


def _words(asked: Mapping[str, Json], name: str) -> list[str]:
    value = asked.get(name) or []
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or len(items) > MOST:
        raise Unreadable(f"{name} is a list of at most {MOST} texts")
    if not all(isinstance(item, str) and len(item) <= 100 for item in items):
        raise Unreadable(f"{name} holds what is no text of at most 100 letters")
    return items
