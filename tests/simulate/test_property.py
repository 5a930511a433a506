"""Whatever happens, every text is explained, none goes twice, and the past can be made again."""

from __future__ import annotations

import pytest

from tests.simulate.coverage import counted, listed, many, say, table, unknown, written
from tests.simulate.lives import Lived
from tests.simulate.stories import CHANGES, STORIES
from tests.simulate.village import write_village

LIVES = ((0, STORIES, 80), (1, STORIES, 80), (3, CHANGES, 20))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """What some lives of a village came to: all tests here look at it."""
    place = tmp_path_factory.mktemp("village")
    return many(write_village(place / "folder"), place, LIVES)


def test_every_text_is_explained_and_none_goes_twice_and_the_past_is_made_again(
    found: Lived,
) -> None:
    assert not found.faults, "\n".join(found.faults[:20])
    assert found.texts > 100
    assert found.equal > 1_000


def test_every_start_verdict_and_end_was_reached(found: Lived) -> None:
    say("\n".join(table(found)))
    assert [name for name, count in counted(found).items() if not count] == []


def test_nothing_was_told_that_the_lists_do_not_know(found: Lived) -> None:
    assert unknown(found) == []


def test_every_reason_that_the_engine_can_write_is_listed() -> None:
    reasons = set(written())
    assert len(reasons) > 30
    assert reasons <= listed()
