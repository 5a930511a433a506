"""Explaining: a chain of the ledger told in plain words, link by link, with where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from connector.model import ConsentRow
from connector.phone import mask
from connector.rules.activities import LABEL_WORDS
from connector.rules.consent import standing
from connector.rules.numberfile import DEACTIVATED
from connector.rules.page import Page, one_line, short, span
from connector.rules.walks import ended, tell_crm, tell_outcomes, tell_text, tell_walk

Known = Mapping[str, Any]

CONSENTS_TOLD: Final = 10


def shown(chain: Any, *, full: bool = False) -> Any:
    """The chain as it may be shown: numbers and e-mail masked, the facts of decisions left out."""
    if full:
        return chain
    if isinstance(chain, Mapping):
        left_out = ("facts", "facts_hash") if "verdict" in chain else ()
        found = {
            name: masked(name, shown(value))
            for name, value in chain.items()
            if name not in left_out
        }
        if found.get("kind") == "number" and "stories" in found:
            found["id"] = mask(str(found["id"]))
        return found
    return [shown(item) for item in chain] if isinstance(chain, list) else chain


def masked(name: str, value: Any) -> Any:
    """A value by its name: of a phone number and an e-mail address only a part is left."""
    if name == "phone" and isinstance(value, str) and value:
        return mask(value)
    if name == "email" and isinstance(value, str) and value:
        first, at, host = value.partition("@")
        return f"{first[:1]}***@{host}" if at else "***"
    return value


def tell(chain: Known, width: int = 80, *, full: bool = False) -> list[str]:
    """The chain as lines of at most ``width`` columns. What :func:`shown` masked stays masked.

    ``full`` tells of each decision too by which policy it was made, and all that it saw.
    """
    contact = chain["contact"]
    is_person = chain["kind"] in ("contact", "number")
    page = Page(width, contact["zone"] if contact else "", full=full)
    if is_person:
        _person(page, chain)
    for story in chain["stories"]:
        page.gap()
        _story(page, story, None if is_person else contact)
    if not chain["stories"]:
        page.add("Stories", "Nothing has started a play for them, and they have not replied.")
    if chain["left_out"]:
        page.gap()
        page.add("", f"{chain['left_out']} older left out; --limit shows more.")
    return page.lines


def number_line(number: Known, since: str, known: Iterable[str] | None = None) -> str:
    """What may be sent to a number now, in one sentence; ``since`` tells when it was stopped.

    ``known`` is what is live, where the caller knows what has ended of itself.
    """
    rows = map(_consent_row, number["consents"])
    passed_at = str(number.get("reassigned_at") or "")
    owner_since = datetime.fromisoformat(passed_at) if passed_at else None
    live = sorted(standing(rows, owner_since=owner_since).live if known is None else known)
    is_off = number.get("reassigned_how") == DEACTIVATED
    what = "deactivated by its carrier" if is_off else "with a new owner"
    hands = f"; {what} since {passed_at[:10]}" if passed_at else ""
    if number["blocked_scope"]:
        scope = "everything" if number["blocked_scope"] == "all" else number["blocked_scope"]
        rest = f"; live consent for {', '.join(live)}" if live else ""
        return f"{scope} stopped since {since}, by {number['blocked_by']}{rest}{hands}"
    return (f"live consent for {', '.join(live)}" if live else "no live consent") + hands


def shared_line(number: Known) -> str:
    """Who shares a number, and on whose record what is said to it stands; "" for nobody."""
    people = [
        f"{each['id']} ({crm_record(each['crm_id'])})" if each["crm_id"] else str(each["id"])
        for each in number.get("shared", ())
    ]
    if not people:
        return ""
    names = f"{', '.join(people[:-1])} and {people[-1]}"
    return (
        f"shared by {names}: consent and limits are the number's, "
        "and each text, with what is replied to it, stands on the record of whom it was for"
    )


def crm_record(crm_id: str) -> str:
    """A record of a CRM by its whole name, ``hubspot:901``, in words."""
    crm, _, record = crm_id.partition(":")
    return f"record {record} of {crm}"


def crm_change(row: Known, at: str) -> str:
    """One change of a deal, a meeting or a case that a person stands on, in one line."""
    became = f"{short(row['before'])} → {short(row['after'])}"
    return f"{row['object']} {short(row['record'], 40)}, {row['field']}: {became}, {at}"


def _consent_row(row: Known) -> ConsentRow:
    at = datetime.fromisoformat(row["occurred_at"])
    action = row["action"]
    return ConsentRow(row["purpose"], action == "granted", row["method"], at, action == "pending")


def _person(page: Page, chain: Known) -> None:
    contact = chain["contact"]
    if contact:
        zone = f", clock of {contact['zone']}" if contact["zone"] else ""
        stage = f", {contact['stage']}" if contact["stage"] else ""
        page.add("Contact", f"{_name(contact)}{stage}{zone}")
    elif chain["bearers"]:
        page.add("Contact", f"Several people bear it: {', '.join(chain['bearers'])}.")
    else:
        page.add("Contact", "Nobody is known by it.")
    for number in chain["numbers"]:
        _number(page, number)
    for row in reversed(chain["crm_history"]):
        page.add("CRM", crm_change(row, page.at(row["occurred_at"])))


def _name(contact: Known) -> str:
    marks = [contact["first_name"], contact["phone"] or contact["email"]]
    known = ", ".join(one_line(mark) for mark in marks if mark)
    return f"{contact['id']} ({known})" if known else str(contact["id"])


def _number(page: Page, number: Known) -> None:
    since = page.at(number["blocked_at"]) if number["blocked_at"] else ""
    page.add("Number", f"{number['phone']}: {number_line(number, since)}")
    page.add("Number", shared_line(number))
    if number["held_at"]:
        page.add("Number", f"held since {page.at(number['held_at'])}: {number['held_why']}")
    for row in number["consents"][-CONSENTS_TOLD:]:
        what = f"{row['purpose']} {row['action']} {page.at(row['occurred_at'])}"
        source = f" through {row['source']}" if row["source"] else ""
        wording = f': "{short(row["wording"])}"' if row["wording"] else ""
        page.add("Number", f"{what} by {row['method']}{source}{wording}")


def _story(page: Page, story: Known, contact: Known | None) -> None:
    if story["event"]:
        _event(page, story["event"])
    if story["signal"]:
        _signal(page, story, contact)
    if story["reply"]:
        _reply(page, story)
    tell_outcomes(page, story["outcomes"])
    for walk in story["ends"]:
        page.add("Ended", f"{walk['play']} ({walk['id']}): {ended(page, walk, by=False)}")
    for walk in story["walks"]:
        tell_walk(page, walk)
    for text in story["texts"]:
        tell_text(page, text)
    if story["event"] and not (story["walks"] or story["ends"]):
        page.add("Result", _nothing(story["event"], story["signal"]))


def _event(page: Page, event: Known) -> None:
    name = one_line(event["name"] or event["type"])
    late = span(event["occurred_at"], event["received_at"])
    occurred = f"occurred {page.at(event['occurred_at'], there=True)}, heard {late} later"
    page.add("Event", f"{event['id']} {name} from source {event['source']}, {occurred}")
    if event["repeats"]:
        again = "once more" if event["repeats"] == 1 else f"{event['repeats']} times more"
        other = f", {event['conflicts']} with another body" if event["conflicts"] else ""
        page.add("Event", f"told {again}{other}; the first stands")
    if event["back_fill"]:
        page.add("Event", "a back-fill, which never starts a play")
    if event["state"] == "done" and event["reason"]:
        page.add("Event", f"not believed: {one_line(event['reason'])}")


def _signal(page: Page, story: Known, contact: Known | None) -> None:
    signal, event = story["signal"], story["event"]
    mapping = f" (mapping {event['mapping']})" if event and event["mapping"] else ""
    key = f", key {short(signal['key'], 40)}" if signal["key"] else ""
    about = f", about {_name(contact)}" if contact else ""
    page.add("Signal", f"{signal['name']}{mapping}{key}{about}")
    facts = short(signal["facts"], 300) if signal["facts"] else ""
    hidden = f"{signal['hidden_facts']} sensitive, not shown" if signal["hidden_facts"] else ""
    told = "; ".join(filter(None, (facts, hidden)))
    page.add("Signal", f"facts: {told}" if told else "")


def _nothing(event: Known, signal: Known | None) -> str:
    """Why an event led to nothing, and what to do where it might have."""
    reason = one_line(event["reason"])
    again = f"then run: connector events replay {event['id']}"
    if event["state"] == "unmapped":
        return f"No signal ({reason}). If it should be one, add it to the mapping, {again}"
    if event["state"] == "failed":
        return f"It failed ({reason}). Mend that, {again}"
    name = signal["name"] if signal else "this event"
    return f"No play starts on {name}, or its conditions (where, count) were not met."


def _reply(page: Page, story: Known) -> None:
    reply, sent = story["reply"], story["reply"]["answers"]
    at = page.at(reply["occurred_at"], there=True)
    page.add("Reply", f'{reply["id"]} from {reply["phone"]}, {at}: "{short(reply["text"], 300)}"')
    if sent:
        about = f"{sent['play']}, {sent['step']}" if sent["play"] else sent["template"]
        page.add("Reply", f"after {sent['id']} ({about})")
    meant = LABEL_WORDS.get(reply["label"], "nothing to act on")
    why = f" ({one_line(reply['why'])})" if reply["why"] else ""
    page.add("Reply", f"understood as: {meant}{why}")
    for row in story["consents"]:
        page.add("Consent", f"{row['purpose']} {row['action']} for {row['phone']}")
    tell_crm(page, reply["crm"])
