"""What Sinch's error codes and delivery codes mean for a text.

https://developers.sinch.com/docs/sms/api-reference/status-codes
https://developers.sinch.com/docs/sms/api-reference/sms/delivery-reports
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from connector.errors import Deferred, Refused, SendFailed
from connector.providers import refusals
from connector.providers.reading import json_object

if TYPE_CHECKING:
    from connector.providers.wire import Answer

NAME: Final = "Sinch"

#: ``code`` of an answer → what it means. Sinch's text beside it, which may hold the number, is
#: not read; so a badly written number and a badly written sender are one code, and the number is
#: not blamed for it.
CODES: Final[Mapping[str, refusals.Means]] = {
    "syntax_invalid_json": (Refused, "unknown"),
    "syntax_invalid_parameter_format": (Refused, "unknown"),
    "syntax_constraint_violation": (Refused, "content"),
    "illegal_number_type": (Refused, "not_mobile"),
    "blocked_account": (Deferred, "configuration"),
    "missing_callback_url": (Deferred, "configuration"),
    "unknown_group": (Deferred, "configuration"),
    "unknown_campaign": (Deferred, "configuration"),
}

#: ``code`` of a delivery report → our reason; 0, 400 and 401 are no errors.
DELIVERY: Final[Mapping[str, str]] = {
    "402": "blocked",  # no route to it
    "403": "unavailable",  # Sinch's own fault
    "404": "unavailable",
    "405": "content",  # a parameter of the text has no value
    "406": "timeout",  # expired before it left
    "408": "blocked",  # rejected by the carrier's centre
    "410": "configuration",  # no sender
    "411": "content",  # too many parts
    "412": "configuration",  # region not provisioned
    "413": "configuration",  # account blocked
    "414": "content",
    "415": "blocked",
    "416": "not_mobile",
    "417": "unavailable",
    "418": "content",
}
NO_ERRORS: Final = frozenset({"", "0", "400", "401", "407"})

_WORD = re.compile(r"[a-z_]{1,60}")


def failure(answer: Answer) -> SendFailed:
    """The error that an answer other than 2xx comes to; it never repeats Sinch's own wording."""
    code = json_object(answer.body).get("code")
    told = code if isinstance(code, str) and _WORD.fullmatch(code) else ""
    return refusals.failure(NAME, answer, told, CODES)


def reason(code: str) -> str:
    """Our stable word for a code in a delivery report; "" where it is no error."""
    return "" if code in NO_ERRORS else DELIVERY.get(code, "unknown")
