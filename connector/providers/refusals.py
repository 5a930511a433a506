"""What it means that a provider does not take a text, in the words all adapters share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.providers.reading import http_date

if TYPE_CHECKING:
    from connector.providers.wire import Answer

Means = tuple[type[SendFailed], str]
"""What to raise when a code answers a send, and our reason for that code anywhere.

Faults of the whole account are ``Deferred``: texts are kept while the operator mends it, and
expire by themselves. ``Refused`` with ``configuration`` concerns one country or number only.
"""

STATUSES: Final[Mapping[int, Means]] = {
    **dict.fromkeys(range(300, 400), (Deferred, "configuration")),
    **dict.fromkeys((401, 402, 403, 404, 405, 407), (Deferred, "configuration")),
    408: (Uncertain, "timeout"),
}
"""HTTP status → the same, where the code says nothing."""

MAX_RETRY_AFTER: Final = 3_600.0  #: seconds


def reason(codes: Mapping[str, Means], code: str) -> str:
    """Our stable word for a code in a receipt; "" where there is none."""
    return codes[code][1] if code in codes else "unknown" if code else ""


def failure(
    provider: str, answer: Answer, code: str, codes: Mapping[str, Means], see: str = ""
) -> SendFailed:
    """The error that an answer other than 2xx comes to.

    It never repeats the provider's own wording, which may hold the whole number. ``provider`` is
    its name as people write it, ``see`` where its codes are explained.
    """
    says = f"{provider} answered {answer.status}" + (f" with code {code}" if code else "")
    if answer.status >= 500:
        return Uncertain(says, reason="unavailable", code=code)
    if answer.status == 429:
        says = f"{says}: {advice(provider, 'rate_limited', see)}"
        wait = retry_after(answer)
        return Deferred(says, reason="rate_limited", code=code, retry_after=wait)
    kind, why = codes.get(code) or STATUSES.get(answer.status) or (Refused, "unknown")
    return kind(f"{says}: {advice(provider, why, see)}", reason=why, code=code)


def of_listing(error: SendFailed) -> SendFailed:
    """A list or a status that cannot be had now is asked for again, whatever the answer says."""
    return error if isinstance(error, (Deferred, Uncertain)) else Uncertain(str(error))


def advice(provider: str, why: str, see: str = "") -> str:
    """What to do about a reason."""
    known = {
        "configuration": f"check the account, secrets, sender and addresses of {provider}",
        "rate_limited": f"{provider} asks for fewer texts; wait before the next",
        "opted_out": f"the person stopped texts from this sender at {provider}",
        "content": "change the template before it is sent again",
    }
    return known.get(why) or (f"see {see}" if see else f"look the code up at {provider}")


def retry_after(answer: Answer) -> float | None:
    """Seconds to wait by the Retry-After header (seconds or a date), at most an hour."""
    written = answer.headers.get("Retry-After") or ""
    until, now = http_date(written), http_date(answer.headers.get("Date"))
    if written.isascii() and written.isdigit():
        seconds = float(written[:9])
    elif until and now:
        seconds = (until - now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
