"""What is told out of order: traits stay as the latest told them, and changes go by that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.expressions import compile_all
from connector.model import Json
from connector.rules.mapping import EventRule, SourceMapping
from connector.rules.plays import Change, Date, Start
from tests.steps.build import HOUR, MINUTE, NOW, WELCOME, Shop

OpenShop = Callable[..., Shop]
PLAN = replace(WELCOME, name="plan", start=Start(change=Change("contact.plan")))
BIRTHDAY = replace(WELCOME, name="birthday", start=Start(date=Date("contact.birthday")))
TOLD = {
    "subject.user_id": "userId",
    "traits.plan": "properties.plan",
    "traits.birthday": "properties.birthday",
    "traits.timezone": "properties.timezone",
}
MAPPING = SourceMapping(
    "segment",
    "m1",
    "segment",
    (EventRule(0, frozenset({"profile"}), "", "profile", compile_all(TOLD, strict=False)),),
)


def opened(open_shop: OpenShop) -> Shop:
    shop = open_shop(PLAN, BIRTHDAY)
    shop.rt.sources = {
        name: replace(source, mapping=MAPPING) for name, source in shop.rt.sources.items()
    }
    return shop


def told(shop: Shop, at: datetime, source: str = "backend", **properties: Json) -> None:
    body = {"event": "profile", "userId": "ann", "timestamp": at.isoformat()}
    shop.put({**body, "properties": properties}, source=source)
    shop.walk()


def known(shop: Shop, *names: str) -> list[str]:
    row = shop.rows("SELECT traits, timezone FROM contacts")[0]
    return [name for name in names if f'"{name}"' in row["traits"] or name == row["timezone"]]


def changes(shop: Shop) -> list[str]:
    rows = shop.rows("SELECT facts FROM signals WHERE name = 'change' ORDER BY id")
    return [row["facts"].partition('"before":')[2].rstrip("}") for row in rows]


def test_what_is_heard_late_puts_no_trait_back(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    told(shop, NOW - HOUR, plan="trial")
    told(shop, NOW, plan="pro", timezone="America/New_York")
    told(shop, NOW - MINUTE, plan="free", timezone="Asia/Tokyo")
    assert known(shop, "pro", "free", "America/New_York") == ["pro", "America/New_York"]
    assert changes(shop) == ['"","after":"trial"', '"trial","after":"pro"']


def test_what_is_heard_late_and_nothing_later_told_is_news(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    told(shop, NOW - HOUR, plan="trial")
    told(shop, NOW, birthday="1990-05-01")
    told(shop, NOW - MINUTE, plan="pro", birthday="1990-01-01")
    assert known(shop, "pro", "1990-05-01") == ["pro", "1990-05-01"]
    assert changes(shop)[1:] == ['"trial","after":"pro"']


def test_what_a_browser_told_later_outweighs_nothing(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    told(shop, NOW - HOUR, plan="trial")
    told(shop, NOW, source="site", plan="pro")
    told(shop, NOW - MINUTE, plan="free")
    assert known(shop, "free", "pro") == ["free"]


@pytest.mark.parametrize("count", [3, 4])
def test_in_whatever_order_profiles_are_heard_the_latest_stands(
    open_shop: OpenShop, count: int
) -> None:
    @given(st.permutations(range(count)))
    @settings(
        max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def holds(order: list[int]) -> None:
        shop = opened(open_shop)
        for place in order:
            told(shop, NOW - (count - place) * MINUTE, plan=f"plan-{place}")
        assert known(shop, f"plan-{count - 1}")
        befores = [int(change.split('"')[1].split("-")[1] or -1) for change in changes(shop)[1:]]
        assert befores == sorted(befores), "no change leads back"

    holds()
