"""What a number's consent rows come to, and that nothing but its owner lifts a STOP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connector.model import ConsentRow
from connector.rules.consent import EVERYTHING, LIFTING, WRONG_PERSON, Standing, standing

START_OF_TIME = datetime(2026, 11, 1, tzinfo=UTC)
NOTHING = frozenset[str]()

#: (purpose, granted, method)
Said = tuple[str, bool, str]
STOP: Said = ("all", False, "reply")
STOP_MARKETING: Said = ("marketing", False, "reply")
START: Said = ("all", True, "reply")
BLOCKED: Said = ("all", False, "provider")


def granted(purpose: str, method: str = "web_form") -> Said:
    return (purpose, True, method)


def revoked(purpose: str, method: str = "web_form") -> Said:
    return (purpose, False, method)


def rows(said: Sequence[Said]) -> list[ConsentRow]:
    """One row a minute."""
    return [
        ConsentRow(purpose, yes, method, START_OF_TIME + timedelta(minutes=minute))
        for minute, (purpose, yes, method) in enumerate(said)
    ]


def after(*said: Said) -> Standing:
    return standing(rows(said))


def test_nothing_said_is_no_consent_and_no_stop() -> None:
    assert after() == Standing(NOTHING, "")


def test_each_purpose_is_granted_and_revoked_by_itself() -> None:
    stands = after(granted("marketing"), granted("cart_reminders"), revoked("marketing"))
    assert stands == Standing(frozenset({"cart_reminders"}), "")


def test_the_end_of_one_purpose_by_a_form_is_no_stop() -> None:
    stands = after(granted("marketing"), revoked("marketing"), granted("marketing"))
    assert stands == Standing(frozenset({"marketing"}), "")


@pytest.mark.parametrize("stop", [STOP, BLOCKED, revoked("all", "operator"), revoked("all")])
def test_a_stop_ends_every_purpose(stop: Said) -> None:
    assert after(granted("marketing"), granted("service"), stop) == Standing(NOTHING, "all")


def test_a_consent_from_elsewhere_does_not_lift_a_stop_given_by_text() -> None:
    for method in ("web_form", "crm", "import", "operator", "call"):
        assert after(STOP, granted("marketing", method)) == Standing(NOTHING, "all")


def test_a_grant_of_everything_from_elsewhere_is_no_start() -> None:
    assert after(granted("service"), STOP, granted("all")) == Standing(NOTHING, "all")


def test_start_by_the_new_bearer_of_a_number_brings_nothing_of_the_old_one_back() -> None:
    wrong = ("all", False, WRONG_PERSON)
    assert after(granted("marketing"), wrong, START) == Standing(NOTHING, "")
    assert after(granted("marketing"), STOP, wrong, START) == Standing(NOTHING, "")
    stands = after(granted("marketing"), wrong, START, granted("service"))
    assert stands == Standing(frozenset({"service"}), "")


def test_start_grants_again_exactly_what_was_live_when_stop_came() -> None:
    stands = after(
        granted("marketing"),
        granted("service"),
        revoked("service"),
        STOP,
        granted("cart_reminders"),
        START,
    )
    assert stands == Standing(frozenset({"marketing"}), "")


def test_start_after_two_stops_grants_what_was_live_at_the_first() -> None:
    assert after(granted("marketing"), STOP, STOP, START).live == {"marketing"}


def test_what_was_ended_elsewhere_while_stopped_stays_ended_after_start() -> None:
    stands = after(
        granted("marketing"), granted("service"), STOP, revoked("marketing", "web_form"), START
    )
    assert stands.live == {"service"}


def test_start_without_a_stop_grants_nothing() -> None:
    assert after(START) == Standing(NOTHING, "")
    assert after(granted("service"), START).live == {"service"}


def test_start_grants_nothing_that_an_older_stop_took_and_a_double_opt_in_did_not_return() -> None:
    stands = after(
        granted("marketing"), granted("service"), STOP, granted("marketing", "double_opt_in"), START
    )
    assert stands == Standing(frozenset({"marketing"}), "")


def test_a_completed_double_opt_in_lifts_the_stop_for_the_purposes_it_names() -> None:
    stands = after(
        granted("marketing"), granted("service"), STOP, granted("marketing", "double_opt_in")
    )
    assert stands == Standing(frozenset({"marketing"}), "")


def test_a_double_opt_in_to_service_leaves_marketing_stopped() -> None:
    for stop in (STOP, STOP_MARKETING):
        opted_in = after(granted("marketing"), stop, granted("service", "double_opt_in"))
        assert opted_in == Standing(frozenset({"service"}), "marketing")
    stands = after(STOP, granted("service", "double_opt_in"), granted("marketing"))
    assert stands == Standing(frozenset({"service"}), "marketing")


def test_a_stop_after_a_double_opt_in_is_a_stop_again() -> None:
    stands = after(STOP, granted("marketing", "double_opt_in"), STOP)
    assert stands == Standing(NOTHING, "all")


def test_a_stop_of_marketing_leaves_service_and_nothing_else() -> None:
    stands = after(
        granted("marketing"), granted("cart_reminders"), granted("service"), STOP_MARKETING
    )
    assert stands == Standing(frozenset({"service"}), "marketing")


def test_under_a_stop_of_marketing_only_service_may_be_granted_anew() -> None:
    stands = after(STOP_MARKETING, granted("service"), granted("marketing"), granted("cart_rem"))
    assert stands == Standing(frozenset({"service"}), "marketing")


def test_start_after_a_stop_of_marketing_grants_marketing_and_its_scopes_again() -> None:
    stands = after(
        granted("marketing"), granted("cart_reminders"), STOP_MARKETING, granted("service"), START
    )
    assert stands == Standing(frozenset({"marketing", "cart_reminders", "service"}), "")


def test_a_narrower_stop_never_narrows_a_wider_one() -> None:
    assert after(granted("service"), STOP, STOP_MARKETING) == Standing(NOTHING, "all")
    assert after(granted("service"), STOP_MARKETING, BLOCKED) == Standing(NOTHING, "all")


def test_rows_count_in_the_order_in_which_they_occurred_not_in_which_they_were_heard() -> None:
    said = rows([granted("marketing"), STOP, granted("marketing")])
    late_stop = [said[0], said[2], said[1]]
    assert standing(late_stop) == standing(said) == Standing(NOTHING, "all")


def test_only_a_reply_and_a_double_opt_in_lift() -> None:
    assert frozenset({"reply", "double_opt_in"}) == LIFTING


UNTICKED: Said = ("all", True, "crm_field")
TICKED: Said = ("all", False, "crm_field")


def test_un_ticking_a_crms_box_gives_back_what_that_box_took() -> None:
    stands = after(granted("marketing"), TICKED, granted("service"), UNTICKED)
    assert stands == Standing(frozenset({"marketing"}), "")


@pytest.mark.parametrize(
    "stop", [STOP, BLOCKED, revoked("all", "operator"), revoked("all", "call")]
)
def test_un_ticking_a_crms_box_lifts_no_other_opt_out(stop: Said) -> None:
    assert after(granted("marketing"), stop, UNTICKED) == Standing(NOTHING, "all")
    assert after(granted("marketing"), TICKED, stop, UNTICKED) == Standing(NOTHING, "all")
    assert after(granted("marketing"), stop, TICKED, UNTICKED) == Standing(NOTHING, "all")


def test_after_start_the_crms_box_stands_for_itself_again() -> None:
    stands = after(granted("marketing"), STOP, START, TICKED, UNTICKED)
    assert stands == Standing(frozenset({"marketing"}), "")


def passed_on(after_rows: int, *said: Said) -> Standing:
    """What rows come to where the number changed hands after so many of them."""
    return standing(rows(said), owner_since=START_OF_TIME + timedelta(minutes=after_rows - 1))


def test_nothing_that_an_owner_before_agreed_to_is_live_or_comes_back() -> None:
    assert passed_on(1, granted("marketing")) == Standing(NOTHING, "")
    assert passed_on(2, granted("marketing"), STOP, START) == Standing(NOTHING, "")
    assert passed_on(2, granted("marketing"), STOP) == Standing(NOTHING, "all"), "a STOP stays"


def test_what_the_new_owner_agrees_to_counts_whatever_was_stopped_and_lifted_before() -> None:
    for lifted in (START, granted("marketing", "double_opt_in")):
        said = (granted("marketing"), STOP, lifted, granted("marketing"))
        assert passed_on(3, *said) == Standing(frozenset({"marketing"}), "")


PURPOSES = st.sampled_from(["marketing", "service", "cart_reminders"])
ELSEWHERE = st.sampled_from(["web_form", "crm", "import", "operator", "shopify_checkout"])
QUIET = st.one_of(
    st.tuples(PURPOSES, st.booleans(), ELSEWHERE),
    st.tuples(st.just("all"), st.just(True), ELSEWHERE),
)
LOUD = st.sampled_from([STOP, START, BLOCKED, STOP_MARKETING])
OPT_IN = st.tuples(PURPOSES, st.just(True), st.just("double_opt_in"))
ANY = st.one_of(QUIET, LOUD, OPT_IN)


@given(st.lists(ANY, max_size=8), st.sampled_from([STOP, BLOCKED]), st.lists(QUIET, max_size=8))
@settings(max_examples=200, deadline=None)
def test_after_a_stop_nothing_is_live_until_start_or_a_double_opt_in(
    before: list[Said], stop: Said, later: list[Said]
) -> None:
    assert after(*before, stop, *later) == Standing(NOTHING, EVERYTHING)


@given(st.lists(ANY, max_size=8), st.lists(QUIET, max_size=8))
@settings(max_examples=200, deadline=None)
def test_after_a_stop_of_marketing_nothing_but_service_is_live(
    before: list[Said], later: list[Said]
) -> None:
    stands = after(*before, STOP_MARKETING, *later)
    assert stands.stopped
    assert stands.live <= {"service"}


@given(st.lists(ANY, max_size=8), st.lists(QUIET.filter(lambda row: row[1]), max_size=6))
@settings(max_examples=200, deadline=None)
def test_start_undoes_a_stop_whatever_was_granted_meanwhile(
    before: list[Said], meanwhile: list[Said]
) -> None:
    stood = after(*before)
    assume(not stood.stopped)
    assert after(*before, STOP, *meanwhile, START) == stood


@given(st.lists(ANY, max_size=10), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_hearing_changes_nothing(said: list[Said], random: object) -> None:
    heard = rows(said)
    random.shuffle(heard)  # type: ignore[attr-defined]
    assert standing(heard) == after(*said)


@given(st.lists(ANY, max_size=10))
@settings(max_examples=100, deadline=None)
def test_hearing_everything_twice_changes_nothing(said: list[Said]) -> None:
    twice = [row for row in said for _ in (1, 2)]
    assert after(*twice) == after(*said)


@given(st.lists(ANY, max_size=8), st.lists(ANY, max_size=8))
@settings(max_examples=200, deadline=None)
def test_only_what_was_agreed_to_since_a_number_changed_hands_is_live_and_every_stop_stands(
    before: list[Said], since: list[Said]
) -> None:
    stands = passed_on(len(before), *before, *since)
    assert stands.live <= {purpose for purpose, yes, _ in since if yes}
    assert stands.stopped == after(*before, *since).stopped
