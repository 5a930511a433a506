"""The chapter of the interface document on ``/api``, for the operator's own programs."""

from __future__ import annotations

from typing import Final

from connector.steps.asked import FIELDS
from connector.web.asking import MOST_TEXTS
from connector.web.consenting import ASKED_BY, GIVEN_BY
from connector.web.openapi_parts import Part, body, parameter, responses

TEXT: Final[Part] = {"type": "string"}
WORDS: Final[Part] = {"type": "array", "items": TEXT}
NUMBER: Final[Part] = {"type": "string", "examples": ["+12025550123"]}
ID: Final[Part] = {
    "type": "string",
    "maxLength": 200,
    "description": "Of this request; the same again does nothing. Idempotency-Key may say it too.",
}
WHY: Final[Part] = {"type": "string", "description": "Why, kept with who did it."}
_ASKED: Final[dict[str, Part]] = {
    "number": NUMBER,
    "purpose": {"enum": ["marketing", "service"]},
    "scopes": WORDS,
    "at": {"type": "string", "description": "When; without a zone on the operator's clock."},
    "suppose_consent": {"type": "boolean"},
    "suppose_sent": WORDS,
}
_ENDED: Final[dict[str, Part]] = {
    "number": NUMBER,
    "wording": {"type": "string", "description": "What the person said or wrote."},
    "purpose": {"type": "string", "description": "One purpose or scope alone; else everything."},
    "source": TEXT,
    "why": WHY,
    "id": ID,
}


def _object(properties: dict[str, Part], *required: str) -> Part:
    needed = {"required": list(required)} if required else {}
    return {
        "type": "object",
        **needed,
        "properties": properties,
        "additionalProperties": False,
    }


SCHEMAS: Final[Part] = {
    "Start": {
        "type": "object",
        "required": ["contact"],
        "properties": {
            "contact": {
                "type": "object",
                "description": "One or more of contact_id, user_id, crm_id, phone and email.",
            },
            "facts": {"type": "object", "description": "What the texts may read as signal.<name>."},
            "key": {"type": "string", "description": "What it is about; once for each key."},
            "id": {"type": "string", "description": "Of this request, where there is no key."},
            "why": {"type": "string"},
        },
    },
    "Question": _object({name: _ASKED.get(name, TEXT) for name in FIELDS}, "number"),
    "Replies": _object({"texts": WORDS, "text": TEXT, "pending": {"type": "boolean"}}),
    "OptOut": _object(
        {**_ENDED, "method": {"enum": list(ASKED_BY)}}, "number", "method", "wording"
    ),
    "Grant": _object(
        {
            "number": NUMBER,
            "purpose": {"enum": ["marketing", "service"]},
            "scopes": WORDS,
            "method": {"enum": list(GIVEN_BY)},
            "wording": {"type": "string", "description": "The exact words agreed to."},
            "wording_version": TEXT,
            "source": TEXT,
            "ip": TEXT,
            "url": TEXT,
            "user_agent": TEXT,
            "why": WHY,
            "id": ID,
        },
        *("number", "method", "wording"),
    ),
    "Revoke": _object(_ENDED, "number"),
    "Number": _object({"number": NUMBER}, "number"),
    "Pause": _object({"play": {"type": "string"}, "why": WHY, "id": ID}),
    "Resume": _object({"play": {"type": "string"}, "why": WHY, "id": ID}, "why"),
}

ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "canSend": ("phone", "verdict", "until", "objections", "zones", "rules"),
    "classifyReplies": ("replies",),
    "optOut": ("repeated", "under_way"),
    "grantConsent": ("repeated",),
    "revokeConsent": ("repeated", "under_way"),
    "showConsents": ("phone", "live", "stopped", "consents"),
    "pause": ("repeated", "under_way"),
    "resume": ("repeated",),
}
"""What each answer has at least; operation → its fields."""

_READS: Final = (400, 401, 403, 404, 405, 413, 415, 429)
_WRITES: Final = (*_READS, 409, 503)


def paths() -> Part:
    """Every address below ``/api``."""
    can_send = "Tell what the gate would say of a text, with every objection."
    classify = f"Tell how replies would be understood; at most {MOST_TEXTS:,}."
    opt_out = "Stop everything to a number; in effect before the next call to the provider."
    return {
        "/api/can-send": _asked("canSend", "Question", "read", can_send, _READS),
        "/api/replies/classify": _asked("classifyReplies", "Replies", "read", classify, _READS),
        "/api/opt-outs": _asked("optOut", "OptOut", "consent", opt_out, _WRITES),
        "/api/consents/grant": _asked(
            "grantConsent", "Grant", "consent", "Record consent given elsewhere.", _WRITES
        ),
        "/api/consents/revoke": _asked(
            "revokeConsent", "Revoke", "consent", "Record that consent ended.", _WRITES
        ),
        "/api/consents/show": _asked(
            "showConsents", "Number", "read", "Show all consents of a number.", _READS
        ),
        "/api/pause": _asked(
            "pause", "Pause", "operate", "Hold everything, or one play: the kill switch.", _WRITES
        ),
        "/api/resume": _asked(
            "resume", "Resume", "operate", "Let everything, or one play, go on.", _WRITES
        ),
        "/api/plays/{play}/start": {"post": _start()},
        "/api/reload": {"post": _reload()},
    }


def _asked(name: str, schema: str, scope: str, summary: str, problems: tuple[int, ...]) -> Part:
    answer = {"type": "object", "required": list(ANSWERS[name])}
    return {
        "post": {
            "operationId": name,
            "tags": ["api"],
            "summary": summary,
            "description": f"Takes a key with the scope {scope}.",
            "security": [{"apiKey": []}],
            "requestBody": body({"$ref": f"#/components/schemas/{schema}"}),
            "responses": responses(answer, *problems),
        }
    }


def _start() -> Part:
    found = responses({"type": "object"}, *_READS, 503)
    found["202"] = {**found.pop("200"), "description": "It will be judged and governed."}
    return {
        "operationId": "startPlay",
        "tags": ["api"],
        "summary": "Start a play for one contact; the decision is kept like any other.",
        "description": "Takes a key with the scope send.",
        "parameters": [parameter("play")],
        "security": [{"apiKey": []}],
        "requestBody": body({"$ref": "#/components/schemas/Start"}),
        "responses": found,
    }


def _reload() -> Part:
    return {
        "operationId": "reload",
        "tags": ["api"],
        "summary": "Let the connector take over its changed files, whole or not at all.",
        "description": "Takes a key with the scope operate.",
        "security": [{"apiKey": []}],
        "responses": responses({"type": "object", "required": ["result"]}, *_WRITES),
    }
