"""Simulating: generated history through mapping, thirty plays and full policy, on one core."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import shop
from benchmarks.figures import Figure, main, tell
from benchmarks.plays import MANY, Place
from connector import clock, library
from connector.config.loaded import load
from connector.simulate.inputs import FORMAT
from connector.simulate.replay import replayed
from connector.simulate.simulation import of_file

PEOPLE = 10_000
BEGINS = datetime(2026, 9, 1, tzinfo=UTC)
APART = timedelta(seconds=6)
FINISHING = {"Form Started": "Form Submitted", "Appointment Missed": "Appointment Attended"}
"""What begins a play that waits, and what ends it before it has spoken."""
STARTING = (*FINISHING, *["Appointment Missed"] * 2, "Checkout Step Viewed")
STARTS = 0.075  #: of the events; plays that rest for a person refuse some in so long a time
FINISHED = 0.8  #: of what waits is ended before a play speaks of it
CONSENTS = {
    "cart_reminders_consent": True,
    "cart_reminders_consent_wording": "Yes, remind me of my cart by text. Reply STOP to end.",
    "order_updates_consent": True,
    "order_updates_consent_wording": "Yes, text me about my orders. Reply STOP to end.",
}
"""Beside offers people want all texts there are, so that most decisions let one go."""
LOOKING = (
    *("Product Viewed", "Product Added to Wishlist", "Coupon Entered", "Product Reviewed"),
    *("Quote Opened", "Offer Opened", "Session Started", "Lesson Started", "Feature Mastered"),
    *("Points Spent", "Usage Reported", "Pricing Viewed", "Support Case Read"),
    *("Email Link Clicked", "Booking Left"),
)
"""What people do beside; with what begins plays and what ends them it makes 20 signals."""


def measure(quick: bool) -> list[Figure]:
    """Events a second and peak memory, for a shorter and for a longer history."""
    counts, runs = ((20_000, 60_000), 1) if quick else ((100_000, 1_000_000), 3)
    found: dict[int, list[dict[str, float]]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory() as place:
        names = [ready.name for ready in library.plays()][:MANY]
        folder = Place(Path(place) / "shop", names).folder
        for count in counts:
            file = Path(place) / f"{count}.jsonl"
            _write(file, count)
            for _ in range(runs if count == counts[0] else 1):
                tell(f"simulate: {count:,} events, {len(names)} plays, {PEOPLE:,} people")
                found[count].append(_child(folder, file))
            file.unlink()
    few, many = (found[count] for count in counts)
    return [
        Figure(f"simulate {counts[0]:,} events", "events/s", [run["rate"] for run in few], 5_000),
        Figure(f"simulate {counts[1]:,} events", "events/s", [run["rate"] for run in many], 5_000),
        Figure("  took", "s", [run["seconds"] for run in many]),
        Figure("  peak memory", "MB", [run["mb"] for run in many]),
        Figure(
            "  peak memory, against the shorter one",
            "",
            [run["mb"] / few[0]["mb"] for run in many],
            1.25,
            True,
        ),
        Figure("  enrolments among 100 events", "", [run["enrolled"] for run in many]),
        Figure("  decisions about texts among 100 events", "", [run["decided"] for run in many]),
    ]


def _write(file: Path, count: int) -> None:
    with file.open("w") as out:
        for line in _lines(count):
            out.write(json.dumps(line) + "\n")


def _lines(count: int) -> Iterator[dict[str, object]]:
    about = {"kind": "about", "at": "", "format": FORMAT, "salt": "s", "libraries": {}}
    yield about
    for number in range(PEOPLE):
        body = shop.identify(number)
        body["traits"] |= CONSENTS  # type: ignore[operator]
        yield _event(number, BEGINS, body)
    chance = random.Random(11)
    ending: dict[
        int, tuple[str, int, str]
    ] = {}  # number of an event → what ends then, whose, which
    for number in range(PEOPLE, count):
        name, person, key = ending.pop(number, ("", -1, f"k-{number}"))
        if not name:
            name = chance.choice(STARTING if chance.random() < STARTS else LOOKING)
            person = chance.randrange(PEOPLE)
            if name in FINISHING and chance.random() < FINISHED:
                ending[number + 20] = (FINISHING[name], person, key)
        body = json.loads(shop.event(name, person, f"m-{number}"))
        body["properties"] |= {"cart_id": key, "form_id": key, "appointment_id": key}
        yield _event(number, BEGINS + number * APART, body)


def _event(number: int, at: datetime, body: dict[str, object]) -> dict[str, object]:
    stamp = clock.text(at)
    return {
        "kind": "event",
        "at": stamp,
        "id": f"evt_{number:020x}",
        "source": "backend",
        "source_event_id": str(body["messageId"]),
        "type": body["type"],
        "name": body.get("event", ""),
        "occurred_at": stamp,
        "received_at": stamp,
        "back_fill": False,
        "payload": body,
        "contact_id": "",
        "signal_id": "",
    }


def _child(folder: Path, file: Path) -> dict[str, float]:
    """Run it in a process of its own on one core, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.simulate", "--run", str(folder), str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(folder: Path, file: Path) -> None:
    """Simulate a file and print what it took."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    loaded = load(folder)
    began = time.perf_counter()
    with replayed(loaded, of_file(file), bound=None) as ran:
        seconds = time.perf_counter() - began
        events = ran.counts["event"]
        tx = ran.world.store.tx
        enrolled, decided = (
            int(row["n"])
            for sql in ("FROM enrolments", "FROM decisions WHERE moment = 'plan'")
            if (row := tx.one(f"SELECT count(*) AS n {sql}"))
        )
    peak = _peak_kb() / 1024
    told = {"rate": events / seconds, "seconds": seconds, "mb": peak}
    told |= {"enrolled": 100 * enrolled / events, "decided": 100 * decided / events}
    print(json.dumps(told))


def _peak_kb() -> int:
    """The most memory that this process ever held; rusage would tell of who started it."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(measure)
