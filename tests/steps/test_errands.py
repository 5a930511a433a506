"""What a CRM's workflows want: an event, or one text whose end finishes the workflow's step."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connector.errors import Refused
from connector.expressions import compile_all
from connector.ledger import errands as ledger
from connector.ledger.inbox import Delivery
from connector.model import Status, Subject, Trust
from connector.records import Record, Writeback, Written
from connector.rules.mapping import EventRule, SourceMapping
from connector.rules.plays import Mode, Start
from connector.sources.hubspot import HubSpot
from connector.sources.salesforce import Salesforce
from connector.steps import crmread, errands, owed
from connector.steps.setup import OpenSource
from connector.steps.tidy import tidy
from connector.steps.writeback import writeback
from tests.crms.quiet import QuietCrm
from tests.sources.test_hubspot import event, step
from tests.sources.test_salesforce import CONTACT, message
from tests.steps.build import DAY, HOUR, MINUTE, ORDER, PHONE, SECOND, WELCOME, Shop

URL = "https://sms.example.org/in/hubspot"
ANN = Subject(crm="hubspot", crm_id="901", phone=PHONE)
KEY = "ap-102670506-56776413549-7-0"
PROMO = replace(WELCOME, name="promo")
BOOKED = replace(ORDER, name="booked", start=Start("demo_booked"))

#: What the mapping file of a CRM says of an event that a workflow names.
MEANS = SourceMapping(
    "hubspot",
    "h1",
    "standard",
    (
        EventRule(
            0,
            frozenset({"demo_booked"}),
            "",
            "demo_booked",
            compile_all(
                {
                    "subject.crm": "source",
                    "subject.crm_id": "item.person",
                    "facts.order_id": "item.now.title",
                },
                strict=False,
            ),
        ),
        EventRule(
            1,
            frozenset({"contact"}),
            "",
            "contact_changed",
            compile_all(
                {
                    "subject.crm": "source",
                    "subject.crm_id": "item.person",
                    "subject.phone": "item.now.mobilephone",
                },
                strict=False,
            ),
        ),
    ),
)


class Crm(QuietCrm):
    """A CRM that workflows wait for: it notes what it is told."""

    name = "hubspot"
    objects = ("contact", "deal")

    def __init__(self) -> None:
        self.told: list[Writeback] = []
        self.records: dict[str, Record] = {}

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        self.told += changes
        return [Written(change.id, ok=True, record="1") for change in changes]

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        return [self.records[each] for each in ids if each in self.records]

    @property
    def ends(self) -> list[dict[str, Any]]:
        """What steps of workflows were told."""
        return [dict(change.change) for change in self.told if change.kind == "callback"]


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def shop(open_shop: Callable[..., Shop], crm: Crm) -> Shop:
    made = open_shop(WELCOME, ORDER, PROMO, BOOKED, crm="hubspot", crms={"hubspot": crm})
    made.rt.sources = {
        **made.rt.sources,
        "hubspot": OpenSource("hubspot", Trust.trusted, HubSpot(source="hubspot"), MEANS),
        "salesforce": OpenSource(
            "salesforce", Trust.trusted, Salesforce(source="salesforce"), replace(MEANS)
        ),
    }
    return made


def deliver(shop: Shop, body: Any, door: str = "", source: str = "hubspot") -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"https://sms.example.org/in/{source}{door}"
    shop.inbox.append(Delivery("events", source, shop.clock(), raw, url))
    shop.walk()


def wants(shop: Shop, **inputs: Any) -> None:
    """A workflow's step is on its way; its record was read meanwhile."""
    deliver(shop, step(**inputs), "/action")
    was_read(shop)
    run(shop)


def was_read(shop: Shop) -> None:
    with shop.store.write() as tx:
        tx.run("DELETE FROM crm_hints")


def run(shop: Shop) -> None:
    while errands.run(shop.rt):
        pass


def known(shop: Shop, subject: Subject = ANN, *purposes: str) -> str:
    """Ann is known as the CRM's record, and has granted these purposes (marketing)."""
    for purpose in purposes or ("marketing",):
        shop.consent(purpose)
    return shop.tell("seen", subject)


def finish(shop: Shop) -> None:
    run(shop)
    while writeback(shop.rt):
        pass


def end(result: str, reason: str = "", *, key: str = KEY) -> dict[str, Any]:
    went = result in ("delivered", "accepted")
    return {"callback": key, "went": went, "result": result, "reason": reason}


def hinted(shop: Shop) -> list[tuple[str, str, str]]:
    rows = shop.rows("SELECT * FROM crm_hints ORDER BY object, record, fate")
    return [(row["object"], row["record"], row["fate"]) for row in rows]


def counted(shop: Shop) -> dict[str, int]:
    return {row["name"]: row["value"] for row in shop.rows("SELECT * FROM counters")}


