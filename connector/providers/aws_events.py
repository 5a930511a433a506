"""AWS's events and inbound texts, as SNS brings them.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from connector.errors import Uncertain, Unreadable
from connector.messages import Accepted, Receipt, Reply
from connector.model import Hook, Json, Status
from connector.providers.reading import e164, identifier, iso_date, json_object, whole

PROVIDER: Final = "aws"
REFERENCE: Final = "send_id"  #: the key of our reference in a text's Context
CURRENCY: Final = "USD"

#: ``messageStatus`` → (our status, our reason)
STATUSES: Final[Mapping[str, tuple[Status, str]]] = {
    "QUEUED": (Status.accepted, ""),
    "PENDING": (Status.accepted, ""),
    "SENT": (Status.sent, ""),
    "SUCCESSFUL": (Status.sent, ""),  # the carrier took it
    "DELIVERED": (Status.delivered, ""),
    "INVALID": (Status.undelivered, "invalid_number"),
    "INVALID_MESSAGE": (Status.undelivered, "content"),
    "UNREACHABLE": (Status.undelivered, "unavailable"),
    "CARRIER_UNREACHABLE": (Status.undelivered, "unavailable"),
    "BLOCKED": (Status.undelivered, "blocked"),
    "CARRIER_BLOCKED": (Status.undelivered, "blocked"),
    "SPAM": (Status.undelivered, "content"),
    "TTL_EXPIRED": (Status.undelivered, "timeout"),
    "PROTECT_BLOCKED": (Status.failed, "configuration"),
    "UNKNOWN": (Status.unknown, ""),  # after 72 hours without a word from the carrier
}

#: What AWS itself takes as an opt-out, and answers, unless opt-outs are self-managed.
OPT_OUTS: Final = frozenset(
    {
        *("ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD"),
        "UNSUBSCRIBE",
    }
)


def accepted(answer: Mapping[str, Any]) -> Accepted:
    """What AWS answers where it took a text."""
    number = identifier(answer.get("MessageId"))
    if not number:
        raise Uncertain("AWS took the request but its answer is unreadable")
    return Accepted(number)


def ended(hook: Hook) -> str:
    """The topic whose subscription to us has ended, where that is what a message says."""
    notice = json_object(hook.body)
    gone = notice.get("Type") == "UnsubscribeConfirmation"
    return str(notice.get("TopicArn") or "") if gone else ""


def read(hook: Hook, *, answers_opt_outs: bool) -> Sequence[Receipt | Reply]:
    """What a checked SNS message says; nothing where it is only about the subscription.

    Raises ``Unreadable`` when it is neither receipt nor reply. Events of a topic that serves others
    too (calls, registrations) say nothing to us.
    """
    notice = json_object(hook.body)
    if notice.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return []
    told = json_object(str(notice.get("Message") or "").encode(errors="replace"))
    if told.get("inboundMessageId") and told.get("originationNumber"):
        return [_reply(told, notice, answers_opt_outs)]
    if told.get("messageId") and isinstance(told.get("messageStatus"), str):
        return [_receipt(told)]
    if told.get("eventType"):
        return []
    raise Unreadable("neither receipt nor reply: messageStatus or inboundMessageId is missing")


def _receipt(told: Mapping[str, Json]) -> Receipt:
    raw = str(told["messageStatus"])
    status, reason = STATUSES.get(raw, (Status.unknown, ""))
    context = told.get("context")
    cost = _micros(told)
    return Receipt(
        provider=PROVIDER,
        provider_id=str(told["messageId"]),
        status=status,
        raw_status=raw,
        error_code=raw if reason else "",
        reason=reason,
        occurred_at=_instant(told.get("eventTimestamp")),
        stamp=str(told.get("eventTimestamp") or ""),
        send_id=str(context.get(REFERENCE) or "") if isinstance(context, dict) else "",
        segments=whole(told.get("totalMessageParts")),
        cost_micros=cost,
        currency=CURRENCY if cost is not None else "",
    )


def _reply(told: Mapping[str, Json], notice: Mapping[str, Json], answers: bool) -> Reply:
    text = str(told.get("messageBody") or "")
    word = text.strip().upper()
    answered = "STOP" if word in OPT_OUTS else "HELP" if word == "HELP" else ""
    return Reply(
        provider=PROVIDER,
        provider_id=str(told["inboundMessageId"]),
        sender=e164(told["originationNumber"]),
        to=e164(told.get("destinationNumber")),
        text=text,
        occurred_at=iso_date(notice.get("Timestamp")),
        opt_out_type=answered if answers else "",
    )


def _micros(told: Mapping[str, Json]) -> int | None:
    """Price and carrier's fee together, in millionths of a dollar; None where neither is told."""
    parts = [told.get("totalMessagePrice"), told.get("totalCarrierFee")]
    known = [part for part in parts if _is_amount(part)]
    return round(sum(Decimal(str(part)) for part in known) * 1_000_000) if known else None


def _is_amount(part: Json) -> bool:
    return not isinstance(part, bool) and isinstance(part, (int, float)) and 0 <= part < 10**6


def _instant(milliseconds: Json) -> datetime | None:
    if type(milliseconds) is not int or not 0 <= milliseconds < 10**14:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
