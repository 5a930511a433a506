"""How ``connector source`` shows what it found: one step of a mapping a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from connector.cli import here, output

Line = Mapping[str, Any]

PROOFS: Final = {
    "verified": "verified",
    "signed_here": "verified (signed here)",
    "refused": "REFUSED",
    "not_tried": "not tried",
    "by_key": "by its key",
    "by_nobody": "by nobody",
}
SIGNED: Final = {
    "verified": 'a user counts only where your server signed the id (identity = "verified")',
    "not_tried": "taken at their word here: the secret that signs their ids is not set; export it",
}
RIGHTS: Final = {
    "forget": "whom the user id or the CRM's id names is forgotten",
    "export": "an alarm asks you to tell them what is held",
    "forget_all": "an alarm says what to do; nobody is forgotten by it alone",
}
USES: Final = {
    "unless": "ends the wait of",
    "ends": "ends",
    "goal": "goal of",
    "waits_for": "waited for by",
    "cares": "makes cared for in",
    "reads": "read by",
}
PLAIN: Final = ("subject", "thing", "traits", "stage", "key", "facts", "sensitive", "visit")


def show(told: Line) -> None:
    """Print every step of one sample."""
    output.say(f"{told['payload']} as {told['source']}", style="bold")
    for name, value in _steps(told):
        _line(name, value)
    for number, event in enumerate(told["events"], 1):
        output.say()
        output.say(f"event {number} of {len(told['events'])}", style="bold")
        for name, value in _event(event):
            _line(name, value)


def delivery(told: Line) -> None:
    """Print one captured delivery: what is told of it, its headers, its body."""
    shown = ("received_at", "proof", "path", "query", "bytes", "redacted", "left_out")
    output.record({name: told[name] for name in shown if told.get(name) not in (None, "", {})})
    for name, value in told.get("headers", {}).items():
        output.say(f"  {name}: {value}")
    for name in ("body", "form"):
        if name in told:
            output.say(orjson.dumps(told[name], option=orjson.OPT_INDENT_2).decode())
    if "text" in told:
        output.say(told["text"])


def _line(name: str, value: str) -> None:
    output.say(f"  {name:<12} {value}")


def _steps(told: Line) -> Iterator[tuple[str, str]]:
    yield "mapping", f"{told['mapping']} (adapter {told['adapter']}, trust {told['trust']})"
    proof = told["verified"]
    why = f": {proof['why']}" if proof.get("why") else ""
    yield "verified", f"{PROOFS[proof['result']]}{why}"
    yield "", proof["how"]
    if told["users"] in SIGNED:
        yield "users", SIGNED[told["users"]]
    if "unreadable" in told:
        yield "unreadable", f"{told['unreadable']} {_place(told)}"
    for reason in told["rejected"]:
        yield "left out", f"{reason}: this part of the payload is kept aside"
    if not told["events"] and "unreadable" not in told and not told["rejected"]:
        yield "events", "none: the payload holds nothing that is an event"


def _place(told: Line) -> str:
    if "file" not in told:
        return ""
    return f"({told['file']}:{told['line']} {told['field']})"


def _event(event: Line) -> Iterator[tuple[str, str]]:
    yield "name", event["name"] or f"none; its type is {event['type']}"
    yield "id", event["id"] or "none: told again, it would be another event"
    yield "occurred_at", output.plain(event["occurred_at"])
    if event["as_if_heard_at"]:
        yield "", "that is long ago: judged as if it had been heard then"
    if event["back_fill"]:
        yield "", "a back-fill, which starts nothing"
    if event["signal"] is None:
        yield from _none(event)
        return
    yield "signal", f"{event['signal']} {_place(event)}"
    yield from _signal(event)
    if "plays" not in event:
        yield "became", f"{event['state']}: {event['why']}"
    elif event["privacy"]:
        yield "by right", RIGHTS[event["privacy"]]
    else:
        yield from _plays(event["plays"])


def _none(event: Line) -> Iterator[tuple[str, str]]:
    reasons = {"unknown_event": "no rule matches", "condition_false": "no condition holds"}
    why = reasons.get(event["why"], event["why"])
    yield "signal", f"none: {why} {_place(event)}".rstrip()
    if event.get("hint"):
        yield "", event["hint"]
    if "names" in event:
        names = [*event["names"], *(f"(any {kind})" for kind in event["types"] if kind)]
        yield "", f"the mapping has: {', '.join(names) or 'no name at all'}"
    for each in event.get("conditions", ()):
        yield "", f"when = {each['when']} ({each['file']}:{each['line']})"


def _signal(event: Line) -> Iterator[tuple[str, str]]:
    for name in PLAIN:
        if event[name]:
            yield name, output.plain(event[name])
    for given in event["consents"]:
        word = "granted" if given["granted"] else "revoked"
        pending = ", once the number says yes" if given["pending"] else ""
        number = f" for {given['phone']}" if given["phone"] else ""
        yield "consent", f"{given['purpose']} {word}{number} by {given['method']}{pending}"
    if event["outcome"]:
        yield "outcome", event["outcome"]
    if event["value"] is not None:
        yield "value", f"{event['value']:g} {event['currency']}".rstrip()
    if event["contact_made"]:
        yield "reached by", f"{event['contact_made']}: another tool's contact, which caps may count"
    if not event["activity"]:
        yield "activity", "no: not something that the person did"
    for each in event["dropped"]:
        yield "left out", each


def _plays(plays: Line) -> Iterator[tuple[str, str]]:
    for each in plays["start"]:
        due = f"first step due {output.plain(each['due_at'])}" if each["due_at"] else "waits"
        mode = "" if each["mode"] == "live" else f" ({each['mode']})"
        yield "starts", f"{each['play']}{mode}: {due}"
    for each in plays["not_started"]:
        yield "starts not", f"{each['play']}: {_why(each['why'])}"
    for name in plays["condition_not_met"]:
        yield "starts not", f"{name}: its condition or count is not met"
    for how, words in USES.items():
        if plays[how]:
            yield words, ", ".join(plays[how])
    if plays["library"]:
        yield "plays", f"none uses this signal; in the library {', '.join(plays['library'])} would"
        yield "", here("play", "new", "NAME", "--from", plays["library"][0])
    elif not any(plays.values()):
        yield "plays", "none uses this signal"


def _why(why: Sequence[Line]) -> str:
    return " ".join(each["says"] for each in why)
