"""Somebody with a page of the docs and a shell: its files written, its commands typed, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.pages import ROOT, Block, blocks
from tests.running import Running, free_port

PLACE = re.compile(r'# (?:below (\[\w+\]|".+")|at the (top|end)) (?:in|of) (\S+)\n')
RUN = "connector -C shop run"
PATIENCE = 30.0


def page(name: str, section: str = "") -> list[Block]:
    """The blocks of a page of docs, or of one of its sections."""
    found = [block for block in blocks() if block.page.name == name]
    if not section:
        return found
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    part = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [block for block in found if block.text in part]


class Walker:
    """Walks a page in ``place``, where the page's own folder is ``shop``."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self.place, self.shop, self.patch = place, place / "shop", patch
        self.port = free_port()
        self.running: Running | None = None
        self._shell()

    def walk(self, page: Iterable[Block]) -> None:
        """Do what each block says."""
        for block in page:
            if block.file:
                self._write(block)
            elif block.kind == "toml":
                self._edit(block)
            elif block.text.strip() == RUN:
                self.run()
            elif block.kind == "sh":
                self.type(block.text)
            elif block.text.startswith("$ "):
                self._look(block.text)

    def run(self) -> None:
        """Start the connector, as in a terminal of its own."""
        self.running = Running(self.shop, self.port)
        self.running.start()

    def type(self, script: str) -> None:
        """Type a block; what it exports stays."""
        kept = self.place / "environment"
        done = self._bash(f'set -e\n{script}\nenv -0 > "{kept}"')
        assert done.returncode == 0, done.stdout + done.stderr
        for line in kept.read_text().split("\0"):
            name, is_set, value = line.partition("=")
            if is_set and name not in ("_", "SHLVL", "PWD") and os.environ.get(name) != value:
                self.patch.setenv(name, value)
        config = self.shop / "config.toml"
        if config.exists():
            config.write_text(self._own_port(config.read_text()))

    def close(self) -> None:
        """Leave nothing running."""
        if self.running is not None:
            self.running.stop()
            self.running.http.close()

    def configured(self, text: str) -> str:
        """The page's config.toml, with what a test needs beside it."""
        return text

    def typed(self, script: str) -> str:
        """What is typed, with what a test needs in the place of what the page names."""
        return script

    def _own_port(self, text: str) -> str:
        return re.sub(r"^port = 8080", f"port = {self.port}", text, flags=re.MULTILINE)

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
        """A whole file: of the folder, or one to be sent, beside it."""
        is_ours = block.file == "config.toml" or "/" in block.file
        target = (self.shop if is_ours else self.place) / block.file
        text = self.configured(block.text) if block.file == "config.toml" else block.text
        target.write_text(self._own_port(text))

    def _edit(self, block: Block) -> None:
        """Lines for a file that is there, whose first line says where they go."""
        place = PLACE.match(block.text)
        assert place, f"where does this go? {block}"
        below, edge, name = place.groups()
        file, lines = self.shop / name, block.text[place.end() :]
        text = file.read_text()
        if edge:
            file.write_text(f"{lines}{text}" if edge == "top" else f"{text.rstrip()}\n\n{lines}")
            return
        head = f"\n{below}\n" if below.startswith("[") else f"{below.strip(chr(34))}\n"
        assert text.count(head) == 1, f"{name} has no line {below}, or more than one"
        file.write_text(text.replace(head, head + lines))

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
        return subprocess.run(
            ["bash", "-c", self.typed(script.replace(":8080", f":{self.port}"))],
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
