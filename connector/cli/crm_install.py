"""``connector crm install``: what the mapping needs and the CRM lacks is made there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from connector.adapters import clock_of, open_crms
from connector.cli import FAILED, Failure, output
from connector.cli.progress import Bar
from connector.config.loaded import Loaded, load
from connector.errors import CrmUnavailable
from connector.records import FieldShape, Part, PartState
from connector.rules.crm import PEOPLE, Create, CrmMapping
from connector.rules.writeback import Rule
from connector.runtime import opened

WORDS: Final = {
    PartState.there: "is there",
    PartState.made: "made",
    PartState.missing: "would be made",
    PartState.differs: "differs",
    PartState.failed: "failed",
}
AMISS: Final = (PartState.differs, PartState.failed)
STYLES: Final = {PartState.differs: "red", PartState.failed: "red", PartState.made: "green"}


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would be made.")
@click.option("--prove", is_flag=True, help="Salesforce: write one task twice and delete it.")
@click.option(
    "--files",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write into a folder what an administrator deploys: metadata, an app's project.",
)
@output.json_option
@click.pass_context
def install(
    ctx: click.Context, dry_run: bool, prove: bool, files: Path | None, as_json: bool
) -> None:
    """Make in the CRM what the mapping needs and the CRM lacks; run it as often as you like.

    In HubSpot these are a group and properties of contacts; in Salesforce fields, the object
    SMS_Message__c and permission sets. What stands under a name already is never changed. What
    is made comes from [fields], [consent] and [create] in mappings/crms/<crm>.toml.

    Exits with 0 when all is there and with 1 when something is amiss, which is told.

    \b
    Examples:
      connector crm install --dry-run
      connector crm install
      connector crm check
    """
    loaded = load(ctx.obj)
    name = loaded.settings.crm.use
    with opened(loaded) as store:
        crm: Any = open_crms(loaded, store, clock_of(loaded.settings))[name]
        if files is not None:
            _write_files(crm, loaded, files)
            return
        if not hasattr(crm, "install"):
            output.say(f"The CRM {name} takes any field: there is nothing to prepare.")
            return
        done = _prepared(crm, loaded.crm, dry_run=dry_run, prove=prove, quiet=as_json)
    parts, error = done
    for part in parts if as_json else ():
        output.json_line(asdict(part))
    if not as_json:
        _show(name, parts, error, dry_run=dry_run)
    if error is not None:
        raise Failure(f"{error}; {error.remedy}" if error.remedy else str(error))
    if any(part.state in AMISS for part in parts):
        ctx.exit(FAILED)


def wanted(mapping: CrmMapping) -> tuple[list[FieldShape], list[str]]:
    """The fields that a mapping file describes, and the names of all that it writes."""
    written = [field.name for field in mapping.fields]
    written += [use.field for use in mapping.uses if use.is_written and use.object in PEOPLE]
    written += [mapping.opt_out] if mapping.opt_out else []
    return [_shape(create) for create in mapping.creates.values()], list(dict.fromkeys(written))


def _shape(create: Create) -> FieldShape:
    return FieldShape(create.name, create.type, create.label, create.choices, create.length)


def _prepared(
    crm: Any, mapping: CrmMapping, *, dry_run: bool, prove: bool, quiet: bool
) -> tuple[list[Part], CrmUnavailable | None]:
    """What became of each part, also where the CRM gave up half-way."""
    parts: list[Part] = []
    with Bar(quiet=quiet) as watch:
        try:
            for part in _parts(crm, mapping, dry_run, prove, watch):
                parts.append(part)
        except CrmUnavailable as error:
            return parts, error
    return parts, None


def _parts(crm: Any, mapping: CrmMapping, dry_run: bool, prove: bool, watch: Bar) -> Iterator[Part]:
    creates, written = wanted(mapping)
    grows = any(field.rule is Rule.increment for field in mapping.fields)
    yield from crm.install(
        creates, written, grows=grows, dry_run=dry_run, wait=time.sleep, watch=watch
    )
    if prove and not dry_run and hasattr(crm, "prove"):
        yield crm.prove()


def _write_files(crm: Any, loaded: Loaded, folder: Path) -> None:
    if not hasattr(crm, "write_files"):
        raise Failure(f"{loaded.settings.crm.use} takes no files, and needs no preparing")
    creates, _ = wanted(loaded.crm)
    try:
        count, typed = crm.write_files(folder, creates, loaded.settings.web.public_url)
    except OSError as error:
        raise Failure(f"cannot write {folder}: {error.strerror or error}") from error
    output.say(f"{folder}: {count} files written. An administrator of the CRM types there:\n")
    for line in typed:
        output.say(f"  {line}")


def _show(name: str, parts: Sequence[Part], error: CrmUnavailable | None, *, dry_run: bool) -> None:
    for part in parts:
        says = f" — {part.says}" if part.says else ""
        line = f"  {WORDS[part.state]:<14} {part.kind} {part.name}{says}"
        output.say(line, style=STYLES.get(part.state, ""))
        if part.remedy:
            output.say(f"  {'':<14} {part.remedy}")
    if error is None:
        output.say(f"\n{_summary(name, parts, dry_run=dry_run)}")


def _summary(name: str, parts: Sequence[Part], *, dry_run: bool) -> str:
    count = {state: sum(part.state is state for part in parts) for state in PartState}
    amiss = count[PartState.differs] + count[PartState.failed]
    if amiss:
        return f"{name}: {amiss} amiss, told above; what you mend is made when you run this again."
    if dry_run and count[PartState.missing]:
        told = f"{count[PartState.missing]} would be made"
        return f"{name}: {told}, nothing was. Make them: connector crm install"
    if count[PartState.made]:
        return f"{name}: {count[PartState.made]} made. See that all fits: connector crm check"
    return f"{name}: all is there. See that all fits: connector crm check"
