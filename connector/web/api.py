"""``/api/…``: what an operator's own programs may ask, each with a key of its own.

Without any key in ``config.toml`` none of it is there.
"""

from __future__ import annotations

from typing import Final

import orjson
from flask import Blueprint, request

from connector.errors import ConnectorError, Unreadable
from connector.ledger.inbox import Delivery
from connector.model import Json
from connector.sources.reading import read_json
from connector.web import asking, consenting, holding
from connector.web.answers import Answer, answer, problem, retry_after
from connector.web.bodies import read_body
from connector.web.keys import Keys
from connector.web.objects import MAX_BYTES, NO_PLAY, request_id
from connector.web.wiring import WebRuntime

PREFIX: Final = "/api/"
API: Final = "api"  #: the source under which these deliveries count
SUBJECT: Final = ("contact_id", "user_id", "anonymous_id", "crm_id", "phone", "email")
MAX_TEXT: Final = 500
NO_WORKER_SECONDS: Final = 10


def blueprint(rt: WebRuntime) -> Blueprint:
    """The door for the operator's own programs; each request bears a key of ``[[api.keys]]``."""
    door, keys = Blueprint("api", __name__), Keys(rt)
    asking.add_to(door, rt, keys)
    consenting.add_to(door, rt, keys)
    holding.add_to(door, rt, keys)

    @door.post("/api/plays/<play>/start")
    def start(play: str) -> Answer:
        who = keys.bearer("send")
        if play not in rt.plays:
            return problem(404, "unknown_play", NO_PLAY)
        now = rt.clock()
        told = _start(play, read_json(read_body(request.environ, MAX_BYTES)), who)
        rt.inbox.append(Delivery("hand", API, now, orjson.dumps(told), request.path))
        return answer(202, b'{"accepted": true}')

    @door.post("/api/reload")
    def reload() -> Answer:
        who = keys.bearer("operate")
        read_body(request.environ, MAX_BYTES)
        try:
            done = rt.reload(who)
        except ConnectorError as error:
            return problem(503, "no_worker", str(error), retry_after(NO_WORKER_SECONDS))
        if done["result"] != "reloaded":
            return problem(409, "refused", str(done["why"]))
        return answer(200, orjson.dumps(done))

    return door


def _start(play: str, body: Json, who: str) -> dict[str, Json]:
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
    told = {name: str(body.get(name) or "")[:MAX_TEXT] for name in ("why", "key")}
    named = {"id": request_id(body), "who": who}
    return {"play": play, "contact": contact, "facts": facts, **told, **named}
