"""A room for each test; the files are read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.room import Room, loaded


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the folder stands."""
    return tmp_path_factory.mktemp("sources") / "shop"


@pytest.fixture
def room(shelf: Path, tmp_path: Path) -> Iterator[Room]:
    """A connector that knows every shipped source."""
    room = Room(loaded(shelf), tmp_path / "data")
    yield room
    room.close()
