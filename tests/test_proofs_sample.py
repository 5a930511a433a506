"""A minute of the long proofs (``make prove`` runs them whole), and proofs of their judges."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from connector.ledger import migrations
from connector.ledger.sqlite import SqliteStore
from connector.records import reference
from tests.crms.remote import RemoteCrm
from tests.proofs import (
    crm_process,
    fault_points,
    kill_run,
    sends_run,
    synced,
    writeback_run,
)
from tests.proofs.chapters import Plan, prove
from tests.proofs.load import answered
from tests.proofs.verdict import Verdict, at_rest, judge, outbox
from tests.steps.build import Shop
from tests.steps.outbox import Outbox

ROOT = Path(__file__).parents[1]


def test_killing_any_process_under_load_loses_and_repeats_nothing(tmp_path: Path) -> None:
    verdict = kill_run.chapter(tmp_path / "shop", seed=7, rounds=4, shows=print, rate=100)
    assert not verdict.faults
    assert verdict.counts["answered"] > 100
    assert verdict.counts["back"] + verdict.counts["down"] == 4


def test_dying_at_named_points_loses_and_repeats_nothing(tmp_path: Path) -> None:
    proof = [sys.executable, "-m", "tests.proofs", "points", "--rounds", "200"]
    done = subprocess.run(
        [*proof, "--place", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "nothing lost, nothing twice, in 200 rounds" in done.stdout
    assert not list(tmp_path.iterdir()), "a proof that ends well leaves nothing behind"


def test_dying_before_a_write_back_is_done_loses_and_doubles_nothing(tmp_path: Path) -> None:
    proof = [sys.executable, "-m", "tests.proofs", "writebacks", "--rounds", "24"]
    done = subprocess.run(
        [*proof, "--place", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "nothing lost, nothing twice, in 24 rounds" in done.stdout
    assert "died " in done.stdout


def test_dying_at_every_step_of_sending_doubles_and_forgets_no_text(tmp_path: Path) -> None:
    proof = [sys.executable, "-m", "tests.proofs", "sends", "--rounds", "24"]
    done = subprocess.run(
        [*proof, "--place", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "nothing lost, nothing twice, in 24 rounds" in done.stdout
    assert "died " in done.stdout


# -- going on where one stopped ----------------------------------------------------------------


def test_a_proof_goes_on_after_its_last_whole_chapter(tmp_path: Path) -> None:
    seeds: list[int] = []

    def chapter(path: Path, seed: int, rounds: int, shows: Callable[[str], None]) -> Verdict:
        path.mkdir()
        if len(seeds) == 2 and seed not in seeds:
            seeds.append(seed)
            raise KeyboardInterrupt
        seeds.append(seed)
        verdict = Verdict()
        verdict.counts["rounds"] = rounds
        return verdict

    plan = Plan("sample", 25, 10, seed=1, seconds=0)
    with pytest.raises(KeyboardInterrupt):
        prove(plan, chapter, tmp_path)
    assert prove(plan, chapter, tmp_path)
    assert seeds == [1_000_003, 1_000_013, 1_000_023, 1_000_023]


def test_a_faulty_chapter_fails_the_proof_and_its_folder_is_kept(tmp_path: Path) -> None:
    def chapter(path: Path, seed: int, rounds: int, shows: Callable[[str], None]) -> Verdict:
        path.mkdir()
        return Verdict(["1 texts were sent twice: x"])

    assert not prove(Plan("sample", 10, 10, seed=1, seconds=0), chapter, tmp_path)
    assert (tmp_path / "sample-0").exists()


# -- the judge ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on which a few orders were worked off, with nothing amiss."""
    path = tmp_path_factory.mktemp("rested") / "shop"
    fault_points.World(path, random.Random(2)).begin()
    assert at_rest(path)
    assert not judge(path, orders(path)).faults
    return path


@pytest.fixture
def folder(rested: Path, tmp_path: Path) -> Path:
    """A copy of it to tamper with."""
    return Path(shutil.copytree(rested, tmp_path / "copy"))


