"""HubSpot prepared: a group of properties, and the contact properties that a mapping needs.

https://developers.hubspot.com/docs/api-reference/latest/crm/properties/create-property
Everything is read first and only what is missing is made, one property a call, so that each has
an answer of its own. What stands under a name already is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from connector.crms.hubspot.failures import refusal, scope_remedy
from connector.crms.hubspot.names import CONTACTS, TOTALS, path
from connector.crms.hubspot.wire import malformed
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import FieldShape, Part, PartState

PROPERTIES: Final = path("crm/properties", CONTACTS)
GROUP: Final = "sms_connector"
GROUP_LABEL: Final = "SMS Connector"
SCOPE: Final = "crm.schemas.contacts.write"
LONG: Final = 255  #: characters; a longer text gets a field of several lines

TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "text": ("string", "text"),
    "number": ("number", "number"),
    "flag": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "instant": ("datetime", "date"),
    "choice": ("enumeration", "select"),
    "choices": ("enumeration", "checkbox"),
}
"""Our word for a type → HubSpot's ``type`` and ``fieldType``."""

FLAG: Final = ("true", "false")  #: the options that a yes-or-no property has
CONSENTS: Final = ("granted", "denied", "unknown")


def _standard(*shapes: FieldShape) -> Mapping[str, FieldShape]:
    return {shape.name: shape for shape in shapes}


STANDARD: Final = _standard(
    FieldShape("sms_consent", "choice", "SMS consent", CONSENTS),
    FieldShape("sms_consent_at", "instant", "SMS consent since"),
    FieldShape("sms_consent_source", "text", "SMS consent source"),
    FieldShape("sms_opt_out", "flag", "SMS opt-out"),
    FieldShape("sms_opted_out_at", "instant", "SMS opted out at"),
    FieldShape("sms_last_sent_at", "instant", "SMS last sent at"),
    FieldShape("sms_last_text", "text", "SMS last text", length=10_000),
    FieldShape("sms_last_status", "text", "SMS last status"),
    FieldShape("sms_last_reply", "text", "SMS last reply", length=10_000),
    FieldShape("sms_last_reply_at", "instant", "SMS last reply at"),
    FieldShape("sms_texts_sent", "number", "SMS texts sent"),
    FieldShape(TOTALS, "text", "SMS totals, for the connector alone", length=10_000),
)
"""What a property of such a name is, where the mapping file does not say it."""


Rest = Callable[[str, str, Json], tuple[int, Json]]  #: method, path, body → status, what it says


def install(
    rest: Rest,
    creates: Sequence[FieldShape],
    written: Iterable[str],
    *,
    grows: bool,
    dry_run: bool,
) -> Iterator[Part]:
    """Make what is missing and tell of each part; in a dry run nothing is made.

    ``creates`` are fields that the mapping file describes, ``written`` all that it writes, and
    ``grows`` says that some of these are added to. Raises ``CrmUnavailable`` where HubSpot could
    not be asked, or where a scope is missing.
    """
    there = {str(item.get("name")): item for item in _listed(rest, PROPERTIES)}
    names = [*written, TOTALS] if grows else list(written)
    shapes = wanted(creates, names, there)
    if any(isinstance(shape, FieldShape) and shape.name not in there for shape in shapes):
        yield _group(rest, dry_run)
    for shape in shapes:
        if isinstance(shape, Part):
            yield shape
        elif shape.name in there:
            yield compared(shape, there[shape.name])
        elif dry_run:
            yield Part("property", shape.name, PartState.missing, _described(shape))
        else:
            yield _made(rest, PROPERTIES, "property", shape.name, body_of(shape), _described(shape))


def wanted(
    creates: Sequence[FieldShape], written: Iterable[str], there: Mapping[str, Any]
) -> list[FieldShape | Part]:
    """Every property that is to be there, and what is written but described nowhere.

    HubSpot's own properties, and those that somebody made by hand, need no description.
    """
    described = {**STANDARD, **{shape.name: shape for shape in creates}}
    found: list[FieldShape | Part] = list(creates)
    known = {shape.name for shape in creates}
    for name in dict.fromkeys(written):
        if name in described and name not in known:
            found.append(described[name])
        elif name not in described and name not in there:
            found.append(_undescribed(name))
    return found


