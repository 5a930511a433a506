"""End to end: an event in, decided twice, recorded, a provider's answer settled; texts a second."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks import ledger, load, shop
from benchmarks.figures import Figure, main, tell
from benchmarks.processes import Child, connector, cpu_seconds, free_port, worker_of

SLOW = 0.1  #: seconds that the slower provider takes to answer
IN_FLIGHT = 64  #: calls to the provider at one time


@dataclass(frozen=True, slots=True)
class Run:
    """One burst of events, each leading to one text."""

    rate: float  #: texts a second, from the first event sent to the last answer settled
    web_ms: float  #: processor time of the web, a text
    worker_ms: float  #: and of the worker
    written_after: float  #: seconds until the CRM knew of all of it, from the first event


def measure(quick: bool) -> list[Figure]:
    """Texts a second with a provider that answers at once, and with one that takes 100 ms."""
    texts, runs = (800, 2) if quick else (4_000, 3)
    at_once = _with_provider(0.0, texts, runs)
    slow = _with_provider(SLOW, texts, runs)
    return [
        Figure("end to end, provider at once", "texts/s", [run.rate for run in at_once], 450),
        Figure("  CPU of the web", "ms/text", [run.web_ms for run in at_once]),
        Figure("  CPU of the worker", "ms/text", [run.worker_ms for run in at_once]),
        Figure(
            "  until written to the CRM", "texts/s", [texts / run.written_after for run in at_once]
        ),
        Figure("end to end, provider takes 100 ms", "texts/s", [run.rate for run in slow], 300),
        Figure("  CPU of the worker", "ms/text", [run.worker_ms for run in slow]),
    ]


def _with_provider(delay: float, texts: int, runs: int) -> list[Run]:
    with tempfile.TemporaryDirectory() as place:
        port, provider_port = free_port(), free_port()
        folder = shop.folder(
            Path(place) / "shop", port=port, provider=provider_port, in_flight=IN_FLIGHT
        )
        arguments = ("benchmarks.fake_provider", str(provider_port), str(delay))
        with Child(provider_port, *arguments, log=folder / "provider") as provider:
            provider.listening()
            with connector("run", folder, port) as run:
                run.listening()
                tell(f"end to end: {runs * texts:,} people become known")
                know(folder, port, runs * texts)
                tell(f"end to end: {runs} bursts, the provider answers after {delay * 1000:.0f} ms")
                return [_burst(folder, run, texts, number) for number in range(runs)]


def know(folder: Path, port: int, people: int) -> None:
    """Let the connector know people who may be texted, and wait until it does."""
    load.burst(port, (load.request(body, "/v1/batch") for body in shop.batches(0, people)), 2)
    ledger.wait_for_events(folder, people)


def sign_up(number: int) -> bytes:
    """The request that starts a play without delay for a person."""
    return load.request(shop.event("Signed Up", number, f"signed-up-{number}"))


def _burst(folder: Path, run: Child, texts: int, number: int) -> Run:
    worker = [worker_of(folder)]
    web = [pid for pid in run.pids() if pid not in worker]
    people = range(number * texts, (number + 1) * texts)
    before = cpu_seconds(web), cpu_seconds(worker)
    began = load.burst(run.port, map(sign_up, people)).began
    ledger.wait_for_sends(folder, (number + 1) * texts)
    ended = datetime.fromisoformat(ledger.one(folder, "SELECT max(accepted_at) FROM sends"))
    ledger.wait_for_writebacks(folder)
    written_after = time.time() - began
    after = cpu_seconds(web), cpu_seconds(worker)
    web_ms, worker_ms = (
        (late - early) / texts * 1_000 for late, early in zip(after, before, strict=True)
    )
    return Run(texts / (ended.timestamp() - began), web_ms, worker_ms, written_after)


if __name__ == "__main__":
    main(measure)
