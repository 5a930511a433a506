"""What a decision keeps is all that the rules weigh, and holds no number and no text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.clock import text
from connector.errors import ExpressionFailed
from connector.expressions import compile_expression
from connector.model import Contact, Decision, Purpose, Said, Verdict
from connector.rules import hours as opening
from connector.rules.places import Address
from connector.rules.policy import Cap, Facts, Policy, Rulebook, Suppression, decide
from connector.rules.policy.kept import NOT_KEPT, rebuilt
from connector.rules.policy.limits import Budget, Fatigue, Pot, Rival, Sender
from connector.steps.keeping import kept
from tests.rules.test_policy import DAY, HOUR, MINUTE, NOW, facts, hours, row

NUMBERS = ("", "+12125550123", "+18085550123", "+17865550123", "+491701234567", "+447700900123")
PURPOSES = tuple(Purpose)
OPENS = hours(
    row("US", (8 * 60, 21 * 60)),
    row("US-NY", (9 * 60, 20 * 60), max_24h=2),
    row("US-FL", (8 * 60, 20 * 60), max_24h=1),
    row("DE", (9 * 60, 20 * 60)),
)
WHENS = {
    "of the CRM": "crm.is_customer | default(false)",
    "of a trait": "contact.age > 70",
    "of the number": "contact.phone.startswith('+1212')",
    "of an address": "(contact.email | default('')).endswith('@rival.example')",
    "of a number elsewhere": "signal.caller | default('') == contact.country | default('x')",
    "of words": "'lawyer' in (signal.text | default(''))",
    "of the play": "play.regulated != '' and play.purpose == 'marketing'",
    "of the past": "did('order_completed', within='30d') or count('visited', within='7d') > 2",
    "of a segment": "in_segment('vip')",
    "of time": "days_since(contact.since) > 30",
    "of a brand": "brand == 'Corner'",
}


def rule(name: str, verdict: Verdict = Verdict.stop) -> Suppression:
    when = compile_expression(WHENS[name], strict=True)
    return Suppression(name, when, f"is {name}", verdict, ("marketing", "service"))


def policy(*names: str, **changes: Any) -> Policy:
    return Policy(
        version="p1",
        suppressions=tuple(rule(name) for name in names),
        **{
            "caps": (
                Cap("marketing a day", Purpose.marketing, 2, DAY),
                Cap("of a play", Purpose.marketing, 1, 2 * DAY, "*"),
                Cap("with mail", Purpose.marketing, 3, 7 * DAY, channels=("sms", "email")),
                Cap("service", Purpose.service, 2, DAY),
            ),
            "gap": 4 * HOUR,
            "fatigue": Fatigue(2, 14 * DAY, 4),
            "inactive_after": 365 * DAY,
            "budget": Budget(day_segments=10, month_micros=5_000_000),
            "senders": (Sender("*", day_segments=20),),
            **changes,
        },
    )


class Past:
    """A history and what it answered, as the ledger's has it."""

    def __init__(self, bought: datetime | None, visits: int, vip: bool | None) -> None:
        self.bought, self.visits, self.vip = bought, visits, vip
        self.counts: dict[str, int] = {}
        self.asked: dict[str, str | None] = {}

    def count(self, name: str, within: timedelta | None, enough: int = 0) -> int:
        if enough == 1:
            self.asked[name] = text(self.bought) if self.bought else None
            return int(self.bought is not None and (within is None or self.bought > NOW - within))
        self.counts[f"{name} {int(within.total_seconds()) if within else 0}"] = self.visits
        return self.visits

    def in_segment(self, name: str) -> bool:
        if self.vip is None:
            raise ExpressionFailed("segment vip: contact.x has no value", "fact_missing")
        return self.vip

    def answered(self, signals: frozenset[str], segments: frozenset[str]) -> dict[str, Any]:
        said: Any = self.vip
        if self.vip is None:
            said = ["fact_missing", "segment vip: contact.x has no value"]
        found: dict[str, Any] = {"counts": self.counts, "last": self.asked}
        return {**found, **({"segments": {"vip": said}} if segments else {})}


