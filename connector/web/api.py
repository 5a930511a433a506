"""``/api/…``: what an operator's own programs may ask: start a play for a contact, reload files."""

from __future__ import annotations

import re
from typing import Final

import orjson
from flask import Blueprint, request

from connector.errors import ConnectorError, Unreadable, Unverified
from connector.ledger.inbox import Delivery
from connector.model import Json
from connector.sources.reading import read_json
from connector.sources.signatures import is_any
from connector.web.answers import Answer, answer, problem
from connector.web.bodies import read_body
from connector.web.wiring import WebRuntime

MAX_BYTES: Final = 64 * 1024
API: Final = "api"  #: the source under which these deliveries count
SUBJECT: Final = ("contact_id", "user_id", "anonymous_id", "crm_id", "phone", "email")
MAX_TEXT: Final = 500

_PLAY: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")


def blueprint(rt: WebRuntime) -> Blueprint:
    """The door for the operator's own programs; each request bears a key of ``[api] keys``."""
    door = Blueprint("api", __name__)

    @door.post("/api/plays/<play>/start")
    def start(play: str) -> Answer:
        _check_key(rt)
        if play not in rt.plays:
            return problem(404, "unknown_play", "no play of this name is in use")
        now = rt.clock()
        told = _start(play, read_json(read_body(request.environ, MAX_BYTES)))
        body = orjson.dumps(told)
        rt.inbox.append(Delivery("hand", API, now, body, request.path))
        return answer(202, b'{"accepted": true}')

    @door.post("/api/reload")
    def reload() -> Answer:
        _check_key(rt)
        read_body(request.environ, MAX_BYTES)
        try:
            done = rt.reload("api")
        except ConnectorError as error:
            return problem(503, "no_worker", str(error))
        if done["result"] != "reloaded":
            return problem(409, "refused", str(done["why"]))
        return answer(200, orjson.dumps(done))

    return door


def _check_key(rt: WebRuntime) -> None:
    """Refuse a request without a key; keys are compared in constant time."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not is_any(key.strip().encode(), rt.api_keys):
        raise Unverified("send a key of [api] keys in config.toml: Authorization: Bearer KEY")


def _start(play: str, body: Json) -> dict[str, Json]:
    """What is asked, checked and bounded: the contact by one or more names, and the facts."""
    if not isinstance(body, dict) or not isinstance(body.get("contact"), dict):
        raise Unreadable('send {"contact": {"user_id": "…"}, "facts": {…}, "why": "…", "key": "…"}')
    contact = {
        name: value
        for name, value in body["contact"].items()
        if name in SUBJECT and isinstance(value, str) and 0 < len(value) <= MAX_TEXT
    }
    if not contact:
        raise Unreadable(f"contact names nobody; it may have {', '.join(SUBJECT)}")
    facts = body.get("facts") or {}
    if not isinstance(facts, dict) or not all(isinstance(name, str) for name in facts):
        raise Unreadable("facts is not an object of names and values")
    told = {name: str(body.get(name) or "")[:MAX_TEXT] for name in ("who", "why", "key", "id")}
    return {"play": play, "contact": contact, "facts": facts, **told, "who": told["who"] or API}