# -- hints -------------------------------------------------------------------------------------


def test_what_subscriptions_tell_waits_to_be_read_each_record_once(shop: Shop) -> None:
    told = [
        event("contact.creation", 1),
        event("contact.propertyChange", 1),
        event("contact.privacyDeletion", 2),
        event("deal.propertyChange", 7),
        event("company.propertyChange", 8),
        event("product.creation", 9),
        event("contact.creation", "x"),
    ]
    for _ in range(2):
        deliver(shop, told)
    assert hinted(shop) == [("contact", "1", ""), ("contact", "2", "erased"), ("deal", "7", "")]
    assert counted(shop) == {"hubspot_ignored:company": 2, "hubspot_ignored:unknown_type": 2}
    kept = shop.rows("SELECT reason, body FROM unreadable")
    assert [row["reason"] for row in kept] == ["no_record_id"] * 2
    assert shop.rows("SELECT * FROM events") == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"[" * 150 + b"]" * 150])
def test_a_mangled_body_is_kept_to_be_looked_at(body: bytes, shop: Shop) -> None:
    deliver(shop, body)
    assert len(shop.rows("SELECT * FROM unreadable")) == 1
    assert hinted(shop) == []


def test_a_delivery_of_which_nothing_is_of_use_is_counted_and_no_more(shop: Shop) -> None:
    deliver(shop, [event("product.creation")] * 3)
    assert counted(shop) == {"hubspot_ignored:unknown_type": 3}
    assert shop.rows("SELECT * FROM unreadable") == []


def test_an_outbound_message_is_a_hint(shop: Shop) -> None:
    deliver(shop, message(CONTACT), source="salesforce")
    assert hinted(shop) == [("contact", CONTACT, "")]


# -- a text for a step -------------------------------------------------------------------------


def test_a_step_ends_with_what_the_provider_told_of_its_text(shop: Shop, crm: Crm) -> None:
    ann = known(shop)
    wants(shop, template="welcome")
    assert shop.go() == 1
    (sent,) = shop.carrier.sent
    assert (sent.to, sent.text) == (PHONE, "Corner Shop: welcome")
    (row,) = shop.sends()
    assert (row["cause"], row["purpose"], row["contact_id"]) == ("hand", "marketing", ann)
    finish(shop)
    assert crm.ends == [], "it is on its way"
    shop.receipt(Status.delivered)
    finish(shop)
    assert crm.ends == [end("delivered")]
    finish(shop)
    assert len(crm.ends) == 1


def test_a_step_may_start_a_play(shop: Shop, crm: Crm) -> None:
    known(shop)
    wants(shop, play="promo")
    assert [row["key"] for row in shop.enrolments()] == [KEY]
    assert shop.go() == 1
    shop.receipt(Status.undelivered, reason="", error_code="30003")
    finish(shop)
    (told,) = crm.ends
    assert (told["went"], told["result"]) == (False, "undelivered")
    (act,) = shop.rows("SELECT who, act FROM acts WHERE act = 'start'")
    assert act["who"] == "workflow:hubspot"


@pytest.mark.parametrize("inputs", [{"template": "welcome"}, {"play": "promo"}])
def test_one_step_is_one_text_however_often_hubspot_asks(
    inputs: dict[str, str], shop: Shop, crm: Crm
) -> None:
    known(shop)
    for _ in range(3):
        wants(shop, **inputs)
        shop.go()
        shop.receipt(Status.delivered)
        finish(shop)
    assert len(shop.carrier.sent) == 1
    assert len(crm.ends) == 1


def test_an_errand_that_is_forgotten_still_makes_no_second_text(shop: Shop) -> None:
    known(shop)
    wants(shop, template="welcome")
    shop.go()
    with shop.store.write() as tx:
        tx.run("DELETE FROM errands")
    wants(shop, template="welcome")
    shop.go()
    assert len(shop.carrier.sent) == 1


def test_the_text_passes_the_gate_like_any_other(shop: Shop, crm: Crm) -> None:
    known(shop, ANN, "service")
    wants(shop, template="welcome")
    assert shop.go() == 0
    finish(shop)
    assert crm.ends == [end("cancelled", "no_consent")]


def test_service_is_what_the_step_says_and_marketing_is_the_rest(shop: Shop, crm: Crm) -> None:
    known(shop, ANN, "service")
    wants(shop, template="welcome", purpose="service")
    assert shop.go() == 1
    assert shop.sends()[0]["purpose"] == "service"


