"""The sandbox: its outbox, its script, and the callbacks it plays over real HTTP."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.errors import Deferred, Refused, Unreadable, Unverified
from connector.messages import Found, Message, Receipt, Reply
from connector.model import Hook, Status
from connector.providers.sandbox import Sandbox
from tests.providers.contract import MESSAGE, NOW, SECRET


class Listener:
    """A callback's other end; answers with ``statuses`` in turn, then always 204."""

    def __init__(self, *statuses: int) -> None:
        self.hooks: list[Hook] = []
        left = list(statuses)
        hooks = self.hooks

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                hooks.append(Hook("POST", self.path, headers, body, self.client_address[0]))
                self.send_response(left.pop(0) if left else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/providers/sandbox"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def heard(self, count: int) -> list[Hook]:
        """Wait until ``count`` callbacks have come."""
        until = time.monotonic() + 20
        while len(self.hooks) < count and time.monotonic() < until:
            time.sleep(0.005)
        return self.hooks

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def made(folder: Path, *script: dict[str, Any], **settings: Any) -> Sandbox:
    given = {"secret": SECRET, "clock": lambda: NOW, **settings}
    return Sandbox(outbox=folder / "texts.jsonl", script=script, **given)


def played(sandbox: Sandbox, listener: Listener, count: int) -> list[Receipt | Reply]:
    """The first ``count`` receipts and replies, however many came in one callback."""
    found: list[Receipt | Reply] = []
    for calls in range(1, count + 1):
        hooks = listener.heard(calls)
        found = []
        for hook in hooks:
            sandbox.verify(hook, NOW)
            found += sandbox.parse(hook)
        if len(found) >= count:
            break
    return found


def test_each_text_is_one_line_of_the_outbox(tmp_path: Path) -> None:
    sandbox = made(tmp_path)
    first = sandbox.send(MESSAGE)
    second = sandbox.send(replace(MESSAGE, send_id="snd_2", text="é 😀\n"))
    assert list(sandbox.texts()) == [
        {
            "send_id": MESSAGE.send_id,
            "to": MESSAGE.to,
            "text": MESSAGE.text,
            "at": "2027-03-01T12:00:00.000000Z",
            "provider_id": first.provider_id,
        },
        {
            "send_id": "snd_2",
            "to": MESSAGE.to,
            "text": "é 😀\n",
            "at": "2027-03-01T12:00:00.000000Z",
            "provider_id": second.provider_id,
        },
    ]
    assert first.provider_id != second.provider_id


def test_only_the_owner_reads_the_outbox(tmp_path: Path) -> None:
    made(tmp_path).send(MESSAGE)
    assert stat.S_IMODE((tmp_path / "texts.jsonl").stat().st_mode) == 0o600


def test_a_repeated_send_shows_as_two_lines_of_one_id(tmp_path: Path) -> None:
    first, second = made(tmp_path).send(MESSAGE), made(tmp_path).send(MESSAGE)
    assert first == second
    assert [entry["send_id"] for entry in made(tmp_path).texts()] == [MESSAGE.send_id] * 2


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    sandboxes = [made(tmp_path) for _ in range(4)]
    messages = [replace(MESSAGE, send_id=f"snd_{place}") for place in range(200)]
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(lambda pair: pair[0].send(pair[1]), zip(sandboxes * 50, messages, strict=True))
        )
    sent = {entry["send_id"] for entry in made(tmp_path).texts()}
    assert sent == {message.send_id for message in messages}


def test_another_process_finds_a_text_or_knows_it_was_not_taken(tmp_path: Path) -> None:
    taken = made(tmp_path).send(MESSAGE)
    other = made(tmp_path)
    assert other.find(MESSAGE, NOW) == Found(True, taken.provider_id, by_reference=True)
    assert other.find(replace(MESSAGE, send_id="snd_other"), NOW) == Found(False)


def test_without_an_outbox_nothing_was_taken(tmp_path: Path) -> None:
    assert made(tmp_path / "none").find(MESSAGE, NOW) == Found(False)


def test_a_torn_line_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "texts.jsonl").write_bytes(b'{"send_id": "snd_to\n')
    sandbox = made(tmp_path)
    sandbox.send(MESSAGE)
    assert [entry["send_id"] for entry in sandbox.texts()] == [MESSAGE.send_id]


def test_an_outbox_removed_while_running_is_begun_anew(tmp_path: Path) -> None:
    sandbox = made(tmp_path)
    sandbox.send(MESSAGE)
    (tmp_path / "texts.jsonl").unlink()
    sandbox.send(MESSAGE)
    assert len(list(sandbox.texts())) == 1


