"""What operators and their tools ask: is it alive, is it ready, its figures, its interface."""

from __future__ import annotations

from collections import Counter
from typing import Final

import orjson
from flask import Blueprint

from connector.web.answers import Answer, answer
from connector.web.openapi import document
from connector.web.wiring import WebRuntime

REFUSED: Final = (
    "# HELP connector_http_refused_total Requests answered with an error, by status.\n"
    "# TYPE connector_http_refused_total counter\n"
)
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
HEALTHY: Final = answer(200, b'{"status": "ok"}')
READY: Final = answer(200, b'{"status": "ready"}')
ICON: Final = answer(
    200,
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    b'<path d="M2 2h12v9H7l-4 3v-3H2z" fill="#1b6e53"/></svg>',
    "image/svg+xml",
)


def blueprint(rt: WebRuntime, refused: Counter[int]) -> Blueprint:
    """The door for operators and their tools."""
    door = Blueprint("operations", __name__)
    interface = answer(200, orjson.dumps(document(rt.settings.web.public_url)))

    @door.get("/health")
    def health() -> Answer:
        return HEALTHY

    @door.get("/ready")
    def ready() -> Answer:
        problems = rt.ready()
        if not problems:
            return READY
        message = "; ".join(f"{name}: {remedy}" for name, remedy in problems.items())
        body = {"code": "not_ready", "message": message, "problems": problems}
        return answer(503, orjson.dumps(body))

    @door.get("/metrics")
    def metrics() -> Answer:
        own = "".join(
            f'connector_http_refused_total{{status="{status}"}} {count}\n'
            for status, count in sorted(refused.items())
        )
        return answer(200, (rt.metrics() + REFUSED + own).encode(), METRICS_TYPE)

    @door.get("/openapi.json")
    def openapi() -> Answer:
        return interface

    @door.get("/favicon.ico")
    def favicon() -> Answer:
        return ICON

    return door
