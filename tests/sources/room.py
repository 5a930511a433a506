"""A whole connector without processes: its web's doors, its inbox, its ledger, its steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from connector.clock import TestClock
from connector.config.loaded import Loaded, load
from connector.model import Hook, Parsed
from connector.runtime import open_setup
from connector.steps import advance
from connector.web.app import create_app
from connector.webside import open_web
from tests.running import folder
from tests.sources.kits import KITS, Kit

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def named(kit: Kit) -> str:
    """What the operator calls the source here: the name is theirs, and means nothing."""
    return f"our_{kit.mapping[:20]}"


def write(path: Path) -> Path:
    """A folder with every shipped source in its configuration."""
    tables = {
        f"sources__{named(kit)}": f'mapping = "{kit.mapping}"\ntrust = "{kit.trust}"\n'
        f'secrets = ["file:{kit.mapping}"]'
        for kit in KITS
    }
    made = folder(path, 8080, **tables)
    for kit in KITS:
        (made / kit.mapping).write_bytes(kit.secret)
    return made


@cache
def loaded(path: Path) -> Loaded:
    """The folder, read once for all tests of a process."""
    return load(write(path))


class Room:
    """A connector on a ledger of its own, whose clock stands still until it is moved."""

    def __init__(self, files: Loaded, data: Path) -> None:
        data.mkdir(parents=True)
        self._clock = TestClock(data / "clock")
        self.move(NOW)
        whole = replace(files, settings=replace(files.settings, ledger=data))
        self.web = open_web(whole)
        self.client = create_app(self.web).test_client()
        self.rt = open_setup(whole, self.web.store)

    def close(self) -> None:
        self.web.inbox.close()
        self.rt.inbox.close()
        self.web.store.close()

    def move(self, at: datetime) -> None:
        """Let it be another instant."""
        self.now = at
        self._clock.set(at, 0)

    def post(self, kit: Kit, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        """A request at the source's address: status and what was answered."""
        answer = self.client.post(f"/in/{named(kit)}", data=body, headers=headers)
        return answer.status_code, answer.get_data(as_text=True)

    def deliver(self, kit: Kit, name: str) -> None:
        """A sample as its vendor sends it now, taken and acted upon."""
        headers, body = kit.sample(name)
        status, said = self.post(kit, headers | kit.sign(kit.secret, body, self.now), body)
        assert status == 200, said
        self.work()

    def work(self) -> None:
        """Take all that came in."""
        while advance.advance(self.rt):
            pass

    def parse(self, kit: Kit, name: str) -> Parsed:
        """A sample as its adapter reads it."""
        headers, body = kit.sample(name)
        lowered = {key.lower(): value for key, value in headers.items()}
        lowered |= {k.lower(): v for k, v in kit.sign(kit.secret, body, self.now).items()}
        hook = Hook("POST", f"https://sms.corner.example/in/{named(kit)}", lowered, body)
        return self.rt.sources[named(kit)].adapter.parse(hook, self.now)

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of any query."""
        with self.web.store.read() as tx:
            return [dict(row) for row in tx.all(sql, **params)]
