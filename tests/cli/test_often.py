"""``connector check`` on a folder with a history: a play that begins for too many is named."""

from __future__ import annotations

from datetime import timedelta

from connector.ledger import enrolments
from connector.ledger.enrolments import Opening
from connector.ledger.store import Tx
from tests.cli.conftest import Shop
from tests.ledger import build

PEOPLE = 60


def people(tx: Tx) -> None:
    for number in range(PEOPLE):
        build.contact(tx, f"p{number}", phone="")


def begin(tx: Tx, play: str, count: int, days: int = 0) -> None:
    at = build.at() - timedelta(days=days)
    for number in range(count):
        opening = Opening(
            *(f"enr_{play}{number}{days}", play, "v1", f"con_p{number}", f"k{number}{days}"),
            *("sig_1", "live", None, at, at),
        )
        assert enrolments.open_(tx, opening, at)


def often(shop: Shop) -> list[tuple[str, str]]:
    (told,) = shop.json("check")
    found = [item for item in told["findings"] if item["code"] == "starts_too_often"]
    return [(item["file"], item["says"]) for item in found]


def test_a_play_that_began_for_more_than_a_fifth_of_all_is_named(empty: Shop) -> None:
    empty.write(people)
    empty.write(lambda tx: begin(tx, "cart_abandoned", 13))
    empty.write(lambda tx: begin(tx, "welcome", 12))
    assert often(empty) == [
        (
            "mappings/plays/cart_abandoned.toml",
            "It started for 13 of 60 active contacts (22 %).",
        )
    ]


def test_one_who_began_it_many_times_counts_once_and_what_was_long_ago_not(empty: Shop) -> None:
    empty.write(people)
    empty.write(lambda tx: begin(tx, "cart_abandoned", 10))
    empty.write(lambda tx: begin(tx, "cart_abandoned", 10, days=3))
    empty.write(lambda tx: begin(tx, "cart_abandoned", 40, days=31))
    assert often(empty) == []


def test_where_there_is_no_ledger_none_is_made(empty: Shop) -> None:
    assert often(empty) == []
    assert not (empty.path / "data" / "ledger.db").exists()
