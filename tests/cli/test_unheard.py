"""While replies may have been missed, commands say that marketing waits, and why."""

from __future__ import annotations

import pytest

from connector import clock
from connector.steps import hearing
from tests.cli.conftest import Shop
from tests.ledger.build import at

WHY = "Replies may have been missed: the web was away for 6 minutes."


@pytest.fixture
def held(shop: Shop) -> Shop:
    """A shop whose web was away."""
    shop.write(lambda tx: hearing.hold(tx, clock, "the web was away for 6 minutes", at(480)))
    return shop


@pytest.mark.parametrize("command", ["check", "capacity"])
def test_a_hold_of_marketing_is_shown(held: Shop, command: str) -> None:
    code, text = held.run(command)
    assert code == 0
    assert f"Marketing waits (replies_unheard): {WHY}" in text


def test_programs_read_it_too(held: Shop) -> None:
    [told] = held.json("check")
    assert told["alerts"]["held"] == {"replies_unheard": WHY}


def test_no_hand_lifts_it(held: Shop) -> None:
    assert held.run("play", "resume", "@unheard", "--why", "now")[0] != 0
    assert held.one("SELECT count(*) FROM pauses") == 1
