"""``connector suppress`` and ``connector number``: by hand, with a name and a reason kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.ledger import build

ANN = "+12025550123"
WHY = ("--why", "court order")


def acts(shop: Shop) -> list[tuple[str, str]]:
    from connector.ledger import acts as ledger

    return shop.write(
        lambda tx: [(row["act"], row["why"]) for row in reversed(ledger.of(tx, f"number:{ANN}"))]
    )


def test_a_number_is_suppressed_listed_and_let_go_with_who_and_why(empty: Shop) -> None:
    code, text = empty.run("suppress", "add", "202 555 0123", *WHY)
    assert (code, text) == (0, "+1202***0123: no text goes to it.\n")
    [row] = empty.json("suppress", "list")
    assert (row["phone"], row["scope"], row["why"]) == ("+1202***0123", "all", "court order")
    assert empty.run("suppress", "add", ANN, *WHY)[1].endswith("as before.\n")
    code, _ = empty.run("suppress", "remove", ANN, "--why", "typed wrong")
    assert code == 0
    assert acts(empty) == [("suppress", "all: court order"), ("unsuppress", "typed wrong")]
    assert empty.one("SELECT who FROM acts").startswith("operator:")
    assert empty.run("suppress", "list")[0] == 3


def test_what_no_hand_suppressed_cannot_be_let_go(empty: Shop) -> None:
    code, text = empty.run("suppress", "remove", ANN, *WHY)
    assert code == 3
    assert "connector suppress list" in text


def test_a_suppression_without_a_reason_is_refused(empty: Shop) -> None:
    assert empty.run("suppress", "add", ANN)[0] == 2
    assert empty.one("SELECT count(*) FROM acts") == 0


def test_whether_a_suppressed_number_may_be_texted_is_told_before_it_is(empty: Shop) -> None:
    empty.run("suppress", "add", ANN, *WHY, "--scope", "marketing")
    args = ("can-send", ANN, "--suppose-consent")
    [found] = empty.json(*args)
    assert [item["reason"] for item in found["objections"]][:1] == ["on_list"]
    [service] = empty.json(*args, "--purpose", "service")
    assert "on_list" not in [item["reason"] for item in service["objections"]]


def test_lists_are_shown_with_how_many_they_name(empty: Shop) -> None:
    folder = empty.path / "mappings" / "suppression"
    folder.mkdir()
    (folder / "rivals.txt").write_text("rival.example\n@other.example\n")
    [row] = empty.json("suppress", "list")
    assert row == {"list": "rivals.txt", "entries": 2, "faults": 0}
    [found] = empty.json("check")
    assert found["lists"] == [{"list": "rivals.txt", "entries": 2}]
    assert "rivals.txt" in empty.run("check")[1]


def test_a_list_with_a_fault_is_told_by_check_with_file_and_line(empty: Shop) -> None:
    folder = empty.path / "mappings" / "suppression"
    folder.mkdir()
    (folder / "rivals.txt").write_text("rival.example\nnobody here\n")
    code, text = empty.run("check")
    assert code == 2
    assert "mappings/suppression/rivals.txt:2" in text


def test_a_number_is_looked_up_and_what_was_told_is_kept(empty: Shop) -> None:
    assert empty.json("number", "check", ANN) == [
        {"phone": "+1202***0123", "type": "mobile", "new_owner": "not told"}
    ]
    [found] = empty.json("number", "show", ANN, "--full")
    assert (found["phone"], found["type"]) == (ANN, "mobile")
    assert found["checked_at"]
    assert empty.one("SELECT type FROM lookups") == "mobile"
    assert empty.one("SELECT why FROM acts WHERE act = 'look_up'") == "mobile"


def test_a_new_owner_ends_what_the_one_before_consented_to(empty: Shop) -> None:
    empty.run("consent", "grant", ANN, "--method", "paper", "--wording", "Text me")
    code, text = empty.run("number", "reassigned", ANN, *WHY)
    assert (code, text) == (0, "1 of 1 noted; consents of before count for nothing.\n")
    [found] = empty.json("can-send", ANN)
    assert "reassigned" in [item["reason"] for item in found["objections"]]
    assert acts(empty)[-1][0] == "reassign"
    assert empty.run("number", "reassigned", ANN, "--not", *WHY)[0] == 0
    assert empty.one("SELECT reassigned_at FROM numbers") is None


def test_many_new_owners_come_from_a_file_or_none_of_it_is_taken(
    empty: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "rnd.csv"
    file.write_text("number\n+12025550123\n(202) 555-0124\n")
    args = ("number", "reassigned", "--file", str(file), "--since", "2026-03-01", *WHY)
    assert empty.run(*args)[1].startswith("2 of 2 noted")
    assert empty.one("SELECT min(reassigned_at) FROM numbers").startswith("2026-03-01")
    file.write_text("+12025550125\nhello\n")
    code, text = empty.run(*args)
    assert code == 2
    assert "rnd.csv:2" in text
    assert empty.one("SELECT count(*) FROM numbers") == 2


@pytest.mark.parametrize("args", [(), (ANN, "--file", "x.csv"), ("--not",)])
def test_a_new_owner_is_of_one_number_or_of_a_file(empty: Shop, args: tuple[str, ...]) -> None:
    assert empty.run("number", "reassigned", *args, *WHY)[0] == 2


def test_a_number_of_the_story_shows_what_is_known_of_it(shop: Shop) -> None:
    [found] = shop.json("number", "show", build.PHONE)
    assert found["suppressed"] == ""
    assert found["reassigned_at"] is None
