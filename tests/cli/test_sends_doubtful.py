"""``connector sends --doubtful`` lays out all that is known, and ``sends settle`` takes a word."""

from __future__ import annotations

import pytest

from connector.ledger import attempts, doubts, sends
from connector.ledger.store import Tx
from tests.cli.conftest import Shop
from tests.ledger import build
from tests.ledger.build import at


@pytest.fixture
def doubtful(shop: Shop) -> Shop:
    """One text that perhaps went, looked up once; its provider lists one of the same words."""

    def act(tx: Tx) -> None:
        build.send(tx, "3", cause_id="c", play="welcome", minutes=480)
        sends.begin(
            tx,
            "snd_3",
            text="Corner Shop: " + "welcome " * 12,
            language="en",
            encoding="gsm7",
            segments=1,
            provider="twilio",
            sender="+18005550100",
            channel="sms",
            phone=build.PHONE,
            at=at(480),
        )
        attempts.begin(tx, "snd_3", 1, at(480), provider="twilio", sender="+18005550100")
        sends.doubted(tx, "snd_3", "timeout", "")
        doubts.open_(tx, "snd_3", at(481), at(482))
        doubts.note(
            tx,
            "snd_3",
            looks=1,
            look_at=None,
            verdict="person",
            why="one text at the provider fits, but its words may be another system's",
            found=[
                {
                    "at": "2026-11-20T18:02:00.000000Z",
                    "attempt": 1,
                    "taken": True,
                    "by_reference": False,
                    "fits": ["SM-other"],
                    "others": 0,
                }
            ],
        )

    shop.write(act)
    return shop


def test_everything_known_of_a_doubtful_text_is_laid_out(doubtful: Shop) -> None:
    code, text = doubtful.run("sends", "--doubtful")
    assert code == 0
    for words in (
        "snd_3",
        "welcome, reminder",
        "“Corner Shop: welcome",
        "to twilio from +18005550100",
        "the provider did not answer in time",
        "found SM-other by number, words and time",
        "for a person to decide: one text at the provider fits",
        "callbacks    none",
        "In the log of twilio:",
        f"connector -C {doubtful.path} sends settle snd_3 --sent --provider-id ID --why",
        f"connector -C {doubtful.path} sends settle snd_3 --not-sent --why",
    ):
        assert words in text, words
    assert build.PHONE not in text


def test_programs_read_the_same(doubtful: Shop) -> None:
    [item] = doubtful.json("sends", "--doubtful")
    assert item["state"] == "uncertain"
    doubt = item["doubt"]
    assert sorted(doubt) == [
        *("attempts", "check", "heard", "looks", "next_look", "settle", "since", "verdict", "why"),
    ]
    assert (doubt["verdict"], doubt["next_look"]) == ("person", None)
    assert doubt["attempts"][0]["provider"] == "twilio"
    assert doubt["looks"][0]["fits"] == ["SM-other"]


def test_a_text_that_is_not_looked_into_yet_is_listed_too(doubtful: Shop) -> None:
    doubtful.write(lambda tx: tx.run("DELETE FROM doubts"))
    assert "about to be looked up" in doubtful.run("sends", "--doubtful")[1]


def test_said_to_have_gone_it_counts_and_the_word_is_kept(doubtful: Shop) -> None:
    code, text = doubtful.run(
        "sends", "settle", "snd_3", "--sent", "--provider-id", "SM3", "--why", "in its log"
    )
    assert (code, text) == (0, "snd_3 went.\n")
    assert doubtful.one("SELECT state || ' ' || provider_id FROM sends WHERE id = 'snd_3'") == (
        "accepted SM3"
    )
    assert doubtful.one("SELECT verdict FROM doubts") == "sent"
    assert doubtful.one("SELECT why FROM acts WHERE act = 'settled'") == "sent: in its log"
    assert doubtful.run("sends", "--doubtful")[0] == 3


def test_said_not_to_have_gone_it_is_planned_and_decided_afresh(doubtful: Shop) -> None:
    code, text = doubtful.run("sends", "settle", "snd_3", "--not-sent", "--why", "not there")
    assert code == 0
    assert "is decided afresh" in text
    assert doubtful.one("SELECT state FROM sends WHERE id = 'snd_3'") == "planned"
    assert doubtful.one("SELECT who FROM doubts") == doubtful.one(
        "SELECT who FROM acts WHERE act = 'settled'"
    )


def test_a_text_that_is_not_in_doubt_any_more_is_refused(doubtful: Shop) -> None:
    said = ("sends", "settle", "snd_3", "--sent", "--why", "in its log")
    assert doubtful.run(*said)[0] == 0
    code, text = doubtful.run(*said)
    assert code == 3
    assert "no doubtful text snd_3 (it is accepted)" in text


def test_an_id_that_is_another_texts_is_refused(doubtful: Shop) -> None:
    doubtful.write(lambda tx: tx.run("UPDATE sends SET provider = 'twilio' WHERE id = 'snd_1'"))
    taken = doubtful.one("SELECT provider_id FROM sends WHERE id = 'snd_1'")
    code, text = doubtful.run(
        "sends", "settle", "snd_3", "--sent", "--provider-id", taken, "--why", "in its log"
    )
    assert code == 1
    assert "another text's already" in text


@pytest.mark.parametrize(
    "args",
    [
        ("snd_3", "--why", "x"),
        ("snd_3", "--sent"),
        ("snd_3", "--not-sent", "--provider-id", "SM1", "--why", "x"),
    ],
)
def test_a_word_that_says_too_little_or_too_much_ends_with_2(
    doubtful: Shop, args: tuple[str, ...]
) -> None:
    assert doubtful.run("sends", "settle", *args)[0] == 2
