"""Mapping: samples of what trackers and shops send, and what each of them comes to mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.sources import load_source
from connector.errors import ExpressionFailed, Fault, Unreadable
from connector.expressions import compile_all, compile_expression
from connector.model import Capture, ConsentGiven, Event, Signal, Subject, Trust
from connector.rules.locate import locate
from connector.rules.mapping import ConsentRule, EventRule, SourceMapping, Unmapped, apply

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples"
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
TOPIC = "x-shopify-topic"


def shipped(name: str) -> SourceMapping:
    faults: list[Fault] = []
    mapping = load_source(ROOT / "mappings" / "sources" / f"{name}.toml", faults)
    assert faults == []
    return mapping


SEGMENT, SHOPIFY, STANDARD = shipped("segment"), shipped("shopify"), shipped("standard")


def sample(name: str, **changes: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return payload | changes


def segment_event(payload: Mapping[str, Any]) -> Event:
    name = payload.get("event") or payload.get("name") or ""
    kind = str(payload.get("type"))
    return Event("evt_1", "site", str(payload.get("messageId")), kind, str(name), AT, AT, payload)


def segment(payload: Mapping[str, Any], trust: Trust = Trust.trusted, region: str = "US") -> Signal:
    signal = apply(SEGMENT, segment_event(payload), trust, region)
    assert isinstance(signal, Signal), signal
    return signal


def webhook(mapping: SourceMapping, body: Any, **headers: str) -> Event:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    (one,) = locate(mapping, body, names)
    payload = {"name": one.name, "item": one.item, "headers": names}
    return Event("evt_1", "shop", one.id, "webhook", one.name, AT, AT, payload)


def shop(body: Any, topic: str) -> Signal:
    event = webhook(SHOPIFY, body, x_shopify_topic=topic, x_shopify_event_id="e-1")
    signal = apply(SHOPIFY, event, Trust.trusted, "US")
    assert isinstance(signal, Signal), signal
    return signal


def rule(signal: str = "seen", **options: Any) -> EventRule:
    sources = {"subject.user_id": "userId", **options.pop("values", {})}
    defaults: dict[str, Any] = {"place": 0, "names": frozenset({"seen"}), "type": ""}
    values = compile_all(sources, strict=False)
    return EventRule(**{**defaults, **options}, signal=signal, values=values)


def only(*rules: EventRule) -> SourceMapping:
    return SourceMapping("test", "v1", "segment", events=rules)


def seen(**payload: Any) -> Event:
    return segment_event({"type": "track", "event": "Seen", "userId": "u-1", **payload})


# Segment and RudderStack


def test_a_started_checkout_is_a_changed_cart() -> None:
    signal = segment(sample("segment_checkout_started"))
    assert signal.name == "cart_updated"
    assert signal.key == "c-830e"
    assert signal.subject == Subject("u-7", "a-1", "+33612345678")
    assert signal.facts == {
        "cart_id": "c-830e",
        "value": 42.5,
        "currency": "EUR",
        "product": "Mug",
        "quantity": 1,
        "cart_url": "https://shop.corner.example/cart?id=c-830e",
    }
    assert signal.visit["campaign"] == "autumn"
    assert signal.visit["referrer"] == "https://search.example/"
    assert signal.mapping == f"segment@{SEGMENT.version}"
    assert signal.activity
    assert signal.dropped == ()


def test_an_order_is_an_outcome_with_its_exact_amount() -> None:
    signal = segment(sample("segment_order_completed"))
    assert (signal.name, signal.stage, signal.outcome) == (
        "order_completed",
        "customer",
        "converted",
    )
    assert (signal.value_micros, signal.currency) == (42_100_000, "EUR")
    assert signal.key == "50314"


def test_an_identify_tells_traits_consents_and_who_is_who() -> None:
    signal = segment(sample("segment_identify"))
    assert signal.name == "identified"
    assert signal.subject == Subject("u-7", "a-1", "+33612345678", "ann@example.org")
    assert signal.traits["timezone"] == "Europe/Paris"
    assert signal.traits["country"] == "FR"
    assert signal.merges == Subject(anonymous_id="a-1")
    evidence = {"source": "site", "event": "py-2", "name": ""}
    words = "Text me offers. Reply STOP to end."
    assert signal.consents == (
        ConsentGiven("+33612345678", "marketing", True, "web_form", words, evidence),
        ConsentGiven("+33612345678", "cart_reminders", False, "web_form", "", evidence),
    )


def test_rudderstack_says_its_traits_in_the_context() -> None:
    signal = segment(sample("rudderstack_identify"))
    assert signal.subject.email == "bob@example.org"
    assert signal.traits["first_name"] == "Bob"
    assert [(given.purpose, given.granted) for given in signal.consents] == [("marketing", False)]


def test_a_tracked_consent_keeps_where_it_was_given() -> None:
    page = {"url": "https://corner.example/join"}
    context = {"ip": "203.0.113.9", "page": page, "userAgent": "Mozilla/5.0\x00 (X)" + "y" * 600}
    [given, _] = segment({**sample("segment_identify"), "context": context}).consents
    seen = Capture("", "203.0.113.9", "https://corner.example/join", given.capture.user_agent)
    assert given.capture == seen
    assert given.capture.user_agent.startswith("Mozilla/5.0 (X)y")
    assert len(given.capture.user_agent) == 500


@pytest.mark.parametrize(
    "context", [None, [], "x", {"ip": ["1"], "page": "p", "userAgent": {"a": 1}}, {"page": [1]}]
)
def test_where_a_consent_was_given_may_be_anything_and_harms_nothing(context: Any) -> None:
    [given, _] = segment({**sample("segment_identify"), "context": context}).consents
    assert given.capture == Capture()


def test_an_identify_that_names_no_consent_says_nothing_of_it() -> None:
    signal = segment({"type": "identify", "userId": "u-7", "traits": {"phone": "+33612345678"}})
    assert signal.consents == ()


def test_an_alias_joins_two_ids() -> None:
    signal = segment({"type": "alias", "userId": "u-7", "previousId": "a-9"})
    assert signal.merges == Subject(user_id="a-9", anonymous_id="a-9")
    assert not signal.activity


def test_a_page_about_prices_is_told_from_other_pages() -> None:
    assert segment(sample("segment_page")).name == "pricing_viewed"
    home = segment(sample("segment_page", properties={"path": "/"}))
    assert (home.name, home.facts) == ("page_viewed", {"path": "/"})
    assert segment({"type": "page", "anonymousId": "a"}).name == "page_viewed"


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("Order Completed", "order_completed"),
        ("order_completed", "order_completed"),
        ("ORDER  COMPLETED ", "order_completed"),
        ("Product Added", "cart_updated"),
        ("Cart Viewed", "cart_updated"),
        ("Product Viewed", "product_viewed"),
        ("Form Started", "form_started"),
        ("form_submitted", "form_submitted"),
        ("Signed Up", "signed_up"),
        ("Pricing Viewed", "pricing_viewed"),
        ("SMS Opted Out", "unsubscribed"),
    ],
)
def test_names_are_compared_without_their_spelling(name: str, signal: str) -> None:
    assert segment({"type": "track", "event": name, "userId": "u-7"}).name == signal


def test_what_no_rule_is_for_is_unmapped_with_the_reason() -> None:
    unknown = segment_event({"type": "track", "event": "Song Played", "userId": "u-7"})
    assert apply(SEGMENT, unknown, Trust.trusted, "US") == Unmapped("unknown_event")
    nobody = segment_event({"type": "track", "event": "Order Completed"})
    assert apply(SEGMENT, nobody, Trust.trusted, "US") == Unmapped("no_subject")


# Trust


def test_a_browser_gives_no_phone_no_consent_no_clock_and_joins_nobody() -> None:
    signal = segment(sample("segment_identify"), Trust.browser)
    assert signal.subject == Subject("u-7", "a-1", "", "ann@example.org")
    assert signal.consents == ()
    assert signal.merges is None
    assert "timezone" not in signal.traits
    assert signal.dropped == (
        "subject.phone: a browser source gives no phone number",
        "traits.timezone: a browser source states no timezone",
        "consents[0]: a browser source gives no consent",
        "consents[1]: a browser source gives no consent",
    )
    alias = segment({"type": "alias", "userId": "u-7", "previousId": "a-9"}, Trust.browser)
    assert alias.merges is None


def test_a_browsers_strings_are_cleaned_and_its_links_stay_links() -> None:
    properties = {
        "cart_id": "c-1",
        "currency": "EUR\r\nhttps://evil.example",
        "products": [{"name": "Win at evil.example now" + "!" * 300}],
        "cart_url": "javascript:alert(1)",
    }
    payload = sample("segment_checkout_started", properties=properties)
    signal = segment(payload, Trust.browser)
    assert signal.facts["currency"] == "EUR"
    assert signal.facts["product"].startswith("Win at now!")
    assert len(signal.facts["product"]) <= 200
    assert signal.facts["cart_url"] == ""
    assert [note.partition(":")[0] for note in signal.dropped] == [
        "subject.phone",
        "facts.currency",
        "facts.product",
        "facts.cart_url",
    ]
    assert segment(payload).facts["cart_url"] == "javascript:alert(1)"  # trusted: as it came


def test_a_browsers_odd_key_stands_as_its_hash() -> None:
    def key(cart: str, trust: Trust) -> str:
        properties = {"cart_id": cart}
        return segment(sample("segment_checkout_started", properties=properties), trust).key

    assert key("c-1", Trust.browser) == "c-1"
    assert key("https://evil.example", Trust.browser).startswith("sha256:")
    assert key("https://evil.example", Trust.trusted) == "https://evil.example"
    assert key("x" * 300, Trust.trusted) != key("x" * 301, Trust.trusted)
    assert len(key("x" * 300, Trust.trusted)) < 50


# Shopify


def test_a_shopify_checkout_is_a_cart_with_its_link_and_consent() -> None:
    signal = shop(sample("shopify_checkout_update"), "checkouts/update")
    assert (signal.name, signal.key) == ("cart_updated", "c1-830e")
    assert signal.subject == Subject("shopify:8", "", "+33612345678", "ann@example.org")
    assert signal.facts["value"] == 42.5
    assert signal.facts["cart_url"].endswith("/recover?key=9f2c")
    (given,) = signal.consents
    assert (given.purpose, given.granted, given.phone) == ("marketing", True, "+33612345678")


def test_shopify_says_when_a_customer_changed_their_consent() -> None:
    signal = shop(sample("shopify_consent_update"), "customers_marketing_consent/update")
    [given] = signal.consents
    assert (given.granted, given.method) == (True, "shopify_customer")
    assert given.occurred_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert signal.facts["collected_from"] == "SHOPIFY"
    never = sample("shopify_consent_update")
    never["sms_marketing_consent"]["consent_updated_at"] = "yesterday"
    signal = shop(never, "customers_marketing_consent/update")
    assert signal.consents[0].occurred_at is None
    assert "consents[0].occurred_at: is no instant with its zone" in signal.dropped


def test_an_empty_box_at_the_checkout_ends_no_consent() -> None:
    body = sample("shopify_checkout_update", buyer_accepts_sms_marketing=False)
    assert shop(body, "checkouts/create").consents == ()


def test_a_completed_checkout_is_left_to_its_order() -> None:
    body = sample("shopify_checkout_update", completed_at="2026-11-20T10:30:00+01:00")
    event = webhook(SHOPIFY, body, x_shopify_topic="checkouts/update")
    assert apply(SHOPIFY, event, Trust.trusted, "US") == Unmapped("condition_false")


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid"])
def test_a_shopify_order_names_its_cart(topic: str) -> None:
    signal = shop(sample("shopify_order_create"), topic)
    assert (signal.name, signal.key, signal.value_micros) == (
        "order_completed",
        "5520001",
        42_100_000,
    )
    assert signal.facts["cart_id"] == "c1-830e"
    assert signal.subject.phone == "+33612345678"


@pytest.mark.parametrize(
    "topic", ["customers_marketing_consent/update", "customers/marketing_consent_update"]
)
@pytest.mark.parametrize(
    ("state", "granted"),
    [
        ("subscribed", [True]),
        ("SUBSCRIBED", [True]),
        ("unsubscribed", [False]),
        ("not_subscribed", [False]),
        ("redacted", [False]),
        ("pending", []),
        (None, []),
    ],
)
def test_shopifys_consent_states_are_understood(
    topic: str, state: str | None, granted: list[bool]
) -> None:
    body = sample("shopify_consent_update", sms_marketing_consent={"state": state})
    signal = shop(body, topic)
    assert [given.granted for given in signal.consents] == granted
    assert signal.subject.user_id == "shopify:8"


def test_two_topics_of_one_action_are_two_events() -> None:
    one = webhook(SHOPIFY, {}, x_shopify_topic="orders/create", x_shopify_event_id="e-1")
    two = webhook(SHOPIFY, {}, x_shopify_topic="orders/paid", x_shopify_event_id="e-1")
    assert one.source_event_id != two.source_event_id
    assert webhook(SHOPIFY, {}, x_shopify_topic="orders/paid").source_event_id == ""


# A site of one's own


def test_a_standard_webhook_is_read() -> None:
    event = webhook(STANDARD, sample("standard_order_completed"), webhook_id="msg_1")
    assert event.source_event_id == "msg_1"
    signal = apply(STANDARD, event, Trust.trusted, "US")
    assert isinstance(signal, Signal)
    assert signal.subject == Subject("u-7", "", "+14155550123", "ann@example.org")
    assert (signal.key, signal.value_micros) == ("50314", 42_100_000)


@pytest.mark.parametrize(
    ("name", "purpose", "consents"),
    [
        ("consent.given", None, [("marketing", True)]),
        ("consent_given", "cart_reminders", [("cart_reminders", True)]),
        ("consent.ended", None, [("marketing", False), ("cart_reminders", False)]),
        ("consent.ended", "cart_reminders", [("cart_reminders", False)]),
    ],
)
def test_a_site_says_which_consent_begins_or_ends(
    name: str, purpose: str | None, consents: list[tuple[str, bool]]
) -> None:
    data = {"user_id": "u-7", "phone": "+14155550123", "purpose": purpose}
    signal = apply(STANDARD, webhook(STANDARD, {"type": name, "data": data}), Trust.trusted, "US")
    assert isinstance(signal, Signal)
    assert [(given.purpose, given.granted) for given in signal.consents] == consents


# Whom it is about


@pytest.mark.parametrize(
    ("user_id", "kept"),
    [
        ("u-7", "u-7"),
        (7, "7"),
        ("  u-7 ", "u-7"),
        ("null", ""),
        ("undefined", ""),
        ("u\x007", ""),
        ("x" * 257, ""),
        (["u-7"], ""),
        (True, ""),
        (None, ""),
    ],
)
def test_an_id_is_a_short_plain_text_and_never_a_trackers_nobody(user_id: Any, kept: str) -> None:
    payload = {"type": "track", "event": "Signed Up", "userId": user_id, "anonymousId": "a-1"}
    assert segment(payload).subject.user_id == kept


def test_a_number_is_read_in_the_country_the_person_names() -> None:
    traits = {"phone": "06 12 34 56 78", "address": {"country": "FR"}}
    payload = {"type": "identify", "userId": "u-7", "traits": traits}
    assert segment(payload, region="US").subject.phone == "+33612345678"
    del traits["address"]
    assert segment(payload, region="FR").subject.phone == "+33612345678"
    american = segment(payload, region="US")
    assert american.subject.phone == ""
    assert american.dropped[0].startswith("subject.phone: ")
    assert "06" not in american.dropped[0]


@pytest.mark.parametrize("phone", [["+33612345678"], {"n": 1}, "no number", "1" * 100, True])
def test_an_impossible_number_is_left_out_with_the_reason(phone: Any) -> None:
    signal = segment({"type": "identify", "userId": "u-7", "traits": {"phone": phone}})
    assert signal.subject.phone == ""
    assert signal.dropped[0].startswith("subject.phone: ")


@pytest.mark.parametrize("email", ["ann", "@x.example", "a@b@c", "a b@c.example", "x" * 300 + "@c"])
def test_what_is_no_address_is_left_out_with_the_reason(email: str) -> None:
    signal = segment({"type": "identify", "userId": "u-7", "traits": {"email": email}})
    assert signal.subject.email == ""
    assert signal.dropped == ("subject.email: is no e-mail address",)


def test_a_consent_needs_its_own_number_but_its_end_does_not() -> None:
    traits: dict[str, Any] = {"sms_consent": True, "phone": "+3361"}
    payload = {"type": "identify", "userId": "u-7", "traits": traits}
    given = segment(payload)
    assert given.consents == ()
    assert given.dropped[-1] == "consents[0]: a consent needs a valid phone number"
    traits.update(sms_consent=False, phone=None)
    ended = segment(payload)
    assert [(each.phone, each.granted) for each in ended.consents] == [("", False)]


def test_a_consent_for_another_number_never_falls_on_the_subjects() -> None:
    sources = {"consents[0].granted": "true", "consents[0].phone": "traits.other"}
    consenting = rule(
        values={**sources, "subject.phone": "traits.phone"},
        consents=(ConsentRule("marketing", "web_form", "consents[0]"),),
    )
    for other, numbers in (("+3361", []), (None, ["+33612345678"])):
        event = seen(traits={"phone": "+33612345678", "other": other})
        signal = apply(only(consenting), event, Trust.trusted, "US")
        assert isinstance(signal, Signal)
        assert [given.phone for given in signal.consents] == numbers


def test_a_consent_that_is_neither_true_nor_false_fails_loudly() -> None:
    consenting = rule(
        values={"consents[0].granted": "traits.yes"},
        consents=(ConsentRule("marketing", "web_form", "consents[0]"),),
    )
    with pytest.raises(ExpressionFailed, match=r"^consents\[0\].granted: gives neither"):
        apply(only(consenting), seen(traits={"yes": "maybe"}), Trust.trusted, "US")


# Values


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("42.10", 42_100_000),
        (42.1, 42_100_000),
        (0.1, 100_000),
        (-3, -3_000_000),
        ("0.0000005", 0),
        (None, None),
        ("42,10", None),
        ("NaN", None),
        ("1e400", None),
        ("1e-400", 0),
        (True, None),
        ([1], None),
    ],
)
def test_an_amount_is_exact_or_none(value: Any, micros: int | None) -> None:
    paid = rule(values={"value": "properties.total"})
    signal = apply(only(paid), seen(properties={"total": value}), Trust.trusted, "US")
    assert isinstance(signal, Signal)
    assert signal.value_micros == micros
    assert bool(signal.dropped) == (micros is None and value is not None)


def test_a_fact_that_cannot_be_evaluated_fails_the_event_by_its_name() -> None:
    broken = rule(values={"facts.total": "properties.total / properties.count"})
    with pytest.raises(ExpressionFailed, match=r"^facts.total: a division by zero"):
        apply(only(broken), seen(properties={"total": 1, "count": 0}), Trust.trusted, "US")
    asking = rule(place=3, when=compile_expression("properties.total > 'x'", strict=False))
    with pytest.raises(ExpressionFailed, match=r"^events\[3\].when: "):
        apply(only(asking), seen(properties={"total": 1}), Trust.trusted, "US")


def test_a_fact_without_a_value_is_no_fact() -> None:
    facts = rule(values={"facts.a": "properties.a", "facts.b": "properties.b"})
    signal = apply(only(facts), seen(properties={"a": None, "b": 0}), Trust.trusted, "US")
    assert isinstance(signal, Signal)
    assert signal.facts == {"b": 0}


def test_sensitive_facts_are_kept_and_marked() -> None:
    ill = rule(values={"facts.illness": "properties.x"}, sensitive=frozenset({"illness"}))
    signal = apply(only(ill), seen(properties={"x": "flu"}), Trust.trusted, "US")
    assert isinstance(signal, Signal)
    assert signal.facts == {"illness": "flu"}
    assert signal.facts.keys() <= signal.sensitive


def test_the_first_rule_that_fits_is_taken_whether_by_name_or_by_type() -> None:
    large = compile_expression("properties.total > 100", strict=False)
    mapping = only(
        rule("large", place=0, when=large),
        rule("any_track", place=1, type="track", names=frozenset()),
        rule("small", place=2),
    )
    signals = []
    for total in (200, 1):
        signal = apply(mapping, seen(properties={"total": total}), Trust.trusted, "US")
        assert isinstance(signal, Signal)
        signals.append(signal.name)
    assert signals == ["large", "any_track"]


def test_a_thousand_rules_are_looked_up_by_name_not_tried_one_by_one() -> None:
    rules = [rule(f"s{n}", place=n, names=frozenset({f"e{n}"})) for n in range(1_000)]
    mapping = only(*rules)
    assert [len(found) for found in mapping.by_name.values()] == [1] * 1_000
    assert mapping.by_type == {}


# Locating


LISTED = SourceMapping(
    name="listed",
    version="v1",
    adapter="standard",
    for_each=compile_expression("body.events", strict=False),
    locator=compile_all(
        {"id": "item.id", "name": "item.n.upper()", "occurred_at": "item.at"}, strict=False
    ),
)


def test_each_event_of_a_body_is_located() -> None:
    items = [
        {"id": 7, "n": "a", "at": "2026-11-20T10:00:00Z"},
        {"id": "x", "n": "b", "at": 1_795_168_800},
        {"n": "c", "at": 1_795_168_800_000},
        {"n": "d", "at": "yesterday"},
        {"n": "e", "at": "1795168800"},
    ]
    found = locate(LISTED, {"events": items}, {})
    assert [(one.id, one.name, one.occurred_at) for one in found] == [
        ("7", "A", AT),
        ("x", "B", AT),
        ("", "C", AT),
        ("", "D", None),
        ("", "E", AT),
    ]
    assert found[0].item is items[0]


def test_one_bad_event_among_many_is_kept_nameless() -> None:
    found = locate(LISTED, {"events": [{"id": 1, "n": "a"}, {"id": 2, "n": 5}]}, {})
    assert [one.name for one in found] == ["A", ""]
    assert found[1].id.startswith("sha256:")


@pytest.mark.parametrize("body", [{}, {"events": {}}, {"events": None}, [], None, "x"])
def test_a_body_without_a_list_of_events_is_unreadable(body: Any) -> None:
    with pytest.raises(Unreadable, match=r"for_each"):
        locate(LISTED, body, {})


def test_a_body_holds_at_most_a_thousand_events() -> None:
    assert len(locate(LISTED, {"events": [{}] * 1_000}, {})) == 1_000
    with pytest.raises(Unreadable, match=r"1001 events"):
        locate(LISTED, {"events": [{}] * 1_001}, {})


def test_an_id_made_from_the_body_is_the_same_however_it_was_written() -> None:
    mapping = SourceMapping("x", "v1", "standard", id_from="body")
    (one,), (two,) = (locate(mapping, {"a": 1, "b": 2}, {}), locate(mapping, {"b": 2, "a": 1}, {}))
    assert one.id == two.id
    assert one.id != locate(mapping, {"a": 1, "b": 3}, {})[0].id


def test_items_of_a_list_are_mapped_without_the_whole_body() -> None:
    mapping = SourceMapping(
        name="x",
        version="v1",
        adapter="standard",
        for_each=LISTED.for_each,
        events=(rule(values={"subject.user_id": "item.user", "facts.body": "body"}),),
    )
    event = Event("e", "x", "1", "webhook", "seen", AT, AT, {"item": {"user": "u"}, "headers": {}})
    signal = apply(mapping, event, Trust.trusted, "US")
    assert isinstance(signal, Signal)
    assert (signal.subject.user_id, signal.facts) == ("u", {})


# Whatever comes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
NAMES = st.sampled_from(["Order Completed", "Product Added", "Form Submitted", "x", ""])
TYPES = st.sampled_from(["track", "identify", "page", "alias", "webhook"])
KEYS = st.sampled_from(
    ["userId", "anonymousId", "properties", "traits", "context", "previousId", "name"]
)
INNER = st.sampled_from(
    ["phone", "email", "cart_id", "total", "currency", "products", "address", "sms_consent", "path"]
)


@settings(max_examples=60, deadline=None)
@given(
    payload=st.dictionaries(KEYS, JSON | st.dictionaries(INNER, JSON, max_size=6), max_size=7),
    name=NAMES,
    kind=TYPES,
    trust=st.sampled_from(Trust),
)
def test_any_payload_ends_as_a_signal_a_reason_or_a_named_failure(
    payload: dict[str, Any], name: str, kind: str, trust: Trust
) -> None:
    event = Event("e", "site", "1", kind, name, AT, AT, payload)
    began = perf_counter()
    try:
        result = apply(SEGMENT, event, trust, "US")
    except ExpressionFailed as error:
        assert str(error)
    else:
        assert isinstance(result, Signal | Unmapped)
        if isinstance(result, Signal) and trust is Trust.browser:
            assert (result.subject.phone, result.consents, result.merges) == ("", (), None)
        json.dumps([*result.facts.items()] if isinstance(result, Signal) else [])
    assert perf_counter() - began < 1


@settings(max_examples=60, deadline=None)
@given(
    body=JSON | st.dictionaries(INNER | st.sampled_from(["data", "id", "customer"]), JSON),
    topic=st.sampled_from(["checkouts/update", "orders/create", "customers/update", "x"]),
)
def test_any_webhook_ends_as_a_signal_a_reason_or_a_named_failure(body: Any, topic: str) -> None:
    for mapping in (SHOPIFY, STANDARD, LISTED):
        try:
            for one in locate(mapping, body, {TOPIC: topic}):
                payload = {"item": one.item, "headers": {TOPIC: topic}}
                event = Event("e", "x", one.id, "webhook", one.name or topic, AT, AT, payload)
                assert isinstance(apply(mapping, event, Trust.trusted, "US"), Signal | Unmapped)
        except (ExpressionFailed, Unreadable) as error:
            assert str(error)
