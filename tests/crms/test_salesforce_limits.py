"""The daily allocation of calls: spread near its end, and a reserve that is left for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest

from connector.crms.salesforce.limits import Usage, is_spent, pause, read, reserve_of
from connector.errors import CrmUnavailable
from connector.model import Subject
from tests.crms.contract import activity
from tests.crms.salesforce_server import Server
from tests.crms.test_salesforce import SalesforcePlace


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_calls_are_spread_over_the_day_above_80_percent(server: Server) -> None:
    place = SalesforcePlace(server)
    server.org.used, server.org.total = 85_000, 100_000
    assert place.crm.write([activity()])[0].ok
    with pytest.raises(CrmUnavailable) as raised:
        place.crm.write([activity("send:snd_2")])
    assert raised.value.code == "rate_limited" and not raised.value.in_doubt
    assert 6 < (raised.value.retry_after or 0) < 7  # 14,000 calls that are left, over a day
    assert place.crm.fetch([Subject(crm_id=place.people["con_1"])])[0]  # a text waits for it
    server.org.state.now += timedelta(seconds=10)
    assert place.crm.write([activity("send:snd_2")])[0].ok


def test_no_kind_of_work_keeps_another_from_its_turn_while_calls_are_spread(
    server: Server,
) -> None:
    place = SalesforcePlace(server)
    server.org.used, server.org.total = 85_000, 100_000
    kinds: list[Callable[[], object]] = [lambda: place.crm.write([activity()])]
    kinds += [partial(place.crm.changes, name, None) for name in place.crm.objects]
    done = [0] * len(kinds)
    for _ in range(120):
        server.org.state.now += timedelta(seconds=1)
        for n, act in enumerate(kinds):
            try:
                act()
            except CrmUnavailable as error:
                assert error.code == "rate_limited"
            else:
                done[n] += 1
    assert max(done) - min(done) <= 1
    assert 15 <= sum(done) <= 23  # 120 s of a day over which 14,000 calls are spread


def test_the_reserve_is_left_for_others_and_asked_after_once_an_hour(server: Server) -> None:
    place = SalesforcePlace(server, reserve=2_000)
    server.org.used, server.org.total = 97_999, 100_000
    place.crm.write([activity()])
    before = len(server.org.sent())
    for _ in range(20):
        server.org.state.now += timedelta(minutes=2)
        with pytest.raises(CrmUnavailable) as raised:
            place.crm.fetch([Subject(crm_id=place.people["con_1"])])
        assert raised.value.code == "daily_limit"
    assert "2,000 are kept for others" in str(raised.value)
    assert len(server.org.sent()) == before
    server.org.state.now += timedelta(minutes=30)
    place.crm.fetch([Subject(crm_id=place.people["con_1"])])  # one call, to see how it stands
    with pytest.raises(CrmUnavailable):
        place.crm.fetch([Subject(crm_id=place.people["con_1"])])
    server.org.used = 10_000
    server.org.state.now += timedelta(hours=1)
    for _ in range(3):
        assert place.crm.fetch([Subject(crm_id=place.people["con_1"])])[0]


def test_the_allocation_is_read_from_either_form_of_the_header(server: Server) -> None:
    now = server.org.state.now
    long = "api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)"
    assert read("api-usage=18/5000", now) == Usage(18, 5000, now)
    assert read(long, now) == Usage(25, 5000, now)
    assert read("", now) is None and read("nonsense", now) is None
    assert reserve_of(Usage(0, 5_000, now), None) == 250
    assert reserve_of(Usage(0, 500_000, now), None) == 1_000
    assert is_spent(Usage(4_750, 5_000, now), None)
    assert not is_spent(Usage(4_749, 5_000, now), None)
    assert pause(Usage(79, 100, now), 5) == timedelta()
    assert pause(Usage(94, 100, now), 5) == timedelta(minutes=10)
