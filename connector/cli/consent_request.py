"""``connector consent request``: a consent that waits for the number's own yes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from connector import clock, phone
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Faulty, output
from connector.cli.reading import read_number
from connector.config.loaded import load
from connector.model import Mode, Purpose
from connector.rules import optin as rule
from connector.runtime import Waker, opened
from connector.steps import optin
from connector.steps.consent import By
from connector.steps.optin import Proposal
from connector.steps.setup import SANDBOX

PURPOSES: Final = (Purpose.marketing.value, Purpose.service.value)
WHY_NOT: Final = {
    "live": "it has granted all of this already; nothing was asked.",
    "recent": "it was asked less than 30 days ago; the consent waits, and nothing was asked.",
    "blocked": "the provider blocks it; only START from the number lifts that.",
}


@click.command("request")
@click.argument("number")
@click.option("--purpose", type=click.Choice(PURPOSES), default=PURPOSES[0], show_default=True)
@click.option("--scope", "scopes", multiple=True, help="A scope beside it, e.g. cart_reminders.")
@click.option("--method", default="paper", show_default=True, help="How it was proposed.")
@click.option("--wording", required=True, help="The words the person was shown.")
@click.option("--source", default="operator", help="Where the proof is kept, e.g. fair-2026.")
@click.pass_obj
def request(
    folder: Path,
    number: str,
    purpose: str,
    scopes: tuple[str, ...],
    method: str,
    wording: str,
    source: str,
) -> None:
    """Ask a number by text to say YES to what was proposed for it (double opt-in).

    Nothing is granted until it answers YES, within 24 hours. A number is asked at most once in
    30 days, at the hours of service texts. A YES lifts a STOP for what it names.

    \b
    Example:
      connector consent request +12025550123 --scope cart_reminders \\
        --wording "Text me offers and cart reminders" --source fair-2026
    """
    loaded = load(folder)
    e164 = read_number(number, loaded).e164
    if not any(name == rule.REQUEST for name, _ in loaded.templates):
        says = f"templates/{rule.REQUEST}.<language>.txt is not there; copy it from a new folder"
        raise Faulty(f"{says} (`connector init`)")
    settings, now = loaded.settings, clock_of(loaded.settings)()
    mode = Mode.sandbox if settings.provider.use == SANDBOX else Mode.live
    rt = By(clock.new_id, settings.crm.use)
    proposal = Proposal(e164, (purpose, *scopes), method, wording, source, operator())
    with opened(loaded) as store, store.write() as tx:
        asked = optin.request(tx, rt, proposal, mode.value, now, loaded.policy.expiries)
    Waker(settings.ledger)()
    told = WHY_NOT.get(asked.why_not, "it is asked, and has 24 hours to say YES.")
    output.say(f"{phone.mask(e164)}: {told}")
