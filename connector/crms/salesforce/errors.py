"""What Salesforce's error codes mean for us: who has to do what, and whether it may be repeated.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.crms.salesforce.limits import REMEDY
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import Written

HOUR: Final = 3_600.0  #: seconds
GONE: Final = "gone"
"""Our code for a record that is deleted, merged or converted: look where it went."""

TRANSIENT: Final = frozenset(
    {
        *("UNABLE_TO_LOCK_ROW", "REQUEST_RUNNING_TOO_LONG", "SERVER_UNAVAILABLE"),
        *("UNKNOWN_EXCEPTION", "QUERY_TIMEOUT", "ALL_OR_NONE_OPERATION_ROLLED_BACK"),
        *("PROCESSING_HALTED", "LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED"),
        *("INVALID_SESSION_ID", "STORAGE_LIMIT_EXCEEDED", "TXN_SECURITY_METERING_ERROR"),
    }
)
"""Nothing is wrong with the change; it is made again later."""

GONE_CODES: Final = frozenset(
    {
        *("ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"),
        "CANNOT_UPDATE_CONVERTED_LEAD",
    }
)
ABSENT: Final = frozenset({"INVALID_FIELD", "NOT_FOUND", "INVALID_FIELD_FOR_INSERT_UPDATE"})
THREW: Final = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"  #: the customer's own trigger

RIGHTS: Final = (
    "assign the permission set SMS_Connector to the user that the connector logs in as "
    "(`connector crm install` makes it), then `connector writebacks retry`"
)
INSTALL: Final = (
    "run `connector crm install` and assign the permission set SMS_Connector, or set "
    'task_field = "CallObject" in [crms.salesforce]; it then goes on by itself'
)
CHECK: Final = (
    "run `connector crm check` and mend mappings/crms/salesforce.toml or the field's visibility"
)
LOGIN: Final = (
    "check consumer_key, consumer_secret and domain in [crms.salesforce], and that the External "
    "Client App allows the flow and has its run-as user"
)
NOTHING_MADE: Final = frozenset(
    {"unreachable", "unauthorized", "forbidden", "daily_limit", "rate_limited"}
)
"""Our codes of calls that made nothing for sure."""
REMEDIES: Final[Mapping[str, str]] = {
    "DUPLICATES_DETECTED": "a duplicate rule refused it: let the rule alert instead of block",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule of the org refused it: let the rule "
    "pass the connector's user, then `connector writebacks retry`",
    THREW: "a trigger or flow of the org failed on it: its administrator finds it in the debug "
    "log, then `connector writebacks retry`",
    "STORAGE_LIMIT_EXCEEDED": "the org's storage is full: free some, or buy more",
}
_SCHEMA_CODES: Final = frozenset(
    {
        *("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_TYPE", "STRING_TOO_LONG"),
        *("REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        *("INVALID_TYPE_ON_FIELD_IN_RECORD", "JSON_PARSER_ERROR", "NUMBER_OUTSIDE_VALID_RANGE"),
        "InvalidBatch",
    }
)
_RECORD_ID: Final = re.compile(r"\b([A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)\b")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,79}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error as Salesforce words it."""

    code: str
    message: str = ""
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.code}{named}: {self.message}".removesuffix(": ")


class Rejected(CrmUnavailable):
    """Salesforce refused a call as a whole, and nothing of it was made."""

    def __init__(self, message: str, found: Sequence[Refusal]) -> None:
        super().__init__(message, code="malformed", remedy=CHECK)
        self.refusals = tuple(found)


def refusals(content: Json) -> list[Refusal]:
    """The errors in a body or in a row, whatever its form; empty where it has none."""
    items = content if isinstance(content, list) else [content]
    return [found for item in items if (found := _refusal(item)) is not None]


def _refusal(item: Json) -> Refusal | None:
    if not isinstance(item, Mapping):
        return None
    code = item.get("errorCode") or item.get("statusCode") or item.get("error")
    if not isinstance(code, str):
        return None
    message = item.get("message") or item.get("error_description") or ""
    fields = item.get("fields")
    names = [name for name in fields if isinstance(name, str)] if isinstance(fields, list) else []
    return Refusal(code[:80], str(message)[:500], tuple(name[:80] for name in names[:20]))


