"""HubSpot prepared: what is missing is made, what is there is left, and it may be done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hubspot.crm.properties.models import OptionInput, PropertyCreate

from connector.crms.hubspot.install import GROUP, SCOPE, STANDARD, TYPES, body_of, install
from connector.crms.hubspot.names import TOTALS
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import FieldShape, Part, PartState

PROPERTIES = "/crm/properties/2026-03/contacts"
GROUPS = f"{PROPERTIES}/groups"
MAPPED = ("sms_opt_out", "sms_last_sent_at", "sms_consent")
INTEREST = FieldShape("sms_interest", "choice", "SMS interest", ("mugs", "plates"))


class Account:
    """The properties of a HubSpot account, as its API tells and makes them."""

    def __init__(self, **properties: dict[str, Any]) -> None:
        self.properties: dict[str, Any] = {
            name: {"name": name, **body} for name, body in properties.items()
        }
        self.groups: dict[str, Any] = {}
        self.made: list[str] = []
        self.answers: dict[str, tuple[int, Json] | CrmUnavailable] = {}

    def rest(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """One call."""
        kept = self.groups if path == GROUPS else self.properties
        assert path in (PROPERTIES, GROUPS)
        if method == "GET":
            return 200, {"results": list(kept.values())}
        assert isinstance(body, dict) and method == "POST"
        name = str(body["name"])
        answer = self.answers.get(name)
        if isinstance(answer, CrmUnavailable):
            raise answer
        if answer is not None:
            return answer
        if name in kept:
            return 409, {"message": "exists", "category": "OBJECT_ALREADY_EXISTS"}
        if path == PROPERTIES:
            assert body["groupName"] in self.groups, "a property must have a group that is there"
        kept[name] = body
        self.made.append(name)
        return 201, body

    def prepare(
        self,
        *creates: FieldShape,
        written: tuple[str, ...] = MAPPED,
        grows: bool = False,
        dry_run: bool = False,
    ) -> dict[str, Part]:
        """What install tells, by name."""
        parts = install(self.rest, creates, written, grows=grows, dry_run=dry_run)
        return {part.name: part for part in parts}


def states(parts: dict[str, Part]) -> dict[str, str]:
    return {name: part.state.value for name, part in parts.items()}


def test_what_is_missing_is_made_with_its_group() -> None:
    account = Account()
    parts = account.prepare()
    assert account.made == [GROUP, *MAPPED]
    assert set(states(parts).values()) == {"made"}
    assert account.properties["sms_opt_out"]["type"] == "bool"


def test_a_second_run_makes_nothing() -> None:
    account = Account()
    account.prepare()
    account.made.clear()
    assert set(states(account.prepare()).values()) == {"there"}
    assert account.made == []


def test_a_dry_run_tells_the_same_and_makes_nothing() -> None:
    account = Account()
    told = states(account.prepare(dry_run=True))
    assert account.made == []
    assert told == {name: "missing" for name in states(account.prepare())}


def test_a_property_of_another_type_is_told_and_left_as_it_is() -> None:
    account = Account(sms_last_sent_at={"type": "string", "fieldType": "text"})
    part = account.prepare()["sms_last_sent_at"]
    assert part.state is PartState.differs
    assert "string" in part.says and "datetime" in part.says and part.remedy
    assert account.properties["sms_last_sent_at"]["type"] == "string"


def test_a_select_that_lacks_an_option_is_told_which() -> None:
    options = [{"value": "granted"}, {"value": "denied"}]
    account = Account(sms_consent={"type": "enumeration", "options": options})
    part = account.prepare()["sms_consent"]
    assert part.state is PartState.differs
    assert "unknown" in part.says and "granted" not in part.says


def test_a_checkbox_made_by_hand_serves_as_a_flag() -> None:
    options = [{"value": "true"}, {"value": "false"}]
    for kind in ("bool", "enumeration"):
        account = Account(sms_opt_out={"type": kind, "options": options})
        assert account.prepare()["sms_opt_out"].state is PartState.there


def test_hubspots_own_properties_need_no_description() -> None:
    account = Account(lifecyclestage={"type": "enumeration", "options": []})
    assert account.prepare(written=("lifecyclestage",)) == {}
    assert account.made == []


def test_a_name_that_nothing_describes_is_told_with_the_lines_to_write() -> None:
    part = Account().prepare(written=("favourite",))["favourite"]
    assert part.state is PartState.failed
    assert "[create.favourite]" in part.remedy


def test_the_mapping_file_describes_properties_of_its_own() -> None:
    account = Account()
    parts = account.prepare(INTEREST, written=("sms_interest",))
    assert parts["sms_interest"].state is PartState.made
    made = account.properties["sms_interest"]
    assert [option["value"] for option in made["options"]] == ["mugs", "plates"]
    assert [option["displayOrder"] for option in made["options"]] == [0, 1]


def test_totals_are_kept_in_a_hidden_property_only_where_something_grows() -> None:
    account = Account()
    assert TOTALS not in account.prepare()
    assert account.prepare(grows=True)[TOTALS].state is PartState.made
    assert account.properties[TOTALS]["hidden"] is True
    assert account.properties["sms_opt_out"]["hidden"] is False


def test_somebody_who_was_quicker_is_no_error() -> None:
    account = Account()
    account.answers["sms_opt_out"] = (409, {"message": "exists"})
    assert account.prepare()["sms_opt_out"].state is PartState.there


def test_what_hubspot_refuses_is_told_in_its_words_and_the_rest_is_made() -> None:
    account = Account()
    says = {"message": "You have reached the limit of properties.", "correlationId": "c-1"}
    account.answers["sms_opt_out"] = (400, says)
    parts = account.prepare()
    assert parts["sms_opt_out"].state is PartState.failed
    assert "limit of properties" in parts["sms_opt_out"].says
    assert "c-1" in parts["sms_opt_out"].says
    assert parts["sms_consent"].state is PartState.made


@pytest.mark.parametrize("remedy", ["", f"give the key the scope {SCOPE}"])
def test_a_missing_scope_is_told_by_its_name(remedy: str) -> None:
    account = Account()
    account.answers[GROUP] = CrmUnavailable("HubSpot said 403", code="forbidden", remedy=remedy)
    with pytest.raises(CrmUnavailable) as error:
        account.prepare()
    assert SCOPE in error.value.remedy


def test_another_failure_is_told_as_it_is() -> None:
    account = Account()
    account.answers[GROUP] = CrmUnavailable("no answer", code="timeout")
    with pytest.raises(CrmUnavailable, match="no answer"):
        account.prepare()


def test_an_answer_without_a_list_is_no_empty_account() -> None:
    def rest(method: str, path: str, body: Json = None) -> tuple[int, Json]:
        return 200, {"html": "a proxy's page"}

    with pytest.raises(CrmUnavailable) as error:
        list(install(rest, [], MAPPED, grows=False, dry_run=False))
    assert error.value.code == "malformed"


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_is_one_that_hubspots_own_client_takes(kind: str) -> None:
    choices = ("a", "b") if kind.startswith("choice") else ()
    assert taken(FieldShape("sms_x", kind, choices=choices)).field_type == TYPES[kind][1]


@pytest.mark.parametrize("name", STANDARD)
def test_each_standard_property_is_one_that_hubspots_own_client_takes(name: str) -> None:
    assert taken(STANDARD[name]).label == STANDARD[name].label


def taken(shape: FieldShape) -> Any:
    """The property as HubSpot's own client validates it."""
    body = body_of(shape)
    options: Callable[..., Any] = OptionInput
    listed = [
        options(
            label=option["label"],
            value=option["value"],
            display_order=option["displayOrder"],
            hidden=option["hidden"],
        )
        for option in body.get("options", ())
    ]
    make: Callable[..., Any] = PropertyCreate
    return make(
        name=body["name"],
        label=body["label"],
        type=body["type"],
        field_type=body["fieldType"],
        group_name=body["groupName"],
        has_unique_value=body["hasUniqueValue"],
        form_field=body["formField"],
        hidden=body["hidden"],
        options=listed,
    )


def test_a_flag_has_the_two_options_that_hubspot_wants() -> None:
    options = body_of(STANDARD["sms_opt_out"])["options"]
    assert [(item["value"], item["label"]) for item in options] == [
        ("true", "Yes"),
        ("false", "No"),
    ]


def test_a_long_text_gets_several_lines() -> None:
    assert body_of(FieldShape("sms_x", "text", length=4_000))["fieldType"] == "textarea"
    assert body_of(FieldShape("sms_x", "text"))["fieldType"] == "text"


def test_without_a_label_people_see_the_name_in_words() -> None:
    assert body_of(FieldShape("sms_interest", "text"))["label"] == "SMS interest"
    assert body_of(FieldShape("favourite_store", "text"))["label"] == "Favourite store"


def test_a_unique_property_is_asked_for_as_one() -> None:
    assert body_of(FieldShape("sms_x", "text", is_unique=True))["hasUniqueValue"] is True
    assert body_of(FieldShape("sms_x", "text"))["hasUniqueValue"] is False
