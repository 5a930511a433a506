"""Whatever is done to a chained row is found, and named."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import clock
from connector.errors import ConnectorError
from connector.ledger import acts, chain, consents, decisions, erasure, migrations, verify
from connector.ledger.chain import ACTS, ALL, CONSENTS, DECISIONS, Chain
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx, savepoint
from connector.ledger.verify import Finding
from connector.model import Capture, Decision, Objection, Verdict

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE, OTHER = "+12125550123", "+12125550199"
ROWS = 6

counted = iter(range(10**9))


def new_id(kind: str) -> str:
    return f"{kind}_{next(counted):06d}"


def act(tx: Tx, number: int, why: str = "a person called") -> None:
    about = f"number:{PHONE}" if number % 2 else "play:cart"
    at = NOW + number * MINUTE
    acts.add(tx, f"act_{number}", "pause", about, who="operator:ann", at=at, why=why, version="v1")


def consent(tx: Tx, number: int, phone: str = "") -> bool:
    return consents.add(
        tx,
        consent_id=f"cns_{number}",
        phone=phone or (PHONE if number % 2 else OTHER),
        purpose=f"purpose_{number}",
        granted=True,
        method="web_form",
        wording="Yes, text me",
        source="fair-2026",
        recorded_by="operator:ann",
        event_id=f"evt_{number}",
        occurred_at=NOW + number * MINUTE,
        now=NOW + number * MINUTE,
        evidence={"page": "/signup"},
        capture=Capture("v1", "192.0.2.7", "https://corner.example/", "Mozilla"),
    )


def decision(tx: Tx, number: int, contact: str = "") -> None:
    until = NOW + (number + 60) * MINUTE
    objection = Objection("quiet_hours", Verdict.wait, "it is night", until)
    about = decisions.About(
        *("plan", contact or f"con_{number}", "cart", "v1", "k", "s"),
        enrolment_id=f"enr_{number}",
        send_id=f"snd_{number}",
        event_id=f"evt_{number}",
    )
    made = Decision(Verdict.wait, (objection,), until, "p+h")
    facts = {"contact": about.contact_id, "number": number}
    decisions.add(tx, about, made, facts, NOW + number * MINUTE, decision_id=f"dec_{number}")


def fill(store: SqliteStore, start: int = 1, rows: int = ROWS) -> None:
    with store.write() as tx:
        for number in range(start, start + rows):
            act(tx, number)
            consent(tx, number)
            decision(tx, number)


@pytest.fixture
def full(store: SqliteStore) -> SqliteStore:
    """Six rows of each chain; the third of each bears what is looked for below."""
    fill(store)
    return store


def found(store: SqliteStore) -> dict[str, Finding]:
    """What is wrong, by chain; nothing where all is whole."""
    walked = (verify.walk(store, each) for each in ALL)
    wrong = {each.table: each.finding for each in walked if each.finding is not None}
    _, fact = verify.facts(store)
    return wrong | ({"facts": fact} if fact else {})


def forge(store: SqliteStore, sql: str, *values: object) -> None:
    """What somebody who can write to the file may do: past every function of ours."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        assert connection.execute(sql, values).rowcount


def columns(store: SqliteStore, table: str) -> list[str]:
    with store.read() as tx:
        return [str(row["name"]) for row in tx.all(f"PRAGMA table_info({table})")]


BESIDE = {"seq", "hash", "salt"}
EVERY_COLUMN = [
    (each, name)
    for each in ALL
    for name in (*each.columns, *each.personal, "seq", "hash", *(["salt"] if each.personal else []))
]


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
def test_every_column_of_a_chained_table_is_in_the_chain(store: SqliteStore, each: Chain) -> None:
    named = {*each.columns, *each.personal, "seq", "hash", *(["salt"] if each.personal else [])}
    assert set(columns(store, each.table)) == named


def test_what_is_written_is_whole(full: SqliteStore) -> None:
    assert found(full) == {}
    with full.read() as tx:
        assert {name: row["seq"] for name, row in chain.heads(tx).items()} == {
            each.table: ROWS for each in ALL
        }


