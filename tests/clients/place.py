"""A running connector with a source for each client, and before it a door that loses answers."""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.browser.place import Host
from tests.running import folder

CLIENTS = {
    "segment_python": "segment",
    "segment_node": "segment",
    "segment_browser": "segment",
    "rudder_python": "segment",
    "rudder_node": "segment",
    "posthog_python": "posthog_capture",
    "posthog_node": "posthog_capture",
    "curl": "segment",
    "tracker": "segment",
}
"""Each client by the name of its source, and the mapping file of that."""

PAGES = ("segment_browser", "tracker")  #: clients whose key stands in a page


def key_of(client: str) -> str:
    """The write key that a client is given."""
    return f"key-of-{client}"


def make(path: Path, port: int) -> Path:
    """A folder with a source for each client, on the real clock."""
    tables = {}
    path.mkdir(parents=True, exist_ok=True)
    for client, mapping in CLIENTS.items():
        trust = "browser" if client in PAGES else "trusted"
        (path / f"{client}.key").write_text(key_of(client))
        keys = f'mapping = "{mapping}"\ntrust = "{trust}"\nkeys = ["file:{client}.key"]'
        tables[f"sources__{client}"] = keys
    folder(path, port, **tables)
    config = path / "config.toml"
    config.write_text(config.read_text().replace("test_clock = true\n", ""))
    return path


class Stutter:
    """The way to the connector: whatever is sent for the first time arrives, and its answer is
    lost; only the second time the sender hears of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._seen: set[bytes] = set()
        self.bodies: list[bytes] = []  #: every body that was sent, as often as it was
        self._times: Counter[str] = Counter()

    def host(self) -> Host:
        """Its server."""
        stutter = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # a client may hang up whenever it likes
                    super().handle()

            def do_GET(self) -> None:
                self._say(*self._asked(b""))

            def do_OPTIONS(self) -> None:
                self._say(*self._asked(b""))

            def do_POST(self) -> None:
                body = self._body()
                status, content, headers = self._asked(body)
                if self.path.partition("?")[0].rstrip("/") != "/flags" and stutter.is_first(body):
                    status, content = 500, b'{"code": "lost", "message": "the answer was lost"}'
                self._say(status, content, headers)

            def _body(self) -> bytes:
                if length := self.headers.get("Content-Length"):
                    return self.rfile.read(int(length))
                body = b""
                while size := int(self.rfile.readline().partition(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _asked(self, body: bytes) -> tuple[int, bytes, list[tuple[str, str]]]:
                there = http.client.HTTPConnection("127.0.0.1", stutter._port, timeout=20)
                hop = ("host", "connection", "content-length", "transfer-encoding")
                sent = {name: v for name, v in self.headers.items() if name.lower() not in hop}
                there.request(self.command, self.path, body, sent)
                answer = there.getresponse()
                content = answer.read()
                there.close()
                told = [(n, v) for n, v in answer.getheaders() if n.lower() not in hop]
                return answer.status, content, told

            def _say(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the table says what came of it."""

        return Host("127.0.0.1", Answers)

    def is_first(self, body: bytes) -> bool:
        """Whether nothing with these events was sent before; then the answer is lost."""
        from tests.clients.senders import names_in

        names = sorted(names_in(body))
        mark = hashlib.sha256(repr(names).encode()).digest()
        with self._lock:
            self.bodies.append(body)
            is_first = mark not in self._seen
            self._seen.add(mark)
            self._times.update(names)
        return is_first

    def heard_of(self, names: set[str]) -> bool:
        """Whether each of these events was sent a second time."""
        with self._lock:
            return all(self._times[name] > 1 for name in names)
