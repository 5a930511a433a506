from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from connector import clock
from connector.crms.local import LocalCrm
from connector.errors import Deferred, ExpressionFailed
from connector.ledger import (
    consents,
    contacts,
    local_crm,
    merges,
    migrations,
    outcomes,
    sends,
    statuses,
)
from connector.ledger.claims import LEASE
from connector.ledger.local_crm import LocalRecords
from connector.ledger.outcomes import Heard
from connector.ledger.sends import Plan
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.messages import Accepted, Receipt, Reply
from connector.model import Json, Status, Subject
from connector.records import Writeback as Change
from connector.records import Written
from connector.rules.crm import CrmMapping
from connector.rules.policy import Policy, Rulebook
from connector.rules.writeback import Field
from connector.steps import owed
from connector.steps import writeback as step
from connector.steps.setup import Setup
from connector.steps.writeback import BATCHES
from tests.crms.quiet import QuietCrm
from tests.steps import build

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BATCH = QuietCrm.batch
PHONE = "+12125550101"


class Wrapped(QuietCrm):
    """The local CRM, which a test may make fail before or after it has acted."""

    name = "local"

    def __init__(self, inner: LocalCrm) -> None:
        self.inner = inner
        self.calls: list[list[str]] = []
        self.before: Callable[[Sequence[Change]], None] = lambda changes: None
        self.after: Callable[[Sequence[Change]], None] = lambda changes: None
        self.answer: Callable[[Change, Written], Written | None] = lambda change, answer: answer

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        return self.inner.fetch(subjects)

    def write(self, changes: Sequence[Change]) -> list[Written]:
        self.calls.append([change.key for change in changes])
        self.before(changes)
        answers = self.inner.write(changes)
        self.after(changes)
        pairs = zip(changes, answers, strict=True)
        given = [self.answer(change, answer) for change, answer in pairs]
        return [answer for answer in given if answer is not None]


def writeback(rt: object, batches: int = BATCHES) -> int:
    """The step, on a place that has what it needs of a setup."""
    return step.writeback(cast(Setup, rt), batches)


def next_due(rt: object) -> datetime | None:
    return step.next_due(cast(Setup, rt))


@dataclass
class Place:
    """A runtime for this step alone, with a clock that a test moves."""

    store: SqliteStore
    now: datetime = NOW
    by_kind: dict[str, Any] = field(default_factory=dict)
    new_ids: int = 0
    crm_fields: dict[str, tuple[Field, ...]] = field(default_factory=dict)
    opt_out_fields: dict[str, str] = field(default_factory=dict)
    crm_mappings: dict[str, CrmMapping] = field(default_factory=dict)
    flush_after: timedelta = timedelta(0)
    crm: str = "local"
    book: Rulebook = field(default_factory=lambda: Rulebook(Policy("p1"), build.open_hours()))

    def __post_init__(self) -> None:
        self.wrapped = Wrapped(LocalCrm(records=LocalRecords(self.store), clock=self.clock))
        self.crms = {"local": self.wrapped}

    def clock(self) -> datetime:
        return self.now

    def chance(self) -> float:
        return 0.5

    def new_id(self, kind: str) -> str:
        self.new_ids += 1
        return f"{kind}_{self.new_ids:06}"

    def of_kind(self, kind: str) -> tuple[()]:
        return ()

    def record(self, contact_id: str = "con_1") -> dict[str, Json]:
        with self.store.read() as tx:
            found = local_crm.record_of(tx, contact_id)
            return found[1] if found else {}

    def activities(self, contact_id: str = "con_1") -> dict[str, dict[str, Any]]:
        with self.store.read() as tx:
            found = local_crm.record_of(tx, contact_id)
            rows = local_crm.activities(tx, found[0]) if found else []
            return {row["key"]: dict(row) for row in rows}

    def states(self) -> dict[str, str]:
        with self.store.read() as tx:
            return {row["key"]: row["state"] for row in tx.all("SELECT * FROM writebacks")}

    def errors(self) -> set[str]:
        with self.store.read() as tx:
            return {row["error"] for row in tx.all("SELECT error FROM writebacks")}


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Place]:
    store = SqliteStore(tmp_path / "ledger.db")
    migrations.migrate(store.database())
    with store.write() as tx:
        know(tx, "con_1", PHONE)
    yield Place(store)
    store.close()


