from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.crms import ADAPTERS
from connector.crms.local import LocalCrm, merge_fields
from connector.ledger import contacts, local_crm, migrations
from connector.ledger.sqlite import SqliteStore
from connector.model import Json, Subject
from tests.crms.contract import CrmContract, activity, change, fields

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class LocalPlace:
    """The local CRM over a ledger of its own."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "ledger.db")
        migrations.migrate(self.store.database())
        self.crm = LocalCrm(records=local_crm.LocalRecords(self.store), clock=lambda: NOW)

    def activities(self, contact_id: str) -> dict[str, dict[str, Any]]:
        with self.store.read() as tx:
            found = local_crm.record_of(tx, contact_id)
            rows = local_crm.activities(tx, found[0]) if found else []
            return {row["key"]: dict(row) for row in rows}

    def fields(self, contact_id: str) -> dict[str, Json]:
        with self.store.read() as tx:
            found = local_crm.record_of(tx, contact_id)
            return found[1] if found else {}

    def knows(self, contact_id: str, **identities: str) -> None:
        with self.store.write() as tx:
            if contacts.row(tx, contact_id) is None:
                contacts.create(tx, contact_id, NOW)
            for kind, value in identities.items():
                link = f"lnk_{contact_id}_{kind}"
                contacts.link(tx, kind, value, contact_id, "", NOW, confirmed=True, link_id=link)


class TestLocal(CrmContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[LocalPlace]:
        place = LocalPlace(tmp_path)
        yield place
        place.store.close()

    def test_it_is_registered(self) -> None:
        assert ADAPTERS["local"] == f"{LocalCrm.__module__}:{LocalCrm.__name__}"

    def test_a_batch_that_fails_leaves_nothing_behind(self, place: LocalPlace) -> None:
        unwritable = fields(always={"score": 2**70})
        with pytest.raises(TypeError):
            place.crm.write([activity(), unwritable])
        assert place.activities("con_1") == {}

    def test_an_activity_without_its_words_is_refused(self, place: LocalPlace) -> None:
        [answer] = place.crm.write([change("activity", "send:snd_1", {"kind": "text"})])
        assert answer.permanent
        assert answer.error == "the activity lacks subject, body, status, occurred_at"
        assert place.crm.fetch([Subject(crm_id="rec_1")]) == [None]

    def test_a_person_is_fetched_by_the_surest_identity(self, place: LocalPlace) -> None:
        place.knows("con_1", user_id="u1", email="ann@example.org")
        place.knows("con_2", phone="+12125550101")
        place.crm.write([fields("con_1", always={"n": 1}), fields("con_2", always={"n": 2})])
        found = place.crm.fetch(
            [
                Subject(email="ann@example.org"),
                Subject(phone="+12125550101"),
                Subject(user_id="u1", phone="+12125550101"),
                Subject(user_id="u9"),
                Subject(),
            ]
        )
        assert [item and item["n"] for item in found] == [1, 2, 1, None, None]

    def test_a_number_that_two_people_share_fetches_neither(self, place: LocalPlace) -> None:
        place.knows("con_1", phone="+12125550101")
        place.knows("con_2", phone="+12125550101")
        place.crm.write([fields("con_1", always={"n": 1}), fields("con_2", always={"n": 2})])
        assert place.crm.fetch([Subject(phone="+12125550101")]) == [None]

    def test_an_activity_follows_a_person_who_was_merged(self, place: LocalPlace) -> None:
        place.crm.write([activity()])
        place.crm.write([activity(contact="con_2")])
        assert place.activities("con_1") == {}
        assert list(place.activities("con_2")) == ["send:snd_1"]


values = st.none() | st.integers(-5, 5) | st.text(max_size=3)
names = st.sampled_from("abc")
changes = st.fixed_dictionaries(
    {},
    optional={
        "always": st.dictionaries(names, values),
        "if_empty": st.dictionaries(names, values),
    },
)


@settings(deadline=None)
@given(current=st.dictionaries(names, values), change=changes)
def test_merging_the_same_change_twice_is_merging_it_once(
    current: dict[str, Json], change: dict[str, Any]
) -> None:
    once = merge_fields(current, change)
    assert merge_fields(once, change) == once


@settings(deadline=None)
@given(totals=st.lists(st.integers(0, 100), min_size=1).map(sorted), start=st.integers(0, 9))
def test_a_field_grows_by_what_our_total_has_grown(totals: list[int], start: int) -> None:
    fields: dict[str, Json] = {"n": start}
    for total in totals:
        fields = merge_fields(fields, {"increment": {"n": total}})
    assert fields["n"] == start + totals[-1]


def test_what_others_add_to_a_growing_field_is_kept() -> None:
    fields = merge_fields({}, {"increment": {"n": 2}})
    fields = merge_fields({**fields, "n": 12}, {"increment": {"n": 3}})
    assert fields["n"] == 13


def test_a_growing_field_that_holds_no_number_starts_at_none() -> None:
    assert merge_fields({"n": "many"}, {"increment": {"n": 2}})["n"] == 2
