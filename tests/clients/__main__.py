"""Nine real clients deliver to a running connector, each answer lost once, and every event is there
once: ``make clients``.

The clients of npm are installed into ``.clients`` at the versions that ``package.json`` beside this
file names; what registry npm asks is npm's own setting.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.browser import chromium
from tests.clients import senders
from tests.clients.place import CLIENTS, Stutter, make
from tests.running import Running, free_port

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".clients"
KEPT = """SELECT count(*) AS kept, CAST(sum(repeats) AS INTEGER) AS repeats,
    CAST(sum(conflicts) AS INTEGER) AS conflicts FROM events WHERE source = ?"""
NEEDED = ("node", "npm", "curl")


def install() -> Path:
    """Install the clients of npm; the folder they are in."""
    INSTALLED.mkdir(exist_ok=True)
    shutil.copy(senders.HERE / "package.json", INSTALLED / "package.json")
    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(["npm", "install", *quiet], cwd=INSTALLED, check=True)
    return INSTALLED


def main() -> int:
    """Run every client, print what came of each; 1 where an event is missing or there twice."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    missing += [] if chromium.found() else ["chromium"]
    if missing:
        print(f"install {', '.join(missing)} first")
        return 2
    folder = install()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clients-")))
        port = free_port()
        running = stack.enter_context(Running(make(place / "shop", port), port))
        stutter = Stutter(port)
        host = stack.enter_context(stutter.host())
        return _table(running, host.url, _clients(folder, stutter))


def _clients(folder: Path, stutter: Stutter) -> dict[str, Callable[[str], senders.Ids]]:
    return {
        "segment_python": senders.segment_python,
        "segment_node": senders.of_node("segment_node", folder),
        "segment_browser": lambda host: senders.segment_browser(host, folder, stutter),
        "rudder_python": senders.rudder_python,
        "rudder_node": senders.of_node("rudder_node", folder),
        "posthog_python": senders.posthog_python,
        "posthog_node": senders.of_node("posthog_node", folder),
        "curl": senders.curl,
        "tracker": lambda host: senders.tracker(host, folder, stutter),
    }


def _table(running: Running, host: str, clients: dict[str, Callable[[str], senders.Ids]]) -> int:
    assert clients.keys() == CLIENTS.keys()
    faults = 0
    print(f"{'client':<18}{'sent':>6}{'repeats':>9}{'kept':>6}")
    for name, send in clients.items():
        sent = send(host)
        kept, fault = _compare(running, name, sent)
        faults += bool(fault)
        print(f"{name:<18}{len(sent):>6}{kept['repeats']:>9}{kept['kept']:>6}  {fault}".rstrip())
    return min(faults, 1)


def _compare(running: Running, name: str, sent: senders.Ids) -> tuple[dict[str, Any], str]:
    """What the ledger has of a client, and what is wrong with it."""
    found: dict[str, Any] = {}

    def is_there() -> bool:
        found.update(running.rows(KEPT, name)[0])
        return int(found["kept"]) >= len(sent) and int(found["repeats"] or 0) >= len(sent)

    try:
        running.until(is_there)
    except AssertionError as error:
        print(str(error)[-1_500:], file=sys.stderr)
    rows = running.rows("SELECT source_event_id AS id FROM events WHERE source = ?", name)
    ids = [str(row["id"]) for row in rows]
    aside = running.rows("SELECT reason FROM unreadable WHERE source = ?", name)
    if set(ids) != sent or len(ids) != len(set(ids)):
        return (
            found,
            f"missing {sorted(sent - set(ids))[:5]}, strange {sorted(set(ids) - sent)[:5]}",
        )
    if aside or found["conflicts"]:
        return found, f"{len(aside)} could not be read, {found['conflicts']} differ from themselves"
    return found, "" if (found["repeats"] or 0) >= len(sent) else "too few repeats were forced"


if __name__ == "__main__":
    sys.exit(main())
