"""What a contact's fields in a CRM are to hold: which of our facts, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.errors import ExpressionFailed
from connector.model import Json
from connector.records import Owed
from connector.rules.plays import Condition

FACTS: Final = (
    "last_text_at",
    "last_text",
    "last_text_status",
    "last_reply_at",
    "last_reply",
    "texts_sent",
    "opted_out",
    "opted_out_at",
    "consent",
    "consent_at",
    "consent_source",
    "stage",
)
"""The facts of a contact that a CRM's fields may be made of, beside ``contact``."""
CONSENT: Final = frozenset({"consent", "consent_at", "consent_source"})
"""Those that are read from the number's consents, and only where a field is made of them."""


class Rule(StrEnum):
    """When our value takes the place of what the CRM's field holds."""

    always = "always"  #: it is set whatever stands there; no value clears it
    if_empty = "if_empty"  #: it is set once, where nothing stands
    never_clear = "never_clear"  #: it is set, but no value leaves the field alone
    increment = "increment"  #: the field grows by what our running total has grown


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a CRM mapping's ``[fields]``: which of our facts goes to which field."""

    name: str
    value: Condition  #: over the facts of a contact
    rule: Rule = Rule.always
    reads: frozenset[str] = frozenset()  #: the facts that ``value`` reads


def standard_fields() -> tuple[Field, ...]:
    """Every fact to a field of its own name, for a CRM that has no mapping file."""
    rules = {"stage": Rule.never_clear}
    return tuple(
        Field(name, fact(name), rules.get(name, Rule.always), frozenset({name})) for name in FACTS
    )


def fact(name: str) -> Condition:
    """One of the facts as it stands, which needs no expression to be evaluated."""
    return lambda facts: facts.get(name)


def fields_key(contact_id: str) -> str:
    """The one key under which all changes of a contact's fields are owed."""
    return f"fields:{contact_id}"


def summary(
    contact_id: str, facts: Mapping[str, Json], fields: Sequence[Field]
) -> tuple[Owed, tuple[str, ...]]:
    """The contact's fields as they should stand, and what went wrong with which field.

    The change groups values by what the CRM must do: ``always`` (set), ``if_empty`` (set where
    nothing stands), ``increment`` (our running total, by whose growth the field grows). A field
    whose expression fails is left alone.
    """
    change: dict[str, dict[str, Json]] = {}
    faults = []
    for field in fields:
        try:
            value = _field_value(field, facts)
        except ExpressionFailed as error:
            faults.append(f"{field.name}: {error}")
            continue
        if field.rule is Rule.always or value not in (None, ""):
            group = Rule.always if field.rule is Rule.never_clear else field.rule
            change.setdefault(group.value, {})[field.name] = value
    return Owed("fields", fields_key(contact_id), change), tuple(faults)


def _field_value(field: Field, facts: Mapping[str, Json]) -> Json:
    value = field.value(facts)
    if field.rule is not Rule.increment or value is None:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionFailed("only a number can be added; change its rule or its value")
    return value
