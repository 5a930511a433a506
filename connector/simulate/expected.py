"""What an example expects beside what happened, and how the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from connector.simulate import spans
from connector.simulate.example import Example
from connector.simulate.happened import Act, Happened, Judged

NEAR: Final = timedelta(seconds=1)  #: how exactly an instant must be met
LEFT: Final = ("task", "webhook", "answer")  #: what an expected act may be, beside a text
NOTHING: Final = "nothing"  #: what nothing was held, stopped or ended by

Wanted = Mapping[str, Any]


def differences(example: Example, found: Happened) -> list[str]:
    """Each thing that is not as the example says, in a line or a few; none where all is well."""
    wanted = [item for item in example.expect if not {"held", "stopped", "ended"} & set(item)]
    faults = [f"the engine failed: {fault}" for fault in found.faults]
    return faults + _acts(example, wanted, found) + [*_codes(example, found)]


def _acts(example: Example, wanted: list[Wanted], found: Happened) -> list[str]:
    """Texts, tasks and calls: all that is named, and nothing else."""
    is_silent = any(item.get("none") for item in wanted)
    wanted = [item for item in wanted if not item.get("none")]
    names_answers = any("answer" in item for item in wanted)
    left = [act for act in found.acts if names_answers or act.kind != "answer"]
    lines, missing = [], []
    for item in wanted:
        act = next((act for act in left if not _why_not(example, item, act)), None)
        if act is None:
            missing.append(item)
        else:
            left.remove(act)
    for item in missing:
        lines.append(f"expected {_words(example, item)}")
        near = min(left, key=lambda act: _distance(example, item, act), default=None)
        if near is not None and _kind(item) == near.kind:
            left.remove(near)
            lines.append(f"     got {_act(example, near)}: {_why_not(example, item, near)}")
        else:
            lines.append("     got none")
    what = "nothing was to leave" if is_silent else "not expected"
    lines += [f"{what}: {_act(example, act)}" for act in left]
    return lines


def _codes(example: Example, found: Happened) -> Iterator[str]:
    """What must have been held, stopped or ended, by the code of its reason."""
    waits = {code for item in found.judged if item.verdict == "wait" for code in item.reasons}
    stops = {code for item in found.judged if item.verdict == "stop" for code in item.reasons}
    ended = {item.reason for item in found.ended}
    for item in example.expect:
        for key, codes in (("held", waits), ("stopped", stops), ("ended", ended)):
            if key in item and item[key] not in (codes or {NOTHING}):
                got = ", ".join(sorted(codes)) or NOTHING
                yield f"expected {key} by {item[key]}; {key} by {got}"


def timeline(example: Example, found: Happened) -> list[str]:
    """All that happened, in order, on the person's clock."""
    told = [(item.at, 0, f"happens  {_doing(item.doing)}") for item in example.events]
    told += [(item.at, 1, f"decides  {_judged(item)}") for item in found.judged]
    told += [(act.at, 2, f"leaves   {_short(act)}") for act in found.acts]
    told += [(end.at, 3, f"ends     {end.reason}") for end in found.ended if end.at]
    told.sort(key=lambda line: line[:2])
    lines = [f"{spans.shown(at, example.start, example.zone)}  {says}" for at, _, says in told]
    return lines or ["nothing happened at all"]


def _why_not(example: Example, item: Wanted, act: Act) -> str:
    """What keeps an act from being the one that is wanted; "" where it is."""
    if _kind(item) != act.kind:
        return f"it is a {act.kind}"
    named = item.get(act.kind)
    if act.kind == "answer" and named not in (True, act.template, act.says):
        return f"it answers with {act.template}"
    if act.kind in ("task", "webhook") and named not in (True, act.step, act.says):
        return f"it is {act.step}: {act.says}"
    for key in ("step", "template", "language", "segments"):
        if key in item and item[key] != getattr(act, key):
            return f"its {key} is {getattr(act, key)}"
    return _why_not_words(item, act) or _why_not_then(example, item, act)


def _why_not_words(item: Wanted, act: Act) -> str:
    if "text" in item and item["text"] != act.says:
        return "its text is another"
    for part in _list(item.get("contains", ())):
        if part not in act.says:
            return f"it does not contain {part!r}"
    for part in _list(item.get("lacks", ())):
        if part in act.says:
            return f"it contains {part!r}"
    return ""


def _why_not_then(example: Example, item: Wanted, act: Act) -> str:
    at = _at(example, item)
    if at is None or abs(act.at - at) < NEAR:
        return ""
    return f"it left {spans.offset(act.at - at)} from then"


def _kind(item: Wanted) -> str:
    return next((kind for kind in LEFT if kind in item), "text")


def _at(example: Example, item: Wanted) -> datetime | None:
    return spans.instant(item["at"], example.start, example.zone) if "at" in item else None


def _distance(example: Example, item: Wanted, act: Act) -> tuple[bool, bool, timedelta]:
    at = _at(example, item)
    apart = abs(act.at - at) if at else timedelta(0)
    return _kind(item) != act.kind, item.get("step", act.step) != act.step, apart


def _words(example: Example, item: Wanted) -> str:
    at = _at(example, item)
    when = f"at {spans.shown(at, example.start, example.zone)} " if at else ""
    rest = {key: value for key, value in item.items() if key not in ("at", *LEFT)}
    named = item.get(_kind(item), "")
    kind = f"a {_kind(item)}" + (f" {named}" if named not in ("", True) else "")
    about = ", ".join(f"{key} {value!r}" for key, value in rest.items())
    return f"{when}{kind}{': ' if about else ''}{about}"


def _act(example: Example, act: Act) -> str:
    return f"{spans.shown(act.at, example.start, example.zone)} {_short(act)}"


def _short(act: Act) -> str:
    return f"{act.kind} {act.step}: {act.says!r:.160}"


def _judged(item: Judged) -> str:
    step = f" {item.step}" if item.step else ""
    return f"{item.moment}{step}: {item.verdict}{' · ' if item.says else ''}{item.says}"


def _doing(doing: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in doing.items() if key != "at")


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
