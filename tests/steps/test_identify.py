"""Who is who: what decides, what only attaches, what merges, and what a browser may not."""

from __future__ import annotations

import pytest

from connector.ledger import merges
from connector.model import Subject
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, OTHER, PHONE, Shop, said

BOB = Subject(user_id="bob", phone=PHONE)
EMAIL = "ann@corner.example"


def who(shop: Shop, source: str = "backend", **subject: str) -> str:
    """The contact that an event about a subject is laid to."""
    return shop.tell("page_viewed", Subject(**subject), source=source)


def known(shop: Shop, user_id: str, anonymous_id: str, source: str = "backend") -> str:
    """Somebody signs in: an identify that names both."""
    return shop.tell(
        "identified",
        Subject(user_id=user_id, anonymous_id=anonymous_id),
        source=source,
        type="identify",
        merges=Subject(anonymous_id=anonymous_id),
    )


def alias(shop: Shop, user_id: str, previous: str, source: str = "backend") -> str:
    """An alias: two ids are one person."""
    return shop.tell(
        "identity_joined",
        Subject(user_id=user_id),
        source=source,
        type="alias",
        merges=Subject(user_id=previous, anonymous_id=previous),
    )


def count(shop: Shop) -> int:
    """Contacts that were not merged away."""
    return len(shop.rows("SELECT 1 FROM contacts WHERE merged_into IS NULL"))


# -- what decides ------------------------------------------------------------------------------


def test_the_same_user_id_is_the_same_person_whatever_else_is_said(shop: Shop) -> None:
    ann = who(shop, user_id="ann", phone=PHONE)
    assert who(shop, user_id="ann", phone=OTHER, email=EMAIL) == ann
    assert shop.names(ann) == {
        ("user_id", "ann"),
        ("phone", PHONE),
        ("phone", OTHER),
        ("email", EMAIL),
    }


def test_the_same_crm_id_is_the_same_person_and_each_crm_counts_for_itself(shop: Shop) -> None:
    ann = who(shop, crm="hubspot", crm_id="7", email=EMAIL)
    assert who(shop, crm="hubspot", crm_id="7", user_id="ann") == ann
    assert who(shop, crm="salesforce", crm_id="7") != ann
    assert who(shop, user_id="ann", crm="salesforce", crm_id="8") == ann


def test_where_user_id_and_crm_id_name_two_people_the_user_id_decides_and_nobody_is_merged(
    shop: Shop,
) -> None:
    ann = who(shop, user_id="ann")
    bob = who(shop, crm="hubspot", crm_id="7")
    assert who(shop, user_id="ann", crm="hubspot", crm_id="7") == ann
    assert shop.bearers("crm_id", "hubspot:7") == {bob}
    assert count(shop) == 2


def test_a_user_id_nobody_bears_is_another_name_of_the_crm_record_it_comes_with(
    shop: Shop,
) -> None:
    ann = who(shop, user_id="ann", crm="hubspot", crm_id="7")
    assert who(shop, user_id="ann-2", crm="hubspot", crm_id="7") == ann
    assert shop.bearers("user_id", "ann-2") == {ann}


def test_the_same_id_at_two_sources_is_the_same_person(shop: Shop) -> None:
    assert who(shop, user_id="ann") == who(shop, "site", user_id="ann")


# -- phone and e-mail only attach --------------------------------------------------------------


@pytest.mark.parametrize("name", [{"phone": PHONE}, {"email": EMAIL}])
def test_a_phone_or_email_attaches_where_exactly_one_contact_bears_it(
    shop: Shop, name: dict[str, str]
) -> None:
    ann = who(shop, user_id="ann", **name)
    assert who(shop, **name) == ann
    assert who(shop, crm="hubspot", crm_id="7", **name) == ann


def test_what_a_shared_number_says_without_a_name_is_laid_to_one_contact(shop: Shop) -> None:
    named = {who(shop, user_id="ann", phone=PHONE), who(shop, user_id="bob", phone=PHONE)}
    nameless = who(shop, phone=PHONE)
    assert nameless not in named
    assert who(shop, phone=PHONE) == nameless


