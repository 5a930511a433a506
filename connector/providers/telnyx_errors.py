"""What Telnyx's error codes and HTTP statuses mean for a text.

https://developers.telnyx.com/docs/messaging/messages/error-codes
https://developers.telnyx.com/development/api-fundamentals/api-errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.model import Json
from connector.providers import refusals
from connector.providers.reading import inside, json_object

if TYPE_CHECKING:
    from connector.providers.wire import Answer

NAME: Final = "Telnyx"
SEE: Final = "https://developers.telnyx.com/docs/messaging/messages/error-codes"

#: Telnyx's code → what it means.
CODES: Final[Mapping[str, refusals.Means]] = {
    "10002": (Refused, "invalid_number"),
    "10003": (Deferred, "configuration"),  # callback address not valid
    "10007": (Uncertain, "unavailable"),
    "10008": (Uncertain, "timeout"),
    "10009": (Deferred, "configuration"),  # authentication
    "10010": (Deferred, "configuration"),  # authorization
    "10011": (Deferred, "rate_limited"),
    "20012": (Deferred, "configuration"),  # account inactive
    "20013": (Deferred, "configuration"),  # account blocked
    "20100": (Deferred, "configuration"),  # no money
    "40001": (Refused, "not_mobile"),  # landline or not routable
    "40002": (Refused, "content"),  # spam, for now
    "40003": (Refused, "content"),  # spam, for good
    "40004": (Refused, "blocked"),  # rejected by the destination
    "40005": (Refused, "unavailable"),  # expired on its way
    "40006": (Refused, "unavailable"),  # recipient's server down
    "40008": (Refused, "blocked"),  # the carrier did not accept it
    "40009": (Refused, "content"),
    "40010": (Deferred, "configuration"),  # number without a 10DLC campaign
    "40011": (Deferred, "rate_limited"),
    "40012": (Refused, "invalid_number"),
    "40013": (Deferred, "configuration"),  # bad sender
    "40014": (Refused, "unavailable"),  # expired in Telnyx's queue
    "40015": (Refused, "content"),
    "40016": (Deferred, "rate_limited"),  # T-Mobile's day is used up
    "40017": (Refused, "content"),
    "40018": (Deferred, "rate_limited"),  # AT&T's rate
    "40151": (Deferred, "configuration"),
    "40300": (Refused, "opted_out"),
    "40301": (Refused, "not_mobile"),  # the recipient cannot take this kind
    "40302": (Refused, "content"),  # too large
    "40304": (Refused, "content"),
    "40305": (Deferred, "configuration"),  # bad sender
    "40306": (Deferred, "configuration"),
    "40309": (Refused, "configuration"),  # country not enabled
    "40310": (Refused, "invalid_number"),
    "40312": (Deferred, "configuration"),  # profile disabled
    "40314": (Deferred, "configuration"),
    "40315": (Deferred, "configuration"),  # sender in bad health
    "40316": (Refused, "content"),  # empty
    "40318": (Deferred, "rate_limited"),  # queue full
    "40319": (Refused, "blocked"),
    "40320": (Deferred, "configuration"),
    "40321": (Deferred, "configuration"),  # profile without a usable number
    "40322": (Refused, "content"),
    "40328": (Refused, "content"),  # over the length allowed
    "40329": (Deferred, "configuration"),  # toll-free number not verified
}


def reason(code: str) -> str:
    """Our stable word for a code in a receipt; "" where there is none."""
    return refusals.reason(CODES, code)


def code_of(told: Json) -> str:
    """The first error's code in an answer or a message; "" where there is none."""
    code = inside(told, "errors", 0, "code")
    written = str(code) if isinstance(code, (str, int)) else ""
    return written if written.isascii() and written.isdigit() and len(written) <= 6 else ""


def failure(answer: Answer) -> SendFailed:
    """The error that an answer other than 2xx comes to; it never repeats Telnyx's own wording."""
    told = json_object(answer.body)
    code = code_of(told)
    if code not in CODES and _repeats(answer, told):
        says = f"{NAME} answered {answer.status}: this text was handed over before"
        return Uncertain(says, reason="unavailable", code=code)
    return refusals.failure(NAME, answer, code, CODES, SEE)


def _repeats(answer: Answer, told: Json) -> bool:
    """Whether the key was used before: then that text may have been taken."""
    if answer.status == 409:
        return True
    said = f"{inside(told, 'errors', 0, 'title')} {inside(told, 'errors', 0, 'detail')}"
    return answer.status == 422 and "idempotency" in said.lower()
