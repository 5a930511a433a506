"""``[contact]`` and ``[stage]``: which fields of a CRM make a person, and where they stand."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connector.config.crms.uses import NAME, Uses
from connector.config.events import EventReader
from connector.config.toml import Table
from connector.expressions import Expression, compile_expression
from connector.rules.crm import PEOPLE
from connector.rules.told import PHONES

SUBJECT: Final = ("phone", "email", "user_id")
OWN: Final = ("objects", *SUBJECT)  #: keys of ``[contact]`` that are no traits
ALIKE: Final = 0.85  #: from here a trait's name is taken for one of them, misspelt

_TRAIT = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, slots=True)
class Stage:
    """``[stage]``: the field, whose it is, and what its values are called here."""

    field: str
    objects: tuple[str, ...]
    values: Mapping[str, str]  #: the CRM's → ours
    is_written: bool


NO_STAGE: Final = Stage("", (), {}, False)


@dataclass(frozen=True, slots=True)
class People:
    """Both tables as values."""

    objects: tuple[str, ...]
    values: Mapping[str, Mapping[str, Expression]]  #: object → subject.*, traits.*, stage
    phone: tuple[str, ...]
    email: tuple[str, ...]
    stage: Stage


class PeopleReader:
    """Reads both tables of one file; faults go where the tables' do, fields to ``uses``."""

    def __init__(self, top: Table, crm: str, reader: EventReader, uses: Uses) -> None:
        self.table = top.table("contact")
        self.stage_table = top.table("stage")
        self.is_told = "contact" in top
        self.crm = crm
        self.reader = reader
        self.uses = uses
        self.objects = self.table.words("objects", ("contact",), choices=PEOPLE) or ("contact",)

    def people(self) -> People:
        """What the tables say; of nobody where there is no ``[contact]``."""
        columns = {key: self._column(key) for key in self.table.values if self._is_column(key)}
        stage = self._stage()
        if self.is_told and not {"phone", "email"} & columns.keys():
            self.table.fault("phone", "is missing", 'say which field: phone = "mobilephone"')
        values = {each: self._values(each, columns, stage) for each in self.objects}
        self.table.done()
        return People(
            objects=self.objects,
            values=values if self.is_told else {},
            phone=self._names(columns, "phone"),
            email=self._names(columns, "email"),
            stage=stage,
        )

    def _is_column(self, key: str) -> bool:
        """Whether a key says what a person's identity or trait is read from."""
        if key in SUBJECT:
            return True
        if key in OWN:
            return False
        self.table.raw(key)  # it is told here, and not once more as unknown
        near = difflib.get_close_matches(key, OWN, 1, ALIKE)
        if near:
            self.table.fault(key, "is not known here", f"did you mean {near[0]}?")
        elif not _TRAIT.fullmatch(key):
            self.table.fault(key, "cannot be a trait's name", "use small letters, digits and _")
        return not near and bool(_TRAIT.fullmatch(key))

    def _column(self, key: str) -> Mapping[str, tuple[str, ...] | Expression]:
        """Object → the fields that may hold it, the best first, or the expression that gives it."""
        if isinstance(self.table.values[key], dict):
            return self._written_out(key)
        named: dict[str, list[str]] = {each: [] for each in self.objects}
        words = self.table.words(key)
        for word in words:
            for each, name in self._split(self.table, key, word):
                named[each].append(name)
                self.uses.add(self.table, key, [each], name, is_required=len(words) == 1)
        return {each: tuple(names) for each, names in named.items() if names}

    def _written_out(self, key: str) -> Mapping[str, Expression]:
        """``{ value = "…" }`` for all, or an expression for each object."""
        below = self.table.table(key)
        found: dict[str, Expression] = {}
        for name in ("value", *self.objects):
            expression = self.reader.expression(below, name)
            for each in self.objects if name == "value" else [name]:
                if expression is not None:
                    found[each] = expression
                    self.uses.of_items(below, name, [each], expression)
        if not below.values:
            below.fault("", "is empty", 'write { value = "item.now.hs_language" }')
        below.done()
        return found

    def _split(self, table: Table, key: str, word: str) -> list[tuple[str, str]]:
        """The objects that a name such as ``Status`` or ``lead.Status`` is for, with the field."""
        before, dot, after = word.partition(".")
        owner, name = (before, after) if dot else ("", before)
        if owner and owner not in self.objects:
            known = ", ".join(self.objects)
            table.fault(key, f"names {word!r:.80}", f"before the point stands one of {known}")
            return []
        if not NAME.fullmatch(name):
            table.fault(key, f"holds {word!r:.80}", "a field has letters, digits and _")
            return []
        return [(each, name) for each in ([owner] if owner else self.objects)]

    def _stage(self) -> Stage:
        table = self.stage_table
        if not table.values:
            return NO_STAGE
        written = table.text("field")
        split = self._split(table, "field", written) if written else []
        below = table.table("values")
        choices = self.reader.stages or ()
        values = {name: below.text(name, choices=choices) for name in below.values}
        if not values:
            table.fault("values", "is missing", 'add [stage.values] with "lead" = "lead"')
        is_written = table.flag("write", False)
        objects, name = tuple(each for each, _ in split), split[0][1] if split else ""
        for each in objects:
            told = tuple(values)
            self.uses.add(table, "values", [each], name, values=told)
            if is_written:
                self.uses.add(
                    table, "write", [each], name, is_written=True, values=_written(values)
                )
        table.done()
        return Stage(name, objects, values, is_written)

    def _values(
        self,
        each: str,
        columns: Mapping[str, Mapping[str, tuple[str, ...] | Expression]],
        stage: Stage,
    ) -> dict[str, Expression]:
        """The expressions that every event about a record of this object is read with."""
        found = subject(self.crm)
        for key, column in columns.items():
            name = f"subject.{key}" if key in SUBJECT else f"traits.{key}"
            told = column.get(each)
            if isinstance(told, Expression):
                found[name] = told
            elif told and key == "phone" and len(told) > 1:
                found[PHONES] = _compiled(f"[{', '.join(_held(told))}]")
            elif told:
                found[name] = _compiled(" or ".join(_held(told)))
        if each in stage.objects:
            found["stage"] = _compiled(f"item.now.{stage.field}")
        return found

    def _names(
        self, columns: Mapping[str, Mapping[str, tuple[str, ...] | Expression]], key: str
    ) -> tuple[str, ...]:
        """The fields of a column, of whichever object, each once."""
        found = dict.fromkeys(
            name
            for told in columns.get(key, {}).values()
            if not isinstance(told, Expression)
            for name in told
        )
        return tuple(found)


def subject(crm: str) -> dict[str, Expression]:
    """Whom every event of a CRM is about: the person it names, by their id there."""
    return {"subject.crm": _compiled(f"'{crm}'"), "subject.crm_id": _compiled("item.person")}


def _held(fields: tuple[str, ...]) -> Iterator[str]:
    """What each field holds, as an expression."""
    return (f"item.now.{name}" for name in fields)


def _compiled(source: str) -> Expression:
    return compile_expression(source, strict=False)


def _written(values: Mapping[str, str]) -> tuple[str, ...]:
    """The CRM's stages that are written: of each of ours the first."""
    first: dict[str, str] = {}
    for theirs, ours in values.items():
        first.setdefault(ours, theirs)
    return tuple(first.values())
