"""A CRM that cannot be asked: nothing is lost, somebody is told, and it drains when it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import CrmUnavailable
from connector.records import Writeback, Written
from tests.crms.remote import BUSY, WELL
from tests.steps.outbox import MINUTE, NOW, Outbox, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Outbox]:
    place = opened(tmp_path)
    place.flush_after = timedelta(0)
    yield place
    place.store.close()


def failing(place: Outbox, error: Exception) -> Callable[[], None]:
    """Make the CRM fail; what is given back makes it well again."""
    write = place.crm_there.write

    def fails(changes: Sequence[Writeback]) -> list[Written]:
        raise error

    def mend() -> None:
        place.crm_there.write = write  # type: ignore[method-assign]

    place.crm_there.write = fails  # type: ignore[method-assign]
    return mend


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("unauthorized", "crm_unauthorized", "Renew its key"),
        ("forbidden", "crm_unauthorized", "Renew its key"),
        ("daily_limit", "crm_limit", "what else uses its allowance"),
    ],
)
def test_what_only_the_operator_can_mend_is_told_at_once(
    place: Outbox, code: str, kind: str, says: str
) -> None:
    mend = failing(place, CrmUnavailable("no", code=code))
    place.note("a")
    place.flush()
    assert says in place.alarms()[kind]
    mend()
    place.drain()
    assert place.alarms() == {}, "it is over as soon as the CRM answers"
    assert place.crm_there.keys() == {"note:a": 1}


def test_the_crms_own_remedy_is_told_instead_of_ours(place: Outbox) -> None:
    error = CrmUnavailable("no", code="forbidden", remedy="Add the scope crm.objects.x.")
    failing(place, error)
    place.note("a")
    place.flush()
    assert place.alarms()["crm_unauthorized"].endswith("Add the scope crm.objects.x.")
    assert place.rows("remedy")["note:a"]["remedy"] == "Add the scope crm.objects.x."


def test_an_outage_that_waiting_mends_is_told_when_it_lasts(place: Outbox) -> None:
    failing(place, CrmUnavailable("no route", code="unreachable"))
    place.note("a")
    place.flush()
    assert place.alarms() == {}
    place.drain(0.2)
    assert "remote cannot be reached" in place.alarms()["crm_down"]


def test_the_crms_own_patience_is_kept(place: Outbox) -> None:
    failing(place, CrmUnavailable("wait", code="rate_limited", retry_after=600))
    place.note("a")
    place.flush()
    due = place.next_due()
    assert due is not None and NOW + 10 * MINUTE <= due <= NOW + 11 * MINUTE


def test_a_week_without_the_crm_loses_nothing_and_drains_in_full_batches(tmp_path: Path) -> None:
    place = opened(tmp_path, 60)
    place.crm_there.batch = 20
    place.crm_there.says = lambda route, changes: BUSY
    probes = 0
    for day in range(7):
        for person in range(1, 61):
            place.note(f"{day}_{person}", f"con_{person}")
        place.drain(24)
        place.now = NOW + timedelta(days=day + 1)
    place.crm_there.says = lambda route, changes: WELL
    place.crm_there.sizes.clear()
    while place.next_due() is not None:
        due = place.next_due()
        place.now = max(place.now, due or place.now)
        place.flush()
        probes += 1
        assert probes < 1000
    assert place.crm_there.sizes[0][1] == 1, "one probe, then full batches"
    assert place.crm_there.keys().total() == 7 * 60
    assert set(place.crm_there.keys().values()) == {1}
    assert place.crm_there.calls["activity create"] <= 40
    place.store.close()


def test_what_is_refused_for_good_is_told_once_with_the_remedy(place: Outbox) -> None:
    def refuses(changes: Sequence[Writeback]) -> list[Written]:
        return [
            Written(one.id, False, True, "", "no field sms_score", "VALIDATION", "Make the field.")
            for one in changes
        ]

    place.crm_there.write = refuses  # type: ignore[method-assign]
    for name in "abc":
        place.note(name)
    place.flush()
    row = place.rows("state, error, code, remedy")["note:a"]
    assert (row["state"], row["code"], row["remedy"]) == ("parked", "VALIDATION", "Make the field.")
    assert row["error"] == "no field sms_score"
    says = place.alarms()
    assert list(says) == ["writeback_parked"]
    assert "(VALIDATION) Make the field." in says["writeback_parked"].replace(").", ")")
