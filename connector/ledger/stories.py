"""Stories: one cause and all that came of it, as plain values; what reports are made of.

A story is an ``event`` with its ``signal``, or a ``reply`` with its ``consents``; then ``walks``
(a play that was started or refused: its ``enrolment``, ``decisions``, ``texts`` and ``tasks``),
``ends`` (walks that the event ended), ``outcomes``, and ``texts`` outside any play. Instants are
the ledger's own text. Facts marked sensitive are counted and never told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from connector.ledger import attempts, consents, contacts, decisions, enrolments, sends
from connector.ledger.events import signal_facts
from connector.ledger.store import Row, Tx
from connector.model import Json

Story = dict[str, Json]

MANY: Final = 500  #: rows of one kind that a story holds at most
EVENT = "SELECT * FROM events WHERE id = :id"
SIGNAL = "SELECT * FROM signals WHERE id = :id"
SIGNAL_OF = "SELECT * FROM signals WHERE contact_id = :contact AND event_id = :event LIMIT 1"
ENDED_BY = """SELECT event_id FROM signals WHERE contact_id = :contact AND name = :name
    AND occurred_at > :since AND id > :start ORDER BY id LIMIT 1"""
DECIDED = """SELECT d.*, f.body AS facts FROM decided d
    LEFT JOIN facts f ON f.hash = d.facts_hash WHERE {where} ORDER BY d.id LIMIT :limit"""
BY_ID = DECIDED.format(where="d.id = :id")
BY_SEND = DECIDED.format(where="d.send_id = :id")
BY_EVENT = DECIDED.format(where="d.event_id = :id AND d.moment = 'trigger'")
BY_ENROLMENT = (
    decisions.SAME  # noqa: S608
    + " "
    + DECIDED.format(
        where="""d.contact_id IN (SELECT same.id FROM same) AND d.enrolment_id = :id
        AND d.send_id IS NULL"""
    )
)
TEXTS = "SELECT * FROM sends WHERE enrolment_id = :id ORDER BY id LIMIT :limit"
ANSWERS = "SELECT * FROM sends WHERE cause = 'system' AND cause_id = :id ORDER BY id LIMIT :limit"
ARMS = """SELECT experiment, arm, probability, mixed_at FROM assignments
    WHERE contact_id = :contact AND (experiment IN ('global', :play)
        OR (experiment >= :low AND experiment < :high)) ORDER BY experiment"""
ENDS = """SELECT * FROM enrolments WHERE contact_id = :contact AND (goal_event_id = :event
    OR exit_reason IN (:unless, :exit)) ORDER BY id LIMIT :limit"""
RECEIPTS = """SELECT status, raw_status, error_code, occurred_at, heard_at, repeats FROM receipts
    WHERE provider = :provider AND provider_id = :id ORDER BY heard_at, id LIMIT :limit"""
REPLY = "SELECT * FROM replies WHERE id = :id"
REPLIES_TO = """SELECT * FROM replies WHERE phone = :phone AND occurred_at >= :since
    AND send_id = :id ORDER BY occurred_at LIMIT :limit"""
OUTCOMES_OF = """SELECT * FROM outcomes WHERE contact_id = :contact AND send_id = :id
    ORDER BY occurred_at, id LIMIT :limit"""
OUTCOME_OF_EVENT = "SELECT * FROM outcomes WHERE cause = :cause"
WRITTEN = """SELECT w.crm, w.kind, w.key, w.state, w.attempt, w.owed_at, w.written_at, w.due_at,
        w.record, w.error, w.code, w.in_doubt, a.subject, a.status FROM writebacks w
    LEFT JOIN local_activities a ON a.key = w.key AND w.crm = 'local'
    WHERE {where} ORDER BY w.owed_at, w.id LIMIT :limit"""
WRITTEN_FOR_SEND = WRITTEN.format(where="w.send_id = :id")
WRITTEN_FOR = WRITTEN.format(where="w.contact_id = :contact AND w.key >= :low AND w.key < :high")
EVENT_TOLD = (
    "id source source_event_id type name occurred_at received_at state reason mapping contact_id "
    "back_fill repeats conflicts"
)
ENROLMENT_TOLD = (
    "id mode state step step_name arm due_at awaiting_since triggered_at eligible_at opened_at "
    "first_text_at goal_until goal_at goal_event_id goal_kind ended_at exit_reason"
)


def story(**parts: Json) -> Story:
    """A story with every key, so that its JSON has one shape."""
    empty: Story = {"event": None, "signal": None, "reply": None, "consents": []}
    return {**empty, "walks": [], "ends": [], "outcomes": [], "texts": [], **parts}


def heard(tx: Tx, event_id: str) -> Story | None:
    """The story of an event, with every play it started, ended or was refused by."""
    event = tx.one(EVENT, id=event_id)
    if event is None:
        return None
    contact = event["contact_id"]
    signal = tx.one(SIGNAL_OF, contact=contact, event=event_id)
    return story(
        event=_event(event),
        signal=_signal(signal),
        walks=[_walk_of(tx, row, signal) for row in tx.all(BY_EVENT, id=event_id, limit=MANY)],
        ends=_ends(tx, contact, event_id, signal) if signal else [],
        outcomes=_dicts(tx.all(OUTCOME_OF_EVENT, cause=f"event:{event_id}")),
    )


def begun_by(tx: Tx, row_id: str) -> Story | None:
    """The story that a reply began, or the one walk that a start decision led to."""
    if reply := tx.one(REPLY, id=row_id):
        return replied(tx, reply)
    decision = tx.one(BY_ID, id=row_id, limit=1)
    if decision is None:
        return None
    if decision["enrolment_id"] and (row := enrolments.get(tx, decision["enrolment_id"])):
        return started(tx, row)
    event = tx.one(EVENT, id=decision["event_id"])
    signal = tx.one(SIGNAL_OF, contact=decision["contact_id"], event=decision["event_id"])
    return story(event=_event(event), signal=_signal(signal), walks=[_refused(decision)])


def started(tx: Tx, enrolment: Row, only: Row | None = None) -> Story:
    """The story of one walk from its start signal on; with ``only``, as far as one text goes."""
    signal = tx.one(SIGNAL, id=enrolment["signal_id"])
    event = tx.one(EVENT, id=signal["event_id"]) if signal else None
    walk = _walk(tx, enrolment, only)
    return story(event=_event(event), signal=_signal(signal), walks=[walk])


def replied(tx: Tx, row: Row) -> Story:
    """The story of a reply: the text it answers, the consents it changed, and our answer."""
    answered = sends.get(tx, row["send_id"]) if row["send_id"] else None
    told = _only(answered, "id play step template state accepted_at")
    changed = [item for item in consents.rows(tx, row["phone"]) if item["method"] == "reply"]
    return story(
        reply={**dict(row), "answers": told, "crm": _crm(tx, row, f"reply:{row['id']}")},
        consents=_dicts(item for item in changed if item["occurred_at"] == row["occurred_at"]),
        texts=[text(tx, answer) for answer in tx.all(ANSWERS, id=row["id"], limit=MANY)],
    )


def text(tx: Tx, row: Row) -> dict[str, Json]:
    """One text with its decisions, receipts, replies, outcomes, and what the CRM was told."""
    about = {"id": row["id"], "limit": MANY}
    receipts = tx.all(RECEIPTS, provider=row["provider"], id=row["provider_id"], limit=MANY)
    since = row["begun_at"] or row["planned_at"]
    return {
        **dict(row),
        "decisions": [_decision(item) for item in tx.all(BY_SEND, **about)],
        "tries": _dicts(attempts.of(tx, str(row["id"]))) if int(row["attempt"]) > 1 else [],
        "receipts": _dicts(receipts),
        "replies": _dicts(tx.all(REPLIES_TO, phone=row["phone"], since=since, **about)),
        "outcomes": _dicts(tx.all(OUTCOMES_OF, contact=row["contact_id"], **about)),
        "crm": _dicts(tx.all(WRITTEN_FOR_SEND, **about)),
    }


def _walk_of(tx: Tx, decision: Row, signal: Row | None) -> dict[str, Json]:
    """The walk that an event's decision led to: all of it at the event it counts from."""
    if not decision["enrolment_id"]:
        return _refused(decision)
    enrolment = enrolments.get(tx, decision["enrolment_id"])
    if enrolment is None:
        return _refused(decision)
    if signal is not None and enrolment["signal_id"] == signal["id"]:
        return _walk(tx, enrolment)
    on = {"enrolment": _enrolment(tx, enrolment), "goes_on_with": enrolment["event_id"] or ""}
    return _refused(decision) | on


