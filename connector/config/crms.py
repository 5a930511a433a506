"""CRM mappings: ``mappings/crms/<crm>.toml``, which facts go to and come from which field."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from connector.config import toml
from connector.config.supply import CONTACT, Roots, Supply, check_paths
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import compile_expression
from connector.rules.writeback import FACTS, Field, Rule, fact, standard_fields

MAX_FIELDS: Final = 200

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def load(path: Path, supply: Supply, faults: list[Fault]) -> tuple[Field, ...]:
    """The fields that a CRM's mapping file names; faults are added to ``faults``.

    Without a file every fact goes to a field of its own name.
    """
    if not path.exists():
        return standard_fields()
    top = toml.read(path, faults)
    table = top.table("fields")
    roots: Roots = {name: frozenset() for name in FACTS}
    roots = {**roots, "contact": CONTACT | supply.traits}
    if len(table.values) > MAX_FIELDS:
        table.fault("", f"names {len(table.values)} fields", f"at most {MAX_FIELDS}")
    found = [_field(table, name, roots) for name in table.values]
    for name in top.words("reads", ()):
        if not _NAME.fullmatch(name):
            top.fault("reads", f"holds {name!r:.60}", "use letters, digits and _")
    _check_opt_out(top.table("consent"), table)
    top.done()
    return tuple(field for field in found if field is not None)


def reads(path: Path) -> frozenset[str]:
    """The CRM's own fields that a mapping file lists, whose faults :func:`load` has told."""
    return frozenset(toml.read(path, []).words("reads", ())) if path.exists() else frozenset()


def opt_out(path: Path) -> str:
    """The CRM's field that opts out, whose faults :func:`load` has told; "" for none."""
    if not path.exists():
        return ""
    return toml.read(path, []).table("consent").text("opt_out", "")


def _check_opt_out(consent: Table, fields: Table) -> None:
    """The field must be written too, by our fact ``opted_out`` alone."""
    name = consent.text("opt_out", "")
    if name and fields.values.get(name) != "opted_out":
        remedy = f'add it to [fields]: {name} = "opted_out"'
        consent.fault("opt_out", f"is {name!r:.60}, which is not written back", remedy)
    consent.done()


def facts(fields: Iterable[Field], reads: Iterable[str] = ()) -> frozenset[str]:
    """What may follow ``crm.`` in plays and policy: fields we write, its own, the record's id."""
    return frozenset({"id", *reads}.union(field.name for field in fields))


def _field(table: Table, name: str, roots: Roots) -> Field | None:
    if not _NAME.fullmatch(name) or name == "id":
        table.fault(name, "cannot be a field's name", "use letters, digits and _; not id")
    if isinstance(table.values[name], dict):
        below = table.table(name)
        source = below.text("value")
        rule = Rule(below.text("rule", Rule.always.value, choices=list(Rule)))
        below.done()
        return _compiled(below, "value", name, source, rule, roots)
    return _compiled(table, name, name, table.text(name), Rule.always, roots)


def _compiled(
    table: Table, key: str, name: str, source: str, rule: Rule, roots: Roots
) -> Field | None:
    if not source:
        if key in table and table.values[key] == "":
            table.fault(key, "is empty", 'write an expression such as "last_text_at"')
        return None
    try:
        expression = compile_expression(source, strict=False)
    except ValueError as error:
        table.fault(key, f"cannot be understood: {error}", "mend the expression")
        return None
    check_paths(table, key, expression.paths, roots)
    return Field(name, fact(source) if source in FACTS else expression, rule)
