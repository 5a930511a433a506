"""A running connector is paused, told of opt-outs, asked, and tells when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli import cli
from connector.lock import holder
from tests.running import Running, api_keys, folder, free_port

SCOPES = ("read", "send", "consent", "operate")
HELLO = """
description = "Say hello to somebody by hand"
role = "service"
purpose = "service"
[start]
hand = true
[[steps]]
name = "hello"
template = "hello"
"""
HEARD = "import sys; open('heard.txt', 'a').write(sys.stdin.read())"
PEOPLE = 24
LATENCY = 0.15


def secret(scope: str) -> str:
    return f"{scope}-key-of-twenty-four-letters"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = free_port()
    path = folder(
        tmp_path_factory.mktemp("operating") / "shop",
        port,
        api=api_keys(**{scope: (scope, [scope]) for scope in SCOPES}),
        alerts=f"command = {json.dumps([sys.executable, '-c', HEARD])}",
        provider="in_flight = 2",
        providers__sandbox=f"latency = {LATENCY}",
    )
    for scope in SCOPES:
        (path / scope).write_text(secret(scope))
    (path / "mappings/plays/hello.toml").write_text(HELLO)
    (path / "templates/hello.en.txt").write_text("{{ brand }}: hello. Reply STOP to opt out")
    with Running(path, port) as running:
        running.set_clock(datetime(2026, 11, 17, 17, 0, tzinfo=UTC))  # noon in New York
        yield running


def ask(shop: Running, path: str, scope: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {secret(scope)}"}
    answer = shop.http.post(f"{shop.url}{path}", json=body or {}, headers=headers, timeout=40)
    return answer.status_code, answer.json()


def number(n: int) -> str:
    return f"+1212555{n:04}"


def greet(shop: Running, first: int, count: int) -> None:
    """So many people agree, and a text to each of them is wanted, two at a time."""
    for n in range(first, first + count):
        traits = {"phone": number(n), "order_updates_consent": True}
        traits["order_updates_consent_wording"] = "Text me about my orders"
        shop.post("/v1/identify", {"type": "identify", "userId": f"u{n}", "traits": traits})
    known = "SELECT count(*) FROM consents WHERE action = 'granted'"
    shop.until(lambda: shop.one(known) >= first - 100 + count)
    for n in range(first, first + count):
        body = {"contact": {"user_id": f"u{n}"}, "key": f"k{n}"}
        assert ask(shop, "/api/plays/hello/start", "send", body)[0] == 202


def test_after_the_kill_switch_came_back_nothing_leaves_and_after_it_is_lifted_all_does(
    shop: Running,
) -> None:
    greet(shop, 100, PEOPLE)
    shop.until(lambda: len(shop.outbox()) >= 3)
    result = CliRunner().invoke(cli, ["-C", str(shop.path), "pause", "--why", "the shop is down"])
    assert result.exit_code == 0, result.output
    left = len(shop.outbox())
    time.sleep(6 * LATENCY)
    assert len(shop.outbox()) == left < PEOPLE
    assert shop.one("SELECT count(*) FROM sends WHERE state = 'sending'") == 0
    assert "connector_paused 1" in shop.http.get(f"{shop.url}/metrics", timeout=5).text
    status, told = ask(shop, "/api/resume", "operate", {"why": "it is up"})
    assert (status, told["was_paused"]) == (200, True)
    shop.set_clock(datetime(2026, 11, 17, 17, 20, tzinfo=UTC))
    shop.until(lambda: len(shop.outbox()) == PEOPLE)
    assert len({line["to"] for line in shop.outbox()}) == PEOPLE


def test_an_opt_out_told_by_http_holds_for_the_next_text(shop: Running) -> None:
    body = {"number": number(300), "method": "email", "wording": "no more", "id": "mail-7"}
    status, told = ask(shop, "/api/opt-outs", "consent", body)
    assert (status, told["stopped"], told["repeated"]) == (200, "all", False)
    assert ask(shop, "/api/opt-outs", "consent", body)[1]["repeated"] is True
    status, told = ask(shop, "/api/can-send", "read", {"number": number(300), "purpose": "service"})
    assert (told["verdict"], told["objections"][0]["reason"]) == ("stop", "opted_out")
    traits = {"phone": number(300)}
    shop.post("/v1/identify", {"type": "identify", "userId": "u300", "traits": traits})
    shop.until(lambda: shop.one("SELECT count(*) FROM identities WHERE value = 'u300'"))
    start = {"contact": {"user_id": "u300"}, "key": "k300"}
    assert ask(shop, "/api/plays/hello/start", "send", start)[0] == 202
    shop.until(lambda: shop.one("SELECT count(*) FROM decisions WHERE reason = 'opted_out'"))
    assert number(300) not in {line["to"] for line in shop.outbox()}


def test_a_key_is_no_more_than_its_scopes_and_a_wrong_one_is_soon_told_to_stay_away(
    shop: Running,
) -> None:
    assert ask(shop, "/api/pause", "read")[0] == 403
    assert ask(shop, "/api/can-send", "operate")[0] == 403
    wrong = {"Authorization": "Bearer nobody-knows-this-key-here"}
    statuses = [
        shop.http.post(f"{shop.url}/api/pause", headers=wrong, timeout=5).status_code
        for _ in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2
    assert ask(shop, "/api/can-send", "read", {"number": number(1)})[0] == 200


def test_a_process_that_dies_is_an_alarm_that_people_are_told(shop: Running) -> None:
    heard = shop.path / "heard.txt"
    pid = holder(shop.path / "data/work.lock")
    assert pid
    os.kill(pid, signal.SIGKILL)
    shop.until(lambda: holder(shop.path / "data/work.lock") not in (None, 0, pid))
    shop.until(lambda: heard.exists() and "process_died (work)" in heard.read_text())
    found = CliRunner().invoke(cli, ["-C", str(shop.path), "alerts", "list", "--json"])
    kinds = {json.loads(line)["kind"] for line in found.output.splitlines()}
    assert "process_died" in kinds
    assert ask(shop, "/api/replies/classify", "read", {"text": "STOP"})[0] == 200


def test_a_connector_that_gives_up_says_so_itself(tmp_path: Path) -> None:
    port = free_port()
    path = folder(
        tmp_path / "shop", port, alerts=f"command = {json.dumps([sys.executable, '-c', HEARD])}"
    )
    with Running(path, port) as running:
        lock, killed = path / "data/work.lock", set[int]()
        assert running.process is not None
        until = time.monotonic() + 40
        while running.process.poll() is None and time.monotonic() < until:
            pid = holder(lock)
            if pid and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        assert running.process.poll() == 1
    assert "given_up" in (path / "heard.txt").read_text()
