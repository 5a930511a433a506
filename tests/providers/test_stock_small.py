"""A small gateway, described: a GET with login and password in it, and callbacks that sign nothing.

Many national gateways speak so; this is the second example of docs/providers.md, as it stands.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from flask.testing import FlaskClient

from connector.errors import Deferred, Refused, SendFailed, Uncertain, Unverified
from connector.messages import Accepted, Receipt, Reply
from connector.model import Hook, Status
from connector.providers.stock import Stock
from connector.web.app import create_app
from tests.providers.contract import MESSAGE, NOW, OURS
from tests.providers.kit_stock import example, terms_of
from tests.web.conftest import Runtime

SMALL = example("gate")
LOGIN, PASSWORD = "shop", "pass:word&more"
SHOWN = "0123456789-secret_of-callbacks"


def made(tmp_path: Path, file: str = SMALL, **settings: Any) -> Stock:
    terms, faults = terms_of(tmp_path / "providers", file, "gate")
    assert terms is not None, faults
    usual: dict[str, Any] = {
        "secret": f"{LOGIN}:{PASSWORD}",
        "callback_secrets": [SHOWN],
        "from_number": OURS,
        "default_region": "DE",
    }
    return Stock(terms=terms, **{**usual, **settings})


def sent(provider: Stock, **answer: Any) -> tuple[Any, Any]:
    with responses.RequestsMock() as mock:
        mock.add("GET", "https://gate.example/send.php", match_querystring=None, **answer)
        try:
            told: Any = provider.send(MESSAGE)
        except SendFailed as error:
            told = error
        return told, mock.calls[0].request


def test_a_text_and_the_login_stand_in_the_address_of_a_get(tmp_path: Path) -> None:
    told, request = sent(made(tmp_path), body="SMS17,1")
    assert told == Accepted("SMS17")
    assert (request.method, request.body or b"") == ("GET", b"")
    assert parse_qs(urlsplit(request.url).query) == {
        "fmt": ["0"],
        "phones": [MESSAGE.to[1:]],
        "mes": [MESSAGE.text],
        "cost": ["3"],
        "id": [MESSAGE.send_id],
        "back": [f"{MESSAGE.callback_url}?s={MESSAGE.send_id}&secret={SHOWN}"],
        "login": [LOGIN],
        "psw": [PASSWORD],
    }
    assert "Authorization" not in request.headers


def test_login_and_password_may_be_fields_of_a_form_or_of_json_too(tmp_path: Path) -> None:
    for format_ in ("form", "json"):
        provider = made(tmp_path, SMALL.replace('"query"', f'"{format_}"', 1))
        with responses.RequestsMock() as mock:
            mock.add("POST", "https://gate.example/send.php", match_querystring=None, body="SMS1,")
            provider.send(MESSAGE)
            request: Any = mock.calls[0].request
        body = request.body.decode()
        assert PASSWORD.split("&")[0] in body.replace("%3A", ":")
        assert PASSWORD.split("&")[0] not in request.url


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        ({"body": "ERROR=8"}, Refused, "invalid_number"),
        ({"body": "ERROR=99"}, Uncertain, "unknown"),
        ({"body": "", "status": 200}, Uncertain, "unknown"),
        ({"body": "<html>", "status": 500}, Uncertain, "unavailable"),
        ({"body": "", "status": 301}, Deferred, "configuration"),
        ({"body": "", "status": 302}, Uncertain, "unknown"),
        ({"body": "", "status": 303}, Uncertain, "unknown"),
    ],
)
def test_what_it_answers_is_told_without_the_secret(
    tmp_path: Path,
    answer: dict[str, Any],
    kind: type[SendFailed],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    told, _ = sent(made(tmp_path), **answer)
    assert (type(told), told.reason) == (kind, reason)
    for private in (PASSWORD, SHOWN, MESSAGE.to[1:], MESSAGE.text):
        assert private not in f"{told}{told.args}{caplog.text}"


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def facing(tmp_path: Path, port: socket.socket) -> Stock:
    address = f"http://127.0.0.1:{port.getsockname()[1]}"
    return made(tmp_path, SMALL.replace("https://gate.example", address))


def test_a_get_that_never_left_may_go_again(tmp_path: Path, port: socket.socket) -> None:
    provider = facing(tmp_path, port)
    port.close()
    with pytest.raises(Deferred):
        provider.send(MESSAGE)


def test_a_get_that_was_not_answered_may_not(tmp_path: Path, port: socket.socket) -> None:
    import threading

    def hang_up() -> None:
        connection, _ = port.accept()
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(65_536)
        asked.append(got)
        connection.close()

    asked: list[bytes] = []
    thread = threading.Thread(target=hang_up)
    thread.start()
    with pytest.raises(Uncertain):
        facing(tmp_path, port).send(MESSAGE)
    thread.join()
    assert len(asked) == 1


def test_a_status_is_asked_for_with_the_login(tmp_path: Path) -> None:
    provider: Any = made(tmp_path)
    with responses.RequestsMock() as mock:
        mock.add("GET", "https://gate.example/status.php", json={"status": 1})
        receipt = provider.status("17", MESSAGE)
        url = str(mock.calls[0].request.url)
    assert receipt.status is Status.delivered
    assert parse_qs(urlsplit(url).query) == {"id": ["17"], "login": [LOGIN], "psw": [PASSWORD]}


def test_a_status_may_be_told_in_words_alone(tmp_path: Path) -> None:
    file = SMALL.replace('status = "body.status"', "status = \"body.split(',')[1]\"")
    provider: Any = made(tmp_path, file)
    with responses.RequestsMock() as mock:
        mock.add("GET", "https://gate.example/status.php", body="17,20")
        assert provider.status("17", MESSAGE).status is Status.undelivered
        mock.replace("GET", "https://gate.example/status.php", body="<html>")
        with pytest.raises(Uncertain):
            provider.status("17", MESSAGE)


def test_a_secret_has_as_many_parts_as_there_are_fields(tmp_path: Path) -> None:
    for secret in ("shop", "shop:", ":x"):
        with pytest.raises(ValueError, match="login:psw"):
            made(tmp_path, secret=secret)
    alone = SMALL.replace('["login", "psw"]', '["key"]')
    assert made(tmp_path, alone, secret="a:b").name == "gate"


def hook(query: str) -> Hook:
    return Hook("GET", f"https://sms.example.test/providers/gate?{query}", {}, b"")


def test_a_callback_is_proven_by_the_secret_in_its_address(tmp_path: Path) -> None:
    provider = made(tmp_path, callback_secrets=[SHOWN, "another-of-16-letters"])
    for secret in (SHOWN, "another-of-16-letters"):
        provider.verify(hook(f"id=1&secret={secret}"), NOW)
    for forged in ("", "secret=", "secret=x", f"secret={SHOWN}x", f"secret={SHOWN}&secret=x"):
        with pytest.raises(Unverified):
            provider.verify(hook(forged), NOW)


@pytest.mark.parametrize("secrets", [[], [""], ["short"], ["with a blank in the midst of it"]])
def test_a_secret_for_addresses_is_long_and_plain(tmp_path: Path, secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="16 letters"):
        made(tmp_path, callback_secrets=secrets)


@pytest.fixture
def rt(tmp_path: Path) -> Runtime:
    rt = Runtime()
    rt.providers = {"gate": made(tmp_path)}
    return rt


@pytest.fixture
def client(rt: Runtime) -> FlaskClient:
    return create_app(rt).test_client()


def test_receipts_and_replies_come_by_get_and_their_secret_is_not_kept(
    client: FlaskClient, rt: Any
) -> None:
    told = ("id=17&status=20&s=snd_1", "sms_id=5&phone=%2B4915112345678&mes=STOP&to=4915199")
    for query in told:
        assert client.get(f"/providers/gate?secret={SHOWN}&{query}").status_code == 200
    receipt, reply = (
        rt.providers["gate"].parse(Hook("POST", each.url, each.headers, each.body))[0]
        for each in rt.inbox.deliveries
    )
    assert isinstance(receipt, Receipt)
    assert (receipt.provider_id, receipt.status) == ("17", Status.undelivered)
    assert receipt.send_id == "snd_1"
    assert isinstance(reply, Reply)
    assert (reply.sender, reply.text) == ("+4915112345678", "STOP")
    assert SHOWN not in str(rt.inbox.deliveries)


def test_a_forged_get_is_not_kept(client: FlaskClient, rt: Any) -> None:
    assert client.get("/providers/gate?secret=x&id=17&status=1").status_code == 401
    assert client.head(f"/providers/gate?secret={SHOWN}&id=17&status=1").status_code == 405
    assert rt.inbox.deliveries == []


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("4915112345678", "+4915112345678"),
        ("+49 151 12345678", "+4915112345678"),
        (" 4915112345678", "+4915112345678"),  # a plus that nobody escaped
        ("004915112345678", "+4915112345678"),
        ("0151 12345678", "+4915112345678"),
        ("whatsapp:+4915112345678", "+4915112345678"),
        ("447400123456", "+447400123456"),
        ("54321", "54321"),
        ("Shop", "Shop"),
    ],
)
def test_a_stop_counts_for_its_number_however_it_is_written(
    tmp_path: Path, written: str, number: str
) -> None:
    from urllib.parse import quote

    (reply,) = made(tmp_path).parse(hook(f"sms_id=5&mes=STOP&phone={quote(written)}"))
    assert isinstance(reply, Reply)
    assert reply.sender == number
    assert reply.channel == ("whatsapp" if "whatsapp" in written else "sms")


def test_an_id_of_many_digits_stays_whole(tmp_path: Path) -> None:
    file = SMALL.replace("raw.split(',')[0]", "body").replace("raw.startswith('SMS')", "true")
    long = "20270301120000123456789012"
    told, _ = sent(made(tmp_path, file), body=long)
    assert told == Accepted(long)


XML = '<?xml version="1.0"?><answer><id>17</id></answer>'


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (XML, "raw.split('<id>')[1].split('<')[0]"),
        (XML, "body.split('<id>')[1].split('<')[0]"),
        ("id=17&status=OK", "body.id"),
        ("Your id = 17", "body.split(' = ')[1]"),
        ('{"id": 17}', "body.id"),
        ('"17"', "body"),
    ],
)
def test_an_id_is_read_out_of_whatever_is_answered(tmp_path: Path, body: str, answer: str) -> None:
    file = SMALL.replace("raw.split(',')[0]", answer).replace("raw.startswith('SMS')", "true")
    told, _ = sent(made(tmp_path, file), body=body)
    assert told == Accepted("17")


def test_it_carries_the_channels_that_its_file_names(tmp_path: Path) -> None:
    assert made(tmp_path).channels == {"sms"}
    whatsapp = '[provider]\nchannels = ["whatsapp"]\n' + SMALL
    assert made(tmp_path, whatsapp, from_number="whatsapp:+4915199").channels == {"whatsapp"}
    assert made(tmp_path, whatsapp, from_number="").channels == {"whatsapp"}
    with pytest.raises(ValueError, match="channel"):
        made(tmp_path, from_number="whatsapp:+4915199")
