"""Every mutant of a play: the same file with one line of it broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from connector.config.plays.fields import DAYS
from connector.config.supply import Supply
from tests.mutation import texts
from tests.mutation.words import SPAN, Words, after, numbers, spans

FOR_PEOPLE: Final[Mapping[str, str]] = {
    "description": "shown in lists",
    "not_for": "shown in lists and by connector play library",
    "next_step": "read by the copy check and by reports; no decision asks for it",
    "role": "rules of the policy may ask for it, and no shipped one does; tests/rules has one",
    "allow": "silences findings of the copy check",
    "review_every": "connector check lists what is overdue; no decision asks for it",
    "reviewed": "the same",
    "examples": "they are the tests themselves",
}
"""Keys that are left out, each with the reason."""
CONDITIONS: Final = ("audience", "where", "when", "key", "measure")
SIGNALS: Final = ("signal", "exits", "unless", "wait_for", "cares")
SEGMENTS: Final = ("segment", "enters", "leaves", "left")
WAYS: Final = ("go", "heard", "missed")
FIELDS: Final = ("date", "changed")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "purpose": ("marketing", "service"),
    "once": ("key", "contact"),
    "restart": ("ignore", "rearm"),
    "on_pause": ("hold", "drop"),
    "leap_day": ("02-28", "03-01"),
    "zone": ("America/Los_Angeles", "America/New_York"),
    "days": DAYS,
}
DAYS_ON: Final = timedelta(days=30)

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A play with one line broken."""

    play: str
    line: str  #: the dotted path of the key, or ``texts.<template>``
    mutation: str  #: what was done to it
    values: Mapping[str, Any]  #: the file then
    texts: Mapping[str, str] = field(default_factory=dict)  #: templates that read otherwise

    @property
    def name(self) -> tuple[str, str, str]:
        """What it is listed by."""
        return self.play, self.line, self.mutation


def mutants(
    play: str, values: Mapping[str, Any], sources: Mapping[str, str], supply: Supply
) -> Iterator[Mutant]:
    """All of a play's, in the order of the file; ``sources`` are the templates it may name."""
    told: Counter[tuple[str, str]] = Counter()
    for line, mutation, changed in _Breaker(values, sources, supply).all():
        told[line, mutation] += 1
        again = told[line, mutation]
        yield Mutant(play, line, mutation + (f" ({again})" if again > 1 else ""), changed)
    for name in sorted(_named(values)):
        for mutation, text in texts.broken(sources[name]):
            yield Mutant(play, f"texts.{name}", mutation, values, {name: text})


def _named(value: Any) -> set[str]:
    """Every template that a play names."""
    if isinstance(value, list):
        return set().union(*map(_named, value))
    if not isinstance(value, dict):
        return set()
    own = {value["template"]} if "template" in value else set()
    return own.union(*(_named(item) for key, item in value.items() if key != "examples"))


