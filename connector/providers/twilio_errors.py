"""What Twilio's error codes and HTTP statuses mean for a text.

https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.model import Json

if TYPE_CHECKING:
    from connector.providers.wire import Answer

#: Twilio's code → (what to raise when it answers a send, our reason for it anywhere).
#: Faults of the whole account are ``Deferred``: texts are kept while the operator mends it, and
#: expire by themselves. ``Refused`` with ``configuration`` concerns one country or number only.
CODES: Final[Mapping[str, tuple[type[SendFailed], str]]] = {
    "14107": (Deferred, "rate_limited"),  # too many between one pair of numbers
    "20003": (Deferred, "configuration"),  # authentication
    "20404": (Deferred, "configuration"),  # no such account
    "20429": (Deferred, "rate_limited"),
    "20500": (Uncertain, "unavailable"),
    "20503": (Uncertain, "unavailable"),
    "21211": (Refused, "invalid_number"),
    "21212": (Deferred, "configuration"),  # bad sender
    "21265": (Refused, "invalid_number"),  # to equals from
    "21266": (Refused, "invalid_number"),
    "21408": (Refused, "configuration"),  # country not enabled
    "21602": (Refused, "content"),  # empty
    "21603": (Deferred, "configuration"),  # no sender
    "21606": (Deferred, "configuration"),  # sender not ours
    "21608": (Refused, "configuration"),  # unverified number on a trial account
    "21609": (Deferred, "configuration"),  # callback address not valid
    "21610": (Refused, "opted_out"),
    "21611": (Deferred, "rate_limited"),  # sender's queue full
    "21612": (Refused, "blocked"),  # not routable from this sender
    "21614": (Refused, "not_mobile"),
    "21617": (Refused, "content"),  # over 1,600 characters
    "21635": (Refused, "not_mobile"),
    "21703": (Deferred, "configuration"),  # messaging service without a usable sender
    "21704": (Deferred, "configuration"),
    "21705": (Deferred, "configuration"),
    "21709": (Deferred, "configuration"),
    "30001": (Deferred, "rate_limited"),
    "30002": (Deferred, "configuration"),  # account suspended
    "30003": (Refused, "unavailable"),  # handset off or out of reach
    "30004": (Refused, "blocked"),
    "30005": (Refused, "invalid_number"),
    "30006": (Refused, "not_mobile"),
    "30007": (Refused, "content"),  # filtered
    "30008": (Refused, "unknown"),
    "30017": (Deferred, "rate_limited"),
    "30019": (Refused, "content"),
    "30020": (Uncertain, "unavailable"),
    "30022": (Deferred, "rate_limited"),
    "30023": (Deferred, "rate_limited"),  # daily cap of a carrier
    "30024": (Deferred, "configuration"),
    "30027": (Deferred, "rate_limited"),
    "30032": (Deferred, "configuration"),  # toll-free number not verified
    "30034": (Deferred, "configuration"),  # number without a campaign
    "30035": (Deferred, "configuration"),
    "30039": (Refused, "blocked"),
    "30410": (Uncertain, "timeout"),
    "30450": (Deferred, "configuration"),
    "30610": (Deferred, "unavailable"),  # Twilio's own quiet hours
    "30615": (Deferred, "unavailable"),
    "63014": (Refused, "opted_out"),
}

#: HTTP status → the same, where the code says nothing.
STATUSES: Final[Mapping[int, tuple[type[SendFailed], str]]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), (Deferred, "configuration")),
    **dict.fromkeys((401, 403, 404, 405, 407), (Deferred, "configuration")),
    408: (Uncertain, "timeout"),
}

ADVICE: Final[Mapping[str, str]] = {
    "configuration": "check account, tokens, sender and addresses of [providers.twilio]",
    "rate_limited": "Twilio asks for fewer texts; wait before the next",
    "opted_out": "the person stopped texts from this sender at Twilio",
    "content": "change the template before it is sent again",
}

MAX_RETRY_AFTER: Final = 3_600.0  #: seconds


def reason(code: str) -> str:
    """Our stable word for a code in a receipt; "" where there is none."""
    return CODES[code][1] if code in CODES else "unknown" if code else ""


def failure(answer: Answer) -> SendFailed:
    """The error that an answer other than 2xx comes to; it never repeats Twilio's own wording.

    (That wording holds the whole number.)
    """
    code = _code(answer)
    says = f"Twilio answered {answer.status}" + (f" with code {code}" if code else "")
    if answer.status >= 500:
        return Uncertain(says, reason="unavailable", code=code)
    if answer.status == 429:
        says = f"{says}: {ADVICE['rate_limited']}"
        wait = retry_after(answer)
        return Deferred(says, reason="rate_limited", code=code, retry_after=wait)
    kind, why = CODES.get(code) or STATUSES.get(answer.status) or (Refused, "unknown")
    advice = ADVICE.get(why) or f"see https://www.twilio.com/docs/errors/{code}"
    return kind(f"{says}: {advice}", reason=why, code=code)


def retry_after(answer: Answer) -> float | None:
    """Seconds to wait by the Retry-After header (seconds or a date), at most an hour."""
    written = answer.headers.get("Retry-After") or ""
    until, now = instant(written), instant(answer.headers.get("Date"))
    if written.isascii() and written.isdigit():
        seconds = float(written[:9])
    elif until and now:
        seconds = (until - now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def instant(written: Any) -> datetime | None:
    """An RFC 2822 date as Twilio writes it, or None."""
    try:
        found = parsedate_to_datetime(written)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else None


def whole(value: Json) -> int | None:
    """A count; None where it is not known yet, which Twilio writes as "0"."""
    written = str(value)
    return int(written[:6]) or None if written.isascii() and written.isdigit() else None


def json_object(body: bytes) -> dict[str, Json]:
    """A JSON object, or an empty one where there is none."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _code(answer: Answer) -> str:
    code = json_object(answer.body).get("code")
    return str(code) if isinstance(code, int) and 0 < code < 10**6 else ""
