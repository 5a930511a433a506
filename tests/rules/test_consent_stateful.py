"""Whatever is said in whatever order, nothing is live that the number did not allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connector.model import ConsentRow
from connector.rules import optin
from connector.rules.consent import Standing, standing, wording_version
from connector.rules.expiry import IMPLIED, NEVER, Expiries, Expiry

START_OF_TIME = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PURPOSES = st.sampled_from(["marketing", "service", "cart_reminders"])
ELSEWHERE = st.sampled_from(["web_form", "import", "crm_field", "paper", "implied_purchase"])
CANADA = Expiry(
    "presumed",
    months=24,
    places=frozenset({"CA"}),
    purposes=frozenset({"marketing"}),
    methods=frozenset({"implied_purchase"}),
)
IMPORTED = Expiry("imported", days=100, methods=frozenset({"import"}))
HERE = Expiries((CANADA, IMPORTED), ("CA-QC",))


class Number(RuleBasedStateMachine):
    """One number, and a model of what its owner allowed that knows nothing of the rule's state."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START_OF_TIME
        self.rows: list[ConsentRow] = []
        self.asked: tuple[datetime, frozenset[str]] | None = None
        self.stopped_at: datetime | None = None  #: the last STOP of everything
        self.allowed: set[str] = set()  #: by the number's own word since then
        self.ended: set[str] = set()  #: elsewhere, and not said again

    def _say(self, purpose: str, granted: bool, method: str, pending: bool = False) -> None:
        self.now += timedelta(minutes=1)
        self.rows.append(ConsentRow(purpose, granted, method, self.now, pending))

    @rule(days=st.integers(1, 400))
    def time_passes(self, days: int) -> None:
        self.now += days * DAY

    @rule(purpose=PURPOSES, granted=st.booleans(), method=ELSEWHERE)
    def somebody_says_elsewhere(self, purpose: str, granted: bool, method: str) -> None:
        self._say(purpose, granted, method)
        if granted:
            self.ended.discard(purpose)
        else:
            self.ended.add(purpose)

    @rule(method=ELSEWHERE)
    def somebody_grants_everything_elsewhere(self, method: str) -> None:
        self._say("all", True, method)

    @rule(purposes=st.sets(PURPOSES, min_size=1))
    def a_form_proposes(self, purposes: set[str]) -> None:
        for purpose in purposes:
            self._say(purpose, True, "web_form", pending=True)
        if self.asked is None or optin.may_ask(self.asked[0], self.now):
            self.asked = (self.now, frozenset(purposes))

    @rule()
    def the_number_says_yes(self) -> None:
        if self.asked is None or not optin.is_open(self.asked[0], self.now):
            return
        for purpose in self.asked[1]:
            self._say(purpose, True, "double_opt_in")
            self.allowed.add(purpose)
            self.ended.discard(purpose)
        self.asked = (self.asked[0], frozenset())

    @rule(method=st.sampled_from(["reply", "provider", "call", "email", "operator", "crm_field"]))
    def it_stops(self, method: str) -> None:
        self._say("all", False, method)
        self.stopped_at, self.allowed = self.now, set()
        self.by_crm = method == "crm_field"

    @rule()
    def it_says_start(self) -> None:
        self._say("all", True, "reply")
        self.stopped_at = None

    def _stands(self) -> Standing:
        return standing(self.rows, self.now, HERE)

    @invariant()
    def nothing_is_live_after_a_stop_but_what_the_number_itself_allowed(self) -> None:
        if self.stopped_at is None or self._crm_alone():
            return
        assert self._stands().live <= self.allowed

    @invariant()
    def what_was_ended_is_not_live_until_it_is_said_again(self) -> None:
        assert not self._stands().live & self.ended

    def _crm_alone(self) -> bool:
        """Whether only the CRM's box stopped it, which that box may lift again."""
        ends = [row for row in self.rows if row.purpose == "all"]
        return any(row.method == "crm_field" and not row.granted for row in ends)

    @invariant()
    def nothing_is_live_that_was_never_granted(self) -> None:
        granted = {row.purpose for row in self.rows if row.granted and not row.pending}
        assert self._stands().live <= granted

    @invariant()
    def what_waits_for_a_yes_changes_nothing(self) -> None:
        told = [row for row in self.rows if not row.pending]
        assert standing(told, self.now, HERE) == self._stands()

    @invariant()
    def what_is_only_implied_or_imported_ends_of_itself(self) -> None:
        for purpose in self._stands().live:
            ways = [
                row
                for row in self.rows
                if row.granted and not row.pending and row.purpose in (purpose, "all")
            ]
            assert any(self._lasts(row, purpose) for row in ways)

    def _lasts(self, row: ConsentRow, purpose: str) -> bool:
        if row.method == "import":
            return self.now < row.occurred_at + 100 * DAY
        if row.method == "implied_purchase":
            return purpose == "marketing" and self.now < row.occurred_at + 732 * DAY
        return True

    @invariant()
    def time_alone_never_makes_anything_live(self) -> None:
        later = standing(self.rows, self.now + 50 * DAY, HERE)
        assert later.live <= self._stands().live
        assert later.stopped == self._stands().stopped


