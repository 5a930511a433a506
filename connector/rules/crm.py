"""A CRM's mapping file as values: what is read there, what it means here, what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.errors import ExpressionFailed
from connector.expressions import Bundle
from connector.model import Json
from connector.records import NOTHING_WANTED, Wanted
from connector.rules.mapping import SourceMapping
from connector.rules.writeback import Field, Rule

OBJECTS: Final = ("contact", "lead", "deal", "meeting", "case")
"""Records of a CRM, in our words; an adapter says which of them its CRM has."""
PEOPLE: Final = ("contact", "lead")  #: those that are persons
CONTACT_SIGNAL: Final = "crm_contact"  #: that a person's record there was made or changed
ALWAYS_TOLD: Final = frozenset({"id", "object"})  #: what every record has beside its fields
DEALS: Final = frozenset({"deal", "deals"})
CASES: Final = frozenset({"open_cases"})
"""What an expression of ``[facts]`` may begin with that is asked for beside the person."""


@dataclass(frozen=True, slots=True)
class Use:
    """One place of a mapping file that names a field of the CRM, for ``crm check``."""

    place: str  #: ``contact.phone``, ``stage``, ``facts.owner``, ``fields.sms_last_status`` …
    line: int
    object: str
    field: str
    is_written: bool = False
    values: tuple[str, ...] = ()  #: what the file compares it with, or sets it to
    is_required: bool = True  #: false where another field of a list may stand in


@dataclass(frozen=True, slots=True)
class Create:
    """A field that ``crm install`` is to make (``[create.<field>]``)."""

    name: str
    type: str  #: text, number, flag, date, instant, choice
    label: str  #: "" leaves it to the CRM's installer
    choices: tuple[str, ...] = ()
    length: int = 0  #: of a text, in characters; 0 leaves it to the CRM


@dataclass(frozen=True, slots=True)
class CrmMapping:
    """One file in ``mappings/crms``; its name is the CRM's."""

    name: str
    version: str = ""
    content: str = ""
    people: tuple[str, ...] = ("contact",)  #: objects that are persons
    wanted: Wanted = NOTHING_WANTED
    source: SourceMapping | None = None  #: what a changed record means; None: it means nothing
    facts: Bundle | None = None  #: what plays read as crm.<name>; None: the record as fetched
    plain: frozenset[str] = frozenset()  #: fields that plays read by the CRM's own name
    fields: tuple[Field, ...] = ()  #: what is written, and by which rule
    opt_out: str = ""  #: the field that opts out; "" for none
    stages: Mapping[str, str] = field(default_factory=dict)  #: the CRM's stage → ours
    stage_objects: tuple[str, ...] = ()  #: objects that have the field ``wanted.stage``
    writes_stage: bool = False
    creates: Mapping[str, Create] = field(default_factory=dict)  #: by the field's name
    uses: tuple[Use, ...] = ()  #: every field that the file names, in its order

    @property
    def known(self) -> frozenset[str]:
        """What may follow ``crm.`` in plays, policy and texts."""
        named = self.facts.expressions if self.facts is not None else ()
        return self.plain.union(named, {"id"})

    def stage_there(self, stage: str) -> str:
        """What the CRM calls a stage of ours, by the file's first line for it; "" for nothing."""
        return next((theirs for theirs, ours in self.stages.items() if ours == stage), "")


def facts_of(
    mapping: CrmMapping, record: Mapping[str, Json]
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """What plays may read of a person's record, and what went wrong with which fact.

    ``record`` is what ``Crm.fetch`` gives. A fact whose expression fails is absent, and so is one
    that is made of deals or cases where those were not asked for.
    """
    if mapping.facts is None:
        return dict(record), ()
    told = {name: record[name] for name in mapping.plain if name in record}
    told |= {name: record[name] for name in ALWAYS_TOLD if name in record}
    context, faults = _context(record), []
    for name, expression in mapping.facts.expressions.items():
        if not _was_asked(expression.paths, record):
            continue
        try:
            value = expression(context)
        except ExpressionFailed as error:
            faults.append(f"{name}: {error}")
            continue
        if value is not None:
            told[name] = value
    return told, tuple(faults)


def stage_change(
    mapping: CrmMapping, order: Sequence[str], ours: str, facts: Mapping[str, Json]
) -> tuple[Rule, str] | None:
    """What is to be written into the CRM's stage and by which rule; None leaves it alone.

    A stage there moves forward only. ``order`` is that of ``mappings/stages.toml`` and ``facts``
    what is known of the person's record, {} where nothing is: then only an empty field is filled.
    A stage there that the file does not know is somebody else's matter.
    """
    theirs = mapping.stage_there(ours) if mapping.writes_stage else ""
    if not theirs or ours not in order:
        return None
    whose = {str(facts["object"])} if facts.get("object") else set(mapping.people)
    if not whose.issubset(mapping.stage_objects):
        return None
    stands = facts.get(mapping.wanted.stage)
    if stands in (None, ""):
        return Rule.if_empty, theirs
    known = mapping.stages.get(str(stands), "")
    if known not in order or order.index(known) >= order.index(ours):
        return None
    return Rule.always, theirs


def _context(record: Mapping[str, Json]) -> dict[str, Json]:
    """What an expression of ``[facts]`` reads: fields by name, and whose they are."""
    deals = record.get("deals")
    newest = deals[0] if isinstance(deals, list) and deals else None
    context = {**record, **dict.fromkeys(PEOPLE), "deal": newest}
    if record.get("object") in PEOPLE:
        context[str(record["object"])] = dict(record)
    return context


def _was_asked(paths: frozenset[str], record: Mapping[str, Json]) -> bool:
    roots = {path.partition(".")[0] for path in paths}
    return not (roots & DEALS and "deals" not in record) and not (
        roots & CASES and "open_cases" not in record
    )
