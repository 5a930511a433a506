"""``[[api.keys]]`` and ``[alerts]``: what is read, and what is refused with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector.config import settings
from connector.config.settings import Settings
from connector.errors import Fault

TOP = 'brand = "B"\nhelp_contact = "h"\ncountry = "US"\n'
KEYS = """
[[api.keys]]
name = "crm"
key = "env:ONE"
scopes = ["read"]
[[api.keys]]
name = "shop"
key = "env:TWO"
scopes = "send"
"""
ALERTS = """
[alerts]
group = "5m"
hourly = 3
webhook = "env:HOOK"
command = ["/usr/bin/page", "--now"]
"""
ENVIRON = {
    "ONE": "one-key-of-twenty-four-letters",
    "TWO": "two-key-of-twenty-four-letters",
    "HOOK": "https://chat.example/hooks/secret-path",
    "SHORT": "x" * 23,
}


def read(tmp_path: Path, text: str, **more: str) -> tuple[Settings, list[Fault]]:
    path = tmp_path / "config.toml"
    path.write_text(TOP + text)
    faults: list[Fault] = []
    return settings.load(path, faults, {**ENVIRON, **more}), faults


def test_several_keys_each_have_a_name_a_secret_and_scopes(tmp_path: Path) -> None:
    found, faults = read(tmp_path, KEYS)
    assert faults == []
    assert [(key.name, set(key.scopes)) for key in found.api_keys] == [
        ("crm", {"read"}),
        ("shop", {"send"}),
    ]
    assert "one-key" not in repr(found)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("env:TWO", "env:ONE", "one secret under two names"),
        ('name = "shop"', 'name = "crm"', "names crm 2 times"),
        ("env:TWO", "env:SHORT", "at least 24 characters"),
        ("env:TWO", "env:NONE", "NONE, which the environment does not hold"),
    ],
)
def test_keys_that_could_be_mistaken_or_guessed_are_refused(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    _, faults = read(tmp_path, KEYS.replace(old, new))
    assert any(says in str(fault) for fault in faults), faults
    assert "x" * 23 not in str(faults)


def test_a_command_that_only_reads_the_ledger_needs_no_secret_of_the_api(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(TOP + KEYS + ALERTS)
    faults: list[Fault] = []
    settings.load(path, faults, {}, secrets=False)
    assert faults == []


def test_alerts_are_read_and_the_address_is_a_secret(tmp_path: Path) -> None:
    found, faults = read(tmp_path, ALERTS)
    assert faults == []
    alerts = found.alerts
    assert (alerts.group, alerts.hourly) == (timedelta(minutes=5), 3)
    assert alerts.targets == ("webhook", "command")
    assert alerts.command == ("/usr/bin/page", "--now")
    assert "secret-path" not in repr(found)


def test_without_the_table_alarms_stand_in_the_ledger_alone(tmp_path: Path) -> None:
    found, _ = read(tmp_path, "")
    assert found.alerts.targets == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ('"5m"', '"30s"', 6, "alerts.group", "between 1m and 24h"),
        ('"5m"', '"2d"', 6, "alerts.group", "between 1m and 24h"),
        ("hourly = 3", "hourly = 0", 7, "alerts.hourly", "between 1 and 1000"),
        ('"env:HOOK"', '"http://chat.example/x"', 8, "alerts.webhook", "https"),
        ('"/usr/bin/page"', '"page"', 9, "alerts.command", "whole path"),
        ('["/usr/bin/page", "--now"]', "[]", 9, "alerts.command", "whole path"),
        ("hourly = 3", 'email = "ops@corner.example"', 7, "alerts.email", "[mail]"),
        ("hourly", "hurly", 7, "alerts.hurly", "did you mean hourly"),
    ],
)
def test_each_fault_of_alerts_has_its_line(
    tmp_path: Path, old: str, new: str, line: int, field: str, says: str
) -> None:
    assert old in ALERTS
    _, faults = read(tmp_path, ALERTS.replace(old, new))
    [fault] = [fault for fault in faults if fault.field == field]
    assert (fault.line, says in str(fault)) == (line, True), str(fault)