def know(tx: Tx, contact_id: str, phone: str) -> None:
    contacts.create(tx, contact_id, NOW)
    contacts.link(tx, "phone", phone, contact_id, "", NOW, confirmed=True, link_id=f"l{phone}")
    consents.touch(tx, phone)


def plan(tx: Tx, send_id: str, contact: str = "con_1", step: str = "reminder") -> None:
    sends.plan(
        tx,
        Plan(
            id=send_id,
            cause="play",
            cause_id=f"enr_{send_id}",
            step=step,
            contact_id=contact,
            phone=PHONE,
            purpose="marketing",
            template="cart_abandoned",
            play="cart_abandoned",
            due_at=NOW,
            expires_at=NOW + timedelta(days=1),
        ),
        NOW,
    )


def begin(tx: Tx, send_id: str, at: datetime, text: str = "Your cart is waiting.") -> None:
    sends.begin(
        tx,
        send_id,
        text=text,
        language="en",
        encoding="gsm7",
        segments=1,
        provider="sandbox",
        phone=PHONE,
        at=at,
    )


def accept(rt: Place, send_id: str = "snd_1", contact: str = "con_1", text: str = "Hi") -> None:
    with rt.store.write() as tx:
        plan(tx, send_id, contact)
        begin(tx, send_id, rt.now, text)
        sends.accepted(tx, send_id, Accepted(f"SM{send_id}"), rt.now)
        changed(tx, rt, send_id)


def changed(tx: Tx, rt: Place, send_id: str) -> None:
    send = sends.get(tx, send_id)
    assert send is not None
    owed.send_changed(tx, "local", send, rt.now)


def deliver(rt: Place, send_id: str = "snd_1") -> None:
    receipt = Receipt("sandbox", f"SM{send_id}", Status.delivered, "delivered")
    with rt.store.write() as tx:
        statuses.told(tx, send_id, receipt, rt.now)
        changed(tx, rt, send_id)


def reply(rt: Place, text: str, contact: str = "con_1", label: str = "none") -> None:
    with rt.store.write() as tx:
        outcomes.add_reply(
            tx,
            Reply("sandbox", f"MO{text}", PHONE, "+12125550199", text),
            reply_id=f"rpl_{text}",
            label=label,
            why="",
            contact_id=contact,
            send_id="snd_1",
            occurred_at=rt.now,
            now=rt.now,
        )
        row = tx.one("SELECT * FROM replies WHERE id = :id", id=f"rpl_{text}")
        assert row is not None
        owed.replied(tx, "local", row, rt.now)


def convert(rt: Place, outcome_id: str = "out_1", thing: str = "order 1001") -> None:
    heard = Heard(outcome_id, outcome_id, "con_1", "converted", rt.now, thing, 120_500_000, "USD")
    with rt.store.write() as tx:
        outcomes.add(tx, heard, rt.now)
        row = outcomes.get(tx, outcome_id)
        assert row is not None
        owed.outcome_heard(tx, "local", row, rt.now)


def test_a_text_a_reply_and_an_outcome_stand_on_the_record(rt: Place) -> None:
    accept(rt, text="Your cart is waiting.")
    rt.now += MINUTE
    reply(rt, "Thanks!")
    rt.now += MINUTE
    convert(rt)
    with rt.store.write() as tx:
        owed.task_due(tx, "local", "con_1", "enr_1:call", "Call Ann", rt.now)
    assert writeback(rt) == 5
    assert {key: row["subject"] for key, row in rt.activities().items()} == {
        "send:snd_1": "Text: cart_abandoned, reminder",
        "reply:rpl_Thanks!": "Reply",
        "outcome:out_1": "Outcome: converted, order 1001, 120.50 USD",
        "task:enr_1:call": "Call Ann",
    }
    told = {name: value for name, value in rt.record().items() if not name.startswith("consent")}
    assert told == {
        "last_text_at": clock.text(NOW),
        "last_text": "Your cart is waiting.",
        "last_text_status": "Sent",
        "last_reply_at": clock.text(NOW + MINUTE),
        "last_reply": "Thanks!",
        "texts_sent": 1,
        "opted_out": False,
        "opted_out_at": None,
    }


def test_a_text_is_one_activity_that_changes_with_its_status(rt: Place) -> None:
    accept(rt)
    writeback(rt)
    assert rt.activities()["send:snd_1"]["status"] == "Sent"
    rt.now += MINUTE
    deliver(rt)
    writeback(rt)
    assert [row["status"] for row in rt.activities().values()] == ["Delivered"]
    assert rt.record()["last_text_status"] == "Delivered"


