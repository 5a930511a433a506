"""``connector sends``: the newest texts, by state, play and time, in the width there is."""

from __future__ import annotations

import pytest

from connector.ledger import sends
from connector.ledger.store import Tx
from tests.cli.conftest import Shop
from tests.ledger import build
from tests.ledger.build import at


@pytest.fixture
def texts(shop: Shop) -> Shop:
    """The delivered text of the story, one stopped, one that perhaps went."""

    def act(tx: Tx) -> None:
        build.send(tx, "2", cause_id="b", minutes=470)
        sends.close(tx, "snd_2", "cancelled", "no_consent", at(470))
        build.accept(tx, build.send(tx, "3", cause_id="c", play="welcome", minutes=480), 480)
        tx.run("UPDATE sends SET state = 'uncertain' WHERE id = 'snd_3'")

    shop.write(act)
    return shop


def ids(shop: Shop, *args: str) -> list[str]:
    return [item["id"] for item in shop.json("sends", *args)]


def test_texts_are_listed_newest_first_with_what_became_of_them(texts: Shop) -> None:
    code, text = texts.run("sends")
    assert code == 0
    heading, *lines = text.splitlines()
    assert heading.split()[:4] == ["id", "when", "to", "what"]
    assert [line.split()[0] for line in lines] == ["snd_3", "snd_2", "snd_1"]
    assert "cart_abandoned, reminder" in lines[1]
    assert "no_consent" in lines[1]
    assert "SMsnd_1" in lines[2]


def test_options_narrow_the_list(texts: Shop) -> None:
    assert ids(texts, "--state", "cancelled") == ["snd_2"]
    assert ids(texts, "--play", "welcome") == ["snd_3"]
    assert ids(texts, "--doubtful") == ["snd_3"]
    assert ids(texts, "--limit", "1") == ["snd_3"]
    assert ids(texts, "--since", "20m") == ["snd_3", "snd_2"]
    assert ids(texts, "--since", "2026-11-20T17:55") == ["snd_3"]
    assert ids(texts, "--since", "2026-11-20T18:55+01:00") == ["snd_3"]


def test_a_narrow_terminal_keeps_each_id_whole(texts: Shop) -> None:
    _, text = texts.run("sends", width=60)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 60
    assert {"snd_1", "snd_2", "snd_3"} <= {line.split()[0] for line in lines if line.split()}
    assert "…0123" in text


def test_numbers_are_masked_until_asked_for_in_full(texts: Shop) -> None:
    for args in ((), ("--json",)):
        assert build.PHONE not in texts.run("sends", *args)[1]
        assert build.PHONE in texts.run("sends", *args, "--full")[1]


def test_no_such_texts_end_with_3(texts: Shop, empty: Shop) -> None:
    assert texts.run("sends", "--state", "expired")[0] == 3
    assert texts.run("sends", "--since", "1m", "--json")[0] == 3


def test_an_empty_ledger_ends_with_3_and_says_what_that_means(empty: Shop) -> None:
    code, text = empty.run("sends")
    assert (code, "connector events" in text) == (3, True)
    code, text = empty.run("sends", "--doubtful")
    assert (code, "no text is in doubt" in text) == (3, True)


@pytest.mark.parametrize(
    "args", [("--since", "yesterday"), ("--state", "lost"), ("--doubtful", "--state", "planned")]
)
def test_a_wrong_option_ends_with_2(texts: Shop, args: tuple[str, ...]) -> None:
    assert texts.run("sends", *args)[0] == 2
