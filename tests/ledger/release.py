"""Writes a small ledger of the present schema as SQL: ``python -m tests.ledger.release 0.1.0``.

Done once for each release, as it is made. From then on the file never changes: a later release
must still open it.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.ledger import (
    assignments,
    consents,
    contacts,
    cursors,
    decisions,
    enrolments,
    events,
    files,
    merges,
    migrations,
    outcomes,
    sends,
    statuses,
    writebacks,
)
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.messages import Accepted, Receipt, Reply
from connector.model import Decision, Event, Signal, Status, Subject, Verdict
from connector.records import Owed

FOLDER = Path(__file__).parents[1] / "fixtures" / "ledgers"
NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)
PHONE = "+12125550123"
ANN, LOST = "con_1", "con_2"


def dump() -> str:
    """A ledger in which every table that the first release fills has a row."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        store = SqliteStore(path)
        migrations.migrate(store.database())
        with store.write() as tx:
            tx.run("UPDATE _sqlite_migrations SET applied_at = '2026-11-17 17:00:00'")
            _people(tx)
            _heard(tx)
            _consented(tx)
            _walked(tx)
            _came_of_it(tx)
        store.close()
        with closing(sqlite3.connect(path)) as connection:
            return "\n".join(connection.iterdump()) + "\n"


def _people(tx: Tx) -> None:
    cursors.set_(tx, "salt", "0" * 32)
    cursors.set_(tx, "inbox", "3")
    cursors.count(tx, "unreadable_dropped.site", 2)
    for who in (ANN, LOST):
        contacts.create(tx, who, NOW)
    for kind, value, who, sure in (
        ("user_id", "u-7", ANN, True),
        ("phone", PHONE, ANN, True),
        ("anonymous_id", "a-1", LOST, False),
    ):
        contacts.link(tx, kind, value, who, "evt_1", NOW, confirmed=sure, link_id=f"lnk_{kind}")
    traits = {"first_name": "Ann", "country": "US", "region": "NY"}
    for at, stage in ((NOW, "lead"), (NOW + MINUTE, "customer")):
        row = contacts.row(tx, ANN)
        assert row is not None
        contacts.see(
            tx,
            row,
            traits=traits,
            visit={"campaign": "autumn"},
            stage=stage,
            at=at,
            activity=True,
            trusted=True,
        )
    later = NOW + MINUTE
    contacts.stage_changed(tx, ANN, "lead", "customer", later, later, "evt_2", change_id="stg_1")
    merges.merge(tx, ANN, LOST, "evt_1", NOW, merge_id="mrg_1")


def _heard(tx: Tx) -> None:
    payload = {"event": "Cart Updated", "properties": {"value": 42.5}}
    event = Event("evt_1", "backend", "m-1", "track", "Cart Updated", NOW, NOW, payload)
    events.record(tx, event)
    events.record(tx, event)
    events.settle(tx, "evt_1", "done", "", ANN, "segment@v1")
    signal = Signal(
        "cart_updated",
        Subject(user_id="u-7"),
        {"value": 42.5, "note": "private"},
        {},
        key="cart-7",
        sensitive=frozenset({"note"}),
    )
    events.add_signal(tx, signal, event, ANN, "sig_1")
    events.keep_unreadable(tx, "unr_1", "site", "the body is not JSON", b"{", NOW)


def _consented(tx: Tx) -> None:
    said = (("cns_1", "marketing", True, "web_form", "Yes, text me", NOW),)
    stopped = (("cns_2", "all", False, "reply", "STOP", NOW + 9 * MINUTE),)
    for consent_id, purpose, granted, method, wording, at in (*said, *stopped):
        consents.add(
            tx,
            consent_id=consent_id,
            phone=PHONE,
            purpose=purpose,
            granted=granted,
            method=method,
            wording=wording,
            source="backend",
            recorded_by="connector",
            event_id="evt_1" if granted else "",
            occurred_at=at,
            now=at,
            evidence={"page": "/signup"} if granted else {},
        )
    consents.block(tx, PHONE, "all", "reply", NOW + 9 * MINUTE)


def _walked(tx: Tx) -> None:
    files.keep(tx, [("play", "cart", "v1", 'description = "cart"')], NOW)
    arms = {"holdout": 0.05, "treated": 0.95}
    assignments.assign(tx, "play:cart", ANN, "treated", arms, NOW)
    opening = enrolments.Opening(
        "enr_1", "cart", "v1", ANN, "cart-7", "sig_1", "live", NOW, NOW, NOW
    )
    enrolments.open_(tx, opening, NOW)
    plan = sends.Plan(
        id="snd_1",
        cause="play",
        cause_id="enr_1",
        step="reminder",
        contact_id=ANN,
        phone=PHONE,
        purpose="marketing",
        template="cart",
        due_at=NOW,
        expires_at=NOW + timedelta(days=1),
        enrolment_id="enr_1",
        play="cart",
        version="v1",
        key="cart-7",
    )
    sends.plan(tx, plan, NOW)
    enrolments.to_step(tx, "enr_1", 0, None)
    yes = Decision(Verdict.send, policy_version="p1+h1")
    for number, about in enumerate(
        (
            decisions.About("trigger", ANN, "cart", enrolment_id="enr_1", event_id="evt_1"),
            decisions.About("send", ANN, "cart", enrolment_id="enr_1", send_id="snd_1"),
        ),
        1,
    ):
        decisions.add(tx, about, yes, {"said": []}, NOW, decision_id=f"dec_{number}")


def _came_of_it(tx: Tx) -> None:
    sends.begin(
        tx,
        "snd_1",
        text="Your cart waits",
        language="en",
        encoding="GSM-7",
        segments=1,
        provider="twilio",
        phone=PHONE,
        at=NOW,
    )
    sends.accepted(tx, "snd_1", Accepted("SM1", 1, 7_900, "USD"), NOW)
    delivered = Receipt("twilio", "SM1", Status.delivered, "delivered", stamp="s1", send_id="snd_1")
    outcomes.add_receipt(tx, delivered, "snd_1", NOW + MINUTE, receipt_id="rcp_1")
    statuses.told(tx, "snd_1", delivered, NOW + MINUTE)
    enrolments.first_text(tx, "enr_1", NOW, NOW + WEEK)
    enrolments.goal(tx, "enr_1", NOW + 5 * MINUTE, "evt_2", "converted")
    enrolments.end(tx, "enr_1", "goal", NOW + 5 * MINUTE)
    goal = outcomes.Heard(
        id="out_1",
        cause="goal:enr_1",
        contact_id=ANN,
        kind="goal_reached",
        occurred_at=NOW + 5 * MINUTE,
        thing="order-1",
        value_micros=42_500_000,
        currency="USD",
        enrolment_id="enr_1",
        send_id="snd_1",
        event_id="evt_2",
    )
    outcomes.add(tx, goal, NOW + 5 * MINUTE)
    stop = Reply("twilio", "SM2", PHONE, "+18005550100", "STOP", NOW + 9 * MINUTE)
    outcomes.add_reply(
        tx,
        stop,
        reply_id="rpl_1",
        label="opt_out",
        why="exact",
        contact_id=ANN,
        send_id="snd_1",
        occurred_at=NOW + 9 * MINUTE,
        now=NOW + 9 * MINUTE,
    )
    writebacks.owe(tx, "local", ANN, Owed("activity", "send:snd_1", {}, "snd_1"), NOW)


if __name__ == "__main__":
    (FOLDER / f"{sys.argv[1]}.sql").write_text(dump(), encoding="utf-8")
