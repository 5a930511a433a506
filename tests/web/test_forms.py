"""``/forms/<name>``: a form is taken from its own pages; programs that fill it in get nowhere."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.config.forms import Form
from connector.errors import Overloaded, StorageRefused
from connector.web.app import create_app
from connector.web.formlimits import ADDRESSES, FormLimits
from connector.web.formpages import WORDS
from connector.web.formread import MAX_BYTES
from tests.web.conftest import NEWSLETTER, NOW

HERE = {"Origin": "https://shop.example", "User-Agent": "Mozilla/5.0"}
FILLED = {"tel": "+1 (202) 555-0123", "name": "Ann", "sms_ok": "on", "other": "is not read"}


def send(
    client: FlaskClient, headers: dict[str, str] | None = None, address: str = "", **changes: Any
) -> TestResponse:
    """A browser without scripts sends the form; ``None`` takes a field away."""
    told = {name: value for name, value in {**FILLED, **changes}.items() if value is not None}
    environ = {"REMOTE_ADDR": address} if address else {}
    return client.post(
        "/forms/newsletter", data=told, headers=headers or HERE, environ_overrides=environ
    )


def kept(rt: Any) -> dict[str, Any]:
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.source) == ("events", "site_forms")
    found: dict[str, Any] = json.loads(delivery.body)
    return found


def test_what_was_typed_is_on_disk_with_the_words_that_were_shown(
    client: FlaskClient, rt: Any
) -> None:
    referer = {**HERE, "Referer": "https://shop.example/join?x=1"}
    answer = send(client, referer, address="203.0.113.9")
    assert answer.status_code == 200
    told = kept(rt)
    assert told["form"] == "newsletter"
    assert told["fields"] == {"phone": "+1 (202) 555-0123", "first_name": "Ann"}
    assert told["consent"] == {
        "purposes": {"marketing": True},
        "wording": "Text me offers. Reply STOP to end.",
        "version": "v3",
    }
    assert told["context"] == {
        "ip": "203.0.113.9",
        "userAgent": "Mozilla/5.0",
        "page": {"url": "https://shop.example/join?x=1"},
    }


@pytest.mark.parametrize("ticked", [None, "", "0", "false", "off", "No", "null", "undefined"])
def test_an_empty_box_is_no_consent(client: FlaskClient, rt: Any, ticked: Any) -> None:
    assert send(client, sms_ok=ticked).status_code == 200
    assert kept(rt)["consent"] is None


def test_it_leads_where_the_operator_says_and_nowhere_the_request_says(
    client: FlaskClient, rt: Any
) -> None:
    rt.settings.forms["newsletter"] = replace(NEWSLETTER, redirect="https://shop.example/thanks")
    answer = send(client, redirect="https://evil.example", next="https://evil.example")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://shop.example/thanks")


def test_a_script_of_the_page_may_send_json_and_is_answered_with_it(
    client: FlaskClient, rt: Any
) -> None:
    asked = client.options("/forms/newsletter", headers=HERE)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "content-type" in asked.headers["Access-Control-Allow-Headers"]
    body = {"tel": 12025550123, "sms_ok": True, "name": None, "list": [1]}
    answer = client.post("/forms/newsletter", json=body, headers=HERE)
    assert (answer.status_code, answer.json) == (200, {"success": True})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    told = kept(rt)
    assert told["fields"] == {"phone": "12025550123"} and told["consent"]


def test_a_form_of_parts_is_read_too_and_takes_no_files(client: FlaskClient, rt: Any) -> None:
    empty = {**FILLED, "photo": (io.BytesIO(b""), "")}
    answer = client.post(
        "/forms/newsletter", data=empty, content_type="multipart/form-data", headers=HERE
    )
    assert answer.status_code == 200
    assert kept(rt)["fields"]["first_name"] == "Ann"
    file = {**FILLED, "photo": (io.BytesIO(b"x"), "x.png")}
    answer = client.post(
        "/forms/newsletter", data=file, content_type="multipart/form-data", headers=HERE
    )
    assert answer.status_code == 400 and len(rt.inbox.deliveries) == 1


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "https://shop.example.evil"]
)
@pytest.mark.parametrize("mimetype", ["application/x-www-form-urlencoded", "application/json"])
def test_a_page_elsewhere_sends_nothing(
    client: FlaskClient, rt: Any, origin: str, mimetype: str
) -> None:
    headers = {"Origin": origin} if origin else {}
    body = json.dumps(FILLED) if "json" in mimetype else urlencode(FILLED)
    answer = client.post("/forms/newsletter", data=body, content_type=mimetype, headers=headers)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert (
        "Access-Control-Allow-Origin"
        not in client.options("/forms/newsletter", headers=headers).headers
    )
    assert rt.inbox.deliveries == []


OPENED = str(int(NOW.timestamp() * 1000) - 1_000)


@pytest.mark.parametrize("typed", [{"website": "https://spam.example"}, {"opened": OPENED}])
def test_a_program_is_answered_as_a_person_is_and_nothing_happens(
    client: FlaskClient, rt: Any, typed: dict[str, Any]
) -> None:
    person = send(client)
    rt.inbox.deliveries.clear()
    program = send(client, **typed)
    assert rt.inbox.deliveries == []
    assert (program.status_code, program.data) == (person.status_code, person.data)
    assert program.headers == person.headers


@pytest.mark.parametrize(
    "opened",
    [
        *("", "nonsense", str(int(NOW.timestamp()) - 60), "2026-11-20"),
        str(int(NOW.timestamp() * 1000) + 600_000),
    ],
)
def test_a_page_that_tells_no_time_or_a_long_one_or_of_a_fast_clock_is_a_persons(
    client: FlaskClient, rt: Any, opened: str
) -> None:
    send(client, opened=opened)
    assert rt.inbox.deliveries


def test_programs_use_up_nobodys_places(client: FlaskClient, rt: Any) -> None:
    rt.settings.forms["newsletter"] = replace(NEWSLETTER, per_address=1, per_form=2)
    for _ in range(9):
        assert send(client, address="203.0.113.9", website="x").status_code == 200
    assert send(client, address="203.0.113.9").status_code == 200
    assert len(rt.inbox.deliveries) == 1


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"tel": ""}, "field_missing"),
        ({"tel": "call me"}, "phone_unusable"),
        ({"tel": "+1202555012301234567890123456789012345"}, "phone_unusable"),
        ({"email": "ann"}, "email_unusable"),
        ({"name": "x" * 2_001}, "field_too_long"),
    ],
)
def test_a_person_is_told_what_to_mend(
    client: FlaskClient, rt: Any, typed: dict[str, Any], code: str
) -> None:
    page = send(client, **typed)
    assert page.status_code == 422 and page.mimetype == "text/html"
    told = client.post("/forms/newsletter", json={**FILLED, **typed}, headers=HERE)
    assert (told.status_code, told.get_json()["code"]) == (422, code)
    assert rt.inbox.deliveries == []


def test_one_address_may_send_so_many_an_hour_and_all_together_so_many(
    client: FlaskClient, rt: Any
) -> None:
    rt.settings.forms["newsletter"] = replace(NEWSLETTER, per_address=2, per_form=3)
    sent = [send(client, address="203.0.113.9", name=str(turn)) for turn in range(3)]
    assert [answer.status_code for answer in sent] == [200, 200, 429]
    assert int(sent[2].headers["Retry-After"]) > 3_000
    assert send(client, address="203.0.113.10").status_code == 200
    assert send(client, address="203.0.113.11").status_code == 429
    assert len(rt.inbox.deliveries) == 3


def test_a_line_of_ipv6_is_one_address_and_the_count_is_of_the_last_hour() -> None:
    at = 0.0
    limits, form = FormLimits(lambda: at), replace(NEWSLETTER, per_address=1, per_form=9_999_999)
    assert limits.take(form, "2001:db8::1") == 0
    assert limits.take(form, "2001:db8::2") == 3_600
    at = 3_599.5
    assert limits.take(form, "2001:db8::2") == 1
    at = 3_600.0
    assert limits.take(form, "2001:db8::2") == 0
    for number in range(ADDRESSES + 10):
        limits.take(form, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(limits._of) <= ADDRESSES


def test_the_same_sent_twice_is_one_event(client: FlaskClient, rt: Any) -> None:
    send(client, address="203.0.113.9")
    send(client, address="203.0.113.9")
    send(client, address="203.0.113.9", name="Bob")
    ids = [json.loads(each.body)["messageId"] for each in rt.inbox.deliveries]
    assert ids[0] == ids[1] != ids[2]


def test_the_same_from_elsewhere_or_on_another_day_is_another_event(
    client: FlaskClient, rt: Any
) -> None:
    send(client, address="203.0.113.9")
    send(client, address="203.0.113.10")
    rt.clock = lambda: NOW + timedelta(days=1)
    send(client, address="203.0.113.9")
    ids = {json.loads(each.body)["messageId"] for each in rt.inbox.deliveries}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("referer", "page", "kept_page"),
    [
        ("https://evil.example/shop.example/join", "", ""),
        ("https://evil.example/join", "https://shop.example/join", "https://shop.example/join"),
        ("https://shop.example/", "https://shop.example/join", "https://shop.example/join"),
        ("https://shop.example/sale", "https://shop.example/join", "https://shop.example/sale"),
        ("https://shop.example/", "", "https://shop.example/"),
        ("https://[", "https://shop.example/join", "https://shop.example/join"),
    ],
)
def test_where_it_stood_is_a_page_of_the_operators_or_what_they_say(
    client: FlaskClient, rt: Any, referer: str, page: str, kept_page: str
) -> None:
    """It is evidence of the consent, so that nobody else may write it."""
    rt.settings.forms["newsletter"] = replace(NEWSLETTER, page=page)
    send(client, {**HERE, "Referer": referer})
    assert kept(rt)["context"]["page"]["url"] == kept_page


def test_of_a_field_that_is_told_twice_the_first_counts(client: FlaskClient, rt: Any) -> None:
    body = "tel=%2B12025550123&sms_ok=0&sms_ok=on&tel=%2B12025550199"
    form = "application/x-www-form-urlencoded"
    client.post("/forms/newsletter", data=body, content_type=form, headers=HERE)
    told = kept(rt)
    assert (told["fields"]["phone"], told["consent"]) == ("+12025550123", None)


@pytest.mark.parametrize(
    ("body", "mimetype", "status"),
    [
        (b"x" * (MAX_BYTES + 1), "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(101)), "application/x-www-form-urlencoded", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"--x", "multipart/form-data; boundary=x", 400),
        (b"tel=1", "text/plain", 415),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    client: FlaskClient, rt: Any, body: bytes, mimetype: str, status: int
) -> None:
    answer = client.post("/forms/newsletter", data=body, content_type=mimetype, headers=HERE)
    assert answer.status_code == status
    assert rt.inbox.deliveries == []


def test_who_sent_what_cannot_be_read_is_not_told_to_come_again(client: FlaskClient) -> None:
    answer = client.post("/forms/newsletter", data=b"x" * (MAX_BYTES + 1), headers=HERE)
    assert WORDS["en"]["later"] not in answer.text
    assert WORDS["en"]["other"] in answer.text


def test_no_form_of_that_name_is_not_found(client: FlaskClient) -> None:
    assert client.post("/forms/other", data=FILLED, headers=HERE).status_code == 404


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded("full"), 429), (StorageRefused("full"), 503)]
)
def test_a_person_is_asked_to_come_again_where_nothing_can_be_kept(
    rt: Any, error: Exception, status: int
) -> None:
    rt.inbox.error = error
    answer = send(create_app(rt).test_client())
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert WORDS["en"]["later"] in answer.text
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("language", [*WORDS, "pt-BR", "xx"])
def test_the_pages_speak_the_operators_language_and_allow_nothing_but_their_style(
    client: FlaskClient, rt: Any, language: str
) -> None:
    rt.settings.language = language
    words = WORDS.get(language[:2], WORDS["en"])
    taken, refused = send(client), send(client, tel="")
    assert escape(words["asks"]) in taken.text and escape(words["sorry"]) in refused.text
    for page in (taken, refused):
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy
        assert page.headers.getlist("Content-Security-Policy") == [policy]
        [style] = re.findall("<style>(.*)</style>", page.text)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
        assert f'<html lang="{language if language != "xx" else "en"}">' in page.text
        assert "tel" not in taken.text


def test_every_language_has_every_word() -> None:
    assert len({frozenset(words) for words in WORDS.values()}) == 1
    assert all(
        ("{field}" in said) == (code in ("field_missing", "field_too_long"))
        for words in WORDS.values()
        for code, said in words.items()
    )


def test_what_was_typed_stands_in_no_page(client: FlaskClient, rt: Any) -> None:
    form: Form = replace(NEWSLETTER, page="https://shop.example/join?a=1&b=<x>")
    rt.settings.forms["newsletter"] = form
    page = send(client, name="<script>alert(1)</script>", tel="<b>")
    assert "<script" not in page.text and "<b>" not in page.text
    assert 'href="https://shop.example/join?a=1&amp;b=&lt;x&gt;"' in page.text
