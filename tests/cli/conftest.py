"""A folder made from the starters, with a small ledger in it and a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner

from connector.cli import cli
from connector.clock import TestClock
from connector.config.loaded import load
from connector.ledger.store import Tx
from connector.runtime import opened
from tests.ledger import build
from tests.running import folder

T = TypeVar("T")


class Shop:
    """A folder to run commands on; its clock shows ten past six in the evening, UTC."""

    def __init__(self, path: Path) -> None:
        self.path = folder(path, 8080)
        data = self.path / "data"
        data.mkdir()
        TestClock(data / "clock").set(build.at() + timedelta(hours=8, minutes=10), 0)

    def run(self, *args: str, width: int = 0) -> tuple[int, str]:
        """A command's exit code and what it prints, into a pipe or a terminal of a width."""
        environ: dict[str, str | None] = {"COLUMNS": str(width) if width else None}
        result = CliRunner().invoke(cli, ["-C", str(self.path), *args], env=environ)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, result.output

    def json(self, *args: str) -> list[dict[str, Any]]:
        """The objects that a command prints."""
        code, text = self.run(*args, "--json")
        assert code == 0, text
        return [json.loads(line) for line in text.splitlines()]

    def write(self, act: Callable[[Tx], T]) -> T:
        """Write to the ledger."""
        with opened(load(self.path)) as store, store.write() as tx:
            return act(tx)

    def one(self, sql: str) -> Any:
        """The first column of the first row of the ledger, or None."""
        with opened(load(self.path)) as store, store.read() as tx:
            row = tx.one(sql)
        return next(iter(dict(row).values())) if row else None


@pytest.fixture
def empty(tmp_path: Path) -> Shop:
    """A folder whose ledger holds nothing."""
    return Shop(tmp_path / "shop")


@pytest.fixture
def shop(empty: Shop) -> Shop:
    """A folder whose ledger holds the story of one cart."""
    empty.write(build.cart_story)
    return empty