def test_another_user_id_on_the_same_number_is_another_person_in_one_household(shop: Shop) -> None:
    ann = shop.tell("identified", ANN)
    bob = shop.tell("identified", BOB)
    assert ann != bob
    assert shop.bearers("phone", PHONE) == {ann, bob}
    assert count(shop) == 2


def test_another_id_of_the_same_crm_is_another_person_too(shop: Shop) -> None:
    ann = who(shop, crm="hubspot", crm_id="7", phone=PHONE)
    assert who(shop, crm="hubspot", crm_id="8", phone=PHONE) != ann


def test_an_event_with_a_households_number_alone_is_laid_to_none_of_them(shop: Shop) -> None:
    ann, bob = shop.tell("identified", ANN), shop.tell("identified", BOB)
    somebody = who(shop, phone=PHONE)
    assert somebody not in (ann, bob)


def test_a_phone_and_an_email_that_name_two_people_name_nobody(shop: Shop) -> None:
    ann = who(shop, user_id="ann", phone=PHONE)
    bob = who(shop, user_id="bob", email=EMAIL)
    assert who(shop, phone=PHONE, email=EMAIL) not in (ann, bob)


def test_a_phone_and_an_email_of_one_person_name_that_person(shop: Shop) -> None:
    ann = who(shop, user_id="ann", phone=PHONE, email=EMAIL)
    assert who(shop, phone=PHONE, email=EMAIL) == ann
    assert who(shop, phone=PHONE, email="new@corner.example") == ann


# -- browsers ----------------------------------------------------------------------------------


def test_a_visitor_who_signs_in_stays_one_person(shop: Shop) -> None:
    visitor = who(shop, "site", anonymous_id="a-1")
    assert who(shop, "site", anonymous_id="a-1", user_id="ann") == visitor
    assert who(shop, "site", user_id="ann") == visitor
    assert count(shop) == 1


def test_a_browser_never_merges(shop: Shop) -> None:
    ann = who(shop, user_id="ann")
    visitor = who(shop, "site", anonymous_id="a-1")
    assert known(shop, "ann", "a-1", "site") == ann
    assert alias(shop, "ann", "a-1", "site") == ann
    assert who(shop, "site", anonymous_id="a-1") == visitor
    assert shop.rows("SELECT * FROM merges") == []


def test_a_browser_confirms_nothing(shop: Shop) -> None:
    who(shop, user_id="ann", phone=PHONE)
    who(shop, user_id="ann", phone=OTHER)
    who(shop, "site", user_id="ann", email=EMAIL)
    confirmed = shop.rows("SELECT value FROM identities WHERE confirmed_at IS NOT NULL")
    assert {row["value"] for row in confirmed} == {"ann", PHONE, OTHER}


# -- a shared device ---------------------------------------------------------------------------


def test_a_device_that_two_people_share_is_not_two_people_in_one(shop: Shop) -> None:
    ann = known(shop, "ann", "a-1")
    bob = known(shop, "bob", "a-1")
    assert ann != bob
    assert known(shop, "ann", "a-1") == ann
    assert known(shop, "bob", "a-1") == bob
    assert shop.bearers("anonymous_id", "a-1") == {ann}
    assert shop.rows("SELECT * FROM merges") == []


def test_on_a_shared_device_the_second_person_may_be_known_already(shop: Shop) -> None:
    ann, bob = who(shop, user_id="ann"), who(shop, user_id="bob")
    known(shop, "ann", "a-1")
    assert known(shop, "bob", "a-1") == bob
    assert shop.bearers("anonymous_id", "a-1") == {ann}


# -- merges ------------------------------------------------------------------------------------


def test_a_trusted_identify_merges_the_visitor_into_the_known_person(shop: Shop) -> None:
    visitor = who(shop, "site", anonymous_id="a-1")
    ann = who(shop, user_id="ann")
    assert known(shop, "ann", "a-1") == ann
    assert who(shop, "site", anonymous_id="a-1") == ann
    [merge] = shop.rows("SELECT * FROM merges")
    assert (merge["winner"], merge["loser"], merge["event_id"]) == (ann, visitor, "evt_0003")
    assert ("merge", "anonymous_id", "a-1") in [
        (row["act"], row["kind"], row["value"]) for row in shop.rows("SELECT * FROM identity_links")
    ]


