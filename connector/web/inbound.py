"""``POST /in/<source>``: any JSON webhook whose mapping file says how it is signed and read, and
what the CRM in use tells, at ``/in/<crm>`` and below.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from flask import Blueprint, request

from connector.errors import Overloaded, StorageRefused, Unreadable, Unverified
from connector.ledger.inbox import Delivery
from connector.model import Hook
from connector.sources import CrmSource
from connector.sources.reading import read_json
from connector.web.answers import SUCCESS, Answer, answer, problem
from connector.web.bodies import read_body
from connector.web.capturing import NOT_CONFIGURED, VERIFIED, capture, is_captured
from connector.web.hooks import kept, read_hook
from connector.web.wiring import OpenSource, WebRuntime

PREFIX: Final = "/in/"
MAX_BYTES: Final = 1024 * 1024
UNKNOWN_BELOW: Final = problem(404, "not_found", "nothing is below this address")
UNKNOWN_SOURCE: Final = problem(404, "unknown_source", "no source of this name is configured")
_PING = re.compile(rb"webhook_id=\d{1,20}")


def blueprint(rt: WebRuntime) -> Blueprint:
    """The door for signed webhooks."""
    door = Blueprint("inbound", __name__)

    @door.post("/in/<source>")
    @door.post("/in/<source>/<path:below>")
    def receive(source: str, below: str = "") -> Answer:
        found = rt.sources.get(source)
        if found is None:
            return UNKNOWN_SOURCE if below else _of_nobody(rt, source)
        if isinstance(found.adapter, CrmSource):
            return _of_crm(rt, source, found.adapter, below)
        return UNKNOWN_BELOW if below else _of_source(rt, source, found)

    return door


def _of_nobody(rt: WebRuntime, name: str) -> Answer:
    """What comes under a name that is no source is kept where somebody waits for it, or nowhere."""
    if not is_captured(rt, name):
        return UNKNOWN_SOURCE
    body = read_body(request.environ, MAX_BYTES)
    hook = read_hook(request.environ, body, rt.settings.web.public_url)
    return SUCCESS if capture(rt, name, hook, NOT_CONFIGURED) else UNKNOWN_SOURCE


def _of_source(rt: WebRuntime, source: str, found: OpenSource) -> Answer:
    body = read_body(request.environ, MAX_BYTES)
    if _PING.fullmatch(body):  # WooCommerce asks once, unsigned, before it sends anything.
        return SUCCESS
    now = rt.clock()
    hook = read_hook(request.environ, body, rt.settings.web.public_url)
    _prove(rt, source, found, hook, now)
    delivery = Delivery("events", source, now, body, hook.url, _kept(found, hook))
    _check_readable(rt, delivery)
    rt.inbox.append(delivery)
    return SUCCESS


def _prove(rt: WebRuntime, source: str, found: OpenSource, hook: Hook, now: datetime) -> None:
    """Raise ``Unverified`` for a stranger's; either way it is kept where one is being captured."""
    header = found.mapping.verify.header if found.mapping.verify else ""
    try:
        found.adapter.verify(hook, now)
    except Unverified as error:
        capture(rt, source, hook, f"not verified: {error}", header)
        raise
    capture(rt, source, hook, VERIFIED, header)


def _of_crm(rt: WebRuntime, name: str, crm: CrmSource, below: str) -> Answer:
    """Proven, on disk, answered in the CRM's own words: all that is done while it waits."""
    if not crm.takes(below):
        return UNKNOWN_BELOW
    body = read_body(request.environ, MAX_BYTES)
    now = rt.clock()
    hook = read_hook(request.environ, body, rt.settings.web.public_url)
    crm.verify(hook, now)
    kept_ = crm.kept(hook)
    delivery = Delivery("events", name, now, body, kept_.url, kept_.headers)
    try:
        said = crm.answer(hook)
    except Unreadable as error:
        _keep_unreadable(rt, delivery, error)
        raise
    rt.inbox.append(delivery)
    return answer(200, said.body, said.content_type)


def _check_readable(rt: WebRuntime, delivery: Delivery) -> None:
    """Keep what a proven sender sent and we could not read, so that it can be replayed."""
    try:
        read_json(delivery.body)
    except Unreadable as error:
        _keep_unreadable(rt, delivery, error)
        raise


def _keep_unreadable(rt: WebRuntime, delivery: Delivery, error: Unreadable) -> None:
    with suppress(Overloaded, StorageRefused):
        rt.inbox.append(replace(delivery, kind="unreadable", reason=str(error)))


def _kept(source: OpenSource, hook: Hook) -> dict[str, str]:
    verify = source.mapping.verify
    return kept(hook.headers, verify.header if verify else "")