def test_ten_outcomes_of_one_contact_are_one_update_of_its_fields(rt: Place) -> None:
    for place in range(10):
        convert(rt, f"out_{place}")
    writeback(rt)
    [keys] = rt.wrapped.calls
    assert keys.count("fields:con_1") == 1
    assert len(keys) == 11


def test_nothing_is_asked_of_the_crm_while_nothing_is_owed(rt: Place) -> None:
    assert next_due(rt) is None
    accept(rt)
    assert next_due(rt) == NOW
    writeback(rt)
    assert next_due(rt) is None
    assert writeback(rt) == 0
    assert len(rt.wrapped.calls) == 1


def test_a_text_that_was_stopped_or_held_has_no_activity(rt: Place) -> None:
    with rt.store.write() as tx:
        plan(tx, "snd_1")
        changed(tx, rt, "snd_1")
        sends.close(tx, "snd_1", "cancelled", "no_consent", NOW)
        changed(tx, rt, "snd_1")
    assert writeback(rt) == 0
    assert rt.states() == {}


def test_a_refused_text_says_why_and_counts_for_nothing(rt: Place) -> None:
    with rt.store.write() as tx:
        plan(tx, "snd_1")
        begin(tx, "snd_1", NOW)
        sends.refused(tx, "snd_1", "not_mobile", "21614", NOW)
        changed(tx, rt, "snd_1")
    writeback(rt)
    status = rt.activities()["send:snd_1"]["status"]
    assert status == "Refused: the number cannot receive texts, error 21614"
    assert (rt.record()["texts_sent"], rt.record()["last_text"]) == (0, None)


@pytest.mark.parametrize("told", [True, False])
def test_a_doubtful_text_that_did_not_leave_is_put_right(rt: Place, told: bool) -> None:
    with rt.store.write() as tx:
        plan(tx, "snd_1")
        begin(tx, "snd_1", NOW)
        sends.doubted(tx, "snd_1", "timeout", "")
        changed(tx, rt, "snd_1")
    if told:
        writeback(rt)
        assert rt.record()["texts_sent"] == 1
    with rt.store.write() as tx:
        tx.run("UPDATE sends SET state = 'expired', counts_at = NULL")
        changed(tx, rt, "snd_1")
    for _ in range(2):
        rt.now += MINUTE
        writeback(rt)
        with rt.store.write() as tx:
            changed(tx, rt, "snd_1")
    rt.now += MINUTE
    writeback(rt)
    statuses = [row["status"] for row in rt.activities().values()]
    assert statuses == (["Not sent, its time had passed"] if told else [])
    assert rt.record()["texts_sent"] == 0
    assert next_due(rt) is None


def test_only_texts_that_left_for_the_customer_are_summed_up(rt: Place) -> None:
    accept(rt, "snd_1", text="to the customer")
    rt.now += MINUTE
    for place, column in enumerate(("state = 'sending'", "mode = 'shadow'", "cause = 'test'"), 2):
        accept(rt, f"snd_{place}", text="to nobody")
        with rt.store.write() as tx:
            tx.run(f"UPDATE sends SET {column} WHERE id = :id", id=f"snd_{place}")
    writeback(rt)
    assert (rt.record()["texts_sent"], rt.record()["last_text"]) == (1, "to the customer")


def test_an_opt_out_and_its_end_reach_the_record(rt: Place) -> None:
    with rt.store.write() as tx:
        consents.block(tx, PHONE, "all", "stop", NOW)
        owed.contact_changed(tx, "local", "con_1", NOW)
    writeback(rt)
    assert rt.record()["opted_out"] is True
    assert rt.record()["opted_out_at"] == clock.text(NOW)
    with rt.store.write() as tx:
        consents.block(tx, PHONE, "", "", NOW)
        owed.contact_changed(tx, "local", "con_1", NOW)
    writeback(rt)
    assert (rt.record()["opted_out"], rt.record()["opted_out_at"]) == (False, None)


def test_a_person_with_an_open_number_has_not_opted_out(rt: Place) -> None:
    with rt.store.write() as tx:
        link = {"confirmed": True, "link_id": "l2"}
        contacts.link(tx, "phone", "+12125550102", "con_1", "", NOW, **link)  # type: ignore[arg-type]
        consents.block(tx, PHONE, "all", "stop", NOW)
        owed.contact_changed(tx, "local", "con_1", NOW)
    writeback(rt)
    assert rt.record()["opted_out"] is False


