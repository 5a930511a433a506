"""``connector demo``: a day of a shop and a service firm, played through a real connector."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
from rich.progress import BarColumn, Progress, TextColumn

from connector.cli import Failure, demo_page, output
from connector.demo import day
from connector.demo.play import Playing, Tell
from connector.demo.stage import Stage
from connector.demo.table import missing

DUE: Final = "what has come due is decided"
READ_SECONDS: Final = 30.0


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Work in this new or empty folder instead of a temporary one.",
)
@click.option("--quiet", is_flag=True, help="Show no progress while it runs.")
@output.json_option
def demo(keep: Path | None, quiet: bool, as_json: bool) -> None:
    """Show a whole day in a few seconds, with no account and nothing to set up.

    A real connector is started on this machine, in a folder of its own, with a provider that
    sends nothing. A Wednesday of a shop and of its fitting service is told to it over HTTP, and
    time is hurried. Then another process reads from the ledger, and from the provider's own log,
    what came in, what was sent, what was held back and why, what came of it, and what the CRM
    now says. The folder is kept, so that you can look closer.

    Exits with 1 when anything that the day should show is missing.

    \b
    Examples:
      connector demo
      connector demo --keep /tmp/day --json
    """
    with suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    with _folder(keep) as folder, _told_to_stop():
        with _watched(quiet) as tell, Stage(folder) as stage:
            Playing(stage, tell).play()
        shown = {"folder": str(folder), **read_back(folder)}
    if as_json:
        output.json_line(shown)
    else:
        demo_page.show(shown, _command())
    if gaps := missing(shown):
        raise Failure(f"this should have been shown, and was not: {'; '.join(gaps)}")


def read_back(folder: Path) -> dict[str, Any]:
    """What a second process finds in the folder."""
    reading = [sys.executable, "-m", "connector.demo.table", str(folder)]
    done = subprocess.run(  # noqa: S603
        reading, capture_output=True, timeout=READ_SECONDS, check=False
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Failure(f"the folder {folder} could not be read back: {last}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to work in. Where the demo is broken off, a temporary one goes again."""
    folder = _empty(keep) if keep else _temporary()
    try:
        yield folder
    except (KeyboardInterrupt, SystemExit):
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _temporary() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="sms-demo-")).resolve()
    except OSError as error:
        says = f"there is no temporary folder to work in ({error.strerror}); name one with --keep"
        raise Failure(says) from error


def _empty(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Failure(f"{folder} is not empty; name a new folder")
    except OSError as error:
        raise Failure(f"cannot write {folder}: {error.strerror}; name another folder") from error
    return folder.resolve()


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """SIGTERM, and the terminal's closing, end the demo as Ctrl-C does: children first."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = {number: old for number, old in before.items() if old != signal.SIG_IGN}  # nohup
    for number in heeded:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def _watched(quiet: bool) -> Iterator[Tell]:
    """What shows how far it is: a bar on a terminal, else a line a moment, on stderr."""
    screen = output.console(stderr=True)
    if quiet:
        yield lambda at, says: None
    elif not screen.is_terminal:
        click.echo("Starting a connector on this machine …", err=True)
        yield _line
    else:
        columns = (
            TextColumn("{task.fields[at]:<10}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=screen, transient=True) as progress:
            yield _bar(progress)


def _line(at: datetime, says: str) -> None:
    if says:
        click.echo(f"{at.astimezone(day.ZONE):%a %H:%M}  {says}", err=True)


def _bar(progress: Progress) -> Callable[[datetime, str], None]:
    moments = len(list(day.moments()))
    task = progress.add_task("a connector is started on this machine", total=moments, at="")

    def tell(at: datetime, says: str) -> None:
        when = f"{at.astimezone(day.ZONE):%a %H:%M}"
        progress.update(task, description=says or DUE, at=when, advance=1 if says else 0)

    return tell


def _command() -> str:
    """How this command was called, so that what we print can be typed again."""
    called = Path(sys.argv[0])
    if called.name != "connector":
        return f"{sys.executable} -m connector"
    found = shutil.which("connector")
    is_same = found is not None and Path(found).resolve() == called.resolve()
    return "connector" if is_same else str(called)
