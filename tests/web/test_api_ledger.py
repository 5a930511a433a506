"""What the API does to the ledger: opt-outs, consents and pauses are in effect when answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from connector.cli import cli
from connector.clock import TestClock
from connector.config.loaded import load
from connector.ledger import sends
from connector.ledger.sqlite import SqliteStore
from connector.web import writing
from connector.web.app import create_app
from connector.webside import WebSide, open_web
from tests.running import api_keys, folder

NUMBER = "+12125550123"
SECRETS = {
    name: f"{name}-key-of-twenty-four-letters" for name in ("read", "consent", "operate", "other")
}
CONSENT = "--suppose-consent"
NOON = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)  # in New York


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    keys = {name: (name, [name]) for name in ("read", "consent", "operate")}
    path = folder(tmp_path / "shop", 8080, api=api_keys(**keys, other=("other", ["consent"])))
    for name, secret in SECRETS.items():
        (path / name).write_text(secret)
    (path / "data").mkdir()
    TestClock(path / "data/clock").set(NOON, 0)
    return path


@pytest.fixture
def web(shop: Path) -> Iterator[WebSide]:
    opened = open_web(load(shop))
    yield opened
    opened.inbox.close()
    opened.store.close()


@pytest.fixture
def client(web: WebSide) -> FlaskClient:
    return create_app(web).test_client()


def ask(
    client: FlaskClient, path: str, key: str, body: object = None, **headers: str
) -> tuple[int, Any]:
    told = {"Authorization": f"Bearer {SECRETS[key]}", **headers}
    answer = client.post(path, json=body if body is not None else {}, headers=told)
    return answer.status_code, answer.json


def rows(web: WebSide, sql: str) -> list[dict[str, Any]]:
    with web.store.read() as tx:
        return [dict(row) for row in tx.all(sql)]


def grant(client: FlaskClient, **more: Any) -> tuple[int, Any]:
    body = {"number": NUMBER, "method": "paper", "wording": "Text me offers", **more}
    return ask(client, "/api/consents/grant", "consent", body)


def opt_out(client: FlaskClient, **more: Any) -> tuple[int, Any]:
    body = {"number": NUMBER, "method": "call", "wording": "take me off", **more}
    return ask(client, "/api/opt-outs", "consent", body)


# -- asking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "args"),
    [
        ({}, ()),
        ({"purpose": "service", "suppose_consent": True}, ("--purpose", "service", CONSENT)),
        (
            {"state": "FL", "at": "2026-11-17T23:00", "suppose_consent": True},
            ("--state", "FL", "--at", "2026-11-17T23:00", CONSENT),
        ),
        (
            {"zone": "America/Chicago", "zip": "60601", "country": "US", "scopes": ["x"]},
            ("--zone", "America/Chicago", "--zip", "60601", "--country", "US", "--scope", "x"),
        ),
        (
            {"suppose_sent": ["2026-11-17T11:00-05:00"]},
            ("--suppose-sent", "2026-11-17T11:00-05:00"),
        ),
    ],
)
def test_the_gate_is_asked_by_http_as_by_the_command_and_says_the_same(
    shop: Path, client: FlaskClient, body: dict[str, Any], args: tuple[str, ...]
) -> None:
    status, told = ask(client, "/api/can-send", "read", {"number": NUMBER, **body})
    by_hand = CliRunner().invoke(cli, ["-C", str(shop), "can-send", NUMBER, *args, "--json"])
    assert status == 200
    assert told == json.loads(by_hand.output)
    assert NUMBER not in json.dumps(told)


def test_replies_are_read_by_http_as_by_the_command(shop: Path, client: FlaskClient) -> None:
    texts = ["STOP", "don't stop", "who is this?", "thanks", "YES"]
    status, told = ask(client, "/api/replies/classify", "read", {"texts": texts, "pending": True})
    args = ["-C", str(shop), "reply", "classify", "--pending", *texts, "--json"]
    by_hand = CliRunner().invoke(cli, args).output.splitlines()
    assert status == 200
    assert told["replies"] == [json.loads(line) for line in by_hand]
    one = ask(client, "/api/replies/classify", "read", {"text": "STOP"})[1]
    assert [item["label"] for item in one["replies"]] == ["opt_out"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/can-send", [], "send a JSON object"),
        ("/api/can-send", {}, "number is missing"),
        ("/api/can-send", {"number": "12"}, "write it as +12025550123"),
        ("/api/can-send", {"number": 12025550123}, "number is a text"),
        ("/api/can-send", {"number": NUMBER, "purpse": "service"}, "'purpse' is no field here"),
        ("/api/can-send", {"number": NUMBER, "purpose": "system"}, "purpose is one of"),
        ("/api/can-send", {"number": NUMBER, "zone": "EST5"}, "write it as America/Chicago"),
        ("/api/can-send", {"number": NUMBER, "at": "noon"}, "a time is written"),
        ("/api/can-send", {"number": NUMBER, "scopes": ["x"] * 51}, "at most 50"),
        ("/api/replies/classify", {"texts": []}, "send"),
        ("/api/replies/classify", {"texts": [7]}, "no text"),
        ("/api/replies/classify", {"texts": ["x"] * 1001}, "at most 1000"),
    ],
)
def test_a_question_that_cannot_be_read_says_what_is_wanted(
    client: FlaskClient, path: str, body: object, says: str
) -> None:
    status, told = ask(client, path, "read", body)
    assert (status, told["code"]) == (400, "unreadable")
    assert says in told["message"]


# -- consent -----------------------------------------------------------------------------------


def test_a_consent_is_granted_with_its_proof_and_who_recorded_it(
    web: WebSide, client: FlaskClient
) -> None:
    proof = {"url": "https://corner.example/join", "ip": "203.0.113.9", "user_agent": "Mozilla"}
    status, told = grant(client, scopes=["cart_reminders"], wording_version="v3", **proof)
    assert (status, told["live"]) == (200, ["cart_reminders", "marketing"])
    assert told["recorded"] == ["marketing", "cart_reminders"]
    found = rows(web, "SELECT * FROM consents ORDER BY id")
    assert {row["recorded_by"] for row in found} == {"api:consent"}
    assert {(row["wording"], row["wording_version"]) for row in found} == {("Text me offers", "v3")}
    assert {(row["url"], row["ip"], row["user_agent"]) for row in found} == {tuple(proof.values())}
    [act] = rows(web, "SELECT * FROM acts WHERE act = 'grant'")
    assert (act["who"], act["about"]) == ("api:consent", "consent:marketing")


@pytest.mark.parametrize(
    ("method", "kept_as"),
    [("call", "call"), ("email", "email"), ("crm", "crm_field"), ("note", "crm_note")],
)
def test_an_opt_out_by_whatever_way_stops_everything_to_the_number(
    web: WebSide, client: FlaskClient, method: str, kept_as: str
) -> None:
    grant(client)
    status, told = opt_out(client, method=method, why="ticket 12")
    assert (status, told["stopped"], told["live"], told["recorded"]) == (200, "all", [], True)
    [row] = rows(web, "SELECT * FROM consents WHERE action = 'revoked'")
    assert (row["method"], row["purpose"], row["wording"]) == (kept_as, "all", "take me off")
    assert json.loads(row["evidence"]) == {"why": "ticket 12"}
    gate = ask(client, "/api/can-send", "read", {"number": NUMBER})[1]
    assert (gate["verdict"], gate["objections"][0]["reason"]) == ("stop", "opted_out")
    [act] = rows(web, "SELECT * FROM acts WHERE act = 'opt_out'")
    assert (act["who"], act["why"]) == ("api:consent", "ticket 12")
    assert NUMBER not in json.dumps([told, act])


def test_a_grant_does_not_lift_an_opt_out(client: FlaskClient) -> None:
    grant(client)
    opt_out(client)
    _, told = grant(client, wording="Text me again")
    assert (told["stopped"], told["live"]) == ("all", [])


def test_one_purpose_or_scope_is_revoked_alone(client: FlaskClient) -> None:
    grant(client, scopes=["cart_reminders"])
    body = {"number": NUMBER, "purpose": "cart_reminders", "wording": "no carts"}
    status, told = ask(client, "/api/consents/revoke", "consent", body)
    assert (status, told["live"], told["stopped"]) == (200, ["marketing"], "")


def test_a_purpose_that_nobody_knows_is_refused(client: FlaskClient) -> None:
    grant(client)
    body = {"number": NUMBER, "purpose": "marketng", "wording": "none of it"}
    status, told = ask(client, "/api/consents/revoke", "consent", body)
    assert status == 400 and "marketing" in told["message"]


def test_a_number_is_shown_with_its_rows_and_never_whole(client: FlaskClient) -> None:
    grant(client)
    opt_out(client)
    status, told = ask(client, "/api/consents/show", "read", {"number": NUMBER})
    assert status == 200
    assert [row["action"] for row in told["consents"]] == ["granted", "revoked"]
    assert (told["stopped"], told["live"], told["contacts"]) == ("all", [], [])
    assert NUMBER not in json.dumps(told)


@pytest.mark.parametrize("in_header", [True, False])
def test_a_request_that_is_repeated_does_nothing_twice(
    web: WebSide, client: FlaskClient, in_header: bool
) -> None:
    body: dict[str, Any] = {"number": NUMBER, "method": "email", "wording": "stop"}
    headers = {"Idempotency-Key": "r-1"} if in_header else {}
    body |= {} if in_header else {"id": "r-1"}
    first = ask(client, "/api/opt-outs", "consent", body, **headers)
    with web.store.write() as tx:  # meanwhile the person texts START
        tx.run("DELETE FROM consents")
        tx.run("UPDATE numbers SET blocked_scope = '', blocked_by = ''")
    again = ask(client, "/api/opt-outs", "consent", body, **headers)
    assert (first[1]["repeated"], again[1]["repeated"]) == (False, True)
    assert rows(web, "SELECT * FROM consents") == []
    other = ask(client, "/api/opt-outs", "consent", body | {"number": "+12125550199"}, **headers)
    assert (other[0], other[1]["code"]) == (409, "id_used")
    stranger = ask(client, "/api/opt-outs", "other", body, **headers)
    assert (stranger[0], stranger[1]["repeated"]) == (200, False), "an id is its own key's"


def test_a_number_is_not_found_by_trying_all_against_what_a_request_left(
    web: WebSide, client: FlaskClient
) -> None:
    opt_out(client, id="r-1")
    [row] = rows(web, "SELECT why FROM acts WHERE act = 'request'")
    tried = sha256("\n".join(("opt_out", NUMBER, "all", "call")).encode()).hexdigest()
    assert row["why"] != tried and len(row["why"]) == len(tried)


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/opt-outs", {"number": NUMBER, "wording": "x"}, "method is one of"),
        ("/api/opt-outs", {"number": NUMBER, "method": "reply", "wording": "x"}, "method is one"),
        ("/api/opt-outs", {"number": NUMBER, "method": "call"}, "wording is missing"),
        ("/api/consents/grant", {"number": NUMBER, "method": "paper"}, "wording is missing"),
        (
            "/api/consents/grant",
            {"number": NUMBER, "method": "double_opt_in", "wording": "x"},
            "method is one of",
        ),
        (
            "/api/consents/grant",
            {"number": NUMBER, "method": "paper", "wording": "x", "scopes": ["all"]},
            "all is not given",
        ),
        ("/api/consents/show", {"number": NUMBER, "id": "x"}, "no field here"),
    ],
)
def test_what_is_told_of_consent_is_checked(
    web: WebSide, client: FlaskClient, path: str, body: object, says: str
) -> None:
    key = "read" if path.endswith("show") else "consent"
    status, told = ask(client, path, key, body)
    assert (status, says in told["message"]) == (400, True), told
    assert rows(web, "SELECT * FROM consents") == []


# -- pausing -----------------------------------------------------------------------------------


def test_the_kill_switch_holds_everything_and_is_lifted_with_a_reason(
    web: WebSide, client: FlaskClient
) -> None:
    status, told = ask(client, "/api/pause", "operate", {"why": "the shop is down"})
    assert (status, told["paused"], told["under_way"]) == (200, "*", 0)
    gate = ask(client, "/api/can-send", "read", {"number": NUMBER, "suppose_consent": True})[1]
    assert [item["reason"] for item in gate["objections"]] == ["paused"]
    assert ask(client, "/api/resume", "operate", {})[0] == 400, "a reason is asked for"
    status, told = ask(client, "/api/resume", "operate", {"why": "it is up"})
    assert (status, told["was_paused"]) == (200, True)
    acts = rows(web, "SELECT act, about, who, why FROM acts WHERE act LIKE '%e%' ORDER BY id")
    assert [(act["act"], act["about"], act["who"]) for act in acts] == [
        ("pause", "play:*", "api:operate"),
        ("resume", "play:*", "api:operate"),
    ]
    assert ask(client, "/api/resume", "operate", {"why": "again"})[1]["was_paused"] is False


def test_the_kill_switch_takes_no_more_than_a_key(web: WebSide, client: FlaskClient) -> None:
    answer = client.post("/api/pause", headers={"Authorization": f"Bearer {SECRETS['operate']}"})
    assert answer.status_code == 200
    assert [row["play"] for row in rows(web, "SELECT play FROM pauses")] == ["*"]


def test_one_play_is_paused_as_its_file_says(web: WebSide, client: FlaskClient) -> None:
    status, told = ask(client, "/api/pause", "operate", {"play": "welcome"})
    assert (status, told["paused"]) == (200, "welcome")
    [row] = rows(web, "SELECT play, verdict FROM pauses")
    assert row == {"play": "welcome", "verdict": web.plays["welcome"].on_pause.value}
    assert ask(client, "/api/pause", "operate", {"play": "nothing"})[0] == 404


def test_a_play_that_was_removed_while_paused_can_be_let_go(client: FlaskClient) -> None:
    status, told = ask(client, "/api/resume", "operate", {"play": "gone", "why": "x"})
    assert (status, told["was_paused"]) == (200, False)


# -- the ledger's turn -------------------------------------------------------------------------


def test_while_others_write_for_long_the_caller_is_told_to_come_again(
    web: WebSide, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", 0.1)
    held, free = threading.Event(), threading.Event()

    def write() -> None:
        other = SqliteStore(web.store.path)
        with other.write():
            held.set()
            free.wait(10)
        other.close()

    thread = threading.Thread(target=write)
    thread.start()
    held.wait(10)
    answer = client.post(
        "/api/pause", json={}, headers={"Authorization": f"Bearer {SECRETS['operate']}"}
    )
    free.set()
    thread.join()
    assert (answer.status_code, answer.json["code"]) == (503, "ledger_busy")  # type: ignore[index]
    assert int(answer.headers["Retry-After"]) > 0
    assert rows(web, "SELECT * FROM pauses") == []
    assert ask(client, "/api/pause", "operate")[0] == 200


def test_a_pause_tells_of_a_call_that_had_begun_and_is_not_over(
    web: WebSide, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "STILL_WITHIN", 0.1)
    monkeypatch.setattr(WebSide, "is_idle", lambda self: False)
    plan = sends.Plan(
        *("snd_1", "hand", "snd_1", "hand", "con_1", NUMBER, "marketing", ""), NOON, NOON
    )
    with web.store.write() as tx:
        sends.plan(tx, plan, NOON)
        tx.run("UPDATE sends SET state = 'sending', begun_at = :at", at="2026-11-17")
    assert ask(client, "/api/pause", "operate")[1]["under_way"] == 1
    assert opt_out(client)[1]["under_way"] == 1
    assert opt_out(client, number="+12125550199")[1]["under_way"] == 0


def test_the_web_makes_what_it_asks_the_rules_with_only_when_asked(
    web: WebSide, client: FlaskClient
) -> None:
    ask(client, "/api/pause", "operate")
    assert web._asking is None
    ask(client, "/api/can-send", "read", {"number": NUMBER})
    assert web._asking is not None