def verdict(change_id: str, found: Refusal, *, attempt: int = 0, ours: str = "") -> Written:
    """What one refused change is told; ``ours`` is the external id field that we installed."""
    code, remedy = found.code, _remedy(found)
    permanent = code not in TRANSIENT
    if is_not_installed(found, ours):
        permanent, remedy = False, INSTALL
    elif code in GONE_CODES:
        code = GONE
    elif code == THREW:
        permanent = attempt > 0  # once more later: many triggers only fail now and then
    return Written(
        change_id, ok=False, permanent=permanent, error=str(found), code=code, remedy=remedy
    )


def _remedy(found: Refusal) -> str:
    if found.code.startswith("INSUFFICIENT_ACCESS"):
        return RIGHTS
    if found.code in _SCHEMA_CODES:
        return f"{CHECK}, then `connector writebacks retry`"
    return REMEDIES.get(found.code, "")


def is_not_installed(found: Refusal, ours: str) -> bool:
    """Whether our own external id field is missing in the org, or hidden from us."""
    if not ours or found.code not in ABSENT:
        return False
    return ours in found.message or ours in found.fields or "external ID" in found.message


def duplicate_of(found: Refusal, ours: str) -> tuple[bool, str]:
    """Whether our external id stands there already, and on which record where that is told."""
    if found.code != "DUPLICATE_VALUE" or not (ours in found.message or ours in found.fields):
        return False, ""
    told = _RECORD_ID.findall(found.message.rpartition(":")[2])
    return True, told[-1] if told else ""


def unavailable(status: int, content: Json) -> CrmUnavailable:
    """What a refused call means for all that is owed."""
    found = refusals(content)
    code, words = (found[0].code, str(found[0])) if found else ("", "")
    says = f"Salesforce answered {status}" + (f", {words}" if words else "")
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limited(found[0])
    if status == 401 or code == "INVALID_SESSION_ID":
        return CrmUnavailable(says, code="unauthorized", remedy=LOGIN)
    if status == 403:
        return CrmUnavailable(says, code="forbidden", remedy=_forbidden(code))
    if status == 429:
        return CrmUnavailable(says, code="rate_limited", retry_after=60.0)
    if status >= 500 or code in TRANSIENT:
        return CrmUnavailable(says)
    if 300 <= status < 400:
        return CrmUnavailable(says, code="malformed", remedy="check domain or base_url")
    return Rejected(says, found) if found else CrmUnavailable(says, code="malformed")


def _limited(found: Refusal) -> CrmUnavailable:
    if found.message.startswith("ConcurrentRequests"):  # too many long calls at one time, by all
        return CrmUnavailable(str(found), code="rate_limited", retry_after=60.0)
    return CrmUnavailable(str(found), code="daily_limit", retry_after=HOUR, remedy=REMEDY)


def _forbidden(code: str) -> str:
    if code == "API_DISABLED_FOR_ORG":
        return "this edition has no API: Enterprise, Unlimited, or Professional with the API add-on"
    if code == "API_CURRENTLY_DISABLED":
        return "give the user that the connector logs in as the permission API Enabled"
    return RIGHTS


def refused_login(error: Any) -> CrmUnavailable:
    """A login that Salesforce refused: the operator has to mend it."""
    code = str(getattr(error, "code", "") or "")
    words = str(getattr(error, "auth_message", "") or "")[:300]
    if (code.isdigit() and int(code) >= 500) or (_CODE.fullmatch(code) and code in TRANSIENT):
        return CrmUnavailable(f"the login to Salesforce failed: {code}")
    if code == "REQUEST_LIMIT_EXCEEDED" or "rate exceeded" in words:
        return CrmUnavailable(f"the login failed: {code}", code="rate_limited", retry_after=60.0)
    return CrmUnavailable(
        f"Salesforce refused the login: {code} {words}".strip(),
        code="unauthorized",
        remedy=LOGIN_REMEDIES.get(code, LOGIN),
    )


LOGIN_REMEDIES: Final[Mapping[str, str]] = {
    "invalid_client_id": "consumer_key is not that of an External Client App of this org; after "
    "making one wait ten minutes",
    "invalid_client": "consumer_secret does not belong to consumer_key",
    "invalid_app_access": "pre-authorise the app for the user's profile or permission set",
    "INVALID_LOGIN": "check username, password and security_token; SOAP logins are off in orgs "
    "made since Winter '26 and end with Summer '27, so use consumer_key and consumer_secret",
}


def certainly_not_made(error: CrmUnavailable) -> bool:
    """Whether a failed call has made nothing for sure: it was refused, or did not arrive."""
    return isinstance(error, Rejected) or error.code in NOTHING_MADE
