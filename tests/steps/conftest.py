"""A shop for each test, closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.steps.build import Shop


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Opens shops with plays and settings of a test's own."""
    opened: list[Shop] = []

    def make(*plays: Any, **changes: Any) -> Shop:
        opened.append(Shop(tmp_path / f"shop{len(opened)}", *plays, **changes))
        return opened[-1]

    yield make
    for shop in opened:
        shop.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """The shop as it stands in ``build``."""
    return open_shop()
