"""``connector init``: a working folder to start from, never overwriting what is there."""

from __future__ import annotations

import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from connector import starters
from connector.cli import Failure, output


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write config.toml, mappings and templates into FOLDER; what is there already stays.

    \b
    Example:
      connector init shop
    """
    written, kept = _copy(folder)
    output.say(f"{folder}: {len(written)} files written, {len(kept)} already there and untouched.")
    for path in kept:
        output.say(f"  kept {path}")
    for line in _next_steps(folder):
        output.say(line)


def _copy(folder: Path) -> tuple[list[Path], list[Path]]:
    written: list[Path] = []
    kept: list[Path] = []
    try:
        for name, source in starters.files():
            target = folder / name
            if target.exists():
                kept.append(name)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            written.append(name)
    except OSError as error:
        reason = f"{error.filename or folder}: {error.strerror or error}"
        raise Failure(f"cannot write {reason}; choose a folder you may write to") from error
    return written, kept


def _next_steps(folder: Path) -> Iterator[str]:
    variables = sorted(_variables(_read(folder / "config.toml")))
    yield ""
    if variables:
        yield "config.toml names its secrets and never holds them. Set each before you start, for"
        yield "example to a random text, and keep it where your service manager keeps secrets"
        yield "(env:NAME is a variable, file:PATH a file beside config.toml):"
        yield ""
        yield from (f"  export {name}=$(openssl rand -hex 16)" for name in variables)
        yield ""
    place = shlex.quote(str(folder))
    yield "Then:"
    yield ""
    yield f"  connector -C {place} check    # names every fault, with its line and the remedy"
    yield f"  connector -C {place} run      # the sandbox provider sends nothing for real"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # an older file that is faulty is for `connector check` to tell


def _variables(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {name for item in value.values() for name in _variables(item)}
    if isinstance(value, list):
        return {name for item in value for name in _variables(item)}
    if isinstance(value, str) and value.startswith("env:"):
        return {value.removeprefix("env:")}
    return set()
