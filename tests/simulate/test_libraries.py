"""What decisions rest on is more than files: zones, numbers and holidays come with libraries."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector import starters
from connector.config.loaded import Loaded, load
from connector.ledger import files, migrations
from connector.ledger.sqlite import SqliteStore
from connector.runtime import contents
from connector.simulate.inputs import inputs
from connector.simulate.simulation import changes
from tests.ledger.build import TEN

LIBRARIES = ("tzdata", "phonenumbers", "holidays", "babel")


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """The files that ship."""
    for name, source in starters.files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tmp_path / name)
    return load(tmp_path, secrets=False)


def told(tmp_path: Path, loaded: Loaded, *more: tuple[str, str, str, str]) -> list[str]:
    """What is said to have changed since a ledger was kept, ``more`` beside what is so now."""
    store = SqliteStore(tmp_path / "ledger.db")
    try:
        migrations.migrate(store.database())
        with store.write() as tx:
            files.keep(tx, [*more, *contents(loaded)], TEN)
        lines = list(inputs(store))
    finally:
        store.close()
    seen: Any = SimpleNamespace(
        about=lines[0], files=tuple(line for line in lines if line["kind"] == "files")
    )
    return list(changes(loaded, seen))


def test_the_ledger_keeps_whose_data_decided(loaded: Loaded) -> None:
    kept = {(kind, name): seen for kind, name, seen, _ in contents(loaded)}
    assert all(kept["library", name] == version(name) for name in LIBRARIES)


def test_the_same_libraries_are_no_news(tmp_path: Path, loaded: Loaded) -> None:
    assert told(tmp_path, loaded) == []


def test_zones_that_were_others_when_decisions_were_made_are_reported(
    tmp_path: Path, loaded: Loaded
) -> None:
    (found,) = told(tmp_path, loaded, ("library", "tzdata", "2019.1", ""))
    assert found == f"library tzdata is {version('tzdata')}, and was also 2019.1"
