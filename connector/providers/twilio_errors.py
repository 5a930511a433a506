"""What Twilio's error codes and HTTP statuses mean for a text.

https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.providers import refusals
from connector.providers.reading import json_object

if TYPE_CHECKING:
    from connector.providers.wire import Answer

#: Twilio's code → what it means.
CODES: Final[Mapping[str, refusals.Means]] = {
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
    # WhatsApp, RCS and other channels. A channel that does not carry a text says nothing against
    # the number itself, which may take an SMS.
    **dict.fromkeys(
        ("63001", "63002", "63007", "63008", "63015", "63020", "63022", "63051"),
        (Deferred, "configuration"),
    ),
    **dict.fromkeys(
        (
            *("63005", "63006", "63013", "63016", "63019", "63021", "63025", "63027", "63028"),
            *("63029", "63030", "63034"),
        ),
        (Refused, "content"),  # 63016: outside the 24 hours, where WhatsApp takes templates only
    ),
    "63031": (Refused, "invalid_number"),  # to equals from
    **dict.fromkeys(("63017", "63018", "63038"), (Deferred, "rate_limited")),
    **dict.fromkeys(("63009", "63010", "63011", "63012"), (Uncertain, "unavailable")),
    "63014": (Refused, "opted_out"),
    **dict.fromkeys(
        ("63003", "63024", "63032", "63033", "63049"), (Refused, "blocked")
    ),  # the first two: nobody of this number is on the channel
    **dict.fromkeys(("63036", "63106"), (Refused, "unavailable")),  # not reachable by RCS
}

NAME: Final = "Twilio"


def reason(code: str) -> str:
    """Our stable word for a code in a receipt; "" where there is none."""
    return refusals.reason(CODES, code)


def failure(answer: Answer) -> SendFailed:
    """The error that an answer other than 2xx comes to; it never repeats Twilio's own wording."""
    code = _code(answer)
    see = f"https://www.twilio.com/docs/errors/{code}" if code else ""
    return refusals.failure(NAME, answer, code, CODES, see)


def _code(answer: Answer) -> str:
    code = json_object(answer.body).get("code")
    return str(code) if isinstance(code, int) and 0 < code < 10**6 else ""
