"""``connector play`` and what goes with it: listed, made, previewed, paused, approved, started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector import library
from connector.actor import operator
from connector.ledger import acts, pauses
from connector.ledger.store import Tx
from tests.cli.conftest import Shop
from tests.ledger import build


def test_the_list_tells_how_each_play_stands(empty: Shop) -> None:
    rows = {row["play"]: row for row in empty.json("play", "list")}
    assert rows["cart_abandoned"]["starts_on"] == "cart_updated"
    assert rows["welcome"]["mode"] == "live"
    empty.run("play", "pause", "welcome", "--why", "wrong link")
    rows = {row["play"]: row for row in empty.json("play", "list")}
    assert (rows["welcome"]["mode"], rows["welcome"]["note"]) == ("paused", "wrong link")


def test_the_library_is_listed_with_its_next_steps(empty: Shop) -> None:
    rows = {row["play"]: row for row in empty.json("play", "library")}
    assert len(rows) >= 40
    assert all(row["next_step"] and row["description"] for row in rows.values())


def test_a_new_play_is_copied_in_shadow_with_its_texts_and_nothing_is_overwritten(
    empty: Shop,
) -> None:
    code, text = empty.run("play", "new", "come_back", "--from", "win_back_7d")
    assert code == 0, text
    assert "It is in shadow mode" in text
    play = (empty.path / "mappings/plays/come_back.toml").read_text()
    assert 'mode = "shadow"' in play
    assert empty.run("check")[0] == 0
    assert empty.run("test", "come_back")[0] == 0
    mine = empty.path / "templates/win_back.en.txt"
    mine.write_text("{{ brand }}: mine. Reply STOP to opt out")
    _, text = empty.run("play", "new", "come_back", "--from", "win_back_7d")
    assert "(it was there)" in text
    assert "mine" in mine.read_text()


def test_every_play_of_the_library_can_be_copied_and_has_its_texts(tmp_path: Path) -> None:
    for ready in library.plays():
        written, kept = library.copy(ready.name, ready.name, tmp_path)
        assert written, ready.name
        assert all(path.parts[0] in ("mappings", "templates") for path in (*written, *kept))


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("play", "new", "x", "--from", "nothing"), 3, "the library has no play nothing"),
        (("play", "new", "../x", "--from", "birthday"), 2, "is no name for a play"),
        (("play", "pause"), 2, "name a play, or say --all"),
        (("play", "pause", "nothing"), 3, "there is no play nothing"),
        (("play", "resume", "welcome"), 3, "welcome is not paused"),
        (("play", "approve", "nothing"), 3, "there is no play nothing"),
        (("play", "start", "welcome", "user:nobody"), 3, "nobody is known by"),
        (("play", "start", "welcome", "user:x", "--fact", "7"), 2, "is no fact"),
        (("preview", "nothing"), 3, "there is no play nothing"),
        (("clock", "forward", "2026-01-01"), 2, "write a span"),
        (("clock", "set", "3d"), 2, "write an instant"),
        (("send", "--test", "--play", "welcome", "--to", "+12125550199"), 2, "your own numbers"),
        (("send", "--reply-to", "rpl_1", "--text", "x"), 1, "there is no reply rpl_1"),
        (("send",), 2, "say --test"),
        (("conversation", "list"), 3, "no conversation is open"),
        (("conversation", "close", "+12125550199"), 3, "no conversation with this number"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    empty: Shop, args: tuple[str, ...], code: int, says: str
) -> None:
    found, text = empty.run(*args)
    assert (found, says in text) == (code, True), text


def test_the_kill_switch_works_on_a_folder_with_faults(empty: Shop) -> None:
    play = empty.path / "mappings/plays/welcome.toml"
    play.write_text(play.read_text().replace("[start]", "[strat]"))
    assert empty.run("check")[0] == 2
    code, text = empty.run("play", "pause", "--all", "--why", "mending")
    assert code == 0 and "every play is paused" in text
    held: dict[str, object] = {}

    def read(tx: Tx) -> None:
        held.update(pauses.all_(tx))

    play.write_text(play.read_text().replace("[strat]", "[start]"))
    empty.write(read)
    assert set(held) == {"*"}
    assert empty.run("play", "resume", "--all")[0] == 0


def test_pauses_and_approvals_are_kept_with_who_and_why(empty: Shop) -> None:
    empty.run("play", "pause", "welcome", "--why", "wrong link")
    empty.run("play", "resume", "welcome")
    empty.run("play", "approve", "welcome", "--why", "read it")
    kept = empty.write(lambda tx: [dict(row) for row in acts.of(tx, "play:welcome")])
    told = {row["act"]: row for row in kept}
    assert set(told) >= {"pause", "resume", "approve"}
    assert told["pause"]["why"] == "wrong link"
    assert told["approve"]["who"] == operator()
    assert told["approve"]["version"]


def test_a_preview_shows_every_language_with_its_segments(empty: Shop) -> None:
    rows = empty.json("preview", "welcome")
    assert {row["language"] for row in rows} == {"en", "es"}
    assert all(row["segments"] == 1 and row["encoding"] == "GSM-7" for row in rows)
    code, text = empty.run("preview", "welcome", "--language", "en", width=80)
    assert code == 0 and "1 segment" in text


def test_a_play_started_by_hand_is_judged_like_any_other(shop: Shop) -> None:
    code, text = shop.run("play", "start", "welcome", build.PHONE, "--why", "asked on the phone")
    assert code == 0, text
    assert "welcome has begun for con_" in text
    code, text = shop.run("play", "start", "welcome", build.PHONE)
    assert code == 1 and "was not started" in text
    facts = json.loads(shop.one("SELECT facts FROM signals WHERE name = 'hand'"))
    assert facts["why"] == "asked on the phone"


def test_the_test_clock_is_shown_set_and_moved_on(empty: Shop) -> None:
    assert empty.run("clock", "set", "2026-12-01T15:00")[0] == 0
    empty.run("clock", "forward", "3d")
    [shown] = empty.json("clock", "show")
    assert shown["now"].startswith("2026-12-04T15:00")
    code, text = empty.run("clock", "speed", "60")
    assert code == 0 and "60 seconds a second" in text


def test_a_real_clock_is_not_set(empty: Shop) -> None:
    config = empty.path / "config.toml"
    config.write_text(config.read_text().replace("test_clock = true", "test_clock = false"))
    code, text = empty.run("clock", "set", "2026-12-01T15:00")
    assert code == 2 and "runs on the real clock" in text
