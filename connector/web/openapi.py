"""The HTTP interface in OpenAPI 3.1, as ``/openapi.json`` tells it.

A door that is added or changed is added or changed here too; the fuzzer in the tests compares.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from connector.sources.segment import BATCHES, TYPES
from connector.web import openapi_api, openapi_doors
from connector.web.cors import PREFLIGHT
from connector.web.openapi_parts import PROBLEM, Part, body, parameter, responses

SUCCESS: Final[Part] = {"$ref": "#/components/schemas/Success"}
SCHEMAS: Final[Part] = {
    "Success": {
        "type": "object",
        "required": ["success"],
        "properties": {"success": {"const": True}},
    },
    "Problem": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string", "description": "stable, for programs"},
            "message": {"type": "string", "description": "what to do next, for people"},
            "problems": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "TrackingEvent": {
        "type": "object",
        "description": (
            "What Segment's libraries send: type, messageId, userId, anonymousId, event, "
            "properties or traits, context, timestamp, sentAt; writeKey where no header has it. "
            "One that lacks what its type needs is kept aside with a reason, and answered 200."
        ),
        "examples": [
            {
                "type": "track",
                "messageId": "m-1",
                "userId": "u-7",
                "event": "Order Completed",
                "properties": {"order_id": "50314", "total": 42.5, "currency": "EUR"},
                "timestamp": "2026-11-20T10:00:00.000Z",
            }
        ],
    },
    "TrackingBatch": {
        "type": "object",
        "required": ["batch"],
        "description": "At most 5,000 events, taken one by one; sentAt and context go for all.",
        "properties": {"batch": {"type": "array", "items": {}}},
    },
}
SECURITY_SCHEMES: Final[Part] = {
    "writeKey": {
        "type": "http",
        "scheme": "basic",
        "description": "The write key as user, no password; or as writeKey in the body.",
    },
    "projectKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A source's key, as api_key or token in the body too.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of [[api.keys]] in config.toml; without any the API is off.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": (
            "As the sender signs: the source's mapping file names header and scheme, "
            "a provider signs in its own way."
        ),
    },
}


def document(public_url: str = "") -> Part:
    """The whole interface; ``public_url`` is where it is served."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CRM SMS connector",
            "version": version("crm-sms-connector"),
            "description": "Events in, well-timed and allowed texts out.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url or "/"}],
        "paths": {
            **{f"/v1/{door}": _tracking(door) for door in (*TYPES, *sorted(BATCHES))},
            "/v1/projects/{write_key}/settings": _browser_settings(),
            "/t.js": {"get": _tracker()},
            "/in/{source}": {"post": _inbound()},
            "/in/{source}/{below}": {"post": _of_crm()},
            "/providers/{provider}": _callbacks("callback"),
            "/providers/{provider}/{rest}": _callbacks("callbackBelow", "rest"),
            "/l/{code}": {"get": _link()},
            **openapi_doors.paths(),
            **openapi_api.paths(),
            "/health": {"get": _plain("health", "Whether the process is alive.")},
            "/ready": {"get": _ready()},
            "/metrics": {"get": _plain("metrics", "Figures for Prometheus.", "text/plain")},
            "/openapi.json": {"get": _plain("openapi", "This document.")},
            "/favicon.ico": {"get": _plain("favicon", "The icon.", "image/svg+xml")},
        },
        "components": {
            "schemas": {**SCHEMAS, **openapi_api.SCHEMAS},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _tracking(door: str) -> Part:
    is_batch = door in BATCHES
    name = "TrackingBatch" if is_batch else "TrackingEvent"
    what = "many events" if is_batch else f"one {TYPES[door]} event"
    return {
        "post": {
            "operationId": f"send_{door}",
            "tags": ["tracking"],
            "summary": f"Take {what}, by Segment's tracking API.",
            "description": "Any content type is read as JSON, plain or gzip.",
            "security": [{"writeKey": []}],
            "requestBody": body({"$ref": f"#/components/schemas/{name}"}),
            "responses": responses(SUCCESS, 400, 401, 405, 413, 415, 429, 503),
        },
        "options": _preflight(f"ask_{door}"),
    }


def _browser_settings() -> Part:
    key = [parameter("write_key")]
    get = {
        "operationId": "browserSettings",
        "tags": ["tracking"],
        "summary": "What analytics.js asks for when a page opens.",
        "parameters": key,
        "security": [],
        "responses": responses({"type": "object", "required": ["integrations"]}, 404, 405),
    }
    return {"get": get, "options": {**_preflight("askBrowserSettings"), "parameters": key}}


def _preflight(name: str) -> Part:
    headers = {header: {"schema": {"type": "string"}} for header, _ in PREFLIGHT}
    return {
        "operationId": name,
        "tags": ["tracking"],
        "summary": "Tell a browser whether its page may send here.",
        "security": [],
        "responses": {"204": {"description": "Headers alone.", "headers": headers}},
    }


def _inbound() -> Part:
    return {
        "operationId": "receiveWebhook",
        "tags": ["webhooks"],
        "summary": "Take a signed JSON webhook of a configured source, or of the CRM in use.",
        "parameters": [parameter("source")],
        "security": [{"signature": []}],
        "requestBody": body({}),
        "responses": responses(SUCCESS, 400, 401, 404, 405, 413, 415, 429, 503),
    }


def _of_crm() -> Part:
    found = responses({"type": "object"}, 400, 401, 404, 405, 413, 415, 429, 503)
    found["200"]["content"]["text/xml"] = {"schema": {"type": "string"}}
    return {
        "operationId": "receiveFromCrm",
        "tags": ["webhooks"],
        "summary": "Take what the CRM in use tells: a workflow, its action, an Outbound Message.",
        "parameters": [parameter("source"), parameter("below")],
        "security": [{"signature": []}],
        "requestBody": {
            "content": {"application/json": {"schema": {}}, "text/xml": {"schema": {}}}
        },
        "responses": found,
    }


def _callbacks(name: str, *parameters: str) -> Part:
    """A provider's callbacks: by POST, and by GET where its file has the address prove itself."""
    found = responses(SUCCESS, 400, 401, 404, 405, 413, 415, 503)
    found["200"]["content"]["text/xml"] = {"schema": {"type": "string"}}
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    common = {
        "tags": ["providers"],
        "summary": "Take a provider's receipt or reply.",
        "parameters": [parameter("provider"), *map(parameter, parameters)],
        "security": [{"signature": []}],
        "responses": found,
    }
    body = {"content": {**form, "application/json": {"schema": {}}}}
    return {
        "post": {"operationId": name, **common, "requestBody": body},
        "get": {"operationId": f"{name}ByGet", **common},
    }


def _link() -> Part:
    told = responses({"type": "string"}, 404, 405, content_type="text/plain")
    found = told.pop("200")
    leads = {"Location": {"required": True, "schema": {"type": "string"}}}
    told["302"] = {**found, "description": "It leads there.", "headers": leads}
    told["404"]["description"] = "No text has this link."
    told["404"]["content"]["text/html"] = {"schema": {"type": "string"}}
    return {
        "operationId": "followLink",
        "tags": ["links"],
        "summary": "Lead a short link of a text on to the address it was made for; HEAD too.",
        "parameters": [parameter("code")],
        "security": [],
        "responses": told,
    }


def _tracker() -> Part:
    found = responses({"type": "string"}, 405, content_type="text/javascript")
    found["304"] = {"description": "The browser has it.", "headers": {"ETag": {"schema": {}}}}
    return {
        "operationId": "tracker",
        "tags": ["tracking"],
        "summary": "The tracker for pages; HEAD too, packed where gzip is taken.",
        "security": [],
        "responses": found,
    }


def _ready() -> Part:
    found = responses({"type": "object", "required": ["status"]}, 405)
    found["503"] = {
        "description": "Not ready; problems names each with its remedy.",
        "content": {"application/json": {"schema": PROBLEM}},
    }
    return {
        "operationId": "ready",
        "tags": ["operations"],
        "summary": "Whether it can work.",
        "security": [],
        "responses": found,
    }


def _plain(name: str, summary: str, content_type: str = "application/json") -> Part:
    schema: Part = {"type": "object" if content_type == "application/json" else "string"}
    return {
        "operationId": name,
        "tags": ["operations"],
        "summary": summary,
        "security": [],
        "responses": responses(schema, 405, content_type=content_type),
    }
