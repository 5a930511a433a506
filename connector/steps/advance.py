"""Advancing: what came in is read, mapped, laid to a contact, and starts or ends plays."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connector.errors import ConnectorError, ExpressionFailed, Unreadable
from connector.ledger import cursors, enrolments, events
from connector.ledger.inbox import Delivery
from connector.ledger.store import Tx, savepoint
from connector.model import Event, Hook, Receipt, Reply, Signal
from connector.rules import mapping
from connector.rules.mapping import Unmapped
from connector.steps import outcome
from connector.steps.setup import OpenSource, Setup
from connector.steps.signal import take_signal
from connector.steps.walk import walk

log = logging.getLogger("connector")

INBOX = "inbox"
BATCH = 64
DUE_BATCH = 64


@dataclass(frozen=True, slots=True)
class Read:
    """A delivery after reading: what it told, and what of it could not be read."""

    delivery: Delivery
    events: Sequence[tuple[Event, Signal | Unmapped | str]] = ()
    told: Sequence[Receipt | Reply] = ()
    rejected: Sequence[tuple[str, bytes]] = ()


def advance(rt: Setup) -> int:
    """One round: a batch from the inbox and a batch of due steps; how much there was to do.

    Reading, mapping and expressions run before the transaction; then all of the batch is one
    transaction with the inbox cursor in it, so that a death at any instant repeats nothing and
    loses nothing. Each event has a savepoint: one that fails sinks alone, with its reason.
    """
    with rt.store.read() as tx:
        cursor = int(cursors.get(tx, INBOX, "0"))
    deliveries = rt.inbox.after(cursor, BATCH)
    reads = [read(rt, delivery) for delivery in deliveries]
    now = rt.clock()
    with rt.store.write() as tx:
        for item in reads:
            take(tx, rt, item, now)
        if deliveries:
            cursors.set_(tx, INBOX, str(deliveries[-1].seq))
        due = enrolments.due(tx, now, DUE_BATCH)
        for row in due:
            _walk(tx, rt, row["id"], now)
    return len(deliveries) + len(due)


def read(rt: Setup, delivery: Delivery) -> Read:
    """Read and map one delivery; nothing here touches the ledger."""
    hook = Hook("POST", delivery.url, delivery.headers, delivery.body)
    try:
        if delivery.kind == "callback":
            provider = rt.providers[delivery.source]
            return Read(delivery, told=provider.parse(hook))
        if delivery.kind == "unreadable":
            return Read(delivery, rejected=[(delivery.reason, delivery.body)])
        source = rt.sources[delivery.source]
        parsed = source.adapter.parse(hook, delivery.received_at)
    except KeyError:
        return Read(delivery, rejected=[("its source is no longer configured", delivery.body)])
    except Unreadable as error:
        return Read(delivery, rejected=[(str(error), delivery.body)])
    mapped = [(event, map_event(rt, source, event)) for event in parsed.events]
    return Read(delivery, events=mapped, rejected=parsed.rejected)


def map_event(rt: Setup, source: OpenSource, event: Event) -> Signal | Unmapped | str:
    """The signal of an event, why it has none, or (a string) the fault of its mapping."""
    try:
        return mapping.apply(source.mapping, event, source.trust, rt.says.country)
    except ExpressionFailed as error:
        return f"mapping_error: {error}"


def take(tx: Tx, rt: Setup, item: Read, now: datetime) -> None:
    """Write one delivery into the ledger."""
    for event, mapped in item.events:
        take_event(tx, rt, event, mapped, now)
    for told in item.told:
        if isinstance(told, Receipt):
            outcome.receipt(tx, rt, told, now)
        else:
            outcome.reply(tx, rt, told, now)
    for reason, piece in item.rejected:
        events.keep_unreadable(
            tx,
            rt.new_id("unr"),
            item.delivery.source,
            reason,
            piece,
            item.delivery.received_at,
            item.delivery.url,
            item.delivery.headers,
        )


def take_event(
    tx: Tx, rt: Setup, event: Event, mapped: Signal | Unmapped | str, now: datetime
) -> None:
    """Keep one event and act on its signal; a repeated delivery has no second effect."""
    if not events.record(tx, event):
        return
    _act(tx, rt, event, mapped, now)


def again(tx: Tx, rt: Setup, event: Event, now: datetime) -> str:
    """Map a kept event anew (after a mapping was mended) and act on it; what became of it."""
    source = rt.sources.get(event.source)
    if source is None:
        return "its source is no longer configured"
    return _act(tx, rt, event, map_event(rt, source, event), now)


def _act(tx: Tx, rt: Setup, event: Event, mapped: Signal | Unmapped | str, now: datetime) -> str:
    if isinstance(mapped, str):
        events.settle(tx, event.id, "failed", mapped)
        log.warning("act=map event=%s source=%s result=failed", event.id, event.source)
        return mapped
    if isinstance(mapped, Unmapped):
        events.settle(tx, event.id, "unmapped", mapped.reason)
        return mapped.reason
    source = rt.sources[event.source]
    try:
        with savepoint(tx):
            contact_id = take_signal(tx, rt, source, event, mapped, now)
    except ConnectorError as error:
        events.settle(tx, event.id, "failed", str(error))
        return str(error)
    except Exception as error:  # a door: one bad event must not hold up the rest
        if _is_storage(error):
            raise
        log.exception("act=advance event=%s result=failed", event.id)
        events.settle(tx, event.id, "failed", f"internal: {type(error).__name__}: {error}")
        return "internal"
    reason = "; ".join(mapped.dropped)
    events.settle(tx, event.id, "done", reason, contact_id, mapped.mapping)
    return "done"


def _is_storage(error: Exception) -> bool:
    return type(error).__module__.startswith("sqlite3") or "psycopg" in type(error).__module__


def _walk(tx: Tx, rt: Setup, enrolment_id: str, now: datetime) -> None:
    row = enrolments.get(tx, str(enrolment_id))
    if row is None or row["due_at"] is None:
        return
    try:
        with savepoint(tx):
            walk(tx, rt, row, now)
    except Exception as error:  # a door: one bad enrolment must not hold up the rest
        if _is_storage(error):
            raise
        log.exception("act=walk enrolment=%s result=failed", enrolment_id)
        enrolments.end(tx, str(enrolment_id), "failed", now)


def next_due(rt: Setup, now: datetime) -> datetime:
    """When advancing next has something to do by itself."""
    with rt.store.read() as tx:
        return enrolments.next_due(tx) or now + timedelta(days=1)


def without_payload(event: Event) -> Event:
    """An event without what it carried, for logs."""
    return replace(event, payload={})
