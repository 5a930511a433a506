"""What the Messages API's error codes and HTTP statuses mean for a text.

https://developer.vonage.com/en/api-errors/messages
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.model import Json
from connector.providers import refusals
from connector.providers.reading import inside, json_object, written

if TYPE_CHECKING:
    from connector.providers.wire import Answer

NAME: Final = "Vonage"
SEE: Final = "https://developer.vonage.com/en/api-errors/messages"

#: Vonage's code → what it means.
CODES: Final[Mapping[str, refusals.Means]] = {
    "1000": (Deferred, "rate_limited"),
    "1030": (Uncertain, "unavailable"),  # internal error
    "1040": (Refused, "invalid_number"),  # unknown prefix
    "1050": (Refused, "blocked"),  # number barred
    "1060": (Deferred, "configuration"),  # account barred
    "1070": (Deferred, "configuration"),  # no money
    "1080": (Deferred, "configuration"),
    "1090": (Refused, "content"),  # too long
    "1100": (Uncertain, "unavailable"),  # communication failed
    "1110": (Deferred, "configuration"),
    "1120": (Refused, "configuration"),  # sender not allowed in that country
    "1130": (Refused, "configuration"),  # ttl
    "1140": (Deferred, "configuration"),  # facility not enabled
    "1160": (Refused, "configuration"),  # number not on a trial account's list
    "1170": (Refused, "invalid_number"),
    "1180": (Refused, "unavailable"),  # handset off, for now
    "1190": (Refused, "invalid_number"),  # no longer active
    "1200": (Refused, "unavailable"),  # portability
    "1210": (Refused, "content"),  # anti-spam
    "1220": (Refused, "unavailable"),  # handset busy
    "1230": (Refused, "unavailable"),  # network, for now
    "1240": (Refused, "opted_out"),
    "1241": (Deferred, "rate_limited"),
    "1250": (Refused, "blocked"),  # unroutable
    "1260": (Refused, "unavailable"),  # destination out of reach
    "1270": (Refused, "blocked"),  # age
    "1280": (Refused, "blocked"),  # by the carrier
    "1290": (Refused, "blocked"),  # the person's own credit
    "1300": (Refused, "not_mobile"),  # unknown to the network
    "1310": (Refused, "not_mobile"),  # device cannot take it
    "1330": (Refused, "unknown"),
    "1360": (Refused, "unavailable"),  # expired
    "unauthorized": (Deferred, "configuration"),
    "forbidden": (Deferred, "configuration"),
    "low-balance": (Deferred, "configuration"),
    "throttled": (Deferred, "rate_limited"),
}


def reason(code: str) -> str:
    """Our stable word for a code in a receipt; "" where there is none."""
    return refusals.reason(CODES, code)


def code_of(error: Json) -> str:
    """The code of a problem: what its type's address ends in, else a title that is a number."""
    ending = written(inside(error, "type")).partition("#")[2]
    title = str(inside(error, "title") or "")
    for code in (ending, title):
        if code.isascii() and code.isdigit() and len(code) <= 6:
            return code
    return ending if ending in CODES else ""


def failure(answer: Answer) -> SendFailed:
    """The error that an answer other than 2xx comes to; it never repeats Vonage's own wording."""
    code = code_of(json_object(answer.body))
    return refusals.failure(NAME, answer, code, CODES, SEE)
