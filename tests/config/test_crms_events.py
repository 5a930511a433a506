"""What a changed record of a CRM means: deals, meetings and whatever else a file names."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ExpressionFailed
from connector.model import Json, Signal, Subject
from connector.rules.crm import CONTACT_SIGNAL
from connector.rules.mapping import Unmapped
from tests.config.crm_file import CONTACT, faultless, read, shipped, told
from tests.config.test_crms_people import heard, signal

DEAL: dict[str, Json] = {
    "dealname": "Mugs for all",
    "dealstage": "contractsent",
    "pipeline": "default",
    "amount": 1234.5,
    "deal_currency_code": "EUR",
    "hs_is_closed": False,
    "hs_is_closed_won": False,
}


@pytest.mark.parametrize(
    ("outcome", "name", "kind"),
    [
        ("SCHEDULED", "meeting_booked", ""),
        ("COMPLETED", "meeting_held", "meeting_held"),
        ("NO_SHOW", "meeting_missed", ""),
        ("RESCHEDULED", "meeting_rescheduled", ""),
        ("CANCELED", "meeting_cancelled", ""),
    ],
)
def test_a_meeting_of_hubspot_says_what_came_of_it_once(outcome: str, name: str, kind: str) -> None:
    found = shipped("hubspot")
    now: dict[str, Json] = {"hs_meeting_outcome": outcome, "hs_meeting_title": "Demo"}
    said = signal(found, "meeting", now)
    assert (said.name, said.outcome, said.key, said.activity) == (name, kind, "7", False)
    assert said.facts == {"title": "Demo"}
    assert said.subject == Subject(crm="hubspot", crm_id="901")
    again = heard(found, "meeting", {**now, "hs_meeting_title": "Our demo"}, now)
    assert again == Unmapped("condition_false")


def test_a_deal_that_is_won_is_a_conversion_with_its_amount() -> None:
    won = {**DEAL, "dealstage": "closedwon", "hs_is_closed": True, "hs_is_closed_won": True}
    said = heard(shipped("hubspot"), "deal", won, DEAL)
    assert isinstance(said, Signal)
    assert (said.name, said.outcome) == ("deal_won", "converted")
    assert (said.value_micros, said.currency, said.key) == (1_234_500_000, "EUR", "7")
    assert said.facts["deal_name"] == "Mugs for all"


def test_a_deal_that_is_lost_and_one_that_moved_are_signals() -> None:
    found = shipped("hubspot")
    lost = heard(found, "deal", {**DEAL, "dealstage": "closedlost", "hs_is_closed": True}, DEAL)
    moved = heard(found, "deal", DEAL, {**DEAL, "dealstage": "qualifiedtobuy"})
    assert isinstance(lost, Signal) and isinstance(moved, Signal)
    assert (lost.name, lost.outcome) == ("deal_lost", "")
    assert moved.name == "deal_moved"
    assert moved.facts["deal_stage_before"] == "qualifiedtobuy"


def test_a_deal_that_is_heard_of_for_the_first_time_has_not_moved() -> None:
    for name in ("hubspot", "salesforce"):
        found = shipped(name)
        now: dict[str, Json] = {"dealstage": "contractsent", "StageName": "Prospecting"}
        assert heard(found, "deal", now) == Unmapped("condition_false")


def test_an_opportunity_of_salesforce_is_won_lost_or_moved() -> None:
    found = shipped("salesforce")
    was: dict[str, Json] = {"StageName": "Proposal", "IsWon": False, "IsClosed": False, "Amount": 9}
    won = heard(found, "deal", {**was, "StageName": "Won", "IsWon": True, "IsClosed": True}, was)
    lost = heard(found, "deal", {**was, "StageName": "Lost", "IsClosed": True}, was)
    moved = heard(found, "deal", {**was, "StageName": "Negotiation"}, was)
    said = [each.name for each in (won, lost, moved) if isinstance(each, Signal)]
    assert said == ["deal_won", "deal_lost", "deal_moved"]
    assert isinstance(won, Signal) and won.value_micros == 9_000_000


def test_the_commented_meeting_of_salesforce_works_once_it_is_uncommented(tmp_path: Path) -> None:
    text = Path("mappings/crms/salesforce.toml")
    lines = (Path(__file__).parents[2] / text).read_text("utf-8").splitlines()
    start = lines.index("# [[events]]")
    lines[start:] = [line.removeprefix("# ") for line in lines[start:]]
    found = faultless(tmp_path, "\n".join(lines), "salesforce")
    said = heard(found, "meeting", {"Meeting_Outcome__c": "Held"}, {"Meeting_Outcome__c": ""})
    assert isinstance(said, Signal) and said.name == "meeting_held"


def test_what_a_rule_says_of_a_person_comes_with_all_that_is_known_of_them(
    tmp_path: Path,
) -> None:
    found = faultless(
        tmp_path,
        """[contact]
