"""``connector simulate``: what the folder's files would have done with all that was recorded."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click

from connector.cli import Failure, Faulty, output, progress, simulate_page
from connector.cli.reading import instant, since_option
from connector.config.loaded import Loaded, load
from connector.runtime import opened
from connector.simulate import listing, simulation
from connector.simulate.replay import Source
from connector.simulate.scratch import ScratchTx
from connector.simulate.simulation import Tell, Wanted, plain, text_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
MICROS = 1_000_000


@click.command()
@click.option("--inputs", "file", type=_FILE, help="What `connector export inputs` wrote.")
@click.option("--from-ledger", is_flag=True, help="All that this folder's ledger was ever told.")
@since_option
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another folder, whose files are run over the same inputs and compared.",
)
@click.option("--daily-limit", type=click.IntRange(1), help="Segments the carrier takes in a day.")
@click.option("--price", type=click.FloatRange(0), help="Of a segment whose price is not known.")
@click.option("--csv", "table", type=_NEW, help="Write each text, wait and stop as a row.")
@click.option("--report", type=_NEW, help="Write the report as a page, report.html.")
@output.json_option
@click.pass_context
def simulate(
    ctx: click.Context,
    file: Path | None,
    from_ledger: bool,
    since: timedelta | datetime | None,
    against: Path | None,
    daily_limit: int | None,
    price: float | None,
    table: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Run recorded inputs through mapping, plays and policy, and send and write nothing.

    It tells what would have been sent, held and stopped, to how many and when, in how many
    segments, which caps bite, and how that differs from another folder's files. With
    --from-ledger, each decision is compared with the one that was made then (unless --against
    compares with other files): with the same files they are equal. --since counts only what is
    newer; everything before it is run too.

    \b
    Examples:
      connector simulate --from-ledger
      connector -C draft simulate --inputs history.jsonl --against shop --report report.html
      connector simulate --from-ledger --since 30d --daily-limit 2000 --csv texts.csv
    """
    if (file is None) == (not from_ledger):
        raise Faulty("say what to run: --from-ledger, or --inputs FILE (see `connector export`)")
    loaded = load(ctx.obj, secrets=False)
    other = load(against, secrets=False) if against else None
    wanted = Wanted(
        zone=loaded.settings.timezone,
        since=text_of(instant(since, loaded)),
        daily_limit=daily_limit or 0,
        price_micros=round((price or 0) * MICROS),
        compared=from_ledger,
    )
    began = time.perf_counter()
    with (
        _source(loaded, file) as source,
        _watched(as_json) as tell,
        simulation.simulated(loaded, source, wanted, other=other, tell=tell) as (found, tx),
    ):
        seconds = time.perf_counter() - began
        if table is not None:
            _write_table(table, tx, wanted.since)
    if report is not None:
        _write(report, simulate_page.page(found, loaded.settings.brand))
    if as_json:
        output.json_line({**plain(found), "seconds": round(seconds, 3)})
    else:
        simulate_page.show(found, seconds)


@contextmanager
def _source(loaded: Loaded, file: Path | None) -> Iterator[Source]:
    if file is not None:
        yield simulation.of_file(file)
        return
    with opened(loaded) as store:
        yield simulation.of_ledger(store)


@contextmanager
def _watched(quiet: bool) -> Iterator[Tell]:
    """What shows how far it is."""
    with progress.counted(20, quiet=quiet) as tell:
        yield lambda at, count: tell(at[:16].replace("T", " "), count)


def _write_table(path: Path, tx: ScratchTx, since: str) -> None:
    try:
        path.touch(mode=0o600)
        with path.open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, listing.COLUMNS)
            writer.writeheader()
            writer.writerows(listing.listing(tx, since))
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from error