def test_an_alias_merges_whoever_bore_the_previous_id(shop: Shop) -> None:
    old = who(shop, user_id="ann@old")
    ann = who(shop, user_id="ann")
    assert alias(shop, "ann", "ann@old") == ann
    assert who(shop, user_id="ann@old") == ann
    assert shop.rows("SELECT loser FROM merges") == [{"loser": old}]
    assert alias(shop, "ann", "ann@old") == ann, "again does nothing"
    assert len(shop.rows("SELECT * FROM merges")) == 1


def test_an_alias_of_an_id_nobody_bears_merges_nobody(shop: Shop) -> None:
    alias(shop, "ann", "unknown")
    assert shop.rows("SELECT * FROM merges") == []


def test_enrolments_texts_consents_and_caps_follow_a_merge(shop: Shop) -> None:
    visitor = shop.tell(
        "signed_up", Subject(anonymous_id="a-1", phone=PHONE), consents=(said("marketing"),)
    )
    assert shop.go() == 1
    shop.tell("cart_updated", Subject(anonymous_id="a-1"), key="c-1")
    ann = who(shop, user_id="ann")
    known(shop, "ann", "a-1")
    assert {row["contact_id"] for row in shop.enrolments()} == {ann}
    assert {row["contact_id"] for row in shop.sends()} == {ann}
    assert ("phone", PHONE) in shop.names(ann)
    assert shop.names(visitor) == set()
    assert shop.live().live == {"marketing"}
    assert shop.go(HOUR) == 1, "her reminder goes on"
    assert shop.carrier.sent[-1].to == PHONE


def test_the_goal_of_a_visitor_is_reached_by_the_person_they_became(shop: Shop) -> None:
    shop.tell("cart_updated", Subject(anonymous_id="a-1"), key="c-1")
    who(shop, user_id="ann")
    known(shop, "ann", "a-1")
    shop.tick(MINUTE)
    shop.tell("order_completed", Subject(user_id="ann"))
    assert [row["goal_kind"] for row in shop.enrolments()] == ["goal_before_text", ""]


def test_a_merge_can_be_undone_and_everybody_has_their_own_again(shop: Shop) -> None:
    visitor = shop.tell("cart_updated", Subject(anonymous_id="a-1", phone=PHONE), key="c-1")
    ann = who(shop, user_id="ann", email=EMAIL)
    before = (shop.names(ann), shop.names(visitor))
    known(shop, "ann", "a-1")
    [merge] = shop.rows("SELECT id FROM merges")
    with shop.store.write() as tx:
        merges.undo(tx, merge["id"], NOW + DAY)
    assert (shop.names(ann), shop.names(visitor)) == before
    assert [row["contact_id"] for row in shop.enrolments()] == [visitor]
    assert who(shop, anonymous_id="a-1") == visitor


# -- what is kept ------------------------------------------------------------------------------


def test_each_link_is_kept_with_the_event_that_proved_it(shop: Shop) -> None:
    who(shop, user_id="ann")
    who(shop, user_id="ann", phone=PHONE)
    who(shop, user_id="ann", phone=PHONE)
    links = shop.rows("SELECT kind, event_id FROM identity_links ORDER BY id")
    assert [(row["kind"], row["event_id"]) for row in links] == [
        ("user_id", "evt_0001"),
        ("phone", "evt_0002"),
    ]


def test_the_first_and_last_visit_stay_through_signing_in(shop: Shop) -> None:
    shop.tell("page_viewed", Subject(anonymous_id="a-1"), source="site", visit={"campaign": "x"})
    shop.tick(MINUTE)
    shop.tell("page_viewed", ANN, visit={"campaign": "y"})
    known(shop, "ann", "a-1")
    [kept] = shop.rows("SELECT first_visit, last_visit FROM contacts WHERE merged_into IS NULL")
    assert kept == {"first_visit": '{"campaign":"x"}', "last_visit": '{"campaign":"y"}'}
