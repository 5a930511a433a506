"""Two hosts on loopback: a site's pages under a strict policy, and the door to the connector, which
can be told to fail."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
BODY = """
<style nonce="n">main {{ height: 4000px }}</style>
<main>
<form id="quote" data-track-form="Your quote" action="/thanks" method="get">
<input name="full_name"><input name="card" autocomplete="cc-number" data-track-value>
<select name="plan" data-track-value><option>basic<option selected>pro</select>
<input type="checkbox" name="sms" data-track-value="sms_consent" checked>
<input type="password" name="word" data-track-value value="hunter2">
<button>Send</button>
</form>
<form role="search"><input id="search" name="q"></form>
<form data-track-off><input id="private"></form>
<a data-track="Pricing" href="#prices">Prices</a> <a id="plain" href="#x">Not marked</a>
<a data-track="Call us" href="tel:+12025550123">Call</a>
</main>"""


class Host:
    """A server on a free port of loopback, running until the block ends."""

    def __init__(self, name: str, answers: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
        self._server.daemon_threads = True
        self.url = f"http://{name}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Host:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Door:
    """The way to the connector: keeps what went by, and fails as often as it is told to."""

    def __init__(self, port: int) -> None:
        self.fails = 0  #: how many of the next deliveries are answered 500, and go nowhere
        self.bodies: list[dict[str, Any]] = []  #: what pages sent, also what was failed
        self.raw: list[bytes] = []
        self.asked: Counter[str] = Counter()  #: requests by method and path
        self._port = port
        self._lock = threading.Lock()

    def host(self) -> Host:
        """Its server."""
        door = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._pass_on(b"")

            def do_OPTIONS(self) -> None:
                self._pass_on(b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with door._lock:
                    door.raw.append(body)
                    door.bodies.append(json.loads(body))
                    fails = door.fails > 0
                    door.fails -= fails
                if fails:
                    self._say(500, b"", [("Access-Control-Allow-Origin", "*")])
                else:
                    self._pass_on(body)

            def _pass_on(self, body: bytes) -> None:
                door.asked[f"{self.command} {self.path}"] += 1
                there = http.client.HTTPConnection("127.0.0.1", door._port, timeout=10)
                hop = ("host", "connection", "content-length")
                sent = {name: v for name, v in self.headers.items() if name.lower() not in hop}
                there.request(self.command, self.path, body, sent)
                answer = there.getresponse()
                content = answer.read()
                there.close()
                told = [(n, v) for n, v in answer.getheaders() if n.lower() not in hop]
                self._say(answer.status, content, told)

            def _say(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the tests say what went wrong."""

        return Host("127.0.0.1", Answers)

    def events(self) -> list[dict[str, Any]]:
        """Every event that pages sent, once each, in the order they were made."""
        found = {event["messageId"]: event for body in self.bodies for event in body["batch"]}
        return sorted(found.values(), key=lambda event: str(event["timestamp"]))


def site(door: str, attributes: dict[str, str]) -> Host:
    """A site each of whose pages loads the tracker and allows no script and no call but its.

    ``attributes`` of the script tag are read at every request.
    """

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/favicon.ico":
                self.send_response(204)
                self.end_headers()
                return
            told = " ".join(f'{name}="{value}"' for name, value in attributes.items())
            script = f'<script async src="{door}/t.js" {told}></script>'
            title = self.path.partition("?")[0].strip("/") or "home"
            page = (HEAD.format(title=title) + script + BODY.format()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            policy = (
                f"script-src {door}; connect-src {door}; style-src 'nonce-n'; object-src 'none'"
            )
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Nothing: the tests say what went wrong."""

    return Host("localhost", Answers)
