"""Shopify's privacy topics: who asks to be forgotten is, and who asks what is held is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from connector.cli import cli
from connector.model import Event, Trust
from connector.rules.mapping import Unmapped, apply
from connector.steps import advance
from tests.sources.kits import KITS, SAMPLES
from tests.sources.room import NOW, Room, named

SHOPIFY = next(kit for kit in KITS if kit.mapping == "shopify")
STANDARD = next(kit for kit in KITS if kit.mapping == "standard")
PHONE, EMAIL = "+33612345678", "ann@example.org"
ALARMS = "SELECT kind, about, says FROM alarms ORDER BY id"


def everything(room: Room) -> str:
    """All that the ledger holds, as one text."""
    names = room.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    return "\n".join(str(room.rows(f"SELECT * FROM {row['name']}")) for row in names)


def acts(room: Room) -> list[tuple[str, str]]:
    found = room.rows("SELECT act, why, who FROM acts ORDER BY at, id")
    return [(row["act"], row["why"]) for row in found if row["who"] == named(SHOPIFY)]


def known_elsewhere(room: Room) -> str:
    """The site's own server knows somebody by the same number; their id."""
    body = {
        "type": "user.updated",
        "timestamp": "2026-11-20T09:00:00Z",
        "data": {"user_id": "u-7", "phone": PHONE},
    }
    raw = json.dumps(body).encode()
    assert room.post(STANDARD, STANDARD.sign(STANDARD.secret, raw, room.now), raw)[0] == 200
    room.work()
    [row] = room.rows("SELECT contact_id FROM identities WHERE value = 'u-7'")
    return str(row["contact_id"])


def test_whom_shopify_asks_to_forget_is_forgotten_at_once(room: Room) -> None:
    room.deliver(SHOPIFY, "orders_create")
    assert EMAIL in everything(room)
    room.deliver(SHOPIFY, "customers_redact")
    held = everything(room)
    for word in (PHONE, EMAIL, "shopify:8"):
        assert word not in held
    [asked] = room.rows("SELECT * FROM events WHERE name = 'customers/redact'")
    assert (asked["state"], asked["reason"], asked["payload"]) == ("done", "forgotten", "{}")
    assert ("right_asked", "forget: forgotten") in acts(room)
    assert any(act == "forgotten" for act, _ in acts(room))
    assert not room.rows(ALARMS)


def test_asked_twice_is_forgotten_once_and_the_number_stays_blocked(room: Room) -> None:
    room.deliver(SHOPIFY, "orders_create")
    room.deliver(SHOPIFY, "customers_redact")
    room.deliver(SHOPIFY, "customers_redact")
    assert [act for act, _ in acts(room)].count("forgotten") == 1
    room.deliver(SHOPIFY, "consent_update")
    [number] = room.rows("SELECT * FROM numbers WHERE phone = :phone", phone=PHONE)
    assert number["blocked_at"], "only START lifts it, whatever the shop says later"


def test_who_shares_the_number_is_left_to_a_person_to_look_at(room: Room) -> None:
    elsewhere = known_elsewhere(room)
    room.deliver(SHOPIFY, "orders_create")
    room.deliver(SHOPIFY, "customers_redact")
    assert not room.rows("SELECT 1 FROM identities WHERE value = 'shopify:8'")
    assert room.rows("SELECT 1 FROM identities WHERE value = 'u-7'")
    [alarm] = room.rows(ALARMS)
    assert alarm["kind"] == "forget_asked"
    assert elsewhere in alarm["says"]
    assert "connector contact forget ID --why" in alarm["says"]
    assert PHONE not in alarm["says"]
    assert EMAIL not in alarm["says"]


def test_a_number_alone_erases_nobody(room: Room) -> None:
    elsewhere = known_elsewhere(room)
    room.deliver(SHOPIFY, "customers_redact")
    assert room.rows("SELECT 1 FROM identities WHERE value = 'u-7'")
    assert ("right_asked", "forget: left_to_a_person") in acts(room)
    [alarm] = room.rows(ALARMS)
    assert elsewhere in alarm["says"]


def test_whom_nobody_knows_needs_no_alarm_and_leaves_no_name(room: Room) -> None:
    room.deliver(SHOPIFY, "customers_redact")
    assert acts(room) == [("right_asked", "forget: nobody_known")]
    assert not room.rows(ALARMS)
    held = everything(room)
    assert EMAIL not in held
    assert PHONE not in held


def test_who_asks_what_is_held_is_answered_by_a_person_with_a_command(room: Room) -> None:
    room.deliver(SHOPIFY, "orders_create")
    [known] = room.rows("SELECT contact_id FROM identities WHERE value = 'shopify:8'")
    room.deliver(SHOPIFY, "customers_data_request")
    [alarm] = room.rows(ALARMS)
    assert alarm["kind"] == "export_asked"
    line = f"connector contact export {known['contact_id']} --html page.html"
    assert f"`{line}`" in alarm["says"]
    command: click.Command = cli
    for word in ("contact", "export"):
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    command.make_context("export", line.split()[3:], resilient_parsing=False).close()
    [asked] = room.rows("SELECT * FROM events WHERE name = 'customers/data_request'")
    assert asked["payload"] == "{}"
    assert EMAIL not in alarm["says"]


def test_also_that_nothing_is_held_has_to_be_answered(room: Room) -> None:
    room.deliver(SHOPIFY, "customers_data_request")
    [alarm] = room.rows(ALARMS)
    assert "nothing is held" in alarm["says"]
    assert acts(room) == [("right_asked", "export: nobody_known")]


def test_a_shop_that_took_the_app_off_erases_nobody_by_itself(room: Room) -> None:
    room.deliver(SHOPIFY, "orders_create")
    room.deliver(SHOPIFY, "shop_redact")
    assert room.rows("SELECT 1 FROM identities WHERE value = 'shopify:8'")
    [alarm] = room.rows(ALARMS)
    assert f"connector events --source {named(SHOPIFY)} --json" in alarm["says"]
    assert len(alarm["says"]) < 500, "no alarm is longer, and this one ends with what to do"


@pytest.mark.parametrize("name", ["customers_redact", "customers_data_request", "shop_redact"])
@pytest.mark.parametrize("trust", [Trust.browser, Trust.form])
def test_a_stranger_can_have_nobody_erased(room: Room, name: str, trust: Trust) -> None:
    [event] = room.parse(SHOPIFY, name).events
    source = room.rt.sources[named(SHOPIFY)]
    assert apply(source.mapping, event, trust, "US") == Unmapped(f"privacy_from_{trust}")


def test_a_request_that_was_kept_aside_names_nobody_once_it_is_heard(room: Room) -> None:
    room.deliver(SHOPIFY, "orders_create")
    told: dict[str, Any] = json.loads(Path(SAMPLES / "shopify/customers_redact.json").read_text())
    payload = {"name": "customers/redact", "item": told["body"], "headers": told["headers"]}
    source = named(SHOPIFY)
    event = Event("evt_x", source, "e-9", "webhook", "customers/redact", NOW, NOW, payload)
    with room.web.store.write() as tx:
        from connector.ledger import events

        events.record(tx, event, "unmapped", "unknown_event", at=NOW)
        assert advance.again(tx, room.rt, event, NOW) == "done"
    held = everything(room)
    assert EMAIL not in held
    assert PHONE not in held
