"""``connector check``: every file read, and every fault named with its place and remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from connector import clock
from connector.adapters import clock_of
from connector.cli import FAULTY, output
from connector.cli.alerts import as_they_stand as alerts_as_they_stand
from connector.config import libraries, loaded
from connector.config.forms import Form
from connector.config.loaded import Loaded
from connector.errors import BadConfig, Fault
from connector.expressions import Template
from connector.ledger import enrolments, quiet, schema
from connector.ledger.sqlite import SqliteStore
from connector.rules.copy import Copy, Finding, findings
from connector.rules.copy.starts import start_findings, too_often
from connector.rules.plays import Play, Step
from connector.rules.reviews import Overdue, overdue, terms
from connector.runtime import LEDGER_FILE

LATELY = timedelta(days=30)  #: in which it is counted for how many a play began


@click.command()
@output.json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Read config, mappings, plays, policy and templates, and name every fault at once.

    Exits with 0 when all is well and with 2 when anything is at fault. Nothing is changed. Where
    nothing is, the words are read too: findings on copy and starts are advice, each with a code
    that a play silences by `allow = { code = "why" }`.

    \b
    Examples:
      connector check
      connector -C shop check --json
    """
    folder: Path = ctx.obj
    try:
        found = loaded.load(folder, clock.now().date())
    except BadConfig as error:
        _show_faults(folder, error.faults, as_json)
        ctx.exit(FAULTY)
    if unread := found.policy.lists.faults():  # marketing would wait, and nothing else
        _show_faults(folder, unread, as_json)
        ctx.exit(FAULTY)
    said, late = [*_findings(found), *_often(found)], _overdue(found)
    if as_json:
        findings = [{"file": place, **asdict(item)} for place, item in said]
        told = {
            "findings": findings,
            "overdue": [asdict(item) for item in late],
            "alerts": alerts_as_they_stand(found.settings),
        }
        output.json_line({"ok": True, "faults": [], **told, **_summary(found)})
        return
    _show(found)
    if late:
        things = "; ".join(f"{item.what} {item.name} {item.why}" for item in late)
        output.say(f"\n{len(late)} to look at: {things}")
    _show_findings(said)
    _show_alerts(alerts_as_they_stand(found.settings))


def _show_faults(folder: Path, faults: Sequence[Fault], as_json: bool) -> None:
    if as_json:
        output.json_line({"ok": False, "faults": [asdict(fault) for fault in faults]})
        return
    for fault in faults:
        place = f"{fault.file}:{fault.line}" if fault.line else fault.file
        field = f"{fault.field} " if fault.field else ""
        output.say(place, style="bold")
        output.say(f"  {field}{fault.message}", style="red")
        if fault.remedy:
            output.say(f"  {fault.remedy}")
    count = len(faults)
    output.say(f"\n{folder}: {count} {'fault' if count == 1 else 'faults'}; nothing starts on it.")


def _show(found: Loaded) -> None:
    summary = _summary(found)
    output.say(f"{found.settings.folder}: no faults.\n")
    output.rows(summary["sources"], ("source", "mapping", "trust", "keys", "secrets"))
    if summary["forms"]:
        output.rows(summary["forms"], ("form", "address", "source", "stands_on", "consent"))
    output.rows(summary["plays"], ("play", "purpose", "mode", "starts_on", "texts", "tasks"))
    for line in _holdouts(found):
        output.say(line)
    output.say()
    rest = {key: summary[key] for key in ("templates", "stages", "provider", "crm", "sqlite")}
    versions = summary["libraries"].items()
    rest["lists"] = [f"{each['list']} ({each['entries']:,})" for each in summary["lists"]]
    output.record({**rest, "libraries": [f"{name} {release}" for name, release in versions]})


def _show_findings(said: Sequence[tuple[str, Finding]]) -> None:
    if not said:
        return
    output.say()
    place = ""
    for where, item in said:
        if where != place:
            output.say(where, style="bold")
        place = where
        output.say(f"  {item.code}: {item.says} {item.reason}")
        output.say(f"    {item.better}", style="dim")
    count = len(said)
    output.say(
        f"\n{count} {'finding' if count == 1 else 'findings'} on the words; nothing is kept from "
        'starting. Silence one in its play: allow = { code = "why" }'
    )


def _show_alerts(stand: Mapping[str, Any]) -> None:
    if stand["open"]:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in stand["open"].items())
        output.say(f"\nAlarms that stand: {kinds}; see `connector alerts list`.")
    for code, why in stand["held"].items():
        output.say(f"\nMarketing waits ({code}): {why}")
    for target, why in stand["failing"].items():
        output.say(f"\n[alerts] {target} does not hear alarms since {why}")


