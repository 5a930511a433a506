"""Secrets: named in the configuration, kept in the environment or in a file, never shown."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.config.toml import Table

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOW = "write env:NAME or file:PATH; the secret itself never stands in this file"


class Secret:
    """A value that prints as ``***``; only :meth:`reveal` gives it away."""

    __slots__ = ("_value", "is_there")

    def __init__(self, value: str, *, is_there: bool = True) -> None:
        self._value = value
        self.is_there = is_there  #: false where its name stands in for it

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)


def revealed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """An adapter's settings with the secrets in the clear, ready for its ``__init__``."""
    return {name: _reveal(value) for name, value in settings.items()}


class Vault:
    """Looks secrets up: ``env:NAME`` in ``environ``, ``file:PATH`` relative to ``folder``.

    Where none is ``needed`` (a command that only reads the ledger) a secret that cannot be had
    is no fault, and its name stands in for it.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], *, needed: bool = True) -> None:
        self.folder = folder
        self.environ = environ
        self.needed = needed

    def one(self, table: Table, key: str) -> Secret:
        """The secret that ``key`` names; a fault and an empty one where it cannot be had."""
        return self._look_up(table, key, table.raw(key)) or Secret("")

    def several(self, table: Table, key: str) -> tuple[Secret, ...]:
        """The secrets a list names (one alone is a list of one); several are for rotation."""
        value = table.raw(key)
        written = value if isinstance(value, list) else [] if value is None else [value]
        found = [self._look_up(table, key, item) for item in written]
        return tuple(secret for secret in found if secret is not None)

    def _look_up(self, table: Table, key: str, written: object) -> Secret | None:
        kind, _, name = written.partition(":") if isinstance(written, str) else ("", "", "")
        if kind == "env" and _VARIABLE.fullmatch(name):
            value = self.environ.get(name, "")
            problem = "" if value else f"names {name}, which the environment does not hold"
            remedy = f"export {name}=… before starting, or write file:PATH"
        elif kind == "file" and name:
            value, problem = self._read(name)
            remedy = f"put the secret alone into {name}, readable by this user"
        else:
            value, problem, remedy = "", "does not name a secret", _HOW
        if problem and not self.needed:
            return Secret(str(written), is_there=False)
        if problem:
            table.fault(key, problem, remedy)
            return None
        return Secret(value)

    def _read(self, name: str) -> tuple[str, str]:
        try:
            value = (self.folder / name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            return "", f"names the file {name}, which cannot be read: {reason}"
        return value, "" if value else f"names the file {name}, which is empty"


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, tuple):
        return tuple(_reveal(item) for item in value)
    return value