def orders(path: Path) -> set[str]:
    return {name for name in answered(path / "answered") if name.startswith("order-")}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("DELETE FROM events WHERE source_event_id = 'order-0'", "answered events are not in"),
        ("UPDATE events SET state = 'failed' WHERE name <> 'identify'", "were not acted on"),
        ("DELETE FROM enrolments", "orders without enrolments"),
        ("DELETE FROM decisions WHERE moment = 'send'", "texts left without leave"),
        ("DELETE FROM sends WHERE key = 'O0'", "texts left that the ledger does not know"),
        ("UPDATE sends SET state = 'sending'", "texts were never settled"),
        ("UPDATE sends SET state = 'refused', reason = ''", "ended without a reason"),
        ("UPDATE sends SET state = 'refused', reason = 'x'", "but the provider took them"),
        ("UPDATE sends SET attempt = 2", "begun twice"),
        ("DELETE FROM outcomes", "outcomes"),
        ("DELETE FROM local_activities", "texts that the CRM was not told of"),
        ("UPDATE writebacks SET state = 'parked'", "the CRM is still owed"),
    ],
)
def test_the_judge_sees_what_is_missing_or_wrong(folder: Path, damage: str, says: str) -> None:
    with closing(sqlite3.connect(folder / "data" / "ledger.db", isolation_level=None)) as ledger:
        ledger.execute(damage)
    assert any(says in fault for fault in judge(folder, orders(folder)).faults)


def test_the_judge_sees_a_text_that_was_sent_twice(folder: Path) -> None:
    log = folder / "data" / "sandbox.jsonl"
    first = log.read_text().splitlines()[0]
    with log.open("a") as file:
        file.write(first + "\n")
        file.write(first.replace("snd_", "snd_other") + "\n")
    faults = "\n".join(judge(folder, orders(folder)).faults)
    assert "handed over twice" in faults
    assert "texts were sent twice" in faults
    assert "does not know" in faults


def test_the_judge_sees_a_text_that_never_reached_the_provider(folder: Path) -> None:
    (folder / "data" / "sandbox.jsonl").write_text("")
    assert not outbox(folder)
    assert any("but not the provider" in fault for fault in judge(folder, orders(folder)).faults)


# -- the judge of write-backs ---------------------------------------------------------------


class There:
    """A CRM, from outside, with what a test puts into it."""

    def __init__(self, *state: dict[str, str]) -> None:
        self.state = list(state)

    def look(self, what: str = "state") -> dict[str, object]:
        return {"people": ["501", "502"], "state": self.state}


SENT = {"mark": reference("send:snd_1"), "kind": "activity", "record": "502", "body": "Delivered"}


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A folder with one text to a person, which arrived and is written."""
    (tmp_path / "data").mkdir()
    store = SqliteStore(tmp_path / "data" / "ledger.db")
    migrations.migrate(store.database())
    place = Outbox(store, RemoteCrm())
    place.know(1, "502")
    place.receipt(place.text(1))
    with store.write() as tx:
        tx.run("UPDATE writebacks SET state = 'written'")
    store.close()
    return tmp_path


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ([SENT], ""),
        ([], "things are not in hubspot"),
        ([SENT, SENT], "things are in hubspot twice"),
        ([SENT, {**SENT, "mark": "other"}], "that never happened"),
        ([{**SENT, "record": "501"}], "on another's record"),
        ([{**SENT, "body": "Sent"}], "do not say that they arrived"),
        ([{**SENT, "kind": "task"}], "a task that should be none"),
    ],
)
def test_the_judge_sees_what_is_amiss_in_a_crm(
    told: Path, there: list[dict[str, str]], says: str
) -> None:
    verdict = Verdict()
    writeback_run.judge(verdict, told, "hubspot", cast(crm_process.Told, There(*there)))
    assert any(says in fault for fault in verdict.faults) if says else not verdict.faults


def test_the_judge_sees_what_a_crm_is_still_owed(told: Path) -> None:
    with closing(sqlite3.connect(told / "data" / "ledger.db", isolation_level=None)) as ledger:
        ledger.execute("UPDATE writebacks SET state = 'parked'")
    verdict = Verdict()
    writeback_run.judge(verdict, told, "hubspot", cast(crm_process.Told, There(SENT)))
    assert any("is still owed, or refused" in fault for fault in verdict.faults)


# -- the judge of texts ------------------------------------------------------------------------

TAKEN = {"id": "SM-snd_000001", "ref": "snd_000001", "to": "+1", "text": "x", "at": ""}
FOREIGN = {**TAKEN, "id": "P1", "ref": ""}
DOUBT = """INSERT INTO doubts (send_id, since_at, verdict)
    VALUES ('snd_000001', '2026-11-18T17:00:00.000000Z', '{}')"""


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A ledger with one text that went."""
    shop = Shop(tmp_path)
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 1
    shop.close()
    return tmp_path


