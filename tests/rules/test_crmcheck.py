"""The mapping beside the CRM as it is: what fits, what would fail, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connector.records import FieldShape, Schema, Wanted
from connector.rules.crm import CrmMapping, Use
from connector.rules.crmcheck import Finding, Verdict, check, is_faultless
from connector.rules.crmsamples import given as samples_of
from connector.rules.writeback import Field, fact
from tests.config.crm_file import STAGES, shipped

KINDS: Mapping[str, str] = {
    "hs_is_closed": "flag",
    "hs_is_closed_won": "flag",
    "IsWon": "flag",
    "IsClosed": "flag",
    "IsConverted": "flag",
    "DoNotCall": "flag",
    "amount": "number",
    "Amount": "number",
    "Probability": "number",
    "sms_opt_out": "flag",
    "SMS_Opt_Out__c": "flag",
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "lifecyclestage": (
        *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"),
        *("opportunity", "customer", "evangelist", "other"),
    ),
    "hs_meeting_outcome": ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"),
    "Status": ("Open - Not Contacted", "Working - Contacted", "Closed - Converted"),
    "sms_consent": ("granted", "denied", "unknown"),
    "SMS_Consent__c": ("granted", "denied", "unknown"),
}


def shape(name: str, **more: object) -> FieldShape:
    choices = CHOICES.get(name, ())
    kind = "choice" if choices else KINDS.get(name, "text")
    if name.removesuffix("__c").casefold().endswith("_at"):
        kind = "instant"
    given: dict[str, object] = {"name": name, "type": kind, "choices": choices, "length": 0, **more}
    if name.endswith("__c") and kind == "text":
        given["length"] = 255
    return FieldShape(**given)  # type: ignore[arg-type]


def fitting(mapping: CrmMapping) -> dict[str, dict[str, FieldShape]]:
    """A schema with which every line of a mapping file goes together."""
    objects: dict[str, dict[str, FieldShape]] = {"case": {}}
    for use in mapping.uses:
        objects.setdefault(use.object, {})[use.field] = shape(use.field)
    return objects


def with_field(mapping: CrmMapping, object: str, field: FieldShape) -> Schema:
    objects = fitting(mapping)
    objects[object][field.name] = field
    return Schema(objects)


def amiss(mapping: CrmMapping, schema: Schema) -> list[Finding]:
    return [each for each in check(mapping, schema, STAGES) if each.verdict is not Verdict.fits]


def failing(mapping: CrmMapping, schema: Schema) -> list[Finding]:
    return [each for each in amiss(mapping, schema) if each.verdict is Verdict.fails]


HUBSPOT = shipped("hubspot")


@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
def test_the_shipped_file_goes_together_with_a_crm_that_was_prepared_for_it(name: str) -> None:
    found = check(shipped(name), Schema(fitting(shipped(name))), STAGES)
    assert is_faultless(found)
    assert sum(each.verdict is Verdict.fits for each in found) > 30


@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
def test_every_field_that_is_missing_is_named_with_its_line(name: str) -> None:
    mapping = shipped(name)
    for use in mapping.uses:
        objects = fitting(mapping)
        del objects[use.object][use.field]
        told = amiss(mapping, Schema(objects))
        assert [each for each in told if each.field == use.field and each.line == use.line]
        assert not is_faultless(told)


def test_the_nearest_field_is_suggested_by_its_name_or_its_label() -> None:
    objects = fitting(HUBSPOT)
    del objects["contact"]["firstname"], objects["contact"]["zip"]
    objects["contact"]["first_name"] = shape("first_name")
    objects["contact"]["postal_code"] = shape("postal_code", label="zip")
    told = {each.field: each.remedy for each in amiss(HUBSPOT, Schema(objects))}
    assert told["firstname"].startswith("did you mean first_name?")
    assert told["zip"].startswith("did you mean postal_code?")


def test_a_field_of_ours_that_is_missing_is_one_to_install() -> None:
    objects = fitting(HUBSPOT)
    del objects["contact"]["sms_consent"]
    [told] = failing(HUBSPOT, Schema(objects))
    assert (told.place, told.is_written) == ("fields.sms_consent", True)
    assert "connector crm install" in told.remedy


def test_an_object_that_cannot_be_read_is_told_once() -> None:
    objects = fitting(HUBSPOT)
    del objects["meeting"], objects["case"]
    told = amiss(HUBSPOT, Schema(objects))
    assert [(each.object, each.verdict) for each in told if not each.field] == [
        ("meeting", Verdict.fails),
        ("case", Verdict.fails),
    ]


@pytest.mark.parametrize(
    ("field", "says", "remedy"),
    [
        (shape("sms_opt_out", writable=False), "may not be written", "grant the right"),
        (shape("sms_opt_out", type="text"), "", ""),
        (shape("sms_opt_out", type="instant"), "our value is true or false", "ends in _at"),
        (shape("sms_last_reply", type="number"), "our value is a text", "| int"),
        (shape("sms_last_reply", length=255), "may have 1600", "| truncate(255)"),
        (shape("sms_last_reply", length=1_600), "", ""),
        (shape("sms_last_sent_at", type="date"), "", ""),
        (shape("sms_last_sent_at", type="flag"), "our value is an instant", "comparison"),
        (shape("sms_consent", choices=("granted", "denied")), "no choice 'unknown'", "add it"),
        (shape("sms_consent", type="text", choices=()), "", ""),
        (shape("sms_last_status", type="choice", choices=("Sent",)), "takes only 'Sent'", "text"),
        (shape("sms_last_status", type="reference"), "nobody can tell", "one contact"),
    ],
)
def test_a_value_of_ours_that_a_field_would_not_take_is_told_before_it_is_written(
    field: FieldShape, says: str, remedy: str
) -> None:
    told = amiss(HUBSPOT, with_field(HUBSPOT, "contact", field))
    about = [each for each in told if each.place == f"fields.{field.name}"]
    assert bool(about) == bool(says)
    for each in about:
        assert says in each.says
        assert remedy in each.remedy


def test_a_value_that_a_choice_never_holds_is_told_with_the_nearest() -> None:
    outcomes = ("Scheduled", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELLED")
    told = failing(
        HUBSPOT, with_field(HUBSPOT, "meeting", shape("hs_meeting_outcome", choices=outcomes))
    )
    assert {each.says for each in told} == {
        "hs_meeting_outcome cannot be 'SCHEDULED'",
        "hs_meeting_outcome cannot be 'CANCELED'",
    }
    assert {each.remedy for each in told} == {
        "did you mean 'RESCHEDULED'?",
        "did you mean 'CANCELLED'?",
    }


def test_a_flag_that_is_compared_with_a_text_is_told() -> None:
    use = Use("facts.a", 3, "contact", "sms_box", values=("true",))
    mapping = CrmMapping("hubspot", wanted=Wanted({"contact": ("sms_box",)}), uses=(use,))
    [told] = amiss(mapping, Schema({"contact": {"sms_box": shape("sms_box", type="flag")}}))
    assert told.says == "sms_box is true or false, and never 'true'"
    assert told.remedy == "write sms_box, or not sms_box"


def test_stages_are_compared_both_ways() -> None:
    stages = ("subscriber", "lead", "marketingqualifiedlead", "opportunity", "evangelist", "4711")
    told = amiss(HUBSPOT, with_field(HUBSPOT, "contact", shape("lifecyclestage", choices=stages)))
    says = {each.says: each.verdict for each in told}
    assert says["lifecyclestage cannot be 'salesqualifiedlead'"] is Verdict.fails
    assert says["lifecyclestage can be '4711', which is no stage of yours"] is Verdict.look
    unwritten = "your stage 'former_customer' is never written: no value stands for it"
    assert says[unwritten] is Verdict.look


def test_what_cannot_be_known_beforehand_is_not_judged() -> None:
    told = samples_of(Field("x", fact("unheard_of")), STAGES)
    assert (told.kinds, told.values, told.length) == (frozenset(), (), 0)
