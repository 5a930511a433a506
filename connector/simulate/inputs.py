"""Inputs: all that the connector was ever told, as lines in the order in which it was heard.

A line is one JSON object with ``kind`` and ``at``, the instant at which it was heard. The first
is ``about``. Beside the inputs stand the recorded decisions, answers of the provider and codes of
links, so that a replay can do everything at its recorded instant, and be compared.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import orjson

from connector import clock
from connector.config import libraries
from connector.ledger import assignments
from connector.ledger.store import Row, Store
from connector.simulate import recorded_gap, recorded_numbers
from connector.simulate.pages import rows
from connector.simulate.recorded import WHOSE_HAND
from connector.simulate.recorded_events import events
from connector.steps import templates

Line = dict[str, Any]

FORMAT: Final = 1

FILES: Final = """SELECT rowid AS id, * FROM files
    WHERE rowid > CAST(:after AS INTEGER) ORDER BY rowid LIMIT :limit"""
REPLIES: Final = """SELECT * FROM replies WHERE id > :after AND phone <> ''
    ORDER BY id LIMIT :limit"""
RECEIPTS: Final = "SELECT * FROM receipts WHERE id > :after ORDER BY id LIMIT :limit"
CLICKS: Final = "SELECT * FROM clicks WHERE id > :after ORDER BY id LIMIT :limit"
CHANGES: Final = "SELECT * FROM crm_changes WHERE id > :after ORDER BY id LIMIT :limit"
CONSENTS: Final = """SELECT * FROM consents WHERE id > :after AND phone <> ''
    AND (recorded_by <> 'connector' OR method = 'forgotten'
        OR EXISTS (SELECT 1 FROM acts WHERE act = 'restored' AND at = consents.recorded_at))
    ORDER BY id LIMIT :limit"""
LAPSES: Final = """SELECT * FROM consents WHERE id > :after AND recorded_by = 'connector'
    AND event_id = '' AND method = 'reply' AND purpose = 'marketing' AND phone <> ''
    AND wording LIKE 'an unclear%'
    ORDER BY id LIMIT :limit"""
ACTS: Final = """SELECT * FROM acts WHERE id > :after AND act IN ('pause', 'resume')
    ORDER BY id LIMIT :limit"""
STARTS: Final = """WITH RECURSIVE same (id, winner) AS (
        SELECT contact_id, contact_id FROM signals WHERE name = 'hand' AND id > :after
        UNION SELECT c.id, same.winner FROM contacts c JOIN same ON c.merged_into = same.id)
    SELECT s.*, d.play AS play, d.decided_at AS heard_at FROM signals s
    JOIN same ON same.winner = s.contact_id
    JOIN decisions d ON d.contact_id = same.id AND d.moment = 'trigger'
        AND d.decided_at >= s.occurred_at
    WHERE s.name = 'hand' AND s.id > :after GROUP BY s.id ORDER BY s.id LIMIT :limit"""
MERGES: Final = """SELECT * FROM merges WHERE id > :after AND event_id = ''
    ORDER BY id LIMIT :limit"""
MOVED: Final = "SELECT * FROM merges WHERE id > :after ORDER BY id LIMIT :limit"
SPLITS: Final = """SELECT * FROM merges WHERE id > :after AND undone_at IS NOT NULL
    ORDER BY id LIMIT :limit"""
READ: Final = """SELECT a.*, r.phone AS phone FROM acts a
    JOIN replies r ON a.about = 'reply:' || r.id
    WHERE a.id > :after AND (a.act = 'release' OR a.act = 'close') AND r.phone <> ''
    ORDER BY a.id LIMIT :limit"""
BY_HAND: Final = """SELECT * FROM sends WHERE id > :after AND cause IN ('hand', 'test')
    AND phone <> '' ORDER BY id LIMIT :limit"""
DECISIONS: Final = f"""SELECT d.*, s.text AS text, s.expires_at AS expires_at,
        {WHOSE_HAND}, e.mode AS mode, c.id AS known
    FROM decided d LEFT JOIN sends s ON s.id = d.send_id
        LEFT JOIN enrolments e ON e.id = d.enrolment_id
        LEFT JOIN contacts c ON c.id = d.contact_id
    WHERE d.id > :after ORDER BY d.id LIMIT :limit"""  # noqa: S608
TAKEN: Final = """SELECT a.rowid AS id, a.attempt AS number, a.begun_at AS began,
        a.settled_at AS settled, a.result, a.reason AS why, a.code, a.provider, a.sender,
        s.cause, s.cause_id, s.contact_id, s.play, s.key, s.step, s.provider_id, s.segments,
        s.cost_micros, s.currency, s.phone
    FROM attempts a JOIN sends s ON a.send_id = s.id
    WHERE a.rowid > CAST(:after AS INTEGER) ORDER BY a.rowid LIMIT :limit"""
LINKS: Final = """SELECT l.rowid AS id, l.code, l.url, l.made_at, s.cause, s.cause_id, s.play,
        s.key, s.step, s.contact_id, s.phone FROM links l JOIN sends s ON s.id = l.send_id
    WHERE l.rowid > CAST(:after AS INTEGER) ORDER BY l.rowid LIMIT :limit"""
SCHEDULED: Final = """SELECT f.id, f.play, f.version, f.heard_at AS at FROM fanouts f
    JOIN signals s ON s.id = f.signal_id
    WHERE s.name = 'schedule' AND f.id > :after ORDER BY f.id LIMIT :limit"""
MISSED: Final = """SELECT id, substr(about, 6) AS play, version, at FROM acts
    WHERE id > :after AND act = 'schedule_missed' ORDER BY id LIMIT :limit"""
MERGED: Final = """SELECT id, merged_into FROM contacts WHERE merged_into IS NOT NULL
    AND id > :after ORDER BY id LIMIT :limit"""
SALT: Final = "SELECT value FROM cursors WHERE name = 'salt'"


def inputs(
    store: Store, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Line]:
    """Every line of a ledger, oldest first; memory does not grow with it."""
    first = clock.text(since) if since else ""
    last = clock.text(until) if until else "9999"
    yield about(store)
    yield from merged(store)
    streams = [_monotone(read(store)) for read in READERS]
    for line in heapq.merge(*streams, key=_order):
        if line["at"] >= last:
            return
        if line["at"] >= first:
            yield line


def about(store: Store) -> Line:
    """The first line: the format, the ledger's salt, and whose data the decisions rest on."""
    with store.read() as tx:
        salt = assignments.salt(tx) if tx.one(SALT) else ""
    return {
        "kind": "about",
        "at": "",
        "format": FORMAT,
        "salt": salt,
        "libraries": libraries.versions(),
    }


