"""Suppression lists as files: every way a line may be written, and every fault with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connector.config.lists import MOST_FAULTS, load_lists
from connector.config.toml import Table
from connector.errors import Fault
from connector.rules.lists import Lists

TODAY = date(2026, 11, 21)


def load(folder: Path, country: str = "US", **table: object) -> tuple[Lists, list[Fault]]:
    faults: list[Fault] = []
    top = Table("policy.toml", dict(table), faults, {}, "suppression")
    return load_lists(top, folder, country), faults


def read(folder: Path, text: str | bytes, name: str = "a.csv", country: str = "US") -> Lists:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(folder, country)[0]


@pytest.mark.parametrize(
    "written",
    ["+12125550101", "(212) 555-0101", "212-555-0101", "2125550101", "12125550101", "212.555.0101"],
)
def test_a_number_is_read_however_it_is_written(tmp_path: Path, written: str) -> None:
    found = read(tmp_path, f"{written}\n")
    assert found.faults() == ()
    assert found.find("+12125550101", "", TODAY) == "a.csv"


@pytest.mark.parametrize("written", ["+44 7400 123456", "+4407400123456", "+447400123456"])
def test_a_number_from_abroad_is_read_also_with_the_zero_that_does_not_belong(
    tmp_path: Path, written: str
) -> None:
    assert read(tmp_path, written).find("+447400123456", "", TODAY) == "a.csv"


def test_numbers_without_a_plus_are_of_the_configured_country(tmp_path: Path) -> None:
    assert read(tmp_path, "07400 123456", country="GB").find("+447400123456", "", TODAY)


def test_addresses_domains_and_numbers_may_stand_in_one_file_with_comments(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "# by sales\n\nrival.example\n@other.example\nEve@Shop.example\n+12125550101\n",
        "rivals.txt",
    )
    assert found.faults() == ()
    for address in ("a@rival.example", "a@x.other.example", "eve@shop.example"):
        assert found.find("", address, TODAY) == "rivals.txt"
    assert found.find("+12125550101", "", TODAY)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_spreadsheet_is_read_by_its_head_in_any_order_of_columns(
    tmp_path: Path, mark: str
) -> None:
    rows = [
        ["Reason", "Phone", "Name", "Email", "Expires on"],
        ["asked by phone", "212 555 0101", "Ann", "ann@shop.example", "2026-11-21"],
        ["moved", "", "Bob", "bob@shop.example", ""],
    ]
    found = read(tmp_path, "\ufeff" + "\r\n".join(mark.join(row) for row in rows))
    assert found.faults() == ()
    assert found.find("+12125550101", "", TODAY) == "a.csv: asked by phone"
    assert found.find("", "ann@shop.example", TODAY) == "a.csv: asked by phone"
    assert found.find("", "bob@shop.example", TODAY) == "a.csv: moved"
    assert found.find("+12125550101", "", date(2026, 11, 22)) == ""


def test_without_a_head_reason_and_last_day_stand_behind_the_value(tmp_path: Path) -> None:
    found = read(tmp_path, '+12125550101,"lawsuit, open",2026-12-31\n')
    assert found.find("+12125550101", "", TODAY) == "a.csv: lawsuit, open"
    assert found.find("+12125550101", "", date(2027, 1, 1)) == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("12", "is neither number, e-mail address nor domain (is too short for US)"),
        ("hello", "is neither number, e-mail address nor domain (is no telephone number)"),
        ("ann@@shop", "is no e-mail address"),
        ("+12125550101,why,soon", "ends on 'soon', which is no day; write it as 2027-01-31"),
        ("+12125550101,why,2026-02-30", "ends on '2026-02-30', which is no day"),
        (",because", "names nobody"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_file_and_line(
    tmp_path: Path, line: str, message: str
) -> None:
    found = read(tmp_path, f"+12125550199\n{line}\n")
    [fault] = found.faults()
    place = f"{tmp_path.parent.name}/{tmp_path.name}/a.csv"  # mappings/suppression/a.csv
    assert (fault.file, fault.line) == (place, 2)
    assert fault.message.startswith(message)
    assert found.find("+12125550199", "", TODAY)  # whom it could read it still names


def test_no_fault_tells_the_number_itself(tmp_path: Path) -> None:
    [fault] = read(tmp_path, "+1212555010\n").faults()
    assert "212555010" not in str(fault)


def test_of_a_file_that_is_wholly_wrong_only_the_first_lines_are_told(tmp_path: Path) -> None:
    faults = read(tmp_path, "nonsense\n" * 5_000).faults()
    assert len(faults) == MOST_FAULTS + 1
    assert faults[-1].remedy == "look at the whole file"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe+\x001\x00", "is not text in UTF-8"),
        (b"", "lists nobody"),
        (b"# nobody yet\n", "lists nobody"),
    ],
)
def test_a_file_that_is_no_list_is_at_fault(tmp_path: Path, content: bytes, message: str) -> None:
    [fault] = read(tmp_path, content).faults()
    assert fault.message == message


def test_a_list_that_is_named_and_not_there_is_at_fault_and_does_not_vanish(tmp_path: Path) -> None:
    found, faults = load(tmp_path, lists=["dnc.csv"])
    assert faults == []
    [fault] = found.faults()
    assert fault.file.endswith("dnc.csv")
    assert fault.message.startswith("cannot be read")


def test_a_list_outside_the_folder_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    _, faults = load(tmp_path, lists=["../all.csv", "people.xlsx"])
    assert [fault.message for fault in faults] == ["holds '../all.csv'", "holds 'people.xlsx'"]


def test_lists_concern_marketing_unless_they_are_said_to_concern_service_too(
    tmp_path: Path,
) -> None:
    assert load(tmp_path)[0].purposes == ("marketing",)
    found, _ = load(tmp_path, purposes=["marketing", "service"])
    assert found.purposes == ("marketing", "service")


def test_a_file_that_changes_changes_the_content_that_a_version_rests_on(tmp_path: Path) -> None:
    first = read(tmp_path, "+12125550101\n").content
    assert read(tmp_path, "+12125550101\n").content == first
    assert read(tmp_path, "+12125550102\n").content != first


def test_a_list_longer_than_a_million_lines_is_at_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.config.lists.MOST", 3)
    assert read(tmp_path, "+12125550101\n" * 3).faults() == ()
    [fault] = read(tmp_path, "+12125550101\n" * 5).faults()
    assert (fault.line, fault.message) == (4, "is line 4 of the list")


def test_a_file_of_numbers_alone_names_the_same_as_read_line_by_line(tmp_path: Path) -> None:
    numbers = ["+12125550101", "+447912345678", "+12125550102"]
    plain = read(tmp_path, "\r\n".join([*numbers, ""]))
    slow = read(tmp_path, "\n".join(["# the same", *numbers]), "b.csv")
    assert len(plain.lists[0].reading.entries) == 3
    for number in (*numbers, "+12125550103", "+44791234567"):
        found = [lists.lists[0].reading.entries.find(number, TODAY) for lists in (plain, slow)]
        assert found == ([""] * 2 if number in numbers else [None] * 2)
