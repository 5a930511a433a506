"""Whom lists name, who has a new number, and what is too old: as the gate weighs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from connector.clock import instant
from connector.errors import Deferred, Fault, Refused
from connector.ledger import alarms, numbers
from connector.messages import LookedUp
from connector.model import Json, Subject
from connector.records import Writeback, Written
from connector.rules.ages import Ages, NumberChecks
from connector.rules.lists import Entries, Listed, Lists, Reading, SuppressionList
from connector.rules.plays import Role
from connector.rules.policy import Policy, Suppression
from connector.steps import eligible
from connector.steps.faultlog import FaultLog
from connector.steps.refresh import LOOKUPS, refresh
from tests.crms.quiet import QuietCrm
from tests.steps.build import (
    ANN,
    DAY,
    HOUR,
    MINUTE,
    OTHER,
    PHONE,
    WELCOME,
    Carrier,
    Shop,
    open_hours,
    when,
)


@dataclass
class Records(QuietCrm):
    """A CRM elsewhere: facts by user, or an outage."""

    name: str = "local"
    known: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    asked: list[Subject] = field(default_factory=list)
    down: bool = False

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        self.asked += subjects
        if self.down:
            raise TimeoutError
        return [self.known.get(subject.user_id) for subject in subjects]

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        return [Written(change.id, ok=True) for change in changes]


@dataclass
class Looking(Carrier):
    """A provider that also looks numbers up."""

    told: dict[str, LookedUp | Exception] = field(default_factory=dict)
    looked: list[tuple[str, object]] = field(default_factory=list)

    def lookup(self, e164: str, owner_since: object = None) -> LookedUp:
        self.looked.append((e164, owner_since))
        answer = self.told.get(e164, LookedUp("mobile"))
        if isinstance(answer, Exception):
            raise answer
        return answer


CASE = Suppression(
    "open case",
    when("crm.has_open_case | default(false)"),
    "a case is open",
    crm=frozenset({"crm.has_open_case"}),
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    shops: list[Shop] = []

    def make(policy: Policy | None = None, **changes: Any) -> Shop:
        changes.setdefault("crms", {"local": Records()})
        shop = Shop(tmp_path, WELCOME, policy=policy, **changes)
        shops.append(shop)
        return shop

    yield make
    for shop in shops:
        shop.close()


def policy(**changes: Any) -> Policy:
    return replace(Policy("p1", suppressions=(CASE,)), **changes)


def looking(shop: Shop) -> Looking:
    made = Looking()
    shop.carrier = made
    shop.rt.providers = {"carrier": made}
    return made


def records(shop: Shop) -> Records:
    found = shop.rt.crms["local"]
    assert isinstance(found, Records)
    return found


def signed_up(shop: Shop, subject: Subject = ANN) -> str:
    if not shop.live(subject.phone).live:
        shop.consent(phone=subject.phone)
    return shop.tell("signed_up", subject)


def listed(*entries: Listed, fault: str = "", purposes: tuple[str, ...] = ("marketing",)) -> Lists:
    faults = (Fault("a.csv", 3, "", fault),) if fault else ()
    each = SuppressionList("a.csv", "d", lambda: Reading(Entries(entries), faults))
    return Lists((each,), purposes)


def to_the_end(shop: Shop) -> None:
    """Decide about the only text each time it is due, until it ends."""
    for _ in range(200):
        [send] = shop.sends()
        if send["state"] != "planned":
            return
        shop.clock.at = max(shop.clock.at, instant(send["due_at"]))
        shop.go()
        refresh(shop.rt)
    raise AssertionError("it never ended")


def standing(shop: Shop) -> list[str]:
    with shop.store.read() as tx:
        return [row["kind"] for row in alarms.open_(tx)]


# -- lists -------------------------------------------------------------------------------------


def test_whoever_a_list_names_gets_no_marketing_and_is_told_why(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy(lists=listed(Listed(PHONE, "asked by phone"))))
    signed_up(shop)
    assert shop.go() == 0
    assert shop.decisions("plan") == [("stop", "on_list")]
    [row] = shop.rows("SELECT objections FROM decisions WHERE moment = 'plan'")
    assert "a.csv: asked by phone" in row["objections"]


@pytest.mark.parametrize("named", [OTHER, "ann@work.example", "@work.example", "ann@home.example"])
def test_a_list_names_a_person_by_any_number_or_address_they_bear(
    opened: Callable[..., Shop], named: str
) -> None:
    shop = opened(policy(lists=listed(Listed(named, "lawsuit"))))
    shop.tell("seen", Subject(user_id="ann", phone=OTHER, email="ann@work.example"))
    shop.tick(MINUTE)
    shop.tell("seen", Subject(user_id="ann", email="ann@home.example"))
    signed_up(shop)
    assert shop.go() == 0
    assert shop.decisions("plan") == [("stop", "on_list")]


def test_a_list_with_a_fault_holds_marketing_and_lets_it_go_when_it_is_mended(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy(lists=listed(fault="names nobody")))
    assert eligible.read_lists(shop.rt) == 1
    signed_up(shop)
    assert shop.go() == 0
    assert shop.decisions("plan") == [("wait", "list_unreadable")]
    shop.rt.book = replace(shop.rt.book, policy=policy(lists=listed(Listed(OTHER))))
    assert shop.go(16 * MINUTE) == 1


def test_a_list_that_is_never_mended_stops_marketing_as_it_expires(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy(lists=listed(fault="names nobody")))
    signed_up(shop)
    shop.go()
    to_the_end(shop)
    assert shop.carrier.sent == []
    assert shop.decisions("send")[-1] == ("stop", "list_unreadable")


def test_a_number_suppressed_by_hand_gets_nothing_until_the_hand_lets_it_go(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy())
    with shop.store.write() as tx:
        numbers.suppress(tx, PHONE, "court order", "all", shop.clock())
    signed_up(shop)
    assert shop.go() == 0
    assert shop.decisions("plan") == [("stop", "on_list")]
    with shop.store.write() as tx:
        numbers.suppress(tx, PHONE, "", "", None)
    assert shop.number()["suppressed_scope"] == ""
    shop.tell("signed_up", ANN, key="again")
    assert shop.go() == 1


# -- reassigned numbers ------------------------------------------------------------------------


def test_consent_of_before_a_number_changed_hands_counts_as_none(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy())
    shop.consent()
    shop.tick(DAY)
    with shop.store.write() as tx:
        assert numbers.reassign(tx, PHONE, shop.clock())
        assert not numbers.reassign(tx, PHONE, shop.clock() - DAY)
    shop.tell("signed_up", ANN)
    assert shop.go() == 0
    assert shop.decisions("plan") == [("stop", "reassigned")]


def test_of_two_numbers_the_one_that_is_still_theirs_is_texted(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy())
    shop.consent("marketing", OTHER)
    shop.consent()
    shop.tell("seen", Subject(user_id="ann", phone=OTHER))
    shop.tick(DAY)
    shop.tell("signed_up", ANN)
    with shop.store.write() as tx:
        numbers.reassign(tx, PHONE, shop.clock())
    assert shop.go() == 1
    assert [message.to for message in shop.carrier.sent] == [OTHER]


def test_a_consent_that_the_new_owner_gives_counts(opened: Callable[..., Shop]) -> None:
    shop = opened(policy())
    shop.consent()
    with shop.store.write() as tx:
        numbers.reassign(tx, PHONE, shop.clock() + MINUTE)
    shop.tick(HOUR)
    shop.consent(method="paper")
    shop.tell("signed_up", ANN)
    assert shop.go() == 1


def test_a_consent_of_the_new_owner_counts_where_a_stop_of_before_was_lifted(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy())
    shop.consent()
    shop.reply("STOP")
    shop.tick(MINUTE)
    shop.reply("START")
    shop.tick(DAY)
    with shop.store.write() as tx:
        numbers.reassign(tx, PHONE, shop.clock())
    shop.tick(HOUR)
    shop.consent(method="paper")
    shop.tell("signed_up", ANN)
    shop.go()
    assert shop.carrier.sent[-1].text == "Corner Shop: welcome"


def test_what_the_new_owner_agreed_to_is_no_leave_to_text_who_bore_the_number_before(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy())
    shop.tell("seen", ANN)
    shop.tick(DAY)
    with shop.store.write() as tx:
        numbers.reassign(tx, PHONE, shop.clock())
    shop.tick(DAY)
    bob = Subject(user_id="bob", phone=PHONE)
    shop.tell("seen", bob)
    shop.consent()
    shop.tell("signed_up", ANN)
    assert shop.go() == 0
    assert shop.decisions("plan") == [("stop", "reassigned")]
    shop.tell("signed_up", bob)
    assert shop.go() == 1


def test_who_bore_the_number_before_is_texted_at_another_one_of_theirs(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy())
    shop.tell("seen", Subject(user_id="ann", phone=OTHER))
    shop.consent(phone=OTHER)
    shop.tell("seen", ANN)
    with shop.store.write() as tx:
        numbers.reassign(tx, PHONE, shop.clock())
    shop.tick(DAY)
    shop.tell("seen", Subject(user_id="bob", phone=PHONE))
    shop.consent()
    shop.tell("signed_up", Subject(user_id="ann"))
    assert shop.go() == 1
    assert [message.to for message in shop.carrier.sent] == [OTHER]


def test_a_stop_of_the_owner_before_stands_for_the_new_one(opened: Callable[..., Shop]) -> None:
    shop = opened(policy())
    shop.consent()
    shop.reply("STOP")
    shop.tick(DAY)
    with shop.store.write() as tx:
        numbers.reassign(tx, PHONE, shop.clock())
    shop.consent(method="paper")
    shop.tell("signed_up", ANN)
    shop.go()
    assert not [sent for sent in shop.carrier.sent if "welcome" in sent.text]


# -- the age of what the CRM told --------------------------------------------------------------


def test_what_the_crm_was_never_asked_holds_a_text_until_it_was_asked(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy(ages=Ages(24 * HOUR)))
    signed_up(shop)
    assert shop.go() == 0
    assert shop.decisions("send") == [("wait", "facts_old")]
    assert refresh(shop.rt) == 1
    assert records(shop).asked == [Subject(user_id="ann", phone=PHONE)]
    assert shop.go() == 1


def test_a_case_that_was_opened_since_keeps_the_text_back(opened: Callable[..., Shop]) -> None:
    shop = opened(policy(ages=Ages(None, {"has_open_case": HOUR})))
    contact = signed_up(shop)
    shop.learn_crm(contact, has_open_case=False)
    shop.tick(2 * HOUR)
    records(shop).known["ann"] = {"has_open_case": True}
    shop.go()
    assert shop.decisions("send") == [("wait", "facts_old")]
    refresh(shop.rt)
    shop.go()
    assert shop.decisions("send")[-1] == ("stop", "suppressed")
    assert shop.carrier.sent == []


def test_facts_that_are_young_enough_are_not_asked_for_again(opened: Callable[..., Shop]) -> None:
    shop = opened(policy(ages=Ages(HOUR)))
    contact = signed_up(shop)
    shop.learn_crm(contact, has_open_case=False)
    assert shop.go(59 * MINUTE) == 1
    assert refresh(shop.rt) == 0
    assert records(shop).asked == []


def test_a_text_that_reads_nothing_of_the_crm_waits_for_nothing(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(Policy("p1", ages=Ages(HOUR)))
    signed_up(shop)
    assert shop.go() == 1


def test_a_play_that_reads_the_crm_asks_for_it_where_no_rule_does(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(Policy("p1", ages=Ages(HOUR)))
    shop.rt.plays = {"welcome": replace(WELCOME, crm=frozenset({"crm.owner"}))}
    shop.rt.index()
    signed_up(shop)
    shop.go()
    assert shop.decisions("send") == [("wait", "facts_old")]


def test_a_rule_for_other_roles_makes_no_text_wait(opened: Callable[..., Shop]) -> None:
    other = replace(CASE, roles=(Role.acquisition.value,))
    shop = opened(Policy("p1", suppressions=(other,), ages=Ages(HOUR)))
    signed_up(shop)
    assert shop.go() == 1


def test_a_crm_that_cannot_be_asked_alarms_at_once_and_the_text_waits_until_it_expires(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy(ages=Ages(HOUR)))
    records(shop).down = True
    signed_up(shop)
    shop.go()
    assert refresh(shop.rt) == 0
    assert standing(shop) == ["crm_not_asked"]
    to_the_end(shop)
    assert shop.carrier.sent == []
    assert shop.decisions("send")[-1] == ("stop", "facts_old")
    shop.tick(2 * HOUR)
    refresh(shop.rt)
    assert shop.rows("SELECT * FROM refreshes") == []  # and names nobody any more


def test_a_crm_that_answers_again_ends_the_alarm_and_the_wait(opened: Callable[..., Shop]) -> None:
    shop = opened(policy(ages=Ages(HOUR)))
    records(shop).down = True
    signed_up(shop)
    shop.go()
    refresh(shop.rt)
    records(shop).down = False
    shop.go(10 * MINUTE)
    assert refresh(shop.rt) == 1
    assert standing(shop) == []
    assert shop.go() == 1


def test_the_answer_is_kept_also_where_it_is_as_before(opened: Callable[..., Shop]) -> None:
    shop = opened(policy(ages=Ages(HOUR)))
    contact = signed_up(shop)
    shop.learn_crm(contact, has_open_case=False)
    records(shop).known["ann"] = {"has_open_case": False}
    shop.go(2 * HOUR)
    refresh(shop.rt)
    assert len(shop.rows("SELECT * FROM crm_changes")) == 2


# -- looking numbers up ------------------------------------------------------------------------


def checks(ages: Ages | None = None, **changes: Any) -> Policy:
    return policy(numbers=NumberChecks(check_every=90 * DAY, **changes), ages=ages or Ages())


def test_a_number_is_looked_up_before_its_first_text_and_not_again_for_a_while(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(checks())
    provider = looking(shop)
    signed_up(shop)
    assert shop.go() == 0
    assert shop.decisions("send") == [("wait", "number_unchecked")]
    assert refresh(shop.rt) == 1
    assert shop.go() == 1
    shop.tick(89 * DAY)
    shop.tell("signed_up", ANN, key="again")
    assert shop.go() == 1
    assert provider.looked == [(PHONE, None)]
    shop.tick(2 * DAY)
    shop.tell("signed_up", ANN, key="later")
    assert shop.go() == 0
    refresh(shop.rt)
    assert len(provider.looked) == 2


def test_a_number_that_turns_out_to_be_a_landline_is_not_texted(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(checks())
    looking(shop).told[PHONE] = LookedUp("fixed_line")
    signed_up(shop)
    shop.go()
    refresh(shop.rt)
    assert shop.go() == 0
    assert shop.decisions("send")[-1] == ("stop", "no_mobile")


def test_a_number_with_a_new_owner_loses_its_consents(opened: Callable[..., Shop]) -> None:
    shop = opened(checks(reassigned=True))
    provider = looking(shop)
    provider.told[PHONE] = LookedUp("mobile", reassigned=True)
    signed_up(shop)
    shop.go(MINUTE)
    refresh(shop.rt)
    assert shop.go() == 0
    assert shop.decisions("send")[-1] == ("stop", "reassigned")
    assert provider.looked == [(PHONE, shop.clock().date())]


def test_a_new_owner_that_a_look_up_tells_of_is_told_to_the_crm(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(checks(reassigned=True))
    looking(shop).told[PHONE] = LookedUp("mobile", reassigned=True)
    signed_up(shop)
    shop.go(MINUTE)
    shop.rt.crm = "local"
    assert shop.rows("SELECT 1 FROM writebacks") == []
    refresh(shop.rt)
    assert [row["kind"] for row in shop.rows("SELECT kind FROM writebacks")] == ["fields"]


def test_a_look_up_that_cannot_tell_the_kind_of_a_number_takes_nothing_away(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy())
    for kind in ("mobile", ""):
        with shop.store.write() as tx:
            about = (tx, shop.rt.new_id("lkp"), PHONE, "carrier", shop.clock())
            numbers.looked_up(*about, kind=kind, reassigned="")
    assert shop.number()["type"] == "mobile"


@pytest.mark.parametrize("error", [Deferred("later"), Refused("never"), TimeoutError()])
def test_a_number_that_cannot_be_looked_up_is_not_texted_and_an_alarm_says_so(
    opened: Callable[..., Shop], error: Exception
) -> None:
    shop = opened(checks())
    looking(shop).told[PHONE] = error
    signed_up(shop)
    shop.go()
    refresh(shop.rt)
    assert standing(shop) == ["number_not_checked"]
    to_the_end(shop)
    assert shop.carrier.sent == []
    assert shop.decisions("send")[-1] == ("stop", "number_unchecked")


def test_where_the_provider_in_use_looks_no_number_up_another_that_is_here_does(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(checks())
    other, sandbox = Looking("other"), Looking("sandbox")
    shop.rt.providers = {"carrier": shop.carrier, "sandbox": sandbox, "other": other}
    signed_up(shop)
    shop.go()
    assert refresh(shop.rt) == 1
    assert shop.go() == 1
    assert (other.looked, sandbox.looked) == ([(PHONE, None)], [])
    assert [row["provider"] for row in shop.rows("SELECT provider FROM lookups")] == ["other"]


def test_no_more_look_ups_are_made_than_a_day_may_have(opened: Callable[..., Shop]) -> None:
    shop = opened(checks(per_day=2))
    provider = looking(shop)
    for place in range(4):
        signed_up(shop, Subject(user_id=f"u{place}", phone=f"+1212555012{place}"))
    shop.go()
    while refresh(shop.rt):
        pass
    assert len(provider.looked) == 2
    assert standing(shop) == ["lookups_spent"]
    shop.go(23 * HOUR)
    assert refresh(shop.rt) == 0
    shop.tick(2 * HOUR)
    assert len(shop.carrier.sent) == 2


def test_a_round_looks_up_a_few_numbers_only(opened: Callable[..., Shop]) -> None:
    shop = opened(checks())
    provider = looking(shop)
    for place in range(LOOKUPS + 3):
        signed_up(shop, Subject(user_id=f"u{place}", phone=f"+121255501{place:02}"))
    shop.go()
    shop.go()
    assert refresh(shop.rt) == len(provider.looked) == LOOKUPS


def test_nothing_is_looked_up_for_a_text_that_leaves_nobody(opened: Callable[..., Shop]) -> None:
    shop = opened(checks())
    provider = looking(shop)
    shop.rt.plays = {"welcome": replace(WELCOME, holdout=1.0)}
    shop.rt.index()
    signed_up(shop)
    shop.go()
    refresh(shop.rt)
    assert provider.looked == []


def test_a_text_that_ended_meanwhile_is_asked_for_no_more(opened: Callable[..., Shop]) -> None:
    shop = opened(checks())
    provider = looking(shop)
    signed_up(shop)
    shop.go()
    with shop.store.write() as tx:
        tx.run("UPDATE sends SET state = 'cancelled'")
    refresh(shop.rt)
    assert provider.looked == []
    assert shop.rows("SELECT * FROM refreshes") == []


def test_what_only_waits_for_the_morning_is_not_asked_for_in_the_night(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(checks(ages=Ages(HOUR)), hours=open_hours((0, 13 * 60)))
    provider = looking(shop)
    signed_up(shop)
    shop.walk()  # planned at noon, and only seen again at ten in the evening
    shop.tick(10 * HOUR)
    shop.dispatch()
    reasons = shop.rows("SELECT objections FROM decisions WHERE moment = 'send'")[0]["objections"]
    assert "number_unchecked" in reasons
    assert "facts_old" in reasons
    assert refresh(shop.rt) == 0
    assert (provider.looked, records(shop).asked) == ([], [])


# -- checks that cannot be made ----------------------------------------------------------------


def test_a_rule_that_cannot_be_asked_alarms_at_once_and_stops_the_text_as_it_expires(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(policy(suppressions=(replace(CASE, when=when("crm.has_open_case")),)))
    faults = FaultLog()
    log = logging.getLogger("connector")
    log.addHandler(faults)
    try:
        signed_up(shop)
        shop.go()
    finally:
        log.removeHandler(faults)
    assert {(fault.kind, fault.about) for fault in faults.take()} == {
        ("decide_failed", "check=suppressed")
    }
    assert shop.decisions("plan") == [("wait", "fact_missing")]
    to_the_end(shop)
    assert shop.carrier.sent == []
    assert shop.decisions("send")[-1] == ("stop", "fact_missing")


def test_a_fact_that_the_crm_tells_meanwhile_lets_the_text_go(opened: Callable[..., Shop]) -> None:
    shop = opened(policy(suppressions=(replace(CASE, when=when("crm.has_open_case")),)))
    contact = signed_up(shop)
    shop.go()
    shop.learn_crm(contact, has_open_case=False)
    assert shop.go(16 * MINUTE) == 1
