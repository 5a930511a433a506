"""By a person's hand: an answer to a reply, what was decided of one, a test to an own number."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connector.errors import ConnectorError
from connector.ledger import acts, consents, conversations, outcomes, sends
from connector.ledger.store import Tx
from connector.model import Cause, Purpose

EXPIRES = timedelta(hours=4)
LONGEST = 1_600  #: letters of a text, about ten segments
ANSWERABLE = timedelta(days=7)
"""A person's answer goes to somebody who wrote this recently; later it takes a consent."""
TEST = "[test] "
LAST_REPLY = """SELECT id FROM replies WHERE phone = :phone
    ORDER BY occurred_at DESC, id DESC LIMIT 1"""


def answer(tx: Tx, rt: Any, reply_id: str, text: str, *, who: str, mode: str, now: datetime) -> str:
    """Plan a person's answer to a reply and open the conversation; the send's id.

    Raises ``ConnectorError`` where there is no such reply, or it is too old.
    """
    try:
        reply = outcomes.get_reply(tx, reply_id)
    except LookupError as error:
        raise ConnectorError(f"there is no reply {reply_id}; see `connector contact`") from error
    if reply["label"] in ("opt_out", "wrong_person"):
        raise ConnectorError("they asked to be left alone; nothing may reach this number")
    if reply["occurred_at"] < (now - ANSWERABLE).isoformat():
        raise ConnectorError(
            f"it came over {ANSWERABLE.days} days ago, so it is no answer any more"
        )
    phone = str(reply["phone"])
    conversations.open_(tx, phone, who, now)
    return _plan(
        tx, rt, Cause.hand, phone, str(reply["contact_id"] or ""), _checked(text), who, mode, now
    )


def close(tx: Tx, rt: Any, phone: str, *, who: str, now: datetime, why: str = "") -> bool:
    """The conversation with a number is over; False where none was open."""
    return conversations.close(tx, phone, now) and _note(tx, rt, "close", phone, who, why, now)


def release(tx: Tx, rt: Any, phone: str, *, who: str, now: datetime, why: str = "") -> bool:
    """A person has read the unclear reply that held a number; False where none did."""
    known = consents.number(tx, phone)
    if known is None or not known["held_at"]:
        return False
    consents.hold(tx, phone, "", None)
    return _note(tx, rt, "release", phone, who, why, now)


def _note(tx: Tx, rt: Any, act: str, phone: str, who: str, why: str, now: datetime) -> bool:
    """Keep who decided, by the reply that it was about: no number stands in an act."""
    reply = tx.one(LAST_REPLY, phone=phone)
    about = f"reply:{reply['id']}" if reply else "reply:"
    acts.add(tx, str(rt.new_id("act")), act, about, who=who, why=why, at=now)
    return True


def trial(tx: Tx, rt: Any, phone: str, text: str, *, who: str, mode: str, now: datetime) -> str:
    """Plan a test to one of the operator's own numbers, marked as one; the send's id."""
    return _plan(tx, rt, Cause.test, phone, "", _checked(TEST + text), who, mode, now)


def _checked(text: str) -> str:
    told = text.strip()
    if not told:
        raise ConnectorError("the text is empty; write what is to be said")
    if len(told) > LONGEST:
        raise ConnectorError(f"the text has {len(told)} letters; at most {LONGEST} are sent")
    return told


def _plan(
    tx: Tx,
    rt: Any,
    cause: Cause,
    phone: str,
    contact_id: str,
    text: str,
    who: str,
    mode: str,
    now: datetime,
) -> str:
    send_id = str(rt.new_id("snd"))
    planned = sends.Plan(
        id=send_id,
        cause=cause.value,
        cause_id=send_id,
        step=who[:100],
        contact_id=contact_id,
        phone=phone,
        purpose=Purpose.service.value,
        template="",
        text=text,
        due_at=now,
        expires_at=now + EXPIRES,
        mode=mode,
        priority=50,
    )
    sends.plan(tx, planned, now)
    act = str(rt.new_id("act"))
    acts.add(tx, act, "send", f"send:{send_id}", who=who, at=now, why=cause.value)
    return send_id
