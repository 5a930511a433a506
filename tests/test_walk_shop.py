"""The walk in ``docs/walk-shop.md``, walked: from nothing to the reminder of a left checkout."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import starters
from connector.config.loaded import load
from tests.pages import Block
from tests.walking import Walker, page

TRYING = re.compile(r"^.*until it is for real.*\n", re.MULTILINE)
FOR_REAL = "# in the place of [web] and [provider] in config.toml\n"
KEYS = {
    "SHOPIFY_SECRET": "hush",
    "TELNYX_API_KEY": "KEY0",
    "TELNYX_PUBLIC_KEY": base64.b64encode(bytes(32)).decode(),
}


def sandboxed() -> list[Block]:
    """What is done before it is for real."""
    blocks = page("walk-shop.md")
    end = next(place for place, block in enumerate(blocks) if block.text.startswith(FOR_REAL))
    return blocks[:end]


@pytest.fixture
def walker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walker]:
    """Somebody at the start."""
    walker = Walker(tmp_path, monkeypatch)
    try:
        yield walker
    finally:
        walker.close()


def test_a_left_checkout_is_reminded_of_as_the_page_says(walker: Walker) -> None:
    blocks = sandboxed()
    assert len(blocks) >= 10, "the page is not what this walks"
    walker.walk(blocks)
    assert walker.running is not None
    [text] = walker.running.rows("SELECT play, step, state FROM sends")
    assert (text["play"], text["step"]) == ("cart_abandoned", "reminder")
    assert walker.running.post("/in/shop", {}, key="") == 401


def test_what_the_page_puts_in_their_place_is_a_live_configuration(tmp_path: Path) -> None:
    blocks = page("walk-shop.md")
    for name, source in starters.files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tmp_path / name)
    whole = next(block.text for block in blocks if block.file == "config.toml")
    real = next(block.text for block in blocks if block.text.startswith(FOR_REAL))
    kept = TRYING.sub("", whole).replace("[holdout]\n", "")
    for table in ("web", "provider"):
        kept = re.sub(rf"^\[{table}\]\n(?:.+\n)*", "", kept, flags=re.MULTILINE)
    (tmp_path / "config.toml").write_text(kept + real)
    settings = load(tmp_path, environ=KEYS).settings
    assert settings.provider.use == "telnyx"
    assert settings.holdouts and not settings.test_clock
    assert list(settings.sources) == ["shop"]
