"""``connector consent import``: consents from a file, and providers' lists of opt-outs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Failure, Faulty, output
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
from connector.rules import consentfile
from connector.rules.consentfile import Defaults
from connector.runtime import Waker, opened
from connector.steps import consentimport
from connector.steps.consent import By
from connector.steps.consentimport import File, Line, Tally

ACTIONS: Final = {"granted": True, "revoked": False}


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--opt-outs",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A provider's list of numbers that opted out, instead of FILE.",
)
@click.option("--provider", default="", help="Whose list it is, e.g. twilio; with --opt-outs.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@mapping_option
@click.option(
    "--purpose", default="", help="For lines that name none: marketing, service, a scope."
)
@click.option("--action", type=click.Choice(sorted(ACTIONS)), help="For lines that do not say.")
@click.option("--method", default="import", show_default=True, help="For lines that name none.")
@click.option("--source", default="", help="Where the proof is kept. Default: the file's name.")
@click.option("--occurred-at", "occurred", default="", help="For lines without: 2026-11-20T10:00Z.")
@click.option("--why", default="", help="Kept with the act of importing.")
@output.json_option
@click.pass_obj
def import_(
    folder: Path,
    /,
    file: Path | None,
    opt_outs: Path | None,
    provider: str,
    dry_run: bool,
    named: tuple[str, ...],
    why: str,
    as_json: bool,
    **told: Any,
) -> None:
    """Record consents and opt-outs from a CSV file; the same file again adds nothing.

    The first line names the columns: phone, purpose (or scope), granted, method, wording,
    wording_version, source, ip, url, user_agent, occurred_at. A consent must say when it was
    given. It does not lift a STOP. Try --dry-run first: it tells every count and the lines at
    fault, and writes nothing. An import that was broken off goes on where it stopped.

    \b
    Examples:
      connector consent import old-list.csv --dry-run
      connector consent import old-list.csv --mapping phone=Mobile --purpose marketing
      connector consent import --opt-outs blocked.csv --provider twilio
    """
    path = _which(file, opt_outs, provider)
    loaded = load(folder, secrets=False)
    defaults = _defaults(loaded.settings.country, path, told)
    columns = pairs(named)
    about = File(path.name, digest(path), operator(), why, read_as(columns, defaults, provider))
    with opened(loaded) as store, path.open("rb") as raw, Bar(quiet=as_json) as bar:
        lines = (
            _opt_outs(raw, defaults.country, provider) if opt_outs else _csv(raw, columns, defaults)
        )
        rt = By(clock.new_id, loaded.settings.crm.use)
        tally, size, now = Tally(), path.stat().st_size, clock_of(loaded.settings)()
        for so_far in consentimport.run(store, rt, about, lines, now, dry=dry_run):
            tally = so_far
            bar(path.name, raw.tell(), size)
    if not dry_run:
        Waker(loaded.settings.ledger)()
    _tell(tally, dry_run, as_json)
    if tally.faults and not (tally.granted or tally.revoked or tally.known or tally.skipped):
        raise Failure("no line could be taken; mend the file or name what it lacks by an option")


def read_as(columns: Mapping[str, str], defaults: Defaults, provider: str = "") -> str:
    """A digest of how a file is read: with other options it is another import."""
    told = repr((sorted(columns.items()), defaults, provider))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _defaults(country: str, path: Path, told: Mapping[str, Any]) -> Defaults:
    """What the options say for lines that do not say it themselves."""
    return Defaults(
        country=country,
        purpose=told["purpose"],
        granted=ACTIONS.get(told["action"] or ""),
        method=told["method"],
        source=told["source"] or path.name,
        occurred_at=_instant(told["occurred"]),
    )


def _which(file: Path | None, opt_outs: Path | None, provider: str) -> Path:
    path = opt_outs or file
    if path is None or (opt_outs and file):
        raise click.UsageError("name one file: FILE, or --opt-outs FILE --provider NAME")
    if bool(opt_outs) != bool(provider):
        raise click.UsageError("--opt-outs and --provider go together, e.g. --provider twilio")
    if not path.is_file():
        raise Faulty(f"{path} is not there; name the file as it is on this machine")
    return path


def _instant(raw: str) -> datetime | None:
    if not raw:
        return None
    try:
        at = datetime.fromisoformat(raw)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter("write an instant as 2026-11-20T10:00:00Z") from error


def _csv(raw: IO[bytes], named: dict[str, str], defaults: Defaults) -> Iterator[Line]:
    rows = rows_of(raw)
    read = partial(consentfile.columns, named=named)
    *_, places = columns_of(rows, read, "its first line must name the columns")
    for number, row in rows:
        if isinstance(row, str):
            yield number, row
            continue
        try:
            yield number, consentfile.entries(row, places, defaults)
        except ValueError as error:
            yield number, str(error)


def _opt_outs(raw: IO[bytes], country: str, provider: str) -> Iterator[Line]:
    for number, row in rows_of(raw):
        try:
            cells = [row] if isinstance(row, str) else row
            yield number, [consentfile.opted_out(cells, country, provider)]
        except ValueError as error:
            if number > 1:  # the first line may name the columns
                yield number, str(error)


def _tell(tally: Tally, dry: bool, as_json: bool) -> None:
    counts = {
        name: getattr(tally, name)
        for name in ("lines", "granted", "revoked", "known", "blocked", "faults", "skipped")
    }
    if as_json:
        faults = [{"line": line, "why": why} for line, why in tally.samples]
        output.json_line({**counts, "dry_run": dry, "first_faults": faults})
        return
    would = "would be " if dry else ""
    output.say(f"{tally.granted} consents {would}granted, {tally.revoked} ended")
    output.say(f"{tally.known} known already, {counted(tally.faults)}")
    if tally.blocked:
        output.say(f"{tally.blocked} of the consents are silenced by a STOP, which stands")
    if tally.skipped:
        output.say(f"{tally.skipped} lines were done by an earlier import of the same file")
    say_faults(tally.faults, tally.samples)
