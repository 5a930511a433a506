"""Forms: what a stranger types is a proposal, and the number itself decides what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connector.config.sources import load_source
from connector.errors import Fault
from connector.ledger import people
from connector.model import Purpose, Subject, Trust
from connector.rules import optin
from connector.rules.plays import Start
from connector.sources.form import Form
from connector.steps import advance, forget
from connector.steps.setup import OpenSource
from tests.steps.build import CART, DAY, HOUR, PHONE, WELCOME, Shop

OpenShop = Callable[..., Shop]
SOURCE = "site_forms"
WORDS = "Text me offers, up to 6 a month. Reply STOP to end."
EMAIL, THEIRS = "ann@corner.example", "+12125550177"
ASKS = {"double_opt_in": "{{ brand }}: Reply YES", "double_opt_in_confirmed": "{{ brand }}: in"}
THANKS = replace(WELCOME, name="thanks", start=Start("form_submitted"), purpose=Purpose.marketing)
NOTICE = replace(THANKS, name="notice", purpose=Purpose.service)
ROOT = Path(__file__).parents[2]


def opened(open_shop: OpenShop, *plays: Any, trust: Trust = Trust.form) -> Shop:
    """A shop with a source of forms, read by the mapping that is shipped."""
    faults: list[Fault] = []
    mapping = load_source(ROOT / "mappings/sources/form.toml", faults)
    assert not faults
    shop = open_shop(*(plays or (CART, THANKS, NOTICE)), texts=ASKS)
    adapter = Form(source=SOURCE, trust=trust)
    shop.rt.sources = {**shop.rt.sources, SOURCE: OpenSource(SOURCE, trust, adapter, mapping)}
    return shop


@pytest.fixture
def forms(open_shop: OpenShop) -> Shop:
    return opened(open_shop)


def fill(shop: Shop, consent: bool = True, anonymous_id: str = "", **fields: str) -> None:
    """Somebody fills in the form, and the worker reads it."""
    shop._told += 1
    told = {
        "form": "newsletter",
        "messageId": f"form-{shop._told}",
        "anonymousId": anonymous_id,
        "fields": fields,
        "consent": {"purposes": {"marketing": True}, "wording": WORDS, "version": "v3"}
        if consent
        else None,
        "context": {
            "ip": "203.0.113.9",
            "userAgent": "Mozilla/5.0",
            "page": {"url": "https://corner.example/join"},
        },
    }
    shop.deliver(orjson.dumps(told), SOURCE)
    advance.advance(shop.rt)


def texts(shop: Shop) -> list[tuple[str, str]]:
    """(number, words) of every text that left."""
    return [(message.to, message.text) for message in shop.carrier.sent]


def phones(shop: Shop) -> list[tuple[str, str | None]]:
    """(number, when a trusted source told of it) of every contact that bears one."""
    sql = "SELECT value, confirmed_at FROM identities WHERE kind = 'phone' AND detached_at IS NULL"
    return [(row["value"], row["confirmed_at"]) for row in shop.rows(sql + " ORDER BY value")]


def test_a_form_proposes_and_the_numbers_own_yes_makes_it_a_subscriber(forms: Shop) -> None:
    fill(forms, phone="(212) 555-0101", email=EMAIL, first_name="Ann")
    assert phones(forms) == []
    assert forms.live().live == frozenset()
    forms.go()
    assert texts(forms) == [(PHONE, "Corner Shop: Reply YES")]
    forms.reply("YES")
    assert forms.live().live == {"marketing"}
    assert phones(forms) == [(PHONE, None)]
    (person,) = forms.rows("SELECT traits FROM contacts WHERE merged_into IS NULL")
    assert orjson.loads(person["traits"]) == {"first_name": "Ann"}


def test_the_exact_words_and_where_they_were_shown_are_kept(forms: Shop) -> None:
    fill(forms, phone=PHONE)
    (row,) = forms.rows("SELECT * FROM consents")
    assert (row["action"], row["method"], row["wording"]) == ("pending", "web_form", WORDS)
    assert (row["wording_version"], row["ip"]) == ("v3", "203.0.113.9")
    assert (row["url"], row["user_agent"]) == ("https://corner.example/join", "Mozilla/5.0")
    assert row["source"] == SOURCE and row["occurred_at"] == row["recorded_at"]


def test_who_is_forgotten_leaves_no_trace_in_a_proposal_of_theirs(forms: Shop) -> None:
    fill(forms, phone=PHONE, first_name="Ann")
    (person,) = forms.rows("SELECT id FROM contacts")
    with forms.rt.store.write() as tx:
        whom = people.find(tx, person["id"])
        forget.forget(tx, forms.rt, whom, who="operator:x", why="asked", now=forms.clock.at)
    (row,) = forms.rows("SELECT * FROM consents")
    left = (row["phone"], row["wording"], row["source"], row["ip"], row["url"], row["user_agent"])
    assert left == ("",) * 6
    assert row["action"] == "pending" and row["salt"] is None


def test_without_the_box_ticked_nobody_is_asked(forms: Shop) -> None:
    fill(forms, consent=False, phone=PHONE, first_name="Ann")
    forms.go(HOUR)
    assert texts(forms) == [] and phones(forms) == []
    assert forms.rows("SELECT * FROM consents") == []


def test_nothing_but_the_request_goes_to_a_number_that_a_form_proposed(forms: Shop) -> None:
    fill(forms, phone=PHONE)
    for _ in range(4):
        forms.go(HOUR)
    assert texts(forms) == [(PHONE, "Corner Shop: Reply YES")]
    assert {row["state"] for row in forms.enrolments()} <= {"ended", "done"}


def test_a_number_is_asked_once_in_30_days_whoever_proposes_it(forms: Shop) -> None:
    for name in ("Ann", "Bob", "Cid"):
        fill(forms, phone=PHONE, first_name=name)
        forms.go()
        forms.tick(9 * DAY)
    assert len(texts(forms)) == 1


def test_a_source_of_forms_asks_only_so_many_numbers_a_day(
    forms: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optin, "MOST_A_DAY", 3)
    for number in range(6):
        fill(forms, phone=f"+1212555010{number}")
    forms.go()
    assert len(texts(forms)) == 3
    (alarm,) = forms.rows("SELECT kind, about FROM alarms")
    assert (alarm["kind"], alarm["about"]) == ("form_flooded", SOURCE)
    forms.tick(DAY)
    fill(forms, phone="+12125550109")
    forms.go()
    assert len(texts(forms)) == 4


def test_a_form_that_is_read_days_late_asks_nobody(forms: Shop) -> None:
    fill(forms, phone="+12125550109")
    forms.deliver(
        orjson.dumps(
            {
                "form": "newsletter",
                "messageId": "late",
                "fields": {"phone": PHONE},
                "consent": {"purposes": {"marketing": True}, "wording": WORDS},
            }
        ),
        SOURCE,
    )
    forms.tick(3 * DAY)
    advance.advance(forms.rt)
    forms.go()
    assert (PHONE, "Corner Shop: Reply YES") not in texts(forms)


def test_a_form_with_somebodys_email_gives_them_no_number(forms: Shop) -> None:
    ann = forms.tell("signed_up", Subject(user_id="ann", email=EMAIL))
    fill(forms, phone=THEIRS, email=EMAIL, first_name="Mallory")
    forms.go()
    forms.reply("YES", THEIRS)
    assert forms.names(ann) == {("user_id", "ann"), ("email", EMAIL)}
    forms.tell("signed_up", Subject(email=EMAIL), traits={"first_name": "Ann"})
    (bearer,) = forms.rows("SELECT contact_id FROM identities WHERE kind = 'phone'")
    assert bearer["contact_id"] != ann
    assert forms.names(bearer["contact_id"]) >= {("phone", THEIRS)}
    assert ("email", EMAIL) not in forms.names(bearer["contact_id"])


def test_in_a_known_persons_browser_the_number_goes_to_a_contact_of_its_own(forms: Shop) -> None:
    ann = forms.tell("signed_up", Subject(user_id="ann", anonymous_id="a-1"), type="identify")
    fill(forms, phone=THEIRS, anonymous_id="a-1", first_name="Mallory")
    forms.go()
    forms.reply("YES", THEIRS)
    assert not any(kind == "phone" for kind, _ in forms.names(ann))
    assert phones(forms) == [(THEIRS, None)]


def test_a_page_that_names_somebody_before_the_yes_gives_them_no_number(forms: Shop) -> None:
    fill(forms, phone=THEIRS, anonymous_id="a-9", first_name="Mallory")
    claim = Subject(user_id="victim", anonymous_id="a-9")
    claimed = forms.tell("page_viewed", claim, source="site", type="identify")
    forms.go()
    forms.reply("YES", THEIRS)
    assert forms.names(claimed) == {("user_id", "victim"), ("anonymous_id", "a-9")}
    assert phones(forms) == [(THEIRS, None)]


def test_a_page_cannot_name_whoever_bears_a_number_that_only_a_form_told(forms: Shop) -> None:
    fill(forms, phone=THEIRS, anonymous_id="a-9")
    forms.go()
    forms.reply("YES", THEIRS)
    claim = Subject(user_id="victim", anonymous_id="a-9", email="victim@corner.example")
    claimed = forms.tell("page_viewed", claim, source="site", type="identify")
    assert {kind for kind, _ in forms.names(claimed)} == {"anonymous_id", "phone"}
    victim = forms.tell("signed_up", Subject(user_id="victim"))
    assert victim != claimed


def test_a_form_about_a_known_number_asks_it_and_changes_nothing_of_its_bearer(
    forms: Shop,
) -> None:
    ann = forms.tell("signed_up", Subject(user_id="ann", phone=PHONE), traits={"first_name": "Ann"})
    fill(forms, phone=PHONE, first_name="Mallory", email="mallory@corner.example")
    forms.go()
    assert texts(forms) == [(PHONE, "Corner Shop: Reply YES")]
    forms.reply("YES")
    assert forms.live().live == {"marketing"}
    assert forms.names(ann) == {("user_id", "ann"), ("phone", PHONE)}
    (row,) = forms.rows("SELECT traits FROM contacts WHERE id = :id", id=ann)
    assert orjson.loads(row["traits"]) == {"first_name": "Ann"}


def test_a_trusted_source_confirms_a_proposed_number_too(forms: Shop) -> None:
    fill(forms, phone=PHONE)
    ann = forms.tell("signed_up", Subject(user_id="ann", phone=PHONE))
    assert forms.names(ann) == {("user_id", "ann"), ("phone", PHONE)}
    assert forms.live().live == frozenset(), "the number is known, the consent still waits"


def test_a_number_that_became_somebodys_before_its_yes_stays_theirs_alone(forms: Shop) -> None:
    fill(forms, phone=PHONE, first_name="Mallory")
    forms.go()
    ann = forms.tell("signed_up", Subject(user_id="ann", phone=PHONE))
    forms.reply("YES")
    assert forms.live().live == {"marketing"}
    bearers = forms.rows("SELECT contact_id FROM identities WHERE kind = 'phone'")
    assert [row["contact_id"] for row in bearers] == [ann]


def test_whoever_said_stop_is_left_alone_by_forms_but_for_the_one_request(forms: Shop) -> None:
    forms.tell("signed_up", Subject(user_id="ann", phone=PHONE))
    forms.consent()
    forms.reply("STOP")
    forms.dispatch()
    said = len(texts(forms))
    for _ in range(3):
        fill(forms, phone=PHONE)
        forms.go(HOUR)
    assert [words for _, words in texts(forms)[said:]] == ["Corner Shop: Reply YES"]
    assert forms.live().live == frozenset()


def test_a_stop_from_a_proposed_number_stops_nobody_else(forms: Shop) -> None:
    forms.tell("signed_up", Subject(user_id="ann", phone=PHONE, anonymous_id="a-1"))
    forms.consent()
    fill(forms, phone=THEIRS, email=EMAIL, anonymous_id="a-1")
    forms.go()
    forms.reply("STOP", THEIRS)
    assert forms.live(PHONE).live == {"marketing"}
    assert forms.live(THEIRS).stopped == "all"


def test_a_form_merges_nobody_and_tells_no_stage_of_its_own(forms: Shop) -> None:
    forms.tell("page_viewed", Subject(anonymous_id="a-1"), source="site")
    fill(forms, consent=False, anonymous_id="a-1", email=EMAIL, stage="customer", user_id="ann")
    assert forms.rows("SELECT * FROM merges") == []
    (person,) = forms.rows("SELECT stage FROM contacts")
    assert person["stage"] == "lead", "the stage that the mapping names, not one that was typed"
    assert not forms.rows("SELECT * FROM identities WHERE kind = 'user_id'")


def test_the_same_form_sent_again_is_one_event(forms: Shop) -> None:
    for _ in range(3):
        body = {"form": "newsletter", "messageId": "same", "fields": {"email": EMAIL}}
        forms.deliver(orjson.dumps(body), SOURCE)
        advance.advance(forms.rt)
    assert len(forms.rows("SELECT * FROM events")) == 1


# -- whatever is typed, in whatever order ------------------------------------------------------

NUMBERS, MAILS = (PHONE, THEIRS), (EMAIL, "bob@corner.example")
USERS, BROWSERS = ("ann", "bob"), ("a-1", "a-2")
ACT = st.one_of(
    st.tuples(
        st.just("form"),
        st.sampled_from(NUMBERS),
        st.sampled_from(("", *MAILS)),
        st.sampled_from(("", *BROWSERS)),
    ),
    st.tuples(
        st.just("page"),
        st.sampled_from(("", *USERS)),
        st.sampled_from(("", *MAILS)),
        st.sampled_from(BROWSERS),
    ),
    st.tuples(
        st.just("server"),
        st.sampled_from(USERS),
        st.sampled_from(("", NUMBERS[0])),
        st.sampled_from(("", *MAILS)),
    ),
    st.tuples(st.just("reply"), st.sampled_from(NUMBERS), st.sampled_from(("YES", "STOP", "ok"))),
    st.tuples(st.just("wait"), st.sampled_from((1, 23, 24 * 31))),
)


class World:
    """A shop, and what is rightly known of each number."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.known: set[str] = set()  #: told by a trusted source, or confirmed by its own yes
        self.asked: dict[str, Any] = {}

    def do(self, act: tuple[Any, ...]) -> None:
        before = self.borne()
        getattr(self, act[0])(*act[1:])
        if act[0] in ("form", "page"):
            assert self.borne() == before, "a stranger's event gave somebody a number"
        self.shop.go()
        for message in self.shop.carrier.sent:
            if message.text.endswith("Reply YES"):
                self.asked.setdefault(message.to, self.shop.clock())
            elif message.text.endswith(("welcome", "cart waits", "still there")):
                assert message.to in self.known, "a text went to a number that nobody confirmed"
        self.shop.carrier.sent.clear()
        self.look()

    def borne(self) -> set[tuple[str, str]]:
        sql = (
            "SELECT value, contact_id FROM identities WHERE kind = 'phone' AND detached_at IS NULL"
        )
        return {(row["value"], row["contact_id"]) for row in self.shop.rows(sql)}

    def look(self) -> None:
        """Whoever bears a number that only a form told of bears no name that a stranger gave."""
        for row in self.shop.rows(
            "SELECT contact_id FROM identities WHERE kind = 'phone' AND detached_at IS NULL"
            " AND confirmed_at IS NULL"
        ):
            names = self.shop.rows(
                "SELECT kind, value, confirmed_at FROM identities WHERE contact_id = :id"
                " AND detached_at IS NULL AND kind NOT IN ('phone', 'anonymous_id')",
                id=row["contact_id"],
            )
            assert not names or any(name["confirmed_at"] for name in names), names

    def form(self, phone: str, email: str, anonymous_id: str) -> None:
        fill(self.shop, anonymous_id=anonymous_id, phone=phone, email=email)

    def page(self, user_id: str, email: str, anonymous_id: str) -> None:
        who = Subject(user_id=user_id, email=email, anonymous_id=anonymous_id)
        self.shop.tell("cart_updated", who, source="site", type="identify", key="c")

    def server(self, user_id: str, phone: str, email: str) -> None:
        self.shop.tell("cart_updated", Subject(user_id=user_id, phone=phone, email=email), key="d")
        if phone:
            self.known.add(phone)
            self.shop.consent("service", phone)

    def reply(self, phone: str, text: str) -> None:
        self.shop.reply(text, phone)
        at = self.asked.get(phone)
        if text == "YES" and at and self.shop.clock() - at < timedelta(hours=24):
            self.known.add(phone)
        if text == "STOP":
            self.asked.pop(phone, None)

    def wait(self, hours: int) -> None:
        self.shop.tick(hours * HOUR)
        if hours > 24:
            self.asked.clear()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@example(acts=[("form", THEIRS, "", "a-1"), ("page", "ann", "", "a-1"), ("reply", THEIRS, "YES")])
@example(acts=[("page", "ann", "", "a-1"), ("form", THEIRS, "", "a-1"), ("reply", THEIRS, "YES")])
@example(acts=[("form", THEIRS, "", "a-1"), ("reply", THEIRS, "YES"), ("page", "", EMAIL, "a-1")])
@given(acts=st.lists(ACT, min_size=3, max_size=14))
def test_no_order_of_forms_pages_and_replies_gives_a_stranger_anybodys_texts(
    acts: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    made: list[Shop] = []

    def make(*plays: Any, **changes: Any) -> Shop:
        made.append(Shop(tmp_path_factory.mktemp("forms"), *plays, **changes))
        return made[-1]

    world = World(opened(make, CART, THANKS, NOTICE))
    try:
        for act in acts:
            world.do(act)
    finally:
        made[0].close()
