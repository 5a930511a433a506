"""``[fields]``, ``[consent]`` and ``[create]``: what of ours goes to which field of a CRM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.config.crms.uses import NAME, Uses
from connector.config.supply import CONTACT, Roots, Supply, check_paths
from connector.config.toml import Table
from connector.expressions import compile_expression
from connector.rules.crm import Create
from connector.rules.writeback import FACTS, Field, Rule, fact

MAX_FIELDS: Final = 200
MAX_LENGTH: Final = 131_072  #: characters of a text field anywhere
TYPES: Final = ("text", "number", "flag", "date", "instant", "choice")
SPOKEN_FOR: Final = ("id",)  #: no field of ours may be called so


def fields(table: Table, supply: Supply, people: tuple[str, ...], uses: Uses) -> tuple[Field, ...]:
    """``[fields]``: which of our facts go to which field, by which rule."""
    roots: Roots = {name: frozenset() for name in FACTS}
    roots = {**roots, "contact": CONTACT | supply.traits if supply.complete else None}
    if len(table.values) > MAX_FIELDS:
        table.fault("", f"names {len(table.values)} fields", f"at most {MAX_FIELDS}")
    found = []
    for name in table.values:
        field = _field(table, name, roots)
        if field is not None:
            found.append(field)
            uses.add(table, name, people, name, is_written=True)
    return tuple(found)


def opt_out(top: Table, fields: Table, people: tuple[str, ...], uses: Uses) -> str:
    """``[consent]``: the field that opts out, "" for none.

    It must be written too, by our fact ``opted_out`` alone.
    """
    table = top.table("consent")
    name = table.text("opt_out", "")
    if name and fields.values.get(name) != "opted_out":
        remedy = f'add it to [fields]: {name} = "opted_out"'
        table.fault("opt_out", f"is {name!r:.60}, which is not written back", remedy)
    elif name:
        uses.add(table, "opt_out", people, name)
    table.done()
    return name


def creates(top: Table, fields: Table) -> Mapping[str, Create]:
    """``[create.<field>]``: fields that ``crm install`` is to make, each written to as well."""
    table = top.table("create")
    found = {}
    for name, below in table.named():
        if name not in fields.values:
            remedy = f'add it to [fields]: {name} = "…", or take [create.{name}] away'
            below.fault("", "is for a field that nothing is written to", remedy)
        found[name] = _create(name, below)
    table.done()
    return found


def _create(name: str, table: Table) -> Create:
    kind = table.text("type", choices=TYPES)
    label = table.text("label", "", max_length=40)
    choices = table.words("choices", ())
    length = table.whole("length", 0, high=MAX_LENGTH)
    if kind == "choice" and not choices:
        table.fault("choices", "is missing", 'list what it may hold: choices = ["yes", "no"]')
    if kind != "choice" and choices:
        table.fault("choices", f"is of no use for a {kind}", 'write type = "choice"')
    if kind != "text" and length:
        table.fault("length", f"is of no use for a {kind}", "leave it out")
    table.done()
    return Create(name, kind, label, choices, length)


def _field(table: Table, name: str, roots: Roots) -> Field | None:
    if not NAME.fullmatch(name) or name in SPOKEN_FOR:
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
    reads = frozenset(path.partition(".")[0] for path in expression.paths)
    return Field(name, fact(source) if source in FACTS else expression, rule, reads)