def _refused(decision: Row) -> dict[str, Json]:
    rest: dict[str, Json] = {"goes_on_with": "", "arms": [], "texts": [], "tasks": []}
    about = {name: decision[name] for name in ("play", "version", "key")}
    return {**about, "enrolment": None, **rest, "decisions": [_decision(decision)]}


def _walk(tx: Tx, enrolment: Row, only: Row | None = None) -> dict[str, Json]:
    winner = contacts.row(tx, enrolment["contact_id"]) or {"id": enrolment["contact_id"]}
    ids = {"contact": winner["id"], "id": enrolment["id"]}
    texts = [only] if only else tx.all(TEXTS, id=enrolment["id"], limit=MANY)
    decided = [
        _decision(row)
        for row in tx.all(BY_ENROLMENT, **ids, limit=MANY)
        if only is None or row["moment"] == "trigger"
    ]
    about = {"play": f"play:{enrolment['play']}", **_between(f"test:{enrolment['play']}:")}
    arms = tx.all(ARMS, contact=winner["id"], **about)
    return {
        **{name: enrolment[name] for name in ("play", "version", "key")},
        "enrolment": _enrolment(tx, enrolment),
        "goes_on_with": "",
        "arms": _dicts(arms),
        "decisions": decided,
        "texts": [text(tx, row) for row in texts],
        "tasks": [] if only else _owed_by(tx, enrolment),
    }


