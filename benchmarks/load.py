"""Load: events sent to a server on loopback over kept-alive connections, and their answers."""

from __future__ import annotations

import base64
import json
import os
import selectors
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.shop import KEY

MARK = b"@@@@@@@@@@"  #: in a request, the place of the number that makes each event a new one
USER = b"&&&"  #: and the place of its last digits, so that a thousand people are spoken of
SCRIPT = Path(__file__).parent / "load.lua"


class Failed(Exception):
    """The server did not answer as it should, so there is nothing to measure."""


@dataclass(slots=True)
class Result:
    """What came of a load; instants in seconds of ``time.time``, latencies in seconds."""

    began: float
    ended: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Events accepted a second."""
        return self.statuses[200] / (self.ended - self.began)


def request(body: bytes, path: str = "/v1/track") -> bytes:
    """A whole request, as a server library of Segment's would send it."""
    login = base64.b64encode(f"{KEY}:".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {login}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def steady(port: int, template: bytes, seconds: float, connections: int) -> Result:
    """As many events as the server takes for some seconds, each with a number of its own.

    ``template`` is a request with ``USER`` and, after it, ``MARK``. With wrk where it is installed,
    since it costs less of the processor that the server needs; else by ourselves.
    """
    if shutil.which("wrk"):
        return _wrk(port, template, seconds, connections)
    until = time.monotonic() + seconds
    return burst(port, _numbered(template, until), connections)


def _first() -> int:
    """Where to number on from: ahead of earlier loads, as none is faster than 10,000 a second."""
    return time.time_ns() // 100_000


def _numbered(template: bytes, until: float) -> Iterator[bytes]:
    number = _first()
    while time.monotonic() < until:
        number += 1
        named = template.replace(USER, b"%03d" % (number % 1_000))
        yield named.replace(MARK, b"%010d" % (number % 10**10))


def _wrk(port: int, template: bytes, seconds: float, connections: int) -> Result:
    with tempfile.NamedTemporaryFile() as file:
        file.write(template)
        file.flush()
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds:.0f}s"]
        command += ["-s", str(SCRIPT), f"http://127.0.0.1:{port}"]
        environment = {**os.environ, "LOAD_FILE": file.name, "LOAD_FIRST": str(_first())}
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds + 30,
            check=True,
        )
    told = json.loads(done.stdout.splitlines()[-1])
    statuses = Counter({200: told["requests"] - told["bad"], 500: told["bad"]})
    result = Result(0.0, told["seconds"], statuses)
    result.latencies = [told["p50_ms"] / 1000, told["p99_ms"] / 1000]
    return _good(result)


def burst(port: int, requests: Iterable[bytes], connections: int = 16) -> Result:
    """Send requests over some connections, the next as soon as the last one is answered."""
    waiting = iter(requests)
    selector = selectors.DefaultSelector()
    result = Result(time.time(), time.time())
    for _ in range(connections):
        line = _Line(port)
        if line.send(next(waiting, b"")):
            selector.register(line.socket, selectors.EVENT_READ, line)
        else:
            line.socket.close()
    while selector.get_map():
        ready = selector.select(timeout=30)
        if not ready:
            raise Failed("the server has not answered for 30 s")
        for key, _ in ready:
            line = key.data
            status = line.read()
            if not status:
                continue
            result.statuses[status] += 1
            result.latencies.append(time.monotonic() - line.sent_at)
            if not line.send(next(waiting, b"")):
                selector.unregister(line.socket)
                line.socket.close()
    result.ended = time.time()
    return _good(result)


def paced(port: int, requests: Iterable[bytes], a_second: float) -> Iterator[tuple[float, float]]:
    """Send one request after the other at a steady pace, whatever the answers take.

    Gives for each the instants (``time.monotonic``) just before it was sent and at its answer.
    """
    lines = deque(_Line(port) for _ in range(4))
    due = time.monotonic()
    for each in requests:
        due += 1 / a_second
        time.sleep(max(0.0, due - time.monotonic()))
        line = lines[0]
        lines.rotate(1)
        line.send(each)
        while not (status := line.read()):
            pass
        if status != 200:
            raise Failed(f"an event was answered {status}")
        yield line.sent_at, time.monotonic()
    for line in lines:
        line.socket.close()


class _Line:
    """One kept-alive connection with at most one request under way."""

    __slots__ = ("received", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> bool:
        """Send a request; False where there is none."""
        if not request:
            return False
        self.received = b""
        self.sent_at = time.monotonic()
        self.socket.sendall(request)
        return True

    def read(self) -> int:
        """Read on; the status once the answer is whole, else 0."""
        piece = self.socket.recv(65_536)
        if not piece:
            raise Failed("the server closed a connection")
        self.received += piece
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return 0
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return int(head[9:12]) if len(body) >= int(length or b"0") else 0


def _good(result: Result) -> Result:
    if not result.statuses[200] or len(result.statuses - Counter({200: result.statuses[200]})):
        raise Failed(f"not every event was taken: {dict(result.statuses)}")
    return result
