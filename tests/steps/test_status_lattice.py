"""Callbacks come in any order and any number of times, and a text ends the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.messages import Receipt
from connector.model import Status
from connector.rules.policy import Policy
from connector.rules.policy.limits import TemplateAlarm
from connector.steps import outcome
from tests.steps.build import DAY, SECOND, WELCOME, Shop

SENT = Receipt("carrier", "SM-snd_000001", Status.sent, "sent", send_id="snd_000001")
TOLD = (
    replace(SENT, status=Status.accepted, raw_status="queued"),
    replace(SENT, status=Status.accepted, raw_status="sending"),
    replace(SENT, status=Status.unknown, raw_status="pondering"),
    replace(SENT, segments=2),
    replace(SENT, error_code="30017", reason="rate_limited", stamp="odd"),
    replace(SENT, status=Status.delivered, raw_status="delivered"),
    replace(SENT, status=Status.delivered, raw_status="read", cost_micros=7_500, currency="USD"),
)
FAILED = replace(
    SENT,
    status=Status.undelivered,
    raw_status="undelivered",
    error_code="30003",
    reason="unavailable",
)
FINALS = {Status.delivered, Status.undelivered}


class Life:
    """One text, and what is told of it."""

    def __init__(self, path: str) -> None:
        policy = Policy("p1", template_alarm=TemplateAlarm(4, 0.2, 0.5, 30 * DAY))
        self.shop = Shop(Path(path), WELCOME, policy=policy)
        self.shop.consent()
        self.shop.tell("signed_up")
        assert self.shop.go() == 1

    def hear(self, *told: Receipt) -> None:
        for each in told:
            self.shop.tick(SECOND)
            with self.shop.store.write() as tx:
                outcome.receipt(tx, self.shop.rt, each, self.shop.clock())

    def ends(self) -> dict[str, Any]:
        """All that callbacks decide of a text, but when it was heard."""
        [send] = self.shop.sends()
        names = ("state", "status", "status_rank", "reason", "error_code", "conflict")
        more = ("segments", "cost_micros", "currency")
        return {name: send[name] for name in (*names, *more)}

    def receipts(self) -> int:
        return sum(row["repeats"] + 1 for row in self.shop.rows("SELECT repeats FROM receipts"))

    def delivered(self) -> int:
        return sum(row["n"] for row in self.shop.rows("SELECT delivered AS n FROM template_days"))


def lived(told: list[Receipt]) -> tuple[dict[str, Any], int, int]:
    with TemporaryDirectory() as path:
        life = Life(path)
        life.hear(*told)
        found = life.ends(), life.receipts(), life.delivered()
        life.shop.close()
        return found


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(TOLD), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_and_number_of_callbacks_ends_the_same(told: list[Receipt], chance: Any) -> None:
    shuffled = [*told, *told[:2]]
    chance.shuffle(shuffled)
    ends, kept, counted = lived(told)
    ends_too, kept_too, counted_too = lived(shuffled)
    assert {**ends, "status": ""} == {**ends_too, "status": ""}
    assert (kept, kept_too) == (len(told), len(shuffled)), "every callback is kept"
    assert counted == counted_too == int(any(each.status is Status.delivered for each in told))


@settings(max_examples=25, deadline=None)
@given(st.permutations([*TOLD, FAILED]))
def test_of_two_ends_that_differ_the_first_stands_and_the_other_is_noted(
    told: list[Receipt],
) -> None:
    ends, kept, counted = lived(list(told))
    finals = [each.status for each in told if each.status in FINALS]
    other = {"delivered": "undelivered", "undelivered": "delivered"}[finals[0]]
    assert (ends["state"], ends["conflict"]) == (finals[0].value, other)
    assert kept == len(told)
    assert counted == int(finals[0] is Status.delivered)


def test_a_block_at_the_provider_stops_the_number_though_another_end_stands() -> None:
    with TemporaryDirectory() as path:
        life = Life(path)
        life.hear(TOLD[5], replace(FAILED, error_code="21610", reason="opted_out"))
        assert life.ends()["state"] == "delivered"
        assert life.shop.number()["blocked_scope"] == "all"
        life.shop.close()


def test_nothing_of_a_template_is_counted_twice() -> None:
    assert lived([TOLD[5], TOLD[6], TOLD[5]])[2] == 1