def _overdue(found: Loaded) -> list[Overdue]:
    """Plays and texts past their day, or to be read again, by the operator's calendar."""
    today = clock.now().astimezone(ZoneInfo(found.settings.timezone)).date()
    return [*overdue(found.plays.values(), found.templates, today)]


def _findings(found: Loaded) -> Iterator[tuple[str, Finding]]:
    """What is to be said of each play's start and of each of its texts, by file."""
    for play in found.plays.values():
        for item in start_findings(play):
            yield f"mappings/plays/{play.name}.toml", item
        for step in play.steps:
            names = {step.template, *(choice.template for choice in step.choices)} - {""}
            texts = play.templates or found.templates
            for name, language in sorted(key for key in texts if key[0] in names):
                copy = _copy(found, play, step, language, texts[name, language])
                for item in findings(copy):
                    yield f"templates/{name}.{language}.txt ({play.name})", item


def _often(found: Loaded) -> Iterator[tuple[str, Finding]]:
    """Plays that began for many of those who were active of late, where a ledger can tell it."""
    path = found.settings.ledger / LEDGER_FILE
    if not path.exists():
        return
    store = SqliteStore(path)
    try:
        if store.migrations() != schema.MIGRATIONS:
            return  # `connector upgrade` is for it
        since = clock_of(found.settings)() - LATELY
        with store.read() as tx:
            started, active = enrolments.started(tx, since), quiet.active(tx, since)
    finally:
        store.close()
    for play in found.plays.values():
        item = too_often(play, started.get(play.name, 0), active)
        if item is not None:
            yield f"mappings/plays/{play.name}.toml", item


def _copy(found: Loaded, play: Play, step: Step, language: str, template: Template) -> Copy:
    return Copy(
        template.source,
        language=language,
        purpose=play.purpose.value,
        brand=found.settings.brand,
        paths=template.paths,
        next_step=play.next_step,
        has_end=(play.valid_until or terms(template.source).valid_until) is not None,
        answers=step.answers,
        max_segments=step.max_segments,
        allowed=play.allowed,
    )


def holdout_line(play: Play) -> str:
    """One sentence on who does not get a play, so that a missing text surprises nobody."""
    if not play.holdout:
        return f"{play.name}: nobody is held out"
    return f"{play.name}: {_share(play.holdout)} of people are held out, to measure what it brings"


def _holdouts(found: Loaded) -> Iterator[str]:
    if not found.settings.holdouts:
        yield "nobody is held out: [holdout] enabled is false"
        return
    yield from (holdout_line(play) for play in found.plays.values())
    if share := found.settings.holdout:
        yield f"all plays: {_share(share)} of people get no marketing at all (global holdout)"


def _share(share: float) -> str:
    return f"{100 * share:g} %"


def _summary(found: Loaded) -> dict[str, Any]:
    return {
        "sources": [
            {
                "source": source.name,
                "mapping": source.mapping,
                "trust": source.trust.value,
                "keys": len(source.keys),
                "secrets": len(source.secrets),
            }
            for source in found.settings.sources.values()
        ],
        "forms": [_form(form) for form in found.settings.forms.values()],
        "plays": [_play(play) for play in found.plays.values()],
        "lists": [
            {"list": each.name, "entries": len(each.reading.entries)}
            for each in found.policy.lists.lists
        ],
        "templates": [f"{name}.{language}" for name, language in sorted(found.templates)],
        "stages": list(found.stages.order),
        "provider": found.settings.provider.use,
        "crm": found.settings.crm.use,
        "holdout": found.settings.holdout,
        "sqlite": sqlite3.sqlite_version,
        "libraries": libraries.versions(),
    }


def _form(form: Form) -> dict[str, Any]:
    return {
        "form": form.name,
        "address": f"/forms/{form.name}",
        "source": form.source,
        "stands_on": list(form.origins),
        "consent": list(form.consent.purposes) if form.consent else [],
    }


def _play(play: Play) -> dict[str, Any]:
    return {
        "play": play.name,
        "version": play.version,
        "purpose": play.purpose.value,
        "mode": play.mode.value,
        "starts_on": play.start.signal or play.start.kind.value,
        "texts": sum(1 for step in play.steps if step.is_text),
        "tasks": sum(1 for step in play.steps if step.task),
        "holdout": play.holdout,
    }
