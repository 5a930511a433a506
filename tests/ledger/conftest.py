"""A ledger in a file of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.ledger import migrations
from connector.ledger.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "ledger.db")
    migrations.migrate(store.database())
    yield store
    store.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """One ledger for all examples of a property, which empties what it fills."""
    store = SqliteStore(tmp_path_factory.mktemp("shared") / "ledger.db")
    migrations.migrate(store.database())
    yield store
    store.close()
