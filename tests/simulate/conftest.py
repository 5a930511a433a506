"""A small shop's folder with one play, and a town with the whole library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import folder
from tests.simulate.town import Town, write_town

CART = """
description = "Remind of a cart left for an hour"
role = "conversion"
purpose = "marketing"
scopes = ["cart_reminders"]
next_step = "finish"
exits = ["unsubscribed"]

[start]
signal = "cart_updated"
after = "60m"
unless = ["order_completed"]
restart = "rearm"

[[steps]]
name = "reminder"
template = "cart_abandoned"

[[steps]]
name = "call"
wait = "24h"
where = "signal.value | default(0) >= 100"
task = "Call {{ contact.first_name | default('them') }}"

[goal]
signal = "order_completed"
within = "7d"
"""
GOES = """
[[examples]]
name = "goes after an hour"
contact = { first_name = "Ann" }
expect = [{ at = "60m", contains = "your cart" }, { at = "25h", task = "Call Ann" }]
[[examples.events]]
at = "0m"
signal = "cart_updated"
key = "c1"
facts = { value = 120, cart_url = "https://corner.example/c1" }
"""


class Shop:
    """A folder with one play, whose examples a test writes."""

    def __init__(self, path: Path) -> None:
        self.path = folder(path, 8080)
        for play in (self.path / "mappings" / "plays").glob("*.toml"):
            play.unlink()
        self.write(GOES)

    def write(self, examples: str, play: str = CART) -> None:
        """Write the play with some examples."""
        (self.path / "mappings" / "plays" / "cart.toml").write_text(f"{play}\n{examples}")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


@pytest.fixture(scope="session")
def town_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town"))


@pytest.fixture
def town(town_folder: Path, tmp_path: Path) -> Iterator[Town]:
    config = town_folder / "config.toml"
    text = config.read_text()
    config.write_text(text.replace('folder = "data"', f'folder = "{tmp_path}/data"'))
    found = Town(town_folder)
    config.write_text(text)
    yield found
    found.stop()
