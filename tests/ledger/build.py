"""A small ledger made by the ledger's own functions, with plain ids and a fixed morning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.ledger import (
    assignments,
    claims,
    consents,
    contacts,
    decisions,
    enrolments,
    events,
    outcomes,
    sends,
    statuses,
    writebacks,
)
from connector.ledger.outcomes import Heard
from connector.ledger.store import Row, Tx
from connector.messages import Accepted, Receipt, Reply
from connector.model import Decision, Event, Objection, Signal, Status, Subject, Verdict
from connector.records import Owed

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
PHONE = "+14155550123"  # a number whose prefix names one zone


def at(minutes: float = 0) -> datetime:
    """An instant so many minutes after ten."""
    return TEN + timedelta(minutes=minutes)


def contact(tx: Tx, name: str = "1", phone: str = PHONE, **traits: Any) -> str:
    """``con_<name>``, with a number, an e-mail address and a first name."""
    contact_id = f"con_{name}"
    contacts.create(tx, contact_id, at())
    found = contacts.row(tx, contact_id)
    assert found
    known = {"first_name": "Ann", "email": f"ann{name}@shop.example", **traits}
    contacts.see(
        tx, found, traits=known, visit={}, stage="lead", at=at(), activity=True, trusted=True
    )
    for kind, value in (("user_id", f"u{name}"), ("phone", phone), ("email", known["email"])):
        if value:
            link = f"lnk_{kind}{name}"
            contacts.link(tx, kind, value, contact_id, "evt_0", at(), confirmed=True, link_id=link)
    return contact_id


def event(
    tx: Tx,
    name: str,
    *,
    key: str = "",
    minutes: float = 0,
    contact_id: str = "con_1",
    signal: str = "",
    facts: dict[str, Any] | None = None,
    sensitive: Sequence[str] = (),
    state: str = "done",
    reason: str = "",
    id_: str = "",
) -> str:
    """``evt_<name>``, heard 0.2 s later; with ``signal`` also ``sig_<name>``."""
    event_id = id_ or f"evt_{name.lower().replace(' ', '_')}"
    heard = at(minutes) + timedelta(seconds=0.2)
    told = Event(event_id, "backend", event_id, "track", name, at(minutes), heard, {"event": name})
    assert events.record(tx, told)
    if not signal:
        events.settle(tx, event_id, state, reason)
        return event_id
    meant = Signal(
        signal, Subject(), facts or {}, {}, key=key, sensitive=frozenset(sensitive), mapping="m"
    )
    events.add_signal(tx, meant, told, contact_id, event_id.replace("evt", "sig"))
    events.settle(tx, event_id, state, reason, contact_id, "segment@ab12")
    return event_id


def enrolment(
    tx: Tx,
    event_id: str,
    *,
    play: str = "cart_abandoned",
    key: str = "cart-7",
    contact_id: str = "con_1",
    mode: str = "live",
    minutes: float = 0,
) -> str:
    """``enr_<play>``, started by an event, its first step due an hour later."""
    opening = enrolments.Opening(
        f"enr_{play}",
        play,
        "1f2e3d4c5b6a",
        contact_id,
        key,
        event_id.replace("evt", "sig"),
        mode,
        at(minutes + 60),
        at(minutes),
        at(minutes),
    )
    assert enrolments.open_(tx, opening, at(minutes))
    shares = {"holdout": 0.05, "treated": 0.95}
    arm = "holdout" if mode == "holdout" else "treated"
    assignments.assign(tx, f"play:{play}", contact_id, arm, shares, at(minutes))
    return opening.id


def decision(
    tx: Tx,
    name: str,
    moment: str,
    verdict: str,
    *reasons: tuple[str, str],
    minutes: float = 0,
    until: float | None = None,
    play: str = "cart_abandoned",
    about: Mapping[str, str] | None = None,
) -> None:
    """``dec_<name>``; ``reasons`` are (code, sentence)."""
    ends = at(until) if until is not None else None
    objections = tuple(Objection(code, Verdict(verdict), says, ends) for code, says in reasons)
    decided = Decision(Verdict(verdict), objections, ends, "9a8b7c6d5e4f+0011223344")
    subject = {"contact_id": "con_1", "key": "cart-7", "version": "1f2e3d4c5b6a", **(about or {})}
    decisions.add(
        tx,
        decisions.About(moment, play=play, **subject),
        decided,
        {"stage": "lead"},
        at(minutes),
        decision_id=f"dec_{name}",
    )


def send(
    tx: Tx,
    name: str = "1",
    *,
    enrolment_id: str = "",
    cause: str = "play",
    cause_id: str = "",
    step: str = "reminder",
    play: str = "cart_abandoned",
    minutes: float = 60,
    contact_id: str = "con_1",
    phone: str = PHONE,
    mode: str = "live",
) -> str:
    """``snd_<name>``, planned."""
    plan = sends.Plan(
        id=f"snd_{name}",
        cause=cause,
        cause_id=cause_id or enrolment_id or name,
        step=step,
        contact_id=contact_id,
        phone=phone,
        purpose="system" if cause == "system" else "marketing",
        template="cart_abandoned",
        due_at=at(minutes),
        expires_at=at(minutes + 1440),
        enrolment_id=enrolment_id,
        play=play if cause == "play" else "",
        version="1f2e3d4c5b6a",
        mode=mode,
    )
    assert sends.plan(tx, plan, at(minutes))
    return plan.id


def accept(tx: Tx, send_id: str, minutes: float, text: str = "Your cart waits, Ann.") -> None:
    """Begin a text and let the sandbox accept it."""
    assert sends.begin(
        tx,
        send_id,
        text=text,
        language="en",
        encoding="GSM-7",
        segments=1,
        provider="sandbox",
        phone=PHONE,
        at=at(minutes),
    )
    sends.accepted(tx, send_id, Accepted(f"SM{send_id}"), at(minutes))


def receipt(tx: Tx, send_id: str, status: str, minutes: float) -> None:
    """A receipt of the sandbox, taken over by its text."""
    when = at(minutes)
    told = Receipt("sandbox", f"SM{send_id}", Status(status), status, occurred_at=when)
    name = f"rcp_{send_id}{status}"
    assert outcomes.add_receipt(tx, told, send_id, when, receipt_id=name)
    statuses.told(tx, send_id, told, when)


def reply(tx: Tx, send_id: str, text: str, label: str, minutes: float, name: str = "1") -> str:
    """``rpl_<name>`` to a text, with the outcome it is and the consent a STOP ends."""
    reply_id, when = f"rpl_{name}", at(minutes)
    assert outcomes.add_reply(
        tx,
        Reply("sandbox", f"in{name}", PHONE, "+12025550100", text),
        reply_id=reply_id,
        label=label,
        why="the word STOP",
        contact_id="con_1",
        send_id=send_id,
        occurred_at=when,
        now=when,
    )
    kind = "opted_out" if label == "opt_out" else "replied"
    outcome = Heard(f"out_{reply_id}", f"reply:{reply_id}", "con_1", kind, when, send_id=send_id)
    outcomes.add(tx, outcome, when)
    if label == "opt_out":
        consent(tx, "all", granted=False, method="reply", minutes=minutes, name=f"stop{name}")
        consents.block(tx, PHONE, "all", "reply", when)
    return reply_id


def consent(
    tx: Tx,
    purpose: str,
    *,
    granted: bool = True,
    method: str = "web_form",
    minutes: float = 0,
    name: str = "1",
    phone: str = PHONE,
) -> None:
    """``cns_<name><purpose>``."""
    consents.add(
        tx,
        consent_id=f"cns_{name}{purpose}",
        phone=phone,
        purpose=purpose,
        granted=granted,
        method=method,
        wording="Text me offers" if granted else "STOP",
        source="backend",
        recorded_by="connector",
        event_id="",
        occurred_at=at(minutes),
        now=at(minutes),
    )


def written(tx: Tx, send_id: str, minutes: float, key: str = "") -> None:
    """The local CRM was told of a text."""
    writebacks.owe(
        tx, "local", "con_1", Owed("activity", key or f"send:{send_id}", {}, send_id), at(minutes)
    )
    for claim in claims.claim(tx, "local", at(minutes), 10):
        writebacks.settle(tx, claim, "rec_1", at(minutes))


def cart_story(tx: Tx) -> None:
    """The whole of it: a cart, a wait for the morning, a text, a receipt, a STOP, the CRM."""
    contact(tx)
    consent(tx, "marketing")
    consent(tx, "cart_reminders")
    facts = {"value": 30, "cart_id": "cart-7", "illness": "secret"}
    told = event(
        tx, "Cart Updated", key="cart-7", signal="cart_updated", facts=facts, sensitive=["illness"]
    )
    walk = enrolment(tx, told)
    send_id = send(tx, enrolment_id=walk)
    begun = {"event_id": told, "enrolment_id": walk}
    decision(tx, "1", "trigger", "send", about=begun)
    quiet = ("quiet_hours", "It is 03:00 in America/Los_Angeles; texts may go from 08:00.")
    about = {"enrolment_id": walk, "send_id": send_id, "step": "reminder"}
    decision(tx, "2", "plan", "wait", quiet, minutes=60, until=360, about={**begun, **about})
    enrolments.to_step(tx, walk, 0, None)
    decision(tx, "3", "send", "send", minutes=360, about=about)
    accept(tx, send_id, 360)
    enrolments.first_text(tx, walk, at(360), at(10_000))
    enrolments.to_step(tx, walk, 1, at(1_800))
    receipt(tx, send_id, "sent", 360.02)
    receipt(tx, send_id, "delivered", 360.05)
    written(tx, send_id, 360.1)
    reply(tx, send_id, "STOP", "opt_out", 365)


class Recording:
    """A transaction that only reads, and remembers each statement it was asked."""

    skip_locked = ""
    for_update = ""
    heads: dict[str, tuple[int, str]] | None = None

    def __init__(self, tx: Tx) -> None:
        self._tx, self.asked = tx, set[str]()

    def one(self, sql: str, **params: Any) -> Row | None:
        self.asked.add(sql)
        return self._tx.one(sql, **params)

    def all(self, sql: str, **params: Any) -> list[Row]:
        self.asked.add(sql)
        return self._tx.all(sql, **params)

    def run(self, sql: str, **params: Any) -> int:
        raise AssertionError("a report writes nothing")

    def plans(self) -> Iterator[tuple[str, list[str]]]:
        """Each statement asked, with how SQLite goes about it."""
        for sql in sorted(self.asked):
            names = dict.fromkeys(re.findall(r":(\w+)", sql), "x") | {"limit": 1}
            plan = self._tx.all(f"EXPLAIN QUERY PLAN {sql}", **names)
            yield sql, [str(row["detail"]) for row in plan]
