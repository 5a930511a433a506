"""The pages of the docs taken apart: their samples, commands, links and what they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^```(\w*)[ ]*(?:file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:\$ |sudo |\w+=)?(?:\S*/)?connector(?= |$)(.*)")


@dataclass(frozen=True)
class Block:
    """A fenced block; ``file`` where it is the whole of a file."""

    page: Path
    kind: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.text[:40]!r}"


@cache
def blocks() -> tuple[Block, ...]:
    """Every fenced block of every page."""
    return tuple(
        Block(page, kind, file, text)
        for page in PAGES
        for kind, file, text in FENCE.findall(page.read_text(encoding="utf-8"))
    )


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def spoken(page: str) -> str:
    """All that stands in backticks in the prose of a page of docs."""
    return "\n".join(re.findall(r"`([^`]+)`", prose(ROOT / "docs" / page)))


def names(text: str, name: str) -> bool:
    """Whether a text names something as a whole word."""
    return re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text) is not None


def fenced_commands() -> Iterator[tuple[str, list[str]]]:
    """The words after ``connector`` in the blocks that are typed, with where they stand."""
    for block in blocks():
        if block.kind in ("", "sh", "ini"):
            for line in block.text.replace("\\\n", " ").splitlines():
                if found := COMMAND.fullmatch(line.strip()):
                    yield f"{block.page.name}: {line.strip()}", shlex.split(found[1], comments=True)


def spoken_commands() -> Iterator[tuple[str, list[str]]]:
    """The same within sentences, where what a command needs may be left out."""
    for page in PAGES:
        for line in re.findall(r"`([^`\n]+)`", prose(page)):
            if found := COMMAND.fullmatch(line):
                yield f"{page.name}: {line}", shlex.split(found[1])


def links() -> Iterator[tuple[Path, str]]:
    """Every link of every page that stays inside the repository."""
    for page in PAGES:
        text = re.sub(r"`[^`]*`", "", prose(page))
        for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
            if "://" not in target and not target.startswith("mailto:"):
                yield page, target


def anchors(page: Path) -> set[str]:
    """What may follow # in a link to a page."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
