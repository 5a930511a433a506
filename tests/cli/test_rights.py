"""What a person may ask: everything held about them, and to be forgotten everywhere."""

from __future__ import annotations

import sqlite3
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest

from connector.ledger import contacts, events
from connector.ledger.store import Tx
from connector.steps.carryover import Hand
from connector.steps.consent import record_consent
from tests.cli.conftest import Shop
from tests.ledger import build

BEA = "con_2"
SHARED = "+14155550177"


def everything(shop: Shop) -> str:
    """The whole ledger as text."""
    with sqlite3.connect(shop.path / "data" / "ledger.db") as ledger:
        found = "\n".join(ledger.iterdump())
    ledger.close()
    return found


def share(tx: Tx) -> None:
    """Ann and Bea bear one number together; Bea consented on it."""
    contacts.create(tx, BEA, build.at())
    for who, user in (("con_1", ""), (BEA, "bea")):
        contacts.link(tx, "phone", SHARED, who, "", build.at(), confirmed=True, link_id=f"l{who}")
        if user:
            contacts.link(
                tx, "user_id", user, who, "", build.at(), confirmed=True, link_id=f"u{who}"
            )
    build.consent(tx, "marketing", name="shared", phone=SHARED)


@pytest.mark.parametrize("who", [build.PHONE, "con_1"])
def test_an_export_holds_every_row_of_every_table_about_the_person(shop: Shop, who: str) -> None:
    [told] = shop.json("contact", "export", who)
    held = told["held"]
    assert {"contacts", "identities", "consents", "numbers", "events", "signals", "sends"} <= (
        set(held)
    )
    assert {"replies", "receipts", "decisions", "facts", "enrolments", "outcomes"} <= set(held)
    assert len(held["consents"]) == 3
    assert held["sends"][0]["text"] == "Your cart waits, Ann."
    assert '"illness":"secret"' in held["signals"][0]["facts"]
    assert shop.one("SELECT about FROM acts WHERE act = 'exported'") == "contact"


def test_the_page_loads_nothing_hides_nothing_and_runs_nothing(shop: Shop, tmp_path: Path) -> None:
    def write(tx: Tx) -> None:
        tx.run("UPDATE replies SET text = '<script>alert(1)</script>'")

    shop.write(write)
    page = tmp_path / "ann.html"
    assert shop.run("contact", "export", build.PHONE, "--html", str(page))[0] == 0
    text = page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "Your cart waits, Ann." in text and "Consents given and ended" in text
    assert "http://" not in text and "https://" not in text and "src=" not in text

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "br"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    reader = Reader()
    reader.feed(text)
    assert reader.open == []


def test_forgetting_shows_first_what_would_go_and_takes_nothing(shop: Shop) -> None:
    before = everything(shop)
    [told] = shop.json("contact", "forget", build.PHONE, "--dry-run")
    assert told["rows"]["sends"] == 1 and told["rows"]["identities"] == 3
    assert everything(shop) == before
    assert shop.run("contact", "forget", build.PHONE)[0] == 2


def test_nothing_that_names_a_forgotten_person_is_left_in_the_ledger(shop: Shop) -> None:
    def more(tx: Tx) -> None:
        body = f'{{"to":"{build.PHONE}"'.encode()
        events.keep_unreadable(tx, "unr_1", "site", "no JSON", body, build.at())
        tx.run(
            "UPDATE events SET source_event_id = :key", key=f"order-ann1@shop.example-{build.PHONE}"
        )

    shop.write(more)
    [told] = shop.json("contact", "export", build.PHONE)
    values = {row["value"] for row in told["held"]["identities"]}
    words = {"Your cart waits, Ann.", "Ann", "secret", "STOP", *values}
    assert {word for word in words if word in everything(shop)} == words
    assert shop.run("contact", "forget", build.PHONE, "--why", "asked by mail")[0] == 0
    left = {word for word in words if f"'{word}" in everything(shop) or word in values}
    assert {word for word in left if word in everything(shop)} == set()
    assert shop.one("SELECT why FROM acts WHERE act = 'forgotten'").startswith("asked by mail")
    assert shop.run("contact", "export", "con_1")[0] == 3


