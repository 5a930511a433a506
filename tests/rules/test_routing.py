"""Routes: which one takes a text, the order of its hops, and which sender a number begins with."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connector.rules.routing import Hop, Route, Try, choose, goes_on, hops, senders_of, spread
from tests.steps.build import HOUR, NOW

USUAL = Hop("usual")
A, B, C = Hop("a"), Hop("b", ("+1", "+2")), Hop("c")
ROUTES = (
    Route("uk marketing", (A, B), ("GB",), ("marketing",)),
    Route("uk", (B,), ("GB", "IE")),
    Route("service", (C,), (), ("service",)),
)
PHONES = st.integers(10**10, 10**11 - 1).map("+{}".format)


def failed(provider: str, reason: str = "unavailable", sender: str = "") -> Try:
    return Try(provider, sender, "deferred", reason)


def nobody(provider: str) -> bool:
    return False


def test_the_first_route_that_takes_a_text_decides() -> None:
    assert hops(ROUTES, "GB", "marketing", USUAL) == (A, B)
    assert hops(ROUTES, "GB", "service", USUAL) == (B,)
    assert hops(ROUTES, "US", "service", USUAL) == (C,)


def test_what_no_route_names_goes_by_the_provider_in_use() -> None:
    assert hops(ROUTES, "US", "marketing", USUAL) == (USUAL,)
    assert hops((), "US", "marketing", USUAL) == (USUAL,)


def test_where_only_routes_count_what_none_names_goes_nowhere() -> None:
    assert hops(ROUTES, "US", "marketing", USUAL, only=True) == ()
    assert hops((), "US", "marketing", USUAL, only=True) == (USUAL,)


def test_a_number_of_no_country_is_taken_by_routes_without_countries_alone() -> None:
    assert hops(ROUTES, "", "marketing", USUAL) == (USUAL,)
    assert hops(ROUTES, "", "service", USUAL) == (C,)


def test_senders_of_a_provider_are_those_of_all_its_hops() -> None:
    assert senders_of(ROUTES, "b") == {"+1", "+2"}
    assert senders_of(ROUTES, "a") == frozenset()


def test_a_text_begins_with_the_first_hop_and_may_go_on_to_the_next() -> None:
    assert choose((A, B), (), nobody) == (0, True)
    assert choose((A, B), (failed("a"),), nobody) == (1, False)


def test_when_every_hop_failed_it_waits_and_begins_again_with_the_first() -> None:
    assert choose((A, B), (failed("a"), failed("b", sender="+1")), nobody) == (0, True)


def test_a_provider_that_is_left_alone_is_passed_over() -> None:
    assert choose((A, B, C), (), {"a"}.__contains__) == (1, True)
    assert choose((A, B), (), {"a"}.__contains__) == (1, False)
    assert choose((A, B), (), {"a", "b"}.__contains__) is None


def test_a_sender_that_asks_for_patience_is_asked_again_itself() -> None:
    assert choose((A, B), (failed("a", "rate_limited"),), nobody) == (0, True)
    assert not goes_on("rate_limited", NOW, NOW + HOUR)


def test_it_goes_elsewhere_where_patience_would_outlast_its_use() -> None:
    assert goes_on("rate_limited", NOW + HOUR, NOW + HOUR)
    assert goes_on("unavailable", NOW, NOW + HOUR)
    assert goes_on("configuration", NOW, NOW + HOUR)


def test_after_an_answer_that_leaves_it_open_it_never_changes_its_provider() -> None:
    doubtful = Try("a", "", "uncertain", "timeout")
    assert choose((A, B), (doubtful,), nobody) == (0, False)
    assert choose((A, B), (doubtful,), {"a"}.__contains__) is None
    assert choose((B, C), (doubtful,), nobody) is None


def test_two_pools_of_one_provider_are_two_hops() -> None:
    pools = (Hop("a", ("+1", "+2")), Hop("a", ("+3", "+4")))
    assert choose(pools, (failed("a", sender="+2"),), nobody) == (1, False)
    assert choose(pools, (failed("a", sender="+4"),), nobody) == (0, False)


def test_a_try_from_a_sender_that_left_its_pool_was_a_try_at_its_provider() -> None:
    assert choose((Hop("a", ("+1", "+2")), B), (failed("a", sender="+9"),), nobody) == (1, False)


def test_what_was_given_back_before_the_call_was_no_try_at_anybody() -> None:
    given_back = Try("b", "+1", "given_back", "unavailable")
    assert choose((A, B), (failed("a"), given_back), nobody) == (1, False)


RESULTS = st.sampled_from(("deferred", "given_back", "uncertain", ""))
REASONS = st.sampled_from(("unavailable", "configuration", "timeout", "rate_limited", "unknown"))
TRIES = st.lists(st.builds(Try, st.sampled_from("abcd"), st.just(""), RESULTS, REASONS), max_size=6)
RESTING = st.frozensets(st.sampled_from("abc"))


@given(TRIES, RESTING)
def test_whatever_was_tried_nobody_who_rests_is_asked_and_a_doubt_binds(
    tries: list[Try], resting: frozenset[str]
) -> None:
    offered = (A, B, C)
    chosen = choose(offered, tries, resting.__contains__)
    doubted = [each.provider for each in tries if each.result in ("uncertain", "")]
    if chosen is None:
        assert resting >= {"a", "b", "c"} or doubted
        return
    provider = offered[chosen[0]].provider
    assert provider not in resting
    assert not doubted or (provider == doubted[0] and not chosen[1])


@given(PHONES, st.lists(PHONES, min_size=1, max_size=8, unique=True))
def test_a_number_begins_with_the_same_sender_whatever_the_order_of_the_pool(
    phone: str, pool: list[str]
) -> None:
    assert spread(pool, phone) == spread(sorted(pool), phone)
    assert spread(pool, phone) in pool


@given(PHONES, st.lists(PHONES, min_size=2, max_size=8, unique=True))
def test_a_sender_that_joins_the_pool_moves_only_numbers_that_come_to_it(
    phone: str, pool: list[str]
) -> None:
    *before, new = pool
    assert spread(pool, phone) in (spread(before, phone), new)


def test_numbers_are_spread_evenly_over_a_pool() -> None:
    pool = [f"+1800555010{number}" for number in range(4)]
    shares = Counter(spread(pool, f"+1212555{number:04}") for number in range(4_000))
    assert set(shares) == set(pool)
    assert all(850 < share < 1_150 for share in shares.values()), shares


def test_no_pool_leaves_the_sender_to_the_provider() -> None:
    assert spread((), "+12125550100") == ""
