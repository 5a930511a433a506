"""A history of texts that went by several providers is made again, decision for decision."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import Deferred
from connector.rules.routing import Hop, Route
from connector.simulate.carrier import AtOnce
from connector.simulate.compare import compare
from connector.simulate.replay import replayed
from connector.simulate.simulation import of_ledger
from connector.steps.dispatch import Dispatcher
from tests.simulate.town import Carrier, Town, wander, write_town

POOL = tuple(f"+1800555010{number}" for number in range(3))
ROUTES = (Route("both", (Hop("one", POOL), Hop("two", ("MG2",))), (), ("marketing", "service")),)


class Routed(Town):
    """A town whose texts go by one provider, or by another where that one fails."""

    def start(self) -> None:
        """As any town's, with routes."""
        self.loaded = self.plain = getattr(self, "plain", self.loaded)
        super().start()
        self.carrier.name = "one"
        self.other = Carrier("two")
        use = replace(self.loaded.settings.provider, use="one", routes=ROUTES)
        self.loaded = replace(self.loaded, settings=replace(self.loaded.settings, provider=use))
        self.rt.providers = {"sandbox": self.carrier, "one": self.carrier, "two": self.other}
        self.rt.provider, self.rt.routes = "one", ROUTES
        self.dispatcher = Dispatcher(self.rt, pool=AtOnce())


@pytest.fixture
def routed(tmp_path: Path) -> Iterator[Routed]:
    town = Routed(write_town(tmp_path / "town"))
    yield town
    town.stop()


def outage(town: Town, texts: int) -> None:
    town.carrier.answers.extend([Deferred("down")] * texts)


@pytest.mark.parametrize("seed", range(2))
def test_what_went_another_way_is_decided_as_it_was(routed: Routed, seed: int) -> None:
    chance = random.Random(seed)
    wander(routed, chance, 50)
    for _ in range(4):
        outage(routed, chance.randrange(1, 4))
        wander(routed, chance, 20)
    routed.go(timedelta(days=1))
    assert routed.other.sent
    with replayed(routed.loaded, of_ledger(routed.store)) as ran:
        assert not ran.faults
        found = compare(ran)
        ways = "SELECT provider, sender, count(*) AS n FROM sends GROUP BY 1, 2 ORDER BY 1, 2"
        again = [tuple(dict(row).values()) for row in ran.world.store.tx.all(ways)]
    assert not found.differences
    assert found.equal > 30
    assert again == [tuple(row.values()) for row in routed.rows(ways)]
