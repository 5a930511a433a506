"""Salesforce prepared: tried first, deployed once, assigned, and it may be done again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from connector.crms.salesforce.deploy import PATIENCE
from connector.crms.salesforce.install import Install
from connector.crms.salesforce.login import Login
from connector.crms.salesforce.metadata import shipped
from connector.crms.salesforce.proof import PROOF, prove
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.records import FieldShape, Part, PartState
from tests.crms.salesforce_org import USER, Org

HOST = "acme.my.salesforce.com"
MAPPED = ("SMS_Opt_Out__c", "SMS_Last_Sent_At__c")
INTEREST = FieldShape("SMS_Interest__c", "choice", "SMS interest", ("mugs", "plates"))


class Desk:
    """An org, and a connector that prepares it; ``waits`` are the seconds it would have slept."""

    def __init__(self) -> None:
        self.org = Org()
        self.waits: list[float] = []
        self.watched: list[tuple[str, int, int]] = []
        login = Login("acme.my", access_token="t", instance=HOST)
        now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        line = Line(login, version="66.0", base_url="", clock=lambda: now, reserve=None)
        watch = lambda *told: self.watched.append(told)  # noqa: E731
        self.install = Install(line, "66.0", self.waits.append, watch)

    def prepare(
        self, *creates: FieldShape, written: tuple[str, ...] = MAPPED, dry_run: bool = False
    ) -> dict[str, Part]:
        """What install tells, by name."""
        parts = list(self.install.run(creates, written, dry_run=dry_run))
        return {f"{part.kind} {part.name}": part for part in parts}


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An org as it is bought."""
    desk = Desk()

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        assert request.headers["Authorization"] == "Bearer t"
        body = request.body.encode() if isinstance(request.body, str) else request.body
        status, said = desk.org.answer(request.method, request.url, request.headers, body or b"")
        return status, {}, "" if said is None else json.dumps(said)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(rf"https://{re.escape(HOST)}/.*"), answer)
        yield desk


def states(parts: dict[str, Part]) -> set[str]:
    return {part.state.value for part in parts.values()}


def test_everything_is_deployed_assigned_and_seen(desk: Desk) -> None:
    parts = desk.prepare()
    assert states(parts) == {"made"}
    assert desk.org.describes("SMS_Message__c") >= {"SMS_Id__c", "Body__c", "Contact__c"}
    assert desk.org.describes("Lead") >= {"SMS_Opt_Out__c"}
    assert desk.org.describes("Task") >= {"SMS_Id__c"}
    assert parts["assignment SMS_Connector"].says.endswith(USER)
    assert len([part for name, part in parts.items() if name.startswith("field")]) == len(
        shipped().fields
    )


def test_it_is_tried_before_it_is_deployed(desk: Desk) -> None:
    desk.prepare()
    assert [each["options"]["checkOnly"] for each in desk.org.deployments] == [True, False]
    assert {what for what, _, _ in desk.watched} == {"Trying", "Deploying"}


def test_a_second_run_deploys_nothing(desk: Desk) -> None:
    desk.prepare()
    again = desk.prepare()
    assert states(again) == {"there"}
    assert len(desk.org.deployments) == 2


def test_a_dry_run_only_tries_it(desk: Desk) -> None:
    told = desk.prepare(dry_run=True)
    assert states(told) == {"missing"}
    assert [each["options"]["checkOnly"] for each in desk.org.deployments] == [True]
    assert not desk.org.granted and not desk.org.assigned
    assert set(told) == set(desk.prepare()) - {"assignment SMS_Connector"}


def test_a_field_of_another_type_is_told_and_left_out(desk: Desk) -> None:
    desk.prepare()
    desk.org.fields["Contact"]["SMS_Opt_Out__c"]["type"] = "string"
    parts = desk.prepare(INTEREST)
    part = parts["field Contact.SMS_Opt_Out__c"]
    assert part.state is PartState.differs and "string" in part.says and part.remedy
    assert parts["field Contact.SMS_Interest__c"].state is PartState.made
    assert desk.org.fields["Contact"]["SMS_Opt_Out__c"]["type"] == "string"


def test_an_id_that_is_not_unique_is_told(desk: Desk) -> None:
    desk.prepare()
    desk.org.fields["Task"]["SMS_Id__c"]["unique"] = False
    part = desk.prepare()["field Activity.SMS_Id__c"]
    assert part.state is PartState.differs and "Unique" in part.remedy


def test_a_field_that_is_there_but_hidden_is_granted_and_not_changed(desk: Desk) -> None:
    own = {"name": "SMS_Opt_Out__c", "type": "boolean", "label": "their own"}
    desk.org.fields["Contact"]["SMS_Opt_Out__c"] = own
    parts = desk.prepare()
    assert parts["field Contact.SMS_Opt_Out__c"].state is PartState.there
    assert "hidden" in parts["field Contact.SMS_Opt_Out__c"].says
    assert desk.org.fields["Contact"]["SMS_Opt_Out__c"] is own
    assert "SMS_Opt_Out__c" in desk.org.describes("Contact")


