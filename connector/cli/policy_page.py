"""What another policy would have altered, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connector.cli import output
from connector.phone import mask
from connector.simulate.altered import Altered, Change, Tally, as_json
from connector.simulate.policies import Diff
from connector.simulate.sides import Side

SHOWN: Final = 20  #: lines of a table
CSV: Final = (
    *("contact_id", "play", "key", "step", "moment", "what", "a_at", "a_verdict", "a_reasons"),
    *("b_at", "b_verdict", "b_reasons"),
)
TALLY: Final = ("texts_a", "texts_b", "only_a", "only_b", "moved", "decisions", "people")
TOLD: Final[Mapping[str, str]] = {
    "texts_a": "texts A",
    "texts_b": "texts B",
    "only_a": "only A",
    "only_b": "only B",
    "moved": "other time",
    "decisions": "decisions altered",
    "people": "people",
}
EXAMPLE: Final[Mapping[str, str]] = {
    "id": "contact",
    **{name: name for name in ("phone", "play", "step", "moment")},
    "a": "under A",
    "b": "under B",
}
MOMENTS: Final = {"trigger": "start"}


def told(found: Diff, *, full: bool = False) -> dict[str, Any]:
    """All of it as plain values; numbers are masked unless ``full``."""
    laid = found.altered
    return {
        "a": _side(found, "a", found.a),
        "b": _side(found, "b", found.b),
        "since": found.since,
        "first": found.first,
        "last": found.last,
        "differs": not laid.is_empty,
        **_tally(laid.whole),
        "same": laid.same,
        "at_another_time": laid.moved,
        "further_reasons": laid.beside,
        "changes": [*_changes(laid)],
        "plays": [{"play": name, **_tally(each)} for name, each in sorted(laid.plays.items())],
        "purposes": [
            {"purpose": name, **_tally(each)} for name, each in sorted(laid.purposes.items())
        ],
        "examples": [_example(found, change, full) for change in laid.examples],
        "recorded": {"decisions": found.recorded, **_compared(found)},
        "unknown": found.unknown,
        "faults": found.faults,
    }


def _compared(found: Diff) -> dict[str, Any]:
    """How the side that is held to the past comes out beside what was recorded."""
    made = found.compared
    return {
        "held": found.held,
        "equal": made.equal if made else None,
        "different": made.different if made else None,
    }


def _side(found: Diff, letter: str, side: Side) -> dict[str, Any]:
    policy, _, hours = side.version.partition("+")
    decided = found.ours[letter]
    return {"named": side.named, "policy": policy, "hours": hours, "decided": decided}


def _tally(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in TALLY}


def _changes(laid: Altered) -> Iterator[dict[str, Any]]:
    for (moment, a, b), count in sorted(laid.changes.items(), key=lambda one: (-one[1], one[0])):
        yield {"moment": moment, "a": a, "b": b, "decisions": count}


def _example(found: Diff, change: Change, full: bool) -> dict[str, Any]:
    phone = found.phones.get(change.contact_id, "")
    return {**as_json(change), "phone": phone if full else mask(phone) if phone else ""}


def row(change: Change) -> dict[str, Any]:
    """A change as a row of the table."""
    names = ("contact_id", "play", "key", "step", "moment", "what")
    found = {name: getattr(change, name) for name in names}
    for side, made in (("a", change.a), ("b", change.b)):
        if made is not None:
            found |= {
                f"{side}_at": made.at,
                f"{side}_verdict": made.verdict,
                f"{side}_reasons": " ".join(made.reasons),
            }
    return found


def show(told: Mapping[str, Any]) -> None:
    """Print what :func:`told` tells."""
    for line in _lines(told):
        output.say(line)
    for title, columns, rows in _tables(told):
        output.say()
        output.say(title, style="bold")
        output.rows(rows[:SHOWN], columns)
        if len(rows) > SHOWN:
            output.say(f"… and {len(rows) - SHOWN} more; --json tells all.")
    output.say()
    for line in told["unknown"]:
        output.say(f"Not known: {line}.")
    for fault in told["faults"][:SHOWN]:
        output.say(f"Failed: {fault}")


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    for letter in "ab":
        side = told[letter]
        yield (
            f"{letter.upper()}: {side['named']} (policy {side['policy']}, hours {side['hours']}), "
            f"which made {side['decided']:,} of {told['recorded']['decisions']:,} decisions"
        )
    since = told["since"] or told["first"]
    yield f"From {_minute(since)} to {_minute(told['last'])}. Nothing was sent."
    yield _reproduced(told)
    yield (
        f"Texts: {told['texts_a']:,} under A, {told['texts_b']:,} under B; {told['only_a']:,} only "
        f"under A, {told['only_b']:,} only under B, {told['moved']:,} at another time."
    )
    altered = sum(change["decisions"] for change in told["changes"])
    yield (
        f"Decisions: {told['same']:,} the same; {altered:,} others, {told['at_another_time']:,} at "
        f"another time, {told['further_reasons']:,} with other reasons beside."
    )
    yield f"People it concerns: {told['people']:,}." if told["differs"] else "Nothing differs."


def _reproduced(told: Mapping[str, Any]) -> str:
    made, held = told["recorded"], told["recorded"]["held"].upper()
    if not made["decisions"]:
        return "Nothing was decided in the span, so that there is nothing to be altered."
    if made["equal"] is None:
        return "The span was under other policies, or several: neither side is what happened."
    if not made["different"]:
        return f"Under {held} all {made['equal']:,} recorded decisions come out as they were made."
    return (
        f"Under {held} {made['equal']:,} recorded decisions come out as they were made, and "
        f"{made['different']:,} do not (`connector simulate --from-ledger` tells which)."
    )


def _tables(told: Mapping[str, Any]) -> Iterator[tuple[str, Any, list[dict[str, Any]]]]:
    if told["changes"]:
        rows = [
            {**each, "moment": MOMENTS.get(each["moment"], each["moment"])}
            for each in told["changes"]
        ]
        yield "Decisions that are others", ("decisions", "moment", "a", "b"), rows
    for name in ("play", "purpose"):
        rows = [each for each in told[f"{name}s"] if each["people"]]
        if rows:
            yield f"By {name}", {name: name, **TOLD}, rows
    if told["examples"]:
        yield "Examples", EXAMPLE, [_shown(each) for each in told["examples"]]


def _shown(example: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **example,
        "id": example["contact_id"],
        "a": _made(example["a"]),
        "b": _made(example["b"]),
    }


def _made(made: Mapping[str, Any] | None) -> str:
    if made is None:
        return "nothing"
    reasons = ", ".join(made["reasons"])
    return f"{_minute(made['at'])} {made['verdict']} {reasons}".strip()


def _minute(instant: str) -> str:
    return f"{instant[:10]} {instant[11:16]}Z" if instant else "-"
