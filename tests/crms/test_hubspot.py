from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connector.crms import ADAPTERS
from connector.crms.hubspot.adapter import HubSpotCrm
from connector.records import Wanted
from tests.crms.contract import CrmContract, activity, change, fields
from tests.crms.hubspot_place import RECORDS, HubSpotPlace


class TestHubSpot(CrmContract):
    @pytest.fixture
    def place(self, tmp_path: Any) -> Iterator[HubSpotPlace]:
        place = HubSpotPlace()
        yield place
        place.server.close()

    def test_it_is_registered(self) -> None:
        assert ADAPTERS["hubspot"] == f"{HubSpotCrm.__module__}:{HubSpotCrm.__name__}"

    def test_a_text_is_a_communication_as_hubspot_documents_it(self, place: HubSpotPlace) -> None:
        place.crm.write([activity(body="Less < 5 & more > 3\nor 'so'")])
        stands = place.activities("con_1")["send:snd_1"]
        assert stands["object"] == "communications"
        assert stands["body"] == "Less < 5 & more > 3<br>or 'so'"
        assert "<script" not in stands["held"]["hs_communication_body"]
        assert stands["held"]["hs_communication_channel_type"] == "SMS"
        assert stands["held"]["hs_communication_logged_from"] == "CRM"
        assert stands["held"]["hs_timestamp"] == "2026-11-20T12:00:00.000Z"
        assert stands["subject"] == "Text: cart_abandoned, reminder"

    def test_a_hostile_text_stays_text(self, place: HubSpotPlace) -> None:
        place.crm.write([activity(body="<img src=x onerror=alert(1)>" + "&" * 20_000)])
        held = place.activities("con_1")["send:snd_1"]["held"]["hs_communication_body"]
        assert "<img" not in held and len(held) < 65_536

    def test_replies_outcomes_and_tasks_each_have_their_object(self, place: HubSpotPlace) -> None:
        task = change("task", "task:reply:rpl_1", {**activity().change, "kind": "task"})
        place.crm.write(
            [
                activity("reply:rpl_1", kind="reply"),
                activity("outcome:out_1", kind="outcome"),
                activity("note:n_1", kind="note"),
                replace(task, owner="42"),
            ]
        )
        objects = [stands["object"] for stands in place.activities("con_1").values()]
        assert objects == ["communications", "notes", "notes", "tasks"]
        [held] = (each["properties"] for each in place.server.records["tasks"].values())
        assert (held["hubspot_owner_id"], held["hs_task_priority"]) == ("42", "HIGH")
        assert (held["hs_task_type"], held["hs_task_status"]) == ("TODO", "NOT_STARTED")

    def test_a_task_that_somebody_has_done_is_not_opened_again(self, place: HubSpotPlace) -> None:
        task = change("task", "task:enr_1:call", {**activity().change, "kind": "task"})
        place.crm.write([task])
        [id] = place.server.records["tasks"]
        place.server.set("tasks", id, hs_task_status="COMPLETED", hubspot_owner_id="7")
        place.crm.write([replace(task, owner="42")])
        held = place.server.records["tasks"][id]["properties"]
        assert (held["hs_task_status"], held["hubspot_owner_id"]) == ("COMPLETED", "7")

    def test_two_hundred_texts_of_a_hundred_people_are_two_calls(self, place: HubSpotPlace) -> None:
        place.crm.write([activity(f"send:sen_{n}", f"con_{1 + n % 2}") for n in range(200)])
        assert place.adapter.calls == {"communications-create": 2}

    def test_fields_alone_are_one_call_for_a_hundred_contacts(self, place: HubSpotPlace) -> None:
        place.crm.write([fields(always={"plan": "x"}), fields("con_2", always={"plan": "y"})])
        assert place.adapter.calls == {"properties-read": 1, "contacts-update": 1}

    def test_values_travel_as_hubspot_writes_them(self, place: HubSpotPlace) -> None:
        stamp = "2026-11-20T23:30:00.123456Z"
        place.crm.write(
            [
                fields(
                    always={
                        "sms_opt_out": True,
                        "touches": 1e-7,
                        "sms_last_sent_at": stamp,
                        "birthday": stamp,
                        "plan": ["a", "b"],
                        "stage": None,
                    }
                )
            ]
        )
        [body] = place.server.calls("contacts/batch/update")
        assert body["inputs"][0]["properties"] == {
            "sms_opt_out": "true",
            "touches": "0.0000001",
            "sms_last_sent_at": "2026-11-20T23:30:00.123Z",
            "birthday": "2026-11-20",
            "plan": "a;b",
            "stage": "",
        }

    def test_a_person_without_a_contact_is_told_what_to_do(self, place: HubSpotPlace) -> None:
        [answer] = place.adapter.write([activity()])
        assert (answer.ok, answer.permanent, answer.code) == (False, True, "no_record")
        assert "make one there" in answer.remedy
        [answer] = place.adapter.write([replace(activity(), record="901/../902")])
        assert answer.code == "no_record" and not place.server.asked

    def test_the_stage_moves_forward_only(self, place: HubSpotPlace) -> None:
        def write(stage: str | None) -> str:
            [answer] = place.crm.write([fields(always={"lifecyclestage": stage})])
            assert answer.ok
            return str(place.fields("con_1")["lifecyclestage"])

        place.server.set("contacts", RECORDS["con_1"], lifecyclestage="lead")
        assert [write(stage) for stage in ("subscriber", "opportunity", "lead", None)] == [
            "lead",
            *["opportunity"] * 3,
        ]
        assert place.adapter.calls["contacts-update"] == 1
        assert place.adapter.calls["contacts-read"] == 1  # what was seen is known for an hour

    def test_a_stage_that_hubspot_refuses_holds_up_no_other_field(
        self, place: HubSpotPlace
    ) -> None:
        place.server.is_one_way = True
        place.crm.write([fields(always={"lifecyclestage": "lead"})])
        place.server.set("contacts", RECORDS["con_1"], lifecyclestage="customer")  # unseen by us
        change = fields(always={"lifecyclestage": "opportunity", "plan": "gold"})
        [answer] = place.crm.write([change])
        assert answer.ok
        assert place.fields("con_1")["plan"] == "gold"
        assert place.fields("con_1")["lifecyclestage"] == "customer"

    def test_a_field_is_read_first_only_where_the_rule_needs_it(self, place: HubSpotPlace) -> None:
        place.server.set("contacts", RECORDS["con_1"], plan="old")
        place.crm.write(
            [fields(if_empty={"plan": "new"}), fields("con_2", if_empty={"plan": "new"})]
        )
        assert (place.fields("con_1")["plan"], place.fields("con_2")["plan"]) == ("old", "new")
        assert place.adapter.calls["contacts-read"] == 1

    def test_a_change_travels_by_its_own_route(self, place: HubSpotPlace) -> None:
        routes = [
            place.crm.route(kind, made) for kind in ("text", "outcome") for made in (False, True)
        ]
        assert routes == [
            *("communications-new", "communications-known", "notes-new", "notes-known"),
        ]
        assert place.crm.route("fields", True) == "contacts"
        assert place.crm.route("task", False) == "tasks-new"


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_token": ""},
        {"access_token": "two words"},
        {"access_token": "token\n"},
        {"base_url": "ftp://x"},
        {"base_url": "https://user:secret@x"},
        {"portal_id": "abc"},
    ],
)
def test_settings_that_cannot_work_are_refused_without_showing_them(wrong: dict[str, str]) -> None:
    given: dict[str, Any] = {"access_token": "t", "clock": None, **wrong}
    with pytest.raises(ValueError) as caught:
        HubSpotCrm(wanted=Wanted(), **given)
    assert "secret" not in str(caught.value) and "two words" not in str(caught.value)
