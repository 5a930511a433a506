"""The wire over real sockets: what certainly never left, what may have arrived, what it costs."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
import requests
import responses

from connector.errors import Deferred, Uncertain
from connector.providers.wire import MAX_ANSWER_BYTES, Wire

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Name: v\r\n\r\n{}"
QUICK = (0.3, 0.3)  # seconds, where silence is the point
PATIENT = (20.0, 20.0)

Play = Callable[[socket.socket], None]


class Peer:
    """A listening socket that plays one part on every connection."""

    def __init__(self, play: Play) -> None:
        self.connections = 0
        self.play = play
        self.open: list[socket.socket] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                self.open.append(connection)
                self.threads.append(threading.Thread(target=self.serve, args=(connection,)))
                self.threads[-1].start()

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(30)
            self.play(connection)

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.open:  # a kept-alive one, whose peer lets go of it when it likes
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()


@contextmanager
def facing(
    play: Play, scheme: str = "http", timeouts: tuple[float, float] = PATIENT
) -> Iterator[tuple[Wire, Peer]]:
    """A wire to a peer that plays a part."""
    peer = Peer(play)
    wire = Wire(f"{scheme}://{peer.address}", {"X-Mine": "1"}, direct=True, timeouts=timeouts)
    try:
        yield wire, peer
    finally:
        wire.close()
        peer.close()


def read_request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65_536)
        if not piece:
            raise OSError("closed")
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def answers(answer: bytes = OK) -> Play:
    def play(connection: socket.socket) -> None:
        while True:
            read_request(connection)
            connection.sendall(answer)

    return play


def once(answer: bytes) -> Play:
    """Answer the first request, then hang up."""

    def play(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return play


def hangs_up(connection: socket.socket) -> None:
    connection.recv(1)


def stays_silent(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def speaks_plainly(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def post(wire: Wire) -> int:
    return wire.post("/path?q=1", b"a=1&b=2", {"X-Yours": "2"}).status


def test_an_exchange_brings_status_headers_and_body() -> None:
    seen: list[bytes] = []

    def play(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    with facing(play) as (wire, _):
        answer = wire.post("/path?q=1", b"a=1&b=2", {"X-Yours": "2"})
    assert (answer.status, answer.headers.get("x-name"), answer.body) == (201, "v", b"{}")
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /path?q=1 HTTP/1.1\r\n")
    assert body == b"a=1&b=2"
    for line in (b"Content-Length: 7", b"X-Mine: 1", b"X-Yours: 2"):
        assert line in head
    assert b"chunked" not in head


def test_a_refused_connection_is_deferred() -> None:
    with facing(answers()) as (wire, peer):
        peer.close()
        with pytest.raises(Deferred) as caught:
            post(wire)
    assert caught.value.reason == "unavailable"


def test_a_name_that_cannot_be_resolved_is_deferred() -> None:
    wire = Wire(f"http://{'a' * 64}.example", {}, direct=True, timeouts=QUICK)
    with pytest.raises(Deferred):
        post(wire)


@pytest.mark.parametrize("play", [speaks_plainly, hangs_up, stays_silent])
def test_a_failed_tls_handshake_is_deferred(play: Play) -> None:
    with facing(play, "https", QUICK) as (wire, _), pytest.raises(Deferred):
        post(wire)


def test_a_missing_certificate_file_is_deferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with facing(answers(), "https") as (wire, peer):
        with pytest.raises(Deferred):
            post(wire)
        assert peer.connections == 0


def test_silence_after_the_request_is_uncertain() -> None:
    with facing(stays_silent, timeouts=QUICK) as (wire, _), pytest.raises(Uncertain) as caught:
        post(wire)
    assert caught.value.reason == "timeout"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 ",
        b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01 no HTTP at all\r\n\r\n",
    ],
)
def test_a_broken_answer_is_uncertain(answer: bytes) -> None:
    with facing(once(answer)) as (wire, _), pytest.raises(Uncertain) as caught:
        post(wire)
    assert caught.value.reason == "unavailable"


def test_an_answer_that_stops_half_way_is_uncertain() -> None:
    def play(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{")
        stays_silent(connection)

    with facing(play, timeouts=QUICK) as (wire, _), pytest.raises(Uncertain) as caught:
        post(wire)
    assert caught.value.reason == "timeout"


def test_an_answer_that_comes_by_drops_is_not_waited_for_for_ever() -> None:
    def drips(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 400\r\n\r\n")
        for _ in range(400):
            connection.sendall(b" ")
            threading.Event().wait(0.01)

    with facing(drips, timeouts=QUICK) as (wire, _), pytest.raises(Uncertain) as caught:
        post(wire)
    assert caught.value.reason == "unavailable"


@pytest.mark.parametrize("secret", ["spring\nsummer", "spring’summer"])
def test_a_secret_that_no_header_can_hold_does_not_leave_and_is_not_told(secret: str) -> None:
    with facing(answers()) as (_, peer):
        wire = Wire(f"http://{peer.address}", {"Authorization": f"Bearer {secret}"}, direct=True)
        with pytest.raises(Deferred) as caught:
            post(wire)
        wire.close()
    assert caught.value.reason == "configuration"
    assert "spring" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_answer_without_end_is_uncertain() -> None:
    endless = b"HTTP/1.1 201 Created\r\n\r\n" + b" " * (MAX_ANSWER_BYTES + 1)
    with facing(once(endless)) as (wire, _), pytest.raises(Uncertain):
        post(wire)


def test_what_broke_is_told_without_address_header_or_body() -> None:
    with facing(stays_silent, timeouts=QUICK) as (wire, peer), pytest.raises(Uncertain) as caught:
        post(wire)
    assert caught.value.__suppress_context__
    for private in (peer.address, "/path", "a=1"):
        assert private not in str(caught.value)


def test_no_log_line_holds_what_is_looked_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with facing(answers()) as (wire, _):
        wire.get("/texts?To=%2B14155552671")
    assert "4155552671" not in caplog.text


def test_a_warning_of_broken_headers_does_not_tell_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\n\r\n{}"
    with facing(once(broken)) as (wire, _), suppress(Uncertain):
        wire.get("/texts?To=%2B14155552671")
    assert "4155552671" not in caplog.text


def test_a_get_by_which_something_is_done_has_its_fate_known_too() -> None:
    seen: list[bytes] = []

    def play(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    with facing(play) as (wire, peer):
        assert wire.get_done("/send?to=1", {"X-Yours": "2"}).body == b"{}"
    assert seen[0].startswith(b"GET /send?to=1 HTTP/1.1\r\n")
    assert seen[0].endswith(b"\r\n\r\n")
    assert b"chunked" not in seen[0] and b"X-Yours: 2" in seen[0]
    with facing(stays_silent, timeouts=QUICK) as (wire, _), pytest.raises(Uncertain):
        wire.get_done("/send?to=1", {})
    for play_, scheme in ((hangs_up, "https"), (speaks_plainly, "https")):
        with facing(play_, scheme, QUICK) as (wire, _), pytest.raises(Deferred):
            wire.get_done("/send?to=1", {})
    with facing(answers()) as (wire, peer):
        peer.close()
        with pytest.raises(Deferred):
            wire.get_done("/send?to=1", {})


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    with facing(answers(moved)) as (wire, _):
        assert post(wire) == 307


def test_many_threads_share_kept_alive_connections() -> None:
    with facing(answers()) as (wire, peer), ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: post(wire), range(400)))
        assert statuses == [201] * 400
        assert peer.connections <= 16


def test_a_connection_the_peer_has_closed_is_replaced() -> None:
    with facing(once(OK)) as (wire, peer):
        for count in (1, 2, 3):
            assert post(wire) == 201
            for thread in peer.threads[1:]:
                thread.join()
            assert peer.connections == count


def test_no_cookie_comes_back() -> None:
    heads: list[bytes] = []

    def play(connection: socket.socket) -> None:
        while True:
            heads.append(read_request(connection))
            connection.sendall(OK.replace(b"X-Name: v", b"Set-Cookie: a=b"))

    with facing(play) as (wire, _):
        post(wire)
        post(wire)
    assert b"cookie" not in heads[1].lower()


def test_a_direct_wire_knows_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with facing(answers()) as (wire, _):
        assert post(wire) == 201


def test_a_connect_timeout_is_deferred_and_a_read_timeout_uncertain() -> None:
    with responses.RequestsMock() as calls:
        calls.post("https://p.test/x", body=requests.ConnectTimeout())
        calls.get("https://p.test/x", body=requests.ReadTimeout())
        wire = Wire("https://p.test/", {})
        with pytest.raises(Deferred):
            wire.post("/x", b"", {})
        with pytest.raises(Uncertain):
            wire.get("/x")
