"""What HubSpot's refusals mean: who has to do what, and whether the call may be made again.

https://developers.hubspot.com/docs/api-reference/error-handling
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from connector.crms.hubspot.limits import BURST_WAIT
from connector.crms.hubspot.names import TOTALS
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import Written

TOO_SLOW: Final = 408
WORDS: Final = 600  #: characters of HubSpot's own words that are kept
LOCKED_WAIT: Final = 2.0  #: seconds
MOVING_WAIT: Final = 86_400.0  #: seconds at most, while HubSpot moves an account
EVERYWHERE: Final = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
"""What is wrong with a property is wrong with it on every record."""
PASSING: Final = frozenset(
    {
        *("RATE_LIMIT", "RATE_LIMITS", "INTERNAL_ERROR", "TIMEOUT", "LOCKED", "CANCELED"),
        *("SERVICE_UNAVAILABLE", "GATEWAY_ERROR", "MIGRATION_IN_PROGRESS", "UNKNOWN"),
    }
)
"""Nothing is wrong with the change; it is made again later."""

RETRY: Final = "then `connector writebacks retry`"
CREDENTIAL: Final = (
    "put a valid token in access_token of [crms.hubspot]: that of a service key, a private app or "
    "a project app, which HubSpot shows under Settings, Integrations"
)
CHECK: Final = f"run `connector crm check` and mend mappings/crms/hubspot.toml, {RETRY}"
INSTALL: Final = f"run `connector crm install`, {RETRY}"
GONE: Final = "the record is no longer in HubSpot; `connector writebacks drop` lets the change go"
_SCOPE = re.compile(r"\b[a-z]+(?:\.[a-z_-]+)+\.(?:read|write)\b|\btickets\b")
_QUOTED = re.compile(r'[Pp]roperty "([A-Za-z0-9_]{1,100})" does not exist')


@dataclass(eq=False)
class Refusal(Exception):
    """HubSpot's no to a call or to one of its inputs, in its own words."""

    status: int
    category: str = ""
    words: str = ""
    code: str = ""  #: of the fault itself, where it is told: INVALID_OPTION
    properties: tuple[str, ...] = ()  #: at fault
    inputs: tuple[str, ...] = ()  #: trace ids or record ids at fault
    scopes: tuple[str, ...] = ()  #: that are missing

    @property
    def is_passing(self) -> bool:
        """Whether the same may well be taken later."""
        return self.category in PASSING or self.status >= 500

    def verdict(self, change_id: str) -> Written:
        """What the change is told whose call or input it was."""
        return Written(
            change_id,
            ok=False,
            permanent=not self.is_passing,
            error=self.words,
            code=self.code or self.category or str(self.status),
            remedy=self.remedy(),
        )

    def remedy(self) -> str:
        """What the operator can do; "" where waiting helps."""
        if self.status == 403:
            return f"{scope_remedy(self.scopes)}, {RETRY}"
        if TOTALS in self.properties:
            return INSTALL
        if self.status == 404 or self.category == "OBJECT_NOT_FOUND":
            return GONE
        return "" if self.is_passing else CHECK


def scope_remedy(scopes: Sequence[str]) -> str:
    """How a scope is given."""
    named = " or ".join(scopes) or "the scope that HubSpot names"
    return f"give the app or service key of access_token the scope {named} in HubSpot"


