"""Secrets: named, looked up, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config.secrets import Secret, Vault, revealed
from connector.config.toml import Table
from connector.errors import Fault


def looked_up(folder: Path, written: object, **environ: str) -> tuple[list[str], list[Fault]]:
    faults: list[Fault] = []
    table = Table("config.toml", {"keys": written}, faults, {"keys": 3})
    found = Vault(folder, environ).several(table, "keys")
    return [secret.reveal() for secret in found], faults


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("hush")
    assert f"{secret} {secret!r} {[secret]} { ({'a': secret}) }".count("hush") == 0
    assert str(secret) == "***"
    assert secret.reveal() == "hush"


def test_equal_secrets_are_equal_and_hash_alike() -> None:
    assert Secret("é") == Secret("é") != Secret("e")
    assert len({Secret("a"), Secret("a")}) == 1


def test_the_environment_and_files_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("before \n")
    found, faults = looked_up(tmp_path, ["env:NEW", "file:old"], NEW="after")
    assert found == ["after", "before "]
    assert faults == []


def test_one_alone_is_a_list_of_one(tmp_path: Path) -> None:
    assert looked_up(tmp_path, "env:KEY", KEY="k") == (["k"], [])


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("env:MISSING", "names MISSING, which the environment does not hold"),
        ("env:EMPTY", "names EMPTY, which the environment does not hold"),
        ("file:missing", "names the file missing, which cannot be read"),
        ("file:empty", "names the file empty, which is empty"),
        ("file:binary", "it is no UTF-8 text"),
        ("file:", "does not name a secret"),
        ("env:A B", "does not name a secret"),
    ],
)
def test_what_cannot_be_had_is_a_fault_with_its_name(
    tmp_path: Path, written: str, says: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    found, faults = looked_up(tmp_path, [written], EMPTY="")
    assert found == []
    assert says in faults[0].message
    assert faults[0].line == 3


@pytest.mark.parametrize("written", ["sk_live_4242", 4242, {"a": "sk_live_4242"}])
def test_a_secret_written_in_the_clear_is_refused_and_not_repeated(
    tmp_path: Path, written: object
) -> None:
    found, faults = looked_up(tmp_path, [written])
    assert found == []
    assert "4242" not in str(faults[0])
    assert "env:NAME or file:PATH" in faults[0].remedy


def test_only_the_adapter_gets_secrets_in_the_clear() -> None:
    settings = {"url": "u", "token": Secret("a"), "tokens": (Secret("b"), Secret("c"))}
    assert revealed(settings) == {"url": "u", "token": "a", "tokens": ("b", "c")}
