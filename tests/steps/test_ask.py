"""Asking before acting: the instant that is named is the first at which a text may go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.config.hours import load
from connector.model import Purpose, Verdict
from connector.rules.policy import Cap, Policy
from connector.steps import ask, contexts, gather, keeping
from tests.ledger import build
from tests.steps.build import Shop

HOURS = load(Path(__file__).parents[2] / "mappings" / "hours.toml", [])
CAP = Cap("marketing in a day", Purpose.marketing, 1, timedelta(hours=24))
POLICY = Policy("p1", caps=(CAP,), gap=timedelta(hours=4))
STEP = timedelta(minutes=5)
NEW_YORK, FLORIDA, TENNESSEE = "+12125550123", "+13055550123", "+14235550123"
BRITON, FRENCHWOMAN, INDIAN = "+447400123456", "+33612345678", "+918123456789"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that keeps the shipped hours, with a cap and a gap."""
    opened = Shop(tmp_path_factory.mktemp("shop"), policy=POLICY, hours=HOURS)
    yield opened
    opened.close()


def answer(shop: Shop, question: ask.Question) -> ask.Answer:
    with shop.store.read() as tx:
        return ask.can_send(tx, shop.rt, question)


def question(number: str, at: datetime, **more: object) -> ask.Question:
    return replace(
        ask.Question(number, Purpose.marketing, at, suppose_consent=True),
        **more,  # type: ignore[arg-type]
    )


near_nights = st.sampled_from(  # of clocks that change, of holidays, of a new row, of a new year
    [
        *((2027, 3, 13), (2027, 11, 6), (2027, 3, 27), (2027, 10, 30), (2026, 10, 16)),
        *((2026, 11, 25), (2027, 2, 8), (2026, 12, 31), (2027, 7, 2), (2028, 11, 6)),
    ]
).map(lambda day: datetime(*day, tzinfo=UTC))
moments = st.builds(
    lambda day, minutes: day + timedelta(minutes=minutes), near_nights, st.integers(0, 3 * 1440)
)
questions = st.builds(
    lambda number, at, purpose, region, zone, sent: question(
        number,
        at,
        purpose=purpose,
        region=region,
        timezone=zone,
        suppose_sent=tuple(at - timedelta(minutes=ago) for ago in sent),
    ),
    st.sampled_from([NEW_YORK, FLORIDA, TENNESSEE, BRITON, FRENCHWOMAN, INDIAN]),
    moments,
    st.sampled_from([Purpose.marketing, Purpose.service]),
    st.sampled_from(["", "PA", "UT", "LA", "HI", "IN", "MS"]),
    st.sampled_from(["", "", "America/Phoenix", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.lists(st.integers(1, 2000), max_size=2),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(questions)
def test_the_instant_that_is_named_is_allowed_and_no_earlier_one_is(
    shop: Shop, asked: ask.Question
) -> None:
    found = answer(shop, asked)
    if found.next_at is None:
        return
    named = answer(shop, replace(asked, at=found.next_at))
    assert named.decision.verdict is Verdict.send
    at = asked.at
    while at < found.next_at:
        assert answer(shop, replace(asked, at=at)).decision.verdict is not Verdict.send
        at += STEP


def test_somebody_for_whom_no_hour_suits_is_told_so(shop: Shop) -> None:
    """On Guam's clock and New York's at once there is no hour of Guam's row."""
    asked = question(NEW_YORK, datetime(2027, 1, 12, 15, tzinfo=UTC), country="GU")
    found = answer(shop, asked)
    assert found.decision.verdict is Verdict.wait
    assert found.next_at is None
    assert "no instant of the next 8 days" in found.decision.objections[0].says


def test_an_instant_that_is_allowed_is_itself_the_next(shop: Shop) -> None:
    noon = datetime(2027, 1, 12, 17, tzinfo=UTC)
    assert answer(shop, question(NEW_YORK, noon)).next_at == noon


def test_a_parcel_and_the_crm_count_at_the_gate_and_are_kept_with_the_decision(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, policy=POLICY, hours=HOURS)
    try:
        sunday = datetime(2027, 4, 11, 17, tzinfo=UTC)
        asked = question(NEW_YORK, sunday)
        assert answer(shop, asked).decision.verdict is Verdict.send
        with shop.store.write() as tx:
            person = build.contact(tx, "1", phone=NEW_YORK, shipping_region="PA")
        shop.learn_crm(person, state="Utah")
        found = answer(shop, asked)
        assert found.decision.verdict is Verdict.wait
        assert found.where.rules == ("US-NY", "US-PA", "US-UT")
        assert {"shipping region: Pennsylvania", "CRM region: Utah"} <= set(found.where.why)
        assert found.next_at == datetime(2027, 4, 12, 15, tzinfo=UTC), "09:00 in Utah"
        with shop.store.read() as tx:
            known = gather.person(tx, person)
            assert known is not None
            wanted = gather.Wanted(
                contact=known, purpose=Purpose.marketing, due_at=sunday, expires_at=sunday
            )
            context = contexts.of(tx, shop.rt, known, {"state": "Utah"}, {}, sunday)
            facts = gather.gather(tx, shop.rt, wanted, context, sunday)
        assert keeping.kept(facts, shop.rt.book.policy)["addresses"] == [
            ["CRM", "", "Utah", ""],
            ["shipping", "", "PA", ""],
        ]
    finally:
        shop.close()
