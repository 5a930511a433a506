"""``[backup]`` and ``[retention]``: sensible unless said, refused where they would do harm."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector.config.keeping import KINDS, Backups, Retention, backups, retention
from connector.config.toml import Table
from connector.errors import Fault
from connector.ledger.retention import KINDS as REMOVED

DAY = timedelta(days=1)


def table(**values: object) -> tuple[Table, list[Fault]]:
    faults: list[Fault] = []
    return Table("config.toml", values, faults, {}), faults


def test_no_backups_are_made_unless_a_place_is_named(tmp_path: Path) -> None:
    made, faults = table()
    assert backups(made, tmp_path) == Backups(None, DAY, 14) and not faults


def test_a_place_stands_beside_the_configuration(tmp_path: Path) -> None:
    made, faults = table(dir="safe", every="6h", keep=3)
    assert backups(made, tmp_path) == Backups(tmp_path / "safe", 6 * DAY / 24, 3) and not faults


@pytest.mark.parametrize(
    "values", [{"every": "1m"}, {"every": "often"}, {"keep": 0}, {"dir": 7}, {"folder": "x"}]
)
def test_a_faulty_backup_table_is_told(values: dict[str, object], tmp_path: Path) -> None:
    made, faults = table(**values)
    backups(made, tmp_path)
    assert len(faults) == 1


def test_everything_that_has_a_span_can_be_removed() -> None:
    assert set(KINDS) == {*REMOVED, "decisions"}
    assert set(Retention().keep) == set(KINDS)


def test_days_may_be_said_and_0_keeps_for_ever() -> None:
    made, faults = table(events=120, texts=0)
    found = retention(made).keep
    assert not faults
    assert found["events"] == 120 * DAY and "texts" not in found
    assert found["unreadable"] == 90 * DAY


@pytest.mark.parametrize("name", ["events", "signals", "texts", "decisions", "touches"])
def test_what_caps_and_keys_need_is_kept_90_days_at_the_least(name: str) -> None:
    made, faults = table(**{name: 89})
    found = retention(made).keep
    assert [fault.field for fault in faults] == [name]
    assert name not in found


def test_consents_and_acts_have_no_span_by_which_they_would_go() -> None:
    for name in ("consents", "acts", "numbers"):
        made, faults = table(**{name: 100})
        retention(made)
        assert "is not known here" in faults[0].message
