"""``connector audit decide``: a decision comes out as it was recorded, or what differs is told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli import cli
from tests.simulate.town import Town, write_town


@dataclass
class Place:
    """A town's folder, on whose ledger commands are run."""

    path: Path

    def run(self, *args: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["-C", str(self.path), "audit", "decide", *args])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, result.output

    def json(self, *args: str) -> tuple[int, list[dict[str, Any]]]:
        code, text = self.run(*args, "--json")
        lines = [line for line in text.splitlines() if line.startswith("{")]
        return code, [json.loads(line) for line in lines]

    def forge(self, sql: str) -> None:
        with closing(sqlite3.connect(self.path / "data" / "ledger.db")) as connection:
            assert connection.execute(sql).rowcount
            connection.commit()

    def one(self, sql: str) -> Any:
        with closing(sqlite3.connect(self.path / "data" / "ledger.db")) as connection:
            row = connection.execute(sql).fetchone()
        return row[0] if row else None


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A town in which four people did a few things."""
    folder = write_town(tmp_path / "town")
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('folder = "data"', f'folder = "{folder}/data"'))
    town = Town(folder)
    for person in range(town.people):
        town.introduce(person)
        for doing in town.doings[:12]:
            town.do(doing, person)
    town.go(timedelta(days=2))
    town.stop()
    yield Place(folder)


SINCE = ("--since", "2026-01-01T00:00")


def test_each_decision_comes_out_as_it_was_recorded(place: Place) -> None:
    code, [summary] = place.json(*SINCE)
    assert code == 0
    assert (summary["differs"], summary["unknown"]) == (0, 0)
    assert summary["same"] == summary["decisions"] == place.one("SELECT count(*) FROM decisions")
    assert min(summary["moments"][name]["same"] for name in ("trigger", "plan", "send")) > 0
    code, text = place.run(*SINCE, "--sample", "3")
    assert code == 0 and "3 of " in text and "were made again" in text


def test_one_decision_is_told_check_by_check_with_what_each_looked_at(place: Place) -> None:
    decision = place.one("SELECT id FROM decisions WHERE moment = 'send' LIMIT 1")
    code, [found] = place.json(decision)
    assert code == 0 and found["result"] == "same"
    checks = {each["check"]: each for each in found["checks"]}
    assert checks["opted_out"]["result"] == "passed"
    assert "marketing" in checks["no_consent"]["looked_at"]["consents"]
    assert "number" in checks["quiet_hours"]["looked_at"]["contact"]
    code, text = place.run(decision)
    assert code == 0 and "Made again: the same." in text and "quiet_hours" in text


def test_facts_that_were_changed_are_told_with_exit_code_1(place: Place) -> None:
    decision = place.one("SELECT id FROM decisions WHERE moment = 'send' LIMIT 1")
    place.forge(
        "UPDATE facts SET body = replace(body, 'marketing', 'marketinG') WHERE hash = "
        f"(SELECT facts_hash FROM decisions WHERE id = '{decision}')"
    )
    code, [found] = place.json(decision)
    assert code == 1 and found["result"] == "differs"
    assert found["differences"][0]["what"] == "facts"
    code, text = place.run(*SINCE)
    assert code == 1 and "changed since" in text and "audit verify" in text


def test_a_policy_that_was_changed_is_told_for_each_decision_by_it(place: Place) -> None:
    place.forge("UPDATE files SET content = content || '# later' WHERE kind = 'policy'")
    code, lines = place.json(*SINCE)
    *differing, summary = lines
    assert code == 1 and summary["differs"] == len(differing) > 0
    assert {each["differences"][0]["what"] for each in differing} == {"policy"}


def test_what_is_not_there_or_not_named_is_said(place: Place) -> None:
    assert place.run("dec_nothing")[0] == 3
    assert place.run("--since", "2099-01-01T00:00")[0] == 3
    code, text = place.run()
    assert code == 2 and "--since 30d" in text
    assert place.run("dec_1", "--sample", "2")[0] == 2