def refusal(status: int, body: Json) -> Refusal:
    """A refusal from an error's body, each key of which may be missing."""
    said = body if isinstance(body, Mapping) else {}
    parts = [said, *(item for item in _list(said.get("errors")) if isinstance(item, Mapping))]
    contexts = [part["context"] for part in parts if isinstance(part.get("context"), Mapping)]
    message, named = _message(str(said.get("message") or ""))
    details = [str(part.get("message") or "") for part in parts[1:]]
    codes = [str(item.get("error") or item.get("code") or "") for item in named]
    codes += [str(part.get("code") or part.get("error") or "") for part in parts[1:]]
    names = [str(item.get("name") or "") for item in named]
    names += _of(contexts, "propertyName", "propertyNames", "name")
    words = " ".join(dict.fromkeys(part for part in (message, *details) if part))
    names += _QUOTED.findall(words)
    scopes = _of(contexts, "requiredGranularScopes", "requiredScopes", "missingScopes")
    return Refusal(
        status,
        category=str(said.get("category") or said.get("errorType") or "")[:80],
        words=_words(status, words, str(said.get("correlationId") or said.get("id") or "")),
        code=next((code[:80] for code in codes if code), ""),
        properties=_distinct(names),
        inputs=_distinct(_of(contexts, "objectWriteTraceId", "ids", "id")),
        scopes=_distinct(scopes or (_SCOPE.findall(words) if status == 403 else [])),
    )


def unavailable(
    status: int, body: Json, headers: Mapping[str, str], day_ends: Callable[[], float]
) -> CrmUnavailable | None:
    """What an answer means for all that is owed; None where only the call itself is refused."""
    words = refusal(status, body).words
    if status == 401:
        return CrmUnavailable(words, code="unauthorized", remedy=CREDENTIAL)
    if status == 429:
        return _limited(body, words, day_ends)
    if status == 423:
        return CrmUnavailable(words, retry_after=LOCKED_WAIT)
    if status == 477:
        return CrmUnavailable(words, retry_after=min(_retry_after(headers), MOVING_WAIT))
    if status >= 500 or status == TOO_SLOW:
        return CrmUnavailable(words, retry_after=_retry_after(headers) or None)
    if 300 <= status < 400:
        remedy = "check base_url in [crms.hubspot], and the proxy of the environment"
        return CrmUnavailable(words, code="malformed", remedy=remedy)
    return None


def is_before(status: int) -> bool:
    """Whether an error of this status was answered before HubSpot looked at what was asked."""
    if status == TOO_SLOW:
        return False
    return status < 500 or status in (503, 521, 522, 523, 525, 526)


def forbidden(found: Refusal) -> CrmUnavailable:
    """A refusal of something that is only read."""
    if found.status == 403:
        remedy = scope_remedy(found.scopes)
        return CrmUnavailable(found.words, code="forbidden", remedy=remedy)
    remedy = "run `connector crm check`"
    return CrmUnavailable(found.words, code="malformed", remedy=remedy)


def _limited(body: Json, words: str, day_ends: Callable[[], float]) -> CrmUnavailable:
    policy = str(body.get("policyName") or "") if isinstance(body, Mapping) else ""
    if policy.startswith("DAILY"):
        remedy = "what is owed goes on after the account's midnight; HubSpot sells a higher limit"
        return CrmUnavailable(words, code="daily_limit", retry_after=day_ends(), remedy=remedy)
    return CrmUnavailable(words, code="rate_limited", retry_after=BURST_WAIT)


def _words(status: int, words: str, correlation: str) -> str:
    told = f"HubSpot answered {status}: {words}" if words else f"HubSpot answered {status}"
    named = f" (correlationId {correlation[:80]})" if correlation else ""
    return f"{told[:WORDS]}{named}"


def _message(message: str) -> tuple[str, list[Mapping[str, Any]]]:
    """HubSpot's message, and the faults that it holds as JSON: name, error and message."""
    before, mark, rest = message.partition("[{")
    try:
        found = orjson.loads(f"[{{{rest}") if mark else []
    except ValueError:
        return message, []
    items = [item for item in found if isinstance(item, Mapping)]
    told = (str(item.get("message") or item.get("error") or "") for item in items)
    return " ".join([before.strip(), *told]).strip(), items


def _of(contexts: Sequence[Mapping[str, Any]], *names: str) -> list[str]:
    return list(_values(context.get(name) for context in contexts for name in names))


def _values(found: Iterator[Any] | Any) -> Iterator[str]:
    for value in found:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str | int) and item != "":
                yield str(item)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))[:100]


def _retry_after(headers: Mapping[str, str]) -> float:
    told = headers.get("Retry-After") or ""
    return float(told) if told.isdecimal() else 0.0
