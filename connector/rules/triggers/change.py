"""Changes: a field or the stage became another value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.model import Json
from connector.rules.plays import Change


def matches(change: Change, path: str, before: Json, after: Json) -> bool:
    """Whether a change of ``path`` is one the play waits for; an absent value is ``""``."""
    was, now = said(before), said(after)
    return (
        path == change.path
        and was != now
        and (not change.before or was in change.before)
        and (not change.after or now in change.after)
    )


def differences(
    root: str, before: Mapping[str, Json], after: Mapping[str, Json]
) -> Iterator[tuple[str, Json, Json]]:
    """(path, before, after) of every value that differs; one that is gone becomes none."""
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if said(was) != said(now):
            yield f"{root}.{name}", was, now


def said(value: Json) -> str:
    """A value as play files write it: text, ``true``, ``12``; ``""`` for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    return str(value)
