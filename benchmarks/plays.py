"""What an event costs the worker with one play in the folder, and with thirty of the library."""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path

from benchmarks import shop
from benchmarks.figures import Figure, main, tell
from connector import clock, library
from connector.config.loaded import load
from connector.ledger.inbox import Delivery, Inbox
from connector.ledger.sqlite import SqliteStore
from connector.runtime import INBOX_FILE, moved, open_ledger, open_setup
from connector.steps.advance import Advancer
from connector.steps.setup import Setup

EACH = 500  #: events in one measurement
PEOPLE = 2_000
MANY = 30
NAMES = (
    *("Product Viewed",) * 10,
    *("Page Viewed", "Products Searched", "Product List Viewed", "Promotion Viewed") * 2,
    *("Product Added", "Coupon Entered"),
)
"""What people do in a shop, mostly looking."""


class Place:
    """A folder with some plays, its ledger and its worker's reader, in this process."""

    def __init__(self, path: Path, plays: list[str]) -> None:
        self.folder = shop.folder(path, port=1)
        for old in (self.folder / "mappings" / "plays").glob("*.toml"):
            old.unlink()
        for name in plays:
            library.copy(name, name, self.folder)
            file = self.folder / "mappings" / "plays" / f"{name}.toml"
            file.write_text(file.read_text().replace('mode = "shadow"', 'mode = "live"'))
        config = self.folder / "config.toml"
        hook = '\n[webhooks.mail]\nurl = "http://127.0.0.1:9/mail"\nsecrets = ["file:key"]\n'
        config.write_text(config.read_text() + hook)
        self.loaded = load(self.folder)
        self.store: SqliteStore = open_ledger(self.loaded.settings)
        self.rt: Setup = open_setup(self.loaded, self.store)
        path = self.loaded.settings.ledger / INBOX_FILE
        self.inbox = Inbox(path, moved=lambda: moved(self.store), wake=lambda: None, share=10**9)
        self.advancer = Advancer(self.rt)

    def take(self, bodies: list[bytes]) -> float:
        """Put events into the inbox and let the worker take them all; µs an event."""
        now = clock.now()
        for body in bodies:
            self.inbox.append(Delivery("events", "backend", now, body, "https://x/v1/track"))
        began = time.perf_counter()
        while self.advancer.round():
            pass
        return (time.perf_counter() - began) / len(bodies) * 1e6


def measure(quick: bool) -> list[Figure]:
    """The same events in both folders by turns."""
    rounds = 6 if quick else 20
    names = [ready.name for ready in library.plays()][:MANY]
    with tempfile.TemporaryDirectory() as place:
        one = Place(Path(place) / "one", ["cart_abandoned"])
        many = Place(Path(place) / "many", names)
        tell(f"plays: {rounds * EACH:,} events in a folder of 1 and in one of {len(names)} plays")
        for where in (one, many):
            for first in range(0, PEOPLE, EACH):
                where.take([_known(number) for number in range(first, first + EACH)])
        chance, costs = random.Random(5), ([], [])  # type: ignore[var-annotated]
        for number in range(rounds + 1):
            bodies = [_event(chance, f"{number}-{item}") for item in range(EACH)]
            for place_, took in zip((one, many), costs, strict=True):
                cost = place_.take(bodies)
                if number:  # the first round compiles what every later one has
                    took.append(cost)
        ratios = [b / a for a, b in zip(*costs, strict=True)]
    return [
        Figure("an event with 1 play", "µs", costs[0]),
        Figure(f"an event with {len(names)} plays", "µs", costs[1]),
        Figure("  ratio of the two", "", ratios, 2.0, True),
    ]


def _known(number: int) -> bytes:
    return json.dumps(shop.identify(number)).encode()


def _event(chance: random.Random, number: str) -> bytes:
    return shop.event(chance.choice(NAMES), chance.randrange(PEOPLE), f"m-{number}")


if __name__ == "__main__":
    main(measure)
