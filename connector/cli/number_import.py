"""``connector number import``: carriers' deactivated numbers, and those of the FCC's database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Failure, Faulty, output
from connector.cli.days import Day
from connector.cli.progress import Bar
from connector.cli.rows import (
    columns_of,
    counted,
    digest,
    mapping_option,
    pairs,
    rows_of,
    say_faults,
)
from connector.config.loaded import load
from connector.rules import numberfile
from connector.runtime import Waker, opened
from connector.steps import numberimport
from connector.steps.consent import By
from connector.steps.consentimport import File
from connector.steps.numberimport import Line, Tally

COUNTS: Final = ("lines", "noted", "known", "no", "strangers", "faults")


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(numberfile.KINDS),
    required=True,
    help="What the file lists: numbers that carriers switched off, or that have a new owner.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--since", type=Day(), help="For lines without a date. Default: the first import.")
@mapping_option
@click.option("--why", default="", help="Kept with the act of importing.")
@output.json_option
@click.pass_obj
def import_(
    folder: Path,
    file: Path,
    kind: str,
    dry_run: bool,
    since: datetime | None,
    named: tuple[str, ...],
    why: str,
    as_json: bool,
) -> None:
    """Take over what carriers or the FCC tell of numbers; the same file again changes nothing.

    The first line may name the columns: phone, since (the day it changed hands), asked (the day
    that was asked about), result (yes, no, no data). Without names the number, the day and the
    answer of each line are known by what they look like. Of numbers of nobody here nothing is
    kept. Consents of before the day count for nothing from then on, texts that wait are not sent,
    and the CRM has a task to ask for another number.

    \b
    Examples:
      connector number import deact-2026-11-20.csv --kind deactivated --dry-run
      connector number import rnd-result.csv --kind reassigned --why "FCC database, November"
    """
    if not file.is_file():
        raise Faulty(f"{file} is not there; name the file as it is on this machine")
    loaded = load(folder, secrets=False)
    now = clock_of(loaded.settings)()
    if since and since > now:
        raise Faulty("--since is a day to come; name the day on which the numbers changed hands")
    columns = pairs(named)
    about = File(file.name, digest(file), operator(), why, repr(sorted(columns.items())))
    rt, tally = By(clock.new_id, loaded.settings.crm.use), Tally()
    with opened(loaded) as store, file.open("rb") as raw, Bar(quiet=as_json) as bar:
        lines = _lines(raw, columns, loaded.settings.country, now)
        size = file.stat().st_size
        for so_far in numberimport.run(
            store, rt, about, kind, lines, now, since=since, dry=dry_run
        ):
            tally = so_far
            bar(file.name, raw.tell(), size)
    if not dry_run:
        Waker(loaded.settings.ledger)()
    _tell(tally, dry_run, as_json)
    if tally.faults and not (tally.noted or tally.known or tally.no or tally.strangers):
        raise Failure("no line could be read; mend the file, or name its columns with --mapping")


def _lines(raw: IO[bytes], named: Mapping[str, str], country: str, now: datetime) -> Iterator[Line]:
    rows = rows_of(raw)
    read = partial(numberfile.columns, named=named)
    number, head, places = columns_of(rows, read, "write a number a line")
    if places is None:
        yield number, _entry(head, None, country, now)
    for number, row in rows:
        yield number, _entry(row, places, country, now)


def _entry(
    row: list[str] | str, places: Mapping[str, int] | None, country: str, now: datetime
) -> numberfile.Entry | str:
    if isinstance(row, str):
        return row
    try:
        return numberfile.entry(row, places, country, now)
    except ValueError as error:
        return str(error)


def _tell(tally: Tally, dry: bool, as_json: bool) -> None:
    if as_json:
        faults = [{"line": line, "why": why} for line, why in tally.samples]
        counts = {name: getattr(tally, name) for name in COUNTS}
        output.json_line({**counts, "dry_run": dry, "first_faults": faults})
        return
    would = "would be" if dry else "were"
    output.say(f"{tally.noted} numbers {would} noted: consents of before count for nothing")
    output.say(f"{tally.known} known already, {tally.no} still their bearer's or unknown")
    output.say(f"{tally.strangers} of nobody here, {counted(tally.faults)}")
    say_faults(tally.faults, tally.samples)
