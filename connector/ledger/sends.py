"""Sends: one row a text, from the plan to its handing over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx
from connector.messages import SMS, Accepted
from connector.model import Purpose, light

PLAN = """INSERT INTO sends (id, cause, cause_id, step, contact_id, enrolment_id, play, version,
        key, purpose, mode, phone, sender, template, language, text, priority, state, planned_at,
        due_at, expires_at)
    VALUES (:id, :cause, :cause_id, :step, :contact, :enrolment, :play, :version, :key, :purpose,
        :mode, :phone, :sender, :template, :language, :text, :priority, 'planned', :now, :due,
        :expires)
    ON CONFLICT (cause, cause_id, step) DO NOTHING"""
DUE = """SELECT * FROM sends WHERE state = 'planned' AND due_at <= :now
    ORDER BY due_at LIMIT :limit"""
DUE_ANSWERS = """SELECT * FROM sends WHERE state = 'planned' AND cause = 'system'
    AND due_at <= :now ORDER BY due_at LIMIT :limit"""
DUE_FIRST = """SELECT * FROM sends WHERE state = 'planned' AND purpose <> 'marketing'
    AND due_at <= :now ORDER BY due_at LIMIT :limit"""
NEXT = "SELECT min(due_at) AS due FROM sends WHERE state = 'planned'"
GET = "SELECT * FROM sends WHERE id = :id"
STANDING = """SELECT id, contact_id, enrolment_id, play, cause, mode, state, phone, provider,
        attempt, expires_at, accepted_at FROM sends WHERE id = :id"""
WAIT = "UPDATE sends SET due_at = :until, reason = :reason WHERE id = :id AND state = 'planned'"
LINE_UP = "UPDATE sends SET due_at = :now WHERE state = 'planned' AND reason = :reason"
IN_LINE = """SELECT * FROM sends WHERE state = 'planned' AND due_at > :now AND reason = :reason
    ORDER BY due_at LIMIT :limit"""
CLOSE = """UPDATE sends SET state = :state, reason = :reason, settled_at = :at, counts_at = NULL
    WHERE id = :id AND state IN ('planned', 'sending')"""
BEGIN = """UPDATE sends SET state = 'sending', begun_at = :at, counts_at = :at, text = :text,
        language = :language, encoding = :encoding, segments = :segments, provider = :provider,
        sender = :sender, channel = :channel, phone = :phone, attempt = attempt + 1, reason = ''
    WHERE id = :id AND state = 'planned'"""
ACCEPT = """UPDATE sends SET state = CASE WHEN state = 'sending' OR state = 'uncertain'
            THEN 'accepted' ELSE state END,
        accepted_at = coalesce(accepted_at, :at), counts_at = coalesce(accepted_at, :at),
        provider_id = CASE WHEN :provider_id = '' THEN provider_id ELSE :provider_id END,
        segments = coalesce(:segments, segments), cost_micros = coalesce(:cost, cost_micros),
        currency = CASE WHEN :currency = '' THEN currency ELSE :currency END
    WHERE id = :id"""
REVIVE = """UPDATE sends SET state = 'uncertain', reason = 'taken', settled_at = NULL
    WHERE id = :id AND (state = 'planned' OR state = 'cancelled' OR state = 'expired')"""
DEFER = """UPDATE sends SET state = 'planned', due_at = :due, reason = :reason, counts_at = NULL,
        error_code = :code WHERE id = :id AND state = 'sending'"""
DOUBT = """UPDATE sends SET state = 'uncertain', reason = :reason, error_code = :code
    WHERE id = :id AND state = 'sending'"""
REFUSE = """UPDATE sends SET state = 'refused', reason = :reason, error_code = :code,
        settled_at = :at, counts_at = NULL WHERE id = :id AND state = 'sending'"""
LOST = "SELECT * FROM sends WHERE state = 'sending'"
UNDER_WAY = """SELECT CAST(count(*) AS BIGINT) AS n FROM sends WHERE state = 'sending'
    AND (CAST(:play AS TEXT) IS NULL OR play = :play)
    AND (CAST(:phone AS TEXT) IS NULL OR phone = :phone)"""
GIVE_BACK = """UPDATE sends SET state = 'planned', due_at = :due, reason = :reason,
        counts_at = NULL WHERE id = :id AND state = 'sending'"""
OBJECTED = """SELECT
    (SELECT count(*) FROM pauses WHERE play = '*' OR play = :play
        OR play = '@template:' || s.template
        OR ((play = '@clock' OR play = '@unheard') AND s.purpose = 'marketing')) AS paused,
    n.blocked_scope AS blocked, n.held_at AS held, n.suppressed_scope AS suppressed,
    (SELECT count(*) FROM consents WHERE phone = :phone AND action = 'revoked'
        AND recorded_at >= s.begun_at) AS revoked
    FROM sends s LEFT JOIN numbers n ON n.phone = :phone
    WHERE s.id = :id AND s.state = 'sending' AND s.attempt = :attempt"""
OF_CAUSE = "SELECT * FROM sends WHERE cause = :cause AND cause_id = :cause_id AND step = :step"
CANCEL_OWN = """UPDATE sends SET state = 'cancelled', reason = :reason, settled_at = :at
    WHERE state = 'planned' AND cause = 'system' AND phone = :phone AND step = :step
        AND counts_at IS NULL"""
CANCEL_PLANNED = """UPDATE sends SET state = 'cancelled', reason = :reason, settled_at = :at
    WHERE enrolment_id = :enrolment AND state = 'planned' AND counts_at IS NULL"""

PURPOSES_IN_TURN = ("system", "service", "marketing")


@light
@dataclass(frozen=True, slots=True)
class Plan:
    """A text that is wanted: what it is for, to whom, and by when."""

    id: str
    cause: str
    cause_id: str
    step: str
    contact_id: str
    phone: str
    purpose: str
    template: str
    due_at: datetime
    expires_at: datetime
    enrolment_id: str = ""
    play: str = ""
    version: str = ""
    key: str = ""
    mode: str = "live"
    sender: str = ""
    language: str = ""
    text: str = ""
    priority: int = 0


def plan(tx: Tx, plan: Plan, now: datetime) -> bool:
    """Plan a text; False when the same cause and step planned one already."""
    return bool(
        tx.run(
            PLAN,
            id=plan.id,
            cause=plan.cause,
            cause_id=plan.cause_id,
            step=plan.step,
            contact=plan.contact_id,
            enrolment=plan.enrolment_id or None,
            play=plan.play,
            version=plan.version,
            key=plan.key,
            purpose=plan.purpose,
            mode=plan.mode,
            phone=plan.phone,
            sender=plan.sender,
            template=plan.template,
            language=plan.language,
            text=plan.text,
            priority=plan.priority,
            now=clock.text(now),
            due=clock.text(plan.due_at),
            expires=clock.text(plan.expires_at),
        )
    )


def due(tx: Tx, now: datetime, limit: int) -> list[Row]:
    """Planned texts that are due: our own answers, then service, then the most overdue.

    Of those taken together, a play of a higher priority goes before one of a lower.
    """
    stamp, asked = clock.text(now), (DUE_ANSWERS, DUE_FIRST, DUE)
    rows = [tx.all(sql + tx.skip_locked, now=stamp, limit=limit) for sql in asked]
    found = {row["id"]: row for part in rows for row in part}
    return sorted(found.values(), key=_turn)[:limit]


def _turn(row: Row) -> tuple[int, int]:
    """Of two texts that are due, the one with the lesser turn goes first."""
    return PURPOSES_IN_TURN.index(row["purpose"]), -int(row["priority"])


def next_due(tx: Tx) -> datetime | None:
    """When the next planned text is due."""
    row = tx.one(NEXT)
    return clock.instant(row["due"]) if row and row["due"] else None


def get(tx: Tx, send_id: str) -> Row | None:
    """One send."""
    return tx.one(GET, id=send_id)


def standing(tx: Tx, send_id: str) -> Row | None:
    """How one send stands, as settling it asks: a third of what ``get`` reads."""
    return tx.one(STANDING, id=send_id)


def wait(tx: Tx, send_id: str, until: datetime, reason: str) -> None:
    """Ask again at ``until``."""
    tx.run(WAIT, id=send_id, until=clock.text(until), reason=reason)


def line_up(tx: Tx, reasons: Iterable[str], now: datetime) -> None:
    """Make due what waits in a line for one of these reasons: its place is given anew."""
    for reason in reasons:
        tx.run(LINE_UP, reason=reason, now=clock.text(now))


def in_line(tx: Tx, reason: str, now: datetime, limit: int) -> list[Row]:
    """The first of those that wait in a line, whose place has not come yet."""
    return tx.all(IN_LINE, reason=reason, now=clock.text(now), limit=limit)


def close(tx: Tx, send_id: str, state: str, reason: str, at: datetime) -> bool:
    """End a text that did not leave: cancelled or expired."""
    return bool(tx.run(CLOSE, id=send_id, state=state, reason=reason, at=clock.text(at)))


def begin(
    tx: Tx,
    send_id: str,
    *,
    text: str,
    language: str,
    encoding: str,
    segments: int,
    provider: str,
    phone: str,
    at: datetime,
    sender: str = "",
    channel: str = SMS,
) -> bool:
    """Mark a text as being sent; from here on it counts in every cap until proven not taken."""
    return bool(
        tx.run(
            BEGIN,
            id=send_id,
            text=text,
            language=language,
            encoding=encoding,
            segments=segments,
            provider=provider,
            sender=sender,
            channel=channel,
            phone=phone,
            at=clock.text(at),
        )
    )


def accepted(tx: Tx, send_id: str, answer: Accepted, at: datetime) -> None:
    """The provider took it."""
    tx.run(
        ACCEPT,
        id=send_id,
        provider_id=answer.provider_id,
        segments=answer.segments or None,
        cost=answer.cost_micros,
        currency=answer.currency,
        at=clock.text(at),
    )


def revive(tx: Tx, send_id: str) -> None:
    """A text that was taken for not gone did go: it is in doubt until that is settled."""
    tx.run(REVIVE, id=send_id)


def deferred(tx: Tx, send_id: str, reason: str, code: str, due_at: datetime) -> None:
    """The provider certainly did not take it; it is due again later and counts for nothing."""
    tx.run(DEFER, id=send_id, reason=reason, code=code, due=clock.text(due_at))


def doubted(tx: Tx, send_id: str, reason: str, code: str) -> None:
    """The provider may have taken it: it counts as sent and is looked up, not repeated."""
    tx.run(DOUBT, id=send_id, reason=reason, code=code)


def refused(tx: Tx, send_id: str, reason: str, code: str, at: datetime) -> bool:
    """The provider refused it for good; False where it was told otherwise since."""
    return bool(tx.run(REFUSE, id=send_id, reason=reason, code=code, at=clock.text(at)))


def given_back(tx: Tx, send_id: str, reason: str, due_at: datetime) -> bool:
    """A text that had passed the gate was not handed over after all: it is decided afresh."""
    return bool(tx.run(GIVE_BACK, id=send_id, reason=reason, due=clock.text(due_at)))


def under_way(tx: Tx, *, play: str = "", phone: str = "") -> int:
    """How many texts (of a play, to a number) have passed the gate and are not settled."""
    row = tx.one(UNDER_WAY, play=play or None, phone=phone or None)
    return int(row["n"]) if row else 0


def objection(tx: Tx, send_id: str, attempt: int, play: str, phone: str, purpose: str) -> str:
    """What has come up since a text passed the gate that should keep it from leaving; "" for none.

    One read of a few rows, made right before the provider is called: a pause, an opt-out of the
    number, a hand that suppressed it, any consent ended, an unclear reply that holds marketing, or
    that the text is no longer this attempt's to send.
    """
    row = tx.one(OBJECTED, id=send_id, attempt=attempt, play=play, phone=phone)
    if row is None:
        return "settled"
    if row["paused"]:
        return "paused"
    if purpose == Purpose.system:  # our one answer to a STOP goes to a number that is stopped
        return ""
    if row["blocked"] == "all" or (row["blocked"] and purpose == Purpose.marketing):
        return "opted_out"
    if row["suppressed"] in ("all", purpose):
        return "on_list"
    if row["held"] and purpose == Purpose.marketing:
        return "reply_unread"
    return "consent_ended" if row["revoked"] else ""


def lost(tx: Tx) -> list[Row]:
    """Texts left in ``sending`` by a process that died: nobody knows whether they went."""
    return tx.all(LOST)


def of_cause(tx: Tx, cause: str, cause_id: str, step: str) -> Row | None:
    """The text that a cause planned as this step."""
    return tx.one(OF_CAUSE, cause=cause, cause_id=cause_id, step=step)


def cancel_own(tx: Tx, phone: str, step: str, reason: str, at: datetime) -> int:
    """Cancel the planned texts of our own, of this kind, to a number; how many."""
    return tx.run(CANCEL_OWN, phone=phone, step=step, reason=reason, at=clock.text(at))


def cancel_planned(tx: Tx, enrolment_id: str, reason: str, at: datetime) -> int:
    """Cancel the planned texts of an enrolment; how many."""
    return tx.run(CANCEL_PLANNED, enrolment=enrolment_id, reason=reason, at=clock.text(at))
