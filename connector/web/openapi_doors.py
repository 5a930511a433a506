"""The doors of PostHog's libraries and of plain forms, as the interface document tells of them."""

from __future__ import annotations

from connector.web import posthog
from connector.web.openapi_parts import PROBLEM, REASONS, Part, body, parameter, responses

FORM: Part = {
    "type": "object",
    "description": "The fields that [forms.<name>.fields] names; others are not read.",
}
SENT: Part = {
    "description": "api_key, batch and sent_at; or one event; or a list of events.",
    "oneOf": [
        {"type": "object", "properties": {"batch": {"type": "array", "items": {}}}},
        {"type": "array", "items": {}},
    ],
}
NOT_HERE = "The page is not among the origins of the form."
UNUSABLE = "A field is empty, too long, or holds no such thing."
PAGE: Part = {"text/html": {"schema": {"type": "string"}}}


def paths() -> Part:
    """Every path of theirs."""
    found: Part = {}
    for number, path in enumerate((*posthog.EVENTS, posthog.EVENTS_V1)):
        found[path] = {"post": _events(number), "options": _preflight(f"askEvents{number}")}
    for number, path in enumerate(posthog.FLAGS):
        found[path] = {"post": _flags(number), "options": _preflight(f"askFlags{number}")}
    key = [parameter("project_key")]
    config = {"get": _config(key), "options": {**_preflight("askConfig"), "parameters": key}}
    found["/array/{project_key}/config"] = config
    name = [parameter("form")]
    found["/forms/{form}"] = {
        "post": {**_form(), "parameters": name},
        "options": {**_preflight("askForm"), "parameters": name},
    }
    return found


def _events(number: int) -> Part:
    taken: Part = {"type": "object"}
    return {
        "operationId": f"capture{number}",
        "tags": ["tracking"],
        "summary": "Take events by PostHog's capture protocol: a batch, a list, or one.",
        "description": "Any content type is read as JSON, plain or gzip, or a page's base64.",
        "security": [{"projectKey": []}, {}],
        "requestBody": body(SENT),
        "responses": responses(taken, 400, 401, 405, 413, 415, 429, 503),
    }


def _flags(number: int) -> Part:
    return {
        "operationId": f"flags{number}",
        "tags": ["tracking"],
        "summary": "Tell PostHog's libraries that there are no feature flags here.",
        "security": [],
        "requestBody": {"content": {"application/json": {"schema": {}}}},
        "responses": responses({"type": "object"}, 400, 405, 413, 415),
    }


def _config(key: list[Part]) -> Part:
    return {
        "operationId": "captureConfig",
        "tags": ["tracking"],
        "summary": "What PostHog's page library asks when a page opens.",
        "parameters": key,
        "security": [],
        "responses": responses({"type": "object", "required": ["token"]}, 404, 405),
    }


def _form() -> Part:
    found = responses({"type": "object"}, 400, 404, 405, 413, 415, 429, 503)
    found["200"]["description"] = "It was taken, or looks so to a program that fills in forms."
    for status, response in found.items():
        if status not in ("404", "405"):
            response["content"] = {**response["content"], **PAGE}
    found["303"] = {
        "description": "It was taken; the page leads on to the address that is configured.",
        "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
    content = {"application/json": {"schema": PROBLEM}, **PAGE}
    found["403"] = {"description": NOT_HERE, "content": content}
    found["422"] = {"description": UNUSABLE, "content": content}
    found["429"]["description"] = "Too many came from there, or of this form; see Retry-After."
    found["415"]["description"] = f"{REASONS[415]} Or it is neither a form nor JSON."
    typed = {
        "application/x-www-form-urlencoded": {"schema": FORM},
        "multipart/form-data": {"schema": FORM},
        "application/json": {"schema": FORM},
    }
    return {
        "operationId": "sendForm",
        "tags": ["forms"],
        "summary": "Take a form that somebody filled in; it proposes a number and a consent.",
        "security": [],
        "requestBody": {"required": True, "content": typed},
        "responses": found,
    }


def _preflight(name: str) -> Part:
    return {
        "operationId": name,
        "tags": ["tracking"],
        "summary": "Tell a browser whether its page may send here.",
        "security": [],
        "responses": {"204": {"description": "Headers alone."}},
    }
