"""Calls to other hosts: always with a timeout, never carried off."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import responses

from connector.http import open_session

HERE = "https://api.twilio.com/messages"


def timeouts(session: requests.Session) -> list[Any]:
    """The timeout of each call the session makes, as its adapter sees it."""
    seen: list[Any] = []

    class Adapter(requests.adapters.HTTPAdapter):
        def send(self, request: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
            seen.append(kwargs["timeout"])
            answer = requests.Response()
            answer.status_code, answer.url, answer._content = 200, request.url, b"{}"
            return answer

    session.mount("https://", Adapter())
    return seen


def test_every_call_has_a_timeout() -> None:
    session = open_session(connect=2, read=7)
    seen = timeouts(session)
    session.get(HERE)
    session.post(HERE, data={}, timeout=None)
    session.send(session.prepare_request(requests.Request("GET", HERE)))
    session.get(HERE, timeout=1)
    assert seen == [(2, 7), (2, 7), (2, 7), 1]


@responses.activate
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/messages",
        "//evil.example/messages",
        "http://api.twilio.com/messages",
        "https://api.twilio.com:8443/messages",
        "https://api.twilio.com@evil.example/messages",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_elsewhere_comes_back_as_it_is(target: str) -> None:
    responses.get(HERE, status=302, headers={"Location": target})
    answer = open_session().get(HERE, auth=("AC1", "token"))
    assert (answer.status_code, answer.url) == (302, HERE)


@responses.activate
def test_a_redirect_within_the_host_is_followed() -> None:
    responses.get(HERE, status=307, headers={"Location": "/new"})
    responses.get("https://api.twilio.com/new", json={"sid": "SM1"})
    assert open_session().get(HERE).json() == {"sid": "SM1"}


@responses.activate
def test_nothing_is_tried_again_by_itself() -> None:
    responses.post(HERE, status=503, headers={"Retry-After": "0"})
    assert open_session().post(HERE).status_code == 503
    assert len(responses.calls) == 1


@responses.activate
def test_cookies_are_not_kept() -> None:
    responses.get(HERE, headers={"Set-Cookie": "a=b"})
    session = open_session()
    session.get(HERE)
    session.get(HERE)
    assert "Cookie" not in responses.calls[1].request.headers


def test_certificates_are_the_ones_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/own.pem")
    verify = open_session().merge_environment_settings(HERE, {}, None, None, None)["verify"]
    assert verify == "/etc/own.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/other.pem")
    verify = open_session().merge_environment_settings(HERE, {}, None, None, None)["verify"]
    assert verify == "/etc/other.pem"
