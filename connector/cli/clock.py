"""``connector clock``: the test clock of a folder, shown, set and hurried while it runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from connector.adapters import clock_of
from connector.cli import Faulty, output
from connector.cli.reading import read_since
from connector.clock import TestClock
from connector.config.loaded import load
from connector.runtime import Waker

FASTEST: Final = 100_000.0  #: seconds that may pass in one


@click.group()
def clock() -> None:
    """Show, set and hurry the test clock of a folder, also while the connector runs.

    Only with `test_clock = true` in config.toml, which a live provider refuses: time that is not
    real must never decide when a real person is texted.

    \b
    Examples:
      connector clock show
      connector clock set 2026-11-26T08:59:00-05:00
      connector clock forward 3d
      connector clock speed 60            (a minute passes in each second)
    """


@clock.command()
@output.json_option
@click.pass_obj
def show(folder: Path, as_json: bool) -> None:
    """Show what the folder's clock shows."""
    loaded = load(folder, secrets=False)
    output.record(
        {"now": clock_of(loaded.settings)(), "test_clock": loaded.settings.test_clock},
        as_json=as_json,
    )


@clock.command(name="set")
@click.argument("instant", callback=read_since)
@click.pass_obj
def set_(folder: Path, instant: timedelta | datetime) -> None:
    """Set the clock to an instant (UTC where no zone is written); its speed stays."""
    if isinstance(instant, timedelta):
        raise Faulty("write an instant, as 2026-11-20T10:00; to go on by a span: clock forward 3d")
    at, _ = _opened(folder)
    at.set(instant, at.speed)
    _tell(folder, at)


@clock.command()
@click.argument("span", callback=read_since)
@click.pass_obj
def forward(folder: Path, span: timedelta | datetime) -> None:
    """Move the clock on by a span: 90m, 24h, 7d."""
    if isinstance(span, datetime):
        raise Faulty("write a span, as 24h or 7d; to go to an instant: clock set INSTANT")
    at, _ = _opened(folder)
    at.set(at() + span, at.speed)
    _tell(folder, at)


@clock.command()
@click.argument("seconds", type=click.FloatRange(0, FASTEST))
@click.pass_obj
def speed(folder: Path, seconds: float) -> None:
    """Let so many seconds pass in each second; 1 is real time, 0 stops it."""
    at, _ = _opened(folder)
    at.set(at(), seconds)
    _tell(folder, at)


def _opened(folder: Path) -> tuple[TestClock, Path]:
    loaded = load(folder, secrets=False)
    found = clock_of(loaded.settings)
    if not isinstance(found, TestClock):
        raise Faulty(
            "this folder runs on the real clock: write `test_clock = true` in config.toml "
            "(with the sandbox provider only) and start the connector again"
        )
    return found, loaded.settings.ledger


def _tell(folder: Path, at: TestClock) -> None:
    Waker(load(folder, secrets=False).settings.ledger)()
    output.say(f"The clock shows {at():%Y-%m-%d %H:%M:%S} UTC, at {at.speed:g} seconds a second.")