def merged(store: Store) -> Iterator[Line]:
    """Who turned out to be whom, for comparing."""
    for row in rows(store, MERGED):
        yield {"kind": "merged", "at": "", "loser": row["id"], "winner": row["merged_into"]}


def _monotone(lines: Iterator[Line]) -> Iterator[Line]:
    """A stream whose instants never go back: identifiers say the order, instants follow it."""
    last = ""
    for line in lines:
        last = line["at"] = max(last, line["at"])
        yield line


def _order(line: Line) -> tuple[str, int]:
    return line["at"], RANKS[line["kind"]]


def _files(store: Store) -> Iterator[Line]:
    for row in rows(store, FILES):
        yield {
            "kind": "files",
            "at": row["seen_at"],
            "file": row["kind"],
            **_picked(row, "name", "version", "content"),
        }


def _replies(store: Store) -> Iterator[Line]:
    for row in rows(store, REPLIES):
        yield {
            "kind": "reply",
            "at": row["heard_at"],
            "to": row["sender"],
            "opt_out_type": _told_by_provider(row),
            **_picked(row, "provider", "provider_id", "phone", "text", "occurred_at"),
            **_picked(row, "label"),
        }


def _told_by_provider(row: Row) -> str:
    """What the provider said that it had answered already, as far as its row tells."""
    said = {"opt_out": "STOP", "opt_in": "START", "help": "HELP"}
    return said.get(row["label"], "") if row["why"] == "provider" else ""


