"""Described providers: what a file says is done, and what it leaves open leaves a text in doubt."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import orjson
import pytest
import responses

from connector.errors import Deferred, Refused, SendFailed, Uncertain, Unreadable, Unverified
from connector.messages import Accepted, Found, Message, Receipt, Reply
from connector.model import Hook, Status
from connector.providers import Ability
from connector.providers.stock import Stock
from tests.providers.contract import MESSAGE, NOW, OURS, SECRET, contract_of
from tests.providers.http_side import DATE
from tests.providers.kit_stock import CREATE, StockKit, example, terms_of

TestStock = contract_of(StockKit)

PLAIN = """
[auth]
scheme = "basic"

[send]
url = "https://gate.example/send?v=2"
format = "form"

[send.headers]
X-Reference = "send_id"

[send.body]
dest = "to"
msg = "text"
urgent = "purpose == 'service'"
tag = ["'a'", "purpose"]
account = 7
note = "none"

[answer]
id = "body.split(' ') | last"
accepted = "body.startswith('OK')"
code = "body.split(' ') | last"

[codes]
E1 = "opted_out"
E2 = { means = "deferred", reason = "unavailable" }
E3 = { means = "uncertain", reason = "timeout" }

[statuses]
503 = { means = "deferred", reason = "rate_limited" }

[verify]
scheme = "basic"

[receipts]
when = "path == 'receipts'"
id = "body.id"
status = "body.state"
at = "body.at"

[words]
ok = "delivered"