Number.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestNumber = Number.TestCase


def given_at(method: str, purpose: str = "marketing") -> list[ConsentRow]:
    return [ConsentRow(purpose, True, method, datetime(2026, 8, 31, 12, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("now", "live"),
    [
        (datetime(2027, 2, 28, 11, 59, tzinfo=UTC), True),
        (datetime(2027, 2, 28, 12, 0, tzinfo=UTC), False),
    ],
)
def test_six_months_end_on_the_last_day_of_a_shorter_month(now: datetime, live: bool) -> None:
    half = Expiry("inquiry", months=6, methods=frozenset({"implied_inquiry"}))
    stands = standing(given_at("implied_inquiry"), now, Expiries((half,), ("CA-ON",)))
    assert bool(stands.live) is live


@pytest.mark.parametrize("method", IMPLIED)
def test_what_is_only_implied_counts_nowhere_without_a_row(method: str) -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    row = Expiry("canada", months=6, places=frozenset({"CA"}), methods=frozenset({method}))
    assert not standing(given_at(method), now, NEVER).live
    assert not standing(given_at(method), now, Expiries((row,), ("US-NY",))).live
    assert not standing(given_at(method), now, Expiries((row,), ("CA-ON", "US-NY"))).live
    assert not standing(given_at(method), now, Expiries((row,), ())).live
    assert standing(given_at(method), now, Expiries((row,), ("CA-ON",))).live == {"marketing"}


def test_a_row_without_methods_ends_what_was_said_but_lends_nothing_to_what_is_implied() -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    row = Expiry("everything", days=30)
    assert standing(given_at("web_form"), now, Expiries((row,), ("CA",))).live
    assert not standing(given_at("web_form"), now + 30 * DAY, Expiries((row,), ("CA",))).live
    assert not standing(given_at("implied_purchase"), now, Expiries((row,), ("CA",))).live


def test_an_express_consent_outlives_an_implied_one_that_came_later() -> None:
    rows = [*given_at("web_form"), *given_at("implied_purchase")]
    assert standing(rows, START_OF_TIME + 3000 * DAY, HERE).live == {"marketing"}


def test_start_gives_back_nothing_that_had_ended_before_the_stop() -> None:
    at = datetime(2026, 8, 31, 12, tzinfo=UTC)
    rows = [
        *given_at("import"),
        ConsentRow("all", False, "reply", at + 200 * DAY),
        ConsentRow("all", True, "reply", at + 201 * DAY),
    ]
    assert not standing(rows, at + 202 * DAY, HERE).live


@given(st.text(), st.text(max_size=120))
def test_words_have_the_operators_version_or_their_own_hash(words: str, named: str) -> None:
    version = wording_version(words, named)
    assert len(version) <= 100
    if named:
        assert version == named[:100]
    else:
        assert bool(version) is bool(words)
        assert version == wording_version(words)
