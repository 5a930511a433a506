"""``connector consent``: shown, granted and revoked by hand, and never past a STOP."""

from __future__ import annotations

import os

import pytest

from connector.config.loaded import load
from connector.ledger import consents
from connector.runtime import listen
from tests.cli.conftest import Shop
from tests.ledger import build

OTHER = "+12025550123"
PAPER = ("--method", "paper", "--wording", "Text me offers")


def live(shop: Shop, number: str = OTHER) -> list[str]:
    [found] = shop.json("consent", "show", number)
    return list(found["live"])


def test_a_grant_is_recorded_with_its_wording_and_who_recorded_it(empty: Shop) -> None:
    args = ("--scope", "cart_reminders", "--source", "fair-2026")
    code, text = empty.run("consent", "grant", "202 555 0123", *PAPER, *args)
    assert code == 0
    assert "may now be texted for cart_reminders, marketing" in text
    [found] = empty.json("consent", "show", OTHER)
    assert found["live"] == ["cart_reminders", "marketing"]
    [first, second] = found["consents"]
    assert (first["purpose"], second["purpose"]) == ("marketing", "cart_reminders")
    assert first["wording"] == "Text me offers"
    assert first["recorded_by"].startswith("operator:")
    assert (first["method"], first["source"]) == ("paper", "fair-2026")


def test_the_same_grant_again_records_nothing(empty: Shop) -> None:
    empty.run("consent", "grant", OTHER, *PAPER)
    code, text = empty.run("consent", "grant", OTHER, *PAPER)
    assert code == 0
    assert "nothing was recorded" in text
    assert empty.one("SELECT count(*) FROM consents") == 1


def test_a_misspelt_scope_is_noted(empty: Shop) -> None:
    _, text = empty.run("consent", "grant", OTHER, *PAPER, "--scope", "cart_remiders")
    assert "no play asks for the scope cart_remiders" in text


def test_everything_is_revoked_unless_one_purpose_is_named(empty: Shop) -> None:
    empty.run("consent", "grant", OTHER, *PAPER, "--scope", "cart_reminders")
    _, text = empty.run("consent", "revoke", OTHER, "--purpose", "cart_reminders")
    assert "may now be texted for marketing." in text
    assert live(empty) == ["marketing"]
    empty.run("consent", "revoke", OTHER, "--wording", "asked on the phone")
    assert live(empty) == []
    assert empty.one("SELECT blocked_scope FROM numbers") == "all"
    assert empty.one("SELECT blocked_by FROM numbers") == "operator"


def test_a_misspelt_purpose_is_refused_and_ends_nothing(empty: Shop) -> None:
    empty.run("consent", "grant", OTHER, *PAPER)
    code, text = empty.run("consent", "revoke", OTHER, "--purpose", "marketng")
    assert code == 2
    assert "marketng is no purpose" in text and "marketing" in text
    assert live(empty) == ["marketing"]


def test_a_grant_does_not_lift_a_stop_and_says_so(shop: Shop) -> None:
    code, text = shop.run("consent", "grant", build.PHONE, *PAPER)
    assert code == 0
    assert "A STOP stands, and this does not lift it" in text
    assert live(shop, build.PHONE) == []
    assert shop.one("SELECT blocked_scope FROM numbers") == "all"


@pytest.mark.parametrize(
    "args",
    [
        ("--purpose", "all", *PAPER),
        ("--method", "reply", "--wording", "x"),
        ("--method", "double_opt_in", "--wording", "x"),
        ("--method", "paper"),
    ],
)
def test_what_only_the_number_itself_can_say_is_refused(shop: Shop, args: tuple[str, ...]) -> None:
    before = shop.one("SELECT count(*) FROM consents")
    assert shop.run("consent", "grant", build.PHONE, *args)[0] == 2
    assert shop.one("SELECT count(*) FROM consents") == before


def test_a_number_that_is_none_is_refused(empty: Shop) -> None:
    for verb in (("show",), ("grant", *PAPER), ("revoke",)):
        code, text = empty.run("consent", verb[0], "12", *verb[1:])
        assert code == 2
        assert "write it as +12025550123" in text


def test_the_consents_of_a_number_are_shown_masked_and_oldest_first(shop: Shop) -> None:
    code, text = shop.run("consent", "show", build.PHONE)
    assert code == 0
    assert text.startswith("+1415***0123: everything stopped since 2026-11-20 16:05Z, by reply")
    assert "borne by con_1" in text
    assert text.index("granted") < text.index("revoked")
    assert build.PHONE not in text
    assert build.PHONE in shop.run("consent", "show", build.PHONE, "--full", "--json")[1]
    _, narrow = shop.run("consent", "show", build.PHONE, width=80)
    assert max(map(len, narrow.splitlines())) <= 80


def test_a_number_nothing_is_known_of_ends_with_3(empty: Shop) -> None:
    assert empty.run("consent", "show", OTHER)[0] == 3


def test_a_change_wakes_the_worker_and_owes_the_crm(shop: Shop) -> None:
    pipe = listen(load(shop.path).settings.ledger)
    os.set_blocking(pipe, False)
    shop.run("consent", "revoke", build.PHONE, "--purpose", "service")
    assert os.read(pipe, 10) == b"!"
    os.close(pipe)
    assert shop.one("SELECT state FROM writebacks WHERE key = 'fields:con_1'") == "owed"


def test_a_person_may_release_a_number_that_an_unclear_reply_holds(empty: Shop) -> None:
    empty.run("consent", "grant", OTHER, *PAPER)
    empty.write(lambda tx: consents.hold(tx, OTHER, "An unclear reply waits.", build.at()))
    code, text = empty.run("consent", "release", OTHER, "--why", "wants the size")
    assert code == 0
    assert "texts go on" in text
    assert empty.one("SELECT held_at FROM numbers") is None
    assert empty.one("SELECT why FROM acts WHERE act = 'release'") == "wants the size"
    assert empty.run("consent", "release", OTHER)[0] == 3


def test_revoking_ends_the_hold_of_an_unclear_reply(empty: Shop) -> None:
    empty.write(lambda tx: consents.hold(tx, OTHER, "An unclear reply waits.", build.at()))
    empty.run("consent", "revoke", OTHER)
    assert empty.one("SELECT held_at FROM numbers") is None
