"""What every CRM adapter must do, whatever it talks to: subclass and give it a ``place``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import pytest

from connector.crms import Crm
from connector.model import Json, Subject
from connector.records import Writeback

TEXT: Mapping[str, Json] = {
    "kind": "text",
    "subject": "Text: cart_abandoned, reminder",
    "body": "Your cart is waiting.",
    "direction": "outgoing",
    "status": "Sent",
    "occurred_at": "2026-11-20T12:00:00.000000Z",
    "play": "cart_abandoned",
}


class Place(Protocol):
    """A CRM under test, and a look at what it holds that does not go through the adapter."""

    crm: Crm

    def activities(self, contact_id: str) -> dict[str, dict[str, Any]]:
        """What stands on the contact's record: key → subject, body and status."""

    def fields(self, contact_id: str) -> dict[str, Json]:
        """What the fields of the contact's record hold."""


def activity(key: str = "send:snd_1", contact: str = "con_1", **differs: Json) -> Writeback:
    return change("activity", key, {**TEXT, **differs}, contact)


def fields(contact: str = "con_1", **groups: Mapping[str, Json]) -> Writeback:
    return change("fields", f"fields:{contact}", groups, contact)


def change(kind: str, key: str, what: Mapping[str, Json], contact: str = "con_1") -> Writeback:
    return Writeback(f"wbk:{key}", "any", contact, "", kind, key, what)


class CrmContract:
    """The tests; ``place`` is a fixture of the subclass, new for each of them."""

    @pytest.fixture
    @abstractmethod
    def place(self, tmp_path: Any) -> Any:
        """A CRM that knows two people, con_1 and con_2, and holds nothing of either."""

    def test_nothing_to_write_is_no_verdict(self, place: Place) -> None:
        assert place.crm.write([]) == []

    def test_each_change_has_its_verdict_and_record(self, place: Place) -> None:
        changes = [activity(), fields(always={"texts_sent": 1}), activity("reply:rpl_1", "con_2")]
        answers = place.crm.write(changes)
        assert [answer.id for answer in answers] == [item.id for item in changes]
        assert all(answer.ok and answer.record for answer in answers)

    def test_an_activity_written_twice_stands_once(self, place: Place) -> None:
        place.crm.write([activity()])
        place.crm.write([activity()])
        place.crm.write([activity(), activity()])
        assert list(place.activities("con_1")) == ["send:snd_1"]

    def test_an_activity_is_updated_as_its_status_changes(self, place: Place) -> None:
        place.crm.write([activity()])
        place.crm.write([activity(status="Delivered")])
        assert place.activities("con_1")["send:snd_1"]["status"] == "Delivered"

    def test_the_last_of_two_changes_in_one_batch_stands(self, place: Place) -> None:
        first, last = fields(always={"stage": "lead"}), fields(always={"stage": "customer"})
        place.crm.write([activity(), first, activity(status="Delivered"), last])
        assert place.activities("con_1")["send:snd_1"]["status"] == "Delivered"
        assert place.fields("con_1")["stage"] == "customer"

    def test_a_task_stands_on_the_record(self, place: Place) -> None:
        place.crm.write([change("task", "task:enr_1:call", {**TEXT, "subject": "Call Ann"})])
        assert place.activities("con_1")["task:enr_1:call"]["subject"] == "Call Ann"

    def test_each_contact_has_a_record_of_its_own(self, place: Place) -> None:
        place.crm.write([activity(), activity("send:snd_2", "con_2")])
        assert list(place.activities("con_1")) == ["send:snd_1"]
        assert list(place.activities("con_2")) == ["send:snd_2"]

    def test_one_bad_change_does_not_keep_the_others_back(self, place: Place) -> None:
        bad = change("telepathy", "send:snd_2", TEXT)
        answers = place.crm.write([activity(), bad, activity("send:snd_3")])
        assert [answer.ok for answer in answers] == [True, False, True]
        assert answers[1].permanent and answers[1].error
        assert sorted(place.activities("con_1")) == ["send:snd_1", "send:snd_3"]

    def test_fields_follow_their_rules(self, place: Place) -> None:
        place.crm.write([fields(always={"stage": "lead"}, if_empty={"plan": "free"})])
        place.crm.write([fields(always={"stage": None}, if_empty={"plan": "gold"})])
        assert place.fields("con_1")["stage"] in (None, "")
        assert place.fields("con_1")["plan"] == "free"
        place.crm.write([fields(if_empty={"stage": "trial"})])
        assert place.fields("con_1")["stage"] == "trial"

    def test_a_growing_total_is_added_once_however_often_it_is_told(self, place: Place) -> None:
        place.crm.write([fields(always={"touches": 10})])
        for total in (2, 2, 5):
            place.crm.write([fields(increment={"touches": total})])
        assert place.fields("con_1")["touches"] == 15

    def test_fields_that_a_change_does_not_name_stay(self, place: Place) -> None:
        place.crm.write([fields(always={"stage": "lead", "plan": "free"})])
        place.crm.write([fields(always={"stage": "customer"})])
        assert place.fields("con_1")["plan"] == "free"

    def test_a_person_is_fetched_by_the_record_that_was_written(self, place: Place) -> None:
        [answer] = place.crm.write([fields(always={"stage": "lead"}, increment={"touches": 1})])
        subject = Subject(crm=place.crm.name, crm_id=answer.record)
        found, unknown = place.crm.fetch([subject, Subject(crm=place.crm.name, crm_id="nobody")])
        assert found is not None and unknown is None
        assert (found["id"], found["stage"]) == (answer.record, "lead")
        assert not [name for name in found if name.startswith("_")]

    def test_what_the_connector_wrote_is_no_news(self, place: Place) -> None:
        before = {name: place.crm.changes(name, None) for name in place.crm.objects}
        place.crm.write([activity(), fields(always={"stage": "lead"})])
        assert not [page for page in before.values() if page.records]
