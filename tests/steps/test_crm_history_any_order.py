"""However a CRM's history is read, it comes to the same history, signals and outcomes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connector.ledger.store import Tx
from connector.records import Record
from connector.steps import crmbackfill, crmsync
from connector.steps.setup import Setup
from tests.steps.build import HOUR, MINUTE, OTHER, SECOND, Shop
from tests.steps.desk import Desk
from tests.steps.saleroom import open_saleroom

THINGS = {
    "m1": ("meeting", ("7",)),
    "m2": ("meeting", ("7", "8")),
    "d1": ("deal", ("7",)),
    "d2": ("deal", ("8", "7")),
}
VALUES = {
    "meeting": st.fixed_dictionaries(
        {}, optional={"outcome": st.sampled_from(["SCHEDULED", "COMPLETED", "NO_SHOW"])}
    ),
    "deal": st.fixed_dictionaries(
        {},
        optional={
            "stage": st.sampled_from(["new", "offer", "won"]),
            "won": st.sampled_from(["true", "false"]),
            "amount": st.sampled_from(["0", "10", ""]),
        },
    ),
}
#: Somebody changes a record in the CRM; or we are read to: by a webhook, by the polling, by a
#: back-fill that is broken off after so many pages, or dies over so many records.
CHANGE = st.sampled_from(sorted(THINGS)).flatmap(
    lambda id: st.tuples(st.just("put"), st.just(id), VALUES[THINGS[id][0]])
)
READING = st.one_of(
    st.tuples(st.just("hint"), st.sampled_from(sorted(THINGS)), st.none()),
    st.tuples(st.just("poll"), st.none(), st.none()),
    st.tuples(st.just("sync"), st.integers(1, 4), st.integers(1, 9)),
)


class Killed(BaseException):
    """The process dies here."""


@contextmanager
def room() -> Iterator[Desk]:
    shops: list[Shop] = []

    def make(*plays: Any, **changes: Any) -> Shop:
        shops.append(Shop(Path(folder), *plays, **changes))
        return shops[-1]

    with tempfile.TemporaryDirectory() as folder:
        try:
            found = open_saleroom(make)
            found.crm.put("8", phone=OTHER)
            found.crm.page = 2
            yield found
        finally:
            for shop in shops:
                shop.close()


def changes(shop: Desk, acts: list[tuple[Any, ...]]) -> None:
    """Somebody changes records; each change has its own second, each record its people."""
    for _, id, values in acts:
        object, people = THINGS[id]
        shop.crm.put(id, object, people=people, **values)
        shop.tick(SECOND)


def sync(shop: Desk, pages: int, records: int) -> None:
    """A back-fill that ends after so many pages, or dies over one of its records."""
    left, take = records, crmbackfill.take

    def fuse(tx: Tx, rt: Setup, record: Record, *, careful: bool) -> tuple[list[str], str]:
        nonlocal left
        left -= 1
        if not left:
            raise Killed
        return take(tx, rt, record, careful=careful)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crmbackfill, "take", fuse)
        patch.setattr(crmsync, "SLICE", 1)
        try:
            for _, _told in zip(range(pages), crmsync.run(shop.rt, shop.crm.objects), strict=False):
                pass
        except Killed:
            pass


def read(shop: Desk, how: str, one: Any, two: Any) -> None:
    """One way of being read to."""
    if how == "sync":
        sync(shop, one, two)
    elif how == "poll":
        shop.polls()
    elif (THINGS[one][0], one) in shop.crm.held:
        held = shop.crm.held[THINGS[one][0], one]
        shop.hears(shop.crm._hint(held))
        shop.reads()


def finish(shop: Desk) -> None:
    """In the end the polling has come to all, and a back-fill went through whole."""
    shop.polls()
    for _ in crmsync.run(shop.rt, shop.crm.objects):
        pass
    shop.polls()


def came_to(shop: Desk) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in the ledger, without when it was heard and ids of ours."""
    who = """(SELECT min(i.value) FROM identities i WHERE i.contact_id = {}.contact_id
        AND i.kind = 'crm_id')"""
    asked = {
        "history": """SELECT object, record, field, before, after, occurred_at FROM crm_history
            WHERE object <> 'contact'""",
        "signals": f"""SELECT {who.format("s")} AS who, s.name, s.key, s.occurred_at, s.facts,
            e.back_fill FROM signals s JOIN events e ON e.id = s.event_id
            WHERE s.name <> 'crm_contact'""",
        "outcomes": f"""SELECT {who.format("o")} AS who, o.kind, o.thing, o.occurred_at,
            o.value_micros FROM outcomes o""",
    }
    return {
        name: sorted(tuple(row.values()) for row in shop.rows(sql)) for name, sql in asked.items()
    }


PUT = ("put", "m1", {"outcome": "NO_SHOW"})
WON = ("put", "d2", {"won": "true", "amount": "10"})


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=st.lists(CHANGE, max_size=6),
    then=st.lists(st.one_of(CHANGE, READING), min_size=2, max_size=14),
)
@example(before=[PUT, WON], then=[("sync", 3, 2), PUT, ("hint", "m1", None), ("sync", 9, 99)])
@example(before=[WON], then=[("put", "d2", {"won": "false"}), ("poll", None, None), WON])
def test_any_order_of_reading_the_same_history_comes_to_the_same(
    before: list[tuple[Any, ...]], then: list[tuple[Any, ...]]
) -> None:
    found = []
    for reads_between in (False, True):
        with room() as shop:
            changes(shop, before)
            shop.tick(HOUR)
            shop.reads()
            shop.tick(MINUTE)
            start = shop.clock()
            for place, act in enumerate(then):
                shop.clock.at = start + place * HOUR  # reading takes time of its own
                if act[0] == "put":
                    changes(shop, [act])
                elif reads_between:
                    read(shop, *act)
            shop.clock.at = start + len(then) * HOUR
            finish(shop)
            found.append(came_to(shop))
    plain, mixed = found
    assert mixed == plain
