"""Settings: ``config.toml`` as frozen values, with every fault found in one reading."""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from connector import crms, phone, providers
from connector.config import adapters, notices, stock, toml
from connector.config.alerts import Alerts, alerts
from connector.config.api import ApiKey, keys
from connector.config.forms import Form, forms
from connector.config.identity import identity
from connector.config.keeping import Backups, Retention, backups, retention
from connector.config.routes import (
    MOST_IN_FLIGHT,
    SANDBOX,
    ProviderSettings,
    account,
    only_routes,
    routes,
)
from connector.config.secrets import Secret, Vault
from connector.config.silence import silent_after
from connector.config.toml import Table
from connector.config.traffic import traffic
from connector.config.web import Web, check_address, web
from connector.errors import Fault
from connector.model import Trust
from connector.notices import Anchors, Mail
from connector.rules.traffic import Traffic

FILE = "config.toml"
OF_ACCOUNT = ("in_flight", "segments_a_second")  #: in a provider's table, not the adapter's own

_HOST = re.compile(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class Log:
    """The ``[log]`` table."""

    level: str  #: debug, info, warning or error
    format: str  #: text or json


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One ``[sources.<name>]`` table: who may speak, how far believed, by which mapping."""

    name: str
    mapping: str  #: file in mappings/sources, without its ending
    trust: Trust
    keys: tuple[Secret, ...]  #: Segment write keys
    secrets: tuple[Secret, ...]  #: what requests to /in/<name> are signed with
    silent_after: timedelta | None = None  #: None: by its own habit; zero: no alarm
    identity: tuple[Secret, ...] | None = None  #: what signs user ids; None: they are believed


@dataclass(frozen=True, slots=True)
class CrmSettings:
    """``[crm]`` and the ``[crms.<name>]`` tables, the latter keyed by name."""

    use: str
    tables: Mapping[str, Mapping[str, Any]]
    flush_after: timedelta = timedelta(0)  #: a change waits so long for others to go along
    poll_every: timedelta = timedelta(minutes=1)  #: between two looks at what changed there


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """A ``[webhooks.<name>]`` table: another tool that a play's step may call."""

    url: str
    secrets: tuple[Secret, ...]  #: the first signs; one that is replaced may stand behind it


@dataclass(frozen=True, slots=True)
class Settings:
    """All of ``config.toml``."""

    folder: Path  #: where config.toml, mappings and templates are
    brand: str
    help_contact: str
    country: str  #: region of numbers written without +, ISO 3166 alpha-2
    language: str  #: template language where a contact's own has no template
    link_hosts: tuple[str, ...]  #: hosts that links from browser facts may have, lower case
    web: Web
    log: Log
    ledger: Path  #: the folder of ledger.db, inbox.db and run.lock
    sources: Mapping[str, SourceSettings]
    provider: ProviderSettings
    crm: CrmSettings
    holdout: float  #: share of all people who get no marketing from any play
    holdouts: bool  #: false holds nobody out, also not from single plays (demo, benchmarks)
    test_clock: bool
    timezone: str = "UTC"  #: of people about whose clock nothing is known, and of the operator
    webhooks: Mapping[str, WebhookSettings] = field(default_factory=dict)
    own_numbers: tuple[str, ...] = ()  #: E.164; what `connector send --test` may go to
    require_approval: bool = False  #: two people must stand behind a play before it is live
    api_keys: tuple[ApiKey, ...] = ()  #: of the operator's own programs; none turns /api off
    alerts: Alerts = field(default_factory=Alerts)
    mail: Mail | None = None  #: the server that notices leave by
    anchors: Anchors = field(default_factory=Anchors)
    backup: Backups = field(default_factory=Backups)
    retention: Retention = field(default_factory=Retention)
    traffic: Traffic = field(default_factory=Traffic)
    forms: Mapping[str, Form] = field(default_factory=dict)  #: by the name in their address


def load(
    path: Path,
    faults: list[Fault],
    environ: Mapping[str, str] | None = None,
    *,
    secrets: bool = True,
) -> Settings:
    """Read ``config.toml``; faults are added to ``faults`` and harmless values stand in.

    ``environ`` is where ``env:NAME`` is looked up, the process's own unless given.
    """
    top = toml.read(path, faults, FILE)
    vault = Vault(path.parent, os.environ if environ is None else environ, needed=secrets)
    provider = _provider(top, vault)
    holdout, holdouts = _holdout(top.table("holdout"))
    mail = notices.mail(top.table("mail"), vault)
    settings = Settings(
        folder=path.parent,
        brand=_filled(top, "brand"),
        help_contact=_filled(top, "help_contact"),
        country=_country(top),
        language=_language(top),
        link_hosts=_hosts(top),
        web=web(top.table("web"), is_live=provider.use != SANDBOX),
        log=_log(top.table("log")),
        ledger=_ledger(top.table("ledger"), path.parent),
        sources=_sources(top.table("sources"), vault),
        provider=provider,
        crm=_crm(top, vault),
        holdout=holdout,
        holdouts=holdouts,
        test_clock=_test_clock(top, provider.use),
        timezone=_timezone(top),
        webhooks=_webhooks(top.table("webhooks"), vault),
        own_numbers=_own_numbers(top),
        require_approval=_approval(top.table("approval")),
        api_keys=keys(top.table("api"), vault),
        alerts=alerts(top.table("alerts"), mail, vault),
        mail=mail,
        anchors=notices.anchors(top.table("audit"), mail, vault, path.parent),
        backup=backups(top.table("backup"), path.parent),
        retention=retention(top.table("retention")),
        traffic=traffic(top.table("traffic")),
        forms=forms(top.table("forms")),
    )
    top.done()
    return settings


def _filled(table: Table, key: str) -> str:
    value = table.text(key, max_length=200)
    if key in table and not value.strip():
        table.fault(key, "is empty", "write what stands for it in texts")
    return value


def _country(top: Table) -> str:
    value = top.text("country")
    if value and value not in _countries():
        top.fault("country", f"is {value!r:.20}", "two capitals of ISO 3166 such as US or GB")
        return "US"
    return value


def _countries() -> set[str]:
    """ISO 3166 alpha-2, from the list beside the time zones."""
    listed = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8")
    return {line[:2] for line in listed.splitlines() if not line.startswith("#")}


def _language(top: Table) -> str:
    value = top.text("language", "en")
    if not _LANGUAGE.fullmatch(value):
        top.fault("language", f"is {value!r:.20}", "write a language such as en, es or pt-BR")
        return "en"
    return value


def _hosts(top: Table) -> tuple[str, ...]:
    hosts = top.words("link_hosts", ())
    for host in hosts:
        if not _HOST.fullmatch(host):
            remedy = "write a host alone, in lower case, such as shop.example"
            top.fault("link_hosts", f"holds {host!r:.60}", remedy)
    return hosts


def _log(table: Table) -> Log:
    levels = ("debug", "info", "warning", "error")
    log = Log(
        level=table.text("level", "info", choices=levels),
        format=table.text("format", "text", choices=("text", "json")),
    )
    table.done()
    return log


def _ledger(table: Table, folder: Path) -> Path:
    place = folder / table.text("folder", "data")
    table.done()
    return place.resolve()


def _sources(table: Table, vault: Vault) -> dict[str, SourceSettings]:
    sources: dict[str, SourceSettings] = {}
    owners: dict[Secret, str] = {}
    for name, source in table.named():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
            source.fault("", f"is named {name!r:.40}", "use small letters, digits, - and _")
        sources[name] = _source(name, source, vault)
        for key in sources[name].keys:
            owner = owners.setdefault(key, name)
            if owner != name:
                remedy = "give each source its own"
                source.fault("keys", f"holds a key of sources.{owner} too", remedy)
    return sources


def _source(name: str, table: Table, vault: Vault) -> SourceSettings:
    trust = Trust(table.text("trust", choices=list(Trust)))
    source = SourceSettings(
        name=name,
        mapping=table.text("mapping"),
        trust=trust,
        keys=vault.several(table, "keys"),
        secrets=vault.several(table, "secrets"),
        silent_after=silent_after(table),
        identity=identity(table, trust, vault),
    )
    table.done()
    return source


def _provider(top: Table, vault: Vault) -> ProviderSettings:
    table = top.table("provider")
    described = stock.load(vault.folder / stock.FOLDER, top.faults, providers.ADAPTERS)
    known = {**providers.ADAPTERS, **dict.fromkeys(described, providers.STOCK)}
    use = table.text("use", SANDBOX, choices=known)
    in_flight = table.whole("in_flight", 10, low=1, high=MOST_IN_FLIGHT)
    group = top.table("providers")
    accounts = {name: account(group.table(name), in_flight) for name in known}
    handed = {name: {"terms": terms} for name, terms in described.items()}
    tables = adapters.tables(group, use, known, vault, but=OF_ACCOUNT, handed=handed)
    countries = _countries()
    carriers = {**known, **{name: terms for name, terms in described.items() if terms}}
    found = routes(top, carriers, tables, countries)
    only = only_routes(table, found, str(top.values.get("country", "")), countries)
    table.done()
    return ProviderSettings(use, in_flight, tables, accounts, found, only)


def _crm(top: Table, vault: Vault) -> CrmSettings:
    table = top.table("crm")
    use = table.text("use", "local", choices=crms.ADAPTERS)
    gather = timedelta(0) if use == "local" else timedelta(seconds=60)
    flush_after = table.span("flush_after", gather)
    poll_every = table.span("poll_every", timedelta(minutes=1))
    table.done()
    tables = adapters.tables(top.table("crms"), use, crms.ADAPTERS, vault)
    return CrmSettings(use, tables, flush_after, poll_every)


def _holdout(table: Table) -> tuple[float, bool]:
    share = table.number("global", 0.0, high=0.5)
    enabled = table.flag("enabled", True)
    table.done()
    return share, enabled


def _timezone(top: Table) -> str:
    value = top.text("timezone", "UTC")
    if value not in zoneinfo.available_timezones():
        top.fault(
            "timezone", f"is {value!r:.60}, no zone", 'write its IANA name: "America/New_York"'
        )
        return "UTC"
    return value


def _webhooks(group: Table, vault: Vault) -> dict[str, WebhookSettings]:
    found = {}
    for name, table in group.named():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            table.fault("", f"is named {name!r:.40}", "use small letters, digits and _")
        url = table.text("url")
        check_address(table, "url", url)
        found[name] = WebhookSettings(url, vault.several(table, "secrets"))
        if "secrets" not in table:
            table.fault("secrets", "is missing", 'add secrets = ["env:NAME"]: what signs the calls')
        table.done()
    return found


def _own_numbers(top: Table) -> tuple[str, ...]:
    table = top.table("test")
    found = []
    for number in table.words("numbers", ()):
        try:
            found.append(phone.parse(number, "").e164)
        except phone.NotANumber as error:
            table.fault("numbers", f"holds {number!r:.20}: it {error}", "write it as +12025550123")
    table.done()
    return tuple(found)


def _approval(table: Table) -> bool:
    wanted = table.flag("plays", False)
    table.done()
    return wanted


def _test_clock(top: Table, provider: str) -> bool:
    wanted = top.flag("test_clock", False)
    if wanted and provider != SANDBOX:
        remedy = "remove it, or use the sandbox provider"
        top.fault("test_clock", f"is set while {provider} sends real texts", remedy)
        return False
    return wanted