class _Breaker:
    def __init__(
        self, values: Mapping[str, Any], sources: Mapping[str, str], supply: Supply
    ) -> None:
        self.values, self.sources, self.supply = values, sources, supply
        self.steps = [step["name"] for step in values["steps"]]

    def all(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(line, mutation, the file then)."""
        for place, shown, value in self._places((), "", self.values):
            yield shown, "dropped", self._with(place, None)
            for mutation, new in self._changed(str(place[-1]), value):
                yield shown, mutation, self._with(place, new)

    def _places(
        self, place: Place, shown: str, table: Mapping[str, Any]
    ) -> Iterator[tuple[Place, str, Any]]:
        """Every line below a table, and every table."""
        for key, value in table.items():
            if key == "name" and "wait_for" in table:
                continue  # a label: examples see what leaves, and nothing leaves from a wait
            here, name = (*place, key), f"{shown}.{key}".lstrip(".")
            if not place and key in FOR_PEOPLE:
                continue
            if isinstance(value, dict):
                yield here, name, None
                yield from self._places(here, name, value)
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                for number, item in enumerate(value):
                    below = f"{name}.{item.get('name', number + 1)}"
                    yield (*here, number), below, None
                    yield from self._places((*here, number), below, item)
            else:
                yield here, name, value

    def _with(self, place: Place, new: Any) -> dict[str, Any]:
        """The file with another value at a place; None takes it away."""
        values: dict[str, Any] = {**self.values}
        table: Any = values
        for part in place[:-1]:
            table[part] = deepcopy(table[part])
            table = table[part]
        if new is None:
            del table[place[-1]]
        else:
            table[place[-1]] = new
        return values

    def _changed(self, key: str, value: Any) -> Iterator[tuple[str, Any]]:
        if value is None:
            return
        if isinstance(value, bool):
            yield f"becomes {str(not value).lower()}", not value
        elif isinstance(value, int | float):
            for text in numbers(str(value)):
                yield f"becomes {text}", type(value)(text)
        elif isinstance(value, date):
            for then in (value + DAYS_ON, value - DAYS_ON):
                yield f"becomes {then}", then
        elif isinstance(value, list):
            yield from self._lists(key, value)
        elif key in CONDITIONS:
            yield "negated", f"not ({value})"
            yield from self._words(value)
        elif key == "task":
            yield from self._tasks(value)
        else:
            yield from ((f"becomes {new}", new) for new in self._texts(key, value))

    def _lists(self, key: str, value: list[str]) -> Iterator[tuple[str, list[str]]]:
        for place, item in enumerate(value):
            rest = [*value[:place], *value[place + 1 :]]
            if rest and key != "window":
                yield f"without {item}", rest
            for new in self._texts(key, item):
                if new not in value:
                    yield f"{item} becomes {new}", [*value[:place], new, *value[place + 1 :]]

    def _texts(self, key: str, value: str) -> Iterator[str]:
        """What else a text could be."""
        if SPAN.fullmatch(value):
            yield from spans(value)
        elif len(value) == 5 and value[2] == ":":
            hour = int(value[:2])
            yield from (f"{(hour + by) % 24:02}{value[2:]}" for by in (1, -1))
        elif key == "schedule":
            yield from _schedules(value)
        elif key in WAYS:
            yield from (name for name in (*self.steps, "end") if name != value)
        elif known := self._known(key):
            yield from after(value, known)
        else:
            yield f"{value}x"

    def _known(self, key: str) -> tuple[str, ...]:
        """All that may stand there."""
        if key in SIGNALS:
            is_thing = "cares" in self.values["start"] or "segment" in self.values["start"]
            things = self.supply.thing_signals if is_thing and key == "signal" else frozenset()
            return tuple(things or self.supply.heard)
        if key in SEGMENTS:
            return tuple(self.supply.segments or ())
        if key in FIELDS:
            return tuple(f"contact.{name}" for name in self.supply.traits)
        if key == "template":
            return tuple(self.sources)
        if key == "stages":
            return self.supply.stages
        if key == "scopes":
            return tuple(self.supply.scopes)
        return CHOICES.get(key, ())

    def _words(self, source: str) -> Iterator[tuple[str, str]]:
        names = (tuple(self.supply.heard), tuple(self.supply.segments or ()), self.supply.stages)
        return Words(source, names).broken()

    def _tasks(self, source: str) -> Iterator[tuple[str, str]]:
        """A task's subject is a text: what it prints is left out, or is another."""
        yield from texts.broken(source)
        for start, end, inside in texts.printed(source):
            for mutation, new in self._words(inside):
                yield mutation, source[:start] + new + source[end:]


def _schedules(line: str) -> Iterator[str]:
    """A cron line with each of its numbers one higher and one lower."""
    parts = line.split()
    for place, part in enumerate(parts):
        for new in numbers(part) if part.isdigit() else ():
            if int(new) >= 0:
                yield " ".join([*parts[:place], new, *parts[place + 1 :]])
