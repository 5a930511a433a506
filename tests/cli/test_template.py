"""``connector template``: how texts are received, paused by hand and let go on."""

from __future__ import annotations

from connector.ledger import template_days
from tests.cli.conftest import Shop
from tests.ledger import build


def test_the_list_shows_how_each_text_is_received(empty: Shop) -> None:
    empty.write(lambda tx: template_days.add(tx, "welcome", build.at(), delivered=200))
    empty.write(lambda tx: template_days.add(tx, "welcome", build.at(), opted_out=5))
    rows = {row["template"]: row for row in empty.json("template", "list")}
    assert rows["welcome"] == {
        "template": "welcome",
        "delivered": 200,
        "opted_out": 5,
        "share": 0.025,
        "note": "",
    }
    assert (rows["cart_abandoned"]["delivered"], rows["cart_abandoned"]["share"]) == (0, None)


def test_a_text_is_held_by_hand_and_let_go_on_with_who_and_why(empty: Shop) -> None:
    code, said = empty.run("template", "pause", "welcome", "--why", "wrong link")
    assert (code, "connector template resume welcome" in said) == (0, True)
    rows = {row["template"]: row for row in empty.json("template", "list")}
    assert rows["welcome"]["note"].endswith(": wrong link")
    assert empty.run("template", "resume", "welcome", "--why", "mended")[0] == 0
    rows = {row["template"]: row for row in empty.json("template", "list")}
    assert rows["welcome"]["note"] == ""
    acts = empty.write(lambda tx: tx.all("SELECT act, about, why FROM acts ORDER BY at, id"))
    assert [(row["act"], row["about"], row["why"]) for row in acts] == [
        ("pause", "template:welcome", "wrong link"),
        ("resume", "template:welcome", "mended"),
    ]


def test_what_cannot_be_done_says_what_to_do(empty: Shop) -> None:
    code, said = empty.run("template", "resume", "welcome")
    assert (code, "see `connector template list`" in said) == (3, True)
    code, said = empty.run("template", "pause", "welcom")
    assert (code, "did you mean welcome" in said) == (3, True)
