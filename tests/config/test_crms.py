"""What of ours goes to which field of a CRM, and what plays may read of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import crms
from connector.errors import Fault
from connector.rules.writeback import CONSENT, FACTS, Rule, standard_fields
from tests.config.crm_file import CONTACT, SUPPLY, faultless, read, shipped, told


def test_the_shipped_local_file_has_no_faults_and_holds_every_fact() -> None:
    found = shipped("local")
    assert {field.name for field in found.fields} >= set(FACTS)
    assert found.source is None
    assert found.facts is None


@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
def test_the_shipped_file_of_a_crm_costs_no_call_that_reads_before_it_writes(name: str) -> None:
    found = shipped(name)
    assert {field.rule for field in found.fields} <= {Rule.always, Rule.never_clear}
    assert len(found.fields) == 8


@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
def test_our_own_writing_is_not_read_back_but_for_the_opt_out_and_the_stage(name: str) -> None:
    found = shipped(name)
    read_ = {field for fields in found.wanted.fields.values() for field in fields}
    written = {field.name for field in found.fields}
    assert read_ & written == {found.opt_out}
    assert found.known.isdisjoint(written - {found.opt_out})


def test_a_field_is_an_expression_with_a_rule(tmp_path: Path) -> None:
    found = faultless(
        tmp_path,
        """[fields]
        sms_status = "last_text_status"
        sms_plan = { value = "contact.plan or 'none'", rule = "if_empty" }
        [fields.sms_total]
        value = "texts_sent"
        rule = "increment"
        """,
    )
    assert [(field.name, field.rule) for field in found.fields] == [
        ("sms_status", Rule.always),
        ("sms_plan", Rule.if_empty),
        ("sms_total", Rule.increment),
    ]
    assert [field.reads for field in found.fields] == [
        {"last_text_status"},
        {"contact"},
        {"texts_sent"},
    ]


def test_what_nobody_knows_reads_as_none(tmp_path: Path) -> None:
    found = faultless(
        tmp_path, '[fields]\nname = "contact.first_name"\nloud = "last_reply | upper"\n'
    )
    name, loud = found.fields
    assert (name.value({"contact": {}}), loud.value({"last_reply": None})) == (None, None)
    assert name.value({"contact": {"first_name": "Ann"}}) == "Ann"


def test_without_a_file_the_local_crm_takes_every_fact_by_its_own_name(tmp_path: Path) -> None:
    faults: list[Fault] = []
    found = crms.load(tmp_path / "local.toml", SUPPLY, faults)
    assert [field.name for field in found.fields] == [field.name for field in standard_fields()]
    assert found.known == {"id", *FACTS}
    assert faults == []


def test_a_crm_elsewhere_needs_its_file(tmp_path: Path) -> None:
    faults: list[Fault] = []
    reader = crms.Reader(tmp_path / "hubspot.toml", None, faults)
    assert [fault.message for fault in faults] == ["is not there"]
    assert "connector init" in faults[0].remedy
    assert not reader.is_whole
    assert [mapping.events for mapping in reader.sources.values()] == [()]


def test_a_file_that_cannot_be_read_is_one_fault(tmp_path: Path) -> None:
    found, faults = read(tmp_path, "[fields\n")
    assert len(faults) == 1
    assert found.source is None


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ('a = "last_txt"', "fields.a", "reads last_txt, which nothing supplies"),
        ('a = "contact.pan"', "fields.a", "reads contact.pan, which nothing supplies"),
        ('a = "signal.total"', "fields.a", "reads signal.total, which nothing supplies"),
        ('a = "last_text +"', "fields.a", "cannot be understood"),
        ('a = ""', "fields.a", "is empty"),
        ("a = 3", "fields.a", "is 3, not a text in quotes"),
        ('a = { rule = "always" }', "fields.a.value", "is missing"),
        ('a = { value = "stage", rule = "alway" }', "fields.a.rule", "is 'alway'"),
        ('a = { value = "stage", when = "now" }', "fields.a.when", "is not known here"),
        ('_added = "stage"', "fields._added", "cannot be a field's name"),
        ('id = "stage"', "fields.id", "cannot be a field's name"),
    ],
)
def test_a_fault_is_named_with_its_line(
    tmp_path: Path, line: str, field: str, message: str
) -> None:
    _, faults = read(tmp_path, f"[fields]\n{line}\n", "local")
    assert [(fault.field, fault.line) for fault in faults] == [(field, 2)]
    assert message in faults[0].message
    assert faults[0].remedy


def test_an_unknown_table_is_a_fault(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "[field]\na = 'stage'\n")
    assert [fault.remedy for fault in faults] == ["did you mean fields?"]


def test_consent_is_read_only_where_a_field_is_made_of_it(tmp_path: Path) -> None:
    found = faultless(tmp_path, '[fields]\na = "consent == \'granted\'"\nb = "stage"\n')
    assert [bool(field.reads & CONSENT) for field in found.fields] == [True, False]


# Facts


def test_facts_name_the_fields_they_are_made_of(tmp_path: Path) -> None:
    found = faultless(
        tmp_path,
        """reads = ["jobtitle"]
