"""Fields that grow by our totals: never twice, also after a crash between call and answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.crms.salesforce import growing
from connector.errors import CrmUnavailable
from connector.ledger import contacts, local_crm, migrations
from connector.ledger.sqlite import SqliteStore
from tests.crms.contract import fields
from tests.crms.salesforce_server import Fault, Server
from tests.crms.test_salesforce import SalesforcePlace

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "ledger.db")
    migrations.migrate(store.database())
    with store.write() as tx:
        contacts.create(tx, "con_1", NOW)
    yield store
    store.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.mark.parametrize("acts", [True, False], ids=["it had acted", "it had not"])
def test_a_total_is_added_once_although_the_process_died_before_the_answer(
    server: Server, store: SqliteStore, acts: bool
) -> None:
    records = local_crm.LocalRecords(store)
    place = SalesforcePlace(server, records=records)
    place.crm.write([fields(always={"touches": 10})])
    place.crm.write([fields(increment={"touches": 2})])
    server.org.fails(Fault(None, acts=acts, path="composite/sobjects"))
    with pytest.raises(CrmUnavailable):
        place.crm.write([fields(increment={"touches": 5})])
    after = SalesforcePlace(server, records=records)  # another process
    after.people = after.crm.known = place.people
    for _ in range(2):
        assert after.crm.write([fields(increment={"touches": 5})])[0].ok
        assert place.fields("con_1")["touches"] == 15


def test_a_field_that_grows_is_not_written_where_it_has_not_grown(server: Server) -> None:
    place = SalesforcePlace(server)
    for _ in range(3):
        [answer] = place.crm.write([fields(increment={"touches": 5}, if_empty={"plan": "free"})])
        assert (answer.ok, answer.record) == (True, place.people["con_1"])
    assert place.fields("con_1")["touches"] == 5
    assert len(server.org.sent("composite")) == 1


@settings(deadline=None)
@given(
    totals=st.lists(st.integers(0, 50), min_size=1, max_size=8).map(sorted),
    fates=st.lists(st.sampled_from(["answered", "acted", "lost"]), min_size=8, max_size=8),
    start=st.integers(0, 9),
)
def test_whatever_becomes_of_each_call_the_field_holds_the_last_total(
    totals: list[int], fates: list[str], start: int
) -> None:
    held: dict[str, float] = {"n": start}
    growth: growing.Growth = {}
    for total, fate in zip([*totals, totals[-1]], [*fates, "answered"], strict=False):
        values, growth = growing.begin(growth, {"n": total}, held)
        if fate != "lost":
            held |= values
        if fate == "answered":
            growth = growing.done(growth)
    values, growth = growing.begin(growth, {"n": totals[-1]}, held)
    assert {**held, **values} == {"n": start + totals[-1]}
