"""``connector backup`` and ``restore``: whole or not at all, checked, and nothing is deleted."""

from __future__ import annotations

import json
import sqlite3
import stat
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from connector import backup as backups
from connector.clock import TestClock
from connector.config.loaded import load
from connector.errors import ConnectorError
from connector.ledger import consents, cursors
from connector.ledger.store import Tx
from connector.lock import Lock
from connector.runtime import open_setup, opened
from connector.steps.carryover import Hand
from connector.steps.consent import record_consent
from connector.upkeep import Upkeep
from tests.cli.conftest import Shop
from tests.ledger import build

OTHER = "+14155550199"


def made(shop: Shop, path: Path) -> Path:
    code, text = shop.run("backup", str(path))
    assert code == 0, text
    return path


def test_a_backup_holds_ledger_and_files_and_no_secret(shop: Shop, tmp_path: Path) -> None:
    (shop.path / "mappings" / "key").write_text("hush-hush")
    config = shop.path / "config.toml"
    config.write_text(config.read_text().replace("file:sandbox-secret", "file:mappings/key"))
    [told] = shop.json("backup", str(tmp_path / "a.backup"))
    path = tmp_path / "a.backup"
    assert told["rows"]["ledger.db"]["sends"] == 1
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        everything = b"".join(archive.read(name) for name in names)
    assert {"manifest.json", "ledger.db", "folder/config.toml", "folder/mappings/policy.toml"} <= (
        names
    )
    assert not [name for name in names if "key" in name or "secret" in name]
    assert b"hush-hush" not in everything
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_gets_a_file_named_after_the_time_and_keeps_the_newest(
    shop: Shop, tmp_path: Path
) -> None:
    (tmp_path / "mine.backup").write_text("not ours")
    clock = TestClock(shop.path / "data" / "clock")
    for hours in range(4):
        clock.set(build.at() + timedelta(hours=hours), 0)
        assert shop.run("backup", str(tmp_path), "--keep", "2")[0] == 0
    found = sorted(path.name for path in tmp_path.glob("*.backup"))
    assert found == [
        "connector-20261120T120000Z.backup",
        "connector-20261120T130000Z.backup",
        "mine.backup",
    ]


