"""Health, readiness, figures, and what every answer has in common."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

PATHS = [
    ("GET", "/health", 200),
    ("GET", "/ready", 200),
    ("GET", "/metrics", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/favicon.ico", 200),
    ("GET", "/v1/projects/site-key/settings", 200),
    ("OPTIONS", "/v1/t", 204),
    ("OPTIONS", "/v1/projects/site-key/settings", 204),
    ("POST", "/v1/t", 400),
    ("POST", "/in/shop", 401),
    ("GET", "/", 404),
    ("GET", "/nothing", 404),
    ("GET", "//health", 404),
    ("GET", "/v1/nothing", 404),
    ("DELETE", "/health", 405),
    ("POST", "/metrics", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
def test_every_answer_bears_the_security_headers(
    method: str, path: str, status: int, client: FlaskClient
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    if status >= 400:
        assert set(json.loads(answer.data)) == {"code", "message"}


def test_it_is_healthy_while_it_is_not_ready(client: FlaskClient, rt: Any) -> None:
    rt.problems = {"worker": "it does not run: start it with connector work"}
    assert client.get("/health").status_code == 200
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert json.loads(answer.data) == {
        "code": "not_ready",
        "message": "worker: it does not run: start it with connector work",
        "problems": rt.problems,
    }


def test_the_figures_tell_what_the_web_refused(client: FlaskClient) -> None:
    client.post("/v1/t", data=b"{")
    client.post("/v1/t", data=b"{}")
    client.post("/in/shop", data=b"{}")
    client.get("/nothing")
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert "connector_events_total 7" in lines
    assert 'connector_http_refused_total{status="400"} 1' in lines
    assert 'connector_http_refused_total{status="401"} 2' in lines
    assert 'connector_http_refused_total{status="404"} 1' in lines
    assert answer.text.endswith("\n")


def test_head_is_answered_without_a_body(client: FlaskClient) -> None:
    answer = client.head("/health")
    assert (answer.status_code, answer.data) == (200, b"")


def test_the_icon_is_an_image(client: FlaskClient) -> None:
    assert client.get("/favicon.ico").content_type == "image/svg+xml"
