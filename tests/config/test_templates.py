"""Template files: found by name and language, and every fault at its line."""

from __future__ import annotations

from pathlib import Path

from connector.config.templates import load_templates
from connector.errors import Fault


def load(folder: Path, files: dict[str, bytes]) -> tuple[set[tuple[str, str]], list[str]]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    faults: list[Fault] = []
    found = load_templates(folder, faults)
    shown = [f"{Path(fault.file).name}:{fault.line} {fault.message}" for fault in faults]
    return set(found), shown


def test_texts_are_found_by_name_and_language(tmp_path: Path) -> None:
    files = {
        "welcome.en.txt": b"Hi",
        "welcome.pt-BR.txt": b"\xef\xbb\xbfOl\xc3\xa1",
        "notes.md": b"no text",
    }
    assert load(tmp_path, files) == ({("welcome", "en"), ("welcome", "pt-BR")}, [])


def test_faults_stand_at_their_lines(tmp_path: Path) -> None:
    files = {
        "Welcome.en.txt": b"Hi",
        "welcome.txt": b"Hi",
        "latin.en.txt": b"Ol\xe1",
        "blank.en.txt": b" \n",
        "broken.en.txt": b"one\ntwo {{ brand",
        "long.en.txt": b"x" * 10_001,
        "unknown.en.txt": b"one\n\n{% include 'x' %}",
    }
    found, faults = load(tmp_path, files)
    assert found == set()
    assert faults == [
        "Welcome.en.txt:0 is not named as a text",
        "blank.en.txt:0 is empty",
        "broken.en.txt:2 unexpected end, expected 'end of print statement'",
        "latin.en.txt:0 is not UTF-8",
        "long.en.txt:0 has 10001 characters; at most 10000 are taken",
        "unknown.en.txt:3 include is not offered",
        "welcome.txt:0 is not named as a text",
    ]


def test_a_folder_that_is_not_there_holds_no_texts(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert load_templates(tmp_path / "nowhere", faults) == {}


def test_a_first_line_that_says_its_terms_wrongly_is_a_fault(tmp_path: Path) -> None:
    files = {
        "good.en.txt": b"{# valid_until: 2026-12-31 #}\nHi",
        "note.en.txt": b"{# for Ann: mind the tone #}\nHi",
        "month.en.txt": b"{# valid_until: 2026-02-31 #}\nHi",
        "typo.en.txt": b"{# valid_untill: 2026-12-31 #}\nHi",
    }
    found, faults = load(tmp_path, files)
    assert len(found) == 4
    assert faults == [
        "month.en.txt:1 begins with a comment that says valid_until: '2026-02-31', "
        "which is no day; write valid_until: 2027-01-31",
        "typo.en.txt:1 begins with a comment that says 'valid_untill: 2026-12-31'; "
        "it may say valid_until, review_every, reviewed, regulated",
    ]
