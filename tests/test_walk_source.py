"""A stranger adds a source as ``docs/sources.md`` says, in its order, on a connector that runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.walking import Walker, page

SECTION = "Add a source in ten minutes"


@pytest.fixture
def walker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walker]:
    """Somebody whose connector runs, as the page asks."""
    walker = Walker(tmp_path, monkeypatch)
    try:
        walker.type(
            "connector init shop\n"
            "export SITE_KEY=$(openssl rand -hex 16) BACKEND_KEY=$(openssl rand -hex 16)"
        )
        walker.run()
        yield walker
    finally:
        walker.close()


def test_a_source_that_nobody_shipped_is_added_as_the_page_says(walker: Walker) -> None:
    blocks = page("sources.md", SECTION)
    assert len(blocks) >= 8, "the section is not what this walks"
    walker.walk(blocks)
    assert walker.running is not None
    [event] = walker.running.rows("SELECT state FROM events WHERE source = 'tidybook'")
    assert event["state"] == "done"
    door, forged = f"{walker.running.url}/in/tidybook", {"X-Tidybook-Signature": "sha256=0"}
    refused = walker.running.http.post(door, "{}", headers=forged, timeout=10)
    assert refused.status_code == 401


def test_what_was_captured_on_the_way_can_be_tried_in_the_place_of_the_sample(
    walker: Walker,
) -> None:
    blocks = page("sources.md", SECTION)
    first = next(place for place, block in enumerate(blocks) if "source try" in block.text)
    walker.walk(blocks[:first])
    assert walker.running is not None
    sample = (walker.place / "sample.json").read_bytes()
    walker.running.http.post(f"{walker.running.url}/in/tidybook_k3", data=sample, timeout=10)
    found = subprocess.run(
        "connector -C shop source try mappings/sources/tidybook.toml --json"
        " --payload shop/data/captures/tidybook_k3",
        shell=True,
        cwd=walker.place,
        capture_output=True,
        check=False,
    )
    told = json.loads(found.stdout)
    [event] = told["events"]
    assert (event["signal"], event["key"]) == ("appointment_booked", "T-77")
    assert "2025550144" not in found.stdout.decode()
