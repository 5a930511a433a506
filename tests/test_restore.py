"""Backup, a day of traffic, the disk is lost, restore: nobody who said STOP is texted, nothing
goes twice. With the real processes, the real command line and the sandbox provider.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from click.testing import CliRunner

from connector.cli import cli
from tests.running import SITE_KEY, Running, folder, free_port

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # a Wednesday, noon in New York
PEOPLE = {"ann": "+12125550123", "ben": "+12125550124", "cat": "+12125550125"}
SCRIPT = f'script = [{{ to = "{PEOPLE["ann"]}", contains = "cart", reply = "STOP" }}]'


def command(shop: Running, *args: str) -> str:
    """What a command prints; it must have worked."""
    result = CliRunner().invoke(cli, ["-C", str(shop.path), *args])
    assert result.exit_code == 0, result.output
    return result.output


def signs_in(shop: Running, name: str) -> None:
    consents = {"sms_consent": True, "cart_reminders_consent": True}
    known = {"phone": PEOPLE[name], "firstName": name.capitalize(), **consents}
    assert shop.post("/v1/identify", {"userId": name, "traits": known}) == 200


def fills_a_cart(shop: Running, name: str, cart: str) -> None:
    body = {
        "userId": name,
        "anonymousId": f"a-{name}",
        "event": "Product Added",
        "messageId": f"added-{cart}",
        "properties": {"cart_id": cart, "value": 42.5, "currency": "USD", "name": "Mug"},
    }
    assert shop.post("/v1/track", body, SITE_KEY) == 200


def waiting(shop: Running) -> int:
    return int(shop.one("SELECT count(*) FROM enrolments WHERE state = 'waiting'"))


def texts(shop: Running, name: str) -> list[str]:
    return [line["text"] for line in shop.outbox() if line["to"] == PEOPLE[name]]


def stopped(shop: Running, name: str) -> bool:
    blocked = "SELECT 1 FROM numbers WHERE phone = ? AND blocked_scope = 'all'"
    return bool(shop.rows(blocked, PEOPLE[name]))


def knows(shop: Running, count: int) -> bool:
    """Whether a connector has heard of so many carts, or more."""
    return int(shop.one("SELECT count(*) FROM events WHERE name = 'Product Added'")) >= count


def lose_the_disk(shop: Running) -> None:
    for path in (shop.path / "data").glob("*.db*"):
        path.unlink()


def test_nobody_who_said_stop_is_texted_and_nothing_goes_twice(tmp_path: Path) -> None:
    port = free_port()
    shop = Running(folder(tmp_path / "shop", port, providers__sandbox=SCRIPT), port)
    shop.set_clock(NOON)
    with shop:
        signs_in(shop, "ann")
        signs_in(shop, "ben")
        fills_a_cart(shop, "ann", "cart-a")
        fills_a_cart(shop, "ben", "cart-b")
        shop.until(lambda: waiting(shop) == 2)
        backup = tmp_path / "noon.backup"
        command(shop, "backup", str(backup))

        shop.set_clock(NOON + timedelta(minutes=61))
        shop.until(lambda: len(texts(shop, "ben")) == 1)
        shop.until(lambda: stopped(shop, "ann"))
        shop.until(lambda: len(texts(shop, "ann")) == 2)  # the cart, and that it stopped
    before = shop.outbox()

    lose_the_disk(shop)
    shop.set_clock(NOON + timedelta(hours=2))
    assert "Everything is held" in command(shop, "restore", str(backup))
    assert not stopped(shop, "ann")  # the backup does not know
    with shop:
        shop.until(lambda: not shop.rows("SELECT 1 FROM pauses"))
        assert stopped(shop, "ann")
        fills_a_cart(shop, "ann", "cart-c")
        signs_in(shop, "cat")
        fills_a_cart(shop, "cat", "cart-d")
        shop.until(lambda: shop.rows("SELECT 1 FROM enrolments WHERE key = 'cart-d'"))
        shop.set_clock(NOON + timedelta(hours=3, minutes=30))
        shop.until(lambda: len(texts(shop, "cat")) == 1)  # it goes on for whom it may
        shop.until(
            lambda: not shop.rows("SELECT 1 FROM sends WHERE state IN ('planned', 'uncertain')")
        )
    after = Counter((line["to"], line["text"]) for line in shop.outbox())
    assert [pair for pair, count in after.items() if count > 1] == []
    assert len(texts(shop, "ann")) == 2 and len(texts(shop, "ben")) == 1
    assert shop.outbox()[: len(before)] == before
    went = "SELECT state FROM sends WHERE phone = ? AND cause = 'play'"
    assert [row["state"] for row in shop.rows(went, PEOPLE["ben"])] == ["accepted"]


def test_a_backup_made_while_events_come_in_holds_every_one_of_them(tmp_path: Path) -> None:
    port = free_port()
    shop = Running(folder(tmp_path / "shop", port), port)
    shop.set_clock(NOON)
    backups = tmp_path / "safe"
    backups.mkdir()
    with shop:
        signs_in(shop, "ann")
        for number in range(60):
            fills_a_cart(shop, "ann", f"cart-{number}")
            if number % 20 == 10:
                command(shop, "backup", str(backups / f"{number:02}.backup"))
    shop.set_clock(NOON + timedelta(minutes=5))
    for number in (10, 30, 50):
        place = tmp_path / f"new-{number}"
        result = CliRunner().invoke(
            cli, ["restore", str(backups / f"{number:02}.backup"), str(place)]
        )
        assert result.exit_code == 0, result.output
        for name in ("site-key", "backend-key", "shop-secret", "sandbox-secret"):
            (place / name).write_text((shop.path / name).read_text())
        again = Running(place, port)
        with again:
            # What was answered before the backup is in the ledger, or still to come from the inbox.
            again.until(partial(knows, again, number + 1))


def test_a_restore_is_refused_while_anything_runs(tmp_path: Path) -> None:
    port = free_port()
    shop = Running(folder(tmp_path / "shop", port), port)
    shop.set_clock(NOON)
    with shop:
        command(shop, "backup", str(tmp_path / "a.backup"))
        result = CliRunner().invoke(
            cli, ["-C", str(shop.path), "restore", "--replace", str(tmp_path / "a.backup")]
        )
    assert result.exit_code == 1
    assert "already runs" in result.output
