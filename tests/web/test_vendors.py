"""Every provider's own callbacks through the door, as they are kept and read again later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connector.messages import Receipt, Reply
from connector.model import Hook
from connector.web.app import create_app
from tests.providers.contract import ID, MESSAGE, NOW, OURS, Kit
from tests.providers.test_contract import KITS


@pytest.fixture(params=[name for name in KITS if name != "sandbox"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    kit: Kit = KITS[request.param](tmp_path)
    yield kit
    kit.close()


def post(rt: Any, kit: Kit, hook: Hook, body: bytes | None = None) -> int:
    """The status that a callback is answered with."""
    rt.providers = {kit.provider.name: kit.provider}
    rt.settings.web.public_url = "https://sms.example.test"
    rt.clock = lambda: NOW
    address = urlsplit(hook.url)
    headers = {name: value for name, value in hook.headers.items() if name != "content-length"}
    path = f"{address.path}?{address.query}" if address.query else address.path
    client = create_app(rt).test_client()
    sent = hook.body if body is None else body
    return client.post(path, data=sent, headers=headers).status_code


def test_a_receipt_and_a_stop_come_through_the_door_as_they_were_told(rt: Any, kit: Kit) -> None:
    for hook in (kit.receipt(next(iter(type(kit).statuses))), kit.reply("STOP")):
        assert post(rt, kit, hook) == 200
    receipt, reply = (
        told
        for each in rt.inbox.deliveries
        for told in kit.provider.parse(Hook("POST", each.url, each.headers, each.body))
    )
    assert isinstance(receipt, Receipt)
    assert (receipt.provider_id, receipt.send_id) == (ID, MESSAGE.send_id)
    assert isinstance(reply, Reply)
    assert (reply.sender, reply.to, reply.text) == (MESSAGE.to, OURS, "STOP")


def test_a_forged_stop_is_answered_401_and_not_kept(rt: Any, kit: Kit) -> None:
    hook = kit.reply("hello")
    assert post(rt, kit, hook, hook.body.replace(b"hello", b"STOP!")) == 401
    assert rt.inbox.deliveries == []
