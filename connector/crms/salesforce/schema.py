"""What an org can hold, for whom we are logged in as: its own descriptions in our words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connector.crms.salesforce.errors import Rejected
from connector.crms.salesforce.ids import OBJECTS
from connector.crms.salesforce.rows import MESSAGE, SMS_ID, Shape
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import FieldShape, Schema

TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("string", "textarea", "phone", "email", "url", "id", "encryptedstring"), "text"
    ),
    **dict.fromkeys(("int", "long", "double", "currency", "percent"), "number"),
    "boolean": "flag",
    "date": "date",
    "datetime": "instant",
    "picklist": "choice",
    "multipicklist": "choices",
    "reference": "reference",
}


def read(line: Line, shape: Shape, notes: Iterable[str]) -> Schema:
    """Describe every object that we read or write; one call for each."""
    objects = dict(OBJECTS)
    if shape.message_object:
        objects["message"] = MESSAGE
    found = {name: fields for name, of in objects.items() if (fields := _described(line, of))}
    said = [*notes, *_missing(objects, found), *_unready(found, shape), *_calls(line)]
    return Schema(found, tuple(said))


def _described(line: Line, object: str) -> dict[str, FieldShape]:
    try:
        told = line.rest("describe", f"sobjects/{object}/describe")
    except Rejected:
        return {}  # an object that we may not see is not found
    fields = told.get("fields") if isinstance(told, dict) else None
    if not isinstance(fields, list):
        raise CrmUnavailable(f"the description of {object} cannot be read", code="malformed")
    return {str(field["name"]): _shape(field) for field in fields if isinstance(field, dict)}


def _shape(field: Mapping[str, Any]) -> FieldShape:
    is_choice = str(field.get("type")) in ("picklist", "multipicklist")
    values = field.get("picklistValues") if is_choice else ()
    return FieldShape(
        name=str(field["name"]),
        type=TYPES.get(str(field.get("type")), "other"),
        label=str(field.get("label") or ""),
        choices=tuple(_active(values or ())),
        length=int(field.get("length") or 0),
        writable=field.get("updateable") is True,
        is_unique=field.get("unique") is True,
    )


def _active(values: Iterable[Json]) -> Iterable[str]:
    for value in values:
        if isinstance(value, dict) and value.get("active") is not False:
            yield str(value.get("value"))


def _missing(objects: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    return [
        f"{of} cannot be read; assign the permission set SMS_Connector to the connector's user"
        for name, of in objects.items()
        if name not in found
    ]


def _unready(found: Mapping[str, Mapping[str, FieldShape]], shape: Shape) -> list[str]:
    """What activities need and is not there."""
    task = found.get("task", {})
    notes = []
    if task and shape.task_field not in task:
        remedy = 'or set task_field = "CallObject"' if shape.task_field == SMS_ID else ""
        notes.append(
            f"Task has no field {shape.task_field} that the connector's user can see; run "
            f"`connector crm install` and assign the permission set SMS_Connector, {remedy}"
        )
    status = task.get("Status")
    for word in (shape.done, shape.open):
        if status is not None and status.choices and word not in status.choices:
            names = ", ".join(status.choices)
            notes.append(f"Task has no status {word!r}; choose one of {names} in [crms.salesforce]")
    return notes


def _calls(line: Line) -> list[str]:
    usage = line.allowance.usage
    if usage is None:
        return []
    return [f"{usage.used:,} of {usage.total:,} API calls of the last 24 hours are used"]
