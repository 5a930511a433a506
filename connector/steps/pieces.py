"""Deliveries, taken apart: one event, receipt, reply or unreadable part at a time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.errors import Unreadable
from connector.ledger.inbox import Delivery
from connector.messages import Receipt, Reply
from connector.model import Event, Hook
from connector.rules import identity
from connector.rules.clicks import Fetch
from connector.steps import byhand, clicks, hints
from connector.steps.setup import Setup

log = logging.getLogger("connector")

Told = Receipt | Reply | Fetch | hints.Noted | Mapping[str, Any]
"""What is no event: a receipt, a reply, a fetch of a link, what a CRM hints at or wants, or (a
mapping) a start by hand."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One event, receipt, reply or unreadable part of a delivery, and where it stands in it."""

    delivery: Delivery
    place: int  #: from 1
    is_last: bool
    event: Event | None = None
    told: Told | None = None
    rejected: tuple[str, bytes] | None = None


def read(rt: Setup, delivery: Delivery) -> list[Piece]:
    """The pieces of one delivery, at least one; nothing here touches the ledger."""
    events_, told, rejected = _parsed(rt, delivery)
    count = len(events_) + len(told) + len(rejected)
    if not count and delivery.kind == "callback":  # it was about a subscription, say
        return [Piece(delivery, 1, True)]
    if not count:
        rejected, count = [("the delivery held nothing", delivery.body)], 1
    pieces = [Piece(delivery, 0, False, event=event) for event in events_]
    pieces += [Piece(delivery, 0, False, told=item) for item in told]
    pieces += [Piece(delivery, 0, False, rejected=item) for item in rejected]
    return [
        replace(piece, place=place, is_last=place == count) for place, piece in enumerate(pieces, 1)
    ]


def _parsed(
    rt: Setup, delivery: Delivery
) -> tuple[Sequence[Event], Sequence[Told], Sequence[tuple[str, bytes]]]:
    hook = Hook("POST", delivery.url, delivery.headers, delivery.body)
    if delivery.kind == "unreadable":
        return (), (), [(delivery.reason, delivery.body)]
    try:
        if delivery.kind == "click":
            return (), [clicks.read(delivery)], ()
        if delivery.kind == "hand":
            return (), [byhand.read(delivery)], ()
        if delivery.kind == "callback":
            return (), rt.providers[delivery.source].parse(hook), ()
        source = rt.sources[delivery.source]
        parsed = source.adapter.parse(hook, delivery.received_at)
        events = [identity.checked(event, source.trust, source.signed) for event in parsed.events]
    except KeyError:
        return (), (), [("its source is no longer configured", delivery.body)]
    except Unreadable as error:
        return (), (), [(str(error), delivery.body)]
    except Exception as error:  # a door: what one stranger sent must not hold up the rest
        log.exception("act=read source=%s result=failed", delivery.source)
        return (), (), [(f"internal: {type(error).__name__}", delivery.body)]
    return events, hints.of(delivery.source, parsed), parsed.rejected
