"""``[[events]]`` of a CRM's mapping: what a changed record means, beside what it tells of a person.

The grammar is that of a source's events. What is compiled here for everybody is the last rule: a
person's record that no other rule speaks of is the signal ``crm_contact``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from connector.config.crms.people import People, subject
from connector.config.crms.uses import Uses
from connector.config.events import EventReader
from connector.config.toml import Table
from connector.expressions import compile_all
from connector.rules.crm import CONTACT_SIGNAL, OBJECTS
from connector.rules.mapping import EventRule

ROOTS: Final = frozenset({"item", "name", "source"})
ITEM: Final = frozenset({"object", "id", "person", "now", "was", "changed", "related", "people"})
"""What stands in the ``item`` of a CRM's event."""
ALIKE: Final = 0.75  #: from here an event's name is taken for an object's, misspelt


def events(
    top: Table, crm: str, people: People, reader: EventReader, uses: Uses
) -> tuple[EventRule, ...]:
    """Every rule of the file, and the one for the people's records themselves."""
    found: list[EventRule] = []
    tables = top.tables("events")
    for place, table in enumerate(tables):
        found += _rules(table, place, crm, people, reader, uses)
    return (*found, *_own(people, len(tables)))


def _rules(
    table: Table, place: int, crm: str, people: People, reader: EventReader, uses: Uses
) -> Iterator[EventRule]:
    """One table's rule, for each object that it names: a person's has its own expressions."""
    rule = reader.rule(table, place, {})
    _check(table, rule)
    for name in sorted(rule.names):
        _note(table, rule, name, uses)
        common = people.values.get(name) or subject(crm)
        values = compile_all({**common, **rule.values.expressions}, strict=False)
        stages = people.stage.values if name in people.values else {}
        yield replace(rule, names=frozenset({name}), values=values, stages=stages)


def _check(table: Table, rule: EventRule) -> None:
    if not rule.names and "type" in table:
        table.fault("name", "is missing", f"say which record: one of {', '.join(OBJECTS)}")
    if rule.thing:
        table.fault("thing", "is of no use here", "an event of a CRM is about its person")
    for name in sorted(rule.names - set(OBJECTS)):
        if near := difflib.get_close_matches(name, OBJECTS, 1, ALIKE):
            table.fault("name", f"is {name!r:.60}", f"did you mean {near[0]}?")


def _note(table: Table, rule: EventRule, name: str, uses: Uses) -> None:
    """Note the fields of an object that a rule reads."""
    if name not in OBJECTS:
        return
    if rule.when is not None:
        uses.of_items(table, "when", [name], rule.when)
    for key, expression in rule.values.expressions.items():
        uses.of_items(table, key, [name], expression)


def _own(people: People, place: int) -> Iterator[EventRule]:
    for name, values in people.values.items():
        yield EventRule(
            place=place,
            names=frozenset({name}),
            type="",
            signal=CONTACT_SIGNAL,
            values=compile_all(values, strict=False),
            activity=False,
            stages=people.stage.values,
        )
