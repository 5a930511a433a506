"""What Salesforce tells: the secret in the address, the organization, ids and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Unreadable, Unverified
from connector.model import Hook, Parsed
from connector.sources import CrmSource
from connector.sources.salesforce import ACKNOWLEDGED, Salesforce
from connector.sources.salesforce_ids import is_id, long_form

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SECRET = "a-long-random-secret-of-43-letters-or-so"
URL = "https://sms.example.org/in/salesforce"
ORG = "00D5g000004XyZzEAK"
CONTACT = "0035g00000Zz9yXAAR"

#: The shape of the message is that of the SOAP API guide, outbound messaging.
ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
 <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
  <OrganizationId>{org}</OrganizationId><ActionId>04k5g000000CaBcAAK</ActionId>
  <SessionId xsi:nil="true"/>
  <EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/66.0/00D5g000004XyZz</EnterpriseUrl>
  <PartnerUrl>https://acme.my.salesforce.com/services/Soap/u/66.0/00D5g000004XyZz</PartnerUrl>
  {notifications}
 </notifications></soapenv:Body></soapenv:Envelope>"""
NOTIFICATION = """<Notification><Id>{number}</Id>
   <sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.{kind}.soap.sforce.com">
    <sf:Id>{record}</sf:Id><sf:MobilePhone>+33 6 12 34 56 78</sf:MobilePhone></sObject>
  </Notification>"""


def message(*records: str, org: str = ORG, kind: str = "enterprise") -> bytes:
    told = "".join(
        NOTIFICATION.format(number=f"04l5g00000AaB{place:02}AAV", record=record, kind=kind)
        for place, record in enumerate(records)
    )
    return ENVELOPE.format(org=org, notifications=told).encode()


def source(**settings: Any) -> Salesforce:
    given = {"path_secrets": [SECRET], "organization_id": ORG, **settings}
    return Salesforce(source="salesforce", **given)


def hook(body: bytes, below: str = f"/{SECRET}", headers: dict[str, str] | None = None) -> Hook:
    return Hook("POST", URL + below, headers or {}, body)


def passes(told: Hook, adapter: Salesforce | None = None) -> bool:
    try:
        (adapter or source()).verify(told, NOW)
    except Unverified:
        return False
    return True


def parse(told: Hook) -> Parsed:
    adapter = source()
    return adapter.parse(adapter.kept(told), NOW)


def test_it_is_what_the_web_asks_of_a_crm() -> None:
    assert isinstance(source(), CrmSource)
    assert source().takes("") and source().takes("whatever") and not source().takes("a/b")


def test_a_message_at_the_secret_address_of_the_right_organization_is_believed() -> None:
    assert passes(hook(message(CONTACT)))
    assert passes(hook(message(CONTACT), f"/{SECRET}?event=x"))
    assert passes(hook(message(CONTACT, org=ORG[:15])))
    assert passes(hook(message(CONTACT)), source(organization_id=ORG[:15]))


@pytest.mark.parametrize("below", ["", "/", "/wrong", f"/{SECRET[:-1]}", f"/{SECRET}x", "/%00"])
def test_without_the_secret_nothing_is_believed(below: str) -> None:
    assert not passes(hook(message(CONTACT), below))
    assert not passes(hook(message(CONTACT), below), source(path_secrets=[]))


def test_each_of_several_secrets_is_believed_while_one_replaces_another() -> None:
    both = source(path_secrets=["new-secret", SECRET])
    assert passes(hook(b"{}", "/new-secret"), both) and passes(hook(b"{}"), both)


@pytest.mark.parametrize(
    "org", ["00D5g000004XyZyEAK", "00d5g000004xyzzeak", "", "00D5g000004XyZz'", "x" * 18]
)
def test_a_message_of_another_organization_is_refused(org: str) -> None:
    assert not passes(hook(message(CONTACT, org=org)))


def test_no_message_is_believed_where_no_organization_is_configured() -> None:
    assert not passes(hook(message(CONTACT)), source(organization_id=""))
    assert passes(hook(b'{"id": "x"}'), source(organization_id=""))


def test_a_callout_may_bear_the_secret_in_a_header() -> None:
    body = json.dumps({"id": CONTACT}).encode()
    assert passes(hook(body, "", {"x-connector-secret": SECRET}))
    assert not passes(hook(body, "", {"x-connector-secret": "é"}))
    assert not passes(hook(body, "/wrong", {"x-connector-secret": SECRET}))


@pytest.mark.parametrize("kind", ["enterprise", "partner"])
def test_a_message_is_a_hint_for_each_record_and_its_values_are_not_believed(kind: str) -> None:
    records = (CONTACT, "00Q5g00000AbCdEAAV", "0065g00000AbCdEAAV", "00U5g00000AbCdEAAV")
    found = parse(hook(message(*records, "5005g00000AbCdEAAV", kind=kind)))
    assert [(hint.object, hint.record) for hint in found.hints] == [
        ("contact", CONTACT),
        ("lead", "00Q5g00000AbCdEAAV"),
        ("deal", "0065g00000AbCdEAAV"),
        ("meeting", "00U5g00000AbCdEAAV"),
        ("case", "5005g00000AbCdEAAV"),
    ]
    assert not found.events and not found.errands