def test_a_reply_from_a_stranger_is_owed_to_nobody(rt: Place) -> None:
    reply(rt, "Who is this?", contact="")
    assert rt.states() == {}


def test_nobodys_words_stay_in_the_outbox(rt: Place) -> None:
    accept(rt, text="Hello Ann")
    reply(rt, "Thanks")
    with rt.store.read() as tx:
        assert {row["change"] for row in tx.all("SELECT change FROM writebacks")} == {"{}"}


def test_a_sensitive_fact_reaches_neither_note_nor_field(rt: Place) -> None:
    with rt.store.write() as tx:
        tx.run(
            """INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity,
                facts, sensitive) VALUES ('sig_1', 'evt_1', 'order_completed', 'con_1', 'k', :at, 1,
                '{"illness": "gout"}', 'illness')""",
            at=clock.text(NOW),
        )
    accept(rt)
    convert(rt)
    rt.crm_fields["local"] = (Field("all_of_it", str),)
    writeback(rt)
    assert "gout" not in f"{rt.activities()} {rt.record()}"


def test_fields_go_where_the_mapping_says(rt: Place) -> None:
    rt.crm_fields["local"] = (
        Field("sms_total", lambda facts: facts["texts_sent"]),
        Field("number", lambda facts: facts["contact"]["phone"]),
    )
    accept(rt)
    writeback(rt)
    assert rt.record() == {"sms_total": 1, "number": PHONE}