def _owed_by(tx: Tx, enrolment: Row) -> list[dict[str, Json]]:
    """The tasks and the calls to other tools that a walk made."""
    names = (f"{kind}:{enrolment['id']}:" for kind in ("task", "call"))
    return [row for name in names for row in _crm(tx, enrolment, name)]


def _enrolment(tx: Tx, row: Row) -> dict[str, Json]:
    kept = {name: row[name] for name in ENROLMENT_TOLD.split()}
    return {**kept, "ended_by": _ended_by(tx, row)}


def _ended_by(tx: Tx, row: Row) -> str:
    """The event that ended a walk: the first of that name heard after the start it counts from."""
    reason, _, name = str(row["exit_reason"]).partition(":")
    if reason.startswith("goal"):
        return str(row["goal_event_id"] or "")
    if reason not in ("unless", "exit"):
        return ""
    about = {"contact": row["contact_id"], "since": row["triggered_at"], "start": row["signal_id"]}
    found = tx.one(ENDED_BY, name=name, **about)
    return str(found["event_id"]) if found else ""


def _ends(tx: Tx, contact: str, event_id: str, signal: Row) -> list[dict[str, Json]]:
    """Walks that an event ended, and those whose goal it was."""
    names = {"unless": f"unless:{signal['name']}", "exit": f"exit:{signal['name']}"}
    rows = tx.all(ENDS, contact=contact, event=event_id, limit=MANY, **names)
    walks = [{"play": row["play"], "version": row["version"], "key": row["key"]} for row in rows]
    ended = [{**walk, **_enrolment(tx, row)} for walk, row in zip(walks, rows, strict=True)]
    return [walk for walk in ended if event_id in (walk["ended_by"], walk["goal_event_id"])]


def _crm(tx: Tx, row: Row, prefix: str) -> list[dict[str, Json]]:
    """What a CRM is owed or has of a contact, by the beginning of its key."""
    return _dicts(tx.all(WRITTEN_FOR, contact=row["contact_id"], limit=MANY, **_between(prefix)))


def _between(prefix: str) -> dict[str, str]:
    """The bounds of all that begins so."""
    return {"low": prefix, "high": f"{prefix}\uffff"}


def _event(row: Row | None) -> dict[str, Json] | None:
    kept = _only(row, EVENT_TOLD)
    return {**kept, "back_fill": bool(kept["back_fill"])} if kept else None


def _signal(row: Row | None) -> dict[str, Json] | None:
    if row is None:
        return None
    hidden = len(row["sensitive"].split(",")) if row["sensitive"] else 0
    kept = {name: row[name] for name in ("id", "event_id", "name", "key", "occurred_at")}
    told = {"facts": dict(signal_facts(row)), "hidden_facts": hidden}
    return {**kept, "activity": bool(row["activity"]), **told}


def _decision(row: Row) -> dict[str, Json]:
    found = dict(row)
    for name in ("objections", "facts"):
        found[name] = orjson.loads(found[name]) if found[name] else None
    return found


def _dicts(rows: Iterable[Row]) -> list[dict[str, Json]]:
    return [dict(row) for row in rows]


def _only(row: Mapping[str, Any] | None, names: str) -> dict[str, Json] | None:
    return {name: row[name] for name in names.split()} if row is not None else None
