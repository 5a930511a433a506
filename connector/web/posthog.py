"""PostHog's capture protocol: a request is proven, on disk, and then answered as its libraries
expect, and what they ask beside (feature flags, a page's configuration) is answered with nothing.
"""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import parse_qs

import orjson
from flask import Blueprint, Response, request

from connector import clock
from connector.errors import Overloaded, StorageRefused, Unreadable, Unverified
from connector.ledger.inbox import Delivery
from connector.model import Json
from connector.rules.traffic import STAFF
from connector.sources.posthog import SENT_AT, PostHog, project_key, read_items
from connector.sources.reading import read_instant, read_json
from connector.sources.segment import IP_COUNTRY, IP_NETWORK, MAX_EVENTS
from connector.web.answers import Answer, NotAccepted, TooLarge, answer, problem
from connector.web.bodies import inflate, read_body
from connector.web.cors import Cors
from connector.web.wiring import WebRuntime

EVENTS: Final = tuple(
    f"/{door}{slash}" for door in ("batch", "i/v0/e", "e", "capture") for slash in ("/", "")
)
EVENTS_V1: Final = "/i/v1/analytics/events"
FLAGS: Final = ("/flags/", "/flags", "/decide/", "/decide")
CONFIG: Final = "/array/<project_key>/config"
MAX_BYTES: Final = 6 * 1024 * 1024  #: the libraries stop at five, and one event more
MAX_ASKED: Final = 1024 * 1024  #: of a question about flags, which is not read
GZIP: Final = b"\x1f\x8b"

TAKEN: Final = answer(200, b'{"status": "Ok"}')
TAKEN_V1: Final = answer(200, b'{"results": {}}')
"""Of events that have no result of their own the libraries hold that they were taken."""
NO_FLAGS: Final = answer(
    200,
    orjson.dumps(
        {
            "flags": {},
            "featureFlags": {},
            "featureFlagPayloads": {},
            "errorsWhileComputingFlags": False,
            "requestId": "",
        }
    ),
)
NOTHING_ELSE: Final[dict[str, Json]] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "surveys": False,
    "heatmaps": False,
    "capturePerformance": False,
    "captureDeadClicks": False,
    "autocaptureExceptions": False,
    "defaultIdentifiedOnly": True,
    "siteApps": [],
}
"""What a page's library may do: send events, and nothing that no play could use."""
_UNKNOWN_KEY: Final = "the project key is not known here: compare it with the keys of [sources]"


def blueprint(rt: WebRuntime, cors: Cors) -> Blueprint:
    """The doors of PostHog's libraries."""
    door = Blueprint("posthog", __name__)

    def take() -> Answer:
        _take(rt)
        return TAKEN_V1 if request.path == EVENTS_V1 else TAKEN

    def flags() -> Answer:
        read_body(request.environ, MAX_ASKED)
        return NO_FLAGS

    def config(project_key: str) -> Answer:
        name = rt.write_keys.get(project_key.encode(), "")
        if not speaks(rt, name):
            return problem(404, "unknown_key", "no source has this project key")
        return answer(200, orjson.dumps({"token": project_key, **NOTHING_ELSE}))

    @door.after_request
    def allowed(response: Response) -> Response:
        if request.method != "OPTIONS":
            response.headers.extend(cors.headers(request.environ.get("HTTP_ORIGIN", "")))
        return response

    for path in (*EVENTS, EVENTS_V1):
        door.add_url_rule(path, "take", take, methods=["POST"])
    for path in FLAGS:
        door.add_url_rule(path, "flags", flags, methods=["POST"])
    door.add_url_rule(CONFIG, "config", config, methods=["GET"])
    asked = partial(_preflight, cors)
    for path in (*EVENTS, EVENTS_V1, *FLAGS, CONFIG):
        door.add_url_rule(path, "preflight", asked, methods=["OPTIONS"])
    return door


def _preflight(cors: Cors, project_key: str = "") -> Answer:
    headers = cors.preflight(request.environ.get("HTTP_ORIGIN", ""))
    return answer(204, b"", headers=headers)


def speaks(rt: WebRuntime, name: str) -> bool:
    """Whether a source speaks PostHog's protocol, and so is heard at these doors alone."""
    found = rt.sources.get(name)
    return found is not None and isinstance(found.adapter, PostHog)


def _take(rt: WebRuntime) -> None:
    environ = request.environ
    bearer = {"authorization": environ.get("HTTP_AUTHORIZATION", "")}
    source = _source_of(rt, project_key(None, bearer))
    body = b""
    try:
        body = _unpacked(read_body(environ, MAX_BYTES))
        read = read_json(body)
        items = read_items(read)
    except Unreadable as error:
        _keep(rt, source, body, error)
        raise
    source = source or _source_of(rt, project_key(read, {}))
    if not source:
        raise Unverified(_UNKNOWN_KEY)
    if len(items) > MAX_EVENTS:
        raise TooLarge(f"the batch has {len(items)} events; at most {MAX_EVENTS} are taken")
    rt.inbox.append(Delivery("events", source, rt.clock(), body, request.path, _kept(rt)))


def _source_of(rt: WebRuntime, key: bytes) -> str:
    name = rt.write_keys.get(key, "")
    return name if speaks(rt, name) else ""


def _unpacked(body: bytes) -> bytes:
    """What an old page library wraps: base64, as it is or as the field ``data`` of a form."""
    packing = request.args.get("compression", "")
    if packing not in ("", "gzip", "gzip-js", "base64"):
        raise NotAccepted
    if body.startswith(b"data="):
        body = _field(body)
    elif packing != "base64" or body[:1] in (b"{", b"["):
        return body
    if body[:1] in (b"{", b"["):
        return body
    try:
        found = base64.b64decode(body, validate=False)
    except (binascii.Error, ValueError):
        raise Unreadable("the body is neither JSON nor base64") from None
    return inflate(found, MAX_BYTES) if found[:2] == GZIP else found


def _field(body: bytes) -> bytes:
    try:
        return parse_qs(body, max_num_fields=10)[b"data"][0]
    except (ValueError, KeyError):
        raise Unreadable("the body's form has no field named data") from None


def _kept(rt: WebRuntime) -> dict[str, str]:
    """What reading needs beside the body: what the address tells, and when it was sent."""
    country_header = rt.settings.web.country_header
    country = request.headers.get(country_header, "") if country_header else ""
    sent_at = request.headers.get("PostHog-Request-Timestamp") or _stamp(request.args.get("_", ""))
    is_staff = rt.settings.traffic.inside(request.remote_addr or "")
    told = {
        IP_COUNTRY: country[:2],
        IP_NETWORK: STAFF if is_staff else "",
        SENT_AT: sent_at[:40],
    }
    return {name: value for name, value in told.items() if value}


def _stamp(written: str) -> str:
    """When a page library says that it sent this, in milliseconds, as text."""
    is_stamp = written.isascii() and written.isdigit() and len(written) == 13
    at = read_instant(int(written)) if is_stamp else None
    return clock.text(at) if at else ""


def _keep(rt: WebRuntime, source: str, body: bytes, error: Unreadable) -> None:
    """Keep what a known sender sent and we could not read, so that it can be replayed."""
    if source and body:
        with suppress(Overloaded, StorageRefused):
            delivery = Delivery(
                "unreadable", source, rt.clock(), body, request.path, {}, str(error)
            )
            rt.inbox.append(delivery)
