"""What a person consented to stands in the CRM's fields, and follows what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import clock
from connector.ledger import consents, migrations
from connector.ledger.sqlite import SqliteStore
from connector.model import Json
from connector.rules.writeback import Field, fact
from connector.steps import numbers, owed
from tests.steps.test_writeback import MINUTE, NOW, PHONE, Place, know, writeback

NAMES = ("consent", "consent_at", "consent_source")
FIELDS = tuple(Field(f"sms_{name}", fact(name), reads=frozenset({name})) for name in NAMES)


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Place]:
    store = SqliteStore(tmp_path / "ledger.db")
    migrations.migrate(store.database())
    with store.write() as tx:
        know(tx, "con_1", PHONE)
    yield Place(store, crm_fields={"local": FIELDS})
    store.close()


def say(rt: Place, purpose: str, granted: bool, method: str, pending: bool = False) -> None:
    """A consent or its end, a minute after the last; and it is written back."""
    rt.now += MINUTE
    with rt.store.write() as tx:
        consents.add(
            tx,
            consent_id=rt.new_id("cns"),
            phone=PHONE,
            purpose=purpose,
            granted=granted,
            method=method,
            wording="I agree",
            source="site",
            recorded_by="connector",
            event_id="",
            occurred_at=rt.now,
            now=rt.now,
            pending=pending,
        )
    write(rt)


def write(rt: Place) -> None:
    with rt.store.write() as tx:
        owed.contact_changed(tx, "local", "con_1", rt.now)
    assert writeback(rt) == 1


def stands(rt: Place) -> tuple[Json, ...]:
    record = rt.record()
    return tuple(record[f"sms_{name}"] for name in NAMES)


def test_a_consent_is_granted_denied_and_granted_again_in_the_crm_too(rt: Place) -> None:
    write(rt)
    assert stands(rt) == ("unknown", None, None)
    say(rt, "marketing", True, "web_form", pending=True)
    assert stands(rt) == ("unknown", None, None)
    say(rt, "marketing", True, "web_form")
    assert stands(rt) == ("granted", clock.text(NOW + 2 * MINUTE), "web_form")
    say(rt, "all", False, "reply")
    assert stands(rt) == ("denied", clock.text(NOW + 3 * MINUTE), "reply")
    say(rt, "marketing", True, "checkout")
    assert stands(rt)[0] == "denied", "a box ticked elsewhere does not lift a STOP"
    say(rt, "all", True, "reply")
    assert stands(rt) == ("granted", clock.text(NOW + 5 * MINUTE), "reply")


def test_a_consent_to_service_texts_is_none_to_marketing(rt: Place) -> None:
    say(rt, "service", True, "checkout")
    assert stands(rt) == ("unknown", None, None)


def test_consents_are_not_read_where_no_field_is_made_of_them(
    rt: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*args: object) -> None:
        raise AssertionError("the consents were read")

    rt.crm_fields = {"local": (Field("stage", fact("stage"), reads=frozenset({"stage"})),)}
    monkeypatch.setattr(consents, "history", asked)
    write(rt)
    assert "stage" in rt.record()


def test_what_the_owner_of_a_number_before_agreed_to_is_told_to_no_crm(rt: Place) -> None:
    say(rt, "marketing", True, "web_form")
    with rt.store.write() as tx:
        numbers.reassign(tx, rt, [(PHONE, rt.now)], "a register", who="operator:c", now=rt.now)
    assert writeback(rt) == 1, "what is left of it is owed at once"
    assert stands(rt) == ("unknown", None, None)
    with rt.store.write() as tx:
        numbers.not_reassigned(tx, rt, PHONE, "mixed up", who="operator:c", now=rt.now)
    assert writeback(rt) == 1
    assert stands(rt)[0] == "granted"
