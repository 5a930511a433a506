"""Adapters, opened as the configuration says: sources, providers, CRMs and the tools plays call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector import clock, crms, providers, sources
from connector.config.adapters import load_class
from connector.config.loaded import Loaded
from connector.config.secrets import revealed
from connector.config.settings import Settings
from connector.crms import Crm
from connector.ledger import local_crm
from connector.ledger.store import Store
from connector.model import Trust
from connector.providers import Provider
from connector.rules import mapping
from connector.rules.locate import locate
from connector.rules.routing import senders_of
from connector.steps.owed import HOOK
from connector.steps.setup import OpenSource

CLOCK_FILE = "clock"
SILENT = "connector.sources.silent:Silent"  #: of a CRM that is only asked


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """The wall clock, or the folder's test clock where the configuration asks for it."""
    if settings.test_clock:
        settings.ledger.mkdir(parents=True, exist_ok=True)
        return clock.TestClock(settings.ledger / CLOCK_FILE)
    return clock.now


def open_sources(loaded: Loaded) -> dict[str, OpenSource]:
    """Every configured source with its adapter and mapping."""
    opened = {}
    if (own := crm_source(loaded)) is not None:
        opened[own.name] = own
    for name, source in loaded.settings.sources.items():
        file = loaded.mappings[source.mapping]
        keys = [key.reveal().encode() for key in source.keys]
        secrets = [secret.reveal().encode() for secret in source.secrets]
        adapter = source_adapter(name, source.trust, file, keys, secrets)
        signed = None
        if source.identity is not None:
            signed = tuple(secret.reveal().encode() for secret in source.identity)
        opened[name] = OpenSource(name, source.trust, adapter, file, signed)
    return opened


def source_adapter(
    name: str,
    trust: Trust,
    file: mapping.SourceMapping,
    keys: Sequence[bytes],
    secrets: Sequence[bytes],
) -> Any:
    """The adapter that a mapping file names; raises ``ValueError`` for a secret that cannot be."""
    return build(
        sources.ADAPTERS[file.adapter],
        {},
        source=name,
        trust=trust,
        keys=keys,
        secrets=secrets,
        verify=file.verify,
        locate=_locator(file),
    )


def crm_source(loaded: Loaded) -> OpenSource | None:
    """The CRM in use as a source: what it tells by itself, and what a changed record means.

    Its settings are the CRM's own. None where it neither tells of itself nor means anything.
    """
    name, meaning = loaded.settings.crm.use, loaded.crm.source
    if name not in sources.OF_CRMS and meaning is None:
        return None
    table = revealed(loaded.settings.crm.tables.get(name, {}))
    adapter = build(sources.OF_CRMS.get(name, SILENT), {}, source=name, **table)
    nothing = mapping.SourceMapping(name, "", "standard")
    return OpenSource(name, Trust.trusted, adapter, meaning or nothing)


def build(adapter: Any, table: Mapping[str, Any], **supplied: Any) -> Any:
    """An adapter made from its settings and what of ``supplied`` it takes."""
    adapter = load_class(adapter)
    wanted = inspect.signature(adapter).parameters
    handed = {name: value for name, value in supplied.items() if name in wanted}
    return adapter(**{**handed, **revealed(table)})


def _locator(source: mapping.SourceMapping) -> Callable[[Any, Mapping[str, str]], Any]:
    return lambda body, headers: locate(source, body, headers)


def open_providers(settings: Settings, *, calls: bool) -> dict[str, Provider]:
    """The provider in use, and every other that is configured (their callbacks still come).

    ``calls``: whether they will be called, and not only told things; a client is heavy.
    """
    names = {settings.provider.use, *settings.provider.tables}
    return {name: _open_provider(settings, name, calls) for name in sorted(names)}


def _open_provider(settings: Settings, name: str, calls: bool) -> Provider:
    provider: Provider = build(
        providers.adapter_of(name),
        settings.provider.tables.get(name, {}),
        http=_client(_most_calls(settings, name)) if calls else None,
        clock=clock_of(settings),
        outbox=settings.ledger / "sandbox.jsonl",
        callback_url=callback_url(settings, name),
        public_url=settings.web.public_url,
        senders=sorted(senders_of(settings.provider.active, name)),
        default_region=settings.country,
    )
    return provider


def _most_calls(settings: Settings, name: str) -> int:
    account = settings.provider.accounts.get(name)
    return account.in_flight if account is not None else settings.provider.in_flight


def _client(connections: int) -> Any:
    from connector.http import open_session

    return open_session(connections=connections)


def callback_url(settings: Settings, provider: str) -> str:
    """Where a provider reports to; the sandbox reaches us on loopback without a public address."""
    base = settings.web.public_url
    if provider == "sandbox":
        base = f"http://127.0.0.1:{settings.web.port}" if settings.web.port else ""
    return f"{base}/providers/{provider}" if base else ""


def open_crms(loaded: Loaded, store: Store, now: Callable[[], datetime]) -> dict[str, Crm]:
    """The CRM in use. The local one keeps its records in the ledger."""
    settings, name = loaded.settings, loaded.settings.crm.use
    records = local_crm.LocalRecords(store)
    table = settings.crm.tables.get(name, {})
    adapter = crms.ADAPTERS[name]
    found: dict[str, Crm] = {
        name: build(
            adapter,
            table,
            records=records,
            clock=now,
            wanted=loaded.crm.wanted,
            default_region=settings.country,
        )
    }
    return found | open_webhooks(settings, now)


def open_webhooks(settings: Settings, now: Callable[[], datetime]) -> dict[str, Crm]:
    """The tools that plays may call, where a CRM's name stands: ``hook:<name>``."""
    if not settings.webhooks:
        return {}
    from connector.crms.webhook import Webhook

    client = _client(2)
    return {
        f"{HOOK}{name}": Webhook(
            name=name,
            url=hook.url,
            secrets=[secret.reveal() for secret in hook.secrets],
            http=client,
            clock=now,
        )
        for name, hook in settings.webhooks.items()
    }
