"""``connector crm sync``: what it prints, where it waits, and that it can be broken off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import connector.crms
from connector.cli import crm_sync
from connector.config.loaded import load
from connector.errors import CrmUnavailable
from connector.lock import Lock
from connector.runtime import open_setup, opened
from tests.cli.conftest import Shop
from tests.crms.memory import MemoryCrm
from tests.ledger.build import PHONE, at

MAPPING = """
reads = ["do_not_contact", "do_not_call", "has_open_case", "is_customer", "lead_converted",
    "is_competitor", "is_employee", "under_age"]
[contact]
phone = "phone"
first_name = "firstname"
[read]
deal = ["dealname"]
[read.history]
deal = ["dealstage"]
[[events]]
name = "deal"
signal = "deal_won"
outcome = "converted"
when = "item.now.dealstage == 'won' and item.was.dealstage != 'won'"
key = "item.id"
value = "item.now.amount"
currency = "'USD'"
"""


class Desk(MemoryCrm):
    """The one CRM of these tests, however often it is opened."""

    last: MemoryCrm

    def __new__(cls, *, clock: Any) -> Any:
        return cls.last


@pytest.fixture
def shop(empty: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A folder whose CRM holds Ann, who won a deal last week."""
    monkeypatch.setitem(connector.crms.ADAPTERS, "desk", f"{__name__}:Desk")
    config = empty.path / "config.toml"
    text = config.read_text(encoding="utf-8").replace('use = "local"', 'use = "desk"')
    config.write_text(text.replace("[crms.local]", "[crms.desk]"), encoding="utf-8")
    mapping = empty.path / "mappings" / "crms" / "desk.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    crm = Desk.last = MemoryCrm(at, ("dealstage", "amount"))
    crm.put("7", at=at(-20_000), phone=PHONE, firstname="Ann")
    crm.put("d1", "deal", at=at(-15_000), people=("7",), dealstage="new", amount="10")
    crm.put("d1", "deal", at=at(-10_000), dealstage="won")
    yield empty


def test_it_tells_what_became_of_each_object(shop: Shop) -> None:
    code, text = shop.run("crm", "sync")
    assert code == 0, text
    assert text.splitlines() == [
        "contact: 1 read; 1 new here, 1 changed",
        "deal: 1 read; 1 changed",
    ]
    assert shop.one("SELECT count(*) FROM enrolments") == 0
    assert shop.one("SELECT count(*) FROM outcomes WHERE value_micros = 10000000") == 1
    assert shop.one("SELECT count(*) FROM acts WHERE act = 'crm_synced'") == 1


def test_for_programs_it_prints_a_line_for_each_object(shop: Shop) -> None:
    shop.run("crm", "sync", "--objects", "contact")
    contact, deal, written = shop.json("crm", "sync", "--write")

    assert (contact["object"], contact["same"], contact["new"]) == ("contact", 1, 0)
    assert (deal["object"], deal["read"], deal["look_at"]) == ("deal", 1, [])
    assert (written["object"], written["people"]) == ("written", 1)
    assert shop.one("SELECT count(*) FROM writebacks WHERE kind = 'fields'") == 1


def test_a_dry_run_says_that_nothing_was_changed(shop: Shop) -> None:
    code, text = shop.run("crm", "sync", "--dry-run", "--write")
    assert code == 0, text
    assert "Nothing was changed; without --dry-run it is." in text
    assert shop.one("SELECT count(*) FROM contacts") == 0
    assert shop.one("SELECT count(*) FROM acts WHERE act = 'crm_synced'") == 0


def test_an_object_that_is_not_mapped_is_named_with_those_that_are(shop: Shop) -> None:
    code, text = shop.run("crm", "sync", "--objects", "contact,meeting")
    assert code == 2
    assert "'meeting' is not read from desk; choose from contact, deal" in text


def test_a_crm_that_lives_in_the_ledger_has_nothing_to_fetch(empty: Shop) -> None:
    code, text = empty.run("crm", "sync")
    assert code == 2
    assert "has nothing to fetch" in text


