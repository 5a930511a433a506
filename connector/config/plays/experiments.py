"""The ``[experiment]`` table: each arm is the same play with one field changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

from connector.config.plays.steps import NAME
from connector.config.toml import Table
from connector.rules.plays import Experiment, Play

CONTROL: Final = "control"
VARIABLE: Final = ("start.after", "start.threshold", "steps", "steps.")
"""What may differ: not what decides who is eligible, or the arms could not be compared."""


def read_experiment(play: Play, top: Table, read: Callable[[Table], Play]) -> Play:
    """The play with its experiment; ``read`` makes a play of a changed table."""
    table = top.table("experiment")
    name = table.text("name")
    shares: dict[str, float] = {}
    plays: dict[str, Play] = {}
    field = ""
    for arm in table.tables("arms"):
        label, share, path, value = _arm(arm)
        if label in shares or label == CONTROL:
            arm.fault("name", f"is {label!r} again", "give each arm its own name; one is control")
        if field and path and path != field:
            arm.fault(
                "set", f"changes {path}, another arm {field}", "let all arms change one field"
            )
        field = field or path
        shares[label] = share
        if path:
            plays[label] = replace(_variant(arm, top, path, value, read), arm=label)
    if not shares:
        table.fault("arms", "is missing", "add [[experiment.arms]] with name, share and set")
    if sum(shares.values()) > 1:
        table.fault("arms", "have more than all people", "let the shares come to 1 at the most")
    table.done()
    shares[CONTROL] = max(0.0, round(1 - sum(shares.values()), 9))
    return _at_loosest(play, Experiment(name, field, shares, plays))


def _arm(arm: Table) -> tuple[str, float, str, Any]:
    label = arm.text("name")
    if label and not NAME.fullmatch(label):
        arm.fault("name", f"is {label!r:.60}", "use small letters, digits and _")
    share = arm.number("share", high=1)
    changes = arm.table("set").free()
    path, value = next(iter(changes.items()), ("", None))
    if len(changes) != 1:
        arm.fault("set", "must change one field", 'write set = { "start.after" = "30m" }')
    elif not any(
        path == known or (known[-1] == "." and path.startswith(known)) for known in VARIABLE
    ):
        arm.fault(
            "set", f"cannot change {path}", f"an arm may change {', '.join(VARIABLE)}<name>.…"
        )
        path = ""
    arm.done()
    return label, share, path, value


def _variant(arm: Table, top: Table, path: str, value: Any, read: Callable[[Table], Play]) -> Play:
    """The play as the arm has it; a fault that the change makes is told at the arm's line."""
    values = deepcopy(top.values)
    if not _put(values, path, value):
        arm.fault("set", f"changes {path}, which is not there", "name a field of this file")
    before = {(fault.field, fault.message) for fault in top.faults}
    changed = Table(top.file, values, [], top.lines)
    play = read(changed)
    for fault in changed.faults:
        if (fault.field, fault.message) not in before:
            arm.fault("set", f"makes {fault.field} wrong: it {fault.message}", fault.remedy)
    return play


def _put(values: dict[str, Any], path: str, value: Any) -> bool:
    """Put a value at a dotted path, on which a step goes by its name."""
    *way, last = path.split(".")
    place: Any = values
    for part in way:
        if isinstance(place, list):
            place = next((item for item in place if _is_named(item, part)), None)
        else:
            place = place.get(part)
        if not isinstance(place, dict | list):
            return False
    if not isinstance(place, dict):
        return False
    place[last] = value
    return True


def _is_named(item: Any, name: str) -> bool:
    return isinstance(item, dict) and item.get("name") == name


def _at_loosest(play: Play, experiment: Experiment) -> Play:
    """In a threshold test all enrol at the loosest arm's level and speak at their own."""
    plays: Mapping[str, Play] = experiment.plays
    levels = [
        each.start.threshold.level for each in (play, *plays.values()) if each.start.threshold
    ]
    if experiment.field != "start.threshold" or not levels:
        return replace(play, experiment=experiment)
    loosest = min(levels)
    plays = {arm: _levelled(each, loosest) for arm, each in plays.items()}
    return _levelled(replace(play, experiment=replace(experiment, plays=plays)), loosest)


def _levelled(play: Play, level: float) -> Play:
    threshold = play.start.threshold
    if threshold is None:
        return play
    rearm = min(threshold.rearm_below, level)
    return replace(
        play,
        start=replace(play.start, threshold=replace(threshold, level=level, rearm_below=rearm)),
    )