def test_an_outbox_that_cannot_be_written_defers(tmp_path: Path) -> None:
    (tmp_path / "texts.jsonl").mkdir()
    with pytest.raises(Deferred, match="outbox"):
        made(tmp_path).send(MESSAGE)


def test_a_full_disk_defers() -> None:
    sandbox = Sandbox(outbox=Path("/dev/full"))
    with pytest.raises(Deferred, match="No space left"):
        sandbox.send(MESSAGE)


def test_the_first_scene_that_fits_decides(tmp_path: Path) -> None:
    sandbox = made(
        tmp_path,
        {"to": "+14155550000", "fails": "deferred"},
        {"to": MESSAGE.to, "contains": "nothing like it", "fails": "deferred"},
        {"contains": "basket", "fails": "refused", "reason": "opted_out", "error_code": "21610"},
        {"fails": "uncertain"},
    )
    with pytest.raises(Refused) as caught:
        sandbox.send(MESSAGE)
    assert (caught.value.reason, caught.value.code) == ("opted_out", "21610")
    assert list(sandbox.texts()) == []


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ({"recieipts": []}, "receipts"),
        ({"receipts": ["teleported"]}, "delivered"),
        ({"receipts": "sent"}, "delivered"),
        ({"fails": "sometimes"}, "uncertain"),
        ({"after": "soon"}, "500ms"),
        ({"after": "-1s"}, "500ms"),
    ],
)
def test_a_faulty_script_says_what_would_be_right(
    tmp_path: Path, entry: dict[str, Any], names: str
) -> None:
    with pytest.raises(ValueError, match=rf"script\[1\].*{names}"):
        made(tmp_path, {}, entry)


def test_an_answer_may_take_its_time(tmp_path: Path) -> None:
    begin = time.monotonic()
    made(tmp_path, latency=0.05).send(MESSAGE)
    assert time.monotonic() - begin >= 0.05


def test_by_default_a_text_is_sent_and_delivered(
    tmp_path: Path, listener: Listener, http: requests.Session
) -> None:
    sandbox = made(tmp_path, callback_url=listener.url, http=http)
    accepted = sandbox.send(MESSAGE)
    receipts = played(sandbox, listener, 2)
    assert [receipt.status for receipt in receipts if isinstance(receipt, Receipt)] == [
        Status.sent,
        Status.delivered,
    ]
    assert receipts[0] == Receipt(
        provider="sandbox",
        provider_id=accepted.provider_id,
        status=Status.sent,
        raw_status="sent",
        occurred_at=NOW,
        stamp="2027-03-01T12:00:00.000000Z",
        send_id=MESSAGE.send_id,
    )
    assert listener.hooks[0].url == "/providers/sandbox"


def test_a_script_plays_a_failure_and_a_reply(
    tmp_path: Path, listener: Listener, http: requests.Session
) -> None:
    entry = {
        "receipts": ["undelivered"],
        "error_code": "30006",
        "reason": "not_mobile",
        "reply": "STOP",
        "after": "10ms",
    }
    sandbox = made(tmp_path, entry, callback_url=listener.url, http=http)
    accepted = sandbox.send(replace(MESSAGE, sender="+15005550006"))
    receipt, reply = played(sandbox, listener, 2)
    assert isinstance(receipt, Receipt)
    assert (receipt.error_code, receipt.reason) == ("30006", "not_mobile")
    assert reply == Reply(
        "sandbox", f"{accepted.provider_id}-reply", MESSAGE.to, "+15005550006", "STOP", NOW
    )


def test_what_is_due_together_goes_in_one_callback(
    tmp_path: Path, listener: Listener, http: requests.Session
) -> None:
    entry = {"receipts": ["delivered"], "after": "100ms"}
    sandbox = made(tmp_path, entry, callback_url=listener.url, http=http)
    for place in range(60):
        sandbox.send(replace(MESSAGE, send_id=f"snd_{place}"))
    found = played(sandbox, listener, 60)
    assert len({item.send_id for item in found if isinstance(item, Receipt)}) == 60
    assert len(listener.hooks) < 30


