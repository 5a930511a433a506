"""A full disk: what cannot be kept is refused, what was answered 200 is acted on, and it mends."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.bad.house import House, audit, build, sandbox
from tests.running import BACKEND_KEY, SITE_KEY, Running

ROOM = 24  #: MB of the small disk


def tell(house: House, event_id: str, key: str, size: int = 8_000) -> int:
    """An event of so many bytes; the status of the answer."""
    properties = {"cart_id": event_id, "pad": "x" * size}
    body = {"messageId": event_id, "userId": "u-7", "event": "Cart Viewed"}
    raw = json.dumps({**body, "properties": properties}).encode()
    answer = house.ask("POST", "/v1/track", raw, key=key)
    if answer.status in (429, 503):
        assert int(answer.headers["retry-after"]) > 0
        assert answer.code == {429: "overloaded", 503: "storage_refused"}[answer.status]
    return answer.status


def call_back(house: House, number: int, size: int = 60_000) -> int:
    """A reply of so many bytes; the status of the answer."""
    reply = {"kind": "reply", "provider_id": f"r-{number}", "from": "+12125550123", "to": "x"}
    at = "2026-11-18T17:00:00.000000Z"
    body = json.dumps([{**reply, "text": "hello " * (size // 6), "at": at}]).encode()
    return house.ask("POST", "/providers/sandbox", body, sandbox(body)).status


def events(house: House) -> set[str]:
    rows = house.running.rows("SELECT source_event_id FROM events WHERE state = 'done'")
    return {row["source_event_id"] for row in rows}


def until_refused(house: House, key: str, prefix: str, most: int = 4_000) -> list[str]:
    """Tell events until one is refused; the ids of those that were taken."""
    taken = []
    for number in range(most):
        if tell(house, f"{prefix}-{number}", key) != 200:
            return taken
        taken.append(f"{prefix}-{number}")
    raise AssertionError("nothing was ever refused")


# -- a bound of our own ------------------------------------------------------------------------


def test_a_full_inbox_refuses_sources_first_and_callbacks_last_and_has_room_again_when_moved(
    tmp_path: Path,
) -> None:
    house = build(tmp_path / "house", web="inbox_mb = 1")
    house.running.verb = "serve"  # no worker: nothing is moved
    with house.running:
        taken = [*until_refused(house, BACKEND_KEY, "b"), *until_refused(house, SITE_KEY, "s")]
        assert tell(house, "no", BACKEND_KEY) == tell(house, "no", SITE_KEY) == 429
        answers = Counter(call_back(house, number) for number in range(30))
        assert answers[200] > 5, "a source's backlog leaves room for callbacks"
        assert answers[503] > 5, "and the file has a bound that nobody passes"
        assert set(answers) == {200, 503}

        with Running(house.running.path, house.running.port, verb="work"):
            house.running.until(lambda: house.running.path.joinpath("data/ledger.db").exists())
            house.running.until(lambda: set(taken) <= events(house))
            house.settle()
            assert events(house) == set(taken)
            assert house.running.one("SELECT count(*) FROM replies") == answers[200]
            before = size_of_inbox(house)
            for number in range(400):
                house.running.until(
                    lambda number=number: tell(house, f"n-{number}", SITE_KEY) == 200
                )  # type: ignore[misc]
            house.running.until(lambda: "n-399" in events(house))
            assert size_of_inbox(house) <= before, "the room of what was moved is used again"
            audit(house.running)


def size_of_inbox(house: House) -> int:
    return (house.running.path / "data/inbox.db").stat().st_size


# -- a small disk ------------------------------------------------------------------------------


class Disk:
    """A disk of a few MB for a folder's data, of which anything may take away the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        options = ["-t", "tmpfs", "-o", f"size={ROOM}m,mode=700", "connector-test"]
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True)
        self.is_mounted = done.returncode == 0
        self._hog = folder / "somebody-elses.log"

    def free(self) -> int:
        """Bytes that are left."""
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def fill(self, leave: int) -> None:
        """Let something else take all but so many bytes."""
        with self._hog.open("ab") as hog, suppress(OSError):
            hog.write(b"\0" * max(0, self.free() - leave))
            hog.flush()

    def empty(self) -> None:
        """Let that something go."""
        self._hog.unlink(missing_ok=True)

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "house" / "data")
    yield made
    made.close()
