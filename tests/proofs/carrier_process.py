"""A provider in a process of its own that now and then acts and does not answer, or answers late.

``python -m tests.proofs.carrier_process KIND CLOCK SEED``: it prints its address and lives until
its standard input ends. Its time is the file CLOCK, on which a minute of the proof takes no time at
all; what is slow here is slow by the clock on the wall, a thousand times quicker: a look-up that
answers 30 s late takes 30 ms. ``/proof/calm`` makes it kind; ``/proof/state`` tells what it took;
``/proof/still`` does once nobody else is served: what a dead life had asked for is then done.

KIND says what it is able to: ``reference`` finds a text by our reference, ``words`` only by number,
words and time, ``blind`` finds nothing, ``safe`` finds nothing and takes the same key only once.
"""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from connector.clock import TestClock, instant, text

ROOT = Path(__file__).parents[2]
KINDS = ("reference", "words", "blind", "safe")
UNKIND = 0.55  #: of all texts that are handed over
LATE = 0.14  #: seconds, beyond the patience of whoever asks
LATE_LOOK = 0.03  #: seconds that stand for 30
LAGS = timedelta(seconds=40)  #: until what was taken is listed
SCANS = timedelta(minutes=3)  #: the same where it has a link, at one that finds by words
SLOW = timedelta(seconds=15)  #: until a text is taken that the caller has given up
NEAR = timedelta(minutes=5)
OTHERS = 0.3  #: of unkindly treated texts: another system sends the same words just then


class Book:
    """What it took, from whom, and when; another system's texts are not ours."""

    def __init__(self, kind: str, now: TestClock, seed: int) -> None:
        self.kind, self.now, self.chance = kind, now, random.Random(seed)
        self.calm = False
        self.lock = threading.Lock()
        self.callers = 0  #: connections that are served
        self.texts: list[dict[str, Any]] = []
        self.keys: dict[str, tuple[str, str]] = {}

    def take(self, told: Mapping[str, str], *, late: timedelta = timedelta()) -> str:
        """Take a text, perhaps a while after it was asked for; its id."""
        if self.kind == "safe" and told["ref"] in self.keys:
            return self.keys[told["ref"]][0]
        name = self._add(told, ours=True, late=late)
        self.keys[told["ref"]] = (name, told["text"])
        return name

    def _add(self, told: Mapping[str, str], *, ours: bool, late: timedelta = timedelta()) -> str:
        name = f"P{len(self.texts):05}"
        at = text(self.now() + late)
        self.texts.append({"id": name, **told, "ref": told["ref"] if ours else "", "at": at})
        return name

    def mood(self, told: Mapping[str, str]) -> str:
        """How this text is treated."""
        if self.calm or self.chance.random() > UNKIND:
            return "well"
        if "/l/" not in told["text"] and self.chance.random() < OTHERS:
            self._add(told, ours=False)
        moods = (
            "cuts",
            "acts and cuts",
            "acts and cuts",
            "acts late",
            "answers late",
            "answers late",
        )
        return self.chance.choice((*moods, "broken", "acts broken", "busy", "refuses"))

    def found(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """What is listed by now of what is asked for."""
        listed = [
            each for each in self.texts if instant(each["at"]) + self._lag(each) <= self.now()
        ]
        if self.kind == "reference":
            return [each for each in listed if each["ref"] == query["ref"]]
        since = instant(query["since"])
        return [
            each
            for each in listed
            if (each["to"], each["text"]) == (query["to"], query["text"])
            and abs(instant(each["at"]) - since) <= NEAR
        ]

    def _lag(self, taken: Mapping[str, Any]) -> timedelta:
        return SCANS if self.kind == "words" and "/l/" in taken["text"] else LAGS


class Door(BaseHTTPRequestHandler):
    """The provider's interface."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    book: Book

    def log_message(self, format: str, *args: Any) -> None:
        """It keeps no log."""

    def handle(self) -> None:
        """Serve a connection to its end, and know of it meanwhile."""
        with self.book.lock:
            self.book.callers += 1
        try:
            super().handle()
        except OSError:
            pass  # the caller was killed
        finally:
            with self.book.lock:
                self.book.callers -= 1

    def do_POST(self) -> None:
        """A text is handed over."""
        told = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.book.lock:
            mood = self.book.mood(told)
            known = self.book.keys.get(told["ref"]) if self.book.kind == "safe" else None
            if known is not None and known[1] != told["text"]:
                return self.answer(422, {})
            name = ""
            if mood in ("well", "acts and cuts", "answers late", "acts broken"):
                name = self.book.take(told)
            elif mood == "acts late":
                name = self.book.take(told, late=SLOW)
        if mood in ("cuts", "acts and cuts", "acts late"):
            return self.hang_up()
        if mood == "answers late":
            time.sleep(LATE)
        codes = {"broken": 502, "acts broken": 502, "busy": 429, "refuses": 400}
        return self.answer(codes.get(mood, 201), {"id": name})

    def do_GET(self) -> None:
        """A text is looked up, or the proof asks how things stand."""
        address = urlsplit(self.path)
        while address.path == "/proof/still" and self.book.callers > 1:
            time.sleep(0.001)
        with self.book.lock:
            if address.path.startswith("/proof/"):
                self.book.calm = self.book.calm or address.path == "/proof/calm"
                return self.answer(200, {"texts": self.book.texts})
            mood = "well" if self.book.calm else self.book.chance.choice(MOODS_OF_LOOKS)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            found = self.book.found(query)
        if mood == "late":
            time.sleep(LATE_LOOK)
        if mood == "cuts":
            return self.hang_up()
        if mood == "cannot tell":
            return self.answer(503, {})
        return self.answer(200, {"texts": found})

    def hang_up(self) -> None:
        """The connection ends without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def answer(self, code: int, body: Mapping[str, Any]) -> None:
        """Answer, if anybody is still there."""
        data = orjson.dumps(body)
        head = f"HTTP/1.1 {code} Said\r\nContent-Type: application/json\r\n"
        try:
            self.wfile.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        except OSError:
            self.close_connection = True


MOODS = (
    *("cuts", "acts and cuts", "acts and cuts", "acts late", "answers late", "answers late"),
    *("broken", "acts broken", "busy", "refuses"),
)
MOODS_OF_LOOKS = ("well", "well", "well", "late", "late", "cannot tell", "cuts")


@dataclass(frozen=True)
class Told:
    """The provider's process, from outside."""

    url: str

    def look(self, what: str = "state") -> list[dict[str, Any]]:
        """Every text that it took, or sent for others."""
        with urllib.request.urlopen(f"{self.url}/proof/{what}", timeout=20) as answer:
            found: list[dict[str, Any]] = orjson.loads(answer.read())["texts"]
            return found


@contextmanager
def running(kind: str, now: Path, seed: int) -> Iterator[Told]:
    """The provider, in a process of its own, until the block ends."""
    command = [sys.executable, "-m", "tests.proofs.carrier_process", kind, str(now), str(seed)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield Told(process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def main(kind: str, now: str, seed: int) -> None:
    """Serve until nobody holds our standard input any more."""
    Door.book = Book(kind, TestClock(Path(now)), seed)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
