"""A worker that stood still: what it passed over late is passed over late again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.simulate.village import Village, write_village


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village(write_village(tmp_path / "folder"), tmp_path / "home")


def test_a_text_after_a_step_that_was_passed_over_late_is_due_when_it_was(
    village: Village,
) -> None:
    village.until(0)  # seven in the evening in New York
    person = village.fresh(second=False, timezone="America/New_York")
    village.say(person, "sp_go", "late", value=1)
    village.minutes(35)  # the first text went, the second step is due in five minutes
    village.jump(timedelta(hours=9))  # and is passed over in the night, nine hours later
    village.hours(8)  # so the third text waits for the morning, and has not expired by then
    village.compare()
    texts = village.rows("SELECT step FROM sends WHERE play = 'sp_main' AND key = 'late'")
    village.stop()
    assert [row["step"] for row in texts] == ["one", "three"]
    assert not village.differences
    assert not village.faults
