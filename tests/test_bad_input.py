"""Bad input over real HTTP: each has its answer, nothing stops, nothing is kept that should not."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bad.house import FLOOD_KEY, House, audit, basic, build, half, sandbox
from tests.bad.table import RAW, REFUSED, TAKEN, UNREADABLE, Row
from tests.running import BACKEND_KEY, SITE_KEY

ROWS = {**UNREADABLE, **REFUSED, **TAKEN}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A connector for all rows; afterwards it must hold exactly what they say, and be whole."""
    made = build(tmp_path_factory.mktemp("bad") / "house")
    with made.running:
        yield made
        made.settle()
        assert made.counts() == made.kept
        audit(made.running)
    log = (made.running.path / "log").read_text()
    assert "Traceback" not in log
    assert "row-" not in log, "what strangers write is nothing for a log"


def mark_of(name: str) -> str:
    return "row-" + re.sub(r"[^a-z0-9]+", "-", name.lower())


def check_kept(house: House, row: Row, mark: str) -> None:
    """What was kept of it stands where the row says, and says why."""
    where, _, why = row.kept.partition(": ")
    if where == "unreadable":
        found = house.running.until(lambda: house.aside(mark))
        assert house.event(mark) is None
    else:
        found = house.running.until(lambda: house.event(mark))
        assert found["state"] == where, found["reason"]
        assert house.aside(mark) is None
    assert why in found["reason"]
    house.kept[where] += 1


@pytest.mark.parametrize("name", ROWS)
def test_each_has_its_answer_and_its_place(name: str, house: House) -> None:
    row, mark = ROWS[name], mark_of(name)
    answer = row.send(house, mark)
    assert (answer.status, answer.code) == (row.status, row.code), answer.body
    if row.kept:
        check_kept(house, row, mark)
    else:
        assert house.event(mark) is None and house.aside(mark) is None


@pytest.mark.parametrize("name", RAW)
def test_what_is_hardly_http_is_answered_and_closed(name: str, house: House) -> None:
    data, status = RAW[name]
    assert house.raw(data).status == status
    assert house.ask("GET", "/health").status == 200