[contact]
objects = ["contact", "lead"]
phone = "Phone"
[facts]
owner = "OwnerId"
lead_status = "lead.Status"
deal_stage = "deal.StageName"
has_open_case = "open_cases > 0"
mine = "object == 'lead'"
""",
        "salesforce",
    )
    assert found.wanted.fields == {
        "contact": ("Phone", "OwnerId", "jobtitle"),
        "lead": ("Phone", "OwnerId", "Status", "jobtitle"),
        "deal": ("StageName",),
    }
    assert found.wanted.beside == {"deals", "cases"}
    assert found.known == {
        *("id", "object", "jobtitle"),
        *("owner", "lead_status", "deal_stage", "has_open_case", "mine"),
    }


def test_deals_and_cases_are_asked_for_only_where_a_fact_is_made_of_them(tmp_path: Path) -> None:
    assert faultless(tmp_path, f'{CONTACT}[facts]\nowner = "owner"\n').wanted.beside == frozenset()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('id = "x"', "facts.id cannot be a fact's name"),
        ('a = "x +"', "facts.a cannot be understood: column 3: unexpected 'end'"),
        ('a = "lead.Status"', "facts.a reads lead.Status, but people are contact"),
        ('a = ""', "facts.a is empty"),
        ("a = 1", "facts.a is 1, not a text in quotes"),
        ("a = \"did('order')\"", "facts.a cannot be understood: column 1: did() is for"),
    ],
)
def test_a_fault_of_a_fact_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    _, faults = read(tmp_path, f"{CONTACT}[facts]\n{line}\n")
    assert [fault.line for fault in faults] == [4]
    assert told(faults)[0].startswith(f"4: {message}")


def test_more_is_read_and_some_of_it_with_all_it_ever_held(tmp_path: Path) -> None:
    found = faultless(
        tmp_path,
        f'{CONTACT}[read]\ncontact = ["city"]\n[read.history]\ndeal = ["dealstage", "amount"]\n',
    )
    assert found.wanted.fields == {"contact": ("phone", "city"), "deal": ("dealstage", "amount")}
    assert found.wanted.history == {"deal": ("dealstage", "amount")}


def test_what_is_to_be_read_is_listed_by_objects_that_are_known(tmp_path: Path) -> None:
    _, faults = read(tmp_path, f'{CONTACT}[read]\ndeals = ["a"]\ncontact = ["a b"]\n')
    assert told(faults) == ["5: read.contact holds 'a b'", "4: read.deals is not known here"]


# Fields to make


def test_a_field_that_install_is_to_make_is_described(tmp_path: Path) -> None:
    found = faultless(
        tmp_path,
        """[fields]
sms_interest = "contact.plan"
[create.sms_interest]
type = "choice"
label = "SMS interest"
choices = ["free", "paid"]
""",
    )
    made = found.creates["sms_interest"]
    assert (made.type, made.label, made.choices) == ("choice", "SMS interest", ("free", "paid"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[create.b]\ntype = "text"', "create.b is for a field that nothing is written to"),
        ('[create.a]\ntype = "choice"', "create.a.choices is missing"),
        ('[create.a]\ntype = "flag"\nchoices = ["x"]', "create.a.choices is of no use for a flag"),
        ('[create.a]\ntype = "flag"\nlength = 9', "create.a.length is of no use for a flag"),
        ('[create.a]\ntype = "string"', "create.a.type is 'string'"),
    ],
)
def test_a_field_to_make_is_one_that_is_written_and_makes_sense(
    tmp_path: Path, table: str, message: str
) -> None:
    _, faults = read(tmp_path, f'[fields]\na = "stage"\n{table}\n')
    assert [f"{fault.field} {fault.message}" for fault in faults] == [message]


def test_the_opt_out_is_written_by_our_own_fact_alone(tmp_path: Path) -> None:
    _, faults = read(
        tmp_path, '[consent]\nopt_out = "no_sms"\n[fields]\nno_sms = "texts_sent > 9"\n'
    )
    assert told(faults) == ["2: consent.opt_out is 'no_sms', which is not written back"]