def test_a_hidden_field_of_another_type_stops_it_before_anything_is_deployed(desk: Desk) -> None:
    desk.org.fields["Lead"]["SMS_Opt_Out__c"] = {"name": "SMS_Opt_Out__c", "type": "string"}
    [part] = desk.prepare().values()
    assert (part.state, part.name) == (PartState.failed, "Lead.SMS_Opt_Out__c")
    assert "Cannot change type" in part.says and "Setup" in part.remedy
    assert len(desk.org.deployments) == 1 and not desk.org.granted


def test_a_field_of_the_mapping_is_made_and_granted(desk: Desk) -> None:
    desk.prepare()
    parts = desk.prepare(INTEREST)
    assert parts["field Lead.SMS_Interest__c"].state is PartState.made
    assert "SMS_Interest__c" in desk.org.describes("Lead")
    assert "SMS_Opt_Out__c" in desk.org.describes("Lead"), "what was granted stays granted"
    assert states(desk.prepare(INTEREST)) == {"there"}


def test_a_name_that_no_org_can_make_is_told(desk: Desk) -> None:
    part = desk.prepare(FieldShape("Interest", "text"))["field Interest"]
    assert part.state is PartState.failed and "Interest__c" in part.remedy


def test_what_is_written_and_described_nowhere_is_told(desk: Desk) -> None:
    desk.org.fields["Lead"]["Rating"] = {"name": "Rating", "type": "picklist"}
    parts = desk.prepare(written=(*MAPPED, "Rating", "Mood__c"))
    assert parts["field Mood__c"].state is PartState.failed
    assert "[create.Mood__c]" in parts["field Mood__c"].remedy
    assert "field Rating" not in parts


def test_who_may_not_deploy_is_told_which_rights_are_missing(desk: Desk) -> None:
    desk.org.forbidden.add("metadata/")
    with pytest.raises(CrmUnavailable) as error:
        desk.prepare()
    assert "Modify Metadata" in error.value.remedy and "--files" in error.value.remedy


def test_who_may_not_assign_is_told_how_it_is_done_by_hand(desk: Desk) -> None:
    desk.org.forbidden.add("PermissionSetAssignment")
    parts = desk.prepare()
    part = parts["assignment SMS_Connector"]
    assert part.state is PartState.failed and "Manage Assignments" in part.remedy
    assert sum(part.state is PartState.failed for part in parts.values()) == 1


def test_what_stays_hidden_after_all_is_told(desk: Desk) -> None:
    desk.org.hidden_still.add("Contact.SMS_Opt_Out__c")
    parts = desk.install.run([], MAPPED, dry_run=False)
    last = [part for part in parts if part.name == "Contact.SMS_Opt_Out__c"][-1]
    assert last.state is PartState.failed and "does not see it" in last.says


def test_a_deployment_that_never_ends_is_left_to_itself_and_told(desk: Desk) -> None:
    desk.org.slow = 10_000
    with pytest.raises(CrmUnavailable, match="has not ended") as error:
        desk.prepare()
    assert "Deployment Status" in error.value.remedy
    assert PATIENCE <= sum(desk.waits) <= PATIENCE + 5


def test_the_external_id_is_proven_by_one_task_that_is_deleted(desk: Desk) -> None:
    desk.prepare()
    part = prove(desk.install.line)
    assert part.state is PartState.there
    written = [path for method, path in desk.org.calls if method == "PATCH"]
    assert written == [f"sobjects/Task/SMS_Id__c/{PROOF}"] * 2
    assert not desk.org.tasks


def test_an_external_id_that_makes_two_is_found_out_and_both_are_deleted(desk: Desk) -> None:
    desk.prepare()
    desk.org.unique = False
    part = prove(desk.install.line)
    assert part.state is PartState.failed and "CallObject" in part.remedy
    assert not desk.org.tasks


def test_a_proof_that_is_refused_is_told(desk: Desk) -> None:
    desk.org.forbidden.add("Task/SMS_Id__c")
    part = prove(desk.install.line)
    assert part.state is PartState.failed and "INSUFFICIENT_ACCESS" in part.says


def test_a_proof_that_cannot_be_cleared_away_says_what_to_delete(desk: Desk) -> None:
    desk.prepare()
    desk.org.forbidden.add("Task/00T")
    part = prove(desk.install.line)
    assert part.state is PartState.failed and "by hand" in part.remedy
    desk.org.forbidden.clear()
    assert prove(desk.install.line).state is PartState.there, "the next one clears it away"
    assert not desk.org.tasks


def test_where_tasks_bear_our_id_elsewhere_there_is_nothing_to_prove(desk: Desk) -> None:
    assert prove(desk.install.line, "CallObject").state is PartState.there
    assert desk.org.calls == []