[replies]
when = "path == 'replies'"
id = "query.id"
sender = "body.from"
text = "body.msg"
opt_out = "body.word"
"""
LOGIN = "user:password"
PROVEN = {"authorization": f"Basic {base64.b64encode(b'us:pw').decode()}"}


def made(tmp_path: Path, file: str = PLAIN, **settings: Any) -> Stock:
    terms, faults = terms_of(tmp_path / "providers", file, "gate")
    assert terms is not None, faults
    usual: dict[str, Any] = {"secret": LOGIN, "callback_secrets": ["us:pw"], "from_number": OURS}
    return Stock(terms=terms, **{**usual, **settings})


def sent(provider: Stock, message: Message = MESSAGE, **answer: Any) -> tuple[Any, Any]:
    with responses.RequestsMock() as mock:
        mock.add("POST", "https://gate.example/send?v=2", match_querystring=None, **answer)
        try:
            told: Any = provider.send(message)
        except SendFailed as error:
            told = error
        return told, mock.calls[0].request


def test_a_text_is_written_as_the_file_says(tmp_path: Path) -> None:
    told, request = sent(made(tmp_path), body="OK 17")
    assert told == Accepted("17")
    assert parse_qs(request.body.decode()) == {
        "dest": [MESSAGE.to],
        "msg": [MESSAGE.text],
        "urgent": ["true"],
        "tag": ["a", "service"],
        "account": ["7"],
    }
    assert request.headers["X-Reference"] == MESSAGE.send_id
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == (
        LOGIN.encode()
    )


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ('scheme = "bearer"', "Authorization", f"Bearer {LOGIN}"),
        ('scheme = "header"\nheader = "X-Api-Key"', "X-Api-Key", LOGIN),
        (
            'scheme = "header"\nheader = "Authorization"\nprefix = "App "',
            "Authorization",
            f"App {LOGIN}",
        ),
    ],
)
def test_a_request_is_proven_as_the_file_says(
    tmp_path: Path, auth: str, name: str, value: str
) -> None:
    _, request = sent(made(tmp_path, PLAIN.replace('scheme = "basic"', auth, 1)), body="OK 17")
    assert request.headers[name] == value


def test_no_line_of_a_text_ends_up_in_a_header(tmp_path: Path) -> None:
    file = PLAIN.replace('X-Reference = "send_id"', 'X-Reference = "text"')
    hostile = replace(MESSAGE, text="a\r\nX-Injected: yes\x00é")
    _, request = sent(made(tmp_path, file), hostile, body="OK 17")
    assert request.headers["X-Reference"] == "aX-Injected: yes"
    assert "X-Injected" not in request.headers


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "code"),
    [
        ({"body": "ERR E1"}, Refused, "opted_out", "E1"),
        ({"body": "ERR E2"}, Deferred, "unavailable", "E2"),
        ({"body": "ERR E3", "status": 400}, Uncertain, "timeout", "E3"),
        ({"body": "NO 17"}, Uncertain, "unknown", "17"),  # an id, and yet not taken
        ({"body": "", "status": 503}, Deferred, "rate_limited", ""),
        ({"body": "ERR E9", "status": 400}, Uncertain, "unknown", "E9"),
        ({"body": "ERR E9", "status": 409}, Uncertain, "unknown", "E9"),
        ({"body": "", "status": 401}, Deferred, "configuration", ""),
        ({"body": "", "status": 500}, Uncertain, "unavailable", ""),
        ({"body": "", "status": 302}, Uncertain, "unknown", ""),  # perhaps to a page of thanks
        ({"body": "", "status": 307}, Deferred, "configuration", ""),
    ],
)
def test_an_answer_means_what_the_file_says_and_else_leaves_a_doubt(
    tmp_path: Path, answer: dict[str, Any], kind: type[SendFailed], reason: str, code: str
) -> None:
    told, _ = sent(made(tmp_path), **answer)
    assert (type(told), told.reason) == (kind, reason)
    assert told.code == code or not code


def test_what_no_line_covers_says_where_to_add_one(tmp_path: Path) -> None:
    told, _ = sent(made(tmp_path), body="ERR E9", status=400)
    assert "mappings/providers/gate.toml" in str(told)
    assert "E9" in str(told)


def test_a_deferred_text_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    told, _ = sent(made(tmp_path), status=503, headers={"Retry-After": "7"})
    assert isinstance(told, Deferred)
    assert told.retry_after == 7


def test_without_a_way_to_ask_it_cannot_tell(tmp_path: Path) -> None:
    provider = made(tmp_path)
    assert provider.does == frozenset[Ability]()
    assert provider.find(MESSAGE, NOW) == Found(None)
    for listing in (provider.inbound, provider.carried):
        with pytest.raises(Deferred):
            list(listing(NOW))


FOUND: dict[str, Any] = {"url": re.compile(r".*reference=.*"), "headers": DATE}
ALONE = example().replace('for_each = "body.messages"\nid = "item.id"', 'id = "body.id"')


def described(tmp_path: Path, file: str = example()) -> Stock:
    terms, faults = terms_of(tmp_path / "providers", file)
    assert terms is not None, faults
    return Stock(terms=terms, secret=SECRET, callback_secrets=[SECRET])


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ({"json": {"messages": []}}, False),
        ({"json": {"messages": [{"id": "1", "reference": "snd_other"}]}}, None),
        ({"json": {"messages": [{"id": "1"}]}}, None),
        ({"json": {"error": "try again"}}, None),
        ({"status": 404}, None),  # it may be the address that is not there
    ],
)
def test_only_an_empty_list_says_that_a_text_was_not_taken(
    tmp_path: Path, answer: dict[str, Any], taken: bool | None
) -> None:
    with responses.RequestsMock() as mock:
        mock.add("GET", **FOUND, **answer)
        assert described(tmp_path).find(MESSAGE, NOW) == Found(taken)


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ({"status": 404}, False),
        ({"json": {"error": "try again"}}, None),
        ({"json": {"id": "1", "reference": "snd_other"}}, None),
    ],
)
def test_where_one_text_is_asked_for_only_404_says_that_it_was_not_taken(
    tmp_path: Path, answer: dict[str, Any], taken: bool | None
) -> None:
    file = ALONE.replace('reference = "item.reference"\n', 'reference = "body.reference"\n')
    file = file.replace('reference = "body.reference"', 'reference = "item.reference"', 1)
    with responses.RequestsMock() as mock:
        mock.add("GET", **FOUND, **answer)
        assert described(tmp_path, file).find(MESSAGE, NOW) == Found(taken)


def test_a_status_is_that_of_the_text_that_was_asked_for(tmp_path: Path) -> None:
    of_many = 'for_each = "body.messages"\nid = "item.id"\nstatus = "item.status"'
    file = example().replace(
        'messages/{id}"\nstatus = "body.status"', f'messages/{{id}}"\n{of_many}'
    )
    provider: Any = described(tmp_path, file)
    other, ours = {"id": "1", "status": "DELIVRD"}, {"id": "17", "status": "UNDELIV"}
    with responses.RequestsMock() as mock:
        mock.add("GET", f"{CREATE}/17", json={"messages": [other, ours]})
        mock.add("GET", f"{CREATE}/18", json={"messages": [other, ours]})
        receipt = provider.status("17", MESSAGE)
        assert (receipt.provider_id, receipt.status) == ("17", Status.undelivered)
        assert provider.status("18", MESSAGE) is None


def hook(place: str, body: bytes, **headers: str) -> Hook:
    return Hook("POST", f"https://sms.example.test/providers/gate/{place}", headers, body)


def test_callbacks_are_told_apart_by_their_address_too(tmp_path: Path) -> None:
    provider = made(tmp_path)
    receipt = hook("receipts?s=snd_1", b"id=17&state=ok&at=1803902400", **PROVEN)
    provider.verify(receipt, NOW)
    (told,) = provider.parse(receipt)
    assert isinstance(told, Receipt)
    assert (told.provider, told.provider_id, told.status) == ("gate", "17", Status.delivered)
    assert (told.send_id, told.occurred_at) == ("snd_1", NOW)
    (reply,) = provider.parse(hook("replies?id=9", b"from=14155552671&msg=STOP&word=stop"))
    assert reply == Reply("gate", "9", "+14155552671", "", "STOP", opt_out_type="STOP")
    with pytest.raises(Unreadable):
        provider.parse(hook("elsewhere", b"id=17&state=ok"))
    with pytest.raises(Unverified):
        provider.verify(replace(receipt, headers={}), NOW)


@pytest.mark.parametrize(
    "at", ["1803902400", "1803902400000", "2027-03-01T12:00:00Z", "Mon, 01 Mar 2027 12:00:00 GMT"]
)
def test_a_providers_time_is_read_however_it_is_written(tmp_path: Path, at: str) -> None:
    body = urlencode({"id": "17", "state": "ok", "at": at}).encode()
    (told,) = made(tmp_path).parse(hook("receipts", body))
    assert isinstance(told, Receipt)
    assert told.occurred_at == NOW


def test_a_signature_of_the_body_does_not_vouch_for_the_address(tmp_path: Path) -> None:
    signed = '[verify]\nscheme = "hmac"\nheader = "X-S"'
    file = PLAIN.replace('[verify]\nscheme = "basic"', signed)
    provider = made(tmp_path, file, callback_secrets=["k"])
    (told,) = provider.parse(hook("receipts?s=snd_other", b"id=17&state=ok"))
    assert isinstance(told, Receipt)
    assert told.send_id == ""


def test_many_receipts_of_one_callback_are_all_read(tmp_path: Path) -> None:
    terms, faults = terms_of(tmp_path / "providers", example())
    assert terms is not None, faults
    provider = Stock(terms=terms, secret=SECRET, callback_secrets=[SECRET])
    events = [{"id": str(number), "status": "SENT"} for number in range(1_200)]
    body = orjson.dumps({"type": "status", "events": events})
    assert len(provider.parse(Hook("POST", CREATE, {}, body))) == 1_200


def test_a_stop_does_not_wait_for_a_neighbour_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    many = '[replies]\nfor_each = "body.list"\nid = "item.id"\nsender = "item.from"'
    file = example().replace('[replies]\nwhen = "body.type == \'message\'"\nid = "body.id"', many)
    file = file.replace('sender = "body.from"\n', "").replace(
        'text = "body.text"', 'text = "item.text"'
    )
    provider = described(tmp_path, file)
    stop, broken = {"id": 1, "from": "14155552671", "text": "STOP"}, {"text": "of nobody"}
    for listed in ([stop, broken], [broken, stop]):
        body = orjson.dumps({"type": "message", "list": listed})
        (told,) = provider.parse(Hook("POST", CREATE, {}, body))
        assert isinstance(told, Reply)
        assert (told.sender, told.text) == ("+14155552671", "STOP")
    assert "partly_unreadable" in caplog.text
    assert "nobody" not in caplog.text
    with pytest.raises(Unreadable):
        provider.parse(Hook("POST", CREATE, {}, orjson.dumps({"list": [broken]})))


def test_the_secret_is_of_the_kind_that_the_file_asks_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="user:password"):
        made(tmp_path, secret="token")
    with pytest.raises(ValueError, match="secret is missing"):
        made(tmp_path, secret="")
    with pytest.raises(ValueError, match="at least one secret"):
        made(tmp_path, callback_secrets=[])
    with pytest.raises(ValueError, match="of no use"):
        made(tmp_path, PLAIN.replace('[auth]\nscheme = "basic"', '[auth]\nscheme = "none"'))
