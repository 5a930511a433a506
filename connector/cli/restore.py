"""``connector restore``: a backup becomes the ledger, and the gap since it is looked into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from connector import clock, restoring
from connector.actor import operator
from connector.cli import Failure, NothingFound, output
from connector.cli.hold import acting
from connector.config.loaded import load
from connector.errors import SendFailed
from connector.ledger import restores
from connector.ledger.restores import Restored
from connector.ledger.store import Tx
from connector.restoring import Restoration
from connector.runtime import Waker, open_setup, opened
from connector.steps import fetch as fetching

ORDER = "from"


class _OrFile(click.Group):
    """A group of which anything that is no command of its own is the file to restore."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the first command before what names none."""
        return super().parse_args(ctx, self.expanded(args))

    def expanded(self, args: list[str]) -> list[str]:
        """The arguments with the name of a command in front."""
        is_named = not args or args[0] in (*self.commands, "-h", "--help")
        return list(args) if is_named else [ORDER, *args]


@click.group(cls=_OrFile)
def restore() -> None:
    """Make a backup the ledger again: `connector restore FILE [DIR]`.

    Everything is held afterwards, until the texts and replies since the backup were fetched from
    the provider and the CRM. `connector run` fetches them by itself, and goes on; so does `fetch`.
    Texts that were due meanwhile are in doubt until then, and are never sent blindly.

    \b
    Examples:
      connector restore /mnt/safe/connector-20261117T020000Z.backup
      connector restore --replace yesterday.backup shop
      connector restore status
      connector restore fetch
      connector restore confirm --why "the provider's account is closed; list entered by hand"
    """


@restore.command(ORDER)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("place", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--replace", is_flag=True, help="Move a ledger that holds something aside first.")
@output.json_option
@click.pass_obj
def from_(folder: Path, file: Path, place: Path | None, replace: bool, as_json: bool) -> None:
    """Restore FILE into DIR (or the folder of -C). Nothing may run there meanwhile.

    What is replaced is moved into data/replaced-…, never deleted; where it can still be read,
    opt-outs, pauses and people forgotten since the backup are taken over from it.
    """
    done = restoring.restore(file, place or folder, replace=replace)
    if as_json:
        output.json_line(_told(done))
        return
    output.say(f"Restored: the ledger is as it was at {_minute(done.backup_at)}.")
    for line in _lines(done):
        output.say(line)
    output.say("Everything is held. Next: `connector run` (it fetches the texts and replies since,")
    output.say("and goes on), or first `connector restore fetch`.")


def _told(done: Restoration) -> dict[str, Any]:
    return {
        "backup_at": done.backup_at,
        "restored_at": done.restored_at,
        "doubtful": done.doubtful,
        "aside": str(done.aside or ""),
        "files": done.files,
        "carried": done.carried,
        "trouble": done.trouble,
    }


def _lines(done: Restoration) -> list[str]:
    names = ", ".join(done.files[:3]) + (", …" if len(done.files) > 3 else "")
    carried = ", ".join(f"{count} {name.replace('_', '-')}" for name, count in done.carried.items())
    told = {
        _due(done.doubtful): done.doubtful,
        f"Files that were missing were written: {names}": done.files,
        f"What was there before is in {done.aside}.": done.aside,
        f"Taken over from it: {carried}.": carried,
        f"Nothing could be taken over: {done.trouble}; forget again whom you forgot since.": (
            done.trouble
        ),
    }
    return [line for line, is_so in told.items() if is_so]


def _due(count: int) -> str:
    if count == 1:
        return "1 text was due since then: perhaps it went."
    return f"{count} texts were due since then: perhaps they went."


@restore.command()
@output.json_option
@click.pass_obj
def status(folder: Path, as_json: bool) -> None:
    """Tell how the last restore stands."""
    with acting(folder) as at, at.store.read() as tx:
        known = _known(tx)
        doubtful = len(restores.doubted(tx, "", 1_000))
    told = {
        "backup_at": known.backup_at,
        "restored_at": known.restored_at,
        "fetched_at": known.fetched_at,
        "confirmed_at": known.confirmed_at,
        "held": known.is_open,
        "doubtful": doubtful,
        "trouble": known.trouble,
    }
    if as_json:
        output.json_line(told)
    else:
        output.record(told)


@restore.command()
@output.json_option
@click.pass_obj
def fetch(folder: Path, as_json: bool) -> None:
    """Fetch the texts and replies since the backup from provider and CRM, and go on.

    Not where a worker runs: it does so by itself, every minute until it succeeds.
    """
    loaded = load(folder)
    with opened(loaded) as store:
        with store.read() as tx:
            known = _known(tx)
        if not known.is_open:
            raise Failure("this was done already; see `connector restore status`")
        rt = open_setup(loaded, store)
        try:
            found = fetching.fetch(rt, operator())
        except SendFailed as error:
            raise Failure(
                f"the provider could not tell: {error}. Everything stays held; try again, or "
                "answer for it: `connector restore confirm --why ...`"
            ) from error
    Waker(loaded.settings.ledger)()
    if found is None:
        raise Failure("this was done already; see `connector restore status`")
    told = {name: getattr(found, name) for name in found.__dataclass_fields__}
    if as_json:
        output.json_line(told)
    else:
        output.record(told, title="Fetched; the kill switch of the restore is lifted.")
        if found.doubtful:
            output.say("Doubtful texts are a person's to settle: `connector sends --doubtful`.")


@restore.command()
@click.option("--why", required=True, help="How you know who said stop and what went meanwhile.")
@click.pass_obj
def confirm(folder: Path, why: str) -> None:
    """Answer for the gap yourself, and let everything go on.

    Enter first who opted out since the backup: `connector consent revoke NUMBER`. Texts that were
    due meanwhile stay in doubt until you settle each.
    """
    with acting(folder) as at, at.store.write() as tx:
        known = _known(tx)
        if not known.is_open:
            raise Failure("this was done already; see `connector restore status`")
        act_id = clock.new_id("act")
        fetching.confirm(tx, known, who=at.who, why=why, now=at.now, act_id=act_id)
    output.say(
        "Confirmed: everything goes on, but for texts in doubt (`connector sends --doubtful`)."
    )


def _known(tx: Tx) -> Restored:
    known = restores.read(tx)
    if known is None:
        raise NothingFound("this ledger was never restored from a backup")
    return known


def _minute(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
