"""``[traffic]`` and ``silent_after``: whose events are apart, and how long a silence may be."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from connector.config import settings, sources, toml
from connector.config.silence import silent_after
from connector.config.toml import Table
from connector.config.traffic import traffic
from connector.errors import Fault
from connector.rules.traffic import Traffic


def table(path: Path, text: str) -> tuple[Table, list[Fault]]:
    faults: list[Fault] = []
    file = path / settings.FILE
    file.write_text(text)
    return toml.read(file, faults, settings.FILE), faults


def test_without_a_word_robots_and_tests_are_apart(tmp_path: Path) -> None:
    top, faults = table(tmp_path, "")
    assert traffic(top.table("traffic")) == Traffic(robots=True, tests=True)
    assert faults == []


def test_everything_that_may_be_said(tmp_path: Path) -> None:
    top, faults = table(
        tmp_path,
        """[traffic]
robots = false
tests = false
staff_emails = ["@Corner.example", " Boss@Mail.example "]
staff_numbers = ["+1 212 555 0123"]
staff_users = ["u-1"]
staff_networks = ["203.0.113.7/24", "2001:db8::1"]
test_emails = ["@example.com"]
test_numbers = ["+12125550199"]
""",
    )
    assert traffic(top.table("traffic")) == Traffic(
        robots=False,
        tests=False,
        staff_emails=frozenset({"@corner.example", "boss@mail.example"}),
        staff_numbers=frozenset({"+12125550123"}),
        staff_users=frozenset({"u-1"}),
        staff_networks=(ip_network("203.0.113.0/24"), ip_network("2001:db8::1/128")),
        test_emails=frozenset({"@example.com"}),
        test_numbers=frozenset({"+12125550199"}),
    )
    assert faults == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('staff_emails = ["corner.example"]', "no e-mail address"),
        ('staff_emails = ["@corner"]', "no e-mail address"),
        ('staff_emails = ["a@b@corner.example"]', "no e-mail address"),
        ('staff_numbers = ["2125550123"]', "holds '2125550123'"),
        ('staff_networks = ["203.0.113.0/64"]', "no network"),
        ("robots = 1", "not true or false"),
        ('staff = ["u-1"]', "is not known here"),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    top, faults = table(tmp_path, f"[traffic]\n{line}\n")
    traffic(top.table("traffic"))
    assert len(faults) == 1
    assert (faults[0].file, faults[0].line) == ("config.toml", 2)
    assert says in str(faults[0])
    assert faults[0].remedy


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", None),
        ('silent_after = "habit"', None),
        ('silent_after = "never"', timedelta(0)),
        ('silent_after = "6h"', timedelta(hours=6)),
    ],
)
def test_a_silence_is_judged_by_habit_or_as_is_said(
    tmp_path: Path, said: str, found: timedelta | None
) -> None:
    top, faults = table(tmp_path, f"[sources.shop]\n{said}\n")
    assert silent_after(top.table("sources").table("shop")) == found
    assert faults == []


@pytest.mark.parametrize("said", ['"1m"', '"soon"', "6", '"400d"'])
def test_a_silence_of_no_length_is_a_fault(tmp_path: Path, said: str) -> None:
    top, faults = table(tmp_path, f"[sources.shop]\nsilent_after = {said}\n")
    silent_after(top.table("sources").table("shop"))
    assert faults[0].field == "sources.shop.silent_after"
    assert faults[0].line == 2


MAPPING = """[source]
adapter = "standard"
{test}
[verify]
scheme = "bearer"
[event]
name = "body.type"
[subject]
user_id = "body.user"
[[events]]
name = "order"
signal = "order"
"""


def test_a_mapping_may_say_what_a_test_is(tmp_path: Path) -> None:
    faults: list[Fault] = []
    path = tmp_path / "shop.toml"
    path.write_text(MAPPING.format(test="test = \"body.env == 'staging'\""))
    found = sources.load_source(path, faults)
    assert faults == []
    assert found.test is not None
    assert found.test({"body": {"env": "staging"}}) is True
    path.write_text(MAPPING.format(test='test = "properties.env"'))
    sources.load_source(path, faults)
    assert [(fault.line, fault.field) for fault in faults] == [(3, "source.test")]
