"""A back-fill waits for a CRM that asks it to, and ends where waiting mends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connector.errors import CrmUnavailable
from connector.records import Page
from connector.steps import crmsync
from connector.steps.crmsync import Wait
from tests.steps.build import DAY, NOW, OTHER, PHONE, SECOND
from tests.steps.desk import Desk, OpenShop
from tests.steps.saleroom import open_saleroom


@pytest.fixture
def room(open_shop: OpenShop) -> Desk:
    """A CRM with people, a meeting and a deal from last month, which was never read."""
    found = open_saleroom(open_shop)
    old = NOW - 30 * DAY
    found.crm.held.clear()
    found.crm.put("7", at=old, phone=PHONE, plan="pro", stage="Customer")
    found.crm.put("8", at=old + SECOND, phone=OTHER)
    return found


class Moody:
    """Answers of a CRM, an error in the place of some."""

    def __init__(self, room: Desk, *errors: Exception) -> None:
        self._ask, self._errors = room.crm.history, iter(errors)
        room.crm.history = self  # type: ignore[method-assign]

    def __call__(self, object: str, cursor: str | None) -> Page:
        for error in self._errors:
            raise error
        return self._ask(object, cursor)


def _waits(room: Desk) -> Iterator[Wait]:
    return (told for told in crmsync.run(room.rt, ["contact"]) if isinstance(told, Wait))


def test_it_waits_as_long_as_the_crm_asks_and_goes_on(room: Desk) -> None:
    limited = CrmUnavailable("too many calls", code="rate_limited", retry_after=11)
    Moody(room, limited, CrmUnavailable("it is down"), CrmUnavailable("it is down"))
    first, *others = _waits(room)

    assert timedelta(seconds=11) <= first.span < timedelta(seconds=13)
    assert first.why == "too many calls"
    assert len(others) == 2
    assert len(room.rows("SELECT * FROM contacts")) == 2


@pytest.mark.parametrize("code", ["unauthorized", "forbidden", "daily_limit"])
def test_it_ends_where_waiting_would_mend_nothing(room: Desk, code: str) -> None:
    Moody(room, CrmUnavailable("no", code=code, remedy="Look at the token"))
    with pytest.raises(CrmUnavailable):
        list(crmsync.run(room.rt, ["contact"]))


def test_answers_that_nobody_can_read_are_asked_for_five_times(room: Desk) -> None:
    Moody(room, *(CrmUnavailable("?", code="malformed") for _ in range(9)))
    told = crmsync.run(room.rt, ["contact"])
    assert [isinstance(next(told), Wait) for _ in range(4)] == [True] * 4
    with pytest.raises(CrmUnavailable):
        next(told)
