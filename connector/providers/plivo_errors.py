"""What Plivo's error codes and HTTP statuses mean for a text.

https://www.plivo.com/docs/messaging/troubleshooting/error-codes
https://www.plivo.com/docs/messaging/api/response

Codes come with receipts; an answer to a request has words alone, of which only those about the
sender are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.providers import refusals
from connector.providers.reading import json_object, written

if TYPE_CHECKING:
    from connector.providers.wire import Answer

NAME: Final = "Plivo"
SEE: Final = "https://www.plivo.com/docs/messaging/troubleshooting/error-codes"

#: Plivo's code → what it means.
CODES: Final[Mapping[str, refusals.Means]] = {
    "10": (Refused, "content"),  # invalid message, says the carrier
    "20": (Refused, "unavailable"),  # network, for now
    "30": (Refused, "content"),  # spam
    "40": (Deferred, "configuration"),  # bad sender
    "50": (Refused, "invalid_number"),
    "60": (Refused, "blocked"),  # loop
    "70": (Refused, "invalid_number"),  # permanently unavailable
    "80": (Refused, "unavailable"),  # for now
    "90": (Refused, "blocked"),  # no route
    "100": (Refused, "not_mobile"),  # the network takes no texts
    "110": (Refused, "content"),  # too long
    "200": (Refused, "opted_out"),
    "201": (Refused, "blocked"),  # US toll-free to Canada
    "300": (Uncertain, "unavailable"),
    "420": (Refused, "unavailable"),  # expired
    "900": (Deferred, "configuration"),  # no money
    "910": (Deferred, "configuration"),  # account disabled
    "1000": (Refused, "unknown"),
}

_OUR_SENDER = re.compile(r"\s*(src|source|powerpack|powerpack_uuid)\b", re.IGNORECASE)


def reason(code: str) -> str:
    """Our stable word for a code in a receipt; "" where there is none."""
    return refusals.reason(CODES, code)


def failure(answer: Answer) -> SendFailed:
    """The error that an answer other than 2xx comes to; it never repeats Plivo's own wording."""
    if answer.status == 400 and _OUR_SENDER.match(written(json_object(answer.body).get("error"))):
        what = refusals.advice(NAME, "configuration")
        return Deferred(f"{NAME} takes no text from this sender: {what}", reason="configuration")
    return refusals.failure(NAME, answer, "", CODES, SEE)