def again(seen: Facts, book: Rulebook, now: datetime = NOW) -> tuple[dict[str, Any], Decision]:
    """What is stored of facts, and what the rules say of what is made of that."""
    stored = orjson.dumps(kept(seen, book.policy), option=orjson.OPT_SORT_KEYS, default=str)
    body = orjson.loads(stored)
    remade = rebuilt(body, book, now)
    return body, decide(remade.facts, remade.book, now)


# -- whatever the facts ------------------------------------------------------------------------

instants = st.integers(-60 * 24 * 400, 60 * 24 * 60).map(lambda minutes: NOW + minutes * MINUTE)
lately = st.integers(0, 60 * 24 * 8).map(lambda minutes: NOW - minutes * MINUTE)
saids = st.lists(
    st.builds(
        Said,
        lately,
        st.sampled_from(PURPOSES),
        st.sampled_from(("cart", "quote", "")),
        st.just("k"),
        st.just("s"),
        st.sampled_from(("sms", "sms", "email")),
    ),
    max_size=4,
).map(tuple)
words = st.sampled_from(("", "", "", "a reason"))
contacts = st.builds(
    Contact,
    st.just("con_1"),
    phone=st.sampled_from(NUMBERS),
    email=st.sampled_from(("", "ann@rival.example")),
    stage=st.sampled_from(("", "lead", "customer")),
    timezone=st.sampled_from(("", "America/New_York", "Pacific/Honolulu", "nonsense")),
    country=st.sampled_from(("", "US", "DE", "FR")),
    region=st.sampled_from(("", "NY", "FL", "??")),
    postal=st.sampled_from(("", "10001", "33101")),
)


@st.composite
def contexts(draw: st.DrawFn, who: Contact) -> dict[str, Any]:
    """What expressions may read, as ``steps/contexts`` lays it out."""
    known: dict[str, Any] = {
        "phone": who.phone,
        "email": who.email,
        "country": who.country,
        "age": draw(st.sampled_from((None, 20, 80))),
        "since": draw(st.sampled_from((None, "2026-11-01", "2025-01-01T10:00:00Z"))),
    }
    caller = draw(st.sampled_from(("", who.phone, who.country)))
    told = draw(st.sampled_from(("", "hello", "my lawyer will call")))
    past = Past(
        draw(st.none() | lately),
        draw(st.integers(0, 4)),
        draw(st.sampled_from((True, False, None))),
    )
    signal = {"name": draw(st.sampled_from(("reply", "quoted"))), "key": "k", "caller": caller}
    return {
        "contact": {name: value for name, value in known.items() if value},
        "signal": {**signal, **({"text": told} if told else {})},
        "crm": draw(st.sampled_from(({}, {"is_customer": True}, {"is_customer": None}))),
        "play": {
            "name": "cart",
            "role": "conversion",
            "purpose": draw(st.sampled_from(("marketing", "service"))),
            "regulated": draw(st.sampled_from(("", "alcohol"))),
        },
        "brand": draw(st.sampled_from(("Corner", ""))),
        "history": past,
        "now": text(NOW),
    }


