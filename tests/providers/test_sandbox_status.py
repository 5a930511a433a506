"""The sandbox, asked how a text stands: as far as its script has come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.model import Status
from connector.providers.sandbox import Sandbox
from tests.providers.contract import MESSAGE, NOW


@pytest.mark.parametrize(
    ("seconds", "script", "status", "reason"),
    [
        (0, {}, Status.accepted, ""),
        (0.3, {}, Status.sent, ""),
        (60, {}, Status.delivered, ""),
        (5, {"after": "2s"}, Status.delivered, ""),
        (3, {"after": "2s"}, Status.sent, ""),
        (60, {"receipts": []}, Status.accepted, ""),
        (
            60,
            {"receipts": ["undelivered"], "error_code": "30006", "reason": "not_mobile"},
            Status.undelivered,
            "not_mobile",
        ),
    ],
)
def test_a_text_stands_as_its_script_has_come(
    tmp_path: Path, seconds: float, script: dict[str, Any], status: Status, reason: str
) -> None:
    at = NOW
    box = Sandbox(outbox=tmp_path / "out.jsonl", script=[script], clock=lambda: at)
    accepted = box.send(MESSAGE)
    at = NOW + timedelta(seconds=seconds)
    told = box.status(accepted.provider_id, MESSAGE)
    assert told is not None
    assert (told.status, told.reason, told.send_id) == (status, reason, MESSAGE.send_id)
    assert box.status("SB0", MESSAGE) is None
