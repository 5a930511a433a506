"""Batches of a hundred: sent, split where some of them are refused, one outcome for each input.

HubSpot refuses a batch as a whole (400), or takes a part of it (207). Results are matched by
trace id, never by their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.crms.hubspot.failures import EVERYWHERE, Refusal, refusal
from connector.crms.hubspot.wire import NOBODY, Answer, Wire, malformed
from connector.model import Json


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a batch; ``trace`` is the id of the change that it makes."""

    trace: str
    properties: Mapping[str, str]
    id: str = ""  #: of the record to update; "" makes a new one
    associations: Sequence[Json] = ()
    mark: tuple[str, str] = ("", "")  #: (property, words in it) by which a new one is told
    changes: frozenset[str] = NOBODY  #: in doubt where the fate of making it is unknown

    def body(self) -> dict[str, Json]:
        """As HubSpot takes it."""
        body: dict[str, Json] = {
            "objectWriteTraceId": self.trace,
            "properties": dict(self.properties),
        }
        if self.id:
            return {"id": self.id, **body}
        return {**body, "associations": list(self.associations)}


@dataclass(frozen=True, slots=True)
class Unknown:
    """HubSpot's answer says neither that an input was taken nor that it was not."""


Outcome = str | Refusal | Unknown
"""The id of the record, why it was refused, or that this was not told."""

Outcomes = dict[str, Outcome]  #: by trace


def send(wire: Wire, act: str, object: str, inputs: Sequence[Input], found: Outcomes) -> None:
    """Send at most a hundred inputs and note in ``found`` what came of each.

    ``act`` is ``create`` or ``update``. Raises ``CrmUnavailable`` where HubSpot could not be
    asked; what had come before stands in ``found``.
    """
    if not inputs:
        return
    makes = NOBODY
    if act == "create":
        makes = makes.union(*(each.changes for each in inputs))
    body = {"inputs": [each.body() for each in inputs]}
    try:
        answer = wire.ask(f"{object}-{act}", "objects.batch_api", act, object, body, makes=makes)
    except Refusal as error:
        _apart(wire, act, object, inputs, error, found)
    else:
        found.update(_outcomes(act, inputs, answer, makes))


def _apart(
    wire: Wire, act: str, object: str, inputs: Sequence[Input], error: Refusal, found: Outcomes
) -> None:
    """Part what was refused from what can go, by what HubSpot names, else by halves."""
    blamed = [each for each in inputs if _is_blamed(each, error)]
    if len(inputs) == 1 or error.status == 403 or len(blamed) == len(inputs):
        found.update({each.trace: error for each in inputs})
    elif blamed:
        found.update({each.trace: error for each in blamed})
        send(wire, act, object, [each for each in inputs if each not in blamed], found)
    else:
        half = len(inputs) // 2
        send(wire, act, object, inputs[:half], found)
        send(wire, act, object, inputs[half:], found)


def _is_blamed(each: Input, error: Refusal) -> bool:
    if each.trace in error.inputs or (each.id and each.id in error.inputs):
        return True
    is_everywhere = error.code in EVERYWHERE or error.category in EVERYWHERE
    return is_everywhere and any(name in each.properties for name in error.properties)


def _outcomes(act: str, inputs: Sequence[Input], answer: Answer, makes: frozenset[str]) -> Outcomes:
    found: Outcomes = {}
    results = answer.body.get("results")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise malformed(makes)
    traces = {each.trace: each for each in inputs}
    ids = {each.id: each for each in inputs if each.id}
    for item in results:
        id = str(item.get("id") or "")
        match = traces.get(str(item.get("objectWriteTraceId"))) or ids.get(id)
        match = match or _marked(item, inputs)
        if id and match is not None:
            found[match.trace] = id
    errors = _errors(answer)
    for error in errors:
        for each in inputs:
            if each.trace not in found and _is_blamed(each, error):
                found[each.trace] = error
    left = [each for each in inputs if each.trace not in found]
    return found | _rest(act, left, errors, len(results) == len(inputs))


def _rest(act: str, left: Sequence[Input], errors: Sequence[Refusal], is_full: bool) -> Outcomes:
    """The outcome of inputs that the answer does not name."""
    if act == "update" and is_full:  # one that was merged answers with its winner's id
        return {each.trace: each.id for each in left}
    if len(errors) == len(left) == 1:
        return {left[0].trace: errors[0]}
    if act == "update":
        error = refusal(500, {"message": "it gave no verdict on this change"})
        return {each.trace: error for each in left}
    return {each.trace: Unknown() for each in left}


def _marked(item: Mapping[str, Any], inputs: Sequence[Input]) -> Input | None:
    """The input whose words a result bears."""
    properties = item.get("properties")
    held = properties if isinstance(properties, Mapping) else {}
    for each in inputs:
        name, words = each.mark
        if words and words in str(held.get(name) or ""):
            return each
    return None


def _errors(answer: Answer) -> list[Refusal]:
    found = answer.body.get("errors")
    items = found if isinstance(found, list) else []
    return [refusal(_status(item), item) for item in items if isinstance(item, dict)]


def _status(item: Mapping[str, Any]) -> int:
    """The status that an error inside an answer would have had by itself."""
    category = str(item.get("category") or "")
    return {"OBJECT_NOT_FOUND": 404, "CONFLICT": 409, "MISSING_SCOPES": 403}.get(category, 400)
