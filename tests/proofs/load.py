"""The sender: so many order events a second, each repeated until it is answered, as SDKs do."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.proofs.shop import order
from tests.running import BACKEND_KEY

THREADS = 6
PAUSE = 0.05  #: seconds before an event is sent again
PATIENCE = 5.0  #: seconds for an answer


class Sender:
    """Sends orders at an even pace and writes down which of them were answered 200."""

    def __init__(self, url: str, rate: float, log: Path, first: int = 0) -> None:
        self._host = urlsplit(url).netloc
        self._rate, self._first = rate, first
        self._numbers = itertools.count()
        self._turn = threading.Lock()
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._began = time.monotonic()
        self.stopping = threading.Event()

    def run(self) -> None:
        """Send until told to stop."""
        threads = [threading.Thread(target=self._send_all) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send_all(self) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        while not self.stopping.is_set():
            with self._turn:
                number = next(self._numbers)
            due = self._began + number / self._rate
            if self.stopping.wait(max(0.0, due - time.monotonic())):
                break
            self._send(connection, self._first + number)
        connection.close()

    def _send(self, connection: http.client.HTTPConnection, number: int) -> None:
        """Send one event until it is answered; nobody knows about one that is given up."""
        while not self.stopping.is_set():
            status = post(connection, order(number))
            if status == 200:
                os.write(self._log, f"order-{number}\n".encode())
                return
            word = "cut" if status == 0 else f"status {status}"
            os.write(self._log, f"# {word} order-{number}\n".encode())
            self.stopping.wait(PAUSE)


def post(connection: http.client.HTTPConnection, event: Mapping[str, Any]) -> int:
    """The status an event was answered with; 0 where there was no whole answer."""
    try:
        body = json.dumps(event).encode()
        connection.request("POST", f"/v1/{event['type']}", body, HEADERS)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return answer.status


HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"{BACKEND_KEY}:".encode()).decode(),
    "Content-Type": "application/json",
}


def answered(log: Path) -> set[str]:
    """The ids of the events that were answered 200."""
    lines = log.read_text().splitlines() if log.exists() else []
    return {line for line in lines if not line.startswith("#")}


def troubles(log: Path) -> list[str]:
    """What went wrong on the way: ``cut`` or ``status N`` for each try that was not a 200."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line[2:].rpartition(" ")[0] for line in lines if line.startswith("#")]


if __name__ == "__main__":
    sender = Sender(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sender.stopping.set())
    sender.run()
