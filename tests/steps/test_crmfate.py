"""What becomes of a person's record in the CRM is followed: merged, converted, deleted, erased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.ledger import contacts, merges, writebacks
from connector.model import Fate, Hint, Subject
from connector.steps import owed
from connector.steps.consent import record_consent
from tests.steps.build import CART, DAY, HOUR, MINUTE, OTHER, PHONE, Shop
from tests.steps.desk import Desk, open_desk

OpenShop = Callable[..., Shop]


@pytest.fixture
def desk(open_shop: OpenShop) -> Desk:
    """A shop whose CRM was connected a minute ago."""
    shop = open_desk(open_shop)
    shop.reads()
    shop.tick(MINUTE)
    return shop


def record_of(desk: Desk, contact_id: str) -> str:
    """The record that is written to."""
    with desk.store.read() as tx:
        found = contacts.get(tx, contact_id)
    assert found is not None
    return found.crm_links.get("desk", "")


def both(desk: Desk) -> tuple[str, str]:
    """Two people of the CRM, each with a number; our ids of them."""
    desk.crm.put("1", phone=PHONE, plan="free", stage="Customer")
    desk.polls()
    desk.crm.put("2", phone=OTHER, plan="pro")
    desk.polls()
    [one], [two] = desk.bearers("crm_id", "desk:1"), desk.bearers("crm_id", "desk:2")
    return one, two


def test_two_records_merged_in_the_crm_are_one_person_here_written_to_where_it_lives_on(
    desk: Desk,
) -> None:
    one, two = both(desk)
    desk.hears(desk.crm.ends("1", Fate.merged, "2"))
    desk.reads()

    assert desk.bearers("phone", PHONE) == desk.bearers("phone", OTHER) == {two}
    assert desk.bearers("crm_id", "desk:1") == {two}, "what names the old record still finds them"
    assert record_of(desk, one) == record_of(desk, two) == "2"
    [merge] = desk.rows("SELECT * FROM merges")
    [proof] = desk.rows("SELECT * FROM events WHERE id = :id", id=merge["event_id"])
    assert (proof["source"], proof["type"], proof["state"]) == ("desk", "merge", "done")
    assert (desk.record("1")["fate"], desk.record("1")["became"]) == ("merged", "2")


def test_a_merge_told_again_by_hint_and_poll_is_followed_once_and_can_be_undone(
    desk: Desk,
) -> None:
    one, two = both(desk)
    desk.hears(desk.crm.ends("1", Fate.merged, "2"))
    desk.polls()
    [merge] = desk.rows("SELECT * FROM merges")
    with desk.store.write() as tx:
        assert merges.undo(tx, merge["id"], desk.clock()) == (two, one)
    desk.hears(replace(desk.crm.hints[-1], occurred_at=desk.clock()))
    desk.polls()

    assert desk.bearers("crm_id", "desk:1") == {one}
    assert len(desk.rows("SELECT * FROM merges")) == 1


def test_a_merge_is_followed_where_the_crm_itself_still_shows_the_old_record(desk: Desk) -> None:
    _, two = both(desk)
    desk.hears(Hint("desk", "contact", "1", desk.clock(), Fate.merged, "2"))
    desk.reads()
    assert desk.bearers("phone", PHONE) == {two}


def test_a_chain_of_merges_ends_at_the_record_that_lives(desk: Desk) -> None:
    both(desk)
    desk.crm.put("3", phone="+12125550103")
    desk.polls()
    [three] = desk.bearers("crm_id", "desk:3")
    desk.hears(desk.crm.ends("1", Fate.merged, "2"), desk.crm.ends("2", Fate.merged, "3"))
    desk.polls()

    assert desk.bearers("phone", PHONE) == desk.bearers("phone", OTHER) == {three}
    assert record_of(desk, three) == "3"


def test_a_converted_lead_goes_on_as_the_contact_with_stage_consent_and_play(
    open_shop: OpenShop,
) -> None:
    desk = open_desk(open_shop, CART)
    desk.reads()
    desk.tick(MINUTE)
    desk.crm.put("00Q1", "lead", phone=PHONE, stage="Lead")
    desk.polls()
    [lead] = desk.bearers("crm_id", "desk:00Q1")
    desk.consent()
    desk.tell("cart_updated", Subject(crm="desk", crm_id="00Q1"), key="c1")
    desk.crm.put("0031", phone=PHONE)
    desk.hears(desk.crm.ends("00Q1", Fate.converted, "0031", "lead"))
    desk.reads()

    [contact] = desk.bearers("crm_id", "desk:0031")
    with desk.store.read() as tx:
        known = contacts.get(tx, lead)
    assert known is not None
    assert (known.id, known.stage) == (contact, "lead")
    assert record_of(desk, lead) == "0031"
    assert desk.live().live == frozenset({"marketing"})
    assert desk.go(2 * HOUR) == 1


def test_a_record_that_nothing_was_known_of_takes_over_the_person_as_they_are(desk: Desk) -> None:
    desk.crm.put("00Q1", "lead", phone=PHONE, stage="Lead")
    desk.polls()
    [lead] = desk.bearers("crm_id", "desk:00Q1")
    desk.hears(Hint("desk", "lead", "00Q1", desk.clock(), Fate.converted, "0031"))
    desk.reads()
    assert desk.bearers("crm_id", "desk:0031") == {lead}
    assert desk.rows("SELECT * FROM merges") == []


def test_a_deleted_record_is_let_go_and_what_it_was_owed_is_parked(desk: Desk) -> None:
    desk.crm.put("1", phone=PHONE, plan="pro")
    desk.polls()
    [ann] = desk.bearers("crm_id", "desk:1")
    assert desk.facts(ann)["plan"] == "pro"
    with desk.store.write() as tx:
        owed.contact_changed(tx, "desk", ann, desk.clock())
    desk.hears(desk.crm.ends("1", Fate.deleted))
    desk.reads()

    assert record_of(desk, ann) == ""
    assert desk.facts(ann) == {}
    [row] = desk.rows("SELECT * FROM writebacks")
    assert (row["state"], row["code"]) == ("parked", writebacks.NO_RECORD)
    assert desk.record("1")["fate"] == "deleted"
    [link] = desk.rows("SELECT * FROM identity_links WHERE act = 'detach'")
    [proof] = desk.rows("SELECT * FROM events WHERE id = :id", id=link["event_id"])
    assert (proof["type"], proof["reason"]) == ("delete", "record_deleted")


def test_a_deletion_in_the_crm_stops_no_text(open_shop: OpenShop) -> None:
    desk = open_desk(open_shop, CART)
    desk.reads()
    desk.tick(MINUTE)
    desk.crm.put("1", phone=PHONE)
    desk.polls()
    desk.consent()
    desk.tell("cart_updated", Subject(crm="desk", crm_id="1"), key="c1")
    desk.hears(desk.crm.ends("1", Fate.deleted))
    desk.reads()
    assert desk.go(2 * HOUR) == 1


def test_a_record_that_is_restored_is_whose_it_was(desk: Desk) -> None:
    desk.crm.put("1", plan="pro")
    desk.polls()
    [ann] = desk.bearers("crm_id", "desk:1")
    desk.hears(desk.crm.ends("1", Fate.deleted))
    desk.reads()
    desk.tick(DAY)
    desk.hears(desk.crm.put("1", plan="max"))
    desk.reads()

    assert desk.bearers("crm_id", "desk:1") == {ann}
    assert desk.facts(ann)["plan"] == "max"


def test_a_deletion_that_was_undone_before_it_was_heard_of_is_none(desk: Desk) -> None:
    desk.crm.put("1", phone=PHONE)
    desk.polls()
    gone = desk.crm.ends("1", Fate.deleted)
    desk.crm.put("1", plan="pro")
    desk.hears(gone)
    desk.reads()
    assert len(desk.bearers("crm_id", "desk:1")) == 1


def test_who_is_erased_in_the_crm_by_law_is_erased_here_and_never_texted_again(
    desk: Desk,
) -> None:
    desk.crm.put("1", phone=PHONE, email="ann@corner.example", plan="pro")
    desk.polls()
    desk.consent()
    desk.hears(desk.crm.ends("1", Fate.erased))
    desk.reads()
    desk.polls()

    for table in ("identities", "contacts", "crm_records", "crm_history", "crm_facts", "crm_hints"):
        assert desk.rows(f"SELECT * FROM {table}") == [], table
    everything = str([desk.rows(f"SELECT * FROM {name}") for name in tables(desk)])
    assert PHONE not in everything
    assert "ann@corner.example" not in everything
    [act] = desk.rows("SELECT * FROM acts WHERE act = 'forgotten'")
    assert (act["who"], act["why"].partition(" (")[0]) == (
        "desk",
        "the CRM erased the person's record by law",
    )
    with desk.store.write() as tx:
        record_consent(
            tx,
            desk.rt,
            phone=PHONE,
            purpose="marketing",
            granted=True,
            method="web_form",
            now=desk.clock(),
        )
    assert desk.number()["blocked_scope"]


def test_an_erasure_of_somebody_never_read_is_nothing(desk: Desk) -> None:
    desk.hears(Hint("desk", "contact", "404", desk.clock(), Fate.erased))
    desk.reads()
    assert desk.waiting() == []
    assert desk.rows("SELECT * FROM acts WHERE act = 'forgotten'") == []


def test_a_record_that_means_nobody_here_is_erased_with_its_history(desk: Desk) -> None:
    desk.rt.sources = {name: each for name, each in desk.rt.sources.items() if name != "desk"}
    desk.crm.put("9", email="bea@corner.example", plan="free")
    desk.polls()
    desk.crm.put("9", plan="pro")
    desk.polls()
    assert desk.record("9")
    assert desk.history()
    desk.hears(desk.crm.ends("9", Fate.erased))
    desk.reads()
    assert desk.record("9") == {}
    assert desk.history() == []


def test_a_number_on_several_records_is_several_people_and_each_text_stands_where_it_came_from(
    open_shop: OpenShop,
) -> None:
    desk = open_desk(open_shop, CART)
    desk.reads()
    desk.tick(MINUTE)
    desk.crm.put("1", phone=PHONE)
    desk.crm.put("2", phone=PHONE)
    desk.polls()
    [one], [two] = desk.bearers("crm_id", "desk:1"), desk.bearers("crm_id", "desk:2")
    assert desk.bearers("phone", PHONE) == {one, two}
    desk.consent()
    desk.tell("cart_updated", Subject(crm="desk", crm_id="2"), key="c1")
    assert desk.go(2 * HOUR) == 1

    [send] = desk.sends()
    assert send["contact_id"] == two
    assert record_of(desk, two) == "2"
    desk.revoke()
    assert desk.live().live == frozenset()


def tables(desk: Desk) -> list[str]:
    return [row["name"] for row in desk.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
