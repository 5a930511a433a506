"""What a HubSpot account holds: records, what ties them, their properties, and its search."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import phonenumbers

STAGES = ("subscriber", "lead", "opportunity", "customer")
TYPES = {  # (from, to) → the association's type
    ("communications", "contacts"): 81,
    ("communications", "companies"): 87,
    ("communications", "deals"): 85,
    ("notes", "contacts"): 202,
    ("notes", "deals"): 214,
    ("tasks", "contacts"): 204,
    ("tasks", "deals"): 216,
}
STANDARD: dict[str, dict[str, str]] = {  # object → property → type
    "contacts": {
        "email": "string",
        "hs_additional_emails": "string",
        "phone": "string",
        "mobilephone": "string",
        "firstname": "string",
        "plan": "string",
        "stage": "string",
        "touches": "number",
        "texts_sent": "number",
        "sms_opt_out": "bool",
        "sms_last_sent_at": "datetime",
        "birthday": "date",
        "sms_totals": "string",
        "lifecyclestage": "enumeration",
        "associatedcompanyid": "number",
        "lastmodifieddate": "datetime",
    },
    "deals": {"dealname": "string", "dealstage": "string", "amount": "number"},
    "meetings": {"hs_meeting_title": "string", "hs_meeting_outcome": "string"},
    "tickets": {"subject": "string", "hs_pipeline_stage": "string", "closed_date": "datetime"},
    "companies": {"name": "string"},
    "communications": {
        "hs_communication_channel_type": "enumeration",
        "hs_communication_logged_from": "enumeration",
        "hs_communication_body": "string",
        "hs_timestamp": "datetime",
    },
    "notes": {"hs_note_body": "string", "hs_timestamp": "datetime"},
    "tasks": {
        "hs_task_subject": "string",
        "hs_task_body": "string",
        "hs_task_status": "enumeration",
        "hs_task_priority": "enumeration",
        "hs_task_type": "enumeration",
        "hs_timestamp": "datetime",
        "hubspot_owner_id": "string",
    },
}
OPTIONS = {
    "lifecyclestage": STAGES,
    "hs_communication_channel_type": ("SMS", "WHATS_APP", "LINKEDIN_MESSAGE"),
    "hs_communication_logged_from": ("CRM",),
    "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
    "hs_task_priority": ("LOW", "MEDIUM", "HIGH"),
    "hs_task_type": ("TODO", "CALL", "EMAIL"),
}
READ_ONLY = frozenset({"lastmodifieddate", "hs_lastmodifieddate", "hs_object_id"})


class Account:
    """One account; ``now`` is its clock, and moves on by a millisecond with each change."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        self.defined = {plural: dict(names) for plural, names in STANDARD.items()}
        self.records: dict[str, dict[str, dict[str, Any]]] = {plural: {} for plural in STANDARD}
        self.steps: dict[tuple[str, str, str], list[dict[str, str]]] = {}
        self.ties: dict[tuple[str, str], dict[str, list[str]]] = {}
        self.merged: dict[str, str] = {}  # a contact's id → that into which it went
        self.last_id = 500

    def add(self, plural: str, id: str = "", **values: str) -> str:
        """A new record with these properties."""
        self.last_id += 1
        id = id or str(self.last_id)
        self.records[plural][id] = {"createdAt": self._stamp(), "properties": {"hs_object_id": id}}
        self.set(plural, id, **values)
        return id

    def set(self, plural: str, id: str, **values: str) -> None:
        """Set properties of a record, as somebody in HubSpot would."""
        self.now += timedelta(milliseconds=1)
        record = self.records[plural][id]
        held, stamp = record["properties"], self._stamp()
        for name, value in values.items():
            if held.get(name) != value:
                step = {"value": value, "timestamp": stamp, "sourceType": "CRM_UI"}
                self.steps.setdefault((plural, id, name), []).insert(0, step)
            held[name] = value or None
        record["updatedAt"] = stamp
        held["lastmodifieddate" if plural == "contacts" else "hs_lastmodifieddate"] = stamp
        if plural == "contacts":
            _calculate(held)

    def tie(self, plural: str, id: str, other: str, other_id: str) -> None:
        """Tie two records, both ways."""
        for start, end in (((plural, id), (other, other_id)), ((other, other_id), (plural, id))):
            tied = self.ties.setdefault(start, {}).setdefault(end[0], [])
            tied.append(end[1])

    def merge(self, loser: str, winner: str) -> None:
        """One contact goes into another."""
        del self.records["contacts"][loser]
        self.merged[loser] = winner
        held = self.records["contacts"][winner]["properties"]
        held["hs_merged_object_ids"] = ";".join(
            filter(None, [held.get("hs_merged_object_ids") or "", loser])
        )

    def find(self, plural: str, id: str) -> str | None:
        """The id under which a record stands now; None for one that is gone."""
        id = self.merged.get(id, id) if plural == "contacts" else id
        return id if id in self.records[plural] else None

    def shown(
        self, plural: str, id: str, names: list[str], history: list[str] | None = None
    ) -> dict[str, Any]:
        """A record as an answer shows it."""
        record = self.records[plural][id]
        held = record["properties"]
        found = {name: held.get(name) for name in ("hs_object_id", *names) if name in held}
        shown = {
            "id": id,
            "archived": False,
            "createdAt": record["createdAt"],
            "updatedAt": record["updatedAt"],
            "properties": found,
        }
        if history:
            steps = {name: self.steps.get((plural, id, name), []) for name in history}
            shown["propertiesWithHistory"] = steps
        return shown

    def faults(self, plural: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """What is wrong with properties that somebody wants to set."""
        found = []
        for name, value in values.items():
            kind = self.defined[plural].get(name)
            if kind is None:
                found.append(
                    _fault(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
                )
            elif name in READ_ONLY:
                found.append(_fault(name, "READ_ONLY_VALUE", f"{name} is read-only"))
            elif value and (why := _misfit(name, kind, value)):
                found.append(_fault(name, why, f"{value} was not a valid {kind}"))
        return found

    def search(self, plural: str, asked: Mapping[str, Any]) -> list[str]:
        """Ids of what meets the filters, sorted."""
        records = self.records[plural]
        hits = [
            id
            for id, record in records.items()
            if any(
                all(_meets(record["properties"], each) for each in group["filters"])
                for group in asked["filterGroups"]
            )
        ]
        for sort in asked.get("sorts") or ():
            name = sort["propertyName"]
            hits.sort(key=lambda id: _sortable(records[id]["properties"].get(name)))
        return hits

    def _stamp(self) -> str:
        return f"{self.now.isoformat(timespec='milliseconds')[:-6]}Z"


def _calculate(held: dict[str, Any]) -> None:
    for name, other in (("phone", "phone"), ("mobilephone", "mobile")):
        raw = held.get(name)
        if not raw:
            continue
        try:
            number = phonenumbers.parse(raw, "US")
        except phonenumbers.NumberParseException:
            continue
        short = phonenumbers.national_significant_number(number)
        held[f"hs_searchable_calculated_{other}_number"] = short
        held[f"hs_searchable_calculated_international_{other}_number"] = short
        held[f"hs_calculated_{other}_number"] = f"+{number.country_code}{short}"


def _misfit(name: str, kind: str, value: str) -> str:
    if kind == "enumeration" and value not in OPTIONS[name]:
        return "INVALID_OPTION"
    if kind == "bool" and value not in ("true", "false"):
        return "INVALID_BOOLEAN"
    if kind == "number" and not value.replace(".", "", 1).lstrip("-").isdigit():
        return "INVALID_NUMBER"
    if kind == "date" and len(value) != 10:
        return "INVALID_DATE"
    if kind == "datetime" and not (value.isdigit() or (len(value) == 24 and value.endswith("Z"))):
        return "INVALID_DATE"
    return "TOO_LONG" if len(value) > 65_536 else ""


def _fault(name: str, error: str, message: str) -> dict[str, Any]:
    return {"isValid": False, "message": message, "error": error, "name": name}


def _meets(held: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    value = held.get(one["propertyName"])
    if value is None:
        return False
    if one["operator"] == "IN":
        return value in one["values"]
    sought = _sortable(one["value"])
    mine = _sortable(value)
    meets = {"EQ": mine == sought, "GTE": mine >= sought, "GT": mine > sought}
    return bool(meets[one["operator"]])


def _sortable(value: Any) -> Any:
    text = str(value or "")
    if text.isdigit():
        return int(text)
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000 + 0.5)
    except ValueError:
        return text