@st.composite
def anything(draw: st.DrawFn) -> Facts:
    """Facts of any text."""
    who = draw(contacts)
    of = {
        "contact": st.just(who),
        "purpose": st.sampled_from(PURPOSES),
        "scopes": st.sampled_from(((), ("cart_reminders",))),
        "expires_at": st.integers(-60, 60 * 48).map(lambda minutes: NOW + minutes * MINUTE),
        "number_type": st.sampled_from(("mobile", "voip", "fixed_line", "invalid", "")),
        "blocked": st.sampled_from(("", "", "reply", "provider")),
        "blocked_scope": st.sampled_from(("all", "marketing")),
        "consents": st.frozensets(st.sampled_from(("marketing", "service", "cart_reminders"))),
        **dict.fromkeys(("said", "said_to_number", "touched"), saids),
        **dict.fromkeys(("texts_for_key", "texts_for_cart"), st.integers(0, 2)),
        "context": contexts(who),
        "addresses": st.sampled_from(((), (Address("shipping", "US", "FL"),))),
        "stages": st.sampled_from(((), ("lead",))),
        "max_texts_per_key": st.sampled_from((None, 0, 1)),
        "asks": st.booleans(),
        **dict.fromkeys(("cart_at", "alive_at", "unanswered_at"), st.none() | instants),
        "talking_until": st.none() | instants,
        "unanswered": st.integers(0, 5),
        **dict.fromkeys(
            (
                *("text_fault", "hold", "paused", "clock_off", "busy_with", "not_valid"),
                *("unheard",),
                *("too_long", "template_paused", "reassigned", "on_list", "list_fault"),
                *("facts_old", "number_unchecked"),
            ),
            words,
        ),
        "rivals": st.sampled_from(((), (Rival(NOW + HOUR, "quote", 60),))),
        "segments": st.integers(0, 3),
        "cost_micros": st.sampled_from((0, 7_900)),
        "sender": st.sampled_from(("", "+12125550199")),
        "pots": st.sampled_from(
            (
                (),
                (Pot("budget:2026-11-17", NOW + 7 * HOUR, 9, 0),),
                (Pot("budget:2026-11", NOW + DAY, 0, 4_999_000), Pot("carrier:*:x", NOW, 19, 0)),
            )
        ),
    }
    return facts(**{name: draw(values) for name, values in of.items()})


@settings(max_examples=400, deadline=None)
@given(seen=anything(), names=st.sets(st.sampled_from(sorted(WHENS))), when=st.integers(0, 23))
def test_what_is_kept_leads_the_rules_to_the_same_decision_whatever_the_facts(
    seen: Facts, names: set[str], when: int
) -> None:
    book = Rulebook(policy(*sorted(names)), OPENS)
    seen = replace(seen, due_at=NOW - when * HOUR, text="Hello")
    then = decide(seen, book, NOW)
    body, now = again(seen, book)
    assert (now.verdict, now.until, now.policy_version) == (then.verdict, then.until, "p1+h1")
    assert now.objections == then.objections
    if seen.contact.phone:
        assert seen.contact.phone not in orjson.dumps(body).decode()


@settings(max_examples=100, deadline=None)
@given(seen=anything())
def test_the_same_facts_are_stored_once_however_long_the_text_waits(seen: Facts) -> None:
    rules = policy("of the CRM", "of an address")
    later = replace(
        seen, due_at=seen.due_at + DAY, context={**seen.context, "now": text(NOW + DAY)}
    )
    assert kept(later, rules) == kept(seen, rules)


# -- every field -------------------------------------------------------------------------------

#: A value of each field that no text usually has.
UNUSUAL: Mapping[str, Any] = {
    "purpose": Purpose.service,
    "scopes": ("a", "b"),
    "expires_at": NOW + timedelta(minutes=7, microseconds=1),
    "consents": frozenset({"x"}),
    "said": (Said(NOW, Purpose.service, "other", "", "", "email"),),
    "said_to_number": (Said(NOW, Purpose.marketing, "other", "", ""),),
    "touched": (Said(NOW, Purpose.marketing, "", "", "", "call"),),
    "addresses": (Address("shipping", "US", "FL", "33101"),),
    "stages": ("x",),
    "max_texts_per_key": 0,
    "rivals": (Rival(NOW, "quote", 60),),
    "pots": (Pot("budget:2026-11", NOW, 3, 4),),
    "asks": True,
    **dict.fromkeys(("cart_at", "talking_until", "unanswered_at", "alive_at"), NOW + MINUTE),
    **dict.fromkeys(("texts_for_key", "texts_for_cart", "unanswered", "segments"), 7),
    "cost_micros": 7,
}
OTHERWISE = ("contact", "context", "sign")  #: kept in other forms, each tested below


