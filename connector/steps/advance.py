"""Advancing: what came in is read, mapped, laid to a contact, and starts or ends plays."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta

from connector.errors import ConnectorError, ExpressionFailed, StorageRefused, Unreadable
from connector.ledger import cursors, enrolments, events, fanouts, timers
from connector.ledger.inbox import Delivery
from connector.ledger.store import Row, Tx, is_storage, savepoint
from connector.messages import Receipt, Reply
from connector.model import Errand, Event, Hint, Signal, Trust
from connector.rules import mapping, traffic
from connector.rules.clicks import Fetch
from connector.rules.mapping import Unmapped
from connector.rules.plays import Kind
from connector.steps import (
    byhand,
    clicks,
    hints,
    outcome,
    rights,
    schedules,
    silence,
    staff,
    timed,
)
from connector.steps.pieces import Piece, read
from connector.steps.setup import OpenSource, Setup
from connector.steps.signal import take_signal
from connector.steps.walk import walk

log = logging.getLogger("connector")

Mapped = Signal | Unmapped | str | None
"""The signal of an event, why it has none, or (a string) the fault of its mapping."""

Fate = tuple[str, str, str, str]
"""What became of an event: its state, why, the id of the contact it is of, the mapping used."""

INBOX = "inbox"  #: the last delivery that was moved into the ledger whole
PART = "inbox_part"  #: how many pieces of the delivery after it were moved: "seq:pieces"
REFILL = 64  #: deliveries read at a time
SLICE = 32  #: pieces, and due steps, in one transaction, so that no other writer waits long


class Advancer:
    """Moves what came in into the ledger, slice by slice, and takes the steps that are due.

    A slice is one transaction with the inbox cursor in it, so that a death at any instant
    repeats nothing and loses nothing. Reading, mapping and expressions run before it.
    """

    def __init__(self, rt: Setup) -> None:
        self._rt = rt
        self._pieces: deque[Piece] = deque()

    def round(self) -> int:
        """One slice; how much there was to do."""
        rt = self._rt
        if not self._pieces:
            self._refill()
        pieces = [self._pieces.popleft() for _ in range(min(SLICE, len(self._pieces)))]
        work = [(piece, _mapped(rt, piece)) for piece in pieces]
        try:
            due = self._write_all(work)
        except BaseException:
            self._pieces.clear()  # read again from the cursor, once the ledger takes writes
            raise
        return len(pieces) + due

    def _write_all(self, work: Sequence[tuple[Piece, Mapped]]) -> int:
        try:
            return self._write(work, careful=False)
        except StorageRefused:
            raise
        except Exception:
            return self._write(work, careful=True)

    def _refill(self) -> None:
        with self._rt.store.read() as tx:
            seq = int(cursors.get(tx, INBOX, "0"))
            part, _, done = cursors.get(tx, PART, "0:0").partition(":")
        for delivery in self._rt.inbox.after(seq, REFILL):
            skip = int(done) if delivery.seq == int(part) else 0
            self._pieces.extend(read(self._rt, delivery)[skip:])

    def _write(self, work: Sequence[tuple[Piece, Mapped]], *, careful: bool) -> int:
        """Write a slice. Where one piece failed, all is done again with a savepoint for each."""
        rt, now = self._rt, self._rt.clock()
        with rt.store.write() as tx:
            for piece, mapped in work:
                take(tx, rt, piece, mapped, now, careful=careful)
            if work:
                _move_cursor(tx, work[-1][0])
            if rt.restored is not None and rt.restored.is_open:
                return 0  # the replies of the gap come first: nobody walks on without them
            due = enrolments.due(tx, now, SLICE)
            for row in due:
                _walk(tx, rt, row, now, careful=careful)
            begun = timed.begin(tx, rt, now, careful=careful)
        return len(due) + begun


def advance(rt: Setup) -> int:
    """One slice of what waits; how much there was to do. See :class:`Advancer`."""
    return Advancer(rt).round()


def _move_cursor(tx: Tx, last: Piece) -> None:
    whole = last.delivery.seq if last.is_last else last.delivery.seq - 1
    cursors.set_(tx, INBOX, str(whole))
    if not last.is_last:
        cursors.set_(tx, PART, f"{last.delivery.seq}:{last.place}")


def _mapped(rt: Setup, piece: Piece) -> Mapped:
    if piece.event is None:
        return None
    return map_event(rt, rt.sources[piece.event.source], piece.event)


def map_event(rt: Setup, source: OpenSource, event: Event) -> Signal | Unmapped | str:
    """The signal of an event, why it has none, or (a string) the fault of its mapping."""
    try:
        return _meaning(rt, source, event)
    except ExpressionFailed as error:
        return f"mapping_error: {error}"
    except Exception as error:  # a door: one bad event must not hold up the rest
        log.exception("act=map event=%s source=%s result=failed", event.id, event.source)
        return f"mapping_error: {type(error).__name__}"


def _meaning(rt: Setup, source: OpenSource, event: Event) -> Signal | Unmapped:
    """What an event means; what is no customer's means nothing, whatever its mapping says.

    But a no, or somebody's right, that a server passes on from one of the operator's own networks
    is a customer's who asked for it there.
    """
    why = traffic.told(rt.traffic, source.mapping, event, source.trust)
    if why and not (why == traffic.STAFF and source.trust is Trust.trusted):
        return Unmapped(why)
    made = mapping.apply(source.mapping, event, source.trust, rt.says.country)
    if why and not (isinstance(made, Signal) and traffic.is_due_to_all(made)):
        return Unmapped(why)
    if isinstance(made, Signal) and (why := traffic.of_people(rt.traffic, made)):
        return Unmapped(why, made.subject if why == traffic.STAFF else None)
    return made


def take(
    tx: Tx, rt: Setup, piece: Piece, mapped: Mapped, now: datetime, *, careful: bool = True
) -> None:
    """Write one piece into the ledger; a repeated delivery has no second effect."""
    if piece.event is not None and mapped is not None:
        hear(tx, rt, piece.event, mapped, now, careful=careful)
    elif piece.told is not None:
        _tell(tx, rt, piece, now, careful=careful)
    elif piece.rejected is not None:
        _keep(tx, rt, piece.delivery, *piece.rejected)


def hear(
    tx: Tx,
    rt: Setup,
    event: Event,
    mapped: Signal | Unmapped | str,
    now: datetime,
    *,
    careful: bool = True,
) -> None:
    """Act on an event and keep it with what became of it; told again it has no second effect."""
    if events.is_repeat(tx, event):
        return
    fate = _act(tx, rt, event, mapped, now, careful=careful)
    kept = rights.without_names(event) if _is_right(mapped, fate) else event
    if not events.record(tx, kept, *fate, at=now):
        raise ConnectorError(f"event {event.id} was taken elsewhere at the same instant")


def _tell(tx: Tx, rt: Setup, piece: Piece, now: datetime, *, careful: bool) -> None:
    """A receipt, reply or click; one we cannot act on is kept whole, since it may be a STOP."""
    try:
        with savepoint(tx) if careful else nullcontext():
            if isinstance(piece.told, Receipt):
                outcome.receipt(tx, rt, piece.told, now)
            elif isinstance(piece.told, Reply):
                outcome.reply(tx, rt, piece.told, now)
            elif isinstance(piece.told, Fetch):
                clicks.click(tx, rt, piece.told, now)
            elif isinstance(piece.told, Hint | Errand | hints.Ignored):
                hints.take(tx, rt, piece.told, now)
            elif piece.told is not None:
                byhand.take(tx, rt, piece.told, now)
    except Unreadable as error:  # a start by hand for somebody who is not known, say
        if not careful:
            raise
        log.warning("act=hand source=%s result=unreadable: %s", piece.delivery.source, error)
        _keep(tx, rt, piece.delivery, str(error), piece.delivery.body)
    except Exception as error:
        if not careful or is_storage(error):
            raise
        log.exception("act=outcome provider=%s result=failed", piece.delivery.source)
        _keep(tx, rt, piece.delivery, f"internal: {type(error).__name__}", piece.delivery.body)


def _keep(tx: Tx, rt: Setup, delivery: Delivery, reason: str, body: bytes) -> None:
    events.keep_unreadable(
        tx,
        rt.new_id("unr"),
        delivery.source,
        reason,
        body,
        delivery.received_at,
        delivery.url,
        delivery.headers,
    )


def again(tx: Tx, rt: Setup, event: Event, now: datetime) -> str:
    """Map a kept event anew (after a mapping was mended) and act on it; what became of it."""
    source = rt.sources.get(event.source)
    if source is None:
        return "its source is no longer configured"
    mapped = map_event(rt, source, event)
    fate = _act(tx, rt, event, mapped, now)
    events.settle(tx, event.id, *fate, at=now)
    if _is_right(mapped, fate):
        events.blank(tx, event.id)
    state, reason, *_ = fate
    return state if state == "done" else reason


def _is_right(mapped: Signal | Unmapped | str, fate: Fate) -> bool:
    """Whether an event asked for a person's right and was heard."""
    return isinstance(mapped, Signal) and mapped.privacy != "" and fate[0] == "done"


