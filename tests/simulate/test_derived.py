"""Every decision of a life can be made again from what the ledger keeps of it, and is the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from connector.ledger import audited
from connector.ledger.store import Tx
from connector.simulate.derived import DIFFERS, SAME, UNKNOWN, Audited, Auditor, sampled
from tests.simulate.lives import happens
from tests.simulate.stories import STORIES
from tests.simulate.town import wander
from tests.simulate.village import Village, write_village

REASONS = {
    *("opted_out", "no_consent", "suppressed", "wrong_stage", "already_said", "expired"),
    *("value_missing", "quiet_hours", "cap_full", "minimum_gap", "paused", "in_conversation"),
    *("in_another_play", "condition_false", "exit_when", "fact_missing"),
}
"""Some that a life must have come to, or this proves little."""


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """A village in which everything happened once."""
    place = tmp_path_factory.mktemp("derived")
    found = Village(write_village(place / "folder"), place / "home", 4)
    chance = random.Random(7)
    wander(found, chance, 0)
    for story in STORIES:
        story(found)
        happens(found, chance)
    yield found
    found.stop()


def made_again(village: Village) -> list[Audited]:
    auditor, found = Auditor(), []
    _, ids = sampled(village.store, "", None, 0.5)
    for each in ids:
        with village.store.read() as tx:
            row = audited.one(tx, each)
            assert row is not None
            found.append(auditor.audit(tx, row))
    return found


def told(item: Audited) -> str:
    recorded = item.recorded
    where = f"{recorded.moment} {item.about['play']} {recorded.reason}"
    return f"{where}: {item.differences}"


def test_every_decision_of_a_life_is_made_again_from_what_it_saw(village: Village) -> None:
    found = made_again(village)
    results = Counter((item.recorded.moment, item.result) for item in found)
    wrong = [told(item) for item in found if item.result == DIFFERS]
    assert wrong == [], "\n".join(wrong[:20])
    gone = [item for item in found if item.result == UNKNOWN]
    assert gone and all("erased with the person" in item.why for item in gone)
    assert min(results[moment, SAME] for moment in ("trigger", "plan", "send")) > 20
    reached = {each.reason for item in found for each in item.recorded.objections}
    assert reached >= REASONS, REASONS - reached


def test_no_number_and_no_text_of_a_life_stands_in_what_decisions_saw(village: Village) -> None:
    said = village.rows("SELECT phone, text FROM sends")
    kept = village.rows(
        "SELECT f.body FROM facts f JOIN decisions d ON d.facts_hash = f.hash "
        "WHERE d.moment <> 'trigger'"
    )
    bodies = "\n".join(row["body"] for row in kept)
    assert not [row["phone"] for row in said if row["phone"] and row["phone"] in bodies]
    assert not [row["text"] for row in said if len(row["text"]) > 20 and row["text"] in bodies]


def of_last(village: Village, where: str) -> tuple[str, str]:
    """(id of a decision, hash of what it saw), the newest of its kind with facts of its own."""
    [row] = village.rows(
        f"SELECT id, facts_hash FROM decisions WHERE {where} AND (SELECT count(*) FROM decisions o "
        "WHERE o.facts_hash = decisions.facts_hash) = 1 ORDER BY id DESC LIMIT 1"
    )
    return row["id"], row["facts_hash"]


def changed(tx: Tx, decision: str, sql: str, **values: str) -> Audited:
    """A decision made again after somebody wrote to the ledger; what they wrote is undone."""
    assert tx.run(sql, **values)
    row = audited.one(tx, decision)
    assert row is not None
    return Auditor().audit(tx, row)


class Undo(Exception):
    """Ends a transaction without a trace."""


@pytest.mark.parametrize(
    ("what", "sql"),
    [
        ("facts", "UPDATE facts SET body = replace(body, 'con_', 'con-') WHERE hash = :hash"),
        ("facts", "DELETE FROM facts WHERE hash = :hash"),
        ("policy", "UPDATE files SET content = content || ' ' WHERE kind = 'policy'"),
        ("hours", "UPDATE files SET content = content || ' ' WHERE kind = 'hours'"),
        ("verdict", "UPDATE decisions SET verdict = 'stop' WHERE id = :id"),
        ("reason", "UPDATE decisions SET reason = 'quiet_hours' WHERE id = :id"),
        ("until", "UPDATE decisions SET until_at = '2026-12-01T00:00:00.000000Z' WHERE id = :id"),
    ],
)
def test_whatever_was_changed_since_is_named(village: Village, what: str, sql: str) -> None:
    decision, facts = of_last(village, "moment = 'send' AND verdict = 'send'")
    values = {":hash": ("hash", facts), ":id": ("id", decision)}
    wanted = dict(pair for mark, pair in values.items() if mark in sql)
    with pytest.raises(Undo), village.store.write() as tx:
        found = changed(tx, decision, sql, **wanted)
        assert found.result == DIFFERS
        assert [each.what for each in found.differences] == [what]
        raise Undo


def test_an_objection_that_was_written_in_later_is_named(village: Village) -> None:
    decision, _ = of_last(village, "moment = 'plan' AND verdict = 'wait'")
    forged = orjson.dumps(
        [{"reason": "on_list", "verdict": "wait", "says": "On a list.", "until": None}]
    ).decode()
    sql = "UPDATE decisions SET objections = :forged WHERE id = :id"
    with pytest.raises(Undo), village.store.write() as tx:
        found = changed(tx, decision, sql, id=decision, forged=forged)
        assert "objection" in [each.what for each in found.differences]
        assert any("On a list." in each.recorded for each in found.differences)
        raise Undo


def test_what_was_erased_with_its_person_is_no_difference(village: Village) -> None:
    decision, facts = of_last(village, "moment = 'send' AND verdict = 'send'")
    sql = (
        "INSERT INTO acts (id, act, about, version, who, why, at, seq, hash, sealed) "
        "SELECT 'act_x', 'erase', 'contact:' || contact_id, '', 'x', '', '', 999999, '', '' "
        "FROM decisions WHERE id = :id"
    )
    with pytest.raises(Undo), village.store.write() as tx:
        tx.run("DELETE FROM facts WHERE hash = :hash", hash=facts)
        found = changed(tx, decision, sql, id=decision)
        assert (found.result, found.differences) == (UNKNOWN, [])
        assert "act_x" in found.why
        raise Undo


def test_a_sample_is_spread_over_all_of_a_span(village: Village) -> None:
    count, everything = sampled(village.store, "", None, 0.0)
    ids = list(everything)
    assert len(ids) == count > 100
    for chance in (0.0, 0.5, 0.999):
        _, some = sampled(village.store, "", 10, chance)
        places = [ids.index(each) for each in some]
        assert len(places) == 10
        assert all(number * count // 10 <= place for number, place in enumerate(places))


def test_a_libraries_change_is_told_beside_a_difference(village: Village) -> None:
    decision, _ = of_last(village, "moment = 'send' AND verdict = 'send'")
    with pytest.raises(Undo), village.store.write() as tx:
        tx.run("UPDATE files SET version = '2020.1' WHERE kind = 'library' AND name = 'tzdata'")
        sql = "UPDATE decisions SET reason = 'quiet_hours' WHERE id = :id"
        found = changed(tx, decision, sql, id=decision)
        assert found.libraries["tzdata"][0] == "2020.1"
        raise Undo


def test_a_start_is_judged_again_by_its_play_of_then(village: Village, tmp_path: Path) -> None:
    decision, _ = of_last(village, "moment = 'trigger' AND reason = 'wrong_stage'")
    with pytest.raises(Undo), village.store.write() as tx:
        row = audited.one(tx, decision)
        assert row is not None and Auditor().audit(tx, row).result == SAME
        sql = "UPDATE files SET content = content || ' ' WHERE kind = 'play' AND name = :play"
        found = changed(tx, decision, sql, play=row["play"])
        assert [each.what for each in found.differences] == [f"play {row['play']}"]
        raise Undo
