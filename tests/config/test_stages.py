"""Stages files: read as they are meant, and every fault at its line."""

from __future__ import annotations

from pathlib import Path

from connector.config.stages import load_stages
from connector.errors import Fault

SHIPPED = Path(__file__).parents[2] / "mappings" / "stages.toml"


def faults_of(tmp_path: Path, content: str) -> list[str]:
    path = tmp_path / "stages.toml"
    path.write_text(content, "utf-8")
    faults: list[Fault] = []
    load_stages(path, faults)
    return [f"{fault.line}: {fault.field} {fault.message}" for fault in faults]


def test_the_shipped_file_has_no_fault() -> None:
    faults: list[Fault] = []
    stages = load_stages(SHIPPED, faults)
    assert faults == []
    assert stages.order[0] == "visitor"
    assert stages.fall_back == {"customer"}
    assert len(stages.version) == 12


def test_faults_stand_at_their_lines(tmp_path: Path) -> None:
    content = """
[[stages]]
name = "lead"
[[stages]]
name = "lead"
[[stages]]
name = "Big Customer"
crmz = 1
[rules]
fall_back = ["customr", "lead"]
"""
    assert faults_of(tmp_path, content) == [
        "5: stages[1].name is 'lead' again",
        "7: stages[2].name is 'Big Customer'",
        "8: stages[2].crmz is not known here",
        "10: rules.fall_back holds 'customr'",
    ]


def test_a_file_that_is_not_there_or_empty_is_one_fault(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert load_stages(tmp_path / "stages.toml", faults).order == ()
    assert len(faults) == 1
    assert faults_of(tmp_path, "") == ["1: stages is missing"]
