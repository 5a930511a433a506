"""A real connector on loopback, for tests that go through real HTTP and real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from connector import starters
from connector.clock import TestClock

SITE_KEY = "site-key"
BACKEND_KEY = "backend-key"
SHOP_SECRET = "hush"  # the secret of the vectors that the fact is tested with
PATIENCE = 20.0


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def api_keys(**keys: tuple[str, list[str]]) -> str:
    """The lines of ``[api]``: name → the file beside config.toml that holds the key, its scopes."""
    return "\n".join(
        f'[[api.keys]]\nname = "{name}"\nkey = "file:{file}"\nscopes = {json.dumps(scopes)}'
        for name, (file, scopes) in keys.items()
    )


def folder(path: Path, port: int, **more: str) -> Path:
    """A working folder made from the starters, on a test clock, nobody held out.

    ``more`` are lines added by table name: ``web='inbox_mb = 1'``; ``top`` stands before all.
    """
    path.mkdir(parents=True, exist_ok=True)
    for place, source in starters.files():
        (path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path / place)
    tables = {
        "top": 'brand = "Corner Shop"\nhelp_contact = "help@corner.example"\ncountry = "US"\n'
        'language = "en"\nlink_hosts = ["corner.example"]\ntest_clock = true',
        "web": f'host = "127.0.0.1"\nport = {port}',
        "log": 'level = "info"',
        "sources.site": f'mapping = "segment"\ntrust = "browser"\nkeys = ["file:{SITE_KEY}"]',
        "sources.backend": f'mapping = "segment"\ntrust = "trusted"\nkeys = ["file:{BACKEND_KEY}"]',
        "sources.shop": 'mapping = "shopify"\ntrust = "trusted"\nsecrets = ["file:shop-secret"]',
        "provider": 'use = "sandbox"',
        "providers.sandbox": 'secret = "file:sandbox-secret"',
        "crm": 'use = "local"',
        "holdout": "enabled = false",
    }
    for name, value in (
        (SITE_KEY, SITE_KEY),
        (BACKEND_KEY, BACKEND_KEY),
        ("shop-secret", SHOP_SECRET),
        ("sandbox-secret", "sandbox-secret"),
    ):
        (path / name).write_text(value)
    for name, text in more.items():
        key = name.replace("__", ".")
        tables[key] = f"{tables.get(key, '')}\n{text}"
    top = tables.pop("top")
    body = "\n\n".join(f"[{name}]\n{text.strip()}" for name, text in tables.items())
    (path / "config.toml").write_text(f"{top.strip()}\n\n{body}\n")
    return path


class Running:
    """``connector run`` as a child process; stopped when the block ends."""

    def __init__(self, path: Path, port: int, *, verb: str = "run") -> None:
        self.path, self.port, self.verb = path, port, verb
        self.url = f"http://127.0.0.1:{port}"
        self.http = requests.Session()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Running:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.http.close()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with (self.path / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "connector", "-C", str(self.path), self.verb],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(os.environ),
            )
        if self.verb != "work":
            self.until(self.is_ready)

    def is_ready(self) -> bool:
        """Whether it takes requests."""
        assert self.process is not None
        assert self.process.poll() is None, (self.path / "log").read_text()[-3000:]
        try:
            answer = self.http.get(f"{self.url}/ready", timeout=2)
        except requests.ConnectionError:
            return False
        return answer.ok or self.verb == "serve"

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(25)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
                raise
        self.process = None

    def post(self, path: str, body: object, key: str = BACKEND_KEY, **kwargs: Any) -> int:
        """Send an event as a server library would; the status of the answer."""
        kwargs.setdefault("auth", (key, ""))
        answer = self.http.post(f"{self.url}{path}", data=json.dumps(body), timeout=10, **kwargs)
        return answer.status_code

    def rows(self, sql: str, *params: object) -> list[dict[str, Any]]:
        """Rows of the ledger, read by this process as any other would."""
        place = f"file:{self.path}/data/ledger.db?mode=ro"
        with sqlite3.connect(place, uri=True, timeout=10) as ledger:
            ledger.row_factory = sqlite3.Row
            found = [dict(row) for row in ledger.execute(sql, params)]
        ledger.close()
        return found

    def one(self, sql: str, *params: object) -> Any:
        """The first column of the first row."""
        found = self.rows(sql, *params)
        return next(iter(found[0].values())) if found else None

    def until(self, true: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Wait until something is so, and return it."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if found := true():
                return found
            time.sleep(0.02)
        log = (self.path / "log").read_text()[-3000:]
        raise AssertionError(f"not so within {patience} s; the log ends:\n{log}")

    def set_clock(self, shows: datetime, speed: float = 1.0) -> None:
        """Let the connector's clock show an instant."""
        (self.path / "data").mkdir(exist_ok=True)
        TestClock(self.path / "data" / "clock").set(shows, speed)

    def outbox(self) -> list[dict[str, Any]]:
        """What the sandbox provider says it was given."""
        file = self.path / "data" / "sandbox.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def pids(self) -> list[int]:
        """The pids of every process of the run, the supervisor's first."""
        assert self.process is not None
        found = [self.process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            if children.exists():
                found.extend(int(child) for child in children.read_text().split())
        return found
