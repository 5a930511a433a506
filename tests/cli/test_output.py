"""What commands print: readable for people, stable for programs, harmless for terminals."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from connector.cli import output
from connector.config.secrets import Secret
from connector.model import SendState

AT = datetime(2026, 3, 8, 9, 5, tzinfo=UTC)


def printed(act: Callable[[], Any], **environ: str) -> str:
    """What ``act`` prints into a pipe."""

    @click.command()
    def command() -> None:
        act()

    plain = {"COLUMNS": None, "FORCE_COLOR": None}
    runner = CliRunner()
    return runner.invoke(command, [], env={**plain, **environ}, catch_exceptions=False).output


def test_json_is_one_object_a_line_with_sorted_keys() -> None:
    items: list[dict[str, Any]] = [{"b": 1, "a": AT}, {"b": None, "a": timedelta(minutes=1)}]
    text = printed(lambda: output.rows(items, ["a"], as_json=True))
    assert text == '{"a":"2026-03-08T09:05:00.000000Z","b":1}\n{"a":60.0,"b":null}\n'


def test_secrets_stay_hidden_in_tables_and_in_json() -> None:
    hush = Secret("hush")
    item: dict[str, Any] = {"token": hush, "tokens": (hush,), "more": {"key": hush}}
    for as_json in (True, False):
        assert "hush" not in printed(lambda: output.rows([item], list(item), as_json=as_json))  # noqa: B023
        assert "hush" not in printed(lambda: output.record(item, as_json=as_json))  # noqa: B023


def test_a_piped_table_is_never_folded_nor_coloured() -> None:
    wide = "x" * 400
    items = [{"id": "snd_1", "text": wide}, {"id": "snd_2", "text": "short"}]
    text = printed(lambda: output.rows(items, ["id", "text"]))
    assert any("snd_1" in line and wide in line for line in text.splitlines())
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert "\x1b" not in text


def test_a_named_width_is_kept() -> None:
    text = printed(lambda: output.rows([{"text": "word " * 40}], ["text"]), COLUMNS="40")
    assert max(map(len, text.splitlines())) <= 40


def test_headings_may_be_given_in_words() -> None:
    text = printed(lambda: output.rows([{"due_at": AT}], {"due_at": "due"}))
    assert [line.strip() for line in text.splitlines()] == ["due", "2026-03-08 09:05:00Z"]


def test_no_mark_up_is_understood() -> None:
    item = {"text": "[red]50% off[/red] :smile: [link=http://x]y[/link]"}
    assert item["text"] in printed(lambda: output.rows([item], ["text"]))
    assert item["text"] in printed(lambda: output.say(item["text"]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (0, "0"),
        (("a", None), "a, -"),
        ({"a": 1}, "a=1"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("\x1b[2Jgone\x07\u202egnp", "[2Jgonegnp"),
        (SendState.planned, "planned"),
    ],
)
def test_values_are_written_as_people_read_them(value: object, text: str) -> None:
    assert output.plain(value) == text


@given(st.text())
def test_nothing_printed_can_steer_a_terminal(value: str) -> None:
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in output.plain(value))


def test_json_takes_what_commands_hold() -> None:
    item = {"path": Path("a"), "set": {"b", "a"}, 1: "x", "at": AT}
    found = json.loads(printed(lambda: output.json_line(item)))
    assert found == {"path": "a", "set": ["a", "b"], "1": "x", "at": "2026-03-08T09:05:00.000000Z"}
