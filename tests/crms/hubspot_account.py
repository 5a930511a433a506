"""A HubSpot account as it is bought, in which properties can be made: what a walk starts from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import hubspot.crm.properties as properties
import orjson

from tests.crms.hubspot_api import Problem, Reply
from tests.crms.hubspot_models import model
from tests.crms.hubspot_server import HubSpotServer

PROPERTIES = re.compile(r"/crm/properties/2026-03/contacts(/groups)?")
CONTACT = re.compile(r"/crm/objects/2026-03/contacts/([^/]+)")
STAGES = (
    *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"),
    *("opportunity", "customer", "evangelist", "other"),
)
OUTCOMES = ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED")
BOUGHT: Mapping[str, Mapping[str, str]] = {
    "contacts": {
        "email": "string",
        "hs_additional_emails": "string",
        "phone": "string",
        "mobilephone": "string",
        "firstname": "string",
        "lastname": "string",
        "hs_language": "string",
        "country": "string",
        "state": "string",
        "zip": "string",
        "lifecyclestage": "enumeration",
        "hubspot_owner_id": "string",
        "associatedcompanyid": "number",
        "lastmodifieddate": "datetime",
        "hs_merged_object_ids": "string",
        "hs_object_id": "number",
    },
    "deals": {
        "dealname": "string",
        "dealstage": "string",
        "pipeline": "string",
        "amount": "number",
        "deal_currency_code": "string",
        "closedate": "datetime",
        "hs_is_closed": "bool",
        "hs_is_closed_won": "bool",
        "hs_lastmodifieddate": "datetime",
    },
    "meetings": {
        "hs_meeting_title": "string",
        "hs_meeting_start_time": "datetime",
        "hs_meeting_outcome": "enumeration",
        "hs_lastmodifieddate": "datetime",
    },
}
OPTIONS = {("contacts", "lifecyclestage"): STAGES, ("meetings", "hs_meeting_outcome"): OUTCOMES}


class BoughtAccount(HubSpotServer):
    """The server, with HubSpot's own properties alone, and a way to make more."""

    def __init__(self) -> None:
        super().__init__()
        self.groups = {"contactinformation": "Contact information"}
        self.made: dict[str, dict[str, Any]] = {}  # contact properties that were made
        self.choices: dict[tuple[str, str], tuple[str, ...]] = dict(OPTIONS)
        self.scopes = {"crm.schemas.contacts.write"}
        self.clock: Callable[[], datetime] = lambda: self.now  # what the time is at a call
        for plural, names in BOUGHT.items():
            self.defined[plural] = dict(names)

    def make(self, name: str, kind: str, *choices: str) -> None:
        """Somebody makes a contact property by hand."""
        self.defined["contacts"][name] = kind
        if choices:
            self.choices["contacts", name] = choices

    def held(self, id: str) -> dict[str, Any]:
        """The properties of a contact."""
        held: dict[str, Any] = self.records["contacts"][id]["properties"]
        return held

    def faults(self, plural: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """What is wrong with values, by the options that there are here."""
        chosen = {name: value for name, value in values.items() if (plural, name) in self.choices}
        found = super().faults(plural, {k: v for k, v in values.items() if k not in chosen})
        for name, value in chosen.items():
            if value and value not in self.choices[plural, name]:
                message = f"{value} was not one of the allowed options"
                found.append({"isValid": False, "message": message, "error": "INVALID_OPTION"})
                found[-1]["name"] = name
        return found

    def _called(self, verb: str, target: str, data: bytes) -> Reply:
        parts = urlsplit(target)
        self.now = max(self.now, self.clock())
        if found := PROPERTIES.fullmatch(parts.path):
            return self._properties(verb, bool(found[1]), orjson.loads(data) if data else None)
        if found := CONTACT.fullmatch(unquote(parts.path)):
            body = orjson.loads(data) if data else None
            return self._contact(found[1], parse_qs(parts.query), body)
        return super()._called(verb, target, data)

    def _contact(self, id: str, query: Mapping[str, list[str]], body: Any) -> Reply:
        """One contact, shown; or changed, where there is a body."""
        found = self._sought("contacts", id, query.get("idProperty", [None])[0])
        if found is None:
            raise Problem(404, "OBJECT_NOT_FOUND", "not found")
        if body is not None:
            assert not self.faults("contacts", body["properties"])
            self.set("contacts", found, **body["properties"])
        names = query["properties"][0].split(",") if "properties" in query else []
        return 200, self.shown("contacts", found, names)

    def _properties(self, verb: str, is_group: bool, body: Any) -> Reply:
        if verb == "GET" and is_group:
            listed = [{"name": name, "label": label} for name, label in self.groups.items()]
            return 200, {"results": listed}
        if verb == "GET":
            return 200, {"results": self._listed("contacts")}
        if not self.scopes:
            context = {"requiredGranularScopes": ["crm.schemas.contacts.write"]}
            errors = [{"message": "One or more scopes are required.", "context": context}]
            raise Problem(403, "MISSING_SCOPES", "This app lacks scopes.", errors=errors)
        model(properties, "PropertyGroupCreate" if is_group else "PropertyCreate", body, "body")
        return self._grouped(body) if is_group else self._added(body)

    def _grouped(self, body: Mapping[str, Any]) -> Reply:
        if body["name"] in self.groups:
            raise Problem(409, "OBJECT_ALREADY_EXISTS", "the group is there")
        self.groups[body["name"]] = body["label"]
        return 201, {**body, "archived": False}

    def _added(self, body: Mapping[str, Any]) -> Reply:
        name = body["name"]
        if name in self.defined["contacts"]:
            raise Problem(409, "OBJECT_ALREADY_EXISTS", "the property is there")
        if body["groupName"] not in self.groups:
            raise Problem(400, "VALIDATION_ERROR", "there is no such group")
        options = tuple(option["value"] for option in body.get("options", ()))
        if body["type"] == "bool" and options != ("true", "false"):
            raise Problem(400, "VALIDATION_ERROR", "a bool has the options true and false")
        self.made[name] = dict(body)
        self.make(name, body["type"], *(options if body["type"] == "enumeration" else ()))
        return 201, body

    def _CoreApi_get_all(self, plural: str, _: Any) -> Reply:
        return 200, {"results": self._listed(plural)}

    def _listed(self, plural: str) -> list[dict[str, Any]]:
        answer: Any = super()._CoreApi_get_all(plural, None)[1]
        for item in answer["results"]:
            name = item["name"]
            choices = self.choices.get((plural, name), ())
            if item["type"] == "bool":
                choices = ("true", "false")
            item["options"] = [
                {"label": value, "value": value, "displayOrder": place, "hidden": False}
                for place, value in enumerate(choices)
            ]
            item["fieldType"] = self.made.get(name, item)["fieldType"]
        found: list[dict[str, Any]] = answer["results"]
        return found
