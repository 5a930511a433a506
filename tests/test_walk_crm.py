"""The walk in ``docs/walk-crm.md``, walked: its files written, its commands typed, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.clock import TestClock
from tests.crms.hubspot_account import BoughtAccount
from tests.crms.hubspot_api import TOKEN
from tests.walking import Walker, page

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # a Wednesday, noon in Washington


class WithHubSpot(Walker):
    """Somebody who has a HubSpot account of their own too."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        super().__init__(place, patch)
        self.account = BoughtAccount()
        self.account.now = NOON
        self.account.make("favourite_store", "string")
        self.ann = self.account.add(
            "contacts",
            email="ann@example.org",
            mobilephone="+1 202 555 0123",
            favourite_store="Pearl Street",
        )

    def close(self) -> None:
        super().close()
        self.account.close()

    def configured(self, text: str) -> str:
        """A clock, and our HubSpot."""
        (self.shop / "data").mkdir()
        self.account.clock = clock = TestClock(self.shop / "data/clock")
        clock.set(NOON)
        text = text.replace("[crms.hubspot]", f'[crms.hubspot]\nbase_url = "{self.account.url}"')
        return f"test_clock = true\n{text}"

    def typed(self, script: str) -> str:
        script = script.replace("pat-na1-…", TOKEN)
        return script.replace("https://api.hubapi.com", self.account.url)


@pytest.fixture
def walker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WithHubSpot]:
    """Somebody at the start."""
    walker = WithHubSpot(tmp_path, monkeypatch)
    try:
        yield walker
    finally:
        walker.close()


def test_a_property_is_mapped_each_way_checked_installed_and_seen_filled(
    walker: WithHubSpot,
) -> None:
    blocks = page("walk-crm.md")
    assert len(blocks) >= 12, "the page is not what this walks"
    walker.walk(blocks)
    held = walker.account.held(walker.ann)
    assert held["sms_interest"] == "texted" and held["sms_consent"] == "denied"
    assert walker.account.made["sms_interest"]["groupName"] == "sms_connector"
    [text] = walker.account.records["communications"].values()
    assert "Your store is Pearl Street" in text["properties"]["hs_communication_body"]
