"""Plivo: what is sent, both of its signatures, and what is in its callbacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from connector.errors import Deferred, Refused, SendFailed, Uncertain, Unverified
from connector.messages import Receipt
from connector.model import Hook, Status
from connector.providers.plivo import Plivo
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.kit_plivo import ACCOUNT, PlivoKit

SITE = "https://sms.example.test/providers/plivo"
FORM = {
    "From": "14155552671",
    "To": "15005550006",
    "Text": "STOP please é 😀",
    "MessageUUID": "u1",
    "Empty": "",
    "Type": "sms",
}
#: address → the V3 signature of ``FORM``, or of no form, by plivo-python 4.63.0
VECTORS = {
    f"{SITE}?s=snd_1&b=&a=3": (FORM, "qC8HcndUPAoFiL9iH5x+nCt4mFkzMKAbFT8DaqDAdys="),
    SITE: (FORM, "aaWHO+4lcYiwIGd4Z+EUXzvHkOS3PjnEtZxOK40TwgU="),
    f"{SITE}#": ({}, "116HsruolreMkJginAvirGPGSUus+m6IUNUAY4qTSy4="),
}
V2 = "YOHhdJFlH6IX33nW3Klg+jfrNKLeWBZ19RMWcikAi7g="  #: of ``SITE``, whatever its query


def made(**settings: Any) -> Plivo:
    given = {"auth_id": ACCOUNT, "auth_tokens": ["MmY1"], "from_number": OURS, **settings}
    return Plivo(**given)


def hook(url: str, form: dict[str, str], **headers: str) -> Hook:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Hook("POST", url, named, urlencode(form).encode())


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[PlivoKit]:
    kit = PlivoKit(tmp_path)
    yield kit
    kit.close()


def sent(kit: PlivoKit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kit.calls()[-1].body)
    return found


def test_a_text_is_handed_over_without_plus_and_with_our_reference(kit: PlivoKit) -> None:
    kit.arrange("accepted")
    assert kit.provider.send(MESSAGE).provider_id == ID
    assert sent(kit) == {
        "src": OURS[1:],
        "dst": MESSAGE.to[1:],
        "text": TEXT,
        "type": "sms",
        "url": f"{MESSAGE.callback_url}?s={MESSAGE.send_id}",
        "method": "POST",
        "message_expiry": 14_400,
    }


@pytest.mark.parametrize("told", [ID, [], ["u\n1"], ["\x00"], [[ID]]])
def test_an_acceptance_whose_id_is_none_is_in_doubt(kit: PlivoKit, told: object) -> None:
    kit.answers(202, json.dumps({"message_uuid": told}).encode())
    with pytest.raises(Uncertain):
        kit.provider.send(MESSAGE)


def test_a_powerpack_chooses_the_number_unless_the_text_names_one(kit: PlivoKit) -> None:
    kit.arrange("accepted")
    pack = made(from_number="", powerpack_uuid="86bbb125")
    pack.send(replace(MESSAGE, valid_for=timedelta(days=2), callback_url=""))
    assert sent(kit)["powerpack_uuid"] == "86bbb125"
    assert sent(kit)["message_expiry"] == 14_400
    assert not {"src", "url", "method"} & set(sent(kit))
    pack.send(replace(MESSAGE, sender="+12025550100", valid_for=timedelta(minutes=1)))
    assert (sent(kit)["src"], sent(kit)["message_expiry"]) == ("12025550100", 60)
    assert "powerpack_uuid" not in sent(kit)


@pytest.mark.parametrize(
    ("said", "kind", "why"),
    [
        ("src parameter not present", Deferred, "configuration"),
        ("powerpack_uuid is not valid", Deferred, "configuration"),
        ("dst parameter is invalid", Refused, "unknown"),
        (["src"], Refused, "unknown"),
    ],
)
def test_a_sender_that_plivo_does_not_take_is_the_operators_to_mend(
    kit: PlivoKit, said: object, kind: type[SendFailed], why: str
) -> None:
    kit.answers(400, json.dumps({"error": said}).encode())
    with pytest.raises(kind) as caught:
        kit.provider.send(MESSAGE)
    assert caught.value.reason == why


@pytest.mark.parametrize("header", ["x_plivo_signature_v3", "x_plivo_signature_ma_v3"])
@pytest.mark.parametrize("url", VECTORS)
def test_what_plivos_own_library_signs_is_proven(url: str, header: str) -> None:
    form, signature = VECTORS[url]
    nonce = {"x_plivo_signature_v3_nonce": "12345"}
    made().verify(hook(url, form, **{header: signature}, **nonce), NOW)
    made(auth_tokens=["new", "MmY1"]).verify(
        hook(url, form, **{header: f"other, {signature}"}, **nonce), NOW
    )
    for forged in (
        hook(url, {**FORM, "Text": "START"}, **{header: signature}, **nonce),
        hook(f"{SITE}?s=snd_2", form, **{header: signature}, **nonce),
        hook(url, form, **{header: signature}, x_plivo_signature_v3_nonce="12346"),
    ):
        with pytest.raises(Unverified):
            made().verify(forged, NOW)


def test_a_callback_is_proven_by_the_address_that_plivo_called() -> None:
    form, signature = VECTORS[SITE]
    inside = hook(
        "http://127.0.0.1:8080/providers/plivo",
        form,
        x_plivo_signature_v3=signature,
        x_plivo_signature_v3_nonce="12345",
    )
    made(public_url="https://sms.example.test").verify(inside, NOW)
    with pytest.raises(Unverified):
        made().verify(inside, NOW)


def test_the_older_signature_counts_only_where_it_is_asked_for() -> None:
    told = hook(
        f"{SITE}?s=snd_1", FORM, x_plivo_signature_v2=V2, x_plivo_signature_v2_nonce="12345"
    )
    with pytest.raises(Unverified):
        made().verify(told, NOW)
    made(signature_v2=True).verify(told, NOW)
    with pytest.raises(Unverified):
        made(signature_v2=True).verify(replace(told, url=f"{SITE}/other"), NOW)


def test_where_the_older_signature_counts_no_reference_is_believed(kit: PlivoKit) -> None:
    told = kit.receipt("delivered")
    for v2, send_id in ((False, MESSAGE.send_id), (True, "")):
        (receipt,) = made(signature_v2=v2).parse(told)
        assert isinstance(receipt, Receipt)
        assert receipt.send_id == send_id


def test_a_record_of_another_text_tells_nothing_of_ours(kit: PlivoKit) -> None:
    told = {"message_uuid": "another", "message_state": "delivered"}
    kit.looks_up(200, json.dumps(told).encode())
    with pytest.raises(Uncertain):
        made(auth_tokens=[SECRET]).status(ID, MESSAGE)


def read(**fields: str) -> Receipt:
    (receipt,) = made().parse(hook(SITE, {"MessageUUID": ID, "Status": "undelivered", **fields}))
    assert isinstance(receipt, Receipt)
    return receipt


def test_a_receipt_is_read_field_by_field() -> None:
    told = read(ErrorCode="200", Units="2", DeliveryReportTime="2027-03-01 12:00:09.000000")
    assert (told.status, told.reason, told.segments) == (Status.undelivered, "opted_out", 2)
    assert told.stamp == "2027-03-01 12:00:09.000000"
    assert told.occurred_at is None


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"TotalAmount": "0.0150", "TotalRate": "0.0075", "Units": "2"}, 15_000),
        ({"TotalRate": "0.0075", "Units": "2"}, 15_000),
        ({"TotalRate": "0.0075"}, None),
        ({"TotalAmount": "x"}, None),
        ({}, None),
    ],
)
def test_the_price_is_that_of_all_units(fields: dict[str, str], cost: int | None) -> None:
    told = read(**fields)
    assert (told.cost_micros, told.currency) == (cost, "USD" if cost else "")


@pytest.mark.parametrize(
    "settings",
    [
        {"auth_id": ""},
        {"auth_id": "../MA1"},
        {"auth_tokens": []},
        {"auth_tokens": [""]},
        {"from_number": ""},
        {"powerpack_uuid": "86bbb125"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"auth_id|auth_tokens|from_number"):
        made(**settings)


def test_the_account_logs_in_with_its_newest_token(kit: PlivoKit) -> None:
    kit.arrange("accepted")
    kit.provider.send(MESSAGE)
    login = kit.side.mock.calls[0].request.headers["Authorization"]
    assert login.startswith("Basic ")
    assert SECRET not in login
