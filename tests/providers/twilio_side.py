"""The other side of the Twilio adapter: its API by ``responses``, its callbacks by its signature.

Names of parameters are those of Twilio's OpenAPI description (twilio/twilio-oai, MIT).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
import responses

from connector.model import Hook
from connector.providers.twilio import Twilio

ACCOUNT = "AC" + "a" * 32
SERVICE = "MG" + "b" * 32
ORIGIN = "https://api.twilio.com"
MESSAGES_URL = f"{ORIGIN}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

CREATE_PARAMETERS = frozenset(
    {
        *("To", "StatusCallback", "ApplicationSid", "MaxPrice", "ProvideFeedback", "Attempt"),
        *("ValidityPeriod", "ForceDelivery", "ContentRetention", "AddressRetention"),
        *("SmartEncoded", "PersistentAction", "TrafficType", "ShortenUrls", "ScheduleType"),
        *("SendAt", "SendAsMms", "ContentVariables", "RiskCheck", "From", "FallbackFrom"),
        *("MessagingServiceSid", "Body", "MediaUrl", "ContentSid"),
    }
)
LIST_PARAMETERS = frozenset(
    {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"}
)
LIST: dict[str, Any] = {"messages": [], "page": 0, "page_size": 100, "next_page_uri": None}

Match = Callable[[requests.PreparedRequest], tuple[bool, str]]


def form(request: requests.PreparedRequest) -> dict[str, str]:
    """The fields of a request that was sent."""
    body = request.body
    assert isinstance(body, bytes)
    pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def _creates(request: requests.PreparedRequest) -> tuple[bool, str]:
    fields = form(request)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    unknown = set(fields) - CREATE_PARAMETERS
    complete = {"To", "Body"} <= set(fields) and {"From", "MessagingServiceSid"} & set(fields)
    return not unknown and bool(complete) and all(fields.values()), f"fields are {sorted(fields)}"


def _lists(request: requests.PreparedRequest) -> tuple[bool, str]:
    query = parse_qs(urlsplit(str(request.url)).query, strict_parsing=True)
    assert request.body is None
    return set(query) <= LIST_PARAMETERS, f"query is {sorted(query)}"


class TwilioSide:
    """Twilio, as the adapter meets it; on leaving, each call must have been expected and made."""

    def __init__(self, token: str = "12345", **settings: Any) -> None:
        self.token = token
        self.calls = responses.RequestsMock(assert_all_requests_are_fired=True)
        self.adapter = Twilio(
            **{
                "account_sid": ACCOUNT,
                "auth_tokens": [token],
                "messaging_service_sid": SERVICE,
                **settings,
            }
        )

    def __enter__(self) -> TwilioSide:
        self.calls.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.calls.stop(allow_assert=kind is None)
        for call in self.calls.calls:
            assert "refused by Responses" not in str(call.response), call.response

    def answers_send(self, **answer: Any) -> None:
        self.calls.add(responses.POST, MESSAGES_URL, match=[_creates], **answer)

    def answers_list(
        self, *, at: datetime | None, expected: bool = True, url: str = MESSAGES_URL, **answer: Any
    ) -> None:
        headers = {"Date": format_datetime(at, usegmt=True)} if at else {}
        self.calls.assert_all_requests_are_fired = expected
        self.calls.add(responses.GET, url, match=[_lists], headers=headers, **answer)

    def signed(self, url: str, body: bytes) -> Hook:
        return Hook("POST", url, {"x-twilio-signature": signature(self.token, url, body)}, body)


def signature(token: str, url: str, body: bytes) -> str:
    """X-Twilio-Signature over an address and a form."""
    fields: dict[str, set[str]] = {}
    for name, value in parse_qsl(body.decode(errors="replace"), keep_blank_values=True):
        fields.setdefault(name, set()).add(value)
    what = url + "".join(n + v for n in sorted(fields) for v in sorted(fields[n]))
    digest = hmac.new(token.encode(), what.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def created(**changes: Any) -> dict[str, Any]:
    """A Message as Twilio describes one it has just created."""
    return {
        "sid": "SM" + "c" * 32,
        "account_sid": ACCOUNT,
        "status": "accepted",
        "direction": "outbound-api",
        "to": "+14155552671",
        "from": None,
        "messaging_service_sid": SERVICE,
        "body": "Corner Shop: your basket is waiting. Reply STOP to opt out",
        "num_segments": "1",
        "date_created": "Mon, 01 Mar 2027 12:00:03 +0000",
        "date_sent": None,
        "error_code": None,
        "price": None,
        "price_unit": "USD",
        **changes,
    }


def dated(at: datetime, **changes: Any) -> dict[str, Any]:
    """A Message created at an instant."""
    return created(date_created=format_datetime(at), **changes)
