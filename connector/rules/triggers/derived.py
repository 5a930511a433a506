"""Derived: the recorded decision about a start laid beside what the play says of what it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from connector.errors import ExpressionFailed
from connector.model import Decision, Json, Objection, Verdict
from connector.rules.plays import Condition, Play
from connector.rules.policy.derive import Derived, Recorded, beside, heads
from connector.rules.triggers.judge import Standing, Start, judge

JUDGED: Final = frozenset(
    {
        *("back_fill", "stale_start", "already_waiting", "already_enrolled", "already_over"),
        *("cooldown", "wrong_stage"),
    }
)
"""Reasons that what is kept of a start tells again."""
UNTOLD: Final = "The audience could not be told: "


def derive_start(recorded: Recorded, kept: Mapping[str, Any], play: Play) -> Derived:
    """Judge a start again, by what is kept of it.

    What the audience and the conditions of the start read is not kept: their answers are taken
    over from the decision, as is a pause. Raises ``KeyError``, ``TypeError`` or ``ValueError``
    where what is kept is not as it was stored.
    """
    own, taken = _apart(recorded.objections)
    last = kept.get("last_start")
    standing = Standing(
        kept.get("same", ""),
        datetime.fromisoformat(last) if last else None,
        tuple(kept.get("over", ())),
    )
    at = datetime.fromisoformat(kept["at"])
    start = Start(at, kept["stage"], bool(kept.get("back_fill")), {})
    asked = replace(play, audience=_audience(recorded.objections))
    found = judge(asked, start, standing, recorded.at)
    verdict = Verdict.stop if taken else found.verdict
    decision = Decision(verdict, (*taken, *found.objections), None, play.version)
    judged = [each for each in found.objections if each.reason in JUDGED]
    differences = (*heads(recorded, decision), *beside(own, judged))
    audience = tuple(each for each in found.objections if each.reason not in JUDGED)
    return Derived((), decision, (*taken, *audience), tuple(differences))


def _apart(objections: Sequence[Objection]) -> tuple[list[Objection], list[Objection]]:
    """(what is judged again, what stood in front of it); the audience's answer is neither."""
    own = [each for each in objections if each.reason in JUDGED]
    taken = [each for each in objections if each.reason not in JUDGED and not _of_audience(each)]
    return own, taken


def _of_audience(objection: Objection) -> bool:
    return objection.reason == "audience" or objection.says.startswith(UNTOLD)


def _audience(objections: Sequence[Objection]) -> Condition | None:
    """An audience that answers what it answered then."""
    answer = next((each for each in objections if _of_audience(each)), None)
    if answer is None:
        return None

    def then(context: Mapping[str, Json]) -> Json:
        if answer.reason == "audience":
            return False
        raise ExpressionFailed(answer.says.removeprefix(UNTOLD), answer.reason)

    return then
