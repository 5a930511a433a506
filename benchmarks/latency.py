"""Latency: from just before an event is sent to the provider's call, at 20 events a second."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

from benchmarks import ledger, load, shop
from benchmarks.end_to_end import know, sign_up
from benchmarks.figures import Figure, main, tell
from benchmarks.processes import Child, connector, free_port

A_SECOND = 20
WARM_UP = 40  #: events before the first that counts


def measure(quick: bool) -> list[Figure]:
    """The p50 and p99 of three runs over one connector."""
    seconds, runs = (8, 1) if quick else (30, 3)
    events = WARM_UP + seconds * A_SECOND * runs
    with tempfile.TemporaryDirectory() as place:
        port, provider_port = free_port(), free_port()
        folder = shop.folder(Path(place) / "shop", port=port, provider=provider_port, in_flight=10)
        arguments = ("benchmarks.fake_provider", str(provider_port), "0")
        with Child(provider_port, *arguments, log=folder / "provider") as provider:
            provider.listening()
            with connector("run", folder, port) as run:
                run.listening()
                know(folder, port, events)
                ledger.wait_for_writebacks(folder)
                tell(f"latency: {events} events, {A_SECOND} a second")
                sent = [at for at, _ in _send(port, events)]
                ledger.wait_for_sends(folder, events)
                time.sleep(0.2)
                called = _called(provider_port)
    took = [(called[shop.phone(number)] - at) * 1_000 for number, at in enumerate(sent)]
    each = seconds * A_SECOND
    parts = [took[first : first + each] for first in range(WARM_UP, events, each)]
    return [
        Figure(
            "event to provider call, p50", "ms", [percentile(part, 0.5) for part in parts], 15, True
        ),
        Figure(
            "event to provider call, p99",
            "ms",
            [percentile(part, 0.99) for part in parts],
            50,
            True,
        ),
    ]


def _send(port: int, events: int) -> list[tuple[float, float]]:
    return list(load.paced(port, map(sign_up, range(events)), A_SECOND))


def _called(port: int) -> dict[str, float]:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        called: dict[str, float] = json.load(answer)
    return called


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main(measure)
