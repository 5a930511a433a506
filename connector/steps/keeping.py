"""Keeping: the facts of a decision as the ledger stores them, to be told and weighed years later.

``rules/policy/kept`` makes facts of them again, by which the rules must come to the same verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from connector import clock
from connector.errors import ExpressionFailed
from connector.model import Json, Said
from connector.phone import mask
from connector.rules.places import of_number
from connector.rules.plays import Condition
from connector.rules.policy import Facts, Policy
from connector.rules.policy.kept import PLACE, PLAIN, SMS, TIMES
from connector.rules.policy.reads import Reads

_PLAIN: Final = attrgetter(*PLAIN)
_PLACE: Final = attrgetter(*PLACE)
_TIMES: Final = attrgetter(*TIMES)
REPLY: Final = "reply"  #: the signal whose text is a person's own words
WORDS: Final = ("last_text", "last_reply")  #: fields in which we told a CRM what was said


def kept(facts: Facts, policy: Policy) -> dict[str, Json]:
    """The facts as a decision keeps them: everything it weighed, no number and no text.

    What is as usual (nothing, none, empty) is left out. Not when it is due, which waiting alone
    changes: the same waiting again is the same facts.
    """
    contact, limit = facts.contact, facts.max_texts_per_key
    found: dict[str, Json] = {
        "contact": contact.id,
        "purpose": facts.purpose.value,
        "consents": sorted(facts.consents),
        "expires_at": clock.text(facts.expires_at),
    }
    found |= {name: value for name, value in zip(PLAIN, _PLAIN(facts), strict=True) if value}
    for name, at in zip(TIMES, _TIMES(facts), strict=True):
        if at is not None:
            found[name] = clock.text(at)
    if contact.stage:
        found["stage"] = contact.stage
    if place := {name: value for name, value in zip(PLACE, _PLACE(contact), strict=True) if value}:
        found["place"] = place
    if limit is not None:
        found["max_texts_per_key"] = limit
    if contact.phone:
        sign = of_number(contact.phone)
        found["number"] = [sign.what, sign.places, sign.zones]
    return found | _lists(facts) | _told(facts, policy)


def _lists(facts: Facts) -> dict[str, Json]:
    """What there may be several of, where there is any."""
    found: dict[str, Json] = {}
    if facts.scopes:
        found["scopes"] = facts.scopes
    if facts.stages:
        found["stages"] = facts.stages
    if facts.said:
        found["said"] = list(map(_said, facts.said))
    if facts.said_to_number:
        found["said_to_number"] = list(map(_said, facts.said_to_number))
    if facts.touched:
        found["touched"] = list(map(_said, facts.touched))
    if facts.addresses:
        found["addresses"] = [
            [each.what, each.country, each.region, each.postal] for each in facts.addresses
        ]
    if facts.rivals:
        found["rivals"] = [[clock.text(each.at), each.play, each.priority] for each in facts.rivals]
    if facts.pots:
        found["pots"] = [
            [pot.name, clock.text(pot.ends), pot.segments, pot.micros] for pot in facts.pots
        ]
    return found


def _said(item: Said) -> list[str]:
    told = [clock.text(item.at), item.purpose.value, item.play]
    return told if item.channel == SMS else [*told, item.channel]


def _told(facts: Facts, policy: Policy) -> dict[str, Json]:
    """What the policy's own rules could read: of the start, of the CRM, of the person."""
    context, reads = facts.context, policy.reads(facts.purpose.value, facts.role)
    found: dict[str, Json] = {}
    hidden: list[tuple[str, str]] = []
    for root in ("signal", "crm"):
        if values := context.get(root):
            found[root] = _shown(root, values, facts.contact.phone, hidden)
    found |= _of_play(facts)
    read = {
        root: value
        for root, names in reads.names.items()
        if (value := _read(context, root, names)) is not None
    }
    if read:
        found["read"] = read
    if (reads.signals or reads.segments) and (history := context.get("history")) is not None:
        found["history"] = history.answered(reads.signals, reads.segments)
    if answers := dict(_answers(context, reads, hidden)):
        found["answers"] = answers
    return found


def _shown(
    root: str, values: Mapping[str, Json], number: str, hidden: list[tuple[str, str]]
) -> dict[str, Json]:
    """The values with numbers masked, and without a person's own words; ``hidden`` names them."""
    found = dict(values)
    for name, value in values.items():
        if isinstance(value, str) and value and _is_number(name, value, number):
            found[name] = mask(value)
            hidden.append((root, name))
    words = [name for name in found if name.endswith(WORDS)]
    if root == "signal" and "text" in found and found.get("name") == REPLY:
        words.append("text")
    for name in words:
        del found[name]
        hidden.append((root, name))
    return found


def _is_number(name: str, value: str, number: str) -> bool:
    """Whether a value is a phone number, as far as its look or its name tells."""
    if value[0] == "+":
        return value[1:].isdigit()
    return value == number or "phone" in name or "Phone" in name or "mobile" in name


def _of_play(facts: Facts) -> dict[str, Json]:
    """What rules read of the play beside its name and role."""
    play = facts.context.get("play")
    if not play:
        return {}
    found = {"regulated": play.get("regulated", ""), "play_purpose": play.get("purpose", "")}
    if found["play_purpose"] == (facts.purpose.value if facts.play else ""):
        del found["play_purpose"]
    return {name: value for name, value in found.items() if value or name == "play_purpose"}


def _read(context: Mapping[str, Json], root: str, names: tuple[str, ...]) -> Json:
    """What is read below a root, as far as it is there; None for nothing."""
    value = context.get(root)
    if not names or not isinstance(value, Mapping):
        return value
    return {name: value[name] for name in names if name in value} or None


def _answers(context: Mapping[str, Json], reads: Reads, hidden: list[tuple[str, str]]) -> Any:
    """(rule, answer) for each rule that reads what is not kept."""
    for name, when in reads.opaque:
        yield name, _answer(when, context)
    if hidden:
        for name, when, paths in reads.watched:
            if any(path in paths or (path[0], "") in paths for path in hidden):
                yield name, _answer(when, context)


def _answer(when: Condition, context: Mapping[str, Json]) -> Json:
    """Whether a rule is true, or by which code and in which words it failed."""
    try:
        return bool(when(context))
    except ExpressionFailed as error:
        return [error.code, str(error)]