def test_a_play_that_refuses_the_person_is_told_at_once(shop: Shop, crm: Crm) -> None:
    shop.rt.plays = {**shop.rt.plays, "promo": replace(PROMO, mode=Mode.off)}
    known(shop)
    wants(shop, play="promo")
    finish(shop)
    (told,) = crm.ends
    assert not told["went"] and "is off" in told["reason"]
    wants_again = {**step(play="nothing"), "callbackId": "other"}
    deliver(shop, wants_again, "/action")
    was_read(shop)
    finish(shop)
    assert crm.ends[-1] == end("not_sent", "there is no play nothing", key="other")


def test_a_refusal_of_the_provider_ends_the_step(shop: Shop, crm: Crm) -> None:
    known(shop)
    shop.carrier.answers.append(Refused("no", reason="not_mobile", code="21614"))
    wants(shop, template="welcome")
    shop.go()
    finish(shop)
    assert crm.ends == [end("refused", "not_mobile")]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("nowhere", "unknown_template"),
        ("stop_confirmed", "unknown_template"),
        ("double_opt_in", "unknown_template"),
    ],
)
def test_a_template_that_may_not_be_sent_fails_the_step(
    template: str, reason: str, shop: Shop, crm: Crm
) -> None:
    known(shop)
    wants(shop, template=template)
    finish(shop)
    assert crm.ends == [end("not_sent", reason)]
    assert shop.sends() == []


def test_where_two_must_approve_plays_a_template_alone_is_not_sent(shop: Shop, crm: Crm) -> None:
    shop.rt.require_approval = True
    known(shop)
    wants(shop, template="welcome")
    finish(shop)
    assert crm.ends == [end("not_sent", "not_approved")]


def test_somebody_who_is_not_known_is_read_first(shop: Shop, crm: Crm) -> None:
    deliver(shop, step(template="welcome"), "/action")
    assert hinted(shop) == [("contact", "901", "")]
    run(shop)
    assert shop.sends() == [], "its record is not read yet"
    known(shop)
    was_read(shop)
    run(shop)
    assert shop.go() == 1


def test_somebody_whom_the_crm_does_not_know_either_fails_the_step(shop: Shop, crm: Crm) -> None:
    wants(shop, template="welcome")
    finish(shop)
    assert crm.ends == [end("not_sent", "contact_unknown")]


def test_a_crm_that_cannot_be_read_holds_a_step_up_for_a_quarter_of_an_hour(
    shop: Shop, crm: Crm
) -> None:
    known(shop)
    deliver(shop, step(template="welcome"), "/action")
    shop.tick(15 * MINUTE - SECOND)
    run(shop)
    assert shop.sends() == []
    shop.tick(SECOND)
    run(shop)
    assert len(shop.sends()) == 1


def test_a_step_about_a_deal_has_nobody_to_text(shop: Shop, crm: Crm) -> None:
    body = {**step(template="welcome"), "object": {"objectId": 7, "objectType": "DEAL"}}
    deliver(shop, body, "/action")
    was_read(shop)
    finish(shop)
    assert crm.ends == [end("not_sent", "not_a_person")]


def test_a_person_without_a_number_fails_the_step(shop: Shop, crm: Crm) -> None:
    shop.tell("seen", replace(ANN, phone=""))
    wants(shop, template="welcome")
    finish(shop)
    assert crm.ends == [end("not_sent", "no_mobile")]


def test_a_text_that_nobody_tells_of_counts_as_gone_after_six_hours(shop: Shop, crm: Crm) -> None:
    known(shop)
    wants(shop, template="welcome")
    shop.go()
    shop.tick(6 * HOUR - SECOND)
    finish(shop)
    assert crm.ends == []
    shop.tick(SECOND)
    finish(shop)
    assert crm.ends == [end("accepted")]


def test_a_step_is_told_how_things_stand_before_hubspot_gives_up(shop: Shop, crm: Crm) -> None:
    late = replace(PROMO, start=Start("signed_up", after=10 * DAY))
    shop.rt.plays = {
        **shop.rt.plays,
        "promo": replace(late, steps=(replace(PROMO.steps[0], wait=10 * DAY, expires=20 * DAY),)),
    }
    known(shop)
    wants(shop, play="promo")
    shop.walk()
    shop.tick(7 * DAY)
    finish(shop)
    assert crm.ends == [end("not_sent", "still_waiting")]


