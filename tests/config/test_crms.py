from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import crms
from connector.config.supply import Supply
from connector.errors import Fault
from connector.rules.writeback import FACTS, Rule, standard_fields

SHIPPED = Path(__file__).parents[2] / "mappings" / "crms" / "local.toml"
SUPPLY = Supply(traits=frozenset({"plan"}))


def read(tmp_path: Path, text: str) -> tuple[list[tuple[str, Rule]], list[Fault]]:
    path = tmp_path / "local.toml"
    path.write_text(text)
    faults: list[Fault] = []
    found = crms.load(path, SUPPLY, faults)
    return [(field.name, field.rule) for field in found], faults


def test_the_shipped_mapping_has_no_faults_and_holds_every_fact() -> None:
    faults: list[Fault] = []
    fields = crms.load(SHIPPED, Supply(), faults)
    assert faults == []
    assert {field.name for field in fields} >= set(FACTS)


def test_a_field_is_an_expression_with_a_rule(tmp_path: Path) -> None:
    fields, faults = read(
        tmp_path,
        """[fields]
        sms_status = "last_text_status"
        sms_plan = { value = "contact.plan or 'none'", rule = "if_empty" }
        [fields.sms_total]
        value = "texts_sent"
        rule = "increment"
        """,
    )
    assert faults == []
    assert fields == [
        ("sms_status", Rule.always),
        ("sms_plan", Rule.if_empty),
        ("sms_total", Rule.increment),
    ]


def test_what_nobody_knows_reads_as_none(tmp_path: Path) -> None:
    path = tmp_path / "local.toml"
    path.write_text('[fields]\nname = "contact.first_name"\nloud = "last_reply | upper"\n')
    faults: list[Fault] = []
    name, loud = crms.load(path, SUPPLY, faults)
    assert (name.value({"contact": {}}), loud.value({"last_reply": None})) == (None, None)
    assert (name.value({"contact": {"first_name": "Ann"}}), faults) == ("Ann", [])


def test_without_a_file_every_fact_goes_to_its_own_name(tmp_path: Path) -> None:
    faults: list[Fault] = []
    found = crms.load(tmp_path / "none.toml", SUPPLY, faults)
    assert [field.name for field in found] == [field.name for field in standard_fields()]
    assert faults == []


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
    _, faults = read(tmp_path, f"[fields]\n{line}\n")
    assert [(fault.field, fault.line) for fault in faults] == [(field, 2)]
    assert message in faults[0].message
    assert faults[0].remedy


def test_an_unknown_table_is_a_fault(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "[field]\na = 'stage'\n")
    assert [fault.remedy for fault in faults] == ["did you mean fields?"]


def test_plays_and_policy_may_read_the_fields_and_the_record(tmp_path: Path) -> None:
    assert crms.facts(standard_fields()) == {"id", *FACTS}
