"""``connector contact``: a person shown, found by any name, and a wrong merge taken apart."""

from __future__ import annotations

import pytest

from connector.ledger import contacts, merges
from connector.ledger.store import Tx
from tests.cli.conftest import Shop
from tests.ledger import build
from tests.ledger.build import at


@pytest.mark.parametrize("who", ["con_1", "user:u1", "ann1@shop.example", "(415) 555-0123"])
def test_a_person_is_shown_by_any_name(shop: Shop, who: str) -> None:
    code, text = shop.run("contact", "show", who)
    assert code == 0
    assert text.startswith("con_1\n")
    assert "everything stopped since 2026-11-20 16:05Z, by reply" in text
    assert "user_id u1" in text


def test_a_person_is_masked_until_asked_for_in_full(shop: Shop) -> None:
    for args in ((), ("--json",)):
        code, text = shop.run("contact", "show", "con_1", *args)
        assert code == 0
        assert build.PHONE not in text
        assert "ann1@" not in text
        full = shop.run("contact", "show", "con_1", "--full", *args)[1]
        assert build.PHONE in full
        assert "ann1@shop.example" in full


def test_a_household_is_shown_person_by_person(shop: Shop) -> None:
    shop.write(lambda tx: build.contact(tx, "2"))
    assert [item["id"] for item in shop.json("contact", "show", build.PHONE)] == ["con_1", "con_2"]


def test_nobody_ends_with_3_and_nonsense_with_2(shop: Shop) -> None:
    assert shop.run("contact", "show", "con_none")[0] == 3
    assert shop.run("contact", "show", "user:nobody")[0] == 3
    assert shop.run("contact", "show", "12")[0] == 2


def test_contacts_are_listed_newest_first(shop: Shop, empty: Shop) -> None:
    shop.write(lambda tx: build.contact(tx, "2", phone=""))
    assert [item["id"] for item in shop.json("contact", "list")] == ["con_2", "con_1"]
    code, text = shop.run("contact", "list", "--limit", "1", width=80)
    assert code == 0
    assert "con_1" not in text


def test_an_empty_ledger_lists_nobody_and_no_merge(empty: Shop) -> None:
    assert empty.run("contact", "list")[0] == 3
    assert empty.run("contact", "merges")[0] == 3


@pytest.fixture
def merged(shop: Shop) -> Shop:
    """Ann was merged into Bea."""

    def act(tx: Tx) -> None:
        build.contact(tx, "2", phone="")
        merges.merge(tx, "con_2", "con_1", "evt_9", at(500), merge_id="mrg_1")

    shop.write(act)
    return shop


def test_a_merge_is_listed_with_its_proof_and_what_moved(merged: Shop) -> None:
    _, text = merged.run("contact", "merges")
    assert "con_1 became part of con_2" in text
    assert "proven by evt_9" in text
    assert "1 sends" in text
    assert merged.json("contact", "merges")[0]["moved"]["enrolments"] == 1


def test_a_split_gives_the_rows_back_and_owes_the_crm_both(merged: Shop) -> None:
    code, text = merged.run("contact", "split", "mrg_1")
    assert code == 0
    assert "con_1 is a contact of its own again." in text
    assert "1 enrolments" in text
    assert merged.one("SELECT contact_id FROM sends WHERE id = 'snd_1'") == "con_1"
    owed = "SELECT count(*) FROM writebacks WHERE state = 'owed' AND kind = 'fields'"
    assert merged.one(owed) == 2
    assert ", undone 2026-11-20 18:10Z" in merged.run("contact", "merges")[1]


def test_a_split_is_done_once(merged: Shop) -> None:
    assert merged.run("contact", "split", "mrg_none")[0] == 3
    assert merged.run("contact", "split", "mrg_1")[0] == 0
    assert merged.run("contact", "split", "mrg_1")[0] == 1


def test_several_records_with_one_number_are_told_with_where_each_text_stands(shop: Shop) -> None:
    def several(tx: Tx) -> None:
        build.contact(tx, "2")
        for contact_id, record in (("con_1", "901"), ("con_2", "902")):
            name = ("crm_id", f"hubspot:{record}", contact_id, "", at(0))
            contacts.link(tx, *name, confirmed=True, link_id=f"lnk_{record}")

    shop.write(several)
    told = (
        "shared by con_1 (record 901 of hubspot) and con_2 (record 902 of hubspot): consent and "
        "limits are the number's, and each text, with what is replied to it, stands on the record "
        "of whom it was for"
    )
    for args in (("contact", "show", "con_2"), ("explain", "con_2"), ("explain", build.PHONE)):
        code, text = shop.run(*args)
        assert code == 0
        assert told in " ".join(text.split()), args
    [number] = shop.json("contact", "show", "con_2")[0]["numbers"]
    assert [each["crm_id"] for each in number["shared"]] == ["hubspot:901", "hubspot:902"]


def test_of_several_records_of_one_person_the_one_written_to_is_named(shop: Shop) -> None:
    def several(tx: Tx) -> None:
        for hour, record in enumerate(("00Q1", "0031")):
            name = ("crm_id", f"salesforce:{record}", "con_1", "", at(hour))
            contacts.link(tx, *name, confirmed=True, link_id=f"lnk_{record}")

    shop.write(several)
    text = " ".join(shop.run("contact", "show", "con_1")[1].split())
    assert "record 0031 of salesforce, of 2 the one that the CRM confirmed last" in text
