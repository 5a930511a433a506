"""``connector test``: every example of the plays is played, and what differs is shown."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from connector.cli import FAILED, NothingFound, output
from connector.config.loaded import Loaded, load
from connector.config.supply import nearest
from connector.rules.plays import Play
from connector.simulate.examples import Result, run
from connector.simulate.junit import junit
from connector.simulate.shelf import library_folder


@click.command()
@click.argument("plays", nargs=-1, metavar="[PLAY]...")
@click.option("--library", is_flag=True, help="Test the shipped library instead of the folder.")
@click.option(
    "--junit",
    "report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the results as JUnit XML, for a build.",
)
@output.json_option
@click.pass_context
def test(
    ctx: click.Context, plays: Sequence[str], library: bool, report: Path | None, as_json: bool
) -> None:
    """Play the [[examples]] of each play, on a clock of its own, and show what differs.

    The real engine runs over an empty ledger with one person in it; nothing leaves, and the
    folder is not touched. Nobody is held out. Exits with 1 when an example fails.

    \b
    Examples:
      connector test
      connector test cart_abandoned welcome
      connector test --junit results.xml
      connector test --library
    """
    with _folder(ctx.obj, library) as folder:
        loaded = load(folder, secrets=False)
        chosen = _chosen(loaded, plays)
        began = time.perf_counter()
        results = []
        for result in run(loaded, chosen):
            results.append(result)
            if as_json:
                output.json_line(_line(result))
    if report is not None:
        report.write_bytes(junit(results))
    if not as_json:
        _show(chosen, results, time.perf_counter() - began)
    if not all(result.ok for result in results):
        ctx.exit(FAILED)


@contextmanager
def _folder(folder: Path, library: bool) -> Iterator[Path]:
    if not library:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="connector-library-") as place:
        yield library_folder(Path(place))


def _chosen(loaded: Loaded, names: Sequence[str]) -> list[Play]:
    for name in names:
        if name not in loaded.plays:
            raise NothingFound(f"there is no play {name}; {nearest(name, loaded.plays)}")
    found = [play for play in loaded.plays.values() if not names or play.name in names]
    if not any(play.examples for play in found):
        raise NothingFound(
            "no play has [[examples]]; `connector play library` lists plays that come with some"
        )
    return found


def _line(result: Result) -> dict[str, Any]:
    return {
        "play": result.play,
        "example": result.example,
        "ok": result.ok,
        "differences": result.differences,
        "timeline": result.timeline,
        "seconds": round(result.seconds, 4),
    }


def _show(plays: Sequence[Play], results: Sequence[Result], seconds: float) -> None:
    for result in results:
        if not result.ok:
            _show_failed(result)
    for play in plays:
        own = [result for result in results if result.play == play.name]
        good = sum(result.ok for result in own)
        says = f"{good} of {len(own)}" if own else "no examples"
        style = "" if good == len(own) else "red"
        output.say(f"{'ok' if own and good == len(own) else '--':4}{play.name:32}{says}", style)
    failed = sum(not result.ok for result in results)
    says = f"{failed} failed" if failed else "all passed"
    output.say(f"\n{len(results)} examples, {says}, in {seconds:.2f} s", "red" if failed else "")


def _show_failed(result: Result) -> None:
    output.say(f"{result.play}: {result.example}", "bold")
    for line in result.differences:
        output.say(f"  {line}", "red")
    if result.timeline:
        output.say("  what happened:")
    for line in result.timeline:
        output.say(f"    {line}", "dim")
    output.say()
