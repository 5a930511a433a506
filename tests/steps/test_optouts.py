"""An opt-out reaches every record that bears the number, both ways, and drift is repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from connector.crms.local import merge_fields
from connector.ledger import consents, contacts
from connector.model import ConsentGiven, Json, Status, Subject
from connector.records import Writeback, Written
from connector.rules.consent import Standing
from connector.steps import crmfacts
from connector.steps.consent import opt_out
from connector.steps.drift import drift
from connector.steps.writeback import writeback
from tests.crms.quiet import QuietCrm
from tests.steps.build import ANN, DAY, HOUR, OTHER, PHONE, Shop

OpenShop = Callable[..., Shop]
FIELD = "sms_opt_out"
FREE = Standing(frozenset({"marketing"}), "")
GONE = Standing(frozenset(), "all")


class Crm(QuietCrm):
    """A CRM elsewhere, in which people tick and un-tick a box."""

    name = "local"

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Json]] = {}
        self.notes: list[tuple[str, str]] = []
        self.down = False

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        if self.down:
            raise OSError("away")
        return [self.records.get(self._of(subject)) for subject in subjects]

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        for change in changes:
            record = self.records.setdefault(change.contact_id, {})
            if change.kind == "fields":
                record.update(merge_fields(record, change.change))
            elif change.key.startswith("note:"):
                self.notes.append((change.contact_id, str(change.change["body"])))
        return [Written(change.id, ok=True, record=change.contact_id) for change in changes]

    def _of(self, subject: Subject) -> str:
        return subject.crm_id or next(iter(self.records), "")


class Office(Shop):
    """A shop with that CRM."""

    crm: Crm

    def tells(self, contact_id: str = "con_000001") -> None:
        """The CRM tells what it knows of a contact."""
        with self.store.write() as tx:
            crmfacts.learn(
                tx, self.rt, "local", contact_id, self.crm.records[contact_id], self.clock()
            )

    def ticks(self, value: Json, contact_id: str = "con_000001") -> None:
        """A person sets the box, and the CRM tells of it."""
        self.crm.records.setdefault(contact_id, {})[FIELD] = value
        self.tells(contact_id)

    def writes(self) -> None:
        """What is owed is written back."""
        self.tick(HOUR)
        writeback(self.rt)

    def box(self, contact_id: str = "con_000001") -> Json:
        return self.crm.records.get(contact_id, {}).get(FIELD)


@pytest.fixture
def office(tmp_path: Any) -> Any:
    from connector.rules.writeback import Field, fact

    crm = Crm()
    shop = Office(
        tmp_path,
        crms={"local": crm},
        crm_fields={"local": (Field(FIELD, fact("opted_out")),)},
        opt_out_fields={"local": FIELD},
    )
    shop.crm = crm
    shop.tell("signed_up")
    shop.consent()
    shop.writes()
    yield shop
    shop.close()


def test_a_box_ticked_in_the_crm_is_as_good_as_a_stop(office: Office) -> None:
    office.ticks(value=True)
    assert office.live() == GONE
    assert office.number()["blocked_by"] == "crm_field"
    with office.store.read() as tx:
        [*_, row] = consents.rows(tx, PHONE)
    assert (row["method"], row["source"]) == ("crm_field", "local")
    assert row["wording"] == "sms_opt_out was ticked in local"


def test_un_ticking_what_the_crm_ticked_gives_back_what_was_live(office: Office) -> None:
    office.ticks("true")
    office.writes()
    office.ticks("false")
    assert office.live() == FREE
    office.writes()
    assert office.crm.notes == []
    assert office.box() is False or office.box() == "false"


@pytest.mark.parametrize("before", [False, True])
def test_un_ticking_any_other_opt_out_is_ticked_again_with_a_note_why(
    office: Office, before: bool
) -> None:
    if before:
        office.ticks(value=True)
    office.reply("STOP")
    office.writes()
    assert office.box() is True
    office.ticks(value=False)
    assert office.live() == GONE
    office.writes()
    assert office.box() is True
    [(contact_id, body)] = office.crm.notes
    assert contact_id == "con_000001"
    assert "Only START from the number" in body
    assert PHONE not in body


def test_a_tick_that_was_just_made_is_not_written_over(office: Office) -> None:
    office.crm.records["con_000001"] = {FIELD: True}
    office.reply("hello")
    office.writes()
    assert office.box() is True
    assert office.live() == GONE


def test_a_crms_event_that_un_ticks_another_opt_out_is_answered_the_same(office: Office) -> None:
    office.reply("STOP")
    office.writes()
    office.crm.records["con_000001"][FIELD] = False
    unticked = ConsentGiven(PHONE, "all", True, "crm_field", "un-ticked by Bob")
    office.tell("contact_changed", consents=(unticked,))
    assert office.live() == GONE
    office.writes()
    assert office.box() is True
    assert len(office.crm.notes) == 1


def test_start_un_ticks_the_box_and_nothing_ticks_it_again(office: Office) -> None:
    office.reply("STOP")
    office.writes()
    assert office.box() is True
    office.reply("START")
    office.tells()
    assert office.live() == FREE
    office.writes()
    assert office.box() is False


def test_a_crm_that_tells_nothing_of_the_box_has_not_un_ticked_it(office: Office) -> None:
    office.ticks(value=True)
    office.crm.records["con_000001"] = {"name": "Ann"}
    office.tells()
    assert office.live() == GONE


def test_an_opt_out_reaches_every_contact_that_bears_the_number(office: Office) -> None:
    for user in ("u-2", "u-3", "u-4"):
        office.tell("signed_up", Subject(user_id=user, phone=PHONE))
    office.writes()
    office.reply("STOP")
    office.writes()
    boxes = {contact_id: record.get(FIELD) for contact_id, record in office.crm.records.items()}
    assert len(boxes) == 4
    assert set(boxes.values()) == {True}


def test_a_box_that_drifted_is_put_right_within_a_day(office: Office) -> None:
    office.reply("STOP")
    office.writes()
    office.crm.records["con_000001"][FIELD] = False
    office.tick(DAY)
    drift(office.rt)
    office.writes()
    assert office.box() is True
    assert office.live() == GONE


def test_a_tick_that_never_reached_the_crm_is_owed_again_within_a_day(office: Office) -> None:
    office.ticks(value=False)
    office.reply("STOP")
    with office.store.write() as tx:
        tx.run("UPDATE writebacks SET state = 'parked'")
    office.writes()
    assert office.box() is False
    office.tick(DAY)
    assert drift(office.rt) == 1
    office.writes()
    assert office.box() is True
    assert office.crm.notes == []


def test_a_tick_nobody_told_of_is_heard_within_a_day(office: Office) -> None:
    office.crm.records["con_000001"][FIELD] = True
    assert office.live() == FREE
    office.tick(DAY)
    drift(office.rt)
    assert office.live() == GONE


def test_the_crm_is_compared_once_a_day_and_again_after_it_was_away(office: Office) -> None:
    office.crm.records["con_000001"][FIELD] = True
    office.crm.down = True
    office.tick(DAY)
    drift(office.rt)
    assert office.live() == FREE
    office.crm.down = False
    drift(office.rt)
    assert office.live() == GONE
    office.crm.down = True
    assert drift(office.rt) == 0


@pytest.mark.parametrize("method", ["call", "email", "crm", "operator"])
def test_an_opt_out_by_a_call_or_an_e_mail_is_as_good_as_a_stop(
    office: Office, method: str
) -> None:
    with office.store.write() as tx:
        told = (PHONE, method, "no more, please", "operator:ann", "rang us")
        assert opt_out(tx, office.rt, *told, office.clock())
        assert not opt_out(tx, office.rt, *told, office.clock())
    assert office.live() == GONE
    office.consent("service")
    assert office.live() == GONE
    office.ticks(value=True)
    office.ticks(value=False)
    assert office.live() == GONE
    office.reply("START")
    assert office.live() == FREE


@pytest.mark.parametrize("method", ["call", "crm"])
def test_an_opt_out_of_marketing_by_a_call_ends_its_scopes_too(office: Office, method: str) -> None:
    office.consent("cart_reminders")
    office.consent("service")
    with office.store.write() as tx:
        opt_out(tx, office.rt, PHONE, method, "", "ann", "", office.clock(), purpose="marketing")
    assert office.live() == Standing(frozenset({"service"}), "marketing")


# -- what the provider says --------------------------------------------------------------------


def test_a_block_at_the_provider_is_taken_over_and_owed_to_the_crm(office: Office) -> None:
    office.consent("service")
    office.tell("order_completed", facts={"order_id": "o-1"})
    office.go(HOUR)
    sent = next(row["id"] for row in office.sends() if row["state"] == "accepted")
    office.receipt(Status.failed, sent, error_code="21610", reason="opted_out")
    assert office.live() == GONE
    assert office.number()["blocked_by"] == "provider"
    office.writes()
    assert office.box() is True


@pytest.mark.parametrize("said", ["STOP", "arret", "pare"])
def test_what_the_provider_took_for_a_stop_is_one_and_is_not_confirmed_twice(
    office: Office, said: str
) -> None:
    before = len(office.carrier.sent)
    office.reply(said, opt_out_type="STOP")
    office.dispatch()
    assert office.live() == GONE
    assert len(office.carrier.sent) == before


def test_our_own_tick_that_comes_back_ends_no_more_than_the_number_itself_did(
    office: Office,
) -> None:
    office.tell("signed_up", Subject(user_id=ANN.user_id, phone=OTHER))
    for phone in (PHONE, OTHER):
        office.consent("marketing", phone)
        office.consent("service", phone)
    office.ticks(False)
    office.reply("STOP")
    office.writes()
    assert office.box()
    office.tells()
    assert office.live() == GONE
    assert office.live(OTHER) == Standing(frozenset({"service"}), "marketing")


def test_a_note_in_the_crm_that_ends_marketing_is_lifted_by_no_newer_box(office: Office) -> None:
    office.consent("cart_reminders")
    with office.store.write() as tx:
        opt_out(
            tx, office.rt, PHONE, "crm_note", "", "api", "", office.clock(), purpose="marketing"
        )
    office.tick(HOUR)
    office.consent()
    assert office.live() == Standing(frozenset(), "marketing")


def test_a_stop_from_a_shared_number_reaches_the_other_numbers_of_each_who_may_have_said_it(
    office: Office,
) -> None:
    office.tell("signed_up", Subject(user_id=ANN.user_id, phone=OTHER))
    office.tell("signed_up", Subject(user_id="bob", phone=PHONE))
    office.consent("marketing", OTHER)
    office.reply("STOP")
    assert office.live(OTHER) == Standing(frozenset(), "marketing")


def test_one_number_of_two_that_stops_is_told_when_both_have(office: Office) -> None:
    office.tell("signed_up", Subject(user_id=ANN.user_id, phone=OTHER))
    office.consent("marketing", OTHER)
    with office.store.write() as tx:
        opt_out(tx, office.rt, OTHER, "call", "", "ann", "", office.clock())
        assert len(contacts.phones(contacts.identities(tx, "con_000001"))) == 2
    office.writes()
    assert not office.box()
