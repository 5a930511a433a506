"""A text that a person paused is paused again in a replay; what the connector did comes again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.ledger import pauses
from connector.simulate.inputs import inputs
from connector.simulate.telling import TELLERS
from connector.steps import templates
from tests.steps.build import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "shop")
    yield made
    made.close()


class World:
    """As much of a replay's world as an operator's act needs."""

    def __init__(self, shop: Shop) -> None:
        self.rt = shop.rt

    def act(self, what: object) -> None:
        with self.rt.store.write() as tx:
            what(tx, self.rt, self.rt.clock())  # type: ignore[operator]


def test_only_what_a_person_did_to_a_text_is_an_input(shop: Shop, tmp_path: Path) -> None:
    with shop.store.write() as tx:
        for who in (templates.WHO, "operator:ann"):
            templates.pause(tx, shop.rt, "cart", who=who, why="", now=shop.clock())
        templates.resume(tx, shop.rt, "cart", who="operator:ann", why="", now=shop.clock())
    found = [line for line in inputs(shop.store) if line["kind"] in ("pause", "resume")]
    assert [(line["kind"], line["template"], line["who"]) for line in found] == [
        ("pause", "cart", "operator:ann"),
        ("resume", "cart", "operator:ann"),
    ]
    other = Shop(tmp_path / "other")
    held = []
    for line in found:
        TELLERS[line["kind"]](World(other), line)  # type: ignore[arg-type]
        with other.store.read() as tx:
            held.append(list(pauses.all_(tx)))
    other.close()
    assert held == [[pauses.template("cart")], []]
