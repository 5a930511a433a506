from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.reloading import NEEDS_RESTART
from connector.rules.flush import GATHER, longest_wait
from connector.rules.outages import ALARM_AFTER, KINDS, alarm_for

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)


@pytest.mark.parametrize("code", ["unauthorized", "forbidden", "daily_limit"])
def test_what_no_waiting_mends_is_told_at_once(code: str) -> None:
    told = alarm_for(code, "", NOW, LATER, NOW, crm="hubspot")
    assert told is not None and told.kind in KINDS
    assert "hubspot" in told.says and code in told.says and "12:10 UTC" in told.says


@pytest.mark.parametrize("code", ["unreachable", "timeout", "unavailable", "rate_limited", ""])
def test_what_waiting_may_mend_is_told_when_it_lasts(code: str) -> None:
    just_before = NOW + ALARM_AFTER - timedelta(seconds=1)
    assert alarm_for(code, "", NOW, LATER, just_before, crm="hubspot") is None
    told = alarm_for(code, "", NOW, LATER, NOW + ALARM_AFTER, crm="hubspot")
    assert told is not None
    assert told.kind == ("crm_limit" if code == "rate_limited" else "crm_down")


def test_the_crms_own_remedy_is_told_where_there_is_one() -> None:
    told = alarm_for("forbidden", "Add the scope x.", NOW, LATER, NOW, crm="hubspot")
    assert told is not None and told.says.endswith("Add the scope x.")


@pytest.mark.parametrize(
    ("flush_after", "wait"),
    [
        (timedelta(0), timedelta(0)),
        (timedelta(seconds=20), timedelta(seconds=25)),
        (timedelta(seconds=60), timedelta(seconds=75)),
        (timedelta(minutes=10), timedelta(minutes=10) + GATHER),
    ],
)
def test_a_change_waits_a_quarter_longer_and_fifteen_seconds_at_the_most(
    flush_after: timedelta, wait: timedelta
) -> None:
    assert longest_wait(flush_after) == wait


def test_a_renewed_credential_asks_for_the_restart_that_alone_brings_it() -> None:
    told = alarm_for("unauthorized", "", NOW, LATER, NOW, crm="hubspot")
    assert told is not None and told.says.endswith("restart the connector.")
    assert "crm" in NEEDS_RESTART
