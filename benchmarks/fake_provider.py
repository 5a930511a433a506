"""A provider of our own: takes Twilio's request to send, answers 201 at once or after a while.

``python -m benchmarks.fake_provider PORT SECONDS``. ``GET /`` tells, as JSON, when each number was
called: instants of ``time.monotonic``, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from typing import Final, cast

ANSWER: Final = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)
arrivals: dict[str, float] = {}


class Provider(asyncio.Protocol):
    """One connection."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
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
            listed = json.dumps(arrivals).encode()
            self._transport.write(ANSWER % (len(listed), listed))
            return
        number = body.partition(b"To=%2B")[2].partition(b"&")[0].decode()
        arrivals[f"+{number}"] = at
        told = b'{"sid":"SM%032d","status":"queued","num_segments":"1"}' % len(arrivals)
        asyncio.get_running_loop().call_later(self._delay, self._answer, ANSWER % (len(told), told))

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int, delay: float) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    await loop.create_server(lambda: Provider(delay), "127.0.0.1", port, backlog=256)
    await stopping.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