@pytest.mark.parametrize("name", [each.name for each in fields(Facts)])
def test_every_fact_is_kept_or_listed_with_why_it_has_no_bearing(name: str) -> None:
    if name in NOT_KEPT:
        assert len(NOT_KEPT[name]) > 20
        return
    if name in OTHERWISE:
        return
    value = UNUSUAL.get(name, "something")
    seen = facts(**{name: value})
    body = orjson.loads(orjson.dumps(kept(seen, policy())))
    assert getattr(rebuilt(body, Rulebook(policy(), OPENS), NOW).facts, name) == value


@pytest.mark.parametrize("number", [number for number in NUMBERS if number])
def test_a_number_is_kept_by_where_it_is_from_and_leads_to_the_same_places(number: str) -> None:
    who = Contact("con_1", phone=number, stage="lead", region="NY", timezone="America/Denver")
    seen = facts(contact=who)
    remade = rebuilt(
        orjson.loads(orjson.dumps(kept(seen, policy()))), Rulebook(policy(), OPENS), NOW
    )
    found = remade.facts
    assert found.contact.phone and number not in str(found)
    assert opening.places(found.contact, found.sign or "") == opening.places(who, number)
    assert (found.contact.stage, found.contact.timezone) == ("lead", "America/Denver")


def test_only_what_the_rules_read_of_a_person_is_kept() -> None:
    person = {"age": 80, "first_name": "Ann", "email": "ann@rival.example"}
    seen = facts(context={"contact": person, "signal": {}, "crm": {}})
    assert "read" not in kept(seen, policy("of the CRM"))
    assert kept(seen, policy("of a trait"))["read"] == {"contact": {"age": 80}}


def test_a_persons_own_words_are_not_kept_and_the_rule_that_read_them_is_answered() -> None:
    signal = {"name": "reply", "key": "", "text": "my lawyer will call"}
    seen = facts(context={"contact": {}, "signal": signal, "crm": {}})
    book = Rulebook(policy("of words"), OPENS)
    body, decision = again(seen, book)
    assert b"lawyer" not in orjson.dumps(body)
    assert body["answers"] == {"of words": True}
    assert decision.reason == "suppressed"


def test_what_nobody_asked_of_the_past_is_not_made_up() -> None:
    book = Rulebook(policy("of the past"), OPENS)
    body = kept(facts(context={"contact": {}, "signal": {}, "crm": {}}), book.policy)
    remade = rebuilt({**body, "history": {}}, book, NOW)
    assert decide(remade.facts, remade.book, NOW).reason == "check_failed"


def test_numbers_that_a_crm_tells_are_masked_and_the_rules_that_read_them_answered() -> None:
    told = {"mobilephone": "(212) 555-0123", "other": "+12125550199", "since": "2026-11-01"}
    when = compile_expression("crm.other.startswith('+1212')", strict=True)
    other = Suppression("other", when, "of there")
    book = Rulebook(replace(policy(), suppressions=(other,)), OPENS)
    body, decision = again(facts(context={"contact": {}, "signal": {}, "crm": told}), book)
    assert not {"(212) 555-0123", "+12125550199"} & set(body["crm"].values())
    assert body["crm"]["since"] == "2026-11-01"
    assert body["answers"] == {"other": True}
    assert decision.reason == "suppressed"


@pytest.mark.parametrize("regulated", ["", "alcohol"])
@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_what_the_rules_read_of_the_play_is_kept(regulated: str, purpose: str) -> None:
    play = {"name": "cart", "role": "conversion", "purpose": purpose, "regulated": regulated}
    book = Rulebook(policy("of the play"), OPENS)
    seen = facts(context={"contact": {}, "signal": {}, "crm": {}, "play": play})
    is_held = regulated == "alcohol" and purpose == "marketing"
    assert again(seen, book)[1].objections == decide(seen, book, NOW).objections
    assert again(seen, book)[1].reason == ("suppressed" if is_held else "")
