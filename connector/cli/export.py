"""``connector export``: what the connector was told, for another place to read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click
import orjson

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Failure, output
from connector.cli.reading import instant, read_since, since_option
from connector.config.loaded import load
from connector.ledger import acts
from connector.runtime import opened
from connector.simulate.inputs import inputs


@click.group()
def export() -> None:
    """Write what the ledger holds to a file.

    \b
    Example:   connector export inputs history.jsonl
    """


@export.command(name="inputs")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@since_option
@click.option("--until", callback=read_since, metavar="SPAN", help="Only what is older.")
@click.option("--why", default="", help="Why, for those who ask later.")
@click.pass_obj
def inputs_(
    folder: Path,
    file: Path,
    since: timedelta | datetime | None,
    until: timedelta | datetime | None,
    why: str,
) -> None:
    """Write all that was ever heard as JSON lines, in its order: events, replies, receipts, …

    It is what `connector simulate --inputs FILE` reads. It holds personal values: numbers,
    payloads, replies. Only you can read the file; an act keeps that it was written, and by whom.

    \b
    Examples:
      connector export inputs history.jsonl
      connector export inputs --since 30d month.jsonl
    """
    loaded = load(folder, secrets=False)
    count, now = 0, clock_of(loaded.settings)()
    with opened(loaded) as store:
        with store.write() as tx:
            act = clock.new_id("act")
            acts.add(tx, act, "exported", "inputs", who=operator(), why=why, at=now)
        lines = inputs(store, instant(since, loaded), instant(until, loaded))
        try:
            file.touch(mode=0o600)
            with file.open("wb") as target:
                for line in lines:
                    target.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                    count += 1
        except OSError as error:
            raise Failure(f"cannot write {file}: {error.strerror}") from error
    output.say(f"wrote {count:,} lines to {file}")
