"""Replaying a ledger's own history, and what it tells when the files are others."""

from __future__ import annotations

import csv
import json
import random
import shutil
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from connector.cli import cli
from connector.config.loaded import load
from connector.errors import ConnectorError
from connector.simulate.compare import Comparison, compare
from connector.simulate.inputs import inputs
from connector.simulate.replay import replayed
from connector.simulate.simulation import of_file, of_ledger
from tests.simulate.town import Town, wander


def compared(town: Town) -> Comparison:
    with replayed(town.loaded, of_ledger(town.store)) as ran:
        assert not ran.faults
        return compare(ran)


@pytest.mark.parametrize("seed", range(4))
def test_a_towns_history_is_made_again_decision_for_decision(town: Town, seed: int) -> None:
    wander(town, random.Random(seed), 150)
    found = compared(town)
    assert not found.differences
    assert found.equal > 50


def test_the_lines_are_in_the_order_in_which_they_were_heard(town: Town) -> None:
    wander(town, random.Random(7), 60)
    lines = list(inputs(town.store))
    instants = [line["at"] for line in lines if line["at"]]
    assert instants == sorted(instants)
    assert lines[0]["kind"] == "about"
    assert {"event", "decision", "files"} <= {line["kind"] for line in lines}


def test_an_exported_file_says_the_same_as_the_ledger(town: Town, tmp_path: Path) -> None:
    wander(town, random.Random(3), 80)
    path = tmp_path / "inputs.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, inputs(town.store))))
    with replayed(town.loaded, of_file(path)) as ran:
        assert not compare(ran).differences


def test_what_was_kept_aside_and_taken_later_stands_where_it_was_taken(town: Town) -> None:
    town.introduce(0)
    with town.store.write() as tx:
        tx.run("UPDATE events SET taken_at = '2026-12-24T00:00:00.000000Z'")
    town.go(timedelta(days=1))
    town.introduce(1)
    assert [line["id"] for line in inputs(town.store) if line["kind"] == "event"] == [
        row["id"] for row in town.rows("SELECT id FROM events ORDER BY taken_at")
    ]


def test_a_decision_that_comes_out_otherwise_is_shown_with_both(town: Town) -> None:
    wander(town, random.Random(5), 80)
    with town.store.write() as tx:
        tx.run(
            """UPDATE decisions SET verdict = 'stop'
            WHERE id = (SELECT min(id) FROM decisions WHERE verdict = 'send')"""
        )
    found = compared(town).differences[0]
    assert found.what == "verdict"
    assert found.then is not None
    assert found.now is not None
    assert (found.then["verdict"], found.now["verdict"]) == ("stop", "send")


def test_lines_of_another_format_are_refused(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "inputs.jsonl"
    path.write_text('{"kind": "about", "at": "", "format": 99}\n')
    with pytest.raises(ConnectorError, match="format 99"), replayed(town.loaded, of_file(path)):
        pass
    path.write_text("no json\n")
    with pytest.raises(ConnectorError, match=r"jsonl:1 is no recorded input"):
        list(of_file(path)())
    path.write_text("")
    with pytest.raises(ConnectorError, match="no recorded"), replayed(town.loaded, of_file(path)):
        pass


def moved(town: Town, path: Path) -> Path:
    """The town's folder with its ledger, so that commands may be run on it."""
    shutil.copytree(town.folder, path)
    town.store.checkpoint()
    shutil.copytree(town.loaded.settings.ledger, path / "data")
    return path


def test_the_command_tells_how_other_files_would_differ(town: Town, tmp_path: Path) -> None:
    wander(town, random.Random(3), 200)
    here, there = moved(town, tmp_path / "here"), tmp_path / "there"
    shutil.copytree(here, there)
    policy = there / "mappings" / "policy.toml"
    policy.write_text(policy.read_text().replace('gap = "4h"', 'gap = "168h"'))
    before = (here / "data" / "ledger.db").read_bytes()
    args = ["simulate", "--from-ledger", "--against", str(there), "--daily-limit", "1"]
    table, page = tmp_path / "texts.csv", tmp_path / "report.html"
    more = ["--csv", str(table), "--report", str(page), "--price", "0.01"]
    done = CliRunner().invoke(cli, ["-C", str(here), *args, *more, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["comparison"] is None
    assert found["texts"] > found["there"]["texts"]
    assert sum(found["against"]["only_here"].values()) > 0
    assert len(found["daily_limit_reached"]) == len(found["days"])
    assert found["cost_micros"] > 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert {"sent", "started"} <= {row["what"] for row in rows}
    assert "<h2>By play</h2>" in page.read_text()
    assert (here / "data" / "ledger.db").read_bytes() == before
    shown = CliRunner().invoke(cli, ["-C", str(here), *args])
    assert "Texts beside the other files" in shown.output


def test_the_command_names_files_that_are_not_as_they_were(town: Town, tmp_path: Path) -> None:
    town.introduce(0)
    here = moved(town, tmp_path / "here")
    play = here / "mappings" / "plays" / "win_back_7d.toml"
    play.write_text(play.read_text().replace('"7d"', '"6d"', 1))
    done = CliRunner().invoke(cli, ["-C", str(here), "simulate", "--from-ledger"])
    assert "Not as it was: play win_back_7d is" in done.output
    assert load(here, secrets=False).plays["win_back_7d"].version in done.output


def test_the_command_asks_what_to_run(town: Town) -> None:
    done = CliRunner().invoke(cli, ["-C", str(town.folder), "simulate"])
    assert done.exit_code == 2
    assert "--from-ledger" in done.output


def test_export_writes_lines_that_only_their_owner_reads(town: Town, tmp_path: Path) -> None:
    town.introduce(0)
    here = moved(town, tmp_path / "here")
    path = tmp_path / "inputs.jsonl"
    done = CliRunner().invoke(cli, ["-C", str(here), "export", "inputs", str(path)])
    assert done.exit_code == 0, done.output
    assert path.stat().st_mode & 0o777 == 0o600
    kinds = {json.loads(line)["kind"] for line in path.read_text().splitlines()}
    assert kinds >= {"about", "event", "files"}
