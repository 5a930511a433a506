"""The ``[api]`` table: who may ask something of ``/api``, by which key, and what."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from connector.config.secrets import Secret, Vault
from connector.config.toml import Table

SCOPES: Final = ("read", "send", "consent", "operate")
SHORTEST: Final = 24  #: letters of a key; shorter ones could be guessed

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_HEADED: Final = 'write a table headed [[api.keys]] for each: name, key = "env:NAME", scopes'


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One ``[[api.keys]]`` table: a program of the operator's own."""

    name: str  #: what its acts are kept under, as ``api:NAME``
    key: Secret
    scopes: frozenset[str]


def keys(table: Table, vault: Vault) -> tuple[ApiKey, ...]:
    """The keys of ``[[api.keys]]``; none turns ``/api`` off."""
    written = table.raw("keys")
    if written is not None and not _is_tables(written):
        table.fault("keys", "is no list of tables", _HEADED)  # and it may hold a secret: not shown
        return ()
    found = tuple(_key(item, vault) for item in table.tables("keys"))
    table.done()
    _check_different(table, found, vault)
    return found


def _is_tables(written: object) -> bool:
    return isinstance(written, list) and all(isinstance(item, dict) for item in written)


def _key(table: Table, vault: Vault) -> ApiKey:
    name = table.text("name", max_length=200)
    if "name" in table and not _NAME.fullmatch(name):
        table.fault("name", f"is {name!r:.40}", "use small letters, digits, - and _")
    scopes = table.words("scopes", choices=SCOPES)
    if "scopes" in table and not scopes:
        table.fault("scopes", "is empty, so the key opens nothing", f"of {', '.join(SCOPES)}")
    if "key" not in table:
        table.fault("key", "is missing", 'add key = "env:NAME" or "file:PATH"')
    secret = vault.one(table, "key") if "key" in table else Secret("")
    if vault.needed and 0 < len(secret.reveal()) < SHORTEST:
        remedy = f"at least {SHORTEST} characters, made by chance: openssl rand -hex 24"
        table.fault("key", "is short enough to be guessed", remedy)
    table.done()
    return ApiKey(name, secret, frozenset(scopes))


def _check_different(table: Table, found: tuple[ApiKey, ...], vault: Vault) -> None:
    """Who did something must be told apart, so no two share a name or a secret."""
    for name, count in Counter(item.name for item in found).items():
        if count > 1 and name:
            table.fault("keys", f"names {name} {count} times", "give each key a name of its own")
    secrets = Counter(item.key.reveal() for item in found if item.key.reveal())
    if vault.needed and any(count > 1 for count in secrets.values()):
        table.fault("keys", "holds one secret under two names", "give each key its own")
