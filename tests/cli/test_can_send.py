"""``connector can-send``: the gate's answer before anybody sends, with all that is against it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli import cli
from tests.cli.conftest import Shop
from tests.ledger import build

FLORIDA = "+13055550123"
NIGHT = "2026-11-20T20:50-05:00"
DAY = "2026-11-20T12:00-05:00"  # a Friday


def asked(shop: Shop, *args: str, number: str = FLORIDA) -> dict[str, Any]:
    (found,) = shop.json("can-send", number, *args)
    return found


def reasons(found: dict[str, Any]) -> list[str]:
    return [item["reason"] for item in found["objections"]]


def test_without_consent_nothing_may_go_and_with_it_it_may(empty: Shop) -> None:
    found = asked(empty, "--at", DAY)
    assert (found["verdict"], reasons(found)) == ("stop", ["no_consent"])
    found = asked(empty, "--at", DAY, "--suppose-consent")
    assert (found["verdict"], reasons(found), found["until"]) == ("send", [], None)
    assert found["consents"] == ["marketing"]
    wording = ("--method", "paper", "--wording", "Text me")
    assert empty.run("consent", "grant", FLORIDA, *wording)[0] == 0
    assert asked(empty, "--at", DAY)["verdict"] == "send"
    assert reasons(asked(empty, "--at", DAY, "--scope", "cart_reminders")) == ["no_consent"]


def test_at_night_it_must_wait_for_the_first_lawful_minute_in_every_zone(empty: Shop) -> None:
    night = ("--at", "2026-11-20T20:50-05:00", "--suppose-consent")
    found = asked(empty, *night)
    assert (found["verdict"], reasons(found)) == ("wait", ["quiet_hours"])
    assert set(found["zones"]) == {"America/New_York", "America/Chicago"}, "Florida has two"
    assert found["next_at"] == found["until"] == "2026-11-21T14:00:00.000000Z"
    assert found["rules"] == ["US-FL"]
    assert [(row["place"], row["hours"]) for row in found["law"]] == [
        *(("US-FL", "08:00–20:00"), ("US", "08:00–21:00"))
    ]
    assert found["law"][0]["source"].startswith("Fla. Stat. 501.616(6)")
    assert found["law"][0]["valid_from"] == "2021-07-01"
    stated = asked(empty, *night, "--zone", "America/Chicago")
    assert stated["until"] == "2026-11-21T14:00:00.000000Z"
    assert asked(empty, "--at", "2026-11-20T19:40-06:00", "--suppose-consent")["verdict"] == "wait"
    at = ("--at", "2026-11-20T19:40-06:00", "--zone", "America/Chicago", "--suppose-consent")
    assert asked(empty, *at)["verdict"] == "send", "a zone that they stated decides alone"


def test_what_the_crm_may_name_counts_beside_the_number(empty: Shop) -> None:
    at = ("--at", "2026-11-22T11:00-06:00", "--suppose-consent")  # a Sunday
    assert asked(empty, *at)["verdict"] == "send"
    texas = asked(empty, *at, "--state", "TX")
    assert (texas["verdict"], texas["rules"]) == ("wait", ["US-FL", "US-TX"])
    assert texas["next_at"] == "2026-11-22T19:00:00.000000Z", "noon in El Paso too"
    assert asked(empty, *at, "--zip", "79901")["verdict"] == "wait"
    abroad = asked(empty, *at, "--country", "ZZ")
    assert (abroad["verdict"], reasons(abroad)) == ("stop", ["country_closed"])


def test_texts_that_are_supposed_count_in_the_caps_and_the_law(empty: Shop) -> None:
    sent = [
        word for hour in (13, 14, 15) for word in ("--suppose-sent", f"2026-11-20T{hour}:00-05:00")
    ]
    at = ("--at", "2026-11-20T17:00-05:00", "--suppose-consent")
    found = asked(empty, *at, *sent)
    assert (found["verdict"], reasons(found)) == ("wait", ["cap_full", "minimum_gap"])
    assert asked(empty, *at, "--purpose", "service", *sent)["verdict"] == "send"
    later = asked(empty, *at, "--suppose-sent", "2026-11-20T16:00-05:00")
    assert later["next_at"] == "2026-11-21T21:00:00.000000Z", "a day later"


def test_a_stop_is_told_whatever_is_supposed(empty: Shop) -> None:
    assert empty.run("consent", "revoke", FLORIDA)[0] == 0
    found = asked(empty, "--at", DAY, "--suppose-consent")
    assert (found["verdict"], reasons(found)) == ("stop", ["opted_out"])
    assert found["next_at"] is None


def test_of_several_who_bear_a_number_the_gravest_answer_counts(empty: Shop) -> None:
    at = ("--at", "2026-11-20T12:00-08:00", "--suppose-consent")
    empty.write(lambda tx: build.contact(tx, "1"))
    assert asked(empty, *at, number=build.PHONE)["verdict"] == "send"
    empty.write(lambda tx: build.contact(tx, "2", do_not_contact=True))
    found = asked(empty, *at, number=build.PHONE)
    assert (found["verdict"], reasons(found)) == ("stop", ["suppressed"])
    assert found["contacts"] == ["con_1", "con_2"]


def test_for_people_it_says_all_of_it_in_words(empty: Shop) -> None:
    code, text = empty.run("can-send", FLORIDA, "--at", NIGHT, "--suppose-consent")
    assert code == 0
    assert text.startswith("+1305***0123: a marketing text must wait\n")
    assert "quiet_hours: Outside the hours in" in text
    assert "It may go from 2026-11-21 14:00 UTC" in text
    assert "area code 305: Florida" in text
    assert "Florida 08:00–20:00 (Fla. Stat. 501.616(6)" in text


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--at", "noon"), "write 2026-11-20T10:00"),
        (("--zone", "Mars/Base"), "is no zone"),
        (("--state", "ZZ"), "is no state that is known"),
        (("--zip", "abc"), "is no ZIP that is known"),
        (("--at", DAY, "--suppose-sent", "2030-01-01T10:00"), "cannot be supposed"),
        (("--purpose", "system"), "Invalid value for '--purpose'"),
    ],
)
def test_what_cannot_be_read_is_named(empty: Shop, args: tuple[str, ...], says: str) -> None:
    code, text = empty.run("can-send", FLORIDA, *args)
    assert code == 2
    assert says in text


def test_replies_are_understood_one_a_line(empty: Shop) -> None:
    found = empty.json("reply", "classify", "STOP", "don't stop", "thanks!")
    assert [(item["label"], item["why"]) for item in found] == [
        ("opt_out", "exact"),
        ("hold", "negation"),
        ("none", "nothing"),
    ]
    assert empty.json("reply", "classify", "yes")[0]["label"] == "none"
    assert empty.json("reply", "classify", "--pending", "yes")[0]["label"] == "opt_in"
    code, text = empty.run("reply", "classify", "Wrong number")
    assert (code, text.splitlines()[1].split()[0]) == (0, "wrong_person")


def test_replies_come_from_a_file_too(empty: Shop) -> None:
    done = CliRunner().invoke(
        cli, ["reply", "classify", "-", "--json"], input="STOP\n\nwhen does the sale end?\n"
    )
    labels = [json.loads(line)["label"] for line in done.output.splitlines()]
    assert labels == ["opt_out", "none", "hold"]