def test_the_chains_hold_after_a_person_was_forgotten(shop: Shop) -> None:
    shop.run("contact", "export", build.PHONE)
    assert shop.run("contact", "forget", build.PHONE, "--why", "asked")[0] == 0
    code, text = shop.run("audit", "verify")
    assert code == 0, text
    assert shop.one("SELECT count(*) FROM decisions") == 3
    assert shop.one("SELECT count(*) FROM consents WHERE action = 'revoked'") == 1


@pytest.mark.parametrize("first", ["consents", "no consents"])
def test_a_forgotten_number_that_is_imported_again_stays_stopped(shop: Shop, first: str) -> None:
    if first == "no consents":
        shop.write(lambda tx: tx.run("UPDATE numbers SET blocked_at = NULL, blocked_scope = ''"))
    shop.run("contact", "forget", build.PHONE, "--why", "asked")

    def grant(tx: Tx) -> None:
        for purpose in ("marketing", "service"):
            record_consent(
                tx,
                Hand("local"),
                phone=build.PHONE,
                purpose=purpose,
                granted=True,
                method="import",
                now=build.at(700),
            )

    shop.write(grant)
    assert shop.one(f"SELECT blocked_scope FROM numbers WHERE phone = '{build.PHONE}'") == "all"
    for purpose in ("marketing", "service"):
        code, text = shop.run("can-send", build.PHONE, "--purpose", purpose)
        assert "must not go" in text and "opted_out" in text, (code, text)


def test_a_forgotten_number_stays_stopped_though_it_first_comes_back_with_an_end(
    shop: Shop,
) -> None:
    shop.run("contact", "forget", build.PHONE, "--why", "asked")

    def told(granted: bool, at: int) -> None:
        about = {"purpose": "marketing", "granted": granted, "method": "web_form"}
        shop.write(
            lambda tx: record_consent(
                tx,
                Hand("local"),
                phone=build.PHONE,
                now=build.at(at),
                **about,  # type: ignore[arg-type]
            )
        )

    told(False, 700)
    told(True, 701)
    assert shop.one(f"SELECT blocked_scope FROM numbers WHERE phone = '{build.PHONE}'") == "all"


def test_what_is_a_housemates_too_stays_theirs(shop: Shop) -> None:
    shop.write(share)
    [told] = shop.json("contact", "forget", "con_1", "--why", "asked")
    assert told["shared_numbers"] == 1
    assert shop.one(f"SELECT count(*) FROM identities WHERE value = '{SHARED}'") == 1
    assert shop.one(f"SELECT count(*) FROM consents WHERE phone = '{SHARED}'") == 1
    assert shop.one(f"SELECT blocked_scope FROM numbers WHERE phone = '{SHARED}'") == ""
    assert shop.one(f"SELECT count(*) FROM consents WHERE phone = '{build.PHONE}'") == 0
    assert shop.run("contact", "show", BEA)[0] == 0


def test_a_shared_number_must_say_whom_it_means(shop: Shop) -> None:
    shop.write(share)
    code, text = shop.run("contact", "forget", SHARED, "--why", "asked")
    assert code == 1 and "con_1" in text and BEA in text


def test_a_reason_that_names_the_person_is_refused(shop: Shop) -> None:
    code, text = shop.run("contact", "forget", "con_1", "--why", f"{build.PHONE} asked")
    assert code == 1 and "must not name" in text


def test_what_was_on_its_way_to_a_forgotten_person_ends(shop: Shop) -> None:
    shop.write(lambda tx: build.send(tx, "2", step="again"))
    shop.run("contact", "forget", "con_1", "--why", "asked")
    assert shop.one("SELECT state FROM sends WHERE id = 'snd_2'") == "cancelled"
    assert shop.one("SELECT count(*) FROM enrolments WHERE due_at IS NOT NULL") == 0


def test_no_text_may_go_to_a_forgotten_number_whatever_is_supposed(shop: Shop) -> None:
    shop.run("contact", "forget", build.PHONE, "--why", "asked")
    asked = ("can-send", build.PHONE, "--at", "2026-11-18T12:00", "--suppose-consent")
    [told] = shop.json(*asked)
    assert told["verdict"] == "stop"
    assert "opted_out" in {objection["reason"] for objection in told["objections"]}