def test_a_hundred_notifications_are_taken_and_a_flood_is_not() -> None:
    records = [f"0035g00000Zz{place:03}" for place in range(100)]
    assert len(parse(hook(message(*records))).hints) == 100
    with pytest.raises(Unreadable, match="1001 notifications"):
        parse(hook(message(*[CONTACT] * 1_001)))


def test_a_short_id_becomes_a_long_one_and_what_is_none_is_kept_aside() -> None:
    found = parse(hook(message(CONTACT[:15], "../../tooling", "", "001" + "A" * 12)))
    assert [hint.record for hint in found.hints] == [CONTACT]
    assert [reason for reason, _ in found.rejected] == ["no_record_id"] * 2
    assert found.ignored == ("unknown_type",)


def test_an_address_may_name_an_event_for_the_action_that_calls_it() -> None:
    told = hook(message(CONTACT), f"/{SECRET}?event=demo_booked")
    (errand,) = parse(told).errands
    assert (errand.event, errand.record) == ("demo_booked", CONTACT)
    assert parse(told).errands == (errand,), "the same notification is the same errand"


WHOLE = message(CONTACT)
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'


@pytest.mark.parametrize(
    "body",
    [
        WHOLE.replace(HEAD, HEAD + b'<!DOCTYPE x [<!ENTITY a "b">]>'),
        WHOLE.replace(HEAD, HEAD + b"<!DOCTYPE soapenv:Envelope>"),
        WHOLE.replace(HEAD, HEAD + b"<!doctype x>"),
        WHOLE.replace(b"<Notification>", b"<!ENTITY a><Notification>"),
        WHOLE.replace(HEAD, b'<?xml version="1.0" encoding="cp037"?>'),
        b"\xef\xbb\xbf" + WHOLE.replace(b"UTF-8", b"iso-8859-1"),
        WHOLE.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        b"<x",
        b"<x/>",
        b"<a>" * 5_000,
        b"<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/'/>",
        b"",
        b"{",
        b"[]",
        b"[" * 150 + b"]" * 150,
    ],
)
def test_a_body_that_says_nothing_is_unreadable_and_nothing_in_it_is_expanded(body: bytes) -> None:
    told = hook(body)
    source().verify(told, NOW)  # it bears the secret: it is kept to be looked at
    with pytest.raises(Unreadable):
        source().answer(told)
    with pytest.raises(Unreadable):
        parse(told)


def test_a_message_is_answered_with_the_one_answer_after_which_it_is_not_sent_again() -> None:
    assert source().answer(hook(message(CONTACT))) == ACKNOWLEDGED
    assert ACKNOWLEDGED.content_type.startswith("text/xml")
    assert ACKNOWLEDGED.body == (
        b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        b"<soapenv:Body>"
        b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
        b"<Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>"
    )


def test_the_secret_is_not_kept() -> None:
    for below in (f"/{SECRET}", f"/{SECRET}?event=x&key={SECRET}"):
        kept = source().kept(hook(b"<x/>", below, {"x-connector-secret": SECRET}))
        assert SECRET not in repr(kept)
    assert kept.url == f"{URL}?event=x"


def test_a_flows_callout_is_a_hint_and_an_event() -> None:
    body = {"event": "case.escalated", "id": "5005g00000AbCdE", "object": "Case"}
    at = {"at": "2026-11-20T09:00:00Z"}
    found = parse(hook(json.dumps({**body, **at}).encode()))
    (hint,), (errand,) = found.hints, found.errands
    assert (hint.object, hint.record) == ("case", long_form("5005g00000AbCdE"))
    assert hint.occurred_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert (errand.event, errand.occurred_at) == ("case.escalated", hint.occurred_at)
    many = parse(hook(json.dumps([{**body, **at}, {"id": CONTACT}, {"id": "x"}, 5]).encode()))
    assert len(many.hints) == 2 and many.errands == (errand,)
    assert [reason for reason, _ in many.rejected] == ["no_record_id"] * 2


def test_nothing_is_believed_to_have_occurred_after_it_was_heard() -> None:
    for at in ("2999-01-01T00:00:00Z", "soon", [1]):
        (hint,) = parse(hook(json.dumps({"id": CONTACT, "at": at}).encode())).hints
        assert hint.occurred_at == NOW


# -- ids ---------------------------------------------------------------------------------------


def test_the_long_form_is_the_one_salesforce_writes() -> None:
    assert long_form(ORG[:15]) == ORG
    assert long_form(CONTACT[:15]) == CONTACT
    assert long_form(CONTACT) == CONTACT
    assert long_form("003D000000QOMqx") == "003D000000QOMqxIAH"


@given(st.text(max_size=20))
def test_only_fifteen_or_eighteen_letters_and_digits_are_an_id(text: str) -> None:
    plain = len(text) in (15, 18) and text.isascii() and text.isalnum()
    assert is_id(text) == plain
    if not plain:
        with pytest.raises(ValueError, match="no id"):
            long_form(text)
