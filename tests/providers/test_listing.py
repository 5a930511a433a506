"""What went and what came while nobody listened: both providers list it, wholly or not at all."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from responses import RequestsMock

from connector.errors import Deferred, Uncertain
from connector.messages import Carried, Message, Reply
from connector.model import Status
from connector.providers import twilio_listing
from connector.providers.sandbox import Sandbox
from tests.providers.contract import MESSAGE, NOW, SETTLED
from tests.providers.twilio_side import LIST, TwilioSide, dated

OURS = "+15005550006"
HOUR = timedelta(hours=1)


def test_twilio_lists_what_it_took_since_oldest_first_with_its_fate() -> None:
    messages = [
        dated(NOW, sid="SM3", direction="inbound", body="STOP"),
        dated(NOW, sid="SM2", status="delivered", num_segments="2", price="-0.0158"),
        dated(NOW - HOUR, sid="SM1", status="undelivered", error_code=30006, body="cart"),
        dated(NOW - 3 * HOUR, sid="SM0"),
    ]
    with TwilioSide() as side:
        side.answers_list(json={**LIST, "messages": messages}, at=SETTLED)
        first, second = side.adapter.carried(NOW - HOUR)
    assert (first.provider_id, first.text, first.at) == ("SM1", "cart", NOW - HOUR)
    assert (first.status, first.reason) == (Status.undelivered, "not_mobile")
    assert (first.raw_status, first.error_code) == ("undelivered", "30006")
    assert (first.cost_micros, first.currency) == (None, "")
    assert (second.status, second.segments, second.cost_micros) == (Status.delivered, 2, 15_800)
    assert second.send_id == ""


def test_twilio_lists_over_as_many_pages_as_there_are() -> None:
    later = {**LIST, "messages": [dated(NOW, sid="SM2")], "next_page_uri": "/page2"}
    earlier = {**LIST, "messages": [dated(NOW - HOUR, sid="SM1"), dated(NOW - 9 * HOUR, sid="SM0")]}
    with TwilioSide() as side:
        side.answers_list(json=later, at=SETTLED)
        side.answers_list(json=earlier, at=SETTLED, url="https://api.twilio.com/page2")
        found = [item.provider_id for item in side.adapter.carried(NOW - HOUR)]
    assert found == ["SM1", "SM2"]


def test_a_list_of_twilios_that_does_not_end_is_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_listing, "MAX_PAGES", 1)
    page = {**LIST, "messages": [dated(NOW, sid="SM2")], "next_page_uri": "/page2"}
    for listed in ("carried", "inbound"):
        with TwilioSide() as side:
            side.answers_list(json=page, at=SETTLED)
            with pytest.raises(Uncertain, match="lists over"):
                list(getattr(side.adapter, listed)(NOW - HOUR))


def test_a_single_number_lists_what_it_sent() -> None:
    with TwilioSide(messaging_service_sid="", from_number=OURS) as side:
        side.answers_list(json=LIST, at=SETTLED)
        assert list(side.adapter.carried(NOW)) == []
        assert "From=%2B15005550006" in str(side.calls.calls[0].request.url)


def made(path: Path, at: datetime = NOW, **settings: object) -> Sandbox:
    return Sandbox(outbox=path / "sandbox.jsonl", clock=lambda: at, **settings)  # type: ignore[arg-type]


def test_the_sandbox_lists_its_outbox_with_our_references_each_text_once(tmp_path: Path) -> None:
    made(tmp_path, NOW - 2 * HOUR).send(MESSAGE)
    sandbox = made(tmp_path)
    other = Message(send_id="snd_2", to=MESSAGE.to, text="again")
    accepted = [sandbox.send(other), sandbox.send(other)][0]
    assert list(sandbox.carried(NOW - HOUR)) == [
        Carried("sandbox", accepted.provider_id, MESSAGE.to, "again", NOW, "snd_2")
    ]
    assert len(list(sandbox.carried(NOW - 3 * HOUR))) == 2


def test_a_sandbox_without_its_outbox_cannot_tell(tmp_path: Path) -> None:
    with pytest.raises(Deferred, match="outbox"):
        list(made(tmp_path).carried(NOW))


def test_the_sandbox_remembers_the_replies_it_played_whoever_heard_them(tmp_path: Path) -> None:
    script = [{"reply": "STOP", "after": "1ms", "receipts": []}]
    with RequestsMock() as nobody:
        nobody.post("http://127.0.0.1:9/providers/sandbox", status=404)
        sandbox = made(tmp_path, script=script, callback_url="http://127.0.0.1:9/providers/sandbox")
        accepted = sandbox.send(MESSAGE)
        until = time.monotonic() + 10
        while not list(sandbox.inbound(NOW - HOUR)) and time.monotonic() < until:
            time.sleep(0.01)
        while not nobody.calls and time.monotonic() < until:
            time.sleep(0.01)
    assert list(sandbox.inbound(NOW - HOUR)) == [
        Reply("sandbox", f"{accepted.provider_id}-reply", MESSAGE.to, "sandbox", "STOP", NOW)
    ]
    assert list(sandbox.inbound(NOW + HOUR)) == []
    kept = (tmp_path / "sandbox.replies.jsonl").read_text()
    assert json.loads(kept)["at"] == NOW.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
