"""The makers' own Python libraries, pointed at a real connector instead of at their makers.

Those for Node and for pages: ``make clients``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client
from segment.analytics.request import _session

from tests.clients import senders
from tests.clients.place import Stutter
from tests.clients.place import make as make_for_clients
from tests.proofs.shop import make
from tests.proofs.verdict import at_rest, opened
from tests.proofs.victim import Victim
from tests.running import BACKEND_KEY, Running, free_port

EVENTS = 1_000
THEN = datetime(2026, 11, 18, 16, 59, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Victim]:
    """A running connector."""
    victim = Victim(make(tmp_path / "shop", port := free_port()), port)
    with closing(victim), closing(_session):
        victim.start()
        victim.until(victim.is_whole)
        yield victim


def deliver(shop: Victim, first_zips: bool, halfway: Callable[[], None] = lambda: None) -> None:
    """Tell the same events, each second one zipped, from two clients that take turns."""
    refused: list[Exception] = []
    clients = [
        Client(
            BACKEND_KEY,
            host=f"http://127.0.0.1:{shop.port}",
            gzip=zips,
            upload_size=20,
            upload_interval=0.1,
            on_error=lambda error, _: refused.append(error),
        )
        for zips in (first_zips, not first_zips)
    ]
    for number in range(EVENTS):
        if number == EVENTS // 2:
            halfway()
        tell(clients[number % 2], number)
    for client in clients:
        client.shutdown()
    assert not refused


def tell(client: Any, number: int) -> None:
    """One event of each kind in turn, with the id that it always has."""
    who, common = f"user-{number}", {"message_id": f"sdk-{number}", "timestamp": THEN}
    match number % 6:
        case 0:
            client.identify(who, {"email": f"{who}@shop.example"}, **common)
        case 1:
            client.track(who, "Product Viewed", {"product_id": number, "price": 9.5}, **common)
        case 2:
            client.page(who, "Docs", "Pricing", {"path": "/pricing"}, **common)
        case 3:
            client.screen(who, None, "Home", **common)
        case 4:
            client.group(who, f"group-{number}", {"name": "Corner"}, **common)
        case 5:
            client.alias(f"before-{number}", who, **common)


def rows(shop: Victim, sql: str) -> list[tuple[Any, ...]]:
    with closing(opened(shop.path, "ledger")) as ledger:
        return [tuple(row) for row in ledger.execute(sql)]


def test_a_thousand_events_are_recorded_once_each_also_when_all_are_sent_again(
    shop: Victim,
) -> None:
    def restart() -> None:
        assert shop.process is not None
        assert shop.kill(shop.process.pid)[0] == "down"
        shop.start()

    deliver(shop, first_zips=False, halfway=restart)
    shop.until(lambda: at_rest(shop.path))
    every = {f"sdk-{number}" for number in range(EVENTS)}
    told = rows(shop, "SELECT source_event_id, type FROM events")
    assert {name for name, _ in told} == every
    assert len(told) == EVENTS
    kinds = {kind for _, kind in told}
    assert kinds == {"identify", "track", "page", "screen", "group", "alias"}
    assert not rows(shop, "SELECT * FROM events WHERE state = 'failed'")
    assert not rows(shop, "SELECT * FROM unreadable")
    meant = rows(shop, "SELECT count(*) FROM signals")

    code, _ = shop.stop()
    assert code == 0
    shop.start()
    shop.until(shop.is_whole)
    deliver(shop, first_zips=True)
    shop.until(lambda: at_rest(shop.path))
    again = rows(shop, "SELECT source_event_id, repeats, conflicts FROM events")
    assert {name for name, _, _ in again} == every
    assert len(again) == EVENTS
    assert all(repeats >= 1 and not conflicts for _, repeats, conflicts in again)
    assert rows(shop, "SELECT count(*) FROM signals") == meant


def test_rudderstacks_and_posthogs_clients_lose_and_double_nothing_when_answers_are_lost(
    tmp_path: Path,
) -> None:
    """Every answer is lost the first time, so that each event is sent twice."""
    port = free_port()
    with Running(make_for_clients(tmp_path / "shop", port), port) as running:
        stutter = Stutter(port)
        with stutter.host() as door:
            sent = {
                "rudder_python": senders.rudder_python(door.url, 0, 20),
                "posthog_python": senders.posthog_python(door.url, 0, 20),
            }
        for name, ids in sent.items():
            assert len(ids) == 20
            asked = "SELECT source_event_id, type, repeats, conflicts FROM events WHERE source = ?"
            running.until(partial(all_repeated, running, asked, name))
            told = running.rows(asked, name)
            assert sorted(row["source_event_id"] for row in told) == sorted(ids)
            assert all(row["repeats"] == 1 and not row["conflicts"] for row in told)
            assert len({row["type"] for row in told}) == 4
        assert running.rows("SELECT * FROM unreadable") == []
        assert running.rows("SELECT * FROM events WHERE state = 'failed'") == []


def all_repeated(running: Running, asked: str, name: str) -> bool:
    rows = running.rows(asked, name)
    return len(rows) == 20 and all(row["repeats"] for row in rows)