@pytest.mark.parametrize(("each", "column"), EVERY_COLUMN, ids=lambda v: getattr(v, "table", v))
@pytest.mark.parametrize("value", ["forged", "", None, b"\xff\xfe", 7])
def test_a_value_that_was_changed_is_found_and_its_row_named(
    full: SqliteStore, each: Chain, column: str, value: object
) -> None:
    if column == "seq" and value is None:
        pytest.skip("the table itself refuses it")
    with closing(sqlite3.connect(full.path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        ids = [row[0] for row in connection.execute(f"SELECT id FROM {each.table} ORDER BY seq")]
        try:
            connection.execute(f"UPDATE {each.table} SET {column} = ? WHERE seq = 3", (value,))
        except sqlite3.IntegrityError:
            pytest.skip("the table itself refuses it")
        connection.commit()
    wrong = found(full)
    assert set(wrong) == {each.table}
    finding = wrong[each.table]
    assert (finding.table, finding.seq) == (each.table, 3) or column == "seq"
    if column == "seq":
        assert (finding.kind, finding.id) in {("missing", ""), ("added", ids[2])}
    elif column == "salt" and value is None:
        assert (finding.kind, finding.id) == ("altered", ids[2])
    elif column == "id":
        assert (finding.kind, finding.id) == ("altered", str(value))
    else:
        assert (finding.kind, finding.id) == ("altered", ids[2])


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
@pytest.mark.parametrize("how", ["places", "places and hashes", "contents", "contents and hashes"])
def test_two_rows_that_were_swapped_are_found(full: SqliteStore, each: Chain, how: str) -> None:
    swapped(full, each, 2, 5, how)
    wrong = found(full)
    assert set(wrong) == {each.table}
    finding = wrong[each.table]
    prefix = {"acts": "act", "consents": "cns", "decisions": "dec"}[each.table]
    assert (finding.kind, finding.id, finding.seq) == ("reordered", f"{prefix}_5", 2)
    assert f"{prefix}_2" in finding.says


def swapped(store: SqliteStore, each: Chain, one: int, two: int, how: str) -> None:
    """Two rows change places; with or without the hashes that stand there."""
    moving = [name for name in columns(store, each.table) if name not in ("seq", "hash")]
    if "hashes" in how:
        moving.append("hash")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        rows = {
            row["seq"]: dict(row)
            for row in connection.execute(
                f"SELECT * FROM {each.table} WHERE seq IN (?, ?)", (one, two)
            )
        }
        if "places" in how and "hashes" in how:
            for seq, to in ((one, -1), (two, one), (-1, two)):
                connection.execute(f"UPDATE {each.table} SET seq = ? WHERE seq = ?", (to, seq))
        else:
            connection.execute(f"UPDATE {each.table} SET id = 'x' WHERE seq = ?", (two,))
            setting = ", ".join(f"{name} = :{name}" for name in moving)
            for seq, other in ((one, two), (two, one)):
                sql = f"UPDATE {each.table} SET {setting} WHERE seq = :place"
                connection.execute(sql, {**rows[other], "place": seq})
        connection.execute("COMMIT")


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
@pytest.mark.parametrize("seq", [1, 3, ROWS])
def test_a_row_that_was_taken_out_is_found(full: SqliteStore, each: Chain, seq: int) -> None:
    forge(full, f"DELETE FROM {each.table} WHERE seq = ?", seq)
    [finding] = found(full).values()
    assert (finding.kind, finding.table, finding.seq) == ("missing", each.table, seq)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
def test_a_row_that_was_taken_out_and_the_numbers_closed_up_is_found(
    full: SqliteStore, each: Chain
) -> None:
    forge(full, f"DELETE FROM {each.table} WHERE seq = 3")
    for seq in range(4, ROWS + 1):
        forge(full, f"UPDATE {each.table} SET seq = ? WHERE seq = ?", seq - 1, seq)
    forge(full, "UPDATE chains SET seq = seq - 1 WHERE name = ?", each.table)
    [finding] = found(full).values()
    assert (finding.kind, finding.table, finding.seq) == ("altered", each.table, 3)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
def test_a_tail_that_was_cut_off_is_found_by_the_head(full: SqliteStore, each: Chain) -> None:
    forge(full, f"DELETE FROM {each.table} WHERE seq > 4")
    [finding] = found(full).values()
    assert (finding.kind, finding.table, finding.seq) == ("missing", each.table, 5)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
def test_all_rows_gone_is_found(full: SqliteStore, each: Chain) -> None:
    forge(full, f"DELETE FROM {each.table}")
    assert found(full)[each.table].kind == "missing"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("UPDATE chains SET hash = 'forged' WHERE name = 'decisions'", "altered"),
        ("UPDATE chains SET seq = 3 WHERE name = 'decisions'", "added"),
        ("UPDATE chains SET seq = 9 WHERE name = 'decisions'", "missing"),
        ("UPDATE chains SET seq = 'x' WHERE name = 'decisions'", "altered"),
        ("DELETE FROM chains WHERE name = 'decisions'", "missing"),
    ],
)
def test_a_head_that_was_changed_is_found(full: SqliteStore, sql: str, kind: str) -> None:
    forge(full, sql)
    [finding] = found(full).values()
    assert finding.kind == kind


