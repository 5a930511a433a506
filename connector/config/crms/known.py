"""``[facts]``, ``reads`` and ``[read]``: what plays read of a CRM, and what else is asked for."""

from __future__ import annotations

from typing import Final

from connector.config.crms.uses import NAME, Uses
from connector.config.toml import Table
from connector.expressions import Bundle, Expression, compile_all, compile_expression
from connector.expressions.compared import compared
from connector.rules.crm import ALWAYS_TOLD, CASES, DEALS, OBJECTS, PEOPLE

MAX_FACTS: Final = 100
MAX_READ: Final = 200
NEWEST: Final = "deal"  #: the person's deal that changed last


def facts(top: Table, people: tuple[str, ...], uses: Uses) -> Bundle:
    """``[facts]``: name → an expression over the person's record."""
    table = top.table("facts")
    if len(table.values) > MAX_FACTS:
        table.fault("", f"names {len(table.values)} facts", f"at most {MAX_FACTS}")
    found = {name: _fact(table, name, people, uses) for name in table.values}
    table.done()
    return compile_all({name: each for name, each in found.items() if each}, strict=False)


def beside(found: Bundle) -> frozenset[str]:
    """What the facts need that is asked for beside a person's record."""
    roots = {path.partition(".")[0] for path in found.paths}
    return frozenset(
        name for name, needed in (("deals", DEALS), ("cases", CASES)) if roots & needed
    )


def reads(top: Table, people: tuple[str, ...], uses: Uses) -> frozenset[str]:
    """``reads``: fields that plays read by the CRM's own name."""
    found = top.words("reads", ())
    for name in found:
        if not NAME.fullmatch(name):
            top.fault("reads", f"holds {name!r:.60}", "use letters, digits and _")
        else:
            uses.add(top, "reads", people, name)
    return frozenset(found)


def read(top: Table, uses: Uses) -> None:
    """``[read]``: further fields of each object, and under ``history`` those with all they held."""
    table = top.table("read")
    history = table.table("history")
    for name in OBJECTS:
        _note(table, name, uses)
        fields = _note(history, name, uses)
        if fields:
            uses.history[name] = fields
    history.done()
    table.done()


def _note(table: Table, name: str, uses: Uses) -> tuple[str, ...]:
    """The fields listed for an object."""
    fields = table.words(name, ())
    if len(fields) > MAX_READ:
        table.fault(name, f"names {len(fields)} fields", f"at most {MAX_READ}")
    for each in fields:
        if not NAME.fullmatch(each):
            table.fault(name, f"holds {each!r:.60}", "use letters, digits and _")
        else:
            uses.add(table, name, [name], each)
    return fields


def _fact(table: Table, name: str, people: tuple[str, ...], uses: Uses) -> Expression | None:
    if not NAME.fullmatch(name) or name in ALWAYS_TOLD:
        table.fault(
            name, "cannot be a fact's name", "use letters, digits and _; not id, not object"
        )
    source = table.text(name)
    if not source:
        if table.values[name] == "":
            table.fault(name, "is empty", 'write an expression such as "hubspot_owner_id"')
        return None
    try:
        expression = compile_expression(source, strict=False)
    except ValueError as error:
        table.fault(name, f"cannot be understood: {error}", "mend the expression")
        return None
    _uses_of(table, name, expression, people, uses)
    return expression


def _uses_of(
    table: Table, key: str, expression: Expression, people: tuple[str, ...], uses: Uses
) -> None:
    """Note the fields that a fact is made of: the person's, of one kind of person, a deal's."""
    values = compared(expression.source)
    for path in sorted(expression.paths):
        root, _, rest = path.partition(".")
        field = rest.partition(".")[0]
        if root in PEOPLE and root not in people:
            known = ", ".join(people)
            table.fault(key, f"reads {path}, but people are {known}", "see objects in [contact]")
        elif root in (*PEOPLE, NEWEST):
            if field:
                uses.add(table, key, [root], field, values=values.get(path, ()))
        elif root not in (*DEALS, *CASES, *ALWAYS_TOLD):
            uses.add(table, key, people, root, values=values.get(path, ()))