def _act(
    tx: Tx,
    rt: Setup,
    event: Event,
    mapped: Signal | Unmapped | str,
    now: datetime,
    *,
    careful: bool = True,
) -> Fate:
    if isinstance(mapped, Unmapped):
        if mapped.subject is not None:
            staff.learn(tx, rt, event, mapped.subject, now)
        return "unmapped", mapped.reason, "", ""
    if isinstance(mapped, str):
        log.warning("act=map event=%s result=failed", event.id)
        return "failed", mapped, "", ""
    if staff.is_known(tx, rt, mapped):
        return "unmapped", traffic.STAFF, "", ""
    try:
        with savepoint(tx) if careful else nullcontext():
            if mapped.privacy:
                return "done", rights.take(tx, rt, event, mapped, now), "", mapped.mapping
            contact_id = take_signal(tx, rt, rt.sources[event.source], event, mapped, now)
    except Exception as error:  # a door: one bad event must not hold up the rest
        if not careful or is_storage(error):
            raise
        reason = str(error)
        if not isinstance(error, ConnectorError):
            log.exception("act=advance event=%s result=failed", event.id)
            reason = f"internal: {type(error).__name__}: {error}"
        return "failed", reason, "", ""
    return "done", "; ".join(mapped.dropped), contact_id, mapped.mapping


