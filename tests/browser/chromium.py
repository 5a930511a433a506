"""A real Chromium, spoken to by its own protocol through two pipes; nothing to install beside it.

Protocol: chromedevtools.github.io/devtools-protocol, with ``--remote-debugging-pipe``: each message
is JSON, ended by a zero byte.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 20.0
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--no-default-browser-check", "--remote-debugging-pipe"),
)

ON_3_AND_4 = """
import fcntl, os, sys
taken, given = (fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3])
os.dup2(taken, 3), os.dup2(given, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def found() -> str:
    """Where a Chromium is; "" for none. ``CHROMIUM`` in the environment names another."""
    named = os.environ.get("CHROMIUM", "")
    return named or next((path for name in NAMES if (path := shutil.which(name))), "")


class Chromium:
    """One browser; closed when the block ends."""

    def __enter__(self) -> Chromium:
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", ON_3_AND_4, str(to_read), str(to_write)),
                *(found(), *FLAGS, f"--user-data-dir={self._profile}", "about:blank"),
            ],
            pass_fds=(to_read, to_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._ids = 0
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self.heard: list[dict[str, Any]] = []  #: events of all tabs, in their order
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        os.close(self._write)
        self._listener.join(5)
        os.close(self._read)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _listen(self) -> None:
        kept = b""
        while part := os.read(self._read, 65_536):
            *whole, kept = (kept + part).split(b"\0")
            for raw in whole:
                told = json.loads(raw)
                if (asked := self._answers.pop(told.get("id", 0), None)) is not None:
                    asked.put(told)
                else:
                    self.heard.append(told)

    def ask(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """One call; what it answered."""
        self._ids += 1
        asked: queue.Queue[dict[str, Any]] = queue.Queue()
        self._answers[self._ids] = asked
        message = {"id": self._ids, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = asked.get(timeout=PATIENCE)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def tab(self, script: str = "") -> Tab:
        """A tab with cookies and storage of its own; ``script`` runs before any page's own."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        return Tab(self, attached["sessionId"], target["targetId"], context, script)


class Tab:
    """One tab of the browser."""

    def __init__(
        self, browser: Chromium, session: str, target: str, context: str, script: str
    ) -> None:
        self._browser, self._session, self._target = browser, session, target
        self._context = context
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        if script:
            self.ask("Page.addScriptToEvaluateOnNewDocument", source=script)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One call about this tab."""
        return self._browser.ask(method, self._session, **params)

    def open(self, url: str, referrer: str = "") -> None:
        """Go to an address and wait until all of it is there."""
        more = {"referrer": referrer} if referrer else {}
        self.ask("Page.navigate", url=url, **more)
        self.until(lambda: self.run("document.readyState") == "complete" and self.at(url))

    def at(self, url: str) -> bool:
        """Whether the tab shows an address."""
        return bool(self.run("location.href") == url)

    def run(self, script: str, *, by_hand: bool = True) -> Any:
        """The value of an expression in the page, as if a person had caused it."""
        told = self.ask(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
            userGesture=by_hand,
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def write(self, selector: str, text: str) -> None:
        """Write into a field as a person does."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.ask("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click the middle of an element as a person does."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{found}.scrollIntoView({{block: 'nearest'}})")
        box = self.run(f"JSON.stringify({found}.getBoundingClientRect())")
        place = json.loads(box)
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            told = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self.ask("Input.dispatchMouseEvent", type=kind, **told)

    def faults(self) -> list[str]:
        """What the console of this tab complains of, and what a page's own code threw."""
        mine = [each for each in self._browser.heard if each.get("sessionId") == self._session]
        return [
            json.dumps(each["params"])
            for each in mine
            if each["method"] == "Runtime.exceptionThrown"
            or (each["method"] == "Log.entryAdded" and each["params"]["entry"]["level"] == "error")
            or (each["method"] == "Runtime.consoleAPICalled" and each["params"]["type"] == "error")
        ]

    def asked(self) -> list[str]:
        """Every address that this tab has asked for."""
        return [
            each["params"]["request"]["url"]
            for each in self._browser.heard
            if each.get("sessionId") == self._session
            and each["method"] == "Network.requestWillBeSent"
        ]

    def cookies(self) -> list[dict[str, Any]]:
        """Every cookie this tab holds, of any host."""
        told = self._browser.ask("Storage.getCookies", browserContextId=self._context)
        found: list[dict[str, Any]] = told["cookies"]
        return found

    def until(self, true: Callable[[], Any]) -> Any:
        """Wait until something is so, and return it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if answer := true():
                return answer
            time.sleep(0.02)
        raise AssertionError(f"not so within {PATIENCE} s; the console: {self.faults()}")

    def close(self) -> None:
        """Close the tab as a person does: the page hears of it."""
        self._browser.ask("Target.closeTarget", targetId=self._target)
