"""What was kept apart then is kept apart again, so that a replay comes to the same decisions."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from connector.rules.traffic import Traffic
from connector.simulate.compare import compare
from connector.simulate.replay import replayed
from connector.simulate.simulation import of_ledger
from tests.simulate.town import Town, wander

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
APART = """SELECT reason, count(*) AS n FROM events WHERE state = 'unmapped'
    AND (reason = 'staff' OR reason = 'robot') GROUP BY reason ORDER BY reason"""


OURS = Traffic(staff_emails=frozenset({"@corner.example"}))


@pytest.fixture
def guarded(town: Town) -> Town:
    """A town that knows who is of the shop itself."""
    settings = replace(town.loaded.settings, traffic=OURS)
    town.loaded, town.rt.traffic = replace(town.loaded, settings=settings), OURS
    return town


def test_a_history_with_robots_and_staff_in_it_is_made_again(guarded: Town) -> None:
    no = {"email": "p1@corner.example", "ok_marketing": False}
    guarded.introduce(1, consents=False, **no)  # an opt-out is heard whoever it is of
    guarded.introduce(3, email="p3@corner.example")  # and this makes no contact
    wander(guarded, random.Random(11), 120)
    seen = {"type": "track", "event": "cart_updated", "context": {"userAgent": GOOGLEBOT}}
    guarded._deliver("site", {**seen, "userId": "u2", "properties": {"key": "c-9"}})
    apart = {row["reason"]: row["n"] for row in guarded.rows(APART)}
    assert apart["robot"] == 1
    assert apart["staff"] > 3, "what followed under the same user id was known again"
    stopped = "SELECT count(*) AS n FROM decisions WHERE reason = 'staff'"
    assert guarded.rows(stopped)[0]["n"] > 0, "whoever turned out to be ours starts nothing"
    with replayed(guarded.loaded, of_ledger(guarded.store)) as ran:
        assert not ran.faults
        assert not compare(ran).differences
        assert {row["reason"]: row["n"] for row in ran.world.store.tx.all(APART)} == apart


def test_a_list_written_later_makes_another_past_and_says_so(town: Town) -> None:
    """Somebody whom the new list keeps apart was known then, and is not now."""
    town.introduce(1, email="p1@corner.example")
    wander(town, random.Random(11), 60)
    settings = replace(town.loaded.settings, traffic=OURS)
    with replayed(replace(town.loaded, settings=settings), of_ledger(town.store)) as ran:
        assert compare(ran).differences
