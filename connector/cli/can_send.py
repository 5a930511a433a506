"""``connector can-send``: what the gate would say of a text, before anybody sends it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from connector import phone
from connector.adapters import clock_of
from connector.cli import output
from connector.cli.reading import full_option, read_number
from connector.config.loaded import Loaded, load
from connector.model import Purpose, Verdict
from connector.rules.places import country_of, is_zone, name_of
from connector.runtime import opened
from connector.simulate.carrier import Carrier
from connector.simulate.opening import Ids, open_world
from connector.steps import ask
from connector.steps.asked import PURPOSES, answered, doubt, law

SAYS: Final = {Verdict.send: "may go", Verdict.wait: "must wait", Verdict.stop: "must not go"}


class Instant(click.ParamType[datetime]):
    """An instant, as text: the operator's own zone serves where none is written."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it, or say how it is written."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            self.fail(f"{value!r} is no instant; write 2026-11-20T10:00 or …T10:00-05:00")


@click.command(name="can-send")
@click.argument("number")
@click.option("--purpose", type=click.Choice(PURPOSES), default=PURPOSES[0], show_default=True)
@click.option("--scope", "scopes", multiple=True, help="A scope beside it, e.g. cart_reminders.")
@click.option("--at", "at", type=Instant(), help="When; now unless said.")
@click.option("--state", "region", default="", help="As if the CRM named this state, e.g. FL.")
@click.option("--zip", "postal", default="", help="As if the CRM named this ZIP or postal code.")
@click.option("--country", default="", help="As if the CRM named this country, e.g. US.")
@click.option("--zone", default="", help="As if the person had stated this zone.")
@click.option("--suppose-consent", is_flag=True, help="As if the number had consented to it.")
@click.option(
    "--suppose-sent",
    type=Instant(),
    multiple=True,
    help="As if a text of the purpose had gone then; may be repeated.",
)
@full_option
@output.json_option
@click.pass_obj
def can_send(folder: Path, /, number: str, full: bool, as_json: bool, **asked: Any) -> None:
    """Tell whether a text may go to a number, and if not, everything that is against it.

    It answers as the gate would: consent, suppression, hours in every zone and state that any
    sign names, caps, holds and pauses. Nothing is sent and nothing is written. An instant without
    a zone is on your own clock (timezone in config.toml).

    \b
    Examples:
      connector can-send +12025550123
      connector can-send +12025550123 --purpose service --at 2026-11-26T08:00
      connector can-send +13055550123 --state FL --suppose-consent --json
    """
    loaded = load(folder, secrets=False)
    question = _question(loaded, read_number(number, loaded).e164, asked)
    now = clock_of(loaded.settings)
    with opened(loaded) as store, store.read() as tx:
        rt = open_world(loaded, store, now, Ids(), Carrier())
        answer = ask.can_send(tx, rt, question)
    shown = question.phone if full else phone.mask(question.phone)
    if as_json:
        output.json_line({"phone": shown, **answered(question, answer)})
        return
    _tell(shown, question, answer)


def _question(loaded: Loaded, e164: str, asked: dict[str, Any]) -> ask.Question:
    own = ZoneInfo(loaded.settings.timezone)
    if asked["zone"] and not is_zone(asked["zone"]):
        raise click.BadParameter(f"{asked['zone']} is no zone; write America/Chicago")
    at = _aware([asked["at"]], own)[0] if asked["at"] else clock_of(loaded.settings)()
    question = ask.Question(
        phone=e164,
        purpose=Purpose(asked["purpose"]),
        at=at,
        scopes=asked["scopes"],
        country=country_of(asked["country"]) if asked["country"] else "",
        region=asked["region"],
        postal=asked["postal"],
        timezone=asked["zone"],
        suppose_consent=asked["suppose_consent"],
        suppose_sent=_aware(asked["suppose_sent"], own),
    )
    if fault := doubt(question, asked["region"], asked["postal"]):
        raise click.BadParameter(fault)
    return question


def _aware(instants: Iterable[datetime], own: ZoneInfo) -> tuple[datetime, ...]:
    return tuple(at if at.tzinfo else at.replace(tzinfo=own) for at in instants)


def _tell(shown: str, question: ask.Question, answer: ask.Answer) -> None:
    decision = answer.decision
    says = SAYS[decision.verdict]
    if decision.verdict is Verdict.send:
        says += f" at {question.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    output.say(f"{shown}: a {question.purpose.value} text {says}", style="bold")
    for item in decision.objections:
        output.indented(f"{item.verdict.value}  {item.reason}: {item.says}")
    if decision.verdict is not Verdict.send:
        output.indented(_next(answer))
    output.say()
    output.record(
        {
            "clocks": answer.where.zones,
            "rules": [name_of(place) for place in answer.where.rules],
            "law": "; ".join(_law(question, answer)) or "no row",
            "signs": "; ".join(answer.where.why) or "none",
            "consents": sorted(answer.live),
            "borne by": answer.contact_ids or "nobody known",
            "policy": decision.policy_version,
        }
    )


def _law(question: ask.Question, answer: ask.Answer) -> list[str]:
    return [
        f"{name_of(row['place'])} {row['hours']} ({row['source']}, from {row['valid_from']})"
        for row in law(question, answer)
    ]


def _next(answer: ask.Answer) -> str:
    if answer.decision.verdict is Verdict.stop:
        return "No waiting changes that."
    if answer.next_at is None:
        return "It is not known when that ends."
    zones = [ZoneInfo(name) for name in answer.where.zones[:4]]
    clocks = [f"{answer.next_at.astimezone(zone):%a %d %b %H:%M %Z}" for zone in zones]
    local = ", ".join(dict.fromkeys(clocks))
    return f"It may go from {answer.next_at:%Y-%m-%d %H:%M} UTC ({local})."
