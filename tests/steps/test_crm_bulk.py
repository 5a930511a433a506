"""A back-fill goes out by the CRM's own way for many, and takes nothing from the worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from connector.errors import CrmUnavailable
from connector.records import Writeback, Written
from connector.steps import crmbulk
from connector.steps.setup import Setup
from tests.crms.remote import RemoteCrm
from tests.steps.outbox import Outbox, opened

PEOPLE = 40


class LargeCrm(RemoteCrm):
    """A CRM that also takes many changes at once."""

    def bulk_write(self, changes: Sequence[Writeback]) -> list[Written]:
        self.calls["bulk"] += 1
        answers = self.write(changes)
        return answers


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    monkeypatch.setattr(crmbulk, "FEWEST", 30)
    monkeypatch.setattr(crmbulk, "MOST", 50)
    monkeypatch.setattr(crmbulk, "SLICE", 7)
    place = opened(tmp_path, PEOPLE)
    place.crm_there = LargeCrm({f"rec{person}": "" for person in range(1, PEOPLE + 1)})
    place.crms = {"remote": place.crm_there}
    yield place
    place.store.close()


def owe(place: Outbox, people: int = PEOPLE) -> None:
    for person in range(1, people + 1):
        place.note(f"n{person}", f"con_{person}")
        place.changed(f"con_{person}")


def run(place: Outbox) -> list[int]:
    return list(crmbulk.run(cast(Setup, place)))


def test_much_goes_out_in_few_calls_and_each_change_once(place: Outbox) -> None:
    owe(place)
    written = run(place)
    assert sum(written) >= 2 * PEOPLE - crmbulk.FEWEST
    assert place.crm_there.calls["bulk"] == len(written) <= 3
    place.drain()
    assert {row["state"] for row in place.rows("state").values()} == {"written"}
    assert place.crm_there.keys() == {f"note:n{person}": 1 for person in range(1, PEOPLE + 1)}


def test_what_is_soon_written_in_the_usual_calls_is_left_to_the_worker(place: Outbox) -> None:
    owe(place, 10)
    assert run(place) == []
    assert {row["leased_until"] for row in place.rows("leased_until").values()} == {None}


def test_a_crm_without_such_a_way_is_left_to_the_worker(place: Outbox) -> None:
    place.crms = {"remote": RemoteCrm()}
    owe(place)
    assert run(place) == []


def test_what_a_job_may_have_made_is_in_doubt_and_the_worker_goes_on(place: Outbox) -> None:
    owe(place)

    def lost(changes: Sequence[Writeback]) -> list[Written]:
        place.crm_there.write(changes)
        made = frozenset(change.id for change in changes)
        raise CrmUnavailable("a bulk job has not ended", code="timeout", in_doubt=made)

    there = cast(LargeCrm, place.crm_there)
    there.bulk_write = lost  # type: ignore[method-assign]
    assert run(place) == []
    rows = place.rows("state, in_doubt, waits").values()
    assert {row["state"] for row in rows} == {"owed"}
    assert sum(row["in_doubt"] for row in rows) >= crmbulk.MOST
    place.drain(hours=6)
    assert place.crm_there.keys() == {f"note:n{person}": 1 for person in range(1, PEOPLE + 1)}


def test_the_worker_takes_nothing_that_a_job_has(place: Outbox) -> None:
    owe(place)
    taken = crmbulk._taken(cast(Setup, place))
    place.now += timedelta(minutes=10)
    place.flush()
    mine = {claim.key for claim in taken}
    assert len(mine) >= crmbulk.MOST
    there = place.crm_there.keys()
    assert there and not mine & set(there)