def test_two_at_once_are_one_too_many(shop: Shop) -> None:
    lock = Lock(shop.path / "data" / crm_sync.LOCK, "crm sync").take()
    try:
        code, text = shop.run("crm", "sync")
    finally:
        lock.free()
    assert code == 1
    assert "already runs" in text


def test_another_span_than_the_one_broken_off_says_what_to_do(shop: Shop) -> None:
    Desk.last.page = 1
    Desk.last.put("8", at=at(-19_000))
    ask = Desk.last.history
    Desk.last.history = lambda object, cursor: broken() if cursor else ask(object, cursor)  # type: ignore[method-assign]
    code, text = shop.run("crm", "sync", "--since", "90d")
    assert code == 1
    assert "broken off. The same command goes on where it stopped." in text

    Desk.last.history = ask  # type: ignore[method-assign]
    code, text = shop.run("crm", "sync", "--since", "2026-01-01")
    assert code == 1
    assert "--restart" in text
    code, text = shop.run("crm", "sync", "--since", "2026-01-01", "--restart")
    assert (code, text.splitlines()[0][:15]) == (0, "contact: 2 read")


def broken() -> Any:
    raise KeyboardInterrupt


def test_ctrl_c_leaves_it_to_go_on_and_says_so(shop: Shop) -> None:
    Desk.last.page = 1
    Desk.last.put("8", at=at(-19_000))
    ask = Desk.last.history
    Desk.last.history = lambda object, cursor: broken() if cursor else ask(object, cursor)  # type: ignore[method-assign]
    assert shop.run("crm", "sync")[0] == 1

    Desk.last.history = ask  # type: ignore[method-assign]
    Desk.last.calls.clear()
    code, text = shop.run("crm", "sync")
    assert (code, text.splitlines()[0]) == (0, "contact: 2 read; 2 new here, 2 changed")
    assert Desk.last.calls.count(("changes", 1)) == 2  # the second contact, and the deal


def test_it_waits_for_a_crm_as_it_asks(shop: Shop) -> None:
    ask, errors = Desk.last.history, [CrmUnavailable("slowly", code="rate_limited", retry_after=7)]

    def history(object: str, cursor: str | None) -> Any:
        if errors:
            raise errors.pop()
        return ask(object, cursor)

    Desk.last.history = history  # type: ignore[method-assign]
    waited: list[float] = []
    loaded = load(shop.path)
    with opened(loaded) as store:
        rt = open_setup(loaded, store)
        ways = crm_sync.fetch(rt, ["contact"], pause=waited.append)
    assert [7 <= span < 10 for span in waited] == [True]
    assert ways["contact"].done


def test_a_crm_that_lets_nobody_in_ends_it_with_the_remedy(shop: Shop) -> None:
    def history(object: str, cursor: str | None) -> Any:
        raise CrmUnavailable("refused", code="unauthorized", remedy="Make a new token")

    Desk.last.history = history  # type: ignore[method-assign]
    code, text = shop.run("crm", "sync")
    assert code == 1
    assert "refused Make a new token. The same command goes on where it stopped." in text


def test_what_became_of_a_persons_deals_is_shown_with_them(shop: Shop) -> None:
    shop.run("crm", "sync")
    code, text = shop.run("contact", "show", PHONE)
    assert code == 0, text
    assert "in the CRM" in text
    assert [
        line.split()[2:] for line in text.splitlines() if "d1" in line and "dealstage" in line
    ] == [
        ["deal", "d1", "dealstage", "new", "won"],
        ["deal", "d1", "dealstage", "-", "new"],
    ]
    [told] = shop.json("contact", "show", PHONE)
    assert [row["after"] for row in told["crm_history"] if row["field"] == "dealstage"] == [
        "won",
        "new",
    ]
    code, text = shop.run("explain", PHONE)
    assert "deal d1, dealstage: new → won" in text


def test_an_export_holds_what_became_of_a_persons_deals(shop: Shop, tmp_path: Path) -> None:
    shop.run("crm", "sync")
    page = tmp_path / "ann.html"
    code, text = shop.run("contact", "export", PHONE, "--html", str(page))
    assert code == 0, text
    assert "What became of your deals, meetings and cases there" in page.read_text("utf-8")
