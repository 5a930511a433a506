"""``/api``: the operator's own programs start plays and reload files, never without a key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.errors import ConnectorError, Overloaded

KEY = {"Authorization": "Bearer an-api-key-of-24-letters"}
READER = {"Authorization": "Bearer another-key-of-24-letters"}
START = "/api/plays/welcome/start"
ANN = {"contact": {"user_id": "ann"}, "facts": {"topic": "prices"}, "key": "k1", "why": "asked"}


def test_a_start_is_put_on_disk_for_the_worker_and_nothing_is_decided_here(
    client: FlaskClient, rt: Any
) -> None:
    answer = client.post(START, json=ANN, headers=KEY)
    assert (answer.status_code, answer.json) == (202, {"accepted": True})
    [delivery] = rt.inbox.deliveries
    assert (delivery.kind, delivery.source) == ("hand", "api")
    told = json.loads(delivery.body)
    assert told["play"] == "welcome"
    assert told["contact"] == {"user_id": "ann"}
    assert (told["facts"], told["key"], told["why"]) == ({"topic": "prices"}, "k1", "asked")
    assert told["who"] == "api:crm"  # the key's name, whatever the body says of itself


@pytest.mark.parametrize(
    "headers",
    [
        *({}, {"Authorization": "Bearer no"}),
        *({"Authorization": "Basic an-api-key-of-24-letters"}, {"Authorization": "Bearer "}),
        {"Authorization": "Bearer an-api-key-of-24-letters2"},
    ],
)
@pytest.mark.parametrize("path", [START, "/api/reload"])
def test_without_a_key_nothing_is_done(
    client: FlaskClient, rt: Any, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, json=ANN, headers=headers)
    assert answer.status_code == 401
    assert rt.inbox.deliveries == []


@pytest.mark.parametrize("path", [START, "/api/pause", "/api/nothing"])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_without_any_key_configured_the_api_is_not_there(
    client: FlaskClient, rt: Any, path: str, method: str
) -> None:
    rt.api_keys = ()
    for key in ("", "an-api-key-of-24-letters"):
        headers = {"Authorization": f"Bearer {key}"}
        answer = client.open(path, method=method, json=ANN, headers=headers)
        nowhere = client.open("/nowhere", method=method)
        assert (answer.status_code, answer.data) == (404, nowhere.data)


@pytest.mark.parametrize("path", [START, "/api/reload", "/api/pause", "/api/opt-outs"])
def test_a_key_opens_only_what_its_scopes_name(client: FlaskClient, rt: Any, path: str) -> None:
    answer = client.post(path, json=ANN, headers=READER)
    assert (answer.status_code, answer.json["code"]) == (403, "scope_missing")  # type: ignore[index]
    assert "reader" in answer.json["message"]  # type: ignore[index]
    assert rt.inbox.deliveries == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "contact"),
        ({}, "contact"),
        ({"contact": {}}, "names nobody"),
        ({"contact": {"user_id": 7}}, "names nobody"),
        ({"contact": {"user_id": "x" * 501}}, "names nobody"),
        ({"contact": {"shoe_size": "9"}}, "names nobody"),
        ({"contact": {"user_id": "u"}, "facts": [1]}, "facts"),
    ],
)
def test_a_start_that_cannot_be_read_says_what_is_wanted(
    client: FlaskClient, rt: Any, body: object, says: str
) -> None:
    answer = client.post(START, json=body, headers=KEY)
    assert answer.status_code == 400
    assert says in answer.json["message"]  # type: ignore[index]
    assert rt.inbox.deliveries == []


def test_a_play_that_is_not_in_use_is_said_to_be_unknown(client: FlaskClient) -> None:
    answer = client.post("/api/plays/nothing/start", json=ANN, headers=KEY)
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_play")  # type: ignore[index]


def test_a_start_is_bounded_and_a_full_inbox_says_when_to_come_again(
    client: FlaskClient, rt: Any
) -> None:
    large = {**ANN, "facts": {"x": "y" * 70_000}}
    assert client.post(START, json=large, headers=KEY).status_code == 413
    rt.inbox.error = Overloaded("full")
    answer = client.post(START, json=ANN, headers=KEY)
    assert answer.status_code == 429 and answer.headers["Retry-After"]


def test_a_reload_tells_what_the_worker_answered(client: FlaskClient, rt: Any) -> None:
    answer = client.post("/api/reload", headers=KEY)
    assert (answer.status_code, answer.json["version"]) == (200, "v1")  # type: ignore[index]
    rt.reloaded = {"result": "reload_refused", "version": "", "why": "welcome.toml:4: priority"}
    answer = client.post("/api/reload", headers=KEY)
    assert (answer.status_code, answer.json["code"]) == (409, "refused")  # type: ignore[index]
    assert "welcome.toml:4" in answer.json["message"]  # type: ignore[index]


def test_a_reload_without_a_worker_says_so(client: FlaskClient, rt: Any) -> None:
    def nobody(who: str) -> dict[str, str]:
        raise ConnectorError("no worker runs on this folder: it reads the files when it starts")

    rt.reload = nobody
    answer = client.post("/api/reload", headers=KEY)
    assert (answer.status_code, answer.json["code"]) == (503, "no_worker")  # type: ignore[index]
