"""What ``policy.toml`` says of fatigue, templates, budgets and senders, and each fault of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector.config.policy import load
from connector.config.supply import Supply
from connector.errors import Fault
from connector.rules.policy import Policy
from connector.rules.policy.limits import Budget, Fatigue, Sender, TemplateAlarm

DAY = timedelta(days=1)

WHOLE = """
[fatigue]
slow_after = 3
gap = "10d"
stop_after = 9

[inactive]
after = "180d"

[template_alarm]
deliveries = 100
alarm = 0.03
pause = 0.06
within = "14d"

[budget]
money_a_day = 12.5
money_a_month = 250
segments_a_day = 900
segments_a_month = 9000
segment_price = 0.0079
currency = "EUR"
warn_at = 0.7
for_service = 0.2

[[senders]]
name = "+18005550100"
segments_a_second = 3
segments_a_day = 2000
countries = ["US", "CA"]
day_in = "America/Denver"
warn_at = 0.5
for_service = 0.0

[[caps]]
name = "anything"
purpose = "marketing"
count = 3
per = "24h"
channels = ["sms", "email"]
"""


def read(folder: Path, text: str) -> tuple[Policy, list[Fault]]:
    path = folder / "policy.toml"
    path.write_text(text)
    faults: list[Fault] = []
    return load(path, Supply(), (), faults), faults


def test_a_file_is_read_into_these_values(tmp_path: Path) -> None:
    policy, faults = read(tmp_path, WHOLE)
    assert faults == []
    assert policy.fatigue == Fatigue(3, 10 * DAY, 9)
    assert policy.inactive_after == 180 * DAY
    assert policy.template_alarm == TemplateAlarm(100, 0.03, 0.06, 14 * DAY)
    money = (12_500_000, 250_000_000, 900, 9_000, 7_900)
    assert policy.budget == Budget(*money, currency="EUR", warn=0.7, reserve=0.2)
    countries = ("US", "CA")
    [sender] = policy.senders
    assert sender == Sender("+18005550100", 3, 2_000, "America/Denver", countries, 0.5, 0)
    assert policy.caps[0].channels == ("sms", "email")


def test_what_is_not_said_limits_nothing(tmp_path: Path) -> None:
    policy, faults = read(tmp_path, "")
    assert faults == []
    assert (policy.fatigue, policy.inactive_after, policy.template_alarm) == (None, None, None)
    assert (policy.budget, policy.senders) == (None, ())


def test_a_table_alone_has_the_careful_defaults(tmp_path: Path) -> None:
    policy, faults = read(tmp_path, "[fatigue]\nslow_after = 6\n[template_alarm]\n")
    assert faults == []
    assert policy.fatigue == Fatigue(6, 14 * DAY, 0)
    assert policy.template_alarm == TemplateAlarm(200, 0.02, 0.05, 30 * DAY)


def test_the_shipped_policy_slows_down_who_does_not_answer() -> None:
    faults: list[Fault] = []
    supply = Supply(complete=False)
    path = Path(__file__).parents[2] / "mappings" / "policy.toml"
    policy = load(path, supply, (), faults)
    assert policy.fatigue == Fatigue(6, 14 * DAY, 12)
    assert policy.inactive_after == 365 * DAY
    assert policy.template_alarm == TemplateAlarm(200, 0.02, 0.05, 30 * DAY)
    assert (policy.budget, policy.senders) == (None, ())


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("slow_after = 3", "slow_after = 9", "fatigue.stop_after"),
        ("slow_after = 3", "slow_after = 0", "fatigue.gap"),
        ('gap = "10d"', 'gap = "5m"', "fatigue.gap"),
        ('gap = "10d"', 'gap = "400d"', "fatigue.gap"),
        ('after = "180d"', 'after = "3d"', "inactive.after"),
        ('after = "180d"', "", "inactive.after"),
        ("pause = 0.06", "pause = 0.01", "template_alarm.pause"),
        ("deliveries = 100", "deliveries = 0", "template_alarm.deliveries"),
        ("alarm = 0.03", "alarm = 3", "template_alarm.alarm"),
        ('within = "14d"', 'within = "1h"', "template_alarm.within"),
        ("segment_price = 0.0079", "", "budget.segment_price"),
        ("money_a_day = 12.5", "money_a_day = 0", "budget.money_a_day"),
        ("segments_a_day = 900", "segments_a_day = 0.5", "budget.segments_a_day"),
        ('currency = "EUR"', 'currency = "euro"', "budget.currency"),
        ("for_service = 0.2", "for_service = 1", "budget.for_service"),
        ("warn_at = 0.7", "warn_at = 0", "budget.warn_at"),
        ("warn_at = 0.7", "warn = 1", "budget.warn"),
        ('day_in = "America/Denver"', 'day_in = "Denver"', "senders[0].day_in"),
        ('countries = ["US", "CA"]', 'countries = ["usa"]', "senders[0].countries"),
        ("segments_a_second = 3", "segments_a_second = -3", "senders[0].segments_a_second"),
        ('channels = ["sms", "email"]', 'channels = ["mail"]', "caps[0].channels"),
        ('channels = ["sms", "email"]', 'channels = ["email"]\nplay = "*"', "caps[0].channels"),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, field: str) -> None:
    assert WHOLE.count(old) == 1
    _, faults = read(tmp_path, WHOLE.replace(old, new))
    assert [fault.field for fault in faults] == [field]
    assert faults[0].line > 1
    assert faults[0].remedy


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("[fatigue]\n", "fatigue"),
        ("[budget]\n", "budget"),
        ('[[senders]]\nname = "*"\n', "senders[0]"),
    ],
)
def test_a_table_that_limits_nothing_is_a_fault(tmp_path: Path, table: str, field: str) -> None:
    _, faults = read(tmp_path, table)
    assert [fault.field for fault in faults] == [field]
