"""``connector preview``: a play's texts as a phone would show them, in every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from rich.box import ROUNDED
from rich.panel import Panel
from rich.text import Text

from connector import clock
from connector.cli import NothingFound, output
from connector.cli.reading import find_contacts, reading
from connector.config.loaded import Loaded
from connector.config.supply import nearest
from connector.errors import ExpressionFailed
from connector.expressions import Template
from connector.ledger import contacts, crm_facts
from connector.ledger.store import Tx
from connector.model import Json
from connector.rules import render
from connector.rules.plays import Play, Step
from connector.steps.contexts import contact_facts
from connector.text import count

BUBBLE: Final = 44  #: columns, about what a phone shows on a line
SAMPLE_LINK: Final = "/l/Ab3dEf6hJk9"


@dataclass(frozen=True, slots=True)
class Shown:
    """One text of a play in one language, or why it would not be sent."""

    step: str
    template: str
    language: str
    text: str
    fault: str = ""

    def as_json(self) -> dict[str, Json]:
        """All that is told of it."""
        counted = count(self.text)
        return {
            "step": self.step,
            "template": self.template,
            "language": self.language,
            "text": self.text,
            "fault": self.fault,
            "encoding": counted.encoding,
            "units": counted.units,
            "segments": counted.segments,
            "forced_by": counted.forced_by,
        }


class Links:
    """Stands for the short links of a text that is not sent."""

    def __init__(self, base: str) -> None:
        self._base = base

    def link(self, url: str) -> str:
        """A link as long as a real one would be."""
        return f"{self._base}{SAMPLE_LINK}" if self._base else url


@click.command()
@click.argument("play")
@click.option("--to", "who", default="", help="Show it as a person we know would get it.")
@click.option("--language", default="", help="One language only.")
@output.json_option
@click.pass_obj
def preview(folder: Path, play: str, who: str, language: str, as_json: bool) -> None:
    """Show the texts of a play as a phone would, in every language, with their segments.

    The facts are those of the play's first example; with --to, a person's own traits.

    \b
    Examples:
      connector preview cart_abandoned
      connector preview welcome --language es
      connector preview win_back --to user:u-7
    """
    with reading(folder) as (loaded, tx):
        found = loaded.plays.get(play)
        if found is None:
            raise NothingFound(f"there is no play {play}; {nearest(play, loaded.plays)}")
        shown = texts(tx, loaded, found, who, language)
    if not shown:
        raise NothingFound(f"{play} sends no text{f' in {language}' if language else ''}")
    if as_json:
        output.rows((item.as_json() for item in shown), (), as_json=True)
        return
    for item in shown:
        _show(item, loaded.settings.brand)


def texts(tx: Tx, loaded: Loaded, play: Play, who: str, language: str) -> list[Shown]:
    """The texts of a play with the facts of its first example, or a person's own traits."""
    return list(_texts(loaded, play, _context(tx, loaded, play, who), language))


def _context(tx: Tx, loaded: Loaded, play: Play, who: str) -> dict[str, Any]:
    example = play.examples[0] if play.examples else {}
    events = [event for event in example.get("events", ()) if "facts" in event]
    facts = events[0] if events else {}
    contact: Mapping[str, Json] = {"first_name": "Ann", **example.get("contact", {})}
    crm: Mapping[str, Json] = example.get("crm", {})
    if who:
        contact_id = find_contacts(tx, who, loaded)[0]
        known = contacts.get(tx, contact_id)
        contact = contact_facts(known) if known else {}
        crm = crm_facts.of(tx, loaded.settings.crm.use, contact_id)
    name = str(facts.get("signal", play.start.signal))
    return {
        "signal": {**facts.get("facts", {}), "name": name, "key": facts.get("key", "")},
        "contact": dict(contact),
        "crm": dict(crm),
        "thing": {},
        "country": loaded.settings.country,
        "brand": loaded.settings.brand,
        "help_contact": loaded.settings.help_contact,
        "now": clock.text(clock.now()),
        "links": Links(loaded.settings.web.public_url),
    }


def _texts(
    loaded: Loaded, play: Play, context: Mapping[str, Any], language: str
) -> Iterator[Shown]:
    templates = play.templates or loaded.templates
    for step in play.steps:
        for name in _names(step):
            for (known, spoken), template in sorted(templates.items(), key=lambda item: item[0]):
                if known == name and language in ("", spoken):
                    yield _written(step, name, spoken, template, context)


def _names(step: Step) -> list[str]:
    names = [*(choice.template for choice in step.choices), step.template]
    return [name for name in dict.fromkeys(names) if name]


def _written(
    step: Step, name: str, language: str, template: Template, context: Mapping[str, Any]
) -> Shown:
    contact = context["contact"]
    own, country = (str(contact.get(name) or "") for name in ("language", "country"))
    reader = render.reader(language, own, country or context["country"])
    try:
        text = render.render(template, {**context, "language": reader})
    except ExpressionFailed as error:
        return Shown(step.name, name, language, "", f"It would not be sent: {error}")
    return Shown(step.name, name, language, text)


def _show(item: Shown, brand: str) -> None:
    out, counted = output.console(), count(item.text)
    title = f"{item.step} · {item.template}.{item.language}"
    if item.fault:
        output.say(title, style="bold")
        output.say(f"  {item.fault}\n", style="red")
        return
    if out.is_terminal:
        bubble = Panel(Text(item.text), title=brand, title_align="left", box=ROUNDED, width=BUBBLE)
        output.say(title, style="bold")
        out.print(bubble)
    else:
        output.say(title)
        output.say(f"  {item.text}")
    forced = f", because of {counted.forced_by!r}" if counted.forced_by else ""
    unit = "segment" if counted.segments == 1 else "segments"
    output.say(
        f"  {counted.segments} {unit}, {counted.units} characters in {counted.encoding}{forced}\n",
        style="dim",
    )
