"""A HubSpot to test against: strict by its own models, and as unkind as it is told to be."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.crms.hubspot_api import TOKEN, Api


@dataclass
class Fault:
    """What goes wrong with the next calls whose address holds ``on``."""

    on: str
    times: int = 1
    status: int = 0  #: answered instead of what would be
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    acts: bool = False  #: it is done all the same
    hangs: bool = False  #: no answer comes
    cuts: bool = False  #: the connection ends without an answer
    met: threading.Event = field(default_factory=threading.Event)  #: set once it was done


class HubSpotServer(Api):
    """The server; ``asked`` is what it was asked: (verb, path, body)."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, Any]] = []
        self.faults_to_come: list[Fault] = []
        self.headers: dict[str, str] = {}
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Let go of whoever waits, and stop."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def fail(self, on: str, **how: Any) -> Fault:
        """Let the next calls fail whose address holds ``on``."""
        self.faults_to_come.append(Fault(on, **how))
        return self.faults_to_come[-1]

    def calls(self, part: str) -> list[Any]:
        """The bodies of calls whose address holds ``part``."""
        return [body for _, path, body in self.asked if part in path]

    def respond(self, verb: str, target: str, token: str, data: bytes) -> Any:
        """One request: (status, headers, body), or None for no answer at all."""
        path = urlsplit(target).path
        with self._lock:
            self.asked.append((verb, target, orjson.loads(data) if data else None))
            fault = next((each for each in self.faults_to_come if each.on in path), None)
            if fault is not None:
                fault.times -= 1
                if not fault.times:
                    self.faults_to_come.remove(fault)
            status, body = 0, None
            if fault is None or fault.acts:
                status, body = self.reply(verb, target, token, data)
        if fault is not None:
            fault.met.set()
        if fault is not None and fault.hangs:
            self._over.wait(10)
            return None
        if fault is not None and fault.cuts:
            return None
        if fault is not None and fault.status:
            return fault.status, fault.headers, fault.body
        limits = {} if path.endswith("/search") else self.headers
        return status, limits, body

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _any(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = self.headers.get("Authorization") or ""
                answer = server.respond(self.command, self.path, token, data)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                sent = body if isinstance(body, bytes) else orjson.dumps(body)
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PATCH = do_PUT = _any

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        return Handler


__all__ = ["TOKEN", "Fault", "HubSpotServer"]
