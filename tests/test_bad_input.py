"""Bad input over real HTTP: each has its answer, nothing stops, nothing is kept that should not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.bad.house import House, audit, build
from tests.bad.table import RAW, REFUSED, TAKEN, UNREADABLE, Row

ROWS = {**UNREADABLE, **REFUSED, **TAKEN}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A connector for all rows; afterwards it must hold exactly what they say, and be whole."""
    made = build(tmp_path_factory.mktemp("bad") / "house")
    with made.running:
        yield made
        made.settle()
        assert made.counts() == made.kept
        audit(made.running)
    log = (made.running.path / "log").read_text()
    assert "Traceback" not in log
    assert "row-" not in log, "what strangers write is nothing for a log"


def mark_of(name: str) -> str:
    return "row-" + re.sub(r"[^a-z0-9]+", "-", name.lower())


def check_kept(house: House, row: Row, mark: str) -> None:
    """What was kept of it stands where the row says, and says why."""
    where, _, why = row.kept.partition(": ")
    if where == "unreadable":
        found = house.running.until(lambda: house.aside(mark))
        assert house.event(mark) is None
    else:
        found = house.running.until(lambda: house.event(mark))
        assert found["state"] == where, found["reason"]
        assert house.aside(mark) is None
    assert why in found["reason"]
    house.kept[where] += 1


@pytest.mark.parametrize("name", ROWS)
def test_each_has_its_answer_and_its_place(name: str, house: House) -> None:
    row, mark = ROWS[name], mark_of(name)
    answer = row.send(house, mark)
    assert (answer.status, answer.code) == (row.status, row.code), answer.body
    if row.kept:
        check_kept(house, row, mark)
    else:
        assert house.event(mark) is None and house.aside(mark) is None


@pytest.mark.parametrize("name", RAW)
def test_what_is_hardly_http_is_answered_and_closed(name: str, house: House) -> None:
    data, status = RAW[name]
    assert house.raw(data).status == status
    assert house.ask("GET", "/health").status == 200
