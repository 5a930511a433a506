"""A provider that holds us to a limit: it counts segments in each sliding second, and doubles.

``python -m benchmarks.strict_provider PORT SECONDS``. It takes Twilio's request to send and answers
201 after SECONDS. ``GET /`` tells, as JSON, when texts came (seconds of ``time.monotonic``), the
most segments in any one second, and how many texts came twice.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections import deque
from typing import Final, cast
from urllib.parse import parse_qs, urlsplit

from connector.text import count

ANSWER: Final = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)


class Counts:
    """What came, from when to when."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.most = 0  #: segments within any one second
        self.doubles = 0
        self._second: deque[tuple[float, int]] = deque()
        self._within = 0
        self._known: set[str] = set()

    def take(self, form: dict[str, list[str]], at: float) -> int:
        """Count a text; how many segments it has."""
        segments = count(form["Body"][0]).segments
        reference = parse_qs(urlsplit(form["StatusCallback"][0]).query)["s"][0]
        self.doubles += reference in self._known
        self._known.add(reference)
        self.arrivals.append(at)
        self._second.append((at, segments))
        self._within += segments
        while self._second[0][0] <= at - 1.0:
            self._within -= self._second.popleft()[1]
        self.most = max(self.most, self._within)
        return segments

    def told(self) -> bytes:
        """All of it as JSON."""
        found = {"arrivals": self.arrivals, "most": self.most, "doubles": self.doubles}
        return json.dumps(found).encode()


class Strict(asyncio.Protocol):
    """One connection."""

    def __init__(self, counts: Counts, delay: float) -> None:
        self._counts, self._delay = counts, delay
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is whole."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
        if not end or len(body) < length:
            return
        at, self._received = time.monotonic(), b""
        if head.startswith(b"GET"):
            listed = self._counts.told()
            self._transport.write(ANSWER % (len(listed), listed))
            return
        segments = self._counts.take(parse_qs(body.decode()), at)
        name = len(self._counts.arrivals)
        told = b'{"sid":"SM%032d","status":"queued","num_segments":"%d"}' % (name, segments)
        asyncio.get_running_loop().call_later(self._delay, self._answer, ANSWER % (len(told), told))

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int, delay: float) -> None:
    """Serve until SIGTERM."""
    loop, counts = asyncio.get_running_loop(), Counts()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    await loop.create_server(lambda: Strict(counts, delay), "127.0.0.1", port, backlog=512)
    await stopping.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
