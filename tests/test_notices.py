"""Notices leave by webhook or e-mail, within a time, and tell no secret when they fail."""

from __future__ import annotations

import json
import shutil
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import responses

from connector.errors import NoticeFailed
from connector.notices import Mail, send_email, send_webhook

HOOK = "https://hooks.example/T01/secret-token"
AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
TO = ("audit@corner.example", "second@corner.example")


@responses.activate
def test_a_webhook_gets_json_and_the_headers_given() -> None:
    responses.post(HOOK, status=204)
    send_webhook(HOOK, {"seq": 7}, headers={"x-signed": "yes"})
    call = responses.calls[0].request
    assert json.loads(call.body or b"") == {"seq": 7}
    assert (call.headers["content-type"], call.headers["x-signed"]) == ("application/json", "yes")


@responses.activate
@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_webhook_that_did_not_take_it_is_an_error_without_its_path(status: int) -> None:
    responses.post(HOOK, status=status, headers={"location": "https://evil.example/"})
    with pytest.raises(NoticeFailed) as failed:
        send_webhook(HOOK, {})
    assert "hooks.example" in str(failed.value) and str(status) in str(failed.value)
    assert "secret-token" not in str(failed.value)
    assert failed.value.__cause__ is None


@responses.activate
def test_a_host_that_cannot_be_reached_is_an_error_without_its_path() -> None:
    with pytest.raises(NoticeFailed) as failed:
        send_webhook(HOOK, {})  # nothing answers there
    assert "secret-token" not in str(failed.value)


class Room:
    """What a mail server heard."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.refuses: str = ""
        self.port = 0


@contextmanager
def mail_server(certificate: Path | None = None, *, at_once: bool = False) -> Iterator[Room]:
    room = Room()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if at_once:
                self.secure()
            self.tell("220 here")
            while line := self.rfile.readline():
                text = line.decode().strip()
                room.said.append(text)
                if not self.answer(text):
                    return

        def answer(self, text: str) -> bool:
            verb = text.split(" ")[0].upper()
            if verb == "EHLO":
                offers = ["here", "AUTH PLAIN"] + (["STARTTLS"] if certificate else [])
                for place, offer in enumerate(offers, 1):
                    self.tell(f"250{' ' if place == len(offers) else '-'}{offer}")
            elif verb == "STARTTLS":
                self.tell("220 go on")
                self.secure()
            elif verb == "DATA":
                self.tell("354 go on")
                while (line := self.rfile.readline()) != b".\r\n":
                    room.said.append(line.decode().rstrip("\r\n"))
                self.tell("250 taken")
            elif verb == "AUTH":
                self.tell("535 no" if room.refuses == "login" else "235 yes")
            elif room.refuses and room.refuses in text:
                self.tell("550 no such address")
            else:
                self.tell("221 bye" if verb == "QUIT" else "250 yes")
            return verb != "QUIT"

        def tell(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def secure(self) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(str(certificate))
            safe: Any = context.wrap_socket(self.request, server_side=True)
            self.request = safe
            self.rfile, self.wfile = safe.makefile("rb"), safe.makefile("wb", buffering=0)

        def finish(self) -> None:
            super().finish()
            self.request.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that goes away is what some tests are about."""

    with Server(("127.0.0.1", 0), Talk) as server:
        room.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield room
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its certificate for localhost, made anew for each run."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("mail") / "localhost.pem"
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost"]
    places = ["-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run([openssl, *options.split(), *names, *places], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def server_of(room: Room, tls: str, **given: str) -> Mail:
    return Mail("localhost", room.port, tls, "connector@corner.example", **given)


def test_an_e_mail_is_a_dated_plain_text_to_every_address() -> None:
    with mail_server() as room:
        send_email(server_of(room, "none"), TO, "Head\r\nBcc: me@evil.example", "seq 7", at=AT)
    assert "Subject: Head Bcc: me@evil.example" in room.said
    assert not [line for line in room.said if line.startswith("Bcc:")]
    assert "Date: Mon, 02 Mar 2026 15:00:00 +0000" in room.said
    assert f"To: {', '.join(TO)}" in room.said and "seq 7" in room.said
    assert [line for line in room.said if line.startswith("rcpt TO")] == [
        f"rcpt TO:<{address}>" for address in TO
    ]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_password_travels_over_tls(
    tls: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with mail_server(certificate, at_once=tls == "tls") as room:
        given = {"user": "connector", "password": "hidden"}
        send_email(server_of(room, tls, **given), TO, "Head", "seq 7", at=AT)
    verbs = [line.split(" ")[0] for line in room.said]
    assert "seq 7" in room.said and "AUTH" in verbs
    if tls == "starttls":
        assert verbs.index("STARTTLS") < verbs.index("AUTH")


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_mail_server_that_does_not_prove_who_it_is_gets_no_password(
    tls: str, certificate: Path
) -> None:
    with (
        mail_server(certificate, at_once=tls == "tls") as room,
        pytest.raises(NoticeFailed, match="SSLCertVerificationError"),
    ):
        mail = server_of(room, tls, user="connector", password="hidden")
        send_email(mail, TO, "Head", "seq 7", at=AT)
    assert not [line for line in room.said if line.startswith("AUTH")]


def test_a_mail_server_that_offers_no_tls_gets_no_password() -> None:
    with mail_server() as room, pytest.raises(NoticeFailed, match="SMTPNotSupported"):
        mail = server_of(room, "starttls", user="connector", password="hidden")
        send_email(mail, TO, "Head", "seq 7", at=AT)
    assert not [line for line in room.said if line.startswith("AUTH")]


@pytest.mark.parametrize("refuses", ["login", TO[1], "mail FROM"])
def test_an_e_mail_that_was_not_taken_whole_is_an_error_without_the_password(refuses: str) -> None:
    with mail_server() as room, pytest.raises(NoticeFailed) as failed:
        room.refuses = refuses
        mail = server_of(room, "none", user="connector", password="hidden")
        send_email(mail, TO, "Head", "seq 7", at=AT)
    assert "localhost" in str(failed.value) and "hidden" not in str(failed.value)
    assert "hidden" not in repr(mail)


def test_a_mail_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(NoticeFailed, match="ConnectionRefusedError"):
        send_email(Mail("localhost", 1, "none", "me@corner.example"), TO, "a", "b", at=AT)
