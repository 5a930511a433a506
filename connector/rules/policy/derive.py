"""Deriving: a recorded decision laid beside what the rules say of the same facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from connector.model import Decision, Objection, Verdict
from connector.rules.policy.kept import Remade
from connector.rules.policy.values import Check, Facts, Rulebook
from connector.rules.policy.weigh import checks_of, failed, weighed

OF_STEP: Final = frozenset({"no_longer_wanted", "condition_false"})
EXIT: Final = "exit_"
"""Begins the reasons of a play's own exits."""
_NAMES: Final = frozenset(each.name for each in fields(Facts))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as the ledger has it."""

    id: str
    moment: str  #: trigger | plan | send
    verdict: str
    reason: str
    objections: tuple[Objection, ...]
    until: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """One check as it was made again, and which facts it looked at."""

    check: str
    objection: Objection | None
    looked_at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the derived decision is not the recorded one."""

    what: str  #: verdict | reason | until | objection
    recorded: str
    derived: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A decision made again."""

    asked: tuple[Asked, ...]
    decision: Decision
    taken: tuple[Objection, ...]  #: what the play said, which is not the policy's to say
    differences: tuple[Difference, ...]


def derive(recorded: Recorded, remade: Remade) -> Derived:
    """Make every check again, and tell in what the decision differs from the recorded one.

    What ended the text from within its play (it was no longer wanted, its condition failed, an
    exit came true) stands in front of the policy's own objections and is taken over.
    """
    asked = tuple(ask(remade.facts, remade.book, recorded.at))
    objections = [each.objection for each in asked if each.objection is not None]
    decision = weighed(objections, remade.facts, remade.book.version, recorded.at)
    taken, rest = of_step(recorded)
    if taken:
        decision = Decision(
            Verdict.stop, (*taken, *decision.objections), None, decision.policy_version
        )
    found = [*heads(recorded, decision), *beside(rest, decision.objections[len(taken) :])]
    return Derived(asked, decision, taken, tuple(found))


def ask(facts: Facts, book: Rulebook, now: datetime) -> list[Asked]:
    """Each check with its objection and the names of the facts that it looked at."""
    looked_at: list[str] = []
    watched = _watched(facts, looked_at)
    found = []
    for check in checks_of(facts):
        looked_at.clear()
        objection = _asked(check, watched, book, now)
        names = tuple(dict.fromkeys(name for name in looked_at if name not in ("sign",)))
        found.append(Asked(check.__name__, objection, names))
    return found


def _asked(check: Check, facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    try:
        return check(facts, book, now)
    except Exception as error:
        return failed(check, error, facts, now)


def _watched(facts: Facts, looked_at: list[str]) -> Facts:
    """The same facts, which note which of them are looked at."""

    class Watched(Facts):
        __slots__ = ()

        def __init__(self, *args: Any, **values: Any) -> None:
            super().__init__(*args, **values)
            looked_at.clear()  # of those that were only copied

        def __getattribute__(self, name: str) -> Any:
            if name in _NAMES:
                looked_at.append(name)
            return super().__getattribute__(name)

    return Watched(**{name: getattr(facts, name) for name in _NAMES})


def of_step(recorded: Recorded) -> tuple[tuple[Objection, ...], tuple[Objection, ...]]:
    """The objection that came from the play, where one did, and the policy's own."""
    first = recorded.objections[:1]
    if recorded.moment == "send" and first and is_of_step(first[0].reason):
        return first, recorded.objections[1:]
    return (), recorded.objections


def is_of_step(reason: str) -> bool:
    """Whether a reason is the play's, and not the policy's."""
    return reason in OF_STEP or reason.startswith(EXIT)


def heads(recorded: Recorded, derived: Decision) -> list[Difference]:
    """In what the verdict, its reason and its instant differ."""
    pairs = (
        ("verdict", recorded.verdict, derived.verdict.value),
        ("reason", recorded.reason, derived.reason),
        ("until", _at(recorded.until), _at(derived.until)),
    )
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


def beside(recorded: Sequence[Objection], derived: Sequence[Objection]) -> list[Difference]:
    """Objections that only one side has, and those that differ in verdict, instant or words."""
    found = []
    left = list(derived)
    for one in recorded:
        same = next((other for other in left if other == one), None)
        same = same or next((other for other in left if other.reason == one.reason), None)
        if same is not None:
            left.remove(same)
        if same != one:
            found.append(Difference("objection", told(one), told(same)))
    found += [Difference("objection", told(None), told(other)) for other in left]
    if not found and list(recorded) != list(derived):
        orders = (", ".join(each.reason for each in side) for side in (recorded, derived))
        found.append(Difference("order of objections", *orders))
    return found


def told(objection: Objection | None) -> str:
    """An objection in one line."""
    if objection is None:
        return "none"
    until = f" until {_at(objection.until)}" if objection.until else ""
    return f"{objection.reason} ({objection.verdict.value}{until}): {objection.says}"


def _at(moment: datetime | None) -> str:
    return f"{moment.isoformat(timespec='microseconds')[:-6]}Z" if moment else ""
