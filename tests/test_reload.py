"""A running connector takes over changed files whole, or keeps those it has and says why."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector import supervisor
from connector.cli import cli
from connector.config.loaded import Loaded, load
from connector.lock import holder
from tests.running import Running, api_keys, folder, free_port

KEY = "api-key-of-twenty-four-or-more"
PLAY = """
description = "Say hello to somebody by hand"
role = "service"
purpose = "service"
[start]
hand = true
[[steps]]
name = "hello"
template = "hello"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = free_port()
    path = tmp_path_factory.mktemp("reload") / "shop"
    path = folder(path, port, api=api_keys(crm=("api-key", ["send", "operate"])))
    (path / "api-key").write_text(KEY)
    with Running(path, port) as running:
        running.set_clock(datetime(2026, 11, 17, 17, 0, tzinfo=UTC))  # noon in New York
        yield running


def command(shop: Running, *args: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["-C", str(shop.path), *args])
    return result.exit_code, result.output


def ask(shop: Running, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = shop.http.post(f"{shop.url}{path}", json=body, headers=headers, timeout=40)
    return answer.status_code, answer.json()


def write(path: Path, text: str) -> None:
    path.write_text(text)


def hello(shop: Running) -> None:
    """The play is in use, whichever of these tests runs first."""
    play = shop.path / "mappings/plays/hello.toml"
    if not play.exists():
        write(shop.path / "templates/hello.en.txt", "{{ brand }}: hello {{ contact.first_name }}")
        write(play, PLAY)
        assert ask(shop, "/api/reload")[0] == 200
    traits = {"phone": "+12125550123", "firstName": "Ann", "order_updates_consent": True}
    traits["order_updates_consent_wording"] = "Text me about my orders"
    shop.post("/v1/identify", {"type": "identify", "userId": "ann", "traits": traits})


def test_a_new_play_is_taken_over_and_may_be_started_at_once(shop: Running) -> None:
    hello(shop)
    code, text = command(shop, "reload")
    assert code == 0 and "taken over, version" in text
    start = {"contact": {"user_id": "ann"}, "key": "k1"}
    shop.until(lambda: ask(shop, "/api/plays/hello/start", start)[0] == 202)
    assert ask(shop, "/api/plays/hello/start", start)[0] == 202  # told twice, begun once
    shop.until(lambda: shop.rows("SELECT id FROM enrolments WHERE play = 'hello'"))
    found = shop.until(lambda: shop.rows("SELECT text FROM sends WHERE play = 'hello'"))
    assert [row["text"].partition(": ")[2] for row in found] == ["hello Ann"]


def test_who_reloaded_which_version_is_kept(shop: Running) -> None:
    before = shop.one("SELECT count(*) FROM acts WHERE act = 'reloaded'")
    status, told = ask(shop, "/api/reload")
    assert (status, told["result"]) == (200, "reloaded")
    row = shop.rows("SELECT * FROM acts WHERE act = 'reloaded' ORDER BY at DESC")[0]
    assert (row["who"], row["version"]) == ("api:crm", told["version"])
    assert shop.one("SELECT count(*) FROM acts WHERE act = 'reloaded'") == before + 1
    [live] = shop.rows("SELECT * FROM acts WHERE act = 'live' AND about = 'play:welcome'")
    assert (live["who"], live["why"][:20]) == ("start", "started by operator:")


def test_faulty_files_are_refused_whole_and_the_fault_is_named(shop: Running) -> None:
    hello(shop)
    play = shop.path / "mappings/plays/hello.toml"
    policy = shop.path / "mappings/policy.toml"
    good, rules = play.read_text(), policy.read_text()
    write(play, good.replace("hand = true", "hand = maybe"))
    write(policy, rules.replace('gap = "4h"', 'gap = "1h"'))
    try:
        status, told = ask(shop, "/api/reload")
        assert (status, told["code"]) == (409, "refused")
        assert "hello.toml" in told["message"]
        code, text = command(shop, "reload")
        assert code == 2 and "hello.toml" in text
        start = {"contact": {"user_id": "ann"}, "key": "k2"}
        assert ask(shop, "/api/plays/hello/start", start)[0] == 202  # as it was
    finally:
        write(play, good)
        write(policy, rules)


def test_a_signal_to_the_supervisor_reloads_too(shop: Running) -> None:
    before = shop.one("SELECT count(*) FROM acts WHERE act = 'reloaded'")
    assert shop.process is not None
    os.kill(shop.process.pid, signal.SIGUSR1)
    shop.until(lambda: shop.one("SELECT count(*) FROM acts WHERE act = 'reloaded'") > before)
    assert shop.one("SELECT who FROM acts WHERE act = 'reloaded' ORDER BY at DESC") == "signal"
    assert shop.is_ready()


def test_what_only_a_restart_brings_is_named(shop: Running) -> None:
    config = shop.path / "config.toml"
    text = config.read_text()
    write(config, text.replace('use = "sandbox"', 'use = "sandbox"\nin_flight = 9', 1))
    try:
        code, said = command(shop, "reload")
        assert code == 0 and "Only a restart brings: [provider]" in said
    finally:
        write(config, text)


def test_a_form_that_is_new_and_a_key_that_is_gone_need_no_other_file_to_change(
    shop: Running,
) -> None:
    config, old = shop.path / "config.toml", shop.path / "site-key"
    text, key = config.read_text(), old.read_text()
    form = '[sources.pages]\nmapping = "form"\ntrust = "form"\n[forms.join]\nsource = "pages"\n'
    event = {"userId": "u-1", "event": "Pricing Viewed"}
    page = "https://corner.example"

    def sent() -> int:
        told, door = {"first_name": "Ann"}, f"{shop.url}/forms/join"
        return shop.http.post(door, told, headers={"Origin": page}, timeout=10).status_code

    assert (sent(), shop.post("/v1/track", event, key=key)) == (404, 200)
    write(config, f'{text}\n{form}origins = ["{page}"]\n')
    write(old, "another-key")
    try:
        assert command(shop, "reload")[0] == 0
        assert sent() == 200, "once the command has answered, the web has followed"
        assert shop.post("/v1/track", event, key=key) == 401
    finally:
        write(config, text)
        write(old, key)
        command(shop, "reload")
        assert sent() == 404


def test_a_worker_that_dies_comes_back_with_the_files_that_were_taken_over(shop: Running) -> None:
    hello(shop)
    pid = holder(shop.path / "data/work.lock")
    assert pid
    os.kill(pid, signal.SIGKILL)
    shop.until(lambda: holder(shop.path / "data/work.lock") not in (None, 0, pid))
    shop.until(shop.is_ready)
    start = {"contact": {"user_id": "ann"}, "key": "after"}
    assert ask(shop, "/api/plays/hello/start", start)[0] == 202
    shop.until(lambda: shop.one("SELECT count(*) FROM enrolments WHERE key = 'after'"))


def test_told_again_while_it_reads_the_supervisor_keeps_the_later_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load(folder(tmp_path / "shop", free_port()))
    above = supervisor.Supervisor(before)
    readings = [before, load(before.settings.folder)]
    begun: list[Loaded] = []

    def read(path: Path) -> Loaded:
        begun.append(readings[len(begun)])
        found = begun[-1]
        if len(begun) == 1:
            above._pass_on(signal.SIGUSR1, None)
        return found

    monkeypatch.setattr(supervisor, "load", read)
    above._pass_on(signal.SIGUSR1, None)
    assert above._loaded is readings[1]


def test_a_folder_where_nobody_works_says_so(tmp_path: Path) -> None:
    path = folder(tmp_path / "idle", free_port())
    result = CliRunner().invoke(cli, ["-C", str(path), "reload", "--json"])
    assert result.exit_code == 1
    assert "no worker runs on this folder" in result.output


def test_a_suppression_list_with_a_fault_is_refused_and_the_one_before_stays(
    shop: Running,
) -> None:
    lists = shop.path / "mappings/suppression"
    lists.mkdir()
    write(lists / "dnc.txt", "+12125550199\n")
    assert command(shop, "reload")[0] == 0
    write(lists / "dnc.txt", "+12125550199\nnobody here\n")
    code, text = command(shop, "reload")
    assert code != 0
    assert "mappings/suppression/dnc.txt:2" in text
    write(lists / "dnc.txt", "+12125550199\n")
    assert command(shop, "reload")[0] == 0
