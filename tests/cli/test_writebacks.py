"""``connector writebacks``: what the CRM is owed and refused."""

from __future__ import annotations

from datetime import timedelta

from connector.ledger import acts, alarms, claims, writebacks
from connector.ledger.store import Tx
from connector.ledger.writebacks import Outage, Refusal
from connector.records import Owed
from tests.cli.conftest import Shop
from tests.ledger import build

NOW = build.at() + timedelta(hours=8)
GONE = Refusal("VALIDATION_ERROR: there is no sms_score", "VALIDATION_ERROR", "Make the property.")


def owe(tx: Tx, key: str, contact: str = "con_ann", kind: str = "activity") -> None:
    writebacks.owe(tx, "hubspot", contact, Owed(kind, key), NOW)


def refused(tx: Tx, refusal: Refusal = GONE) -> None:
    """One change that the CRM refused, one that it may have made, one that waits."""
    owe(tx, "send:snd_1")
    [taken] = claims.claim(tx, "hubspot", NOW, 10)
    writebacks.park(tx, taken, refusal, NOW)
    owe(tx, "send:snd_2", "con_bob")
    [taken] = claims.claim(tx, "hubspot", NOW, 10)
    writebacks.retry(tx, taken, NOW + timedelta(hours=9), Refusal("timed out"), in_doubt=True)
    owe(tx, "fields:con_cid", "con_cid", "fields")
    alarms.add(tx, "writeback_parked", "hubspot", "Refused.", NOW, alarm_id="alm_1")


def test_nothing_owed_is_said_with_an_exit_code_of_its_own(empty: Shop) -> None:
    code, text = empty.run("writebacks", "list")
    assert (code, text.strip()) == (3, "Error: no CRM is owed any such thing")


def test_what_is_owed_refused_and_in_doubt_is_listed_with_the_crms_words(empty: Shop) -> None:
    empty.write(refused)
    found = {item["id"]: item for item in empty.json("writebacks", "list")}
    parked, doubtful = found["hubspot:send:snd_1"], found["hubspot:send:snd_2"]
    assert (parked["state"], parked["code"]) == ("parked", "VALIDATION_ERROR")
    assert (parked["error"], parked["remedy"]) == (GONE.error, GONE.remedy)
    assert (doubtful["in_doubt"], doubtful["tries"], doubtful["contact"]) == (True, 1, "con_bob")
    assert (found["hubspot:fields:con_cid"]["what"], len(found)) == ("the fields", 3)
    code, text = empty.run("writebacks")
    assert (code, "a text, owed, in doubt" in text, "→ Make the property." in text) == (
        0,
        True,
        True,
    )


def test_the_list_is_narrowed_by_state_doubt_code_crm_and_person(empty: Shop) -> None:
    empty.write(build.cart_story)
    empty.write(refused)
    ids = {
        options: [item["id"] for item in empty.json("writebacks", "list", *options)]
        for options in (
            ("--parked",),
            ("--doubtful",),
            ("--code", "VALIDATION_ERROR"),
            ("--crm", "hubspot", "--limit", "1"),
        )
    }
    assert ids == {
        ("--parked",): ["hubspot:send:snd_1"],
        ("--doubtful",): ["hubspot:send:snd_2"],
        ("--code", "VALIDATION_ERROR"): ["hubspot:send:snd_1"],
        ("--crm", "hubspot", "--limit", "1"): ["hubspot:fields:con_cid"],
    }
    contact = empty.one("SELECT id FROM contacts LIMIT 1")
    assert empty.run("writebacks", "list", "--contact", contact, "--crm", "hubspot")[0] == 3
    empty.write(lambda tx: owe(tx, "send:snd_3", contact))
    told = empty.json("writebacks", "list", "--contact", contact, "--crm", "hubspot")
    assert [item["id"] for item in told] == ["hubspot:send:snd_3"]


def test_what_was_refused_is_tried_again_at_once_and_its_alarm_is_over(empty: Shop) -> None:
    empty.write(refused)
    stopped = Outage(3, NOW + timedelta(hours=9), NOW)
    empty.write(lambda tx: writebacks.note_outage(tx, "hubspot", stopped))
    code, text = empty.run("writebacks", "retry", "--parked", "--code", "VALIDATION_ERROR")
    assert (code, "1 change is due now" in text) == (0, True)
    assert empty.one("SELECT count(*) FROM writebacks WHERE state = 'parked'") == 0
    due = empty.write(lambda tx: writebacks.next_due(tx, "hubspot", timedelta(hours=1)))
    assert due is not None and due <= NOW + timedelta(minutes=10), "the pause is over too"
    assert empty.write(alarms.counts) == {}
    [kept] = empty.write(lambda tx: acts.of(tx, "writebacks"))
    assert (kept["act"], kept["why"]) == ("retry", "1, VALIDATION_ERROR")


def test_what_is_being_written_this_moment_is_left_alone(empty: Shop) -> None:
    empty.write(lambda tx: owe(tx, "send:snd_1"))
    empty.write(lambda tx: claims.claim(tx, "hubspot", NOW, 10))
    code, text = empty.run("writebacks", "retry", "hubspot:send:snd_1")
    assert (code, "0 changes are due now" in text) == (0, True)
    assert empty.one("SELECT leased_until FROM writebacks") is not None


def test_a_dropped_change_is_gone_and_who_dropped_it_is_kept(empty: Shop) -> None:
    empty.write(refused)
    code, text = empty.run("writebacks", "drop", "hubspot:send:snd_1")
    assert (code, "--why" in text) == (2, True)
    code, text = empty.run("writebacks", "drop", "hubspot:send:snd_1", "--why", "told by hand")
    assert (code, text.strip()) == (0, "1 change is dropped.")
    assert "hubspot:send:snd_1" not in [item["id"] for item in empty.json("writebacks", "list")]
    [kept] = empty.write(lambda tx: acts.of(tx, "writeback:hubspot:send:snd_1"))
    assert (kept["act"], kept["why"]) == ("drop", "told by hand")


def test_a_dropped_change_that_may_have_been_made_is_still_looked_up_when_owed_again(
    empty: Shop,
) -> None:
    empty.write(refused)
    empty.run("writebacks", "drop", "hubspot:send:snd_2", "--why", "told by hand")
    empty.write(lambda tx: owe(tx, "send:snd_2", "con_bob"))
    [taken] = empty.write(
        lambda tx: [
            item
            for item in claims.claim(tx, "hubspot", NOW + timedelta(hours=10), 10)
            if item.key == "send:snd_2"
        ]
    )
    assert taken.in_doubt


def test_unknown_ids_and_no_choice_are_refused(empty: Shop) -> None:
    empty.write(refused)
    code, text = empty.run("writebacks", "retry", "hubspot:send:nobody")
    assert (code, "hubspot:send:nobody" in text) == (3, True)
    code, text = empty.run("writebacks", "drop", "--why", "all of it")
    assert (code, "name ids, or say --parked" in text) == (2, True)
