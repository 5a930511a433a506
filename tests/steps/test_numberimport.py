"""A number that its bearer lost: what waits is not sent, and the CRM asks for another one."""

from __future__ import annotations

from connector.rules.numberfile import DEACTIVATED, REASSIGNED, Entry
from connector.simulate.recorded_numbers import by_hand
from connector.steps import numberimport
from connector.steps.consent import By
from connector.steps.consentimport import File
from tests.steps.build import ANN, DAY, HOUR, PHONE, Shop

FILE = File("deact.csv", "0" * 64, "operator:c", "AT&T")


def take(shop: Shop, *entries: Entry, kind: str = DEACTIVATED) -> numberimport.Tally:
    """Import a file with these lines now; what it did."""
    rt = By(shop.rt.new_id, "local")
    *_, tally = numberimport.run(
        shop.store, rt, FILE, kind, list(enumerate(entries, 1)), shop.clock()
    )
    return tally


def waiting(shop: Shop) -> None:
    """Ann agreed, and left a cart."""
    shop.consent()
    shop.tick(HOUR)
    shop.tell("cart_updated", ANN, key="c-1")
    shop.walk()


def test_a_text_that_waits_for_a_number_that_was_switched_off_is_not_sent(shop: Shop) -> None:
    waiting(shop)
    assert take(shop, Entry(PHONE)).noted == 1
    assert shop.go(2 * HOUR) == 0
    told = shop.rows("SELECT verdict, reason FROM decided")
    assert {"verdict": "stop", "reason": "reassigned"} in told
    [enrolment] = shop.enrolments()
    assert enrolment["state"] == "ended"


def test_after_a_fresh_consent_in_the_same_words_it_is_texted_again(shop: Shop) -> None:
    waiting(shop)
    take(shop, Entry(PHONE))
    shop.tick(DAY)
    shop.consent()
    shop.tell("cart_updated", ANN, key="c-2")
    assert shop.go(2 * HOUR) == 1


def test_the_crm_has_a_task_to_ask_for_another_number_once(shop: Shop) -> None:
    waiting(shop)
    take(shop, Entry(PHONE))
    take(shop, Entry(PHONE))
    sql = "SELECT key, change FROM writebacks WHERE kind = 'task'"
    [task] = shop.rows(sql)
    assert "deactivated by its carrier" in task["change"]
    assert PHONE not in task["key"] + task["change"]


def test_a_number_that_only_a_profile_holds_is_of_somebody_too(shop: Shop) -> None:
    shop.tell("seen", ANN)
    assert take(shop, Entry(PHONE)).noted == 1


def test_nobody_is_asked_for_another_number_where_somebody_has_agreed_to_texts_since(
    shop: Shop,
) -> None:
    waiting(shop)
    shop.rt.crm = "local"
    assert take(shop, Entry(PHONE, since=shop.clock() - DAY)).noted == 1
    assert shop.rows("SELECT 1 FROM writebacks WHERE kind = 'task'") == []


def test_a_replay_of_the_ledger_tells_the_same_of_the_number(shop: Shop) -> None:
    waiting(shop)
    take(shop, Entry(PHONE, since=shop.clock() - DAY))
    [line] = by_hand(shop.store)
    assert (line["kind"], line["phone"], line["how"]) == ("reassign", PHONE, DEACTIVATED)
    assert line["why"] == "AT&T"
    shop.tick(DAY)
    take(shop, Entry(PHONE), kind=REASSIGNED)
    *_, newest = by_hand(shop.store)
    assert (newest["kind"], newest["how"]) == ("reassign", "")
