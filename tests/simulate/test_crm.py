"""What was read of a CRM is replayed like all else: its events, what it knew, merges, opt-outs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.clock import new_id
from connector.ledger import crm_hints
from connector.model import Fate, Hint
from connector.simulate.compare import compare
from connector.simulate.inputs import inputs
from connector.simulate.replay import replayed
from connector.simulate.simulation import of_ledger
from connector.steps import crmread
from tests.crms.memory import MemoryCrm
from tests.simulate.town import AREAS, Town

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOTHING = (
    *("do_not_call", "do_not_contact", "is_competitor", "is_customer", "is_employee"),
    *("lead_converted", "under_age"),
)
CRM = """
[contact]
objects = ["contact", "lead"]
phone = "phone"
first_name = "name"
plan = "plan"
[stage]
field = "stage"
[stage.values]
Lead = "lead"
Customer = "customer"
[facts]
plan = "plan"
has_open_case = "open_cases > 0"
"""
REST = """
[consent]
opt_out = "sms_opt_out"
[fields]
sms_opt_out = "opted_out"
"""
PLAY = """
description = "A play of the test"
role = "service"
purpose = "service"
next_step = "finish"
holdout = 0
[start]
{start}
[[steps]]
name = "first"
template = "{name}"
"""
PLAYS = {
    "from_record": 'signal = "crm_contact"',
    "from_fact": 'changed = "crm.plan"',
    "from_case": 'changed = "crm.has_open_case"',
}


class Office(Town):
    """A town with a CRM in memory."""

    def start(self) -> None:
        super().start()
        self.crm = MemoryCrm(self.clock)
        self.crm.name = "local"
        self.rt.crms = {"local": self.crm}

    def _new_id(self, kind: str) -> str:
        """Those of events are as the ones that come in by other roads have them."""
        return new_id(kind) if kind == "evt" else super()._new_id(kind)

    def read(self, *hints: Hint) -> None:
        """Webhooks come, a minute goes by, and all that is due is read."""
        with self.store.write() as tx:
            for hint in hints:
                crm_hints.note(tx, hint, self.clock())
        self.go(MINUTE)
        while crmread.round(self.rt):
            self.work()

    def phone(self, person: int) -> str:
        return f"+1{AREAS[person % len(AREAS)]}55501{person % 100:02}"


@pytest.fixture
def office(town_folder: Path, tmp_path: Path) -> Iterator[Office]:
    folder = Path(shutil.copytree(town_folder, tmp_path / "office"))
    nothing = "".join(f'{name} = "none"\n' for name in NOTHING)
    (folder / "mappings" / "crms" / "local.toml").write_text(CRM + nothing + REST)
    for play in (folder / "mappings" / "plays").glob("*.toml"):
        play.unlink()
    for name, start in PLAYS.items():
        text = PLAY.format(name=name, start=start)
        (folder / "mappings" / "plays" / f"{name}.toml").write_text(text)
        (folder / "templates" / f"{name}.en.txt").write_text(
            "{{ brand }}: hello. Reply STOP to end."
        )
    made = Office(folder)
    yield made
    made.stop()


def test_what_a_crm_told_is_decided_again_as_it_was(office: Office) -> None:
    crm = office.crm
    for person in range(4):
        office.introduce(person)
    office.read()
    for person in range(4):
        crm.put(str(person), phone=office.phone(person), name=f"P{person}", plan="free")
    office.read()
    office.go(2 * HOUR)
    crm.put("0", plan="pro", stage="Lead")
    office.read(crm.put("c1", "case", people=("1",), open=True))
    office.go(2 * HOUR)
    crm.put("2", sms_opt_out="true")
    office.read()
    crm.put("2", plan="max")
    office.read(crm.ends("3", Fate.deleted))
    office.go(2 * HOUR)
    crm.put("00Q1", "lead", phone="+12125550177", plan="free")
    office.read()
    office.read(crm.ends("00Q1", Fate.converted, "0", "lead"))
    office.reply(0, "STOP")
    crm.put("0", plan="max")
    office.read()
    office.go(30 * HOUR)

    decided = office.rows("SELECT DISTINCT play FROM decisions WHERE moment = 'trigger'")
    assert {row["play"] for row in decided} == set(PLAYS)
    kinds = {line["kind"] for line in inputs(office.store)}
    assert {"event", "crm_change", "consent"} <= kinds
    [merge] = office.rows("SELECT * FROM merges")
    assert merge["event_id"]
    with replayed(office.loaded, of_ledger(office.store)) as ran:
        assert not ran.faults
        found = compare(ran)
        again = ran.world.store
        with again.read() as tx:
            merges = tx.all("SELECT * FROM merges")
    assert not found.differences
    assert found.equal >= 10
    assert len(merges) == 1
