"""``connector consent``: what a number has agreed to, granted and revoked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from connector import clock, phone
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.cli.consent_import import import_
from connector.cli.consent_proof import proof
from connector.cli.consent_request import request
from connector.cli.reading import full_option, read_number, reading
from connector.config.loaded import Loaded, load
from connector.ledger import acts, listings, reports
from connector.ledger.store import Tx
from connector.model import Purpose
from connector.phone import Number
from connector.rules.consent import EVERYTHING, Standing
from connector.rules.explain import number_line
from connector.runtime import Waker, opened
from connector.steps import hand
from connector.steps.consent import By, known_purposes, record_consent, stands

METHODS: Final = ("paper", "verbal", "web_form", "checkout", "import")
"""How consent is given elsewhere. A reply or a double opt-in only the number itself can give."""

REVOKED_BY: Final = ("operator", "call", "email", "crm")
"""By what means a person may ask to be left alone; each is as good as a STOP."""

PURPOSES: Final = (Purpose.marketing.value, Purpose.service.value)
COLUMNS: Final = ("when", "purpose", "action", "method", "source", "wording")
WIDE: Final = 110  #: columns from which there is room to tell who recorded it


@click.group()
def consent() -> None:
    """Show what a number has agreed to; record consent given, or withdrawn, elsewhere.

    \b
    Examples:
      connector consent show +12025550123
      connector consent grant +12025550123 --method paper --wording "Text me offers"
      connector consent revoke +12025550123
    """


for each in (request, import_, proof):
    consent.add_command(each)


@consent.command()
@click.argument("number")
@full_option
@output.json_option
@click.pass_obj
def show(folder: Path, number: str, full: bool, as_json: bool) -> None:
    """Show every consent of a number, oldest first, and what may be sent to it now.

    \b
    Example:   connector consent show +12025550123
    """
    with reading(folder) as (loaded, tx):
        e164 = read_number(number, loaded).e164
        known = reports.number(tx, e164)
        now = clock_of(loaded.settings)()
        live = sorted(stands(tx, e164, loaded.policy.expiries, now).live)
        bearers = listings.bearers(tx, "phone", e164)
    if not (known["consents"] or known["blocked_scope"] or bearers):
        raise NothingFound("nothing is known of this number")
    masked = known | {"phone": e164 if full else phone.mask(e164)}
    rows = [item | {"phone": masked["phone"]} for item in known["consents"]]
    if as_json:
        output.json_line({**masked, "live": live, "contacts": bearers, "consents": rows})
        return
    output.say(f"{masked['phone']}: {number_line(known, _minute(known['blocked_at']), live)}")
    if known["held_at"]:
        output.say(f"held since {_minute(known['held_at'])}: {known['held_why']}")
    output.say(f"borne by {', '.join(bearers)}" if bearers else "borne by nobody")
    if rows:
        is_wide = output.console().width >= WIDE
        dated = ({**row, "when": _minute(row["occurred_at"], is_wide)} for row in rows)
        output.rows(dated, (*COLUMNS, "recorded_by") if is_wide else COLUMNS)


@consent.command()
@click.argument("number")
@click.option("--purpose", type=click.Choice(PURPOSES), default=PURPOSES[0], show_default=True)
@click.option("--scope", "scopes", multiple=True, help="A scope beside it, e.g. cart_reminders.")
@click.option("--method", type=click.Choice(METHODS), required=True, help="How it was given.")
@click.option("--wording", required=True, help="The exact words the person agreed to.")
@click.option("--source", default="operator", help="Where the proof is kept, e.g. fair-2026.")
@click.pass_obj
def grant(
    folder: Path,
    number: str,
    purpose: str,
    scopes: tuple[str, ...],
    method: str,
    wording: str,
    source: str,
) -> None:
    """Record consent that a person gave elsewhere. Keep the proof: you may have to show it.

    It does not lift a STOP: that only START from the number itself does.

    \b
    Example:
      connector consent grant +12025550123 --purpose marketing --scope cart_reminders \\
        --method paper --wording "Text me offers and cart reminders" --source fair-2026
    """
    with _changing(folder, number) as at:
        unknown = set(scopes) - {
            scope for play in at.loaded.plays.values() for scope in play.scopes
        }
        for name in (purpose, *scopes):
            at.record(name, granted=True, method=method, wording=wording, source=source)
        now_live = at.standing()
    for scope in sorted(unknown):
        output.say(f"Note: no play asks for the scope {scope}; is it spelt right?")
    _tell(at, now_live)
    if now_live.stopped and not {purpose, *scopes} <= now_live.live:
        output.say("A STOP stands, and this does not lift it: only START from the number does.")


@consent.command()
@click.argument("number")
@click.option(
    "--purpose", default=EVERYTHING, help="One purpose or scope only. Default: everything."
)
@click.option(
    "--method",
    type=click.Choice(REVOKED_BY),
    default="operator",
    show_default=True,
    help="How the person asked.",
)
@click.option("--wording", default="", help="What the person said or wrote.")
@click.option("--source", default="operator", help="Where the proof is kept.")
@click.pass_obj
def revoke(folder: Path, number: str, purpose: str, method: str, wording: str, source: str) -> None:
    """Record that a person wants no more texts, or none of one purpose or scope.

    It takes effect before the next text. Everything, or marketing, revoked is as good as a STOP:
    only START from the number itself lifts it.

    \b
    Examples:
      connector consent revoke +12025550123 --method call --wording "no more texts, please"
      connector consent revoke +12025550123 --purpose cart_reminders
    """
    with _changing(folder, number) as at:
        _refuse_unknown(at, purpose)
        at.record(purpose, granted=False, method=method, wording=wording, source=source)
        hand.release(at.tx, clock, at.number.e164, who=operator(), now=at.now)  # it is decided
        now_live = at.standing()
    _tell(at, now_live)


@consent.command()
@click.argument("number")
@click.option("--why", default="", help="What the reply meant; kept with your name.")
@click.pass_obj
def release(folder: Path, number: str, why: str) -> None:
    """Let marketing to a number go on, after a person has read the unclear reply that held it.

    If the reply meant stop, use `connector consent revoke` instead. What nobody decides within
    72 hours counts as an opt-out of marketing.

    \b
    Example:   connector consent release +12025550123 --why "asked for the size only"
    """
    with _changing(folder, number) as at:
        if not hand.release(at.tx, clock, at.number.e164, who=operator(), now=at.now, why=why):
            raise NothingFound("no unclear reply holds this number")
    output.say(f"{phone.mask(at.number.e164)}: texts go on, as far as consent allows.")


def _refuse_unknown(at: _Change, purpose: str) -> None:
    """A purpose or scope that nobody ever named ends nothing: it is a slip of the pen."""
    known = known_purposes(at.tx, at.loaded.plays.values(), at.number.e164)
    if purpose not in known:
        says = f"{purpose} is no purpose and no scope of a play; say {', '.join(sorted(known))}"
        raise click.BadParameter(says, param_hint="--purpose")


@dataclass(slots=True)
class _Change:
    """One write to a number's consents, and what is needed for it."""

    loaded: Loaded
    tx: Tx
    number: Number
    now: datetime
    rt: By
    recorded: list[str]

    def record(self, purpose: str, *, granted: bool, **told: str) -> None:
        """Append one row, unless the newest says the same already."""
        by = operator()
        about: dict[str, Any] = {**told, "phone": self.number.e164, "now": self.now}
        if record_consent(
            self.tx, self.rt, purpose=purpose, granted=granted, recorded_by=by, **about
        ):
            self.recorded.append(f"{purpose} {'granted' if granted else 'revoked'} ({by})")
        act, what = "grant" if granted else "revoke", f"consent:{purpose}"
        why = f"{told['method']}, kept at {told['source']}"
        acts.add(self.tx, self.rt.new_id("act"), act, what, who=by, why=why, at=self.now)

    def standing(self) -> Standing:
        """What the number's rows come to now."""
        return stands(self.tx, self.number.e164, self.loaded.policy.expiries, self.now)


@contextmanager
def _changing(folder: Path, number: str) -> Iterator[_Change]:
    """One write transaction; then the CRM is owed the change and the worker is woken."""
    loaded = load(folder)
    read = read_number(number, loaded)
    with opened(loaded) as store:
        now = clock_of(loaded.settings)()
        with store.write() as tx:
            yield _Change(loaded, tx, read, now, By(clock.new_id, loaded.settings.crm.use), [])
        Waker(loaded.settings.ledger)()


def _tell(at: _Change, stands: Standing) -> None:
    masked = phone.mask(at.number.e164)
    for line in at.recorded:
        output.say(f"{masked}: {line}")
    if not at.recorded:
        output.say(f"{masked}: the newest entry says the same already; nothing was recorded.")
    live = ", ".join(sorted(stands.live)) or "nothing"
    output.say(f"{masked}: may now be texted for {live}.")


def _minute(instant: str | None, with_time: bool = True) -> str:
    if not instant:
        return ""
    return f"{instant[:10]} {instant[11:16]}Z" if with_time else instant[:10]