@pytest.mark.parametrize(
    ("there", "damage", "says"),
    [
        ([TAKEN, FOREIGN], (), ""),
        ([TAKEN, {**TAKEN, "id": "P2"}], (), "texts went twice"),
        ([TAKEN, {**TAKEN, "ref": "snd_9"}], (), "that the ledger does not know"),
        ([], (), "the provider has none"),
        ([TAKEN, FOREIGN], ("UPDATE sends SET provider_id = 'P1'",), "bound to what is not theirs"),
        ([TAKEN], ("UPDATE sends SET state = 'expired'",), "but the provider took them"),
        ([], ("UPDATE sends SET state = 'expired', reason = ''",), "nobody says why"),
        ([TAKEN], ("UPDATE sends SET state = 'uncertain'",), "stand on no list for a person"),
        (
            [TAKEN],
            ("UPDATE sends SET state = 'uncertain'", DOUBT.format("")),
            "stand on no list for a person",
        ),
        ([TAKEN], ("UPDATE sends SET state = 'uncertain'", DOUBT.format("person")), ""),
    ],
)
def test_the_judge_sees_what_is_amiss_with_a_text(
    sent: Path, there: list[dict[str, str]], damage: tuple[str, ...], says: str
) -> None:
    with closing(sqlite3.connect(sent / "ledger.db", isolation_level=None)) as ledger:
        for each in damage:
            ledger.execute(each)
    verdict = Verdict()
    sends_run.judge(verdict, sent, "words", there)
    assert any(says in fault for fault in verdict.faults) if says else not verdict.faults


# -- the reader of system calls ----------------------------------------------------------------

INBOX = "21</shop/data/inbox.db-wal>"
HERE, THERE = "TCP:[127.0.0.1:80->127.0.0.1:1]", "TCP:[127.0.0.1:80->127.0.0.1:2]"
HEARD = f'9 recvfrom(34<{HERE}>, "POST … {{\\"messageId\\": \\"order-1\\"}}", 8192, 0) = 99'
INSERT = f'8 pwrite64({INBOX}, "… \\"order-1\\" …", 4096, 32) = 4096'
SYNC = f"8 fdatasync({INBOX}) = 0"
ANSWER = f'9 writev(34<{HERE}>, [{{iov_base="HTTP/1.1 200 OK", iov_len=400}}], 1) = 400'


def verdict_on(*lines: str) -> list[str]:
    return synced.faults(synced.read(lines), ["order-1"])


def test_an_answer_after_a_sync_after_the_insert_is_well() -> None:
    assert not verdict_on(HEARD, INSERT, SYNC, ANSWER)


def test_an_answer_without_a_sync_or_before_it_is_seen() -> None:
    early = ["order-1 was answered before a sync that began after its insert"]
    assert verdict_on(HEARD, INSERT, ANSWER) == early
    assert verdict_on(HEARD, INSERT, ANSWER, SYNC) == early


def test_a_sync_that_began_before_the_insert_does_not_count() -> None:
    begun, done = f"7 fdatasync({INBOX} <unfinished ...>", "7 <... fdatasync resumed>) = 0"
    assert verdict_on(HEARD, begun, INSERT, done, ANSWER)
    assert not verdict_on(HEARD, INSERT, begun, done, ANSWER)
    assert verdict_on(HEARD, INSERT, begun, ANSWER, done)


def test_a_sync_that_failed_or_was_of_another_file_does_not_count() -> None:
    assert verdict_on(HEARD, INSERT, SYNC.replace("= 0", "= -1 EIO (Input/output error)"), ANSWER)
    assert verdict_on(HEARD, INSERT, SYNC.replace("inbox", "ledger"), ANSWER)


def test_an_answer_on_another_connection_or_another_answer_is_none() -> None:
    never = ["order-1 was never answered 200"]
    assert verdict_on(HEARD, INSERT, SYNC, ANSWER.replace(HERE, THERE)) == never
    assert verdict_on(HEARD, INSERT, SYNC, ANSWER.replace("200 OK", "503 No")) == never
    assert verdict_on(HEARD, SYNC, ANSWER) == ["order-1 was never written to the inbox"]
