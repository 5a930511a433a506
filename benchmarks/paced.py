"""Paced: 200 segments a second to a provider that takes 250 ms, inside every limit, in flat memory.

``python -m benchmarks.paced [--seconds N]``; ten minutes unless said.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from benchmarks import ledger, load, shop
from benchmarks.end_to_end import know, sign_up
from benchmarks.figures import Figure, main, tell
from benchmarks.latency import percentile
from benchmarks.load import Failed
from benchmarks.processes import Child, connector, cpu_seconds, free_port, pss_mb, worker_of

RATE: Final = 200  #: segments a second that the sender may send; each text has one
DELAY: Final = 0.25  #: seconds that the provider takes
IN_FLIGHT: Final = 80  #: 50 would do at that delay; the rest is for what is late
FEED: Final = 1.04  #: so much faster texts come to be due than may leave, so that the limit binds
SECONDS: Final = 600
BRIEF: Final = 40
SETTLING: Final = 0.2  #: share of the run before memory is measured
DAY: Final = 200_000  #: segments of the carriers' day
POLICY: Final = f"""
[[senders]]
name = "*"
segments_a_second = {RATE}
segments_a_day = {DAY}
"""


def measure(quick: bool, seconds: int = 0) -> list[Figure]:
    """One run; with ``seconds`` it lasts so long."""
    lasts = seconds or (BRIEF if quick else SECONDS)
    texts = int(lasts * RATE)
    with tempfile.TemporaryDirectory() as place:
        port, provider_port = free_port(), free_port()
        folder = shop.folder(
            Path(place) / "shop", port=port, provider=provider_port, in_flight=IN_FLIGHT
        )
        with (folder / "mappings" / "policy.toml").open("a") as policy:
            policy.write(POLICY)
        arguments = ("benchmarks.strict_provider", str(provider_port), str(DELAY))
        with Child(provider_port, *arguments, log=folder / "provider") as provider:
            provider.listening()
            with connector("run", folder, port) as run:
                run.listening()
                tell(f"paced: {texts:,} people become known")
                know(folder, port, texts)
                ledger.wait_for_writebacks(folder)
                return _run(folder, port, provider_port, texts)


def _run(folder: Path, port: int, provider_port: int, texts: int) -> list[Figure]:
    worker = worker_of(folder)
    tell(f"paced: {texts:,} texts, {RATE} a second, the provider takes {DELAY * 1_000:.0f} ms")
    used = cpu_seconds([worker])
    with Sampled(lambda: pss_mb([worker])) as memory:
        for _ in load.paced(port, map(sign_up, range(texts)), RATE * FEED):
            pass
        ledger.wait_for_sends(folder, texts)
    told = json.loads(urlopen(f"http://127.0.0.1:{provider_port}/", timeout=30).read())
    return _figures(told, memory, cpu_seconds([worker]) - used)


def _figures(told: dict[str, Any], memory: Sampled, cpu: float) -> list[Figure]:
    arrivals: list[float] = told["arrivals"]
    if told["doubles"]:
        raise Failed(f"{told['doubles']} texts came twice")
    if told["most"] > 2 * RATE:
        raise Failed(f"{told['most']} segments came in a second, and {RATE} and a burst may")
    lasted = arrivals[-1] - arrivals[0]
    late = [max(0.0, at - arrivals[0] - place / RATE) * 1_000 for place, at in enumerate(arrivals)]
    begin, end, slope = memory.line()
    return [
        Figure("paced: texts leave", "segments/s", [(len(arrivals) - 1) / lasted], RATE * 0.99),
        Figure("  later than the limit allows, p50", "ms", [percentile(late, 0.5)]),
        Figure("  later than the limit allows, p99", "ms", [percentile(late, 0.99)]),
        Figure("  most in any one second", "segments", [told["most"]], 2 * RATE, True),
        Figure("  texts that came twice", "", [told["doubles"]], 0, True),
        Figure("  memory of the worker, at the beginning", "MB PSS", [begin]),
        Figure("  memory of the worker, at the end", "MB PSS", [end], begin * 1.1, True),
        Figure("  its slope", "MB/min", [slope]),
        Figure("  processor of the worker", "cores", [cpu / lasted]),
    ]


class Sampled:
    """Measures something each second while the block runs."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self._measure = measure
        self._ended = threading.Event()
        self._found: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Sampled:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(1.0):
            self._found.append((time.monotonic() - began, self._measure()))

    def line(self) -> tuple[float, float, float]:
        """(at the beginning, at the end, slope a minute) of the straight line through what was
        measured once the first part was over."""
        whole = self._found[-1][0]
        kept = [(at, value) for at, value in self._found if at >= whole * SETTLING]
        slope, begin = _fit(kept)
        return begin + slope * kept[0][0], begin + slope * kept[-1][0], slope * 60


def _fit(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(slope, value at 0) of the straight line with the least squares."""
    middle = sum(at for at, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    spread = sum((at - middle) ** 2 for at, _ in points) or 1.0
    slope = sum((at - middle) * (value - mean) for at, value in points) / spread
    return slope, mean - slope * middle


def _seconds(arguments: list[str]) -> int:
    """Take ``--seconds N`` out of the arguments; 0 where it is not there."""
    if "--seconds" not in arguments:
        return 0
    place = arguments.index("--seconds")
    found = int(arguments[place + 1])
    del arguments[place : place + 2]
    return found


if __name__ == "__main__":
    main(partial(measure, seconds=_seconds(sys.argv)))