def told(**more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Product Added", "userId": "u-7", **more}


def test_the_good_events_of_a_batch_are_taken_and_the_bad_kept_with_their_reasons(
    house: House,
) -> None:
    items: list[Any] = [
        told(messageId="row-mixed-1"),
        {"messageId": "row-mixed-2", "type": "track"},
        None,
        told(messageId="row-mixed-3", timestamp="never"),
        told(messageId="row-mixed-4", event="Unheard Of"),
        [[[]]],
        told(messageId="row-mixed-5", properties={"value": 10**30}),
        told(messageId="row-mixed-6"),
    ]
    body = json.dumps({"batch": items}).encode()
    assert house.ask("POST", "/v1/batch", body, key=SITE_KEY).status == 200
    house.running.until(lambda: house.event("row-mixed-6"))
    house.settle()
    rows = [house.event(f"row-mixed-{number}") for number in (1, 4, 5, 6)]
    assert [row and row["state"] for row in rows] == ["done", "unmapped", "failed", "done"]
    aside = house.running.rows("SELECT reason FROM unreadable WHERE source = 'site'")
    reasons = Counter(row["reason"] for row in aside)
    assert reasons == {"event_name_missing": 1, "not_an_object": 2, "timestamp_unreadable": 1}
    house.kept.update({"done": 2, "unmapped": 1, "failed": 1, "unreadable": 4})


def test_the_same_delivery_again_has_no_second_effect(house: House) -> None:
    body = json.dumps(told(messageId="row-again", properties={"cart_id": "c-again"})).encode()
    packed = gzip.compress(body)
    for sent in (body, packed, body):
        assert house.ask("POST", "/v1/track", sent, key=BACKEND_KEY).status == 200
    row = house.running.until(lambda: (house.event("row-again") or {}).get("repeats", 0) == 2)
    house.settle()
    row = house.event("row-again")
    assert row is not None
    assert (row["repeats"], row["conflicts"]) == (2, 0)
    assert house.running.one("SELECT count(*) FROM signals WHERE event_id = ?", row["id"]) == 1
    house.kept["done"] += 1


def test_of_two_bodies_under_one_id_the_first_stands_and_the_other_is_counted(
    house: House,
) -> None:
    for cart in ("first", "second"):
        body = json.dumps(told(messageId="row-two", properties={"cart_id": cart})).encode()
        assert house.ask("POST", "/v1/track", body, key=BACKEND_KEY).status == 200
    house.running.until(lambda: (house.event("row-two") or {}).get("conflicts"))
    row = house.event("row-two")
    assert row is not None
    assert json.loads(row["payload"])["properties"] == {"cart_id": "first"}
    keys = house.running.rows("SELECT key FROM signals WHERE event_id = ?", row["id"])
    assert keys == [{"key": "first"}]
    house.kept["done"] += 1


def test_one_id_from_two_sources_is_two_events(house: House) -> None:
    body = json.dumps(told(messageId="row-shared", properties={"cart_id": "c"})).encode()
    for key in (SITE_KEY, BACKEND_KEY):
        assert house.ask("POST", "/v1/track", body, key=key).status == 200
    sql = "SELECT count(*) FROM events WHERE source_event_id = 'row-shared'"
    house.running.until(lambda: house.running.one(sql) == 2)
    house.kept["done"] += 2


def test_an_id_cannot_smuggle_a_header(house: House) -> None:
    event_id = "row-smuggled\r\nSet-Cookie: a=b\r\n\r\n<html>"
    body = json.dumps(told(messageId=event_id)).encode()
    answer = house.ask("POST", "/v1/track", body, key=SITE_KEY)
    assert (answer.status, answer.body) == (200, b'{"success": true}')
    assert "set-cookie" not in answer.headers
    house.running.until(lambda: house.event(event_id))
    house.kept["done"] += 1


def test_a_body_that_breaks_off_is_not_kept(house: House) -> None:
    head = f"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(BACKEND_KEY)}\r\n"
    answer = house.raw(f'{head}Content-Length: 99\r\n\r\n{{"event":'.encode(), ends=True)
    assert answer.status in (0, 400)
    half(house.running.port).close()
    assert house.ask("GET", "/health").status == 200


def test_forty_who_send_half_a_body_keep_nobody_else_waiting(house: House) -> None:
    slow = [half(house.running.port) for _ in range(40)]
    try:
        started = time.monotonic()
        for number in range(20):
            body = json.dumps(told(messageId=f"row-quick-{number}")).encode()
            assert house.ask("POST", "/v1/track", body, key=SITE_KEY).status == 200
        assert house.ask("POST", "/providers/sandbox", b"[]", sandbox(b"[]")).status == 200
        assert house.ask("GET", "/ready").status == 200
        assert time.monotonic() - started < 5
    finally:
        for client in slow:
            client.close()
    house.running.until(lambda: house.event("row-quick-19"))
    house.settle()
    house.kept.update({"done": 20})  # a callback about no text is nothing to keep


def test_of_what_cannot_be_read_a_thousand_are_kept_and_the_oldest_dropped(house: House) -> None:
    items = [{"type": "track", "number": number} for number in range(1_100)]
    body = json.dumps({"batch": items}).encode()
    assert house.ask("POST", "/v1/batch", body, key=FLOOD_KEY).status == 200
    house.running.until(
        lambda: (
            house.running.one("SELECT value FROM counters WHERE name = 'unreadable_dropped.flood'")
            == 100
        )
    )
    kept = house.running.rows("SELECT body FROM unreadable WHERE source = 'flood' ORDER BY id")
    numbers = [json.loads(row["body"])["number"] for row in kept]
    assert numbers == list(range(100, 1_100))
    house.kept["unreadable"] += 1_000


def test_the_metrics_count_what_was_refused(house: House) -> None:
    before = refused(house)
    assert house.ask("POST", "/v1/track", b"{", key="nobody").status == 400
    assert house.ask("GET", "/nothing").status == 404
    after = refused(house)
    assert after["400"] == before["400"] + 1 and after["404"] == before["404"] + 1


def refused(house: House) -> Counter[str]:
    text = house.ask("GET", "/metrics").body.decode()
    found = re.findall(r'connector_http_refused_total\{status="(\d+)"\} (\d+)', text)
    return Counter({status: int(count) for status, count in found})
