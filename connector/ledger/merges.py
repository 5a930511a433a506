"""Two contacts proven to be one: everything moves, nothing is lost, and it can be undone."""

from __future__ import annotations

from datetime import datetime

import orjson

from connector import clock
from connector.errors import ConnectorError
from connector.ledger import contacts
from connector.ledger.store import Tx

#: Tables whose rows simply follow the person. Decisions are chained and stay as they were made:
#: who asks for a person's asks for those of all that were merged into them (``decisions.SAME``).
FOLLOWING = (
    "events",
    "signals",
    "stage_changes",
    "sends",
    "outcomes",
    "replies",
    "clicks",
    "touches",
    "writebacks",
    "crm_changes",
)
KEEP = """INSERT INTO merges (id, winner, loser, event_id, at, moved)
    VALUES (:id, :winner, :loser, :event, :at, :moved)"""
#: A crossing that one of the two was told of is not told again. Timers, memberships and links
#: stay under the loser's id, which leads to the winner for as long as the merge stands. Where it
#: is undone, the loser is given the timers that took the place of theirs: each looks again at
#: whose it is when it is due.
READINGS = """INSERT INTO readings (play, contact_id, key, at, value, armed)
    SELECT play, :winner, key, at, value, armed FROM readings WHERE contact_id = :loser
    ON CONFLICT (play, contact_id, key) DO UPDATE SET at = excluded.at, value = excluded.value,
        armed = excluded.armed WHERE excluded.at > readings.at"""
CRMS = """SELECT crm FROM crm_facts WHERE contact_id = :loser AND crm NOT IN
    (SELECT crm FROM crm_facts WHERE contact_id = :winner)"""
FACTS = """UPDATE crm_facts SET contact_id = :taker WHERE contact_id = :giver AND crm = :crm
    AND NOT EXISTS (SELECT 1 FROM crm_facts o WHERE o.contact_id = :taker AND o.crm = :crm)"""
TIMERS = """INSERT INTO timers (kind, name, contact_id, key, due_at, base)
    SELECT kind, name, :loser, key, due_at, base FROM timers WHERE contact_id = :bearer
    ON CONFLICT (kind, name, contact_id, key) DO NOTHING"""
OPEN_TWICE = """SELECT b.id FROM enrolments a JOIN enrolments b ON a.play = b.play
    AND a.key = b.key WHERE a.contact_id = :winner AND b.contact_id = :loser"""
END_TWICE = """UPDATE enrolments SET state = 'ended', due_at = NULL, ended_at = :at,
    exit_reason = 'merged' WHERE id = :id AND state IN ('waiting', 'walking')"""
BEARS = """SELECT 1 FROM identities
    WHERE kind = :kind AND value = :value AND contact_id = :contact AND detached_at IS NULL"""
DETACH = """UPDATE identities SET detached_at = :at
    WHERE kind = :kind AND value = :value AND contact_id = :contact"""
ATTACH = """UPDATE identities SET detached_at = NULL
    WHERE kind = :kind AND value = :value AND contact_id = :contact"""
DROP = "DELETE FROM identities WHERE kind = :kind AND value = :value AND contact_id = :contact"
GIVE = """UPDATE identities SET contact_id = :taker
    WHERE kind = :kind AND value = :value AND contact_id = :giver"""
CANCEL_TWICE = """UPDATE sends SET state = 'cancelled', reason = 'merged', settled_at = :at
    WHERE enrolment_id = :id AND state = 'planned'"""


def merge(tx: Tx, winner: str, loser: str, event_id: str, at: datetime, *, merge_id: str) -> None:
    """Make ``loser`` part of ``winner``.

    1. Rows that follow the person move, and which they were is kept in the merge's own row.
    2. Where both walk the same play about the same occurrence, the winner's goes on and the
       loser's ends; it stays under the loser's id, since one enrolment per key may stand.
    3. Identities move; the earlier assignment of an experiment stays and is marked mixed.
    4. The winner keeps its own traits and CRM facts, takes those it lacks, and the earlier first
       visit.
    """
    moved: dict[str, list[str]] = {}
    stamp = clock.text(at)
    twice = [str(row["id"]) for row in tx.all(OPEN_TWICE, winner=winner, loser=loser)]
    for enrolment in twice:
        tx.run(END_TWICE, id=enrolment, at=stamp)
        tx.run(CANCEL_TWICE, id=enrolment, at=stamp)
    for table in (*FOLLOWING, "enrolments"):
        ids = tx.all(f"SELECT id FROM {table} WHERE contact_id = :loser", loser=loser)  # noqa: S608
        moved[table] = [str(row["id"]) for row in ids if row["id"] not in twice]
        for row_id in moved[table]:
            _move(tx, table, row_id, winner)
    moved["identities"], moved["shared"] = _move_identities(tx, winner, loser, stamp)
    _keep_assignments(tx, winner, loser, stamp)
    tx.run(READINGS, winner=winner, loser=loser)
    moved["crm_facts"] = [str(row["crm"]) for row in tx.all(CRMS, winner=winner, loser=loser)]
    for crm in moved["crm_facts"]:
        tx.run(FACTS, crm=crm, giver=loser, taker=winner)
    _fill_in(tx, winner, loser)
    tx.run(
        "UPDATE contacts SET merged_into = :winner WHERE id = :loser", winner=winner, loser=loser
    )
    tx.run(
        KEEP,
        id=merge_id,
        winner=winner,
        loser=loser,
        event=event_id,
        at=stamp,
        moved=orjson.dumps(moved).decode(),
    )


