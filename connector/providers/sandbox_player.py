"""The sandbox's other half: posts receipts and replies when their moment comes."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from connector.clock import Clock, text
from connector.errors import SendFailed
from connector.messages import Message
from connector.providers.sandbox_script import BAD, Scene
from connector.providers.wire import Wire

if TYPE_CHECKING:
    import requests

BATCH: Final = 25  #: at most so many in one callback, which stays far below the 64 KiB taken
MAX_WAITING: Final = 100_000  #: beyond this the newest are dropped
PATIENCE: Final = (0.1, 0.3, 1.0, 3.0)  #: seconds before each further try


@dataclass(frozen=True, slots=True, order=True)
class _Cue:
    due: float  #: on the monotonic clock
    place: int
    line: dict[str, Any] = field(compare=False)


class Player:
    """Plays scenes from one thread, which starts with the first scene and ends with the process.

    What is due together goes out together, signed, in one request. A callback that cannot be
    delivered is repeated a few times, byte for byte, and then dropped, as a provider would.
    """

    def __init__(
        self,
        callback_url: str,
        sign: Callable[[bytes], str],
        clock: Clock,
        http: requests.Session | None,
        keep: Callable[[dict[str, Any]], None] = lambda reply: None,
    ) -> None:
        address = urlsplit(callback_url)
        self._path = address.path or "/"
        self._wire = Wire(f"http://{address.netloc}", {}, http, direct=True)
        self._sign = sign
        self._clock = clock
        self._keep = keep  #: called with each reply, before it is told
        self._cues: list[_Cue] = []
        self._places = itertools.count()
        self._waiting = threading.Condition()
        self._thread: threading.Thread | None = None

    def play(self, message: Message, provider_id: str, scene: Scene) -> None:
        """Cue what follows a text; returns at once."""
        lines = [_receipt(message, provider_id, status, scene) for status in scene.receipts]
        if scene.reply:
            lines.append(_reply(message, provider_id, scene))
        due = time.monotonic()
        with self._waiting:
            for line in lines[: MAX_WAITING - len(self._cues)]:
                due += scene.after
                heapq.heappush(self._cues, _Cue(due, next(self._places), line))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
                self._thread.start()
            self._waiting.notify()

    def _run(self) -> None:
        while True:
            lines = self._next()
            at = text(self._clock())
            told = [{**line, "at": at} for line in lines]
            for line in told:
                if line["kind"] == "reply":
                    self._keep(line)
            self._post(orjson.dumps(told))

    def _next(self) -> list[dict[str, Any]]:
        """Wait until something is due, then take all that is."""
        with self._waiting:
            while True:
                wait = self._cues[0].due - time.monotonic() if self._cues else None
                if wait is not None and wait <= 0:
                    break
                self._waiting.wait(wait)
            lines: list[dict[str, Any]] = []
            while self._cues and self._cues[0].due <= time.monotonic() and len(lines) < BATCH:
                lines.append(heapq.heappop(self._cues).line)
            return lines

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "X-Sandbox-Signature": self._sign(body)}
        for patience in (*PATIENCE, None):
            try:
                status = self._wire.post(self._path, body, headers).status
            except SendFailed:
                status = 503
            if patience is None or (status < 500 and status != 429):
                return
            time.sleep(patience)


def _receipt(message: Message, provider_id: str, status: str, scene: Scene) -> dict[str, Any]:
    bad = status in BAD
    return {
        "kind": "receipt",
        "provider_id": provider_id,
        "send_id": message.send_id,
        "status": status,
        "error_code": scene.error_code if bad else "",
        "reason": (scene.reason or "unknown") if bad else "",
    }


def _reply(message: Message, provider_id: str, scene: Scene) -> dict[str, Any]:
    return {
        "kind": "reply",
        "provider_id": f"{provider_id}-reply",
        "from": message.to,
        "to": message.sender or "sandbox",
        "text": scene.reply,
    }
