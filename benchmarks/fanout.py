"""One fact about a product on its way to 100,000 people: what others' events wait meanwhile."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from benchmarks import ledger, load, shop
from benchmarks.end_to_end import know, sign_up
from benchmarks.figures import Figure, main, tell
from benchmarks.latency import percentile
from benchmarks.processes import Child, connector, free_port
from connector import library
from connector.config.loaded import load as load_folder
from connector.ledger.sqlite import SqliteStore
from connector.runtime import open_ledger

A_SECOND = 20
PRODUCT = "p-1"
EACH = "WITH RECURSIVE each(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM each WHERE i + 1 < {})"
AT = "strftime('%Y-%m-%dT%H:%M:%S', 'now', '-1 day') || '.000000Z'"
CARING = (
    f"""INSERT INTO contacts (id, stage, first_seen_at, last_seen_at, last_activity_at, created_at)
    SELECT printf('con_%016d', i), 'lead', {AT}, {AT}, {AT}, {AT} FROM each""",
    f"""INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity, facts)
    SELECT printf('sig_%016d', i), printf('evt_%016d', i), 'product_viewed',
        printf('con_%016d', i), '{PRODUCT}', {AT}, 1, '{{}}' FROM each""",
)
"""People who looked at the product yesterday, and of whom nothing else is known."""


def measure(quick: bool) -> list[Figure]:
    """Sign-ups, each answered by a text, while the fact goes through all who cared."""
    people, seconds = (10_000, 10) if quick else (100_000, 45)
    with tempfile.TemporaryDirectory() as place:
        port, provider_port = free_port(), free_port()
        folder = shop.folder(Path(place) / "shop", port=port, provider=provider_port, in_flight=10)
        _add_play(folder)
        _seed(folder, people)
        arguments = ("benchmarks.fake_provider", str(provider_port), "0")
        with Child(provider_port, *arguments, log=folder / "provider") as provider:
            provider.listening()
            with connector("run", folder, port) as run:
                run.listening()
                know(folder, port, A_SECOND * seconds)
                ledger.wait_for_writebacks(folder)
                tell(
                    f"fan-out: one fact to {people:,} people, {A_SECOND} events a second beside it"
                )
                load.burst(port, [_fact()])
                began = time.time()
                sent = [
                    at
                    for at, _ in load.paced(port, map(sign_up, range(A_SECOND * seconds)), A_SECOND)
                ]
                ledger.wait_for_sends(folder, A_SECOND * seconds)
                through = _through(folder, people, began)
                with urlopen(f"http://127.0.0.1:{provider_port}/", timeout=10) as answer:
                    called = json.load(answer)
    took = [(called[shop.phone(number)] - at) * 1_000 for number, at in enumerate(sent)]
    return [
        Figure("event to provider call during a fan-out, p50", "ms", [percentile(took, 0.5)]),
        Figure("  p99", "ms", [percentile(took, 0.99)], 500, True),
        Figure("  people told", "people/s", [through]),
    ]


def _add_play(folder: Path) -> None:
    library.copy("back_in_stock", "back_in_stock", folder)
    file = folder / "mappings" / "plays" / "back_in_stock.toml"
    text = file.read_text().replace('mode = "shadow"', 'mode = "live"')
    file.write_text(text.replace("limit = 5000", "limit = 1000000"))


def _seed(folder: Path, people: int) -> None:
    store = open_ledger(load_folder(folder).settings)
    with store.write() as tx:
        for statement in CARING:
            head, select, rest = statement.partition("SELECT")
            tx.run(f"{head} {EACH.format(people)} {select}{rest}")
    store.close()


def _fact() -> bytes:
    told = {
        "type": "track",
        "event": "Product Back in Stock",
        "anonymousId": "catalogue",
        "messageId": "back-1",
        "properties": {"product_id": PRODUCT, "name": "Oak stool", "stock": 500_000},
    }
    return load.request(json.dumps(told).encode())


def _through(folder: Path, people: int, began: float) -> float:
    """People told a second, until the fan-out was through or until now."""
    store = SqliteStore(folder / "data" / "ledger.db")
    with store.read() as tx:
        row = tx.one("SELECT taken, state FROM fanouts")
    store.close()
    if row is None or not row["taken"]:
        raise load.Failed("the fact reached nobody")
    return int(row["taken"]) / (time.time() - began)


if __name__ == "__main__":
    main(measure)
