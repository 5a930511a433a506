"""The stage: ``connector run`` as a child process, in a folder of its own, on this machine."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import requests

from connector import starters
from connector.clock import TestClock
from connector.demo import day
from connector.errors import ConnectorError
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.runtime import CLOCK_FILE, LEDGER_FILE, Waker

SECRETS: Final = {
    "site": "demo-site-key",
    "backend": "demo-backend-key",
    "shop": "demo-shop-secret",
    "firm": "whsec_ZGVtby1zZWNyZXQtb2YtdGhlLXNlcnZpY2UtZmlybQ==",
    "sandbox": "demo-sandbox-secret",
}
"""What the demo's sources sign with; each is a file of the folder, named by ``config.toml``."""

STARTS_WITHIN: Final = 20.0  #: seconds
STOPS_WITHIN: Final = 15.0
PATIENCE: Final = 20.0  #: for anything the connector is to do meanwhile
PORTS_TRIED: Final = 3

T = TypeVar("T")

CONFIG: Final = """\
# Written by `connector demo`: a folder like that of `connector init`, with a clock that is set by
# hand and people who answer by script. Nothing in it reaches anybody.
brand = "{brand}"
help_contact = "help@{host}"
country = "US"
language = "en"
link_hosts = ["{host}"]
test_clock = true

[web]
host = "127.0.0.1"
port = {port}

[sources.site]                         # the shop's pages: a public key, so little is believed
mapping = "segment"
trust = "browser"
keys = ["file:secrets/site"]

[sources.backend]                      # the shop's server
mapping = "segment"
trust = "trusted"
keys = ["file:secrets/backend"]

[sources.shop]                         # its checkout, by signed webhooks: POST /in/shop
mapping = "shopify"
trust = "trusted"
secrets = ["file:secrets/shop"]

[sources.firm]                         # the fitting service, by signed webhooks: POST /in/firm
mapping = "standard"
trust = "trusted"
secrets = ["file:secrets/firm"]

[provider]
use = "sandbox"

[providers.sandbox]
secret = "file:secrets/sandbox"
{script}
[crm]
use = "local"

[holdout]
enabled = false
"""
SCENE: Final = """
[[providers.sandbox.script]]
to = "{to}"
contains = "{contains}"
reply = "{reply}"
after = "250ms"
"""


class Stage:
    """A running connector whose clock stands still until it is moved; stopped at the block's end.

    Raises ``ConnectorError`` when it does not start, or does not do what it should in time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy stands between a machine and itself
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._store: SqliteStore | None = None

    def __enter__(self) -> Stage:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        self.clock = TestClock(data / CLOCK_FILE)
        self.show(day.BEGINS)
        for _ in range(PORTS_TRIED):
            self._launch(free_port())
            if self._is_up():
                break
        else:
            raise ConnectorError(f"`connector run` did not start. {self._log_ends()}")
        self._store = SqliteStore(data / LEDGER_FILE)

    def _launch(self, port: int) -> None:
        self._end()
        write_folder(self.folder, port)
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "connector", "-C", str(self.folder), "run"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop it in good order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    def _is_up(self) -> bool:
        """Wait until it takes requests; false when it ended instead (another took the port)."""
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end and self._lives():
            with suppress(requests.RequestException):
                if self.http.get(f"{self.url}/ready", timeout=2).ok:
                    return True
            time.sleep(0.02)
        return False

    @property
    def log(self) -> Path:
        """What the connector says while it runs."""
        return self.folder / "log"

    def show(self, at: datetime) -> None:
        """Let the connector's clock stand at an instant, and wake it."""
        self.clock.set(at, 0.0)
        Waker(self.folder / "data")()

    def read(self, question: Callable[[Tx], Any]) -> Any:
        """Ask the ledger, as any other process may."""
        if self._store is None:
            raise ConnectorError("the connector of the demo does not run")
        with self._store.read() as tx:
            return question(tx)

    def until(self, is_so: Callable[[], T], what: str) -> T:
        """Wait until something is so, and return it."""
        end = time.monotonic() + PATIENCE
        while not (found := is_so()):
            if not self._lives() or time.monotonic() > end:
                raise ConnectorError(f"{what}: not within {PATIENCE:g} s. {self._log_ends()}")
            time.sleep(0.02)
        return found

    def close(self) -> None:
        """Stop what was started; the folder stays, and its clock goes on by itself."""
        self.http.close()
        if self._store is not None:
            self._store.close()
            self._store = None
        self._end()
        with suppress(AttributeError):  # it never came as far as a clock
            self.clock.set(self.clock(), 1.0)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.terminate()
            process.wait(STOPS_WITHIN)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOPS_WITHIN)
            raise

    def _lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _log_ends(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"Its log, {self.log}, ends:", *lines[-12:]])


def write_folder(folder: Path, port: int) -> None:
    """The working folder: the starters as they are shipped, and the demo's own config."""
    for name, source in starters.files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    for owner, secret in SECRETS.items():
        (secrets / owner).write_text(secret)
    script = "".join(
        SCENE.format(to=scene.to, contains=scene.contains, reply=scene.reply)
        for scene in day.SCENES
    )
    config = CONFIG.format(brand=day.BRAND, host=day.HOST, port=port, script=script)
    (folder / "config.toml").write_text(config)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """In the child, on Linux: be told to stop when the demo is killed (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
