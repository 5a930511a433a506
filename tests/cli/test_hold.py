"""``connector pause``, ``resume`` and ``alerts``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from connector.actor import operator
from connector.ledger import acts, alarms, pauses
from connector.ledger.store import Tx
from tests.cli.conftest import Shop
from tests.ledger import build


def test_everything_is_paused_and_resumed_with_who_and_why(empty: Shop) -> None:
    code, text = empty.run("pause", "--why", "the shop is down")
    assert (code, "every play is paused" in text) == (0, True)
    held = empty.write(lambda tx: {name: dict(row) for name, row in pauses.all_(tx).items()})
    assert (held["*"]["verdict"], held["*"]["who"]) == ("hold", operator())
    code, text = empty.run("can-send", "+12025550123", "--suppose-consent")
    assert "Everything is paused: the shop is down" in text
    code, text = empty.run("resume")
    assert (code, "--why" in text) == (2, True)
    code, text = empty.run("resume", "--why", "it is up")
    assert (code, text.strip()) == (0, "everything goes on.")
    kept = empty.write(lambda tx: [dict(row) for row in acts.of(tx, "play:*")])
    assert [(row["act"], row["why"]) for row in kept] == [
        ("resume", "it is up"),
        ("pause", "the shop is down"),
    ]
    code, text = empty.run("resume", "--why", "again")
    assert (code, text.strip()) == (3, "Error: nothing is paused")


def test_it_holds_while_other_files_are_at_fault(empty: Shop) -> None:
    (empty.path / "mappings/policy.toml").write_text("caps = 7")
    assert empty.run("pause")[0] == 0


# -- alerts ------------------------------------------------------------------------------------


def raised(tx: Tx) -> None:
    for n in range(3):
        at = build.at() + timedelta(minutes=n)
        alarms.add(tx, "writeback_parked", "hubspot", "Refused.", at, alarm_id=f"alm_{n}")
    alarms.add(tx, "clock_off", "", "The clock is wrong.", build.at(), alarm_id="alm_9")


def test_alarms_that_stand_are_listed_and_cleared_with_a_reason(empty: Shop) -> None:
    assert empty.run("alerts") == (0, "No alarm stands.\n")
    empty.write(raised)
    found = {item["kind"]: item for item in empty.json("alerts", "list")}
    assert (found["writeback_parked"]["count"], found["clock_off"]["count"]) == (3, 1)
    code, text = empty.run("alerts", "clear", "writeback_parked", "--why", "the field is back")
    assert (code, text.strip()) == (0, "1 alarm is cleared.")
    assert [item["kind"] for item in empty.json("alerts", "list")] == ["clock_off"]
    kept = empty.write(lambda tx: [dict(row) for row in acts.of(tx, "alarms:writeback_parked")])
    assert [(row["who"], row["why"]) for row in kept] == [(operator(), "the field is back")]
    assert empty.run("alerts", "clear", "--all")[0] == 0
    assert empty.run("alerts", "clear", "--all")[0] == 3
    assert empty.run("alerts", "clear")[0] == 2


class Chat(BaseHTTPRequestHandler):
    """A chat tool that hears everything, or refuses where the address says so."""

    heard: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.heard.append(json.loads(self.rfile.read(length)))
        self.send_response(500 if "broken" in self.path else 204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def chat() -> Iterator[str]:
    Chat.heard = []
    server = HTTPServer(("127.0.0.1", 0), Chat)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/secret-path"
    server.shutdown()
    server.server_close()


def configure(shop: Shop, lines: str) -> None:
    config = shop.path / "config.toml"
    config.write_text(f"{config.read_text()}\n[alerts]\n{lines}\n")


def test_each_target_is_tried_and_what_happened_is_told(empty: Shop, chat: str) -> None:
    script = "import sys; open('heard.txt', 'w').write(sys.stdin.read())"
    command = json.dumps([sys.executable, "-c", script])
    configure(empty, f'webhook = "{chat}"\ncommand = {command}')
    found = {item["target"]: item for item in empty.json("alerts", "test")}
    assert {name: item["result"] for name, item in found.items()} == {
        "webhook": "told",
        "command": "told",
    }
    [told] = Chat.heard
    assert told["text"].startswith("[Corner Shop] test\n")
    assert "nothing is wrong" in (empty.path / "heard.txt").read_text()


def test_a_target_that_fails_is_named_without_its_secret_address(empty: Shop, chat: str) -> None:
    command = json.dumps([sys.executable, "-c", "import sys; sys.exit(3)"])
    configure(empty, f'webhook = "{chat}-broken"\ncommand = {command}')
    code, text = empty.run("alerts", "test")
    assert code == 1
    assert "it answered 500" in text and "it ended with 3" in text
    assert "secret-path" not in text


def test_a_command_sees_no_secret_of_ours(empty: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "very-secret")
    script = "import os; open('env.txt', 'w').write(str(dict(os.environ)))"
    configure(empty, f"command = {json.dumps([sys.executable, '-c', script])}")
    assert empty.run("alerts", "test")[0] == 0
    assert "very-secret" not in (empty.path / "env.txt").read_text()


def test_where_no_target_is_configured_that_is_said(empty: Shop) -> None:
    code, text = empty.run("alerts", "test")
    assert (code, "set webhook, email or command" in text) == (2, True)
