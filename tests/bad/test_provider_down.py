"""A provider that is down, refuses or breaks off: texts wait and go later, and none goes twice."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from tests.bad.house import NOON, audit
from tests.running import BACKEND_KEY, Running, folder, free_port

FATES = {
    "+12125550201": "",
    "+12125550202": 'fails = "deferred"',
    "+12125550203": 'fails = "refused"',
    "+12125550204": 'fails = "uncertain"\ntaken = true\nreceipts = []',
    "+12125550205": 'fails = "uncertain"\ntaken = false\nreceipts = []',
}
GOOD, LATER, NEVER, TAKEN, LOST = FATES
TOKEN = "token-of-the-account"


def agree(shop: Running, phone: str) -> None:
    """Somebody signs up and agrees to texts; a text is due at once."""
    known = {"phone": phone, "sms_consent": True}
    assert shop.post("/v1/identify", {"userId": phone, "traits": known}) == 200
    assert shop.post("/v1/track", {"userId": phone, "event": "Signed Up"}, BACKEND_KEY) == 200


def send_to(shop: Running, phone: str) -> dict[str, Any]:
    """The text to a number, as it stands now."""
    found = shop.rows("SELECT * FROM sends WHERE phone = ?", phone)
    assert len(found) < 2
    return found[0] if found else {}


def handed(shop: Running) -> list[str]:
    """The numbers of the texts the sandbox was handed, sorted."""
    return sorted(line["to"] for line in shop.outbox())


def test_texts_wait_while_the_provider_fails_and_go_once_when_it_is_back(tmp_path: Path) -> None:
    path = folder(tmp_path / "shop", port := free_port())
    config = (path / "config.toml").read_text()
    scenes = [
        f'[[providers.sandbox.script]]\nto = "{phone}"\n{fate}' for phone, fate in FATES.items()
    ]
    (path / "config.toml").write_text(config + "\n" + "\n\n".join(scenes))
    shop = Running(path, port)
    shop.set_clock(NOON, 20.0)
    with shop:
        for phone in FATES:
            agree(shop, phone)
        shop.until(lambda: send_to(shop, LATER).get("attempt", 0) >= 3)
        ended = {GOOD: "delivered", NEVER: "refused", TAKEN: "uncertain", LOST: "uncertain"}
        shop.until(lambda: {phone: send_to(shop, phone)["state"] for phone in ended} == ended)
        waits = send_to(shop, LATER)
        assert waits["accepted_at"] is None and waits["reason"] == "unavailable"
        assert handed(shop) == [GOOD, TAKEN]

        shop.stop()
        (path / "config.toml").write_text(config)
        shop.start()
        shop.until(lambda: send_to(shop, LATER)["state"] == "delivered")
        assert handed(shop) == [GOOD, LATER, TAKEN]
        for phone in (NEVER, TAKEN, LOST):
            assert send_to(shop, phone)["attempt"] == 1, "asked once, and never blindly again"
        audit(shop)
    assert "Traceback" not in (path / "log").read_text()


class Api:
    """Twilio's API on a port of ours; ``answers`` are (status, headers), then always 201."""

    def __init__(self, port: int) -> None:
        self.texts: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                api.texts.append({name: values[0] for name, values in parse_qs(body).items()})
                status, headers = api.answers.pop(0) if api.answers else (201, {})
                told = {"sid": f"SM{len(api.texts):032}", "status": "queued"}
                answer = json.dumps(told if status == 201 else {}).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def to(self, phone: str) -> int:
        """How many texts it was handed for a number."""
        return sum(text["To"] == phone for text in self.texts)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def up(port: int) -> Iterator[Api]:
    api = Api(port)
    try:
        yield api
    finally:
        api.close()


@pytest.fixture
def twilio(tmp_path: Path) -> Iterator[tuple[Running, int]]:
    """A connector whose Twilio is a port of this machine, on which nobody listens yet."""
    port, far = free_port(), free_port()
    path = tmp_path / "shop"
    path.mkdir()
    (path / "token").write_text(TOKEN)
    folder(
        path,
        port,
        web=f'public_url = "http://127.0.0.1:{port}"',
        providers__twilio=f'account_sid = "AC{"a" * 32}"\nauth_tokens = ["file:token"]\n'
        f'from_number = "+12125550100"\nbase_url = "http://127.0.0.1:{far}"',
    )
    config = (path / "config.toml").read_text()
    config = config.replace('use = "sandbox"', 'use = "twilio"')
    (path / "config.toml").write_text(config.replace("test_clock = true", "test_clock = false"))
    with Running(path, port) as running:
        yield running, far
        audit(running)
    assert "Traceback" not in (path / "log").read_text()


def asks_for_help(shop: Running, phone: str) -> None:
    """Somebody texts HELP, which is answered at any hour."""
    fields = {"MessageSid": f"SM{phone[1:]}", "SmsStatus": "received", "From": phone}
    fields |= {"To": "+12125550100", "Body": "HELP"}
    url = f"{shop.url}/providers/twilio"
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    headers = {
        "X-Twilio-Signature": base64.b64encode(digest).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = shop.http.post(url, data=urlencode(fields), headers=headers, timeout=10)
    assert answer.status_code == 200


def test_while_nobody_answers_at_twilio_texts_wait_and_then_each_goes_once(
    twilio: tuple[Running, int],
) -> None:
    shop, far = twilio
    asks_for_help(shop, GOOD)
    shop.until(lambda: send_to(shop, GOOD).get("attempt", 0) >= 1)
    shop.until(lambda: send_to(shop, GOOD)["state"] == "planned")
    assert send_to(shop, GOOD)["reason"] == "unavailable"
    with up(far) as api:
        shop.until(lambda: send_to(shop, GOOD)["state"] == "accepted")

        api.answers = [(429, {"Retry-After": "1"})]
        asks_for_help(shop, LATER)
        shop.until(lambda: send_to(shop, LATER).get("state") == "accepted")
        assert (api.to(LATER), send_to(shop, LATER)["attempt"]) == (2, 2)

        api.answers = [(500, {})]
        asks_for_help(shop, TAKEN)
        shop.until(lambda: send_to(shop, TAKEN).get("state") == "uncertain")
        time.sleep(1.5)
        assert (api.to(GOOD), api.to(TAKEN)) == (1, 1)
