"""What boto3's exceptions and AWS's error codes mean for a text.

https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
Codes and reasons are those of package botocore 1.44.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ssl import SSLCertVerificationError
from typing import Any, Final

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.providers import refusals

SEE: Final = "https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/"
SEND: Final = "SendTextMessage"
CREDENTIALS: Final = "boto3 could not get credentials for AWS"

_KEPT: Final[refusals.Means] = (Deferred, "configuration")  # of the whole account
_CLOSED: Final[refusals.Means] = (Refused, "configuration")  # of one country or number

#: ``Code`` or ``Code.Reason``, or of a faulty field ``Code.Field`` → what it means.
CODES: Final[Mapping[str, refusals.Means]] = {
    "ThrottlingException": (Deferred, "rate_limited"),
    "ServiceQuotaExceededException": _KEPT,
    "ServiceQuotaExceededException.DAILY_NOTIFY_TIER_MESSAGE_LIMIT": (Deferred, "rate_limited"),
    **dict.fromkeys(
        (
            *("AccessDeniedException", "UnrecognizedClientException", "ResourceNotFoundException"),
            *("InvalidSignatureException", "IncompleteSignatureException", "OptInRequired"),
            *("ExpiredTokenException", "InvalidClientTokenId", "MissingAuthenticationToken"),
            *("RequestExpired", "NotAuthorized", "SignatureDoesNotMatch", "ConflictException"),
        ),
        _KEPT,
    ),
    "ConflictException.DESTINATION_PHONE_NUMBER_OPTED_OUT": (Refused, "opted_out"),
    "ConflictException.DESTINATION_PHONE_NUMBER_NOT_VERIFIED": _CLOSED,  # sandbox account
    "ConflictException.DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": _CLOSED,
    "ConflictException.DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": (
        Refused,
        "blocked",
    ),
    "ValidationException": (Refused, "unknown"),
    "ValidationException.DestinationPhoneNumber": (Refused, "invalid_number"),
    "ValidationException.MessageBody": (Refused, "content"),
    **dict.fromkeys(
        (
            "ValidationException.COUNTRY_CODE_MISMATCH",
            "ValidationException.COUNTRY_NOT_ENABLED",
            "ValidationException.DESTINATION_COUNTRY_BLOCKED",
            "ValidationException.INTERNATIONAL_SENDING_NOT_SUPPORTED",
            "ValidationException.INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
            "ValidationException.PRICE_OVER_THRESHOLD",
        ),
        _CLOSED,
    ),
    **dict.fromkeys(
        (
            "ValidationException.CHANNEL_NOT_ENABLED",
            "ValidationException.ConfigurationSetName",
            "ValidationException.INVALID_ARN",
            "ValidationException.OriginationIdentity",
            "ValidationException.RESOURCE_NOT_ACCESSIBLE",
            "ValidationException.SENDER_ID_NOT_REGISTERED",
            "ValidationException.SENDER_ID_NOT_SUPPORTED",
            "ValidationException.SENDER_ID_REQUIRES_REGISTRATION",
        ),
        _KEPT,
    ),
}

#: botocore's own exceptions, by name, where no answer came: nearest first.
MISHAPS: Final[Mapping[str, tuple[type[SendFailed], str, str]]] = {
    "ConnectTimeoutError": (Deferred, "timeout", "AWS did not accept a connection"),
    "ReadTimeoutError": (Uncertain, "timeout", "AWS did not answer in time"),
    "EndpointConnectionError": (Deferred, "unavailable", "AWS could not be reached"),
    "ProxyConnectionError": (Deferred, "unavailable", "the proxy to AWS could not be reached"),
    "SSLError": (Uncertain, "unavailable", "the TLS connection to AWS broke"),
    "NoCredentialsError": (*_KEPT, "boto3 found no credentials for AWS"),
    "PartialCredentialsError": (*_KEPT, "boto3 found no whole credentials for AWS"),
    "CredentialRetrievalError": (*_KEPT, CREDENTIALS),
    "TokenRetrievalError": (*_KEPT, CREDENTIALS),
    "ParamValidationError": (Refused, "content", "AWS would not take such a text or number"),
    "ResponseParserError": (Uncertain, "unknown", "AWS's answer is unreadable"),
}

_WORD = re.compile(r"[A-Za-z_]{1,80}")


def failure(error: Exception) -> SendFailed:
    """The error that an exception of boto3 comes to; it never repeats AWS's own wording."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        if getattr(error, "operation_name", SEND) != SEND:  # who gives credentials was asked first
            return Deferred(CREDENTIALS, reason="configuration")
        return _answered(answer)
    if _is_of_certificate(error):
        return Deferred("AWS's certificate could not be proven", reason="unavailable")
    for base in type(error).__mro__:
        if base.__name__ in MISHAPS:
            kind, reason, says = MISHAPS[base.__name__]
            return kind(says, reason=reason)
    return Uncertain("the exchange with AWS broke off", reason="unavailable")


def unopened(error: Exception) -> Deferred:
    """Why boto3 made no client: nothing was asked of AWS."""
    says = f"boto3 cannot be used for AWS ({type(error).__name__}): check region, profile, version"
    return Deferred(says, reason="configuration")


def _is_of_certificate(error: Exception) -> bool:
    """Whether AWS's certificate was refused, so that nothing was sent; other faults of TLS may
    come after a text."""
    told = getattr(error, "kwargs", {}).get("error")
    parts = (told, *getattr(told, "args", ()))
    return any(isinstance(part, SSLCertVerificationError) for part in parts)


def _answered(answer: Mapping[str, Any]) -> SendFailed:
    told = answer.get("Error") or {}
    status = int((answer.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0)
    code = next((one for one in _codes(answer, _word(told.get("Code"))) if one in CODES), None)
    name = code or _word(told.get("Code"))
    says = f"AWS answered {status}" + (f" with {name}" if name else "")
    if status >= 500 or status == 408:
        return Uncertain(says, reason="unavailable" if status >= 500 else "timeout", code=name)
    if code is None and status == 429:
        code = "ThrottlingException"
    kind, why = CODES[code] if code else refusals.STATUSES.get(status, (Refused, "unknown"))
    return kind(f"{says}: {refusals.advice('AWS', why, SEE)}", reason=why, code=name)


def _codes(answer: Mapping[str, Any], code: str) -> list[str]:
    """How the table may name an answer, the most exact first."""
    fields = answer.get("Fields")
    named = [field.get("Name") for field in fields or [] if isinstance(field, dict)]
    return [f"{code}.{_word(part)}" for part in (*named, answer.get("Reason"))] + [code]


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
