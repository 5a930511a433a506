"""A full disk: what cannot be kept is refused, what was answered 200 is acted on, and it mends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
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


def answers(house: House) -> bool:
    """Whether the web is there at all."""
    try:
        return house.ask("GET", "/health").status == 200
    except OSError:
        return False


def until_refused(house: House, key: str, prefix: str, most: int = 4_000) -> list[str]:
    """Tell events until one is refused; the ids of those that were taken."""
    taken: list[str] = []
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
        told = Counter(call_back(house, number) for number in range(30))
        assert told[200] > 5, "a source's backlog leaves room for callbacks"
        assert told[503] > 5, "and the file has a bound that nobody passes"
        assert set(told) == {200, 503}

        with Running(house.running.path, house.running.port, verb="work"):
            house.running.until(lambda: house.running.path.joinpath("data/ledger.db").exists())
            house.running.until(lambda: set(taken) <= events(house))
            house.settle()
            assert events(house) == set(taken)
            assert house.running.one("SELECT count(*) FROM replies") == told[200]
            for number in range(300):
                tell_patiently(house, f"n-{number}")
            house.running.until(lambda: "n-299" in events(house))
            inbox = house.running.path / "data/inbox.db"
            assert inbox.stat().st_size <= 1 << 20, "the room of what was moved is used again"
            audit(house.running)


def tell_patiently(house: House, event_id: str) -> None:
    """Tell an event as a sender does: again, until it is taken."""
    house.running.until(lambda: tell(house, event_id, SITE_KEY) == 200)


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


def test_on_a_full_disk_nothing_that_was_answered_is_lost_and_all_goes_on_when_there_is_room(
    disk: Disk,
) -> None:
    """Where no disk may be mounted, the bound of the inbox stands for it, and is really met."""
    house = build(disk.folder.parent, web="" if disk.is_mounted else "inbox_mb = 1")
    log = house.running.path / "log"
    with house.running:
        if disk.is_mounted:
            disk.fill(leave=2_000_000)
            os.kill(worker(house), signal.SIGSTOP)  # so that much is left to do
        else:
            house.running.stop()
            house.running.verb = "serve"
            house.running.start()
        told: Counter[int] = Counter()
        taken = set()
        for number in range(1_500):
            status = tell(house, f"e-{number}", BACKEND_KEY)
            told[status] += 1
            if status == 200:
                taken.add(f"e-{number}")
            if told[429] + told[503] > 20:
                break
        assert told[200] > 5 and told[429] + told[503] > 20
        assert house.ask("GET", "/health").status == 200
        if disk.is_mounted:
            check_the_worker_waits(house, disk, taken)
        disk.empty()
        if not disk.is_mounted:
            house.running.stop()
            house.running.verb = "run"
            house.running.start()
        house.running.until(lambda: taken <= events(house))
        house.running.until(lambda: tell(house, "after", BACKEND_KEY) == 200)
        taken.add("after")
        house.running.until(lambda: taken <= events(house))
        house.settle()
        assert events(house) == taken, "what was refused is not kept"
        assert house.running.one("SELECT count(*) FROM events") == len(taken)
        signals = house.running.one("SELECT count(*) FROM signals WHERE name = 'cart_updated'")
        assert signals == len(taken), "and all that was taken is acted on, once"
        audit(house.running)
    assert "Traceback" not in log.read_text()


def worker(house: House) -> int:
    """The pid of the worker, which its log tells."""
    log = house.running.path / "log"
    started = re.compile(r"act=work result=started pid=(\d+)")
    house.running.until(
        lambda: started.search(log.read_text())
    )  # it may be ready before it says so
    return int(started.findall(log.read_text())[-1])


def check_the_worker_waits(house: House, disk: Disk, taken: set[str]) -> None:
    """With nothing left at all the worker says so once, and waits, also when it has to start."""
    disk.fill(leave=0)
    os.kill(worker(house), signal.SIGCONT)
    assert tell(house, "refused", BACKEND_KEY) == 503
    house.running.until(lambda: house.ask("GET", "/ready").status == 503)
    log = house.running.path / "log"
    house.running.until(lambda: "result=storage_refused" in log.read_text())
    assert log.read_text().count("act=advance result=storage_refused") < 5, "not each time"
    assert not taken <= events(house)
    for pid in house.running.pids()[1:]:
        with suppress(ProcessLookupError):  # it went with the one before
            os.kill(pid, signal.SIGKILL)
    house.running.until(lambda: answers(house))
    assert tell(house, "refused again", BACKEND_KEY) == 503