def test_a_fault_of_ours_ends_the_step_and_holds_up_no_other(
    shop: Shop, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(shop)
    deliver(shop, {**step(play="promo"), "callbackId": "bad"}, "/action")
    deliver(shop, step(template="welcome"), "/action")
    was_read(shop)

    def broken(*args: Any, **named: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("connector.steps.byhand.start", broken)
    finish(shop)
    assert crm.ends == [end("not_sent", "internal", key="bad")]
    assert shop.go() == 1


def test_the_end_of_a_step_waits_for_nothing_and_needs_no_record(shop: Shop, crm: Crm) -> None:
    wants(shop, template="welcome")
    shop.rt.flush_after = HOUR
    finish(shop)
    (told,) = [change for change in crm.told if change.kind == "callback"]
    assert (told.record, told.key) == ("", f"callback:{KEY}")


def test_the_end_of_a_step_stands_behind_nothing_that_the_crm_does_not_take(
    shop: Shop, crm: Crm
) -> None:
    ann = known(shop)
    refused: set[str] = set()

    def write(changes: Sequence[Writeback]) -> list[Written]:
        crm.told += changes
        refused.update(change.kind for change in changes if change.kind != "callback")
        return [Written(each.id, each.kind == "callback", error="busy") for each in changes]

    crm.write = write  # type: ignore[method-assign]
    with shop.store.write() as tx:
        owed.contact_changed(tx, "hubspot", ann, shop.clock())
    finish(shop)
    assert refused == {"fields"} and crm.ends == []
    wants(shop, template="nowhere")
    finish(shop)
    assert len(crm.ends) == 1


def test_a_step_is_read_sent_delivered_and_told_from_end_to_end(shop: Shop, crm: Crm) -> None:
    """Nobody is known yet: the CRM is read, and what its mapping says makes the contact."""
    shop.rt.provider, shop.rt.providers = "sandbox", {"sandbox": shop.carrier}
    shop.consent("marketing")
    crm.records = {"901": Record("contact", "901", shop.clock(), {"mobilephone": PHONE})}
    deliver(shop, step(template="welcome"), "/action")
    run(shop)
    assert shop.sends() == []
    while crmread.round(shop.rt):
        pass
    run(shop)
    assert shop.go() == 1
    (sent,) = shop.carrier.sent
    assert (sent.to, shop.sends()[0]["mode"]) == (PHONE, "sandbox")
    shop.receipt(Status.delivered, shop.sends()[0]["id"])
    finish(shop)
    assert crm.ends == [end("delivered")]


# -- an event of a workflow --------------------------------------------------------------------


def test_a_workflows_webhook_is_an_event_of_the_person_once_the_record_is_read(
    shop: Shop,
) -> None:
    ann = known(shop, ANN, "service")
    deliver(shop, {"vid": 901}, "/workflow?event=demo_booked")
    run(shop)
    assert shop.enrolments() == []
    with shop.store.write() as tx:
        told = {"title": "Tuesday at ten"}
        tx.run(
            """INSERT INTO crm_records (crm, object, record, fields, modified_at, read_at)
            VALUES ('hubspot', 'contact', '901', :fields, :at, :at)""",
            fields=json.dumps(told),
            at=shop.clock().isoformat(),
        )
    was_read(shop)
    run(shop)
    assert shop.go() == 1
    assert "Tuesday at ten" in shop.carrier.sent[0].text
    (heard,) = shop.rows("SELECT * FROM events WHERE source = 'hubspot'")
    assert (heard["state"], heard["contact_id"]) == ("done", ann)
    for _ in range(2):
        deliver(shop, {"vid": 901}, "/workflow?event=demo_booked")
        was_read(shop)
        run(shop)
    assert shop.go() == 0 and len(shop.enrolments()) == 1


def test_a_workflow_without_an_event_is_a_hint_alone(shop: Shop) -> None:
    deliver(shop, {"vid": 901}, "/workflow")
    was_read(shop)
    run(shop)
    assert shop.rows("SELECT * FROM errands") == []
    assert shop.rows("SELECT * FROM events") == []


def test_an_event_about_a_deal_is_heard_for_each_person_on_it(shop: Shop) -> None:
    known(shop, ANN, "service")
    deliver(shop, {"dealId": 7, "event": "demo_booked"}, "/workflow")
    with shop.store.write() as tx:
        tx.run(
            """INSERT INTO crm_records (crm, object, record, fields, people, modified_at, read_at)
            VALUES ('hubspot', 'deal', '7', '{"title": "x"}', '["901", "902"]', :at, :at)""",
            at=shop.clock().isoformat(),
        )
    was_read(shop)
    run(shop)
    heard = shop.rows("SELECT payload FROM events WHERE source = 'hubspot' ORDER BY id")
    people = [json.loads(row["payload"])["item"]["person"] for row in heard]
    assert people == ["901", "902"]


# -- keeping -----------------------------------------------------------------------------------


def test_an_errand_is_known_for_ninety_days_and_whom_it_was_about_no_longer_than_it_lasts(
    shop: Shop,
) -> None:
    wants(shop, template="welcome")
    assert [row["record"] for row in shop.rows("SELECT * FROM errands")] == [""]
    shop.tick(ledger.KEPT)
    tidy(shop.rt)
    assert len(shop.rows("SELECT * FROM errands")) == 1
    shop.tick(SECOND)
    tidy(shop.rt)
    assert shop.rows("SELECT * FROM errands") == []
