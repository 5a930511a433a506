"""A CRM's mapping file beside the CRM as it is: what fits, what would fail, how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.records import FieldShape, Schema
from connector.rules.crm import CrmMapping, Use
from connector.rules.crmsamples import Given, given

CHOSEN: Final = ("choice", "choices")
UNTOLD: Final = ("reference", "other")  #: types of which it cannot be said what they take
TAKES: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"text", "number", "flag", "instant", "date"}),
    "number": frozenset({"number"}),
    "flag": frozenset({"flag"}),
    "instant": frozenset({"instant", "date"}),
    "date": frozenset({"instant", "date"}),
}
"""A field's type → the types of value that it takes."""
TURNED: Final[Mapping[str, str]] = {
    "number": "turn it into one (| int), or name a field for text",
    "flag": "write a comparison, which is true or false, or name a field for text",
    "instant": "name a fact that ends in _at, or a field for text",
    "date": "name a fact that ends in _at, or a field for text",
}
BESIDE: Final = {"deals": "deal", "cases": "case"}
SHOWN: Final = 8  #: choices that are named in a sentence


class Verdict(StrEnum):
    """How one place of the file goes together with the CRM."""

    fits = "fits"
    look = "look"  #: nothing fails, and somebody should know
    fails = "fails"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of the file, one field of one object, and how they go together."""

    verdict: Verdict
    place: str
    line: int
    object: str
    field: str
    is_written: bool
    says: str = ""
    remedy: str = ""


def check(mapping: CrmMapping, schema: Schema, stages: Sequence[str]) -> tuple[Finding, ...]:
    """Every field that the file names beside the CRM's own description of it, in the file's order.

    ``stages`` are ours, earliest first.
    """
    gives = {field.name: given(field, stages) for field in mapping.fields}
    found: list[Finding] = []
    for use in mapping.uses:
        shapes = schema.objects.get(use.object)
        if shapes is None:
            continue
        about = gives.get(use.field) if use.place.startswith("fields.") else None
        told = list(_of(use, shapes, about))
        found += told or [_finding(Verdict.fits, use)]
    return (*_objects(mapping, schema), *found, *_stages(mapping, schema, stages))


def is_faultless(findings: Iterable[Finding]) -> bool:
    """Whether nothing would fail."""
    return not any(each.verdict is Verdict.fails for each in findings)


def _objects(mapping: CrmMapping, schema: Schema) -> Iterator[Finding]:
    """Objects that the file reads, and that may not be read."""
    for name in dict.fromkeys((*mapping.wanted.fields, *_beside(mapping))):
        if name not in schema.objects:
            use = next((each for each in mapping.uses if each.object == name), None)
            place = use or Use("facts", 0, name, "")
            says = f"{name}: records of this kind cannot be read, or there are none in this CRM"
            remedy = "grant the right to read them, or take out what reads them"
            yield Finding(Verdict.fails, place.place, place.line, name, "", False, says, remedy)


def _beside(mapping: CrmMapping) -> tuple[str, ...]:
    return tuple(BESIDE[name] for name in sorted(mapping.wanted.beside))


def _of(use: Use, shapes: Mapping[str, FieldShape], about: Given | None) -> Iterator[Finding]:
    """What is to be said of one use; nothing where all is well."""
    shape = shapes.get(use.field)
    if shape is None:
        yield _finding(Verdict.fails, use, *_absent(use, shapes))
        return
    if use.is_written and not shape.writable:
        says = f"{use.object}.{use.field} may not be written by the user we are logged in as"
        remedy = "grant the right to edit it, or take it out of the file"
        yield _finding(Verdict.fails, use, says, remedy)
    yield from _values(use, shape)
    if about is not None:
        yield from _written(use, shape, about)


def _absent(use: Use, shapes: Mapping[str, FieldShape]) -> tuple[str, str]:
    says = f"{use.object} has no field {use.field}, or none that may be seen"
    near = _nearest(use.field, shapes)
    hint = f"did you mean {near}? Else " if near else ""
    if use.is_written:
        return says, f"{hint}run `connector crm install`, which makes it or says what it lacks"
    return says, f"{hint}name one that is there, or grant the right to read it"


def _nearest(name: str, shapes: Mapping[str, FieldShape]) -> str:
    """The field that was most likely meant: by its name, in any case, or by its label."""
    by_name = {known.casefold(): known for known in shapes}
    by_label = {shape.label.casefold(): known for known, shape in shapes.items() if shape.label}
    for known in (by_name, by_label):
        near = difflib.get_close_matches(name.casefold().replace("_", " "), known, 1, 0.8)
        near = near or difflib.get_close_matches(name.casefold(), known, 1, 0.8)
        if near:
            return known[near[0]]
    return ""


def _values(use: Use, shape: FieldShape) -> Iterator[Finding]:
    """What the file compares a field with, or sets it to, beside what it can hold."""
    if shape.type == "flag" and use.values and not use.is_written:
        says = f"{use.field} is true or false, and never {_named(use.values)}"
        yield _finding(Verdict.fails, use, says, f"write {use.field}, or not {use.field}")
    if shape.type not in CHOSEN or not shape.choices:
        return
    for value in use.values:
        if value in shape.choices or not value:
            continue
        near = difflib.get_close_matches(value, shape.choices, 1, 0.6)
        says = f"{use.field} cannot be {value!r}"
        remedy = f"did you mean {near[0]!r}?" if near else f"it can be {_named(shape.choices)}"
        yield _finding(Verdict.fails, use, says, remedy)


def _written(use: Use, shape: FieldShape, about: Given) -> Iterator[Finding]:
    """What a field would come to hold beside what it takes."""
    if about.fault and not about.kinds:
        yield _finding(Verdict.look, use, f"its expression fails: {about.fault}", "mend it")
    elif shape.type in UNTOLD:
        says = f"{use.field} is of a type of which nobody can tell what it takes"
        yield _finding(Verdict.look, use, says, "try it with one contact")
    elif shape.type in CHOSEN:
        yield from _chosen(use, shape, about)
    elif wrong := about.kinds - TAKES[shape.type]:
        says = f"{use.field} takes {_a(shape.type)}, and our value is {_a(sorted(wrong)[0])}"
        yield _finding(Verdict.fails, use, says, TURNED.get(shape.type, "name another field"))
    elif shape.type == "text" and 0 < shape.length < about.length:
        says = f"{use.field} holds {shape.length} characters, and our text may have {about.length}"
        yield _finding(Verdict.fails, use, says, f"add | truncate({shape.length})")


def _chosen(use: Use, shape: FieldShape, about: Given) -> Iterator[Finding]:
    lacking = [value for value in about.values if value not in shape.choices]
    if not shape.choices or not lacking:
        return
    if about.is_open:
        says = f"{use.field} takes only {_named(shape.choices)}, and our value may be another"
        yield _finding(Verdict.look, use, says, "name a field for text, or see that it never is")
        return
    says = f"{use.field} has no choice {_named(lacking)}"
    yield _finding(Verdict.fails, use, says, "add it in the CRM, or name a field for text")


def _stages(mapping: CrmMapping, schema: Schema, stages: Sequence[str]) -> Iterator[Finding]:
    """Stages of the CRM that mean none of ours, and ours that it is never told."""
    name = mapping.wanted.stage
    for each in mapping.stage_objects:
        shape = schema.objects.get(each, {}).get(name)
        use = Use("stage.values", _line(mapping), each, name)
        unknown = [
            value for value in (shape.choices if shape else ()) if value not in mapping.stages
        ]
        if unknown:
            says = f"{name} can be {_named(unknown)}, which is no stage of yours"
            yield _finding(Verdict.look, use, says, "add it to [stage.values] if it means one")
    untold = [stage for stage in stages if not mapping.stage_there(stage)]
    if mapping.writes_stage and untold:
        use = Use("stage.values", _line(mapping), mapping.stage_objects[0], name, True)
        says = f"your stage {_named(untold)} is never written: no value stands for it"
        yield _finding(Verdict.look, use, says, "add one to [stage.values] if there is one")


def _line(mapping: CrmMapping) -> int:
    return next((use.line for use in mapping.uses if use.place == "stage.values"), 0)


def _finding(verdict: Verdict, use: Use, says: str = "", remedy: str = "") -> Finding:
    return Finding(
        verdict, use.place, use.line, use.object, use.field, use.is_written, says, remedy
    )


def _named(values: Sequence[str]) -> str:
    """Values in quotes, the first of them where there are many."""
    shown = ", ".join(repr(value)[:40] for value in values[:SHOWN])
    left = len(values) - SHOWN
    return f"{shown} and {left} more" if left > 0 else shown


def _a(type: str) -> str:
    words = {"flag": "true or false", "instant": "an instant", "date": "a day", "text": "a text"}
    return words.get(type, f"a {type}")