def test_a_field_that_fails_is_left_alone_and_logged(
    rt: Place, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(facts: Mapping[str, Json]) -> Json:
        raise ExpressionFailed("the values do not go together")

    rt.crm_fields["local"] = (Field("score", fails), Field("total", lambda facts: 1))
    accept(rt)
    with caplog.at_level(logging.INFO, "connector"):
        writeback(rt)
    assert rt.record() == {"total": 1}
    assert "result=field_left_alone why=score: the values do not go together" in caplog.text


def test_one_line_is_logged_for_each_call_and_no_text_in_it(
    rt: Place, caplog: pytest.LogCaptureFixture
) -> None:
    accept(rt, text="Hello Ann")
    with caplog.at_level(logging.INFO, "connector"):
        writeback(rt)
    assert [record.message for record in caplog.records] == [
        "act=writeback crm=local changes=2 ok=2 parked=0 ms=0"
    ]


def test_a_merged_persons_activities_go_to_the_one_who_is_left(rt: Place) -> None:
    accept(rt)
    with rt.store.write() as tx:
        know(tx, "con_2", "+12125550102")
        merges.merge(tx, "con_2", "con_1", "evt_1", NOW, merge_id="mrg_1")
        owed.contact_changed(tx, "local", "con_2", NOW)
    writeback(rt)
    assert list(rt.activities("con_2")) == ["send:snd_1"]
    assert rt.record("con_2")["texts_sent"] == 1
    assert rt.record("con_1") == {}


def test_what_happens_during_the_call_is_written_by_the_next(rt: Place) -> None:
    accept(rt)

    def news(changes: Sequence[Change]) -> None:
        rt.wrapped.after = lambda changes: None
        rt.now += timedelta(seconds=1)
        deliver(rt)

    rt.wrapped.after = news
    writeback(rt)
    assert rt.activities()["send:snd_1"]["status"] == "Delivered"
    assert len(rt.wrapped.calls) == 2
    assert set(rt.states().values()) == {"written"}


@pytest.mark.parametrize("acted", [True, False])
def test_a_process_that_dies_in_the_call_doubles_and_loses_nothing(rt: Place, acted: bool) -> None:
    accept(rt)

    def dies(changes: Sequence[Change]) -> None:
        raise KeyboardInterrupt

    rt.wrapped.after, rt.wrapped.before = (
        (dies, rt.wrapped.before) if acted else (rt.wrapped.after, dies)
    )
    with pytest.raises(KeyboardInterrupt):
        writeback(rt)
    rt.wrapped = Wrapped(rt.wrapped.inner)
    rt.crms = {"local": rt.wrapped}
    assert writeback(rt) == 0, "it is under lease"
    rt.now += LEASE
    writeback(rt)
    assert list(rt.activities()) == ["send:snd_1"]
    assert set(rt.states().values()) == {"written"}


def test_what_the_crm_refuses_for_good_is_parked_in_its_own_words(
    rt: Place, caplog: pytest.LogCaptureFixture
) -> None:
    accept(rt)
    rt.wrapped.answer = lambda change, answer: (
        Written(change.id, ok=False, permanent=True, error="FIELD_GONE: last_text")
        if change.kind == "fields"
        else answer
    )
    assert writeback(rt) == 1
    assert rt.states() == {"send:snd_1": "written", "fields:con_1": "parked"}
    assert "FIELD_GONE: last_text" in rt.errors()
    assert "parked=1" in caplog.text
    assert next_due(rt) is None


@pytest.mark.parametrize("silent", [True, False])
def test_what_the_crm_cannot_do_now_is_tried_again_later(rt: Place, silent: bool) -> None:
    accept(rt)
    rt.wrapped.answer = lambda change, answer: (
        None if silent else Written(change.id, ok=False, error="locked")
    )
    assert writeback(rt) == 0
    due = next_due(rt)
    assert due is not None and NOW < due < NOW + MINUTE
    rt.wrapped.answer = lambda change, answer: answer
    rt.now = due + MINUTE
    writeback(rt)
    assert set(rt.states().values()) == {"written"}


def test_a_crm_that_is_down_is_left_alone_and_probed(rt: Place) -> None:
    for place in range(8):
        accept(rt, f"snd_{place}", f"con_{place}")

    def down(changes: Sequence[Change]) -> None:
        raise ConnectionError(f"refused by {PHONE}")

    rt.wrapped.before = down
    for _ in range(20):
        assert writeback(rt) == 0
    assert len(rt.wrapped.calls) == 1, "one call found it down; the others did not ask"
    due = next_due(rt)
    assert due is not None and due > rt.now
    rt.now = due
    writeback(rt)
    assert [len(call) for call in rt.wrapped.calls] == [9, 1], "all that was due, then a probe"
    assert rt.errors() <= {"ConnectionError", ""}, "a stranger's words may hold anything"
    rt.wrapped.before = lambda changes: None
    rt.now += timedelta(hours=1)
    writeback(rt)
    assert [len(call) for call in rt.wrapped.calls[2:]] == [1, 8], (
        "it answers: back to full batches"
    )


def test_after_a_week_without_a_crm_everything_is_written_in_order(rt: Place) -> None:
    accept(rt)
    down = Deferred("the CRM is being moved", retry_after=3600)

    def fails(changes: Sequence[Change]) -> None:
        raise down

    rt.wrapped.before = fails
    for _ in range(7 * 24):
        writeback(rt)
        rt.now += timedelta(hours=1)
        deliver(rt)
    assert len(rt.wrapped.calls) < 7 * 24 + 1
    assert "the CRM is being moved" in rt.errors()
    rt.wrapped.before = lambda changes: None
    for _ in range(4):
        rt.now += timedelta(hours=2)
        writeback(rt)
    assert [row["status"] for row in rt.activities().values()] == ["Delivered"]
    assert set(rt.states().values()) == {"written"}


def test_one_change_that_makes_the_crm_fail_lets_the_others_pass(rt: Place) -> None:
    with rt.store.write() as tx:
        for place in range(2, 9):
            know(tx, f"con_{place}", f"+1212555020{place}")
    for place in range(1, 9):
        accept(rt, f"snd_{place}", f"con_{place}")

    def poisoned(changes: Sequence[Change]) -> None:
        if "send:snd_4" in [change.key for change in changes]:
            raise RuntimeError("bad")

    rt.wrapped.before = poisoned
    for _ in range(200):
        rt.now += MINUTE
        writeback(rt)
    assert {key for key, state in rt.states().items() if state != "written"} == {"send:snd_4"}
    rt.wrapped.calls.clear()
    for _ in range(120):
        rt.now += MINUTE
        writeback(rt)
    assert 1 <= len(rt.wrapped.calls) <= 4, "it comes back ever more seldom"


def test_one_call_does_a_bounded_part_of_a_backlog(rt: Place) -> None:
    total = BATCH * BATCHES + 50
    with rt.store.write() as tx:
        for place in range(total):
            owed.task_due(tx, "local", f"con_{place % 400}", f"enr_{place}:call", "Call", rt.now)
    assert writeback(rt) == BATCH * BATCHES
    assert {len(call) for call in rt.wrapped.calls} == {BATCH}
    assert writeback(rt) == 50
