"""Adapters' settings: a table of the configuration compared with an adapter's ``__init__``."""

from __future__ import annotations

import inspect
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from connector.config.secrets import Vault, revealed
from connector.config.toml import Table

SUPPLIED: Final = frozenset(
    {
        *("http", "clock", "outbox", "records", "wanted", "callback_url", "public_url"),
        *("default_region", "fetch", "terms", "senders"),
    }
)
"""Parameters that the runtime hands in itself; they are not settings."""

Adapters = Mapping[str, Any]  #: name → class, or "module:Class"

_EMPTY = inspect.Parameter.empty
_SECRET_WORDS = ("token", "secret", "key", "password")
_STAND_INS: Mapping[str, Any] = {"outbox": Path(os.devnull)}  # what an adapter is tried with


def is_secret(parameter: str) -> bool:
    """Whether an adapter's parameter holds a secret, which its name tells."""
    return any(word in parameter for word in _SECRET_WORDS)


def schema(adapter: Any) -> dict[str, inspect.Parameter]:
    """The settings an adapter takes: its keyword-only parameters that are not supplied."""
    return {name: item for name, item in _parameters(adapter).items() if name not in SUPPLIED}


def read(
    table: Table,
    adapter: Any,
    vault: Vault,
    but: Sequence[str] = (),
    handed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The settings written in ``table``; what is left to the adapter's defaults is left out.

    ``but`` are keys that somebody else reads; ``handed`` is what the adapter gets beside them,
    which comes back with them.

    Missing, unknown and mistyped keys are faults, and so is what the adapter itself refuses
    with a ``ValueError``. Secrets come back as ``Secret``.
    """
    before = len(table.faults)
    adapter = load_class(adapter)
    hints = typing.get_type_hints(adapter.__init__)
    given: dict[str, Any] = {}
    for name, parameter in schema(adapter).items():
        if name in table or parameter.default is _EMPTY:
            given[name] = _value(table, name, hints.get(name), vault)
        else:
            table.raw(name)
    for name in but:
        table.raw(name)
    table.done()
    if vault.needed and len(table.faults) == before:
        _try(table, adapter, given, handed or {})
    return {**given, **(handed or {})}


def tables(
    group: Table,
    use: str,
    known: Adapters,
    vault: Vault,
    but: Sequence[str] = (),
    handed: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Mapping[str, Any]]:
    """Every adapter's table, and an empty one for the adapter in use where it has none.

    ``but`` are keys that are not the adapter's own; ``handed`` is what some get beside theirs. One
    whose file has faults is not tried.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for name in known:
        beside = (handed or {}).get(name, {})
        if (name in group or name == use) and None not in beside.values():
            found[name] = read(group.table(name), known[name], vault, but, beside)
        else:
            group.raw(name)
    group.done()
    return found


def _parameters(adapter: Any) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(load_class(adapter)).parameters
    only = inspect.Parameter.KEYWORD_ONLY
    return {name: item for name, item in parameters.items() if item.kind is only}


def _value(table: Table, name: str, hint: Any, vault: Vault) -> Any:
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    if type(None) in typing.get_args(hint) and len(options) == 1:
        hint = options[0]
    is_list = typing.get_origin(hint) is not None
    if is_secret(name):
        return _secret(table, name, is_list, vault)
    if is_list and typing.get_origin(options[0] if options else None) is Mapping:
        return tuple(item.free() for item in table.tables(name))
    readers: dict[Any, Callable[[str], Any]] = {
        bool: table.flag,
        int: table.whole,
        float: table.number,
        timedelta: table.span,
    }
    reader = table.words if is_list else readers.get(hint, table.text)
    return reader(name)


def _secret(table: Table, name: str, is_list: bool, vault: Vault) -> Any:
    if name not in table:
        example = '["env:NAME"]' if is_list else '"env:NAME"'
        table.fault(name, "is missing", f"add {name} = {example}")
        return () if is_list else None
    return vault.several(table, name) if is_list else vault.one(table, name)


def _try(table: Table, adapter: Any, given: Mapping[str, Any], handed: Mapping[str, Any]) -> None:
    """Build the adapter once, only to hear what it has against its settings."""
    supplied = {
        name: handed.get(name, _STAND_INS.get(name))
        for name, parameter in _parameters(adapter).items()
        if name in SUPPLIED and parameter.default is _EMPTY
    }
    try:
        adapter(**supplied, **revealed(given))
    except ValueError as error:
        group, _, name = table.path.partition(".")
        page = group if group == "providers" else name
        table.fault("", str(error), f"docs/{page}.md says what it takes")


def load_class(adapter: Any) -> Any:
    """An adapter itself, imported where the table names it as ``module:Class``."""
    if not isinstance(adapter, str):
        return adapter
    module, _, name = adapter.partition(":")
    return getattr(import_module(module), name)
