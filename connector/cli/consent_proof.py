"""``connector consent proof``: one page of everything known about a number."""

from __future__ import annotations

from pathlib import Path

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Faulty, NothingFound, output
from connector.cli.proof_page import page
from connector.cli.reading import read_number
from connector.config.loaded import load
from connector.ledger import acts, proofs
from connector.phone import mask
from connector.runtime import opened
from connector.steps.consent import stands

ACT = "export"


@click.command()
@click.argument("number")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page there that can be printed.",
)
@click.option("--why", default="", help="What it is for; kept with the act.")
@output.json_option
@click.pass_obj
def proof(folder: Path, number: str, html: Path | None, why: str, as_json: bool) -> None:
    """Write everything known about a number: consents, replies, texts and why each went.

    Each entry has its wording and version, source, IP address, page, who recorded it, when, and
    its place in the chain. That a proof was made is itself an act that is kept.

    \b
    Examples:
      connector consent proof +12025550123 --html proof.html --why "asked for by counsel"
      connector consent proof +12025550123 --json
    """
    loaded = load(folder, secrets=False)
    e164 = read_number(number, loaded).e164
    now = clock_of(loaded.settings)()
    with opened(loaded) as store:
        with store.read() as tx:
            found = proofs.of(tx, e164)
            live = sorted(stands(tx, e164, loaded.policy.expiries, now).live)
        if not any((found["known"], found["entries"], found["replies"], found["texts"])):
            raise NothingFound("nothing is known of this number")
        made = {**found, "live": live, "made_at": clock.text(now), "made_by": operator()}
        if html is not None:
            _write(html, page(made, loaded.settings.brand))
        with store.write() as tx:
            about = f"consents:{found['entries'][-1]['id'] if found['entries'] else ''}"
            acts.add(tx, clock.new_id("act"), ACT, about, who=operator(), at=now, why=why)
    if as_json:
        output.json_line(made)
        return
    entries, replies, texts = (len(made[name]) for name in ("entries", "replies", "texts"))
    output.say(f"{mask(e164)}: {entries} consents, {replies} replies, {texts} texts.")
    output.say(f"Live consent now for {', '.join(live) or 'nothing'}.")
    output.say(f"Written to {html}." if html else "Add --html FILE for a page, or --json for all.")


def _write(path: Path, text: str) -> None:
    """A new file that only its owner may read, as a person's data stands in it."""
    try:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Faulty(f"{path} cannot be written: {error.strerror}") from error
