"""``connector consent import``: files of consents, and providers' lists of opt-outs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import clock
from connector.cli.consent_import import read_as
from connector.config.loaded import load
from connector.ledger.sqlite import SqliteStore
from connector.rules.consentfile import Defaults, columns, entries
from connector.runtime import opened
from connector.steps import consentimport
from connector.steps.consent import By
from connector.steps.consentimport import File, Line
from tests.cli.conftest import Shop
from tests.ledger import build

FIRST, SECOND, THIRD = "+12025550123", "+12025550124", "+12025550125"
HEAD = "phone,purpose,granted,method,wording,wording_version,source,ip,url,occurred_at\n"
LINE = (
    '{},{},yes,web_form,"Text me offers, up to 6 a month",v3,old-shop,203.0.113.9,'
    "https://corner.example/join,2025-03-01T10:00:00Z\n"
)


def written(shop: Shop, text: str, name: str = "list.csv") -> str:
    path = shop.path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def rows(shop: Shop) -> int:
    return int(shop.one("SELECT count(*) FROM consents"))


def test_an_imported_consent_keeps_all_that_proves_it(empty: Shop) -> None:
    code, text = empty.run(
        "consent", "import", written(empty, HEAD + LINE.format(FIRST, "marketing"))
    )
    assert code == 0, text
    assert "1 consents granted, 0 ended" in text
    [found] = empty.json("consent", "show", FIRST)
    [entry] = found["consents"]
    assert found["live"] == ["marketing"]
    assert (entry["wording"], entry["wording_version"]) == ("Text me offers, up to 6 a month", "v3")
    assert (entry["ip"], entry["url"]) == ("203.0.113.9", "https://corner.example/join")
    assert (entry["method"], entry["source"]) == ("web_form", "old-shop")
    assert entry["occurred_at"].startswith("2025-03-01T10:00:00")
    assert '"line":"2"' in entry["evidence"]


def test_a_dry_run_tells_what_would_change_and_writes_nothing(empty: Shop) -> None:
    empty.run("consent", "revoke", SECOND)
    file = written(
        empty,
        HEAD
        + LINE.format(FIRST, "marketing;cart_reminders")
        + LINE.format(SECOND, "marketing")
        + LINE.format("12", "marketing")
        + f"{THIRD},marketing,no,,,,,,,\n"
        + f"{THIRD},marketing,perhaps,,,,,,,\n",
    )
    before = rows(empty)
    [told] = empty.json("consent", "import", file, "--dry-run")
    assert (told["granted"], told["revoked"], told["blocked"], told["faults"]) == (3, 1, 1, 2)
    assert told["first_faults"] == [
        {"line": 4, "why": "the phone is too short for US"},
        {"line": 6, "why": "granted is 'perhaps'; write true or false, granted or revoked"},
    ]
    assert rows(empty) == before
    assert empty.one("SELECT count(*) FROM acts WHERE act = 'import'") == 0


def test_a_dry_run_counts_a_line_that_stands_there_twice_once_as_the_import_does(
    empty: Shop,
) -> None:
    file = written(empty, HEAD + LINE.format(FIRST, "marketing") * 2)
    [dry] = empty.json("consent", "import", file, "--dry-run")
    [wet] = empty.json("consent", "import", file)
    assert (dry["granted"], dry["known"]) == (1, 1)
    assert {**dry, "dry_run": False} == wet


def test_the_same_file_again_adds_nothing_and_says_so(empty: Shop) -> None:
    file = written(empty, HEAD + LINE.format(FIRST, "marketing") + LINE.format(SECOND, "marketing"))
    empty.run("consent", "import", file, "--why", "moved house")
    [told] = empty.json("consent", "import", file)
    assert (told["granted"], told["skipped"]) == (0, 2)
    assert rows(empty) == 2
    assert empty.one("SELECT count(*) FROM acts WHERE act = 'import'") == 1
    assert empty.one("SELECT why FROM acts WHERE act = 'import'") == "list.csv: moved house"
    assert len(empty.one("SELECT version FROM acts WHERE act = 'import'")) == 64


def test_the_same_lines_in_another_file_add_nothing(empty: Shop) -> None:
    text = HEAD + LINE.format(FIRST, "marketing")
    empty.run("consent", "import", written(empty, text))
    empty.run("consent", "revoke", FIRST, "--purpose", "marketing", "--method", "call")
    [told] = empty.json("consent", "import", written(empty, f"{text}\n", "again.csv"))
    assert (told["granted"], told["known"]) == (0, 1)
    assert rows(empty) == 2


def test_an_import_does_not_lift_a_stop(empty: Shop) -> None:
    empty.run("consent", "revoke", FIRST)
    [told] = empty.json("consent", "import", written(empty, HEAD + LINE.format(FIRST, "marketing")))
    assert (told["granted"], told["blocked"]) == (1, 1)
    [found] = empty.json("consent", "show", FIRST)
    assert (found["live"], found["blocked_scope"]) == ([], "all")


@pytest.mark.parametrize("method", ["reply", "double_opt_in", "provider"])
def test_no_file_may_say_what_only_the_number_itself_can(empty: Shop, method: str) -> None:
    file = written(empty, HEAD + LINE.format(FIRST, "marketing").replace("web_form", method))
    code, text = empty.run("consent", "import", file, "--json")
    told = json.loads(text.splitlines()[0])
    assert (code, told["faults"]) == (1, 1)
    assert "what the number itself says by text" in told["first_faults"][0]["why"]
    assert rows(empty) == 0


def test_a_files_own_columns_are_named(empty: Shop) -> None:
    text = "Name,Mobile\nAnn,(202) 555-0123\n"
    args = ("--mapping", "phone=mobile", "--purpose", "marketing", "--action", "granted")
    file = written(empty, text)
    code, told = empty.run("consent", "import", file, *args)
    assert "occurred_at is empty" in told
    other = written(empty, f"{text}\n", "b.csv")
    code, told = empty.run("consent", "import", other, *args, "--occurred-at", "2025-01-01")
    assert code == 0
    assert "1 consents granted" in told
    code, told = empty.run("consent", "import", file, "--mapping", "phone=Handy")
    assert code != 0
    assert "no column 'Handy'" in told


def test_a_providers_list_of_opt_outs_stops_every_number_on_it(empty: Shop) -> None:
    empty.run("consent", "grant", FIRST, "--method", "paper", "--wording", "Text me")
    file = written(empty, f"To,Date\n{FIRST},2026-01-01\n{SECOND},2026-01-02\nno number,x\n")
    args = ("consent", "import", "--opt-outs", file, "--provider", "twilio")
    [told] = empty.json(*args)
    assert (told["revoked"], told["faults"]) == (2, 1)
    for number in (FIRST, SECOND):
        [found] = empty.json("consent", "show", number)
        assert (found["live"], found["blocked_scope"], found["blocked_by"]) == (
            [],
            "all",
            "provider",
        )
    other = written(empty, f"{SECOND}\n{FIRST}\n", "newer.csv")
    [told] = empty.json("consent", "import", "--opt-outs", other, "--provider", "twilio")
    assert (told["revoked"], told["known"]) == (0, 2)


def test_an_opt_out_list_wants_its_provider(empty: Shop) -> None:
    code, text = empty.run("consent", "import", "--opt-outs", written(empty, FIRST))
    assert code != 0
    assert "--provider" in text


def test_an_import_that_was_broken_off_goes_on_where_it_stopped(empty: Shop) -> None:
    count = consentimport.CHUNK * 2 + 7
    text = HEAD + "".join(
        LINE.format(f"+1202555{n:04}", "marketing") for n in range(100, 100 + count)
    )
    file = written(empty, text)

    broken = _lines(count, consentimport.CHUNK + 3)
    reading = read_as({}, Defaults(country="US", source="list.csv"))
    about = File("list.csv", _hash(file), "operator:ann", reading=reading)
    with opened(load(empty.path)) as store, pytest.raises(ValueError, match="cut"):
        assert isinstance(store, SqliteStore)
        for _ in consentimport.run(store, By(clock.new_id), about, broken, build.at()):
            pass
    assert rows(empty) == consentimport.CHUNK
    [told] = empty.json("consent", "import", file)
    assert (told["skipped"], told["granted"]) == (consentimport.CHUNK, count - consentimport.CHUNK)
    assert rows(empty) == count
    assert empty.one("SELECT count(*) FROM acts WHERE act = 'import'") == 1


def _hash(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _lines(count: int, until: int) -> Iterator[Line]:
    """The lines of the file, up to one at which the machine dies."""
    places = columns(HEAD.strip().split(","), {})
    for n in range(count):
        if n == until:
            raise ValueError("cut")
        number = f"+1202555{100 + n:04}"
        row = [number, "marketing", "yes", "web_form", *[""] * 5, "2025-03-01"]
        yield n + 2, entries(row, places, Defaults())


def test_an_empty_file_says_what_it_lacks(empty: Shop) -> None:
    code, text = empty.run("consent", "import", written(empty, ""))
    assert code != 0
    assert "must name the columns" in text


def test_a_file_whose_lines_lacked_something_is_imported_once_an_option_says_it(
    empty: Shop,
) -> None:
    file = written(empty, f"phone,granted,occurred_at\n{FIRST},yes,2025-01-01\n12,yes,2025-01-01\n")
    code, text = empty.run("consent", "import", file)
    assert (code, "say --purpose marketing" in text) == (1, True)
    [told] = empty.json("consent", "import", file, "--purpose", "marketing")
    assert (told["granted"], told["faults"]) == (1, 1)
    [told] = empty.json("consent", "import", file, "--purpose", "marketing")
    assert (told["granted"], told["skipped"], told["faults"]) == (0, 1, 1)


def test_semicolons_part_columns_and_a_line_too_long_is_one_line_at_fault(empty: Shop) -> None:
    text = (
        "Mobile;granted;occurred_at\n" + f"{SECOND};yes;{'x' * 2_000_000}\n{FIRST};yes;2025-01-01\n"
    )
    args = ("--mapping", "phone=Mobile", "--purpose", "marketing")
    [told] = empty.json("consent", "import", written(empty, "\ufeff" + text), *args)
    assert (told["granted"], [one["line"] for one in told["first_faults"]]) == (1, [2])


def test_an_instant_that_no_calendar_holds_is_the_fault_of_its_line_alone(empty: Shop) -> None:
    odd = LINE.format(FIRST, "marketing").replace(
        "2025-03-01T10:00:00Z", "0001-01-01T00:00:00+05:00"
    )
    file = written(empty, HEAD + odd + LINE.format(SECOND, "marketing"))
    [told] = empty.json("consent", "import", file)
    assert (told["granted"], told["faults"]) == (1, 1)
    assert "write 2026-11-20T10:00:00Z" in told["first_faults"][0]["why"]