@pytest.mark.parametrize("inside", ["ledger.db", "manifest.json", "folder/config.toml"])
def test_a_backup_in_which_a_byte_was_changed_is_refused(
    shop: Shop, tmp_path: Path, inside: str
) -> None:
    path = made(shop, tmp_path / "a.backup")
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(inside)
    content = bytearray(path.read_bytes())
    begins = entry.header_offset + 30 + len(inside)  # the entry's header has 30 bytes and its name
    content[begins + entry.compress_size // 2] ^= 0xFF
    path.write_bytes(content)
    code, text = shop.run("restore", "--replace", str(path))
    assert code == 1 and "a.backup" in text
    assert shop.one("SELECT count(*) FROM sends") == 1
    assert not list((shop.path / "data").glob("replaced-*"))


def test_a_backup_with_a_file_swapped_for_another_is_refused(shop: Shop, tmp_path: Path) -> None:
    path = made(shop, tmp_path / "a.backup")
    other = tmp_path / "b.backup"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            said = source.read(name)
            swapped = said.replace(b"[[caps]]", b"[[caps]] ") if "policy" in name else said
            target.writestr(name, swapped)
    with pytest.raises(ConnectorError, match=r"policy\.toml"):
        backups.verify(other)


def test_a_failed_backup_leaves_the_one_before_and_nothing_beside_it(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(shop, tmp_path / "safe" / "a.backup")
    before = path.read_bytes()

    def fails(*_: object) -> None:
        raise OSError("no space left on the disk")

    monkeypatch.setattr(backups, "verify", fails)
    code, text = shop.run("backup", str(path))
    assert code == 1 and "no space left" in text
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == ["a.backup"]


def test_writers_go_on_while_a_backup_reads(shop: Shop, tmp_path: Path) -> None:
    """Another connection writes at each piece that is copied; the copy stays as it began."""
    loaded = load(shop.path)
    wrote = 0

    def write(*_: object) -> None:
        nonlocal wrote
        wrote += 1
        with opened(loaded) as other, other.write() as tx:
            cursors.count(tx, "written")

    with opened(loaded) as store:
        path, manifest = backups.make(
            loaded.settings, store, tmp_path / "a.backup", now=build.at(), progress=write
        )
    assert wrote > 3
    assert manifest["rows"]["ledger.db"]["counters"] == 0
    assert backups.verify(path) == manifest


def test_restoring_over_a_ledger_that_holds_something_must_be_said_and_deletes_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    path = made(shop, tmp_path / "a.backup")
    code, text = shop.run("restore", str(path))
    assert code == 1 and "--replace" in text
    shop.write(lambda tx: tx.run("DELETE FROM replies"))
    [told] = shop.json("restore", "--replace", str(path))
    assert shop.one("SELECT count(*) FROM replies") == 1
    with sqlite3.connect(Path(told["aside"]) / "ledger.db") as old:
        assert old.execute("SELECT count(*) FROM replies").fetchone() == (0,)
    old.close()


def test_restoring_is_refused_while_a_connector_runs(shop: Shop, tmp_path: Path) -> None:
    path = made(shop, tmp_path / "a.backup")
    lock = Lock(shop.path / "data" / "work.lock", "work").take()
    code, text = shop.run("restore", "--replace", str(path))
    lock.free()
    assert code == 1 and "already runs" in text


def test_a_restored_connector_is_held_and_a_resume_asks_for_the_gap_first(
    shop: Shop, tmp_path: Path
) -> None:
    path = made(shop, tmp_path / "a.backup")
    shop.run("restore", "--replace", str(path))
    assert shop.one("SELECT who FROM pauses WHERE play = '*'") == "restored"
    since = shop.one("SELECT version FROM acts WHERE act = 'restored'")
    assert since, "anchors from before the backup still prove what they knew"
    for command in (("resume", "--why", "go"), ("play", "resume", "--all", "--why", "go")):
        code, text = shop.run(*command)
        assert code != 0 and ("restore fetch" in text or "No such option" in text), text
    assert shop.one("SELECT count(*) FROM pauses") == 1
    assert shop.json("restore", "status")[0]["held"] is True
    assert shop.run("restore", "confirm", "--why", "the list was read")[0] == 0
    assert shop.one("SELECT count(*) FROM pauses") == 0
    assert shop.one("SELECT why FROM acts WHERE act = 'restore_confirmed'") == "the list was read"
    assert shop.run("restore", "confirm", "--why", "again")[0] == 1


def test_fetching_lifts_it_once_the_provider_has_told(shop: Shop, tmp_path: Path) -> None:
    path = made(shop, tmp_path / "a.backup")
    shop.run("restore", "--replace", str(path))
    code, text = shop.run("restore", "fetch")
    assert code == 1 and "outbox is not there" in text
    assert "outbox" in shop.json("restore", "status")[0]["trouble"]
    line = {
        "send_id": "snd_unknown",
        "to": OTHER,
        "text": "Corner Shop: hello",
        "at": "2026-11-20T18:11:00.000000Z",
        "provider_id": "SB1",
    }
    (shop.path / "data" / "sandbox.jsonl").write_text(json.dumps(line) + "\n")
    [told] = shop.json("restore", "fetch")
    assert (told["texts"], told["lost"]) == (1, 1)
    assert shop.one("SELECT count(*) FROM pauses") == 0
    assert shop.one("SELECT phone FROM sends WHERE cause = 'lost'") == OTHER


def test_an_opt_out_since_the_backup_is_taken_over_from_the_ledger_that_is_replaced(
    shop: Shop, tmp_path: Path
) -> None:
    path = made(shop, tmp_path / "a.backup")
    TestClock(shop.path / "data" / "clock").set(build.at() + timedelta(hours=9), 0)
    assert shop.run("consent", "revoke", OTHER, "--wording", "called us")[0] == 0
    [told] = shop.json("restore", "--replace", str(path))
    assert told["carried"] == {"opt_outs": 1}
    assert shop.one(f"SELECT blocked_scope FROM numbers WHERE phone = '{OTHER}'") == "all"


def test_what_holds_texts_to_a_number_since_the_backup_is_taken_over_too(
    shop: Shop, tmp_path: Path
) -> None:
    path = made(shop, tmp_path / "a.backup")
    TestClock(shop.path / "data" / "clock").set(build.at() + timedelta(hours=9), 0)
    assert shop.run("suppress", "add", OTHER, "--why", "court order")[0] == 0
    third = "+12125550103"
    assert shop.run("number", "reassigned", third, "--why", "FCC database")[0] == 0
    later = build.at() + timedelta(hours=9)
    shop.write(lambda tx: consents.hold(tx, build.PHONE, "An unclear reply", later))
    [told] = shop.json("restore", "--replace", str(path))
    assert told["carried"] == {"numbers": 3}
    assert shop.one(f"SELECT suppressed_why FROM numbers WHERE phone = '{OTHER}'") == "court order"
    assert shop.one(f"SELECT held_why FROM numbers WHERE phone = '{build.PHONE}'")
    assert shop.one(f"SELECT reassigned_at FROM numbers WHERE phone = '{third}'")
    assert shop.run("audit", "verify")[0] == 0


def test_a_backup_that_names_a_place_outside_is_refused(shop: Shop, tmp_path: Path) -> None:
    path, bad = made(shop, tmp_path / "a.backup"), tmp_path / "b.backup"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bad, "w") as target:
        manifest = json.loads(source.read(backups.MANIFEST))
        ledger = source.read("ledger.db")
        manifest["rows"]["../../evil.db"] = manifest["rows"]["ledger.db"]
        manifest["files"]["../../evil.db"] = manifest["files"]["ledger.db"]
        for name in source.namelist():
            if name != backups.MANIFEST:
                target.writestr(name, source.read(name))
        target.writestr("../../evil.db", ledger)
        target.writestr(backups.MANIFEST, json.dumps(manifest))
    code, text = shop.run("restore", "--replace", str(bad))
    assert code == 1 and "b.backup" in text
    assert not list(tmp_path.rglob("evil.db")) and not list(shop.path.rglob("evil.db"))


def test_who_was_forgotten_since_the_backup_is_forgotten_again(shop: Shop, tmp_path: Path) -> None:
    path = made(shop, tmp_path / "a.backup")
    assert shop.run("contact", "forget", build.PHONE, "--why", "asked")[0] == 0
    [told] = shop.json("restore", "--replace", str(path))
    assert told["carried"] == {"forgotten": 1}
    with sqlite3.connect(shop.path / "data" / "ledger.db") as ledger:
        held = "\n".join(ledger.iterdump())
    ledger.close()
    assert build.PHONE not in held and "Your cart waits, Ann." not in held
    assert shop.run("audit", "verify")[0] == 0

    def grant(tx: Tx) -> None:
        at = build.at(600)
        kind = {"purpose": "marketing", "granted": True, "method": "web_form"}
        record_consent(tx, Hand("local"), phone=build.PHONE, now=at, **kind)  # type: ignore[arg-type]

    shop.write(grant)
    assert shop.one(f"SELECT blocked_by FROM numbers WHERE phone = '{build.PHONE}'") == "forgotten"


def test_a_backup_of_another_machine_brings_the_files_and_touches_none_that_is_there(
    shop: Shop, tmp_path: Path
) -> None:
    path = made(shop, tmp_path / "a.backup")
    place = tmp_path / "new"
    (place / "mappings").mkdir(parents=True)
    (place / "mappings" / "stages.toml").write_text("mine")
    code, text = shop.run("restore", str(path), str(place))
    assert code == 0, text
    assert (place / "mappings" / "stages.toml").read_text() == "mine"
    assert (place / "config.toml").read_text() == (shop.path / "config.toml").read_text()
    with sqlite3.connect(place / "data" / "ledger.db") as ledger:
        assert ledger.execute("SELECT count(*) FROM sends").fetchone() == (1,)
    ledger.close()


def test_the_worker_makes_the_backups_that_config_asks_for(shop: Shop, tmp_path: Path) -> None:
    config = shop.path / "config.toml"
    safe = tmp_path / "safe"
    config.write_text(config.read_text() + f'\n[backup]\ndir = "{safe}"\nevery = "6h"\nkeep = 2\n')
    loaded = load(shop.path)
    clock = TestClock(shop.path / "data" / "clock")
    with opened(loaded) as store:
        upkeep = Upkeep(open_setup(loaded, store), store)
        found = []
        for hours in (9, 10, 16, 23):
            clock.set(build.at() + timedelta(hours=hours), 0)
            found.append(upkeep.back_up(loaded.settings) is not None)
    assert found == [True, False, True, True]
    assert len(list(safe.iterdir())) == 2


def test_a_backup_that_fails_raises_an_alarm_that_the_next_one_ends(
    shop: Shop, tmp_path: Path
) -> None:
    config = shop.path / "config.toml"
    safe = tmp_path / "safe"
    safe.write_text("a file where a folder should be")
    config.write_text(config.read_text() + f'\n[backup]\ndir = "{safe}"\n')
    loaded = load(shop.path)
    standing = "SELECT count(*) FROM alarms WHERE kind = 'backup_failed' AND cleared_at IS NULL"
    with opened(loaded) as store:
        upkeep = Upkeep(open_setup(loaded, store), store)
        assert upkeep.back_up(loaded.settings) is None
        assert shop.one(standing) == 1
        safe.unlink()
        assert upkeep.back_up(loaded.settings) is not None
    assert shop.one(standing) == 0


def test_a_folder_that_is_not_there_is_a_fault_and_never_a_file_of_its_name(
    shop: Shop, tmp_path: Path
) -> None:
    code, text = shop.run("backup", str(tmp_path / "safe"))
    assert (code, "there is no folder" in text) == (1, True)
    assert not (tmp_path / "safe").exists()
