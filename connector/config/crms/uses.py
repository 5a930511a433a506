"""Which fields of a CRM a mapping file names, noted as it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from connector.config.toml import Table
from connector.expressions import Expression
from connector.expressions.compared import compared
from connector.rules.crm import ALWAYS_TOLD, PEOPLE, Use

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")  #: of a CRM's field
HELD: Final = ("now", "was")  #: what of an item holds fields


class Uses:
    """Every field that a file names, in the order it is read."""

    def __init__(self) -> None:
        self.found: list[Use] = []
        self.history: dict[str, tuple[str, ...]] = {}  #: object → fields that are read with it
        self.compared: dict[str, dict[str, None]] = {}  #: object → fields whose past rules ask for

    def add(
        self,
        table: Table,
        key: str,
        objects: Iterable[str],
        field: str,
        *,
        is_written: bool = False,
        values: tuple[str, ...] = (),
        is_required: bool = True,
    ) -> None:
        """Note a field of some objects, named at ``key`` of a table; ids every record has."""
        if field in ALWAYS_TOLD:
            return
        place, line = table.where(key), table.line(key)
        self.found += [
            Use(place, line, each, field, is_written, values, is_required) for each in objects
        ]

    def of_items(
        self, table: Table, key: str, objects: Iterable[str], expression: Expression
    ) -> None:
        """Note what an expression over an event's ``item`` reads, and what it compares it with."""
        values, objects = compared(expression.source), tuple(objects)
        for path in sorted(expression.paths):
            root, held, name, *_ = [*path.split("."), "", "", ""]
            if root == "item" and held in HELD and name:
                self.add(table, key, objects, name, values=values.get(path, ()))
                for each in objects if held == "was" else ():
                    self.compared.setdefault(each, {})[name] = None
        for name in values.get("item.changed", ()):
            self.add(table, key, objects, name)

    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """Object → the fields that are read of it, each once."""
        fields: dict[str, dict[str, None]] = {}
        for use in self.found:
            if not use.is_written:
                fields.setdefault(use.object, {})[use.field] = None
        return {name: tuple(found) for name, found in fields.items()}

    def past(self) -> Mapping[str, tuple[str, ...]]:
        """Object → the fields that are read with all they ever held.

        Of what people stand on, these are also the fields whose past a rule asks for: without it
        nobody could say when a deal that is read for the first time was won.
        """
        own = {name: tuple(found) for name, found in self.compared.items() if name not in PEOPLE}
        return {
            name: tuple(dict.fromkeys((*self.history.get(name, ()), *own.get(name, ()))))
            for name in {**self.history, **own}
        }
