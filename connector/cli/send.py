"""``connector send``: a person's answer to a reply, or a test to a number of one's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Failure, Faulty, NothingFound, output, preview
from connector.cli.reading import read_number
from connector.config.loaded import Loaded, load
from connector.config.supply import nearest
from connector.ledger import sends
from connector.ledger.sqlite import SqliteStore
from connector.model import Mode
from connector.phone import mask
from connector.runtime import Waker, opened, work_is_idle
from connector.steps import hand
from connector.steps.setup import SANDBOX

PATIENCE: Final = 15.0  #: seconds to wait for what becomes of it
SHOWN: Final = ("id", "state", "reason", "text", "segments")
SETTLED: Final = frozenset({"accepted", "delivered", "undelivered", "refused", "uncertain"})


@click.command()
@click.option("--test", "is_test", is_flag=True, help="Send a play's text to a number of yours.")
@click.option("--to", "number", default="", help="With --test: one of [test] numbers.")
@click.option("--play", "play", default="", help="With --test: whose text.")
@click.option(
    "--step", "step", default="", help="With --test: of which step; the first unless said."
)
@click.option("--language", default="", help="With --test: in which language.")
@click.option("--reply-to", "reply", default="", help="Answer this reply (rpl_…).")
@click.option("--text", default="", help="With --reply-to: what to say.")
@output.json_option
@click.pass_obj
def send(folder: Path, /, as_json: bool, **asked: Any) -> None:
    """Send one text by hand. It passes the same gate as every other text.

    A test goes only to numbers under [test] in config.toml, is marked as one, and stands in no
    report. An answer goes to somebody who wrote within seven days; plays to that number wait
    until the conversation is closed or 24 hours old (`connector conversation`).

    \b
    Examples:
      connector send --test --play cart_abandoned --to +12025550123
      connector send --reply-to rpl_06f3k9pz4c7d --text "Yes, Tuesday at ten works. Bea"
    """
    if asked["is_test"] == bool(asked["reply"]):
        raise Faulty("say --test with --play and --to, or --reply-to with --text")
    loaded = load(folder)
    with opened(loaded) as store:
        send_id = _test(loaded, store, asked) if asked["is_test"] else _answer(loaded, store, asked)
        Waker(loaded.settings.ledger)()
        row = _wait(loaded, store, send_id)
    if as_json:
        output.json_line({name: row[name] for name in SHOWN})
    else:
        _tell(loaded, row)
    if row["state"] not in SETTLED or row["state"] == "refused":
        raise SystemExit(1)


def _test(loaded: Loaded, store: SqliteStore, asked: dict[str, Any]) -> str:
    settings = loaded.settings
    phone = read_number(asked["number"], loaded).e164 if asked["number"] else ""
    if phone not in settings.own_numbers:
        raise Faulty("tests go to your own numbers only: add it to [test] numbers in config.toml")
    if asked["play"] not in loaded.plays:
        raise NothingFound(
            f"there is no play {asked['play']}; {nearest(asked['play'], loaded.plays)}"
        )
    language = asked["language"] or settings.language
    with store.read() as tx:
        shown = preview.texts(tx, loaded, loaded.plays[asked["play"]], "", language)
    wanted = [item for item in shown if asked["step"] in ("", item.step) and not item.fault]
    if not wanted:
        faults = "; ".join(item.fault for item in shown if item.fault)
        raise Failure(f"{asked['play']} has no text to try: {faults or 'no such step'}")
    now = clock_of(settings)()
    with store.write() as tx:
        return hand.trial(tx, clock, phone, wanted[0].text, who=_who(), mode=_mode(loaded), now=now)


def _answer(loaded: Loaded, store: SqliteStore, asked: dict[str, Any]) -> str:
    now = clock_of(loaded.settings)()
    with store.write() as tx:
        return hand.answer(
            tx, clock, asked["reply"], asked["text"], who=_who(), mode=_mode(loaded), now=now
        )


def _wait(loaded: Loaded, store: SqliteStore, send_id: str) -> dict[str, Any]:
    until = time.monotonic() + (0 if work_is_idle(loaded.settings.ledger) else PATIENCE)
    while True:
        with store.read() as tx:
            row = sends.get(tx, send_id)
        found = dict(row) if row is not None else {}
        is_held = found.get("state") == "planned" and found.get("reason")
        if is_held or found.get("state") not in ("planned", "sending") or time.monotonic() > until:
            return found
        time.sleep(0.1)


def _tell(loaded: Loaded, row: dict[str, Any]) -> None:
    output.say(f"{row['id']} to {mask(row['phone'])}: {row['state']}")
    output.say(f"  {row['text']}")
    if row["state"] == "planned" and row["reason"]:
        output.say(
            f"  It waits ({row['reason']}), and goes when that is over; see connector explain."
        )
    elif row["state"] == "planned" and work_is_idle(loaded.settings.ledger):
        output.say("  No worker runs on this folder; it goes when one does (within four hours).")
    elif row["reason"]:
        output.say(f"  {row['reason']}: see `connector explain {row['id']}`")


def _who() -> str:
    return operator()


def _mode(loaded: Loaded) -> str:
    is_sandbox = loaded.settings.provider.use == SANDBOX
    return (Mode.sandbox if is_sandbox else Mode.live).value
