"""Reading TOML field by field: every fault at once, each with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import toml
from connector.errors import Fault

FILE = """\
name = "shop"        # line 1
port = "eighty"

[web]
host = "127.0.0.1"
hots = "127.0.0.1"
text = \"\"\"
port = 5
\"\"\"
wait = "30 minutes"

[[steps]]
name = "first"
[[steps]]
name = 2
[steps.inner]
deep = true
"""


def opened(tmp_path: Path, text: str = FILE) -> tuple[toml.Table, list[Fault]]:
    path = tmp_path / "a.toml"
    path.write_text(text)
    faults: list[Fault] = []
    return toml.read(path, faults, "a.toml"), faults


def test_each_fault_names_file_line_field_and_remedy(tmp_path: Path) -> None:
    top, faults = opened(tmp_path)
    assert top.text("name") == "shop"
    assert top.whole("port", 80) == 80
    web = top.table("web")
    web.text("host")
    web.text("text")
    assert web.span("wait") == timedelta(0)
    web.done()
    first, second = top.tables("steps")
    assert (first.text("name"), second.text("name")) == ("first", "")
    assert second.table("inner").flag("deep")
    assert [(fault.line, fault.field) for fault in faults] == [
        (2, "port"),
        (10, "web.wait"),
        (6, "web.hots"),
        (15, "steps[1].name"),
    ]
    assert faults[2].remedy == "did you mean host?"
    assert str(faults[0]).startswith("a.toml:2: port: is 'eighty'")


def test_a_missing_key_is_named_on_its_table_s_line(tmp_path: Path) -> None:
    top, faults = opened(tmp_path, "[web]\nport = 1\n")
    top.table("web").text("host")
    assert (faults[0].line, faults[0].field, faults[0].message) == (1, "web.host", "is missing")


def test_a_key_nobody_reads_is_a_fault_and_lists_what_would_be_read(tmp_path: Path) -> None:
    top, faults = opened(tmp_path, "colour = 1\n")
    top.text("brand", "")
    top.done()
    assert faults[0].remedy == "this table takes brand"


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ('a = "open', 1)],
)
def test_broken_toml_is_one_fault_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    top, faults = opened(tmp_path, text)
    assert top.values == {}
    assert [fault.line for fault in faults] == [line]


def test_a_file_that_is_missing_too_large_or_no_text_is_one_fault(tmp_path: Path) -> None:
    faults: list[Fault] = []
    toml.read(tmp_path / "none.toml", faults)
    (tmp_path / "large.toml").write_text("#" * (toml.MAX_FILE_BYTES + 1))
    toml.read(tmp_path / "large.toml", faults)
    (tmp_path / "latin.toml").write_bytes('a = "é"'.encode("latin-1"))
    toml.read(tmp_path / "latin.toml", faults)
    assert [fault.line for fault in faults] == [0, 0, 0]
    assert "No such file" in faults[0].message
    assert "at most 1000000 are read" in faults[1].message
    assert faults[2].remedy == "save it as UTF-8 text"


@pytest.mark.parametrize("opened_by", ["[", "{a="])
def test_a_file_nested_without_end_is_one_fault(tmp_path: Path, opened_by: str) -> None:
    closed_by = {"[": "]", "{a=": "}"}[opened_by]
    nested = opened_by * 5_000 + "1" + closed_by * 5_000
    top, faults = opened(tmp_path, f"a = {nested}")
    assert top.values == {}
    assert [fault.message for fault in faults] == ["is nested too deeply"]


def test_each_reader_of_a_file_has_values_of_its_own(tmp_path: Path) -> None:
    text = "a = [1, 2]\nat = 2026-11-21T10:00:00Z\n"
    first, _ = opened(tmp_path, text)
    first.values["a"].append(3)
    second, _ = opened(tmp_path, text)
    assert second.values["a"] == [1, 2]
    assert second.values["at"] == first.values["at"]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0m", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("30 m", timedelta(minutes=30)),
        ("24h", timedelta(days=1)),
        ("2w", timedelta(days=14)),
    ],
)
def test_spans_are_a_number_and_a_unit(tmp_path: Path, text: str, span: timedelta) -> None:
    top, faults = opened(tmp_path, f'wait = "{text}"')
    assert top.span("wait") == span
    assert faults == []


def test_a_boolean_is_no_number_and_a_number_is_no_boolean(tmp_path: Path) -> None:
    top, faults = opened(tmp_path, "count = true\nflag = 1\n")
    assert top.whole("count", 7) == 7
    assert top.flag("flag", False) is False
    assert [fault.field for fault in faults] == ["count", "flag"]


def test_bounds_and_choices_are_named(tmp_path: Path) -> None:
    top, faults = opened(tmp_path, 'count = 11\nshare = 0.9\nmode = "lvie"\nall = ["a", 1]\n')
    top.whole("count", high=10)
    top.number("share", high=0.5)
    assert top.text("mode", choices=("live", "off")) == "live"
    assert top.words("all") == ()
    assert [fault.remedy for fault in faults] == [
        "between 0 and 10",
        "between 0 and 0.5",
        "did you mean 'live'? one of live, off",
        "write texts in quotes",
    ]


@given(st.text(alphabet='ab.=[]"\n #1', max_size=80))
def test_no_text_makes_reading_raise(source: str) -> None:
    lines = toml._find_lines(source)
    assert all(1 <= line <= max(1, len(source.splitlines())) for line in lines.values())


@given(st.text(alphabet='ab.[]0"\n', max_size=12), st.sampled_from(["", "a", "a[0].b"]))
def test_every_key_however_odd_has_a_line(key: str, path: str) -> None:
    table = toml.Table("f", {key: 1}, [], {"a": 3}, path)
    table.fault(key, "is odd")
    assert table.faults[0].line in (1, 3)