phone = "phone"
first_name = "firstname"
[stage]
field = "lifecyclestage"
[stage.values]
opportunity = "opportunity"
[[events]]
name = "contact"
signal = "asked_for_a_call"
activity = true
when = "'call_me' in item.changed and item.now.call_me"
""",
    )
    now: dict[str, Json] = {
        "phone": "+12025550123",
        "firstname": "Ann",
        "lifecyclestage": "opportunity",
        "call_me": True,
    }
    said = signal(found, "contact", now)
    assert (said.name, said.activity, said.stage) == ("asked_for_a_call", True, "opportunity")
    assert (said.subject.phone, said.traits) == ("+12025550123", {"first_name": "Ann"})
    other = heard(found, "contact", now, now)
    assert isinstance(other, Signal) and other.name == CONTACT_SIGNAL
    assert found.wanted.fields["contact"] == ("phone", "firstname", "lifecyclestage", "call_me")


def test_a_rule_may_read_what_a_field_was_and_then_its_past_is_read_too(tmp_path: Path) -> None:
    found = faultless(
        tmp_path,
        f"""{CONTACT}[[events]]
name = "case"
signal = "case_closed"
when = "item.now.hs_pipeline_stage == '4' and item.was.hs_pipeline_stage != '4'"
""",
    )
    assert found.wanted.fields["case"] == ("hs_pipeline_stage",)
    assert found.wanted.history == {"case": ("hs_pipeline_stage",)}
    [use] = {use for use in found.uses if use.object == "case" and use.place == "events[0].when"}
    assert (use.field, use.line, use.values) == ("hs_pipeline_stage", 6, ("4",))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name = 'deals'\nsignal = 'a'", "4: events[0].name is 'deals'"),
        ("signal = 'a'", "3: events[0].name is missing"),
        ("type = 'webhook'\nsignal = 'a'", "3: events[0].name is missing"),
        ("name = 'deal'", "3: events[0].signal is missing"),
        ("name = 'deal'\nsignal = 'a'\nwhen = 'item.old.x'", "6: events[0].when reads item.old.x"),
        ("name = 'deal'\nsignal = 'a'\nwhen = 'body.x'", "6: events[0].when reads body.x"),
        ("name = 'deal'\nsignal = 'a'\nstage = 'laed'", "6: events[0].stage is 'laed'"),
        (
            "name = 'deal'\nsignal = 'a'\nthing = 'deal'\nkey = 'item.id'",
            "6: events[0].thing is of no use here",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, table: str, message: str) -> None:
    _, faults = read(tmp_path, f"{CONTACT}[[events]]\n{table}\n")
    assert [line for line in told(faults) if line.startswith(message)] == told(faults)
    assert faults


ODD = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=2_000),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ODD, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_whatever_a_crm_holds_an_event_is_read_or_left_and_never_more(
    odd: list[Json], chance: Random
) -> None:
    for name in ("hubspot", "salesforce"):
        found = FILES[name]
        for object, fields in found.wanted.fields.items():
            now = {field: chance.choice(odd) for field in fields}
            try:
                said = heard(found, object, now, {field: None for field in fields})
            except ExpressionFailed:
                continue  # told, and kept for replay
            assert isinstance(said, Signal | Unmapped)


FILES = {name: shipped(name) for name in ("hubspot", "salesforce")}
