"""Durable ingest: events answered after an fsync, while the worker works off a backlog."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from benchmarks import ledger, load, shop
from benchmarks.figures import Figure, main, tell
from benchmarks.processes import Child, connector, free_port

CONNECTIONS = 32


def measure(quick: bool) -> list[Figure]:
    """Fill the inbox, start the worker on it, then measure both servers in turn.

    1. `connector serve` alone takes the backlog.
    2. `connector run` starts on it; each round measures it and the bare handler, one after the
       other, while the worker still has events to move.
    3. The worker is stopped, and both are measured once more with the machine to themselves.
    """
    seconds, rounds, backlog = (2, 2, 8_000) if quick else (5, 5, 40_000)
    with tempfile.TemporaryDirectory() as place:
        port, bare_port = free_port(), free_port()
        folder = shop.folder(Path(place) / "shop", port=port)
        bare = Child(
            bare_port, "benchmarks.bare", str(bare_port), str(shop.THREADS), log=folder / "bare"
        )
        with bare:
            bare.listening()
            with connector("serve", folder, port) as serve:
                serve.listening()
                tell(f"ingest: a backlog of {backlog:,} events")
                while ledger.backlog(folder) < backlog:
                    _rate(port, seconds)
                alone = [_rate(port, seconds) for _ in range(rounds)]
            bare_alone = [_rate(bare_port, seconds) for _ in range(rounds)]
            with connector("run", folder, port) as run:
                run.listening()
                pairs = [_pair(folder, port, bare_port, seconds) for _ in range(rounds)]
    return _figures(pairs, alone, bare_alone)


def _pair(folder: Path, port: int, bare_port: int, seconds: float) -> tuple[float, float]:
    tell("ingest: the connector and the bare handler, the worker at work")
    pair = _rate(port, seconds), _rate(bare_port, seconds)
    if not ledger.backlog(folder):
        raise load.Failed("the worker had nothing left to do, so nothing was measured")
    return pair


def _rate(port: int, seconds: float) -> float:
    body = shop.event("Product Viewed", load.USER.decode(), load.MARK.decode())
    return load.steady(port, load.request(body), seconds, CONNECTIONS).rate


def _figures(
    pairs: list[tuple[float, float]], alone: list[float], bare_alone: list[float]
) -> list[Figure]:
    ours, bare = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return [
        Figure("ingest, worker on a backlog", "events/s", ours, 3_000),
        Figure("bare Flask handler, worker on a backlog", "events/s", bare),
        Figure("  ratio of the two", "", [mine / its for mine, its in pairs], 0.6),
        Figure("ingest, no worker", "events/s", alone),
        Figure("bare Flask handler, no worker", "events/s", bare_alone),
        Figure("  ratio of the two", "", [median(alone) / median(bare_alone)]),
    ]


if __name__ == "__main__":
    main(measure)
