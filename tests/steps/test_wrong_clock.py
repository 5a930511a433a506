"""A clock that was wrong for a while never makes the end of a consent come before its grant."""

from __future__ import annotations

from tests.steps.build import HOUR, MINUTE, Shop


def test_a_stop_counts_after_a_start_that_a_clock_ahead_put_into_the_future(shop: Shop) -> None:
    shop.consent()
    shop.reply("STOP")
    shop.tick(2 * HOUR)
    shop.reply("START")
    shop.tick(-HOUR)  # the clock is set right
    assert shop.live().live == {"marketing"}
    shop.reply("STOP")
    assert (shop.live().live, shop.live().stopped) == (frozenset(), "all")
    assert shop.number()["blocked_scope"] == "all"


def test_an_end_of_consent_counts_after_a_grant_of_the_future(shop: Shop) -> None:
    shop.tick(HOUR)
    shop.consent()
    shop.tick(-HOUR + MINUTE)
    shop.revoke()
    assert shop.live().live == frozenset()
