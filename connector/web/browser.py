"""What analytics.js asks for when a page opens: how to reach us, and that nothing else is on."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
from flask import Blueprint, request

from connector.web.answers import Answer, answer, problem
from connector.web.cors import Cors
from connector.web.hooks import sender_url
from connector.web.wiring import WebRuntime


def blueprint(rt: WebRuntime, cors: Cors) -> Blueprint:
    """The door for analytics.js' settings."""
    door = Blueprint("browser", __name__)

    @door.get("/v1/projects/<write_key>/settings")
    def settings(write_key: str) -> Answer:
        headers = cors.headers(request.environ.get("HTTP_ORIGIN", ""))
        if write_key.encode() not in rt.write_keys:
            return problem(404, "unknown_key", "no source has this write key", headers)
        here = urlsplit(sender_url(request.environ, rt.settings.web.public_url))
        prefix = here.path.partition("/v1/projects/")[0]
        read = _settings(write_key, here.scheme, f"{here.netloc}{prefix}/v1")
        return answer(200, orjson.dumps(read), headers=headers)

    @door.route("/v1/projects/<write_key>/settings", methods=["OPTIONS"])
    def preflight(write_key: str) -> Answer:
        headers = cors.preflight(request.environ.get("HTTP_ORIGIN", ""))
        return answer(204, b"", headers=headers)

    return door


def _settings(write_key: str, protocol: str, api_host: str) -> dict[str, object]:
    """The fields analytics.js reads; sampleRate 0 keeps it from sending us its own metrics."""
    return {
        "integrations": {
            "Segment.io": {"apiKey": write_key, "apiHost": api_host, "protocol": protocol}
        },
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
