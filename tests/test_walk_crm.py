"""The walk in ``docs/walk-crm.md``, walked: its files written, its commands typed, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.clock import TestClock
from tests.crms.hubspot_account import BoughtAccount
from tests.crms.hubspot_api import TOKEN
from tests.pages import Block, blocks
from tests.running import Running, free_port

PAGE = "walk-crm.md"
NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # a Wednesday, noon in Washington
PLACE = re.compile(r"# (?:below (\[\w+\])|at the end) (?:in|of) (\S+)\n")
RUN = "connector -C shop run"
PATIENCE = 30.0


class Walker:
    """Somebody with the page before them, a shell, and a HubSpot account of their own."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.shop = place, place / "shop"
        self.patch, self.port = monkeypatch, free_port()
        self.account = BoughtAccount()
        self.account.now = NOON
        self.account.make("favourite_store", "string")
        self.ann = self.account.add(
            "contacts",
            email="ann@example.org",
            mobilephone="+1 202 555 0123",
            favourite_store="Pearl Street",
        )
        self.running: Running | None = None
        self._shell()

    def walk(self, page: list[Block]) -> None:
        """Do what each block says."""
        for block in page:
            if block.file:
                self._write(block)
            elif block.kind == "toml":
                self._edit(block)
            elif block.text.strip() == RUN:
                self._run()
            elif block.kind == "sh":
                self._type(block.text)
            else:
                self._look(block.text)

    def close(self) -> None:
        """Leave nothing running."""
        if self.running is not None:
            self.running.stop()
            self.running.http.close()
        self.account.close()

    def _shell(self) -> None:
        """A shell in which ``connector`` is the one under test."""
        tools = self.place / "tools"
        tools.mkdir()
        command = tools / "connector"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m connector "$@"\n')
        command.chmod(0o755)
        self.patch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
        for name in ("CONNECTOR_FOLDER", "COLUMNS"):
            self.patch.delenv(name, raising=False)

    def _write(self, block: Block) -> None:
        """The configuration, with what a test needs beside it: a port, a clock, our HubSpot."""
        assert block.file == "config.toml"
        text = block.text.replace("8080", str(self.port))
        text = text.replace("[crms.hubspot]", f'[crms.hubspot]\nbase_url = "{self.account.url}"')
        (self.shop / block.file).write_text(f"test_clock = true\n{text}")
        (self.shop / "data").mkdir()
        self.account.clock = clock = TestClock(self.shop / "data/clock")
        clock.set(NOON)

    def _edit(self, block: Block) -> None:
        place = PLACE.match(block.text)
        assert place, f"where does this go? {block}"
        file, lines = self.shop / place[2], block.text[place.end() :]
        text = file.read_text()
        if not place[1]:
            file.write_text(f"{text.rstrip()}\n\n{lines}")
            return
        head = f"\n{place[1]}\n"
        assert text.count(head) == 1, f"{place[2]} has no line {place[1]}, or more than one"
        file.write_text(text.replace(head, head + lines))

    def _run(self) -> None:
        self.running = Running(self.shop, self.port)
        self.running.start()

    def _type(self, script: str) -> None:
        """Type a block; what it exports stays."""
        kept = self.place / "environment"
        done = self._bash(f'set -e\n{script}\nenv -0 > "{kept}"')
        assert done.returncode == 0, done.stdout + done.stderr
        for line in kept.read_text().split("\0"):
            name, is_set, value = line.partition("=")
            if is_set and name not in ("_", "SHLVL", "PWD") and os.environ.get(name) != value:
                self.patch.setenv(name, value)

    def _look(self, text: str) -> None:
        """Type each command behind a $, and find the lines below it in what it prints."""
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            self._until(command, [line.strip() for line in shown.splitlines() if line.strip()])

    def _until(self, command: str, shown: list[str]) -> None:
        end = time.monotonic() + (PATIENCE if self.running else 0)
        while True:
            done = self._bash(command)
            missing = [line for line in shown if not _is_in(line, done.stdout)]
            if not missing:
                return
            if time.monotonic() >= end:
                told = f"$ {command}\n{done.stdout}{done.stderr}"
                raise AssertionError(f"not shown: {missing}\n{told}")

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        script = script.replace("pat-na1-…", TOKEN).replace(":8080", f":{self.port}")
        script = script.replace("https://api.hubapi.com", self.account.url)
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.place,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _is_in(line: str, output: str) -> bool:
    """Whether a line stands in an output; … stands for anything within it."""
    pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
    return any(re.search(pattern, each) for each in output.splitlines())


@pytest.fixture
def walker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walker]:
    """Somebody at the start."""
    walker = Walker(tmp_path, monkeypatch)
    try:
        yield walker
    finally:
        walker.close()


def test_a_property_is_mapped_each_way_checked_installed_and_seen_filled(walker: Walker) -> None:
    page = [block for block in blocks() if block.page.name == PAGE]
    assert len(page) >= 12, "the page is not what this walks"
    walker.walk(page)
    held = walker.account.held(walker.ann)
    assert held["sms_interest"] == "texted" and held["sms_consent"] == "denied"
    assert walker.account.made["sms_interest"]["groupName"] == "sms_connector"
    [text] = walker.account.records["communications"].values()
    assert "Your store is Pearl Street" in text["properties"]["hs_communication_body"]
