"""What a file of ``mappings/providers`` says of a provider, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connector.errors import Deferred, Refused, Uncertain
from connector.expressions import Bundle, Expression
from connector.messages import SMS
from connector.model import Hook, Status
from connector.providers.refusals import Means

Proof = Callable[[Hook, datetime], None]
"""Returns if a callback is proven; raises ``Unverified``."""

KINDS: Final = {"refused": Refused, "deferred": Deferred, "uncertain": Uncertain}

#: our reason → what it comes to where the file does not say otherwise
USUAL: Final[Mapping[str, Means]] = {
    **{
        reason: (Refused, reason)
        for reason in ("opted_out", "invalid_number", "not_mobile", "blocked", "content", "unknown")
    },
    **{reason: (Deferred, reason) for reason in ("configuration", "rate_limited")},
    **{reason: (Uncertain, reason) for reason in ("unavailable", "timeout")},
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a body that an expression fills, by its name in the bundle."""

    name: str


@dataclass(frozen=True, slots=True)
class Auth:
    """How we prove ourselves: ``bearer``, ``basic``, ``header``, ``fields`` or ``none``."""

    scheme: str = "none"
    header: str = "Authorization"
    prefix: str = ""
    fields: tuple[str, ...] = ()  #: of the request, that bear the parts of the secret


@dataclass(frozen=True, slots=True)
class Sending:
    """``[send]``: where a text is handed over, and how it is written."""

    url: str
    format: str  #: json, form, or query: a GET, whose fields stand in the address
    body: Any  #: tables and lists with ``Slot`` where an expression stands
    headers: tuple[str, ...]  #: whose values are ``headers.<name>`` of the bundle
    values: Bundle
    repeats_safely: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """``[status]`` or ``[find]``: an address with ``{id}``, ``{reference}`` or ``{to}`` in it."""

    url: str
    fields: Mapping[str, Expression]
    for_each: Expression | None = None


@dataclass(frozen=True, slots=True)
class Hearing:
    """``[receipts]`` or ``[replies]``: which callbacks they are, and where their fields stand."""

    fields: Mapping[str, Expression]
    when: Expression | None = None
    for_each: Expression | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """A whole file."""

    name: str
    sending: Sending
    answer: Mapping[str, Expression]
    prove: Callable[[Sequence[bytes]], Proof]  #: the check for given secrets; ``ValueError``
    auth: Auth = Auth()
    channels: frozenset[str] = frozenset({SMS})
    codes: Mapping[str, Means] = field(default_factory=dict)
    statuses: Mapping[int, Means] = field(default_factory=dict)  #: by HTTP status
    words: Mapping[str, Status] = field(default_factory=dict)  #: its own statuses of texts
    receipts: Hearing | None = None
    replies: Hearing | None = None
    status: Asking | None = None
    find: Asking | None = None
    believes_address: bool = False
    """Whether a proven callback's address is proven too: who knows the secret wrote it."""
    shown_in_address: bool = False  #: whether the secret stands in the callback address itself
