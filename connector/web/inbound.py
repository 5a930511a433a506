"""``POST /in/<source>``: any JSON webhook whose mapping file says how it is signed and read."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import Final

from flask import Blueprint, request

from connector.errors import Overloaded, StorageRefused, Unreadable
from connector.ledger.inbox import Delivery
from connector.model import Hook
from connector.sources.reading import read_json
from connector.web.answers import SUCCESS, Answer, problem
from connector.web.bodies import read_body
from connector.web.hooks import kept, read_hook
from connector.web.wiring import OpenSource, WebRuntime

MAX_BYTES: Final = 1024 * 1024
_PING = re.compile(rb"webhook_id=\d{1,20}")


def blueprint(rt: WebRuntime) -> Blueprint:
    """The door for signed webhooks."""
    door = Blueprint("inbound", __name__)

    @door.post("/in/<source>")
    def receive(source: str) -> Answer:
        found = rt.sources.get(source)
        if found is None:
            return problem(404, "unknown_source", "no source of this name is configured")
        body = read_body(request.environ, MAX_BYTES)
        if _PING.fullmatch(body):  # WooCommerce asks once, unsigned, before it sends anything.
            return SUCCESS
        now = rt.clock()
        hook = read_hook(request.environ, body, rt.settings.web.public_url)
        found.adapter.verify(hook, now)
        delivery = Delivery("events", source, now, body, hook.url, _kept(found, hook))
        _check_readable(rt, delivery)
        rt.inbox.append(delivery)
        return SUCCESS

    return door


def _check_readable(rt: WebRuntime, delivery: Delivery) -> None:
    """Keep what a proven sender sent and we could not read, so that it can be replayed."""
    try:
        read_json(delivery.body)
    except Unreadable as error:
        with suppress(Overloaded, StorageRefused):
            rt.inbox.append(replace(delivery, kind="unreadable", reason=str(error)))
        raise


def _kept(source: OpenSource, hook: Hook) -> dict[str, str]:
    verify = source.mapping.verify
    return kept(hook.headers, verify.header if verify else "")
