"""``connector audit``: whether what was recorded is as it was recorded, and anchors to prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Failure, Faulty, output
from connector.cli.audit_decide import decide
from connector.config.loaded import Loaded, load
from connector.config.settings import Settings
from connector.ledger import verify as verifying
from connector.ledger.store import Store
from connector.ledger.verify import Finding
from connector.rules import anchors as rule
from connector.runtime import INBOX_FILE, LEDGER_FILE, opened
from connector.steps import anchor as anchoring
from connector.steps import audit as auditing
from connector.steps.audit import Verified

COLUMNS: Final = ("chain", "rows", "from_seq", "erased", "head", "result")
NEXT: Final = (
    "Nothing was changed by looking. Copy the data folder aside as it is, see who could write to "
    "it,\nand verify a backup from before (`connector restore` it into another folder)."
)


@click.group()
def audit() -> None:
    """Verify that nothing recorded was changed, and keep anchors elsewhere to prove it.

    \b
    Examples:
      connector audit verify
      connector audit decide --since 30d --sample 200
      connector audit anchor
      connector audit verify --anchor saved.txt
    """


audit.add_command(decide)


@audit.command()
@click.option(
    "--anchor",
    "kept",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="A file with anchors kept elsewhere, such as a saved e-mail.",
)
@output.json_option
@click.pass_obj
def verify(folder: Path, kept: tuple[Path, ...], as_json: bool) -> None:
    """Walk every chain, and name the first row that was altered, moved, added or taken out.

    Consents, decisions and people's acts are chained. Their heads, what decisions saw, SQLite's
    own check of both files, and every anchor that can be had are looked at too. Exit code 1 where
    anything is not as it was.

    \b
    Examples:
      connector audit verify
      connector audit verify --anchor saved-mail.txt --json
    """
    loaded = load(folder, secrets=False)
    with opened(loaded) as store:
        places = _places(loaded, store, kept)
        with _progress(store) as stage:
            found = auditing.run(store, _files(loaded.settings), places, stage)
    _show(found, as_json)
    if found.findings:
        count = len(found.findings)
        raise Failure(f"{count} thing{'s are' if count > 1 else ' is'} not as recorded.\n{NEXT}")


@audit.command()
@click.option("--why", default="by hand", show_default=True, help="Kept with the anchor.")
@output.json_option
@click.pass_obj
def anchor(folder: Path, why: str, as_json: bool) -> None:
    """Write the heads of the chains to the places of [audit] anchor, and print them.

    Whoever can write to the ledger can write it anew from any row on. An anchor that stands
    where they cannot write proves what it was. With [audit] anchor set, the worker does this
    each day.

    \b
    Example:   connector audit anchor
    """
    loaded = load(folder)
    settings, now = loaded.settings, clock_of(loaded.settings)()
    with opened(loaded) as store:
        taken = anchoring.take(store, clock.new_id, who=operator(), why=why, now=now)
    told, faults = anchoring.tell(settings.anchors, taken, settings.brand, now)
    if as_json:
        output.json_line({**rule.told(taken), "written_to": told, "faults": faults})
    else:
        output.say(rule.line(taken))
        where = f"Written to {', '.join(told)}." if told else ""
        output.say(where or "No place is set: keep this line elsewhere, or set [audit] anchor.")
    if faults:
        raise Failure("\n".join(faults))


def _places(loaded: Loaded, store: Store, kept: tuple[Path, ...]) -> dict[str, str]:
    """The texts that hold anchors, by where they stand."""
    found = {}
    own = loaded.settings.anchors.file
    if own is not None and own.exists():
        found[str(own)] = own.read_text(encoding="utf-8", errors="replace")
    with store.read() as tx:
        known = anchoring.known(tx)
    for path in kept:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise Faulty(f"{path} cannot be read: {error.strerror}") from error
        if not any(each.ledger == known for each in rule.read(text)):
            raise Faulty(f"{path} holds no anchor of this ledger; give the line it was told in")
        found[str(path)] = text
    return found


def _files(settings: Settings) -> dict[str, Path]:
    paths = {name: settings.ledger / name for name in (LEDGER_FILE, INBOX_FILE)}
    return {name: path for name, path in paths.items() if path.exists()}


@contextmanager
def _progress(store: Store) -> Iterator[Callable[[str, int], None]]:
    """A bar on a terminal, for a ledger takes a while to read; silence elsewhere."""
    screen = output.console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("verifying", total=verifying.length(store))
        yield lambda name, rows: bar.update(task, description=name, advance=rows)


def _show(found: Verified, as_json: bool) -> None:
    if as_json:
        output.json_line(_told(found))
        return
    output.rows((_row(item) for item in _told(found)["chains"]), COLUMNS)
    for name, faults in found.files.items():
        output.say(f"{name}: {'; '.join(faults[:3]) if faults else 'whole, says SQLite'}")
    for place in found.anchors:
        since = f", the newest of {place.newest}" if place.newest else ""
        output.say(f"anchors in {place.place}: {place.agree} heads agree{since}")
    for finding in found.findings:
        output.say(f"{finding.kind}: {_named(finding)}: {finding.says}", style="red")


def _row(item: dict[str, Any]) -> dict[str, Any]:
    wrong = item["finding"]
    return {**item, "head": item["hash"][:12], "result": wrong["kind"] if wrong else "whole"}


def _named(finding: Finding) -> str:
    at = f" (seq {finding.seq})" if finding.seq is not None else ""
    return f"{finding.table} {finding.id or 'a row'}{at}"


def _told(found: Verified) -> dict[str, Any]:
    """All of it as plain values."""
    chains = [
        {
            "chain": each.table,
            "rows": each.seq - each.first,
            "from_seq": each.first + 1,
            "erased": each.erased,
            "seq": each.seq,
            "hash": each.hash,
            "finding": each.finding.told() if each.finding else None,
        }
        for each in found.chains
    ]
    return {
        "whole": not found.findings,
        "chains": chains,
        "facts": found.facts,
        "files": found.files,
        "anchors": [asdict(each) for each in found.anchors],
        "findings": [each.told() for each in found.findings],
    }