def compared(shape: FieldShape, stands: Mapping[str, Any]) -> Part:
    """What stands under a property's name beside what would be made."""
    kind, _ = TYPES[shape.type]
    is_flag = shape.type == "flag" and _options(stands) == set(FLAG)
    if stands.get("type") != kind and not is_flag:
        says = f"is of type {stands.get('type')}, and {kind} is needed; it is left as it is"
        remedy = "name another property in the mapping file, or delete this one in HubSpot"
        return Part("property", shape.name, PartState.differs, says, remedy)
    lacking = [choice for choice in shape.choices if choice not in _options(stands)]
    if lacking:
        says = f"lacks the options {', '.join(lacking)}; it is left as it is"
        remedy = "add them in HubSpot: Settings, Properties, with these internal values"
        return Part("property", shape.name, PartState.differs, says, remedy)
    return Part("property", shape.name, PartState.there, _described(shape))


def body_of(shape: FieldShape) -> dict[str, Json]:
    """A property as HubSpot is asked to make it."""
    kind, field_type = _types(shape)
    body: dict[str, Json] = {
        "name": shape.name,
        "label": shape.label or _label(shape.name),
        "type": kind,
        "fieldType": field_type,
        "groupName": GROUP,
        "hasUniqueValue": shape.is_unique,
        "formField": False,
        "hidden": shape.name == TOTALS,
    }
    choices = FLAG if shape.type == "flag" else shape.choices
    if choices:
        body["options"] = [
            {"value": value, "label": _option(shape, value), "displayOrder": place, "hidden": False}
            for place, value in enumerate(choices)
        ]
    return body


def _group(rest: Rest, dry_run: bool) -> Part:
    if any(item.get("name") == GROUP for item in _listed(rest, f"{PROPERTIES}/groups")):
        return Part("property group", GROUP, PartState.there)
    if dry_run:
        return Part("property group", GROUP, PartState.missing)
    body: Json = {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1}
    return _made(rest, f"{PROPERTIES}/groups", "property group", GROUP, body)


def _listed(rest: Rest, at: str) -> list[Mapping[str, Any]]:
    status, said = rest("GET", at, None)
    found = said.get("results") if status == 200 and isinstance(said, Mapping) else None
    if not isinstance(found, list):
        raise malformed()
    return [item for item in found if isinstance(item, Mapping)]


def _made(rest: Rest, at: str, kind: str, name: str, body: Json, says: str = "") -> Part:
    try:
        status, said = rest("POST", at, body)
    except CrmUnavailable as error:
        if error.code != "forbidden" or SCOPE in error.remedy:
            raise
        raise CrmUnavailable(str(error), code=error.code, remedy=scope_remedy([SCOPE])) from None
    if status < 300:
        return Part(kind, name, PartState.made, says)
    if status == 409:  # somebody was quicker, or a call was heard whose answer was lost
        return Part(kind, name, PartState.there, says)
    remedy = "mend what HubSpot names, then run this again"
    return Part(kind, name, PartState.failed, refusal(status, said).words, remedy)


def _undescribed(name: str) -> Part:
    says = "is not in HubSpot, and nothing says what it is"
    remedy = f'add [create.{name}] with type = "text" to the mapping file, or make it in HubSpot'
    return Part("property", name, PartState.failed, says, remedy)


def _described(shape: FieldShape) -> str:
    kind, field_type = _types(shape)
    unique = ", unique" if shape.is_unique else ""
    choices = f": {', '.join(shape.choices)}" if shape.choices else ""
    return f"{kind} ({field_type}{unique}){choices}"


def _types(shape: FieldShape) -> tuple[str, str]:
    kind, field_type = TYPES[shape.type]
    is_long = shape.type == "text" and shape.length > LONG
    return kind, "textarea" if is_long else field_type


def _options(stands: Mapping[str, Any]) -> set[str]:
    return {str(option.get("value")) for option in stands.get("options") or ()}


def _option(shape: FieldShape, value: str) -> str:
    if shape.type == "flag":
        return "Yes" if value == "true" else "No"
    return _label(value)


def _label(name: str) -> str:
    words = name.replace("_", " ").strip()
    label = words[:1].upper() + words[1:]
    return f"SMS{label[3:]}" if label.startswith("Sms ") else label
