"""Watching the kernel: no request is answered 200 before a sync that began after its insert.

``strace`` writes down, in order, when each system call of ``connector serve`` began and ended.
For every event there must be, one after the other: the write of its row to the inbox's log, a
whole ``fdatasync`` of that log, and only then the answer on the connection that it came by.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import click

from tests.proofs.load import post
from tests.proofs.shop import make, order
from tests.running import free_port

SENDERS = 8
WRITES = ("write", "writev", "sendto", "sendmsg")
READS = ("read", "recvfrom", "recvmsg")
SYNCS = ("fdatasync", "fsync")
TRACED = (*WRITES, *READS, *SYNCS, "pwrite64")
LONGEST = 4_300  #: bytes of a call that are written down; a page of the log is 4,096

_LINE = re.compile(r"(\d+) +(.*)")
_BEGUN = re.compile(r"(\w+)\(\d+<(TCP.*?\]|[^>]*)>[,)]? ?(.*)")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_UNFINISHED = " <unfinished ...>"


@dataclass
class Call:
    """A system call: on what (a path, or a connection's two ends), with what, from when to when.

    ``began`` and ``ended`` are places in the trace; ``ended`` is 0 for a call that never did.
    """

    name: str
    target: str
    text: str
    began: int
    ended: int = 0


def read(lines: Iterable[str]) -> list[Call]:
    """The calls of a trace, in the order in which they began."""
    calls: list[Call] = []
    open_: dict[str, Call] = {}
    for place, line in enumerate(lines, 1):
        found = _LINE.match(line)
        if not found:
            continue
        pid, rest = found.groups()
        if resumed := _RESUMED.match(rest):
            if call := open_.pop(pid, None):
                call.text, call.ended = call.text + resumed[2], place
        elif begun := _BEGUN.match(rest):
            call = Call(begun[1], begun[2], begun[3], place)
            calls.append(call)
            if rest.endswith(_UNFINISHED):
                open_[pid] = call
            else:
                call.ended = place
    return calls


def faults(calls: Sequence[Call], names: Iterable[str]) -> list[str]:
    """What is wrong with the answers to the events of these ids; nothing, one hopes."""
    found = []
    for name in names:
        mark = f'\\"{name}\\"'  # as strace shows a JSON string
        insert = next((c for c in calls if c.name == "pwrite64" and mark in c.text), None)
        heard = next((c for c in calls if c.name in READS and mark in c.text), None)
        answer = _answer(calls, heard) if heard else None
        if insert is None or answer is None:
            what = "written to the inbox" if insert is None else "answered 200"
            found.append(f"{name} was never {what}")
        elif not any(_between(call, insert, answer) for call in calls):
            found.append(f"{name} was answered before a sync that began after its insert")
    return found


def _answer(calls: Sequence[Call], heard: Call) -> Call | None:
    """The first answer on a connection after what was heard on it; None unless it is a 200."""
    for call in calls:
        if call.began > heard.ended and call.target == heard.target and "HTTP/1.1 " in call.text:
            return call if "HTTP/1.1 200" in call.text else None
    return None


def _between(call: Call, insert: Call, answer: Call) -> bool:
    return (
        call.name in SYNCS
        and call.target == insert.target
        and 0 < insert.ended < call.began <= call.ended < answer.began
        and call.text.endswith("= 0")
    )


def trace(path: Path, requests: int) -> list[str]:
    """Serve a folder under strace, send it so many events at once, and return what strace saw."""
    if shutil.which("strace") is None:
        raise click.ClickException(
            "this proof needs strace: install it (Debian: apt install strace)"
        )
    port = free_port()
    make(path, port)
    file = path / "trace"
    names = ",".join(TRACED)
    with (path / "log").open("wb") as log:
        served = subprocess.Popen(
            [
                *("strace", "-D", "-f", "-yy", "-s", str(LONGEST), "-o", str(file)),
                *("-e", f"trace={names}", sys.executable, "-m", "connector", "-C", str(path)),
                "serve",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _until_it_listens(port)
        _send(port, requests)
    finally:
        served.terminate()
        served.wait(20)
    return _whole(file, served.pid)


def _until_it_listens(port: int) -> None:
    for _ in range(300):
        with suppress(OSError):
            door = HTTPConnection("127.0.0.1", port, timeout=5)
            door.request("GET", "/health")
            if door.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError("it did not listen within 30 s")


def _send(port: int, requests: int) -> None:
    def some(first: int) -> Iterator[int]:
        door = HTTPConnection("127.0.0.1", port, timeout=20)
        for number in range(first, requests, SENDERS):
            yield post(door, order(number))
        door.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        statuses = [
            status for sent in pool.map(lambda n: list(some(n)), range(SENDERS)) for status in sent
        ]
    assert statuses == [200] * requests, statuses


def _whole(file: Path, pid: int) -> list[str]:
    """The trace, once strace has seen the last process leave."""
    for _ in range(100):
        lines = file.read_text(errors="replace").splitlines()
        if any(line.startswith(f"{pid} ") and "+++ exited" in line for line in lines[-20:]):
            break
        time.sleep(0.1)
    return lines


def prove(requests: int, place: Path) -> bool:
    """Trace so many requests; whether each was on disk before it was answered."""
    path = place / "synced"
    shutil.rmtree(path, ignore_errors=True)
    calls = read(trace(path, requests))
    found = faults(calls, (f"order-{number}" for number in range(requests)))
    syncs = sum(call.name in SYNCS and "inbox" in call.target for call in calls)
    for fault in found[:20]:
        click.echo(f"  {fault}")
    if found:
        click.echo(f"synced: FAILED for {len(found)} of {requests} requests; see {path}")
        return False
    shutil.rmtree(path)
    click.echo(
        f"synced: {requests} requests, none answered before a sync begun after its insert "
        f"({syncs} syncs of the inbox)"
    )
    return True
