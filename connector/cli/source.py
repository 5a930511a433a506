"""``connector source``: who tells of events, a mapping tried on a sample, deliveries captured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from connector.adapters import clock_of
from connector.cli import Faulty, NothingFound, output, samples, source_page, trying
from connector.cli.capture import capture
from connector.cli.reading import reading
from connector.cli.trying import SOURCES, Trial
from connector.config.loaded import Loaded, load
from connector.config.sources import load_source
from connector.config.supply import nearest
from connector.errors import BadConfig, Fault
from connector.ledger import catalogue
from connector.ledger.catalogue import Entry
from connector.model import Trust
from connector.rules.mapping import SourceMapping


@click.group()
def source() -> None:
    """List sources, try a mapping on a sample, capture what a new webhook sends.

    \b
    Examples:
      connector source list
      connector source try mappings/sources/shopify.toml --payload order.json
      connector source capture new_form --for 1h
    """


@source.command(name="list")
@output.json_option
@click.pass_obj
def list_(folder: Path, as_json: bool) -> None:
    """List the sources: how they are read and believed, when each was heard last, how often.

    Names that were heard and are no longer configured stand at the end. The counts outlive the
    events themselves.
    """
    with reading(folder) as (loaded, tx):
        heard = _by_source(catalogue.entries(tx))
        items = [*_configured(loaded, heard), *_others(loaded, heard)]
    if not items:
        raise NothingFound("no source is configured; see docs/sources.md")
    columns = ("source", "adapter", "mapping", "trust", "last_heard", "heard", "apart")
    shown = items if as_json else [{**item, "last_heard": _when(item)} for item in items]
    output.rows(shown, columns, as_json=as_json)


def _by_source(entries: list[Entry]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        found[entry.source] = found[entry.source].plus(entry) if entry.source in found else entry
    return found


def _configured(loaded: Loaded, heard: Mapping[str, Entry]) -> Iterator[dict[str, Any]]:
    for name, chosen in loaded.settings.sources.items():
        file = loaded.mappings.get(chosen.mapping)
        yield {
            "source": name,
            "adapter": file.adapter if file else "",
            "mapping": chosen.mapping,
            "trust": chosen.trust.value,
            **_heard(heard.get(name)),
        }
    if loaded.crm.source is not None:
        name = loaded.crm.name
        told = {"source": name, "adapter": "crm", "mapping": name, "trust": Trust.trusted.value}
        yield {**told, **_heard(heard.get(name))}


def _others(loaded: Loaded, heard: Mapping[str, Entry]) -> Iterator[dict[str, Any]]:
    known = {*loaded.settings.sources, loaded.crm.name}
    for name, entry in heard.items():
        if name not in known:
            told = {"source": name, "adapter": "", "mapping": "not configured", "trust": ""}
            yield {**told, **_heard(entry)}


def _heard(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"last_heard": "", "heard": 0, "apart": 0}
    return {"last_heard": entry.last_at, "heard": entry.heard, "apart": entry.apart}


def _when(item: Mapping[str, Any]) -> str:
    return output.when(item["last_heard"]) or "never"


@source.command(name="try")
@click.argument("file")
@click.option("--payload", required=True, metavar="FILE", help="A body, a capture, or - for input.")
@click.option("--headers", "headers_file", metavar="FILE", help="Its headers, as a JSON object.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="One header.")
@click.option("--secret-env", default="", metavar="NAME", help="The variable with its secret.")
@click.option("--trust", type=click.Choice([*Trust]), help="How far it is believed.")
@output.json_option
@click.pass_context
def try_(
    ctx: click.Context,
    file: str,
    payload: str,
    headers_file: str | None,
    headers: tuple[str, ...],
    secret_env: str,
    trust: str | None,
    as_json: bool,
) -> None:
    """Show every step of a mapping for a sample: proof, events, signal, and the plays it starts.

    FILE is a mapping file, or the name of a configured source. The payload is a file with the
    body, a delivery (or a folder of them) that `connector source capture` kept, or - for the
    standard input. Nothing is kept, nothing need run, and no secret is needed: with one, the
    signature is checked, or made where the sample has none. Exits with 1 where a step fails.

    \b
    Examples:
      connector source try shop --payload order.json --header 'X-Shopify-Topic: orders/create'
      connector source try mappings/sources/new.toml --payload data/captures/new
      connector source try shop --payload order.json --secret-env SHOPIFY_SECRET --json
    """
    loaded = load(ctx.obj, secrets=False)
    trial = _trial(loaded, file, trust, _secret(secret_env))
    found = samples.read(payload, samples.headers_of(headers_file, headers))
    told = [trying.run(trial, each) for each in found]
    for place, each in enumerate(told):
        if as_json:
            output.json_line(each)
            continue
        if place:
            output.say()
        source_page.show(each)
    if not all(map(trying.is_whole, told)):
        ctx.exit(1)


def _trial(loaded: Loaded, file: str, trust: str | None, secret: bytes) -> Trial:
    """What is tried: a configured source, or a mapping file as the source that uses it would."""
    mapping, path = _mapping(loaded, file)
    sources = loaded.settings.sources
    users = (each for each in sources.values() if each.mapping == path.stem)
    user = sources[file] if file in sources else next(users, None)
    believed = Trust.form if mapping.adapter == "form" else Trust.trusted
    if user is not None:
        believed = user.trust
    return Trial(
        loaded=loaded,
        name=file if file in sources else path.stem,
        trust=Trust(trust) if trust else believed,
        mapping=mapping,
        file=path,
        now=clock_of(loaded.settings)(),
        secret=secret,
        identity=user.identity if user else None,
    )


def _mapping(loaded: Loaded, file: str) -> tuple[SourceMapping, Path]:
    """The mapping of a configured source, or of a file, and where it stands."""
    sources = loaded.settings.sources
    if file in sources:
        name = sources[file].mapping
        if name not in loaded.mappings:
            raise Faulty(f"the source {file} needs {SOURCES}/{name}.toml")
        return loaded.mappings[name], loaded.settings.folder / SOURCES / f"{name}.toml"
    places = (Path(file), loaded.settings.folder / file)
    there = [each for each in places if each.is_file()]
    if not there:
        near = nearest(file, sources) if sources else "name a mapping file"
        raise NothingFound(f"{file} is neither a file nor a configured source; {near}")
    path, faults = there[0], list[Fault]()
    mapping = load_source(path, faults, loaded.stages.order)
    if faults:
        raise BadConfig(faults)
    return mapping, path


def _secret(name: str) -> bytes:
    if name and not os.environ.get(name):
        raise Faulty(f"the variable {name} is not set; export it, or leave --secret-env out")
    return os.environ[name].encode() if name else b""


source.add_command(capture)
