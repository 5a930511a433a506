"""The page of errors names every word that a stranger or an operator may come upon."""

from __future__ import annotations

import re

import pytest

from tests.bad.table import REFUSED, TAKEN, UNREADABLE
from tests.pages import ROOT, names, prose

PAGE = ROOT / "docs" / "errors.md"


def found(pattern: str, *folders: str) -> set[str]:
    """What a pattern finds in the product's own text."""
    files = [path for name in folders for path in (ROOT / "connector" / name).rglob("*.py")]
    return {word for path in files for word in re.findall(pattern, path.read_text())}


def told() -> set[tuple[str, str]]:
    """(status, code) of every row of the table of answers."""
    return set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", prose(PAGE), re.MULTILINE))


def test_every_code_of_an_answer_is_explained_and_no_other() -> None:
    asked = r'(?:problem\(|Faulty\(|_told\(rt, found, "",)\s*(\d{3}, "\w+)"'
    given = found(asked, "web") | {'503, "not_ready', '404, "not_found'}
    assert {(pair[:3], pair[6:]) for pair in given} | {("405", "method_not_allowed")} == told()


def test_the_table_of_bad_input_meets_every_answer_that_needs_no_fault() -> None:
    rows = {**UNREADABLE, **REFUSED, **TAKEN}.values()
    met = {(str(row.status), row.code) for row in rows if row.code}
    elsewhere = {("429", "overloaded"), ("503", "storage_refused"), ("503", "not_ready")}
    elsewhere |= {("409", "refused"), ("503", "no_worker")}  # a reload, which needs a worker
    elsewhere |= {("503", "ledger_busy"), ("429", "too_many_failures")}  # shown in tests/web
    elsewhere |= {("404", "unknown_form"), ("403", "origin_unknown"), ("400", "files_sent")}
    elsewhere |= {("415", "form_unknown"), ("429", "too_many_forms"), ("422", "phone_unusable")}
    elsewhere |= {("422", "email_unusable"), ("422", "field_missing"), ("422", "field_too_long")}
    faults = {("500", "internal"), ("503", "overloaded")}
    assert told() == met | elsewhere | faults


@pytest.mark.parametrize(
    "pattern", [r'_?Rejected\("(\w+)"\)', r'Unmapped\("(\w+)"\)', r'reason = "(\w+)"']
)
def test_every_reason_for_keeping_aside_is_explained(pattern: str) -> None:
    reasons = found(pattern, "sources", "rules")
    page = prose(PAGE)
    assert {reason for reason in reasons if not names(page, reason)} == set()


def test_every_reason_for_leaving_out_is_explained() -> None:
    reasons = found(r'_drop\([^")]*"?[^")]*"?, "((?:is|a|links) [^"]+)"', "rules")
    page = prose(PAGE)
    assert len(reasons) >= 8
    assert {reason for reason in reasons if reason not in page} == set()