@pytest.mark.parametrize("seq", ["-4", "0", "3", "7", "1.5", "'x'", "NULL"])
def test_a_row_that_was_slipped_in_is_found(full: SqliteStore, seq: str) -> None:
    """Also where the table's own index was dropped first, so that a seq may stand twice."""
    names = ", ".join(DECISIONS.columns)
    with closing(sqlite3.connect(full.path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE free AS SELECT * FROM decisions")
        connection.execute("PRAGMA legacy_alter_table = ON")
        connection.execute("DROP TABLE decisions")
        connection.execute("ALTER TABLE free RENAME TO decisions")
        connection.execute(
            f"INSERT INTO decisions ({names}, seq, hash) SELECT 'dec_forged', "
            f"{names.partition(', ')[2]}, {seq}, hash FROM decisions WHERE seq = 3"
        )
    [finding] = found(full).values()
    assert finding.kind == "added" and finding.table == "decisions"


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
def test_a_tail_that_was_written_anew_only_an_anchor_finds(full: SqliteStore, each: Chain) -> None:
    """Whoever knows how it is done makes a chain that holds; not one that was told elsewhere."""
    with full.read() as tx:
        heads = [(int(chain.heads(tx)[each.table]["seq"]), chain.heads(tx)[each.table]["hash"])]
        third = tx.one(f"SELECT hash FROM {each.table} WHERE seq = 3")
    assert third
    heads.append((3, third["hash"]))
    assert verify.against(full, verify.walk(full, each), heads) == (2, None)
    written_anew(full, each, 4)
    assert found(full) == {}
    agree, finding = verify.against(full, verify.walk(full, each), heads)
    assert finding is not None and agree == 1
    assert (finding.kind, finding.table, finding.seq) == ("rewritten", each.table, 4)
    assert finding.id == verify_id(full, each, 4)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.table)
def test_a_tail_cut_off_together_with_the_head_only_an_anchor_finds(
    full: SqliteStore, each: Chain
) -> None:
    with full.read() as tx:
        known = [(int(chain.heads(tx)[each.table]["seq"]), chain.heads(tx)[each.table]["hash"])]
    forge(full, f"DELETE FROM {each.table} WHERE seq > 4")
    forge(
        full,
        f"UPDATE chains SET seq = 4, hash = (SELECT hash FROM {each.table} WHERE seq = 4) "
        "WHERE name = ?",
        each.table,
    )
    assert found(full) == {}
    _, finding = verify.against(full, verify.walk(full, each), known)
    assert finding is not None
    assert finding.kind == "rewritten" and finding.table == each.table
    with full.read() as tx:
        at_four = tx.one(f"SELECT hash FROM {each.table} WHERE seq = 4")
    assert at_four
    _, finding = verify.against(full, verify.walk(full, each), [*known, (4, str(at_four["hash"]))])
    assert finding is not None and (finding.kind, finding.seq) == ("missing", 5)


def verify_id(store: SqliteStore, each: Chain, seq: int) -> str:
    with store.read() as tx:
        row = tx.one(f"SELECT id FROM {each.table} WHERE seq = :seq", seq=seq)
    return str(row["id"]) if row else ""


def written_anew(store: SqliteStore, each: Chain, start: int) -> None:
    """The row at a seq says something else, and all hashes from there on are made to fit."""
    column = "why" if each is ACTS else "purpose" if each is CONSENTS else "verdict"
    with store.write() as tx:
        tx.run(f"UPDATE {each.table} SET {column} = 'forged' WHERE seq = :seq", seq=start)
        before = tx.one(f"SELECT hash FROM {each.table} WHERE seq = :seq", seq=start - 1)
        digest = str(before["hash"]) if before else ""
        for row in tx.all(f"SELECT * FROM {each.table} WHERE seq >= :seq ORDER BY seq", seq=start):
            values: dict[str, Any] = dict(row)
            if each.personal:
                values["sealed"] = chain.seal(values["salt"], each, values)
                tx.run(
                    f"UPDATE {each.table} SET sealed = :sealed WHERE seq = :seq",
                    sealed=values["sealed"],
                    seq=values["seq"],
                )
            digest = chain.digest(digest, each, values)
            tx.run(
                f"UPDATE {each.table} SET hash = :hash WHERE seq = :seq",
                hash=digest,
                seq=values["seq"],
            )
        tx.run(chain.MOVE, name=each.table, seq=ROWS, hash=digest)


def test_facts_that_were_changed_or_taken_are_found(full: SqliteStore) -> None:
    body = "SELECT facts_hash FROM decisions WHERE seq = 2"
    forge(full, f"UPDATE facts SET body = '{{}}' WHERE hash = ({body})")
    [finding] = found(full).values()
    assert (finding.kind, finding.table) == ("altered", "facts")
    forge(full, f"DELETE FROM facts WHERE hash = ({body})")
    [finding] = found(full).values()
    assert (finding.kind, finding.table, finding.seq) == ("missing", "facts", 2)


def test_erased_consents_keep_the_chain_whole_and_say_nothing(full: SqliteStore) -> None:
    with full.write() as tx:
        gone = consents.erase(tx, PHONE, who="operator:ann", why="asked", at=NOW, new_id=new_id)
        assert (gone, consents.rows(tx, PHONE)) == (3, [])
    assert found(full) == {}
    assert verify.walk(full, CONSENTS).erased == 3
    with full.read() as tx:
        kept = [dict(row) for row in tx.all("SELECT * FROM consents WHERE salt IS NULL")]
    for row in kept:
        assert all(row[name] == blank for name, blank in CONSENTS.personal.items())
        assert row["purpose"] and row["occurred_at"] and row["sealed"]


def test_erased_acts_keep_the_chain_whole_and_say_nothing(full: SqliteStore) -> None:
    with full.write() as tx:
        about = f"number:{PHONE}"
        asked: dict[str, Any] = {"who": "operator:ann", "why": "asked", "at": NOW, "new_id": new_id}
        assert erasure.erase_acts(tx, about, **asked) == 3
        assert acts.of(tx, about) == []
    assert found(full) == {}
    assert verify.walk(full, ACTS).erased == 3


def test_what_was_sealed_cannot_be_found_by_trying_every_number(full: SqliteStore) -> None:
    """Not even by who knows all but the number: the salt is gone."""
    with full.read() as tx:
        [before] = tx.all("SELECT * FROM consents WHERE id = 'cns_1'")
    with full.write() as tx:
        consents.erase(tx, PHONE, who="ann", why="asked", at=NOW, new_id=new_id)
    with full.read() as tx:
        [after] = tx.all("SELECT * FROM consents WHERE id = 'cns_1'")
    assert before["sealed"] == after["sealed"] == chain.seal(before["salt"], CONSENTS, before)
    for salt in ("", "0" * 32, after["hash"]):
        assert chain.seal(salt, CONSENTS, before) != after["sealed"]
    assert len({str(before["salt"])} | {clock.new_salt() for _ in range(100)}) == 101


@pytest.mark.parametrize("each", [CONSENTS, ACTS], ids=lambda each: each.table)
def test_erasing_without_an_act_is_found(full: SqliteStore, each: Chain) -> None:
    blank = ", ".join(f"{name} = '{value}'" for name, value in each.personal.items())
    forge(full, f"UPDATE {each.table} SET {blank}, salt = NULL WHERE seq = 3")
    [finding] = found(full).values()
    assert (finding.kind, finding.table, finding.seq) == ("erased", each.table, 3)


def test_another_number_in_an_erased_row_is_found(full: SqliteStore) -> None:
    with full.write() as tx:
        consents.erase(tx, PHONE, who="ann", why="asked", at=NOW, new_id=new_id)
    forge(full, "UPDATE consents SET phone = '+12125550777' WHERE id = 'cns_3'")
    [finding] = found(full).values()
    assert (finding.kind, finding.id) == ("altered", "cns_3")


def test_erased_facts_are_backed_by_an_act(full: SqliteStore) -> None:
    with full.write() as tx:
        about: dict[str, Any] = {"who": "ann", "why": "asked", "at": NOW, "new_id": new_id}
        assert erasure.erase_facts(tx, "con_2", **about) == 1
        assert erasure.erase_facts(tx, "con_2", **about) == 0
    assert found(full) == {}


def test_the_oldest_rows_may_go_by_an_act_and_the_rest_is_whole(full: SqliteStore) -> None:
    about: dict[str, Any] = {
        "who": "connector",
        "why": "kept for 3 years",
        "at": NOW,
        "new_id": new_id,
    }
    with full.write() as tx:
        assert erasure.cut(tx, DECISIONS, NOW + 4 * MINUTE, **about) == 3
        assert erasure.cut(tx, DECISIONS, NOW + 4 * MINUTE, **about) == 0
        assert erasure.cut(tx, CONSENTS, NOW + 9 * MINUTE, **about, limit=2) == 2
        with pytest.raises(ConnectorError):
            erasure.cut(tx, ACTS, NOW, **about)
    assert found(full) == {}
    walked = verify.walk(full, DECISIONS)
    assert (walked.first, walked.seq) == (3, ROWS)
    fill(full, ROWS + 1)
    assert found(full) == {}
    forge(full, "DELETE FROM decisions WHERE seq = 4")
    [finding] = found(full).values()
    assert (finding.kind, finding.seq) == ("missing", 4)


def test_a_whole_chain_cut_by_an_act_goes_on(full: SqliteStore) -> None:
    about: dict[str, Any] = {
        "who": "connector",
        "why": "kept for 3 years",
        "at": NOW,
        "new_id": new_id,
    }
    with full.write() as tx:
        assert erasure.cut(tx, DECISIONS, NOW + 99 * MINUTE, **about) == ROWS
    assert found(full) == {}
    fill(full, ROWS + 1)
    assert found(full) == {}


def test_a_wait_that_repeats_changes_no_chained_row(store: SqliteStore) -> None:
    until = NOW + 60 * MINUTE
    objection = Objection("quiet_hours", Verdict.wait, "it is night", until)
    made = Decision(Verdict.wait, (objection,), until, "p+h")
    about = decisions.About("send", "con_1", send_id="snd_1")
    for number in range(4):
        with store.write() as tx:
            at = NOW + number * MINUTE
            decisions.add(tx, about, made, {}, at, decision_id=f"dec_{number}")
    with store.read() as tx:
        [row] = decisions.of(tx, send_id="snd_1")
    assert (row["repeats"], row["last_at"]) == (3, clock.text(NOW + 3 * MINUTE))
    assert found(store) == {}


@settings(deadline=None, max_examples=40)
@given(
    plan=st.lists(
        st.tuples(st.sampled_from(["act", "consent", "decision"]), st.integers(0, 3)), max_size=12
    )
)
def test_parts_that_are_rolled_back_leave_the_chain_whole(
    plan: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """0 keeps a row; 1 fails in a part of the transaction, 2 in a part of a part; 3 fails whole."""
    store = opened(tmp_path_factory.mktemp("chain"))
    make = {"act": act, "consent": consent, "decision": decision}
    kept = {"acts": 0, "consents": 0, "decisions": 0}
    for number, (what, fails) in enumerate(plan):
        try:
            with store.write() as tx:
                make[what](tx, 1000 + number)
                try:
                    with savepoint(tx):
                        make[what](tx, 2000 + number)
                        if fails == 2:
                            with savepoint(tx):
                                make[what](tx, 3000 + number)
                                raise KeyError
                        if fails == 1:
                            raise KeyError
                except KeyError:
                    pass
                make[what](tx, 4000 + number)
                if fails == 3:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            continue
        kept[f"{what}s"] += 2 if fails else 3
    assert found(store) == {}
    with store.read() as tx:
        assert {name: row["seq"] for name, row in chain.heads(tx).items()} == kept
    store.close()


def test_heads_that_are_held_are_told_at_once_and_stand_in_the_ledger_after_the_commit(
    store: SqliteStore,
) -> None:
    with store.write() as tx:
        act(tx, 1)
        act(tx, 2)
        held = chain.heads(tx)["acts"]
        assert held["seq"] == 2
        assert tx.one(chain.HEAD, name="acts")["seq"] == 0  # type: ignore[index]
    with store.read() as tx:
        assert dict(chain.heads(tx)["acts"]) == dict(held)
    assert found(store) == {}


def opened(folder: Path) -> SqliteStore:
    store = SqliteStore(folder / "ledger.db")
    migrations.migrate(store.database())
    return store


def busy(path: Path, start: int, rounds: Iterable[int]) -> None:
    """Another process that writes, a transaction a row."""
    store = SqliteStore(path)
    for number in rounds:
        with store.write() as tx:
            for make in (act, consent, decision):
                make(tx, start + number)


def test_two_processes_that_write_at_once_make_one_whole_chain(store: SqliteStore) -> None:
    context = multiprocessing.get_context("fork")
    both = [
        context.Process(target=busy, args=(store.path, start, range(40))) for start in (100, 900)
    ]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert found(store) == {}
    assert verify.walk(store, DECISIONS).seq == 80


def test_a_process_killed_at_any_instant_leaves_the_chain_whole(store: SqliteStore) -> None:
    context = multiprocessing.get_context("fork")
    for start in range(100_000, 400_000, 100_000):
        writer = context.Process(target=busy, args=(store.path, start, range(100_000)))
        before = verify.walk(store, DECISIONS).seq
        writer.start()
        while verify.walk(store, DECISIONS).seq < before + 5:
            pass
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join(60)
        assert found(store) == {}
    fill(store, 1)
    assert found(store) == {}


def test_rows_are_hashed_as_the_documentation_says(full: SqliteStore) -> None:
    """With nothing but a standard library: anybody may check the chain without us."""
    import hashlib
    import json

    before = ""
    with full.read() as tx:
        rows = tx.all("SELECT * FROM consents ORDER BY seq")
    for row in rows:
        personal = [row[name] for name in CONSENTS.personal]
        packed = json.dumps(personal, ensure_ascii=False, separators=(",", ":"))
        assert row["sealed"] == hashlib.sha256(f"{row['salt']}{packed}".encode()).hexdigest()
        values = [row[name] for name in CONSENTS.columns]
        packed = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        before = hashlib.sha256(f"{before}{packed}".encode()).hexdigest()
        assert row["hash"] == before