def _receipts(store: Store) -> Iterator[Line]:
    names = ("provider", "provider_id", "status", "raw_status", "error_code", "stamp")
    for row in rows(store, RECEIPTS):
        yield {
            "kind": "receipt",
            "at": row["heard_at"],
            **_picked(row, *names, "reason", "occurred_at"),
        }


def _clicks(store: Store) -> Iterator[Line]:
    for row in rows(store, CLICKS):
        yield {
            "kind": "click",
            "at": row["heard_at"],
            "code": row["link"],
            "clicked_at": row["at"],
            **_picked(row, "method", "agent", "network", "verdict", "why"),
        }


def _changes(store: Store) -> Iterator[Line]:
    """What the CRM told, of the contact it told it of: a merge has moved it to another since."""
    told: dict[str, str] = {}
    for merge in rows(store, MOVED):
        for change in orjson.loads(merge["moved"]).get("crm_changes", ()):
            told.setdefault(change, merge["loser"])
    for row in rows(store, CHANGES):
        yield {
            "kind": "crm_change",
            "at": row["heard_at"],
            "change_id": row["id"],
            "facts": orjson.loads(row["facts"]),
            "contact_id": told.get(row["id"], row["contact_id"]),
            "crm": row["crm"],
        }


def _consents(store: Store) -> Iterator[Line]:
    """Consents that somebody recorded by hand; all others come of events and replies again."""
    names = ("phone", "purpose", "action", "method", "wording", "source", "recorded_by")
    for row in rows(store, CONSENTS):
        yield {
            "kind": "consent",
            "at": row["recorded_at"],
            "evidence": orjson.loads(row["evidence"]),
            **_picked(row, *names, "occurred_at"),
        }


def _lapses(store: Store) -> Iterator[Line]:
    """Unclear replies that nobody decided in time, when that was noticed."""
    for row in rows(store, LAPSES):
        at = row["recorded_at"]
        yield {"kind": "lapse", "at": at, "lapsed_at": at, "phone": row["phone"]}


def _pauses(store: Store) -> Iterator[Line]:
    """Pauses of plays and of texts. A text that the connector paused by itself is judged again."""
    for row in rows(store, ACTS):
        about, _, name = str(row["about"]).rpartition(":")
        what = "template" if about == "template" else "play"
        is_own = what == "template" and row["who"] == templates.WHO
        kind = "watch" if is_own else row["act"]
        yield {"kind": kind, "at": row["at"], what: name, **_picked(row, "who", "why")}


def _starts(store: Store) -> Iterator[Line]:
    for row in rows(store, STARTS):
        yield {
            "kind": "start",
            "at": row["heard_at"],
            "facts": orjson.loads(row["facts"]),
            **_picked(row, "contact_id", "play", "key", "occurred_at"),
        }


def _merges(store: Store) -> Iterator[Line]:
    """People whom an operator merged; all other merges come of events again."""
    for row in rows(store, MERGES):
        yield {"kind": "merge", **_picked(row, "at", "winner", "loser")}


def _splits(store: Store) -> Iterator[Line]:
    """Merges that an operator undid, by when that was."""
    undone = sorted(rows(store, SPLITS), key=lambda row: str(row["undone_at"]))
    for row in undone:
        yield {"kind": "split", "at": row["undone_at"], **_picked(row, "winner", "loser")}


def _read(store: Store) -> Iterator[Line]:
    """Unclear replies that a person has read, and conversations that one has closed."""
    for row in rows(store, READ):
        yield {"kind": row["act"], **_picked(row, "at", "phone", "who")}


