"""``/providers/<provider>``: receipts and replies, proven, on disk, and then answered.

Callbacks are never refused for load: a lost STOP is the worst loss. They come by POST; by GET
only where the provider's file says that the address proves itself, since it then says all.
"""

from __future__ import annotations

import logging
from typing import Final

from flask import Blueprint, request

from connector.errors import Overloaded
from connector.ledger.inbox import Delivery
from connector.providers.reading import without_secret
from connector.web.answers import SUCCESS, Answer, answer, problem, retry_after
from connector.web.bodies import read_body
from connector.web.hooks import kept, read_hook
from connector.web.wiring import WebRuntime

MAX_BYTES: Final = 64 * 1024
METHODS: Final = ("GET", "POST")
NOT_ALLOWED: Final = problem(
    405, "method_not_allowed", "this provider's callbacks come by POST", (("Allow", "POST"),)
)
NOTHING_TO_SAY: Final = answer(
    200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml; charset=utf-8"
)
"""What Twilio and its likes, who send forms, take as "no answer to this text"."""

log = logging.getLogger(__name__)


def blueprint(rt: WebRuntime) -> Blueprint:
    """The door for providers' callbacks."""
    door = Blueprint("providers", __name__)

    @door.route("/providers/<provider>", methods=METHODS)
    @door.route("/providers/<provider>/<path:rest>", methods=METHODS)
    def receive(provider: str, rest: str = "") -> Answer:
        found = rt.providers.get(provider)
        if found is None:
            return problem(404, "unknown_provider", "no provider of this name is configured")
        if request.method != "POST" and not (
            request.method == "GET" and getattr(found, "hears_get", False)
        ):
            return NOT_ALLOWED
        body = read_body(request.environ, MAX_BYTES)
        now = rt.clock()
        hook = read_hook(request.environ, body, rt.settings.web.public_url)
        try:
            found.verify(hook, now)
            url = without_secret(hook.url)
            rt.inbox.append(Delivery("callback", provider, now, body, url, kept(hook.headers)))
        except Overloaded as error:
            log.error("act=callback provider=%s result=overloaded", provider)
            wait = retry_after(error.retry_after)
            return problem(503, "overloaded", "nothing was kept; send it again later", wait)
        return SUCCESS if "json" in hook.headers.get("content-type", "") else NOTHING_TO_SAY

    return door