def _walk(tx: Tx, rt: Setup, row: Row, now: datetime, *, careful: bool) -> None:
    try:
        with savepoint(tx) if careful else nullcontext():
            walk(tx, rt, row, now)
    except Exception as error:  # a door: one bad enrolment must not hold up the rest
        if not careful or is_storage(error):
            raise
        log.exception("act=walk enrolment=%s result=failed", row["id"])
        enrolments.end(tx, str(row["id"]), "failed", now)


def next_due(rt: Setup, now: datetime) -> datetime:
    """When advancing next has something to do by itself."""
    if rt.restored is not None and rt.restored.is_open:
        return now + timedelta(seconds=1)
    with rt.store.read() as tx:
        found = [enrolments.next_due(tx)]
        if rt.by_kind.get(Kind.silence):
            found.append(silence.next_due(tx, rt))
        if rt.by_kind.get(Kind.schedule):
            found.append(schedules.next_due(tx, rt))
        if rt.by_kind.get(Kind.date) or rt.by_kind.get(Kind.segment):
            found.append(timers.next_due(tx))
        if (rt.by_kind.get(Kind.schedule) or rt.by_kind.get(Kind.thing)) and fanouts.is_any(tx):
            found.append(now)
    return min((at for at in found if at is not None), default=now + timedelta(days=1))