def _sends(store: Store) -> Iterator[Line]:
    """Texts that a person's hand planned."""
    names = ("id", "cause", "cause_id", "step", "contact_id", "phone", "purpose", "template")
    for row in rows(store, BY_HAND):
        more = _picked(row, "due_at", "expires_at", "play", "key", "mode", "language", "priority")
        more["text"] = "" if row["template"] else row["text"]
        more["due_at"] = row["planned_at"]  # at once; waiting has moved it since
        yield {"kind": "send", "at": row["planned_at"], **_picked(row, *names), **more}


def _decisions(store: Store) -> Iterator[Line]:
    names = ("moment", "contact_id", "play", "key", "step", "verdict", "last_at", "version")
    for row in rows(store, DECISIONS):
        is_text = row["moment"] == "send" and row["verdict"] == "send"
        yield {
            "kind": "decision",
            "at": row["decided_at"],
            "decided_at": row["decided_at"],
            "reasons": [item["reason"] for item in orjson.loads(row["objections"])],
            "text": (row["text"] or "") if is_text else "",
            **_picked(row, *names, "policy_version", "hand"),
            "mode": row["mode"] or "",
            "erased": bool(row["contact_id"]) and not row["known"],
            "event_id": row["event_id"] or "",
            "expires_at": (row["expires_at"] or "") if row["moment"] == "plan" else "",
        }


def _answers(store: Store) -> Iterator[Line]:
    for row in rows(store, TAKEN):
        yield {
            "kind": "provider_answer",
            "at": row["began"],
            "attempt": row["number"],
            "reason": row["why"],
            "begun_at": row["began"],
            "settled_at": row["settled"],
            **_picked(row, "provider", "sender"),
            **_picked(row, "result", "code", "cause", "cause_id", "contact_id", "play", "key"),
            **_picked(row, "step", "provider_id", "segments", "cost_micros", "currency", "phone"),
        }


def _scheduled(store: Store) -> Iterator[Line]:
    """When a schedule that had come due was looked at."""
    yield from map(_looked_at, rows(store, SCHEDULED))


def _missed(store: Store) -> Iterator[Line]:
    """When it was seen that a schedule had been missed."""
    yield from map(_looked_at, rows(store, MISSED))


def _looked_at(row: Row) -> Line:
    return {"kind": "schedule", **_picked(row, "at", "play", "version")}


def _links(store: Store) -> Iterator[Line]:
    for row in rows(store, LINKS):
        names = ("code", "url", "cause", "cause_id", "contact_id", "play", "key", "step", "phone")
        yield {"kind": "link", "at": row["made_at"], **_picked(row, *names)}


def _picked(row: Row, *names: str) -> Line:
    return {name: row[name] for name in names}


READERS: Final[tuple[Callable[[Store], Iterator[Line]], ...]] = (
    *(_files, _pauses, _consents, _read, _changes, _merges, _splits, events, _replies, _clicks),
    *(_receipts, _starts, _sends, _links, _answers, _lapses, _scheduled, _missed, _decisions),
    *(recorded_numbers.by_hand, recorded_numbers.lookups),
    *(recorded_gap.restores, recorded_gap.carried, recorded_gap.settled),
)
RANKS: Final = {
    name: rank
    for rank, name in enumerate(
        (
            *("about", "merged", "files", "restored", "pause", "resume", "consent", "release"),
            *("close", "suppress", "unsuppress", "reassign", "reassign_undone", "lookup"),
            *("crm_change", "merge", "split", "event", "carried", "reply", "click", "receipt"),
            *("watch", "start", "settled", "send", "restore_fetched", "restore_confirmed"),
            *("link", "provider_answer", "lapse", "schedule", "decision"),
        )
    )
}
"""Of what was heard at the same instant, this comes first."""
RECORDED: Final = ("merged", "decision", "provider_answer", "link", "lapse", "schedule", "watch")
"""Lines that tell what the connector did then; but for the last not told to it again."""
