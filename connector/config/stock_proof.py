"""How a described provider's callbacks are proven: the ``[verify]`` table of its file."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.config.sources import scheme_of
from connector.config.toml import Table
from connector.errors import Unverified
from connector.model import Hook
from connector.providers.reading import SECRET, query
from connector.providers.stock_terms import Proof
from connector.rules.mapping import Verify
from connector.sources import signatures

QUERY: Final = "query"
TRUSTED: Final = ("basic", "bearer", "header", QUERY)
"""Schemes in which who sends a callback shows the secret itself, so that all of it is believed."""

_SECRET = re.compile(rb"[A-Za-z0-9_-]{16,200}")


@dataclass(frozen=True, slots=True)
class Prover:
    """Makes the check of a scheme for given secrets."""

    scheme: Verify

    def __call__(self, secrets: Sequence[bytes]) -> Proof:
        """The check; raises ``ValueError`` saying what a secret of this scheme looks like."""
        if self.scheme.scheme != QUERY:
            keys = signatures.read_keys(self.scheme, secrets)
            return functools.partial(signatures.verify, self.scheme, keys)
        if not secrets or not all(_SECRET.fullmatch(secret) for secret in secrets):
            raise ValueError(
                "callback_secrets stand in addresses: write 16 letters or more, of a to z, digits, "
                "- and _"
            )
        return functools.partial(_check_address, tuple(secrets))


def read(table: Table) -> Verify:
    """A ``[verify]`` table: as a source's, or ``query``, by the callback address itself."""
    if table.values.get("scheme") != QUERY:
        return scheme_of(table)
    verify = Verify(table.text("scheme"))
    table.done()
    return verify


def _check_address(keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    given = query(hook.url).get(SECRET, [])
    if len(given) != 1 or not signatures.is_any(given[0].encode(errors="replace"), keys):
        raise Unverified(
            f"the address bears no ?{SECRET}= that is one of callback_secrets; set the provider's "
            "callback address anew"
        )
