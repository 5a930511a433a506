"""``connector number import``: what carriers and the FCC tell of numbers ends older consents."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.clock import TestClock
from tests.cli.conftest import Shop
from tests.ledger import build

ANN, BOB, STRANGER = "+12025550123", "+12025550124", "+12025550199"
GIVEN = ("--method", "paper", "--wording", "Text me")


@pytest.fixture
def shop(empty: Shop) -> Shop:
    """Two numbers with a consent of today."""
    for phone in (ANN, BOB):
        assert empty.run("consent", "grant", phone, *GIVEN)[0] == 0
    return empty


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def take(shop: Shop, file: Path, *more: str, kind: str = "deactivated") -> dict[str, Any]:
    [told] = shop.json("number", "import", str(file), "--kind", kind, *more)
    return dict(told)


def later(shop: Shop) -> None:
    """An hour passes."""
    TestClock(shop.path / "data" / "clock").set(build.at() + timedelta(hours=9), 0)


def why_not(shop: Shop, phone: str) -> dict[str, str]:
    [found] = shop.json("can-send", phone)
    return {item["reason"]: item["says"] for item in found["objections"]}


def test_a_deactivated_number_is_texted_again_only_after_a_fresh_consent(
    shop: Shop, file: Path
) -> None:
    file.write_text(f"{ANN[1:]}\n{STRANGER[1:]}\n")
    told = take(shop, file)
    assert (told["noted"], told["strangers"], told["faults"]) == (1, 1, 0)
    says = why_not(shop, ANN)["reassigned"]
    assert says.startswith("The number was deactivated by its carrier (")
    assert "reassigned" not in why_not(shop, BOB)
    later(shop)
    assert shop.run("consent", "grant", ANN, *GIVEN)[0] == 0
    assert "reassigned" not in why_not(shop, ANN)
    assert "no_consent" not in why_not(shop, ANN)


def test_the_same_file_again_changes_nothing_and_leaves_a_fresh_consent_alone(
    shop: Shop, file: Path
) -> None:
    file.write_text(f"{ANN}\n")
    take(shop, file)
    noted = shop.one("SELECT reassigned_at FROM numbers WHERE reassigned_at IS NOT NULL")
    later(shop)
    assert shop.run("consent", "grant", ANN, *GIVEN)[0] == 0
    again = take(shop, file)
    assert (again["noted"], again["known"]) == (0, 1)
    found = shop.one("SELECT reassigned_at FROM numbers WHERE reassigned_at IS NOT NULL")
    assert found == noted
    assert "reassigned" not in why_not(shop, ANN)
    assert shop.one("SELECT count(*) FROM acts WHERE act = 'import'") == 1


def test_a_day_of_before_the_consent_leaves_it_alone(shop: Shop, file: Path) -> None:
    file.write_text(f"phone,deactivation date\n{ANN},2024-01-31\n")
    assert take(shop, file)["noted"] == 1
    assert "reassigned" not in why_not(shop, ANN)
    assert shop.one("SELECT max(reassigned_at) FROM numbers").startswith("2024-01-31T23:59")


def test_a_day_that_is_not_over_ends_what_is_agreed_to_on_it_and_is_noted_once(
    shop: Shop, file: Path
) -> None:
    today = f"{build.at():%Y-%m-%d}"
    file.write_text(f"phone,deactivation date\n{ANN},{today}\n")
    assert take(shop, file)["noted"] == 1
    later(shop)
    assert shop.run("consent", "grant", ANN, *GIVEN)[0] == 0
    assert "reassigned" in why_not(shop, ANN)
    file.write_text(f"phone,deactivation date\n{ANN},{today}\n{STRANGER},{today}\n")
    told = take(shop, file)
    assert (told["noted"], told["known"]) == (0, 1)


def test_the_day_of_lines_without_one_may_be_said_and_is_none_to_come(
    shop: Shop, file: Path
) -> None:
    file.write_text(f"{ANN}\n")
    args = ("number", "import", str(file), "--kind", "deactivated", "--since")
    assert shop.run(*args, "2030-01-01")[0] == 2
    assert take(shop, file, "--since", "2024-01-31")["noted"] == 1
    assert shop.one("SELECT max(reassigned_at) FROM numbers").startswith("2024-01-31T00:00")
    assert "reassigned" not in why_not(shop, ANN)


def test_of_two_days_of_a_number_in_one_file_the_later_one_counts(shop: Shop, file: Path) -> None:
    days = ("2024-01-31", f"{build.at():%Y-%m-%d}", "2025-01-31")
    file.write_text("phone,since\n" + "".join(f"{ANN},{day}\n" for day in days))
    dry = take(shop, file, "--dry-run")
    assert (dry["noted"], dry["known"]) == (1, 1)
    assert {**dry, "dry_run": False} == take(shop, file)
    assert "reassigned" in why_not(shop, ANN)


def test_a_line_without_a_date_counts_from_the_first_import_also_where_that_noted_nothing(
    shop: Shop, file: Path
) -> None:
    late = "+12025550777"
    file.write_text(f"{late}\n")
    assert take(shop, file)["strangers"] == 1
    later(shop)
    assert shop.run("consent", "grant", late, *GIVEN)[0] == 0
    assert take(shop, file)["noted"] == 1
    assert "reassigned" not in why_not(shop, late)
    assert shop.one("SELECT count(*) FROM acts WHERE act = 'import'") == 1


def test_what_is_live_is_told_without_what_an_owner_before_agreed_to(
    shop: Shop, file: Path
) -> None:
    file.write_text(f"{ANN}\n")
    take(shop, file)
    [found] = shop.json("consent", "show", ANN)
    assert found["live"] == []
    assert "deactivated by its carrier since" in shop.run("consent", "show", ANN)[1]
    [proof] = shop.json("consent", "proof", ANN)
    assert proof["live"] == [] and proof["known"]["reassigned_how"] == "deactivated"


def test_of_the_fccs_answers_only_a_yes_ends_anything(shop: Shop, file: Path) -> None:
    file.write_text(f"TN,Query Date,Result\n{ANN},2026-01-02,yes\n{BOB},2026-01-02,No Data\n")
    told = take(shop, file, kind="reassigned")
    assert (told["noted"], told["no"]) == (1, 1)
    assert "has a new owner" in why_not(shop, ANN)["reassigned"]
    assert "reassigned" not in why_not(shop, BOB)


def test_a_later_answer_about_the_same_day_tells_nothing_new(shop: Shop, file: Path) -> None:
    file.write_text(f"TN,Query Date,Result\n{ANN},2026-01-02,yes\n")
    take(shop, file, kind="reassigned")
    later(shop)
    assert shop.run("consent", "grant", ANN, *GIVEN)[0] == 0
    file.write_text(f"TN,Query Date,Result\n{ANN},2026-01-02,yes\n{BOB},2026-01-02,no\n")
    assert take(shop, file, kind="reassigned")["known"] == 1
    assert "reassigned" not in why_not(shop, ANN)


def test_a_dry_run_says_the_same_and_writes_nothing(shop: Shop, file: Path) -> None:
    file.write_text(f"{ANN}\n{ANN}\nhello\n{STRANGER}\n")
    before = shop.one("SELECT count(*) FROM acts")
    dry = take(shop, file, "--dry-run")
    assert shop.one("SELECT max(reassigned_at) FROM numbers") is None
    assert shop.one("SELECT count(*) FROM acts") == before
    wet = take(shop, file)
    assert {**dry, "dry_run": False} == wet
    counts = {name: wet[name] for name in ("lines", "noted", "known", "strangers", "faults")}
    assert counts == {"lines": 4, "noted": 1, "known": 1, "strangers": 1, "faults": 1}
    assert wet["first_faults"] == [{"line": 3, "why": "holds no number"}]


def test_of_numbers_of_nobody_here_nothing_is_kept(shop: Shop, file: Path) -> None:
    file.write_text("".join(f"+1202555{n:04}\n" for n in range(1000, 1600)))
    assert take(shop, file)["strangers"] == 600
    assert shop.one("SELECT count(*) FROM numbers") == 2


def test_what_was_taken_over_can_be_undone_and_is_shown(shop: Shop, file: Path) -> None:
    file.write_text(f"{ANN}\n")
    take(shop, file, "--why", "AT&T, 20 November")
    [shown] = shop.json("number", "show", ANN)
    assert shown["reassigned_how"] == "deactivated"
    assert (shown["country"], shown["type_by"]) == ("US", "digits")
    assert shown["zones"] == ["America/New_York"]
    assert [(each["what"], each["says"].rpartition(": ")[2]) for each in shown["history"]] == [
        ("reassign", "AT&T, 20 November")
    ]
    assert "AT&T, 20 November" in shop.run("number", "show", ANN)[1]
    assert shop.run("number", "reassigned", ANN, "--not", "--why", "wrong list")[0] == 0
    assert "reassigned" not in why_not(shop, ANN)
    [shown] = shop.json("number", "show", ANN)
    assert shown["reassigned_how"] == ""


def test_what_a_person_has_undone_stays_undone_until_something_newer_is_told(
    shop: Shop, file: Path
) -> None:
    file.write_text(f"phone,since\n{ANN},2026-11-01\n")
    take(shop, file)
    assert shop.run("number", "reassigned", ANN, "--not", "--why", "wrong list")[0] == 0
    for more in ("", f"{STRANGER},2026-11-02\n"):
        file.write_text(file.read_text() + more)
        assert take(shop, file)["known"] == 1
    file.write_text(f"phone,since\n{ANN},{build.at():%Y-%m-%d}\n")
    assert take(shop, file)["noted"] == 1


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", 2, "is empty"),
        ("name,town\nAnn,Rome\n", 2, "--mapping phone=Mobile"),
        ("phone\nhello\n", 1, "no line could be read"),
    ],
)
def test_a_file_without_numbers_says_what_to_do(
    shop: Shop, file: Path, text: str, code: int, says: str
) -> None:
    file.write_text(text)
    done, told = shop.run("number", "import", str(file), "--kind", "deactivated")
    assert done == code and says in told
