"""``connector audit``: what was recorded is as it was recorded, and anchors prove it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import responses

from connector import clock
from connector.config.loaded import load
from connector.ledger import acts, chain
from connector.runtime import open_setup, opened
from connector.steps import anchor as anchoring
from connector.upkeep import ANCHOR_FAILED, Upkeep
from tests.cli.conftest import Shop

URL = "https://hooks.corner.example/T01/secret"


def verified(shop: Shop, *args: str) -> tuple[int, dict[str, Any]]:
    code, text = shop.run("audit", "verify", "--json", *args)
    return code, json.loads(text.splitlines()[0])


def forge(shop: Shop, sql: str) -> None:
    with closing(sqlite3.connect(shop.path / "data" / "ledger.db")) as connection:
        assert connection.execute(sql).rowcount
        connection.commit()


def anchored(shop: Shop, **places: object) -> None:
    """Set ``[audit] anchor``."""
    table = ", ".join(f"{name} = {json.dumps(value)}" for name, value in places.items())
    config = shop.path / "config.toml"
    config.write_text(f"{config.read_text()}\n[audit]\nanchor = {{ {table} }}\n")


def test_a_ledger_as_it_was_recorded_is_whole(shop: Shop) -> None:
    code, found = verified(shop)
    assert (code, found["whole"], found["findings"]) == (0, True, [])
    assert {each["chain"]: each["rows"] for each in found["chains"]} == {
        "acts": shop.one("SELECT count(*) FROM acts"),
        "consents": shop.one("SELECT count(*) FROM consents"),
        "decisions": shop.one("SELECT count(*) FROM decisions"),
    }
    assert found["files"]["ledger.db"] == []
    code, text = shop.run("audit", "verify")
    assert code == 0 and "whole, says SQLite" in text


def test_a_forged_row_is_named_with_what_to_do_next(shop: Shop) -> None:
    forge(shop, "UPDATE consents SET wording = 'Yes to all' WHERE seq = 1")
    code, found = verified(shop)
    assert code == 1
    [finding] = found["findings"]
    assert (finding["kind"], finding["table"], finding["seq"]) == ("altered", "consents", 1)
    code, text = shop.run("audit", "verify")
    assert code == 1 and finding["id"] in text and "Copy the data folder aside" in text


def test_a_damaged_file_is_found(shop: Shop) -> None:
    with closing(sqlite3.connect(shop.path / "data" / "ledger.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = shop.path / "data" / "ledger.db"
    blob = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = 'sends_due'"
        [page] = connection.execute(sql).fetchone()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    blob[(page - 1) * size : (page - 1) * size + 16] = b"\xff" * 16
    path.write_bytes(blob)
    code, found = verified(shop)
    assert code == 1
    assert found["files"]["ledger.db"] and found["findings"][0]["kind"] == "unreadable"


def test_an_anchor_is_written_to_the_file_and_proves_the_ledger_since(shop: Shop) -> None:
    anchored(shop, file="kept/anchors.jsonl")
    assert shop.json("audit", "anchor")[0]["written_to"] == ["file"]
    shop.run("audit", "anchor", "--why", "before the review")
    assert oct((shop.path / "kept" / "anchors.jsonl").stat().st_mode)[-3:] == "600"
    code, found = verified(shop)
    assert code == 0
    assert [(each["place"] == "ledger", each["agree"]) for each in found["anchors"]] == [
        (True, 2),  # heads that did not move count once
        (False, 4),
    ]
    with opened(load(shop.path)) as store, store.read() as tx:
        act = acts.last(tx, "ledger", "anchor")
    assert act is not None and act["why"] == "before the review"


@pytest.mark.parametrize("start", [1, 2])
def test_a_ledger_written_anew_from_a_row_on_is_named_by_the_anchor(
    shop: Shop, start: int, tmp_path: Path
) -> None:
    """Whoever forged it knows how the chain is made, and could not reach the anchor."""
    code, text = shop.run("audit", "anchor")
    assert code == 0 and "No place is set" in text
    mail = tmp_path / "mail.eml"
    mail.write_text(f"Subject: anchor\r\n\r\nKeep {{this}}.\r\n{text}")
    written_anew(shop, start)
    code, found = verified(shop, "--anchor", str(mail))
    assert code == 1
    kept = [each for each in found["findings"]]
    assert {(each["kind"], each["table"], each["seq"]) for each in kept} == {
        ("rewritten", "decisions", 1)
    }
    assert kept[0]["id"] == shop.one("SELECT id FROM decisions WHERE seq = 1")


def written_anew(shop: Shop, start: int) -> None:
    with opened(load(shop.path)) as store, store.write() as tx:
        tx.run("UPDATE decisions SET reason = 'forged' WHERE seq = :seq", seq=start)
        digest = ""
        for row in tx.all("SELECT * FROM decisions ORDER BY seq"):
            digest = chain.digest(digest, chain.DECISIONS, row)
            tx.run("UPDATE decisions SET hash = :h WHERE seq = :s", h=digest, s=row["seq"])
        head = chain.heads(tx)["decisions"]["seq"]
        tx.run(chain.MOVE, name="decisions", seq=head, hash=digest)


def test_a_file_without_an_anchor_of_this_ledger_is_no_proof(shop: Shop, tmp_path: Path) -> None:
    shop.run("audit", "anchor")
    other = tmp_path / "other"
    other.write_text('{"kind": "connector-anchor/1", "at": "", "ledger": "led_1", "chains": {}}')
    code, text = shop.run("audit", "verify", "--anchor", str(other))
    assert code == 2 and "no anchor of this ledger" in text


@responses.activate
def test_the_worker_anchors_each_day_and_again_in_an_hour_where_nobody_took_it(
    shop: Shop,
) -> None:
    anchored(shop, webhook=URL, file="anchors.jsonl")
    responses.post(URL, status=500)
    responses.post(URL, status=204)
    loaded = load(shop.path)
    times = clock.TestClock(shop.path / "data" / "clock")
    start = times()
    with opened(loaded) as store:
        upkeep = Upkeep(open_setup(loaded, store), store)

        def anchors_after(**span: int) -> bool:
            times.set(start + timedelta(**span), 0)
            return upkeep.anchor(loaded.settings)

        assert [anchors_after(), anchors_after(minutes=59)] == [False, False]
        with store.read() as tx:
            [alarm] = tx.all("SELECT * FROM alarms WHERE kind = :kind", kind=ANCHOR_FAILED)
        assert "hooks.corner.example" in alarm["says"] and "secret" not in alarm["says"]
        assert [anchors_after(hours=1), anchors_after(hours=24)] == [True, False]
        assert anchors_after(hours=25)
        with store.read() as tx:
            assert not tx.all("SELECT 1 FROM alarms WHERE cleared_at IS NULL")
    told = [json.loads(call.request.body or b"") for call in responses.calls]
    assert len(told) == 3 and told[1]["chains"]["decisions"]["seq"] >= 1
    assert len((shop.path / "anchors.jsonl").read_text().splitlines()) == 3
    assert verified(shop)[0] == 0


def test_a_place_that_does_not_take_it_is_a_failure_that_names_no_secret(shop: Shop) -> None:
    anchored(shop, webhook="https://localhost:1/secret", file="anchors.jsonl")
    code, text = shop.run("audit", "anchor")
    assert code == 1
    assert "Written to file" in text and "localhost" in text and "secret" not in text


def test_anchors_of_a_gap_that_a_restore_left_prove_nothing(shop: Shop) -> None:
    """What was recorded between a backup and its restore is lost, and known to be."""
    anchored(shop, file="anchors.jsonl")
    shop.run("audit", "anchor")
    line = json.loads((shop.path / "anchors.jsonl").read_text())
    line["at"] = "2026-11-20T20:00:00.000000Z"
    line["chains"]["decisions"] = {"seq": 99, "hash": "lost"}
    with (shop.path / "anchors.jsonl").open("a") as file:
        file.write(f"{json.dumps(line)}\n")
    code, found = verified(shop)
    assert code == 1 and found["findings"][0]["table"] == "decisions"
    backup, restored = "2026-11-20T19:00:00.000000Z", "2026-11-20T21:00:00.000000Z"

    def act(tx: Any) -> None:
        at = clock.instant(restored)
        acts.add(tx, "act_r", "restored", "ledger", who="operator:ann", at=at, version=backup)

    shop.write(act)
    assert verified(shop)[0] == 0


def test_the_ledgers_own_id_stays(shop: Shop) -> None:
    with opened(load(shop.path)) as store:
        first = anchoring.take(store, clock.new_id, who="a", why="", now=clock.now())
        second = anchoring.take(store, clock.new_id, who="a", why="", now=clock.now())
    assert first.ledger == second.ledger and first.heads != second.heads


def test_what_a_person_does_by_command_is_a_chained_act(shop: Shop) -> None:
    told = ("--method", "paper", "--wording", "Yes", "--source", "fair-2026")
    for args in (
        ("consent", "grant", "+12025550144", *told),
        ("consent", "revoke", "+12025550144"),
        ("export", "inputs", str(shop.path / "lines.jsonl"), "--why", "moving house"),
    ):
        code, text = shop.run(*args)
        assert code == 0, text
    with opened(load(shop.path)) as store, store.read() as tx:
        rows = tx.all("SELECT act, about, who, why FROM acts ORDER BY seq")
    found = [(row["act"], row["about"], row["why"]) for row in rows]
    assert ("grant", "consent:marketing", "paper, kept at fair-2026") in found
    assert "revoke" in {act for act, _, _ in found}
    assert ("exported", "inputs", "moving house") in found
    assert all(row["who"].startswith("operator:") for row in rows)
    assert verified(shop)[0] == 0
