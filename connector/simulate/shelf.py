"""The shelf: the shipped library as a folder that can be read, checked and tested like any."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any, Final

from connector import library, starters

CONFIG: Final = """\
brand = "Corner Shop"
help_contact = "help@corner.example"
country = "US"
language = "en"
link_hosts = ["corner.example"]

[provider]
use = "sandbox"

[crm]
use = "local"
"""
WEBHOOK: Final = """
[webhooks.{name}]
url = "https://{name}.example/hook"
secrets = ["env:HOOK"]
"""
COPIED: Final = ("sources", "crms", "stages.toml", "segments.toml", "policy.toml", "hours.toml")


def library_folder(folder: Path) -> Path:
    """Write the library's plays and texts into ``folder`` beside the starters' other files."""
    plays, texts = library.folders()
    mappings = starters.root() / "mappings"
    for name in COPIED:
        _copy(mappings / name, folder / "mappings" / name)
    _copy(plays, folder / "mappings" / "plays")
    for path in sorted((starters.root() / "templates").glob("*.txt")):
        _copy(path, folder / "templates" / path.name)
    for path in sorted(texts.glob("*.txt")):
        _copy(path, folder / "templates" / path.name)
    tools = sorted(set().union(*map(_tools, (folder / "mappings" / "plays").glob("*.toml"))))
    config = CONFIG + "".join(WEBHOOK.format(name=name) for name in tools)
    (folder / "config.toml").write_text(config, encoding="utf-8")
    return folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        shutil.copyfile(source, target)


def _tools(play: Path) -> set[str]:
    """Other tools that a play calls."""
    try:
        told: dict[str, Any] = tomllib.loads(play.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError:
        return set()  # told by the reading that follows, with its line
    steps = told.get("steps", [])
    return {str(step["webhook"]) for step in steps if isinstance(step, dict) and "webhook" in step}
