"""Everything the operator wrote, read and checked together, or every fault of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from connector.config import crms, forms, hours, lists, policy, segments, settings, toml, trust
from connector.config.adapters import load_class
from connector.config.eligibility import Around
from connector.config.plays import load_plays
from connector.config.routes import SANDBOX
from connector.config.settings import Settings, SourceSettings
from connector.config.sources import Read, load_source
from connector.config.stages import load_stages
from connector.config.supply import SCOPES, Supply, nearest
from connector.config.templates import load_templates
from connector.config.toml import Table
from connector.errors import BadConfig, Fault
from connector.expressions import Expression, Template
from connector.providers import adapter_of
from connector.rules.crm import CrmMapping
from connector.rules.hours import Hours
from connector.rules.mapping import SourceMapping
from connector.rules.optin import CONFIRMED, REQUEST
from connector.rules.plays import Play, Segment
from connector.rules.policy import Policy
from connector.rules.stages import Stages
from connector.sources import OF_CRMS, signatures

MAPPINGS: Final = "mappings"
TEMPLATES: Final = "templates"
ANSWERS: Final = ("stop_confirmed", "start_confirmed", "help_answer")
"""The texts that answer STOP, START and HELP, also to a number nobody knows."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A folder without faults, as values."""

    settings: Settings
    mappings: Mapping[str, SourceMapping]  #: by the name of the file
    stages: Stages
    plays: Mapping[str, Play]
    policy: Policy
    hours: Hours
    templates: Mapping[tuple[str, str], Template]  #: by (name, language)
    crm: CrmMapping  #: of the CRM in use
    segments: Mapping[str, Segment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instead:
    """Files that are read in the place of a folder's own; None leaves its own."""

    policy: Path | None = None
    hours: Path | None = None


def load(
    folder: Path,
    today: date | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    secrets: bool = True,
    instead: Instead = Instead(),
) -> Loaded:
    """Read a folder; raises ``BadConfig`` with every fault of every file, in their order.

    With ``today``, hours that nobody has compared with the law for a year are a fault too.
    ``environ`` is where ``env:NAME`` is looked up, the process's own unless given. Without
    ``secrets`` those that cannot be had are no fault: for commands that only read the ledger.
    """
    if not (folder / settings.FILE).exists():
        remedy = "name its folder with --folder, or make one: connector init DIR"
        raise BadConfig([Fault(settings.FILE, 0, "", f"is not in {folder}", remedy)])
    faults: list[Fault] = []
    found = _read(folder, today, environ, faults, secrets=secrets, instead=instead)
    if faults:
        raise BadConfig(sorted({_shown(fault, folder) for fault in faults}, key=_order))
    return found


def _read(
    folder: Path,
    today: date | None,
    environ: Mapping[str, str] | None,
    faults: list[Fault],
    *,
    secrets: bool,
    instead: Instead,
) -> Loaded:
    chosen = settings.load(folder / settings.FILE, faults, environ, secrets=secrets)
    places = folder / MAPPINGS
    files = sorted((places / "sources").glob("*.toml"))
    stages = load_stages(places / "stages.toml", faults)
    read: Read = {}
    mappings = {path.stem: load_source(path, faults, stages.order, read) for path in files}
    templates = load_templates(folder / TEMPLATES, faults)
    faults.extend(_faults_of_names(places, chosen.crm.use))
    told = crms.Reader(places / "crms" / f"{chosen.crm.use}.toml", stages.order, faults)
    supply = _supply({**mappings, **told.sources}, stages)
    crm = told.mapping(supply)
    supply = replace(
        supply, crm=crm.known if told.is_whole else None, webhooks=frozenset(chosen.webhooks)
    )
    known = len(faults)
    named = segments.load_segments(places / segments.FILE, supply, faults)
    is_whole = len(faults) == known  # else its faults would be told again by every play
    supply = supply.with_segments(frozenset(named) if is_whole else None)
    plays = load_plays(places / "plays", supply, templates, chosen.language, faults, named)
    names = tuple(path.stem for path in (places / "plays").glob("*.toml"))
    around = replace(_around(chosen), lists=places / lists.FOLDER)
    policy_file = instead.policy or places / policy.FILE
    rules = policy.load(policy_file, supply, names, faults, named, around)
    faults.extend(_unregulated(places, plays, rules))
    if secrets:
        _check_sources(folder, chosen, mappings, crm, faults)
    faults.extend(_faults_of_answers(folder / TEMPLATES, templates, chosen.language))
    used = {source.mapping for source in chosen.sources.values()}
    used |= {mappings[name].same_as for name in used if name in mappings}
    asking = {name: mapping for name, mapping in mappings.items() if name in used}
    faults.extend(_faults_of_requests(folder, asking, templates))
    return Loaded(
        settings=chosen,
        mappings=mappings,
        stages=stages,
        plays=plays,
        policy=rules,
        hours=hours.load(instead.hours or places / hours.FILE, faults, today),
        templates=templates,
        crm=crm,
        segments=named,
    )


def _faults_of_names(places: Path, crm: str) -> Iterator[Fault]:
    """A source's mapping may not bear the CRM's name: what was decided by which is kept by name."""
    path = places / "sources" / f"{crm}.toml"
    if path.exists():
        message = f"bears the name of the CRM in use, whose own file is crms/{crm}.toml"
        yield Fault(str(path), 0, "", message, f"call it otherwise, such as {crm}_forms.toml")


def _around(chosen: Settings) -> Around:
    others = (name for name in chosen.provider.tables if name != SANDBOX)
    adapters = (load_class(adapter_of(name)) for name in (chosen.provider.use, *others))
    looks_up = any(hasattr(adapter, "lookup") for adapter in adapters)
    return Around(chosen.country, chosen.crm.use, chosen.provider.use, looks_up)


def _unregulated(places: Path, plays: Mapping[str, Play], rules: Policy) -> Iterator[Fault]:
    """Regulated content is kept from nobody unless a rule of the policy asks about it."""
    asked = (rule.when for rule in rules.suppressions)
    if any("play.regulated" in when.paths for when in asked if isinstance(when, Expression)):
        return
    for play in plays.values():
        kinds = sorted({play.regulated, *play.texts_regulated.values()} - {""})
        if kinds:
            message = f"has regulated content ({', '.join(kinds)}), which no rule asks about"
            remedy = f"add a [[suppress]] to {MAPPINGS}/{policy.FILE} that reads play.regulated"
            lines = play.content.splitlines() if play.regulated else []
            said = (n for n, text in enumerate(lines, 1) if text.startswith("regulated"))
            file = str(places / "plays" / f"{play.name}.toml")
            yield Fault(file, next(said, 0), "regulated", message, remedy)


def _supply(mappings: Mapping[str, SourceMapping], stages: Stages) -> Supply:
    if not all(mapping.events for mapping in mappings.values()):
        return Supply(scopes=frozenset(), stages=stages.order, complete=False)
    signals: dict[str, frozenset[str]] = {}
    sensitive: dict[str, frozenset[str]] = {}
    things: frozenset[str] = frozenset()
    about_things: set[str] = set()
    about_people: set[str] = set()
    for mapping in mappings.values():
        for rule in mapping.events:
            if rule.privacy:
                continue  # it is acted on, and starts nothing
            signals[rule.signal] = signals.get(rule.signal, frozenset()) | rule.facts
            sensitive[rule.signal] = sensitive.get(rule.signal, frozenset()) | rule.sensitive
            if rule.thing:
                about_things.add(rule.signal)
                things |= rule.facts
            else:
                about_people.add(rule.signal)
    return Supply(
        signals=signals,
        sensitive=sensitive,
        traits=frozenset().union(*(mapping.traits for mapping in mappings.values())),
        scopes=SCOPES.union(*(mapping.scopes for mapping in mappings.values())),
        stages=stages.order,
        things=things,
        thing_signals=frozenset(about_things),
        only_things=frozenset(about_things - about_people),
    )


def _check_sources(
    folder: Path,
    chosen: Settings,
    mappings: Mapping[str, SourceMapping],
    crm: CrmMapping,
    faults: list[Fault],
) -> None:
    """Each source's mapping must be there, and be given what its requests are proven with.

    None may bear the name of the CRM, whose own events come under it.
    """
    again: list[Fault] = []  # the file was read before; only what is found here is new
    top = toml.read(folder / settings.FILE, again, settings.FILE)
    table = top.table("sources")
    for name, source in chosen.sources.items():
        again.extend(_faults_of(source, mappings, table.table(name)))
        if name == crm.name and (crm.source is not None or name in OF_CRMS):
            table.fault(name, "is the name of the CRM in use", f"write [sources.{name}_forms], say")
    _check_forms(top.table("forms"), chosen, mappings)
    faults.extend(again)


def _check_forms(group: Table, chosen: Settings, mappings: Mapping[str, SourceMapping]) -> None:
    """Each form must come under a source of forms, and ask for nothing that it never gives."""
    taking = {
        name: source.mapping
        for name, source in chosen.sources.items()
        if source.mapping in mappings and mappings[source.mapping].adapter == "form"
    }
    scopes = {file: mappings[file].scopes for file in taking.values()}
    for name, form in chosen.forms.items():
        forms.compare(form, group.table(name), taking, scopes)


def _faults_of(
    source: SourceSettings, mappings: Mapping[str, SourceMapping], table: Table
) -> Iterator[Fault]:
    def fault(key: str, message: str, remedy: str) -> Fault:
        return Fault(table.file, table.line(key), table.where(key), message, remedy)

    mapping = mappings.get(source.mapping)
    if mapping is not None:
        for doubt in trust.doubts(mapping, source.trust, frozenset(table.values)):
            yield fault(*doubt)
    if mapping is None:
        wanted = f"needs {MAPPINGS}/sources/{source.mapping}.toml, which is not there"
        yield fault("mapping", wanted, nearest(source.mapping, mappings))
    elif mapping.adapter == "segment" and mapping.verify is None and "keys" not in table:
        yield fault("", "has no write key", 'add keys = ["env:NAME"]')
    elif mapping.verify and "secrets" not in table:
        yield fault("", "has nothing to verify requests with", 'add secrets = ["env:NAME"]')
    elif mapping.verify and source.secrets:
        try:
            secrets = [secret.reveal().encode() for secret in source.secrets]
            signatures.read_keys(mapping.verify, secrets)
        except ValueError as error:
            yield fault("secrets", f"cannot be used: {error}", "copy it again from the sender")


def _faults_of_answers(
    folder: Path, templates: Mapping[tuple[str, str], Template], language: str
) -> Iterator[Fault]:
    """Answers must be there in the fallback language and read nothing that may be absent."""
    allowed = {"brand", "help_contact"}
    asking = allowed | {"what", "purposes", "per_month"}
    for name in ANSWERS:
        path = folder / f"{name}.{language}.txt"
        if not path.exists():
            remedy = "write it; without it nobody is told that their STOP, START or HELP was heard"
            yield Fault(str(path), 0, "", "is not there", remedy)
    for (name, spoken), template in templates.items():
        known = asking if name == REQUEST else allowed
        ours = name in (*ANSWERS, REQUEST, CONFIRMED)
        for read in sorted(template.paths - known) if ours else ():
            path = folder / f"{name}.{spoken}.txt"
            message = f"reads {read}, which nobody knows of a number that is new"
            yield Fault(str(path), 0, "", message, "an answer reads brand and help_contact only")


def _faults_of_requests(
    folder: Path,
    mappings: Mapping[str, SourceMapping],
    templates: Mapping[tuple[str, str], Template],
) -> Iterator[Fault]:
    """Where a consent waits for a yes by text, there must be a text that asks for it."""
    if any(name == REQUEST for name, _ in templates):
        return
    for name, mapping in mappings.items():
        given = [rule for event in mapping.events for rule in event.consents]
        if mapping.same_as:
            continue  # its rules are told of where they stand
        if any(rule.double_opt_in or mapping.adapter == "form" for rule in given):
            path = folder / MAPPINGS / "sources" / f"{name}.toml"
            remedy = f"write {TEMPLATES}/{REQUEST}.<language>.txt, or take double_opt_in away"
            yield Fault(str(path), 0, "double_opt_in", "has no text that asks for the yes", remedy)


def _shown(fault: Fault, folder: Path) -> Fault:
    """The fault with its file as the operator names it: relative to the folder."""
    path = Path(fault.file)
    if not path.is_relative_to(folder):
        return fault
    return replace(fault, file=str(path.relative_to(folder)))


def _order(fault: Fault) -> tuple[bool, str, int, str]:
    return fault.file != settings.FILE, fault.file, fault.line, fault.field