def test_a_refused_callback_is_repeated_byte_for_byte(
    tmp_path: Path, http: requests.Session
) -> None:
    listener = Listener(503, 429)
    try:
        entry = {"receipts": ["delivered"], "after": "1ms"}
        sandbox = made(tmp_path, entry, callback_url=listener.url, http=http)
        sandbox.send(MESSAGE)
        bodies = {hook.body for hook in listener.heard(3)}
    finally:
        listener.close()
    assert len(listener.hooks) == 3
    assert len(bodies) == 1


def test_a_callback_refused_for_good_is_dropped(tmp_path: Path, http: requests.Session) -> None:
    listener = Listener(401)
    try:
        entry = {"receipts": ["sent"], "after": "1ms"}
        sandbox = made(tmp_path, entry, callback_url=listener.url, http=http)
        for place in (1, 2):
            sandbox.send(replace(MESSAGE, send_id=f"snd_{place}"))
            listener.heard(place)
        first, second = listener.hooks
    finally:
        listener.close()
    assert b'"snd_1"' in first.body
    assert b'"snd_2"' in second.body


def test_a_text_that_failed_plays_nothing_but_a_lost_one_does(
    tmp_path: Path, listener: Listener, http: requests.Session
) -> None:
    script = (
        {"contains": "refused", "fails": "refused", "after": "1ms"},
        {"contains": "untaken", "fails": "uncertain", "taken": False, "after": "1ms"},
        {"contains": "lost", "fails": "uncertain", "receipts": ["delivered"], "after": "1ms"},
    )
    sandbox = made(tmp_path, *script, callback_url=listener.url, http=http)
    for text in ("refused", "untaken", "lost"):
        with pytest.raises(Exception, match="script"):
            sandbox.send(Message(send_id=text, to=MESSAGE.to, text=text))
    (receipt,) = played(sandbox, listener, 1)
    assert isinstance(receipt, Receipt)
    assert receipt.send_id == "lost"


def test_without_an_address_nothing_is_played(tmp_path: Path) -> None:
    sandbox = made(tmp_path, {"after": "1ms"}, http="a session that would be an error to use")
    assert sandbox.send(MESSAGE).provider_id


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "https://127.0.0.1/", "http://127.0.0.1.example.com/"),
        *("http://user@10.0.0.1/", "ftp://localhost/", "localhost:80", "http://[::1", "http://0/"),
    ],
)
def test_only_this_machine_is_called_back(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="this machine"):
        made(tmp_path, callback_url=url)


@pytest.mark.parametrize("url", ["http://localhost:1/x", "http://127.9.9.9", "http://[::1]:80/"])
def test_every_loopback_address_is_this_machine(tmp_path: Path, url: str) -> None:
    made(tmp_path, callback_url=url)


def test_without_a_secret_processes_share_a_key_of_their_own(
    tmp_path: Path, listener: Listener, http: requests.Session
) -> None:
    folder = tmp_path / "data"
    entry = {"receipts": ["delivered"], "after": "1ms"}
    made(folder, entry, secret="", callback_url=listener.url, http=http).send(MESSAGE)
    (hook,) = listener.heard(1)
    made(folder, secret="").verify(hook, NOW)
    assert stat.S_IMODE((folder / "texts.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["texts.jsonl", "texts.key"]
    with pytest.raises(Unverified):
        made(tmp_path / "other", secret="").verify(hook, NOW)


def test_the_first_of_many_makes_the_key(tmp_path: Path) -> None:
    hook = Hook("POST", "", {}, b"[]")
    sandboxes = [made(tmp_path / "data", secret="") for _ in range(16)]

    def signature(sandbox: Sandbox) -> str:
        with pytest.raises(Unverified):
            sandbox.verify(hook, NOW)
        return (tmp_path / "data" / "texts.key").read_text()

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(signature, sandboxes))) == 1


def test_a_signature_made_with_an_empty_secret_is_forged(tmp_path: Path) -> None:
    signed_with_nothing = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    hook = Hook("POST", "", {"x-sandbox-signature": signed_with_nothing}, b"")
    with pytest.raises(Unverified):
        made(tmp_path, secret="").verify(hook, NOW)


@pytest.mark.parametrize("at", ["2027-03-01T12:00:00", "yesterday", None])
def test_an_instant_without_its_zone_is_unreadable(tmp_path: Path, at: str | None) -> None:
    body = b'[{"kind": "reply", "at": %s}]' % (b'"%s"' % at.encode() if at else b"null")
    with pytest.raises(Unreadable):
        made(tmp_path).parse(Hook("POST", "", {}, body))


def test_nothing_came_while_we_were_away(tmp_path: Path) -> None:
    assert list(made(tmp_path).inbound(NOW)) == []
