"""Starting and idling: time to the first accepted event, and memory when nothing happens."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, shop
from benchmarks.figures import Figure, main, tell
from benchmarks.processes import connector, free_port, pss_mb
from connector import starters

PATIENCE = 20.0
IDLE = 10.0  #: seconds before memory is measured
EVENT = load.request(shop.event("Product Viewed", 1, "first"))


@dataclass(frozen=True, slots=True)
class Start:
    """One start of `connector run`."""

    seconds: float  #: until the first event was accepted
    early: int  #: connections taken before, that were not answered 200
    pss: float  #: MB of all its processes after ``IDLE`` seconds; 0 if not measured


def measure(quick: bool) -> list[Figure]:
    """Start `connector run` on new folders, as `connector init` writes them."""
    tell("idle: starting on new folders")
    starts = [_start(idle=place == 0) for place in range(2 if quick else 5)]
    return [
        Figure("idle memory, all processes", "MB (PSS)", [starts[0].pss], 150, True),
        Figure("start to first accepted event", "s", [one.seconds for one in starts], 1.5, True),
        Figure("connections taken before it was ready", "", [one.early for one in starts], 0, True),
    ]


def _start(*, idle: bool) -> Start:
    with tempfile.TemporaryDirectory() as place:
        port = free_port()
        folder = _folder(Path(place) / "shop", port)
        began = time.monotonic()
        with connector("run", folder, port) as run:
            early = _until_accepted(port, began + PATIENCE)
            seconds = time.monotonic() - began
            if idle:
                time.sleep(IDLE)
            return Start(seconds, early, pss_mb(run.pids()) if idle else 0.0)


def _folder(path: Path, port: int) -> Path:
    """A folder of starters, nothing changed but the port."""
    for name, source in starters.files():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path / name)
    config = path / "config.toml"
    config.write_text(config.read_text().replace("port = 8080", f"port = {port}"))
    os.environ.update(SITE_KEY="site-key", BACKEND_KEY=shop.KEY)
    return path


def _until_accepted(port: int, until: float) -> int:
    """Offer an event until it is accepted; how many connections were taken in vain before."""
    early = 0
    while time.monotonic() < until:
        try:
            line = socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            time.sleep(0.002)
            continue
        with line:
            if _accepts(line):
                return early
        early += 1
    raise load.Failed(f"no event was accepted within {PATIENCE:.0f} s")


def _accepts(line: socket.socket) -> bool:
    try:
        line.sendall(EVENT)
        return line.recv(4_096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


if __name__ == "__main__":
    main(measure)
