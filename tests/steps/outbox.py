"""A ledger, people and a CRM far away, for the write-back step alone, with a clock to move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from connector.ledger import alarms, contacts, migrations, outcomes, sends, statuses, writebacks
from connector.ledger.sends import Plan
from connector.ledger.sqlite import SqliteStore
from connector.messages import Accepted, Receipt, Reply
from connector.model import Status
from connector.records import Owed
from connector.rules.crm import CrmMapping
from connector.rules.stages import Stages
from connector.rules.writeback import Field, fact
from connector.steps import owed, writeback
from connector.steps.setup import Setup
from tests.crms.remote import RemoteCrm

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
FIELDS = tuple(Field(name, fact(name)) for name in ("last_text_status", "texts_sent", "last_reply"))


def phone(person: int) -> str:
    return f"+1212555{person:04}"


@dataclass
class Outbox:
    """What the step needs of a setup, and a few people who are known to the CRM."""

    store: SqliteStore
    crm_there: RemoteCrm
    now: datetime = NOW
    crm: str = "remote"
    flush_after: timedelta = MINUTE
    crm_fields: dict[str, tuple[Field, ...]] = field(default_factory=lambda: {"remote": FIELDS})
    opt_out_fields: dict[str, str] = field(default_factory=dict)
    crm_mappings: dict[str, CrmMapping] = field(default_factory=dict)
    by_kind: dict[str, Any] = field(default_factory=dict)
    stages: Stages = field(default_factory=lambda: Stages(()))
    new_ids: int = 0

    def __post_init__(self) -> None:
        self.crms = {self.crm: self.crm_there}

    def clock(self) -> datetime:
        return self.now

    def chance(self) -> float:
        return 0.5

    def new_id(self, kind: str) -> str:
        self.new_ids += 1
        return f"{kind}_{self.new_ids:06}"

    def of_kind(self, kind: str) -> tuple[()]:
        return ()

    def flush(self) -> int:
        """The step, once."""
        return writeback.writeback(cast(Setup, self))

    def next_due(self) -> datetime | None:
        return writeback.next_due(cast(Setup, self))

    def drain(self, hours: float = 2) -> None:
        """Let time pass, and flush whenever something is due."""
        until = self.now + timedelta(hours=hours)
        while (due := self.next_due()) is not None and due <= until:
            self.now = max(due, self.now + SECOND)
            self.flush()

    def know(self, person: int, record: str = "") -> str:
        """A contact with a number; with a CRM's record of theirs, where one is named."""
        contact_id = f"con_{person}"
        with self.store.write() as tx:
            contacts.create(tx, contact_id, NOW)
            told = {"confirmed": True, "link_id": f"lnk_{person}"}
            contacts.link(tx, "phone", phone(person), contact_id, "", NOW, **told)  # type: ignore[arg-type]
            if record:
                told = {"confirmed": True, "link_id": f"lnk_{record}"}
                value = f"{self.crm}:{record}"
                contacts.link(tx, "crm_id", value, contact_id, "", NOW, **told)  # type: ignore[arg-type]
        return contact_id

    def note(self, key: str, contact: str = "con_1", status: str = "Sent", **told: Any) -> None:
        """Owe an activity that needs no row of its own."""
        change = {"kind": "note", "subject": key, "body": key, "status": status, **told}
        with self.store.write() as tx:
            writebacks.owe(tx, self.crm, contact, Owed("activity", f"note:{key}", change), self.now)

    def changed(self, contact: str = "con_1") -> None:
        """Owe a contact's fields."""
        with self.store.write() as tx:
            owed.contact_changed(tx, self.crm, contact, self.now)

    def text(self, person: int, key: str = "") -> str:
        """A text to a person was accepted."""
        send_id = f"snd_{person}{key}"
        with self.store.write() as tx:
            plan = Plan(
                id=send_id,
                cause="play",
                cause_id=send_id,
                step="reminder",
                contact_id=f"con_{person}",
                phone=phone(person),
                purpose="marketing",
                template="cart",
                play="cart",
                due_at=self.now,
                expires_at=self.now + timedelta(days=1),
            )
            sends.plan(tx, plan, self.now)
            sends.begin(
                tx,
                send_id,
                text="Your cart is waiting.",
                language="en",
                encoding="gsm7",
                segments=1,
                provider="sandbox",
                phone=phone(person),
                at=self.now,
            )
            sends.accepted(tx, send_id, Accepted(f"SM{send_id}"), self.now)
            owed.send_changed(tx, self.crm, cast(Any, sends.get(tx, send_id)), self.now)
        return send_id

    def receipt(self, send_id: str) -> None:
        """The text arrived."""
        told = Receipt("sandbox", f"SM{send_id}", Status.delivered, "delivered")
        with self.store.write() as tx:
            statuses.told(tx, send_id, told, self.now)
            owed.send_changed(tx, self.crm, cast(Any, sends.get(tx, send_id)), self.now)

    def reply(self, person: int, text: str = "Thanks", *, hot: bool = False) -> str:
        """A person texted back."""
        reply_id = f"rpl_{person}_{self.new_id('r')}"
        with self.store.write() as tx:
            outcomes.add_reply(
                tx,
                Reply("sandbox", reply_id, phone(person), "+12125550199", text),
                reply_id=reply_id,
                label="hold" if hot else "none",
                why="",
                contact_id=f"con_{person}",
                send_id=f"snd_{person}",
                occurred_at=self.now,
                now=self.now,
            )
            row = outcomes.get_reply(tx, reply_id)
            owed.replied(tx, self.crm, row, self.now)
            if hot:
                owed.hot_reply(tx, self.crm, row, self.now)
        return reply_id

    def rows(self, columns: str = "*") -> dict[str, dict[str, Any]]:
        """What the CRM is owed or was told, by key."""
        with self.store.read() as tx:
            found = tx.all(f"SELECT key, {columns} FROM writebacks")
            return {str(row["key"]): dict(row) for row in found}

    def alarms(self) -> dict[str, str]:
        """The alarms that stand: kind → what it says."""
        with self.store.read() as tx:
            return {str(row["kind"]): str(row["says"]) for row in alarms.open_(tx)}


def opened(folder: Path, people: int = 3) -> Outbox:
    """An outbox with so many people, each with a record in the CRM."""
    store = SqliteStore(folder / "ledger.db")
    migrations.migrate(store.database())
    place = Outbox(store, RemoteCrm())
    for person in range(1, people + 1):
        place.know(person, f"rec{person}")
    return place
