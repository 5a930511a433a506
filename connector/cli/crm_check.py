"""``connector crm check``: the mapping beside the CRM as it is, and what would fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from connector.adapters import clock_of, open_crms
from connector.cli import FAILED, Failure, output
from connector.config.loaded import MAPPINGS, load
from connector.crms import Crm
from connector.errors import CrmUnavailable
from connector.records import Schema
from connector.rules import crmcheck
from connector.rules.crmcheck import Finding, Verdict
from connector.runtime import opened


@click.command()
@output.json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Compare the mapping with the CRM's fields: what fits, what would fail, and how to mend it.

    Whether a field is there, of which type, what it may hold, and whether it is ours to write.
    Nothing is changed. Exits with 0 when nothing would fail and with 1 when something would.

    \b
    Examples:
      connector crm check
      connector crm check --json
    """
    folder: Path = ctx.obj
    loaded = load(folder)
    with opened(loaded) as store:
        crms = open_crms(loaded, store, clock_of(loaded.settings))
        schema = _schema(crms[loaded.crm.name])
    takes_any = not schema.objects and not loaded.crm.wanted.phone
    found = () if takes_any else crmcheck.check(loaded.crm, schema, loaded.stages.order)
    is_faultless = crmcheck.is_faultless(found)
    file = f"{MAPPINGS}/crms/{loaded.crm.name}.toml"
    if as_json:
        output.json_line(
            {
                "ok": is_faultless,
                "crm": loaded.crm.name,
                "file": file,
                "takes_any_field": takes_any,
                "notes": list(schema.notes),
                **{verdict.value: _told(found, verdict) for verdict in Verdict},
            }
        )
    elif takes_any:
        output.say(f"{loaded.crm.name} takes any field, so that {file} cannot fail there.")
    else:
        _show(file, found, schema)
    if not is_faultless:
        ctx.exit(FAILED)


def _schema(crm: Crm) -> Schema:
    try:
        return crm.schema()
    except CrmUnavailable as error:
        raise Failure(f"{error}; {error.remedy}" if error.remedy else str(error)) from None


def _told(found: Iterable[Finding], verdict: Verdict) -> list[dict[str, Any]]:
    return [asdict(each) for each in found if each.verdict is verdict]


def _show(file: str, found: Sequence[Finding], schema: Schema) -> None:
    by_verdict = {each: [one for one in found if one.verdict is each] for each in Verdict}
    _show_fits(by_verdict[Verdict.fits])
    _show_places(file, by_verdict[Verdict.look], "to look at", "yellow")
    _show_places(file, by_verdict[Verdict.fails], "would fail", "red")
    for note in schema.notes:
        output.say(f"\n{note}")
    fits, look, fails = (len(each) for each in by_verdict.values())
    says = f"\n{fits} fit, {look} to look at, {fails} would fail."
    output.say(says + ("" if fails else f" {file} and the CRM go together."))


def _show_fits(found: Sequence[Finding]) -> None:
    """What fits, in a line for each object and each way."""
    lines: dict[tuple[str, bool], dict[str, None]] = {}
    for each in found:
        lines.setdefault((each.object, each.is_written), {})[each.field] = None
    rows = [
        {"object": name, "way": "written" if is_written else "read", "fields": list(fields)}
        for (name, is_written), fields in lines.items()
    ]
    if rows:
        output.rows(rows, {"object": "object", "way": "way", "fields": "fields that fit"})


def _show_places(file: str, found: Sequence[Finding], title: str, style: str) -> None:
    """What is to be said, once, with every place of the file that it is said of."""
    said: dict[tuple[str, str], dict[int, str]] = {}
    for each in sorted(found, key=lambda one: one.line):
        said.setdefault((each.says, each.remedy), {}).setdefault(each.line, each.place)
    if said:
        output.say(f"\n{title}", style="bold")
    for (says, remedy), places in said.items():
        output.indented(says, style)
        output.indented(remedy, by=4)
        lines = ", ".join(f"{line} {place}" if line else place for line, place in places.items())
        output.indented(f"{file}: {lines}", "dim", by=4)