def undo(tx: Tx, merge_id: str, at: datetime) -> tuple[str, str]:
    """Give the loser of a merge its rows back; (winner, loser).

    Rows that came after the merge stay with the winner: nobody can say whose they are.
    """
    row = tx.one("SELECT * FROM merges WHERE id = :id AND undone_at IS NULL", id=merge_id)
    if row is None:
        raise ConnectorError(f"there is no merge {merge_id} to undo; see `connector contact`")
    winner, loser = str(row["winner"]), str(row["loser"])
    moved: dict[str, list[str]] = orjson.loads(row["moved"])
    tx.run("UPDATE contacts SET merged_into = NULL WHERE id = :loser", loser=loser)
    bearer = _became(tx, winner)
    for name in moved.pop("identities", []):
        kind, _, value = name.partition("=")
        tx.run(GIVE, kind=kind, value=value, giver=bearer, taker=loser)
    for name in moved.pop("shared", []):
        kind, _, value = name.partition("=")
        tx.run(ATTACH, kind=kind, value=value, contact=loser)
    for crm in moved.pop("crm_facts", []):
        tx.run(FACTS, crm=crm, giver=bearer, taker=loser)
    tx.run(TIMERS, bearer=bearer, loser=loser)
    for table, ids in moved.items():
        if table in (*FOLLOWING, "enrolments"):
            for row_id in ids:
                _move(tx, table, row_id, loser)
    tx.run("UPDATE merges SET undone_at = :at WHERE id = :id", at=clock.text(at), id=merge_id)
    return winner, loser


def _move(tx: Tx, table: str, row_id: str, contact_id: str) -> None:
    tx.run(
        f"UPDATE {table} SET contact_id = :contact WHERE id = :id",  # noqa: S608
        contact=contact_id,
        id=row_id,
    )


def _became(tx: Tx, contact_id: str) -> str:
    """The contact that now bears a winner's names: itself, or whom it was merged into since."""
    found = contacts.row(tx, contact_id)
    return str(found["id"]) if found else contact_id


def _move_identities(tx: Tx, winner: str, loser: str, at: str) -> tuple[list[str], list[str]]:
    """Give the loser's names to the winner: (those that moved, those that both bore)."""
    moved, shared = [], []
    for name in contacts.identities(tx, loser):
        pair = {"kind": name["kind"], "value": name["value"]}
        if tx.one(BEARS, contact=winner, **pair):
            tx.run(DETACH, contact=loser, at=at, **pair)
            shared.append(f"{name['kind']}={name['value']}")
        else:
            tx.run(DROP, contact=winner, **pair)  # a detached row of the winner's own
            tx.run(GIVE, giver=loser, taker=winner, **pair)
            moved.append(f"{name['kind']}={name['value']}")
    return moved, shared


def _keep_assignments(tx: Tx, winner: str, loser: str, at: str) -> None:
    rows = tx.all("SELECT * FROM assignments WHERE contact_id = :loser", loser=loser)
    for row in rows:
        tx.run(
            """INSERT INTO assignments (experiment, contact_id, arm, probability, candidates,
                assigned_at, mixed_at)
            VALUES (:experiment, :winner, :arm, :probability, :candidates, :assigned, :at)
            ON CONFLICT (experiment, contact_id) DO UPDATE SET
                arm = CASE WHEN excluded.assigned_at < assignments.assigned_at
                    THEN excluded.arm ELSE assignments.arm END,
                mixed_at = CASE WHEN excluded.arm <> assignments.arm
                    THEN :at ELSE assignments.mixed_at END""",
            experiment=row["experiment"],
            winner=winner,
            arm=row["arm"],
            probability=row["probability"],
            candidates=row["candidates"],
            assigned=row["assigned_at"],
            at=at,
        )


def _fill_in(tx: Tx, winner: str, loser: str) -> None:
    kept = tx.one("SELECT * FROM contacts WHERE id = :id", id=winner)
    lost = tx.one("SELECT * FROM contacts WHERE id = :id", id=loser)
    if kept is None or lost is None:
        raise ConnectorError(f"contact {winner} or {loser} is not in the ledger")
    traits = {**orjson.loads(lost["traits"]), **orjson.loads(kept["traits"])}
    older, newer = sorted((kept, lost), key=lambda row: str(row["first_seen_at"]))
    tx.run(
        """UPDATE contacts SET traits = :traits, first_visit = :first_visit,
            first_seen_at = :first_seen, last_seen_at = :last_seen, last_activity_at = :active,
            timezone = :timezone, country = :country, region = :region, postal = :postal,
            language = :language, stage = :stage WHERE id = :id""",
        id=winner,
        traits=orjson.dumps(traits).decode(),
        first_visit=older["first_visit"] if older["first_visit"] != "{}" else newer["first_visit"],
        first_seen=older["first_seen_at"],
        last_seen=max(str(kept["last_seen_at"]), str(lost["last_seen_at"])),
        active=max(kept["last_activity_at"] or "", lost["last_activity_at"] or "") or None,
        **{
            name: kept[name] or lost[name]
            for name in ("timezone", "country", "region", "postal", "language", "stage")
        },
    )
