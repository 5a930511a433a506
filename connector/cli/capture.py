"""``connector source capture``: the next deliveries of a new webhook, kept to be looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from connector import clock
from connector.adapters import clock_of
from connector.cli import Faulty, NothingFound, here, output, source_page
from connector.config import toml
from connector.config.loaded import Loaded, load
from connector.errors import Fault
from connector.ledger import captures
from connector.ledger.captures import Capture
from connector.sources import OF_CRMS


@click.command()
@click.argument("name")
@click.option("--for", "span", default="1h", show_default=True, metavar="SPAN", help="How long.")
@click.option(
    "--count",
    type=click.IntRange(1, captures.MOST_COUNT),
    default=20,
    show_default=True,
    help="How many deliveries.",
)
@click.option("--whole", is_flag=True, help="Keep what is verified as it is, with all in it.")
@click.option("--show", "show_", is_flag=True, help="Show what was kept.")
@click.option("--stop", is_flag=True, help="Take no more; what was kept stays for a day.")
@click.option("--forget", is_flag=True, help="Remove what was kept, at once.")
@output.json_option
@click.pass_obj
def capture(
    folder: Path,
    name: str,
    span: str,
    count: int,
    whole: bool,
    show_: bool,
    stop: bool,
    forget: bool,
    as_json: bool,
) -> None:
    """Keep the next deliveries at /in/NAME, to write a mapping against what really comes.

    NAME need not be a source yet: then its sender is answered 200, and nothing else becomes of
    what it sends. Numbers, e-mail addresses, names and secrets are masked, their shape kept. It
    takes no more after --count deliveries, 5 MB or --for; the files go a day later. Anybody may
    send to an address that is not configured, so choose a NAME that nobody guesses.

    \b
    Examples:
      connector source capture new_form --for 2h --count 5
      connector source capture new_form --show
      connector source try mappings/sources/new_form.toml --payload data/captures/new_form
      connector source capture new_form --forget
    """
    if show_ + stop + forget > 1:
        raise click.UsageError("say one of --show, --stop and --forget")
    loaded = load(folder, secrets=False)
    now = clock_of(loaded.settings)()
    if show_:
        _show(loaded, name, now, as_json)
    elif stop or forget:
        _end(loaded, name, now, forget=forget)
    else:
        _open(loaded, Capture(name, now + _span(span), count, now, whole), as_json)


def _span(written: str) -> timedelta:
    faults: list[Fault] = []
    found = toml.Table("--for", {"for": written}, faults, {}).span("for")
    if faults or not timedelta(0) < found <= captures.LONGEST:
        says = "write a span of at most 24h, such as 30m or 2h"
        raise click.BadParameter(says, param_hint="--for")
    return found


def _open(loaded: Loaded, asked: Capture, as_json: bool) -> None:
    settings = loaded.settings
    if not captures.is_name(asked.name):
        remedy = "use small letters, digits, - and _"
        raise Faulty(f"{asked.name!r:.60} is no name for a source: {remedy}")
    if asked.name in OF_CRMS and asked.name == settings.crm.use:
        remedy = f"look at what it told: {here('events', '--source', asked.name)}"
        raise Faulty(f"{asked.name} is the CRM in use, of which nothing is captured; {remedy}")
    if asked.whole and asked.name not in settings.sources:
        raise Faulty(f"{asked.name} is no configured source, so nothing of it can be verified")
    captures.open_(settings.ledger, asked)
    base = settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}"
    address = f"{base.rstrip('/')}/in/{asked.name}"
    if as_json:
        told = {"name": asked.name, "until": asked.until, "count": asked.count}
        output.json_line({**told, "address": address, "whole": asked.whole})
        return
    until = output.when(clock.text(asked.until))
    output.say(f"The next {asked.count} deliveries at {address} are kept until {until},")
    output.say("while the connector runs and its sender can reach that address.")
    output.say(f"See them: {here('source', 'capture', asked.name, '--show')}")
    if (source := settings.sources.get(asked.name)) is None:
        return
    mapping = loaded.mappings.get(source.mapping)
    if mapping is not None and mapping.verify is None:
        output.say("What libraries and forms send comes to other addresses and is not captured.")
        output.say(f"See that: {here('events', '--source', asked.name)}")


def _end(loaded: Loaded, name: str, now: datetime, *, forget: bool) -> None:
    folder = loaded.settings.ledger
    found = captures.forget(folder, name) if forget else captures.close(folder, name, now)
    if not found:
        remedy = f"begin one: {here('source', 'capture', name)}"
        raise NothingFound(f"there is no {'' if forget else 'open '}capture of {name}; {remedy}")
    output.say(f"{name}: {'removed' if forget else 'closed; what was kept stays for a day'}.")


def _show(loaded: Loaded, name: str, now: datetime, as_json: bool) -> None:
    folder = loaded.settings.ledger
    asked = captures.asked(folder, name)
    if asked is None:
        remedy = here("source", "capture", name)
        raise NothingFound(f"nothing of {name} is captured; begin: {remedy}")
    found = [(path, captures.read(path)) for path in captures.kept(folder, name)]
    if as_json:
        for path, told in found:
            output.json_line({"file": str(path), **told})
        return
    is_open = captures.current(folder, name, now) is not None
    state = f"open until {output.when(clock.text(asked.until))}" if is_open else "closed"
    output.say(f"{name}: {len(found)} of {asked.count} deliveries, {state}.", style="bold")
    for path, told in found:
        output.say()
        output.say(str(path), style="bold")
        source_page.delivery(told)
    if found:
        mapping = name if name in loaded.settings.sources else f"mappings/sources/{name}.toml"
        tried = here("source", "try", mapping, "--payload", str(found[0][0].parent))
        output.say(f"\nTry a mapping on them: {tried}")
