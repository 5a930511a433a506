"""What HubSpot tells: its signatures by published vectors, its events as hints, its workflows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Unreadable, Unverified
from connector.model import Errand, Fate, Hint, Hook, Parsed
from connector.sources import CrmSource
from connector.sources.hubspot import HubSpot
from connector.sources.hubspot_signatures import v1, v2, v3

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
OWN = "test-secret"
NOW = datetime.fromtimestamp(1_790_000_000, UTC)
STAMP = "1790000000000"
URL = "https://sms.example.org/in/hubspot"
PAGE = "https://www.example.com/webhook_uri"
B1 = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,'
    b'"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
)
FIELD = b"{'example_field':'example_value'}"
QUOTED = b'{"example_field":"example_value"}'
UMLAUT = (
    '[{"eventId":7,"objectId":501,"propertyName":"lastname","propertyValue":"Müller"}]'.encode()
)
HOOKS = "https://sms.example.org/hooks/hubspot"
ENCODED = f"{HOOKS}?src=hs%3Aapp%2Fv3&q=a%20b"

#: HubSpot's own, from its documents on request validation (v1, v2) and from HubSpot/hubspot-api-
#: python tests/spec/utils/test_signature.py @a2a528a (Apache-2.0); those with OWN are ours.
VECTORS = {
    "v1, the documents": (
        v1(SECRET, B1),
        "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de",
    ),
    "v1, the client's test": (
        v1(SECRET, FIELD),
        "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750",
    ),
    "v2, GET": (
        v2(SECRET, "GET", PAGE, b""),
        "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e",
    ),
    "v2, POST, the client's test": (
        v2(SECRET, "POST", PAGE, FIELD),
        "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383",
    ),
    "v2, POST, the documents": (
        v2(SECRET, "POST", PAGE, QUOTED),
        "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
    ),
    "v3, the client's test": (
        v3(SECRET, "POST", PAGE, FIELD, "1693657560000"),
        "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    ),
    "v3, another time": (
        v3(SECRET, "POST", PAGE, FIELD, "1700000300000"),
        "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=",
    ),
    "v3, an encoded query": (
        v3(OWN, "POST", ENCODED, B1, STAMP),
        "gtYKtLuu/NqkD3Y6RaM98lUGeZVHyjPbFvPFbFkYO5E=",
    ),
    "v3, letters beyond ASCII": (
        v3(OWN, "POST", HOOKS, UMLAUT, STAMP),
        "5M9p3RN1Dwm1JbQDBbFhnCwK8ncEocmfxuM8GuydBg4=",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_signatures_are_those_that_hubspot_publishes(name: str) -> None:
    made, published = VECTORS[name]
    assert made == published


def test_an_address_that_is_left_encoded_signs_as_another() -> None:
    undecoded = hmac.digest(OWN.encode(), f"POST{ENCODED}".encode() + B1 + STAMP.encode(), "sha256")
    left = base64.b64encode(undecoded).decode()
    assert left == "zLo0XX+2VGZ2hVNTDEg+3qHJlUbTkyKj/1AGO0tSViQ="
    assert v3(OWN, "POST", ENCODED, B1, STAMP) != left


def source(**settings: Any) -> HubSpot:
    given = {"client_secrets": [OWN], "workflow_keys": ["wf-key"], **settings}
    return HubSpot(source="hubspot", **given)


def hook(headers: dict[str, str], body: bytes = B1, url: str = URL) -> Hook:
    return Hook("POST", url, headers, body)


def of_v3(
    body: bytes = B1, url: str = URL, *, stamp: str = STAMP, secret: str = OWN
) -> dict[str, str]:
    return {
        "x-hubspot-signature-v3": v3(secret, "POST", url, body, stamp),
        "x-hubspot-request-timestamp": stamp,
    }


def of_v1(body: bytes = B1) -> dict[str, str]:
    return {"x-hubspot-signature": v1(OWN, body), "x-hubspot-signature-version": "v1"}


def of_v2(body: bytes, url: str) -> dict[str, str]:
    return {
        "x-hubspot-signature": v2(OWN, "POST", url, body),
        "x-hubspot-signature-version": "v2",
    }


def passes(told: Hook, adapter: HubSpot | None = None, now: datetime = NOW) -> bool:
    try:
        (adapter or source()).verify(told, now)
    except Unverified:
        return False
    return True


def stamp_of(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def test_it_is_what_the_web_asks_of_a_crm() -> None:
    assert isinstance(source(), CrmSource)
    assert [source().takes(below) for below in ("", "workflow", "action", "else", "action/x")] == [
        *(True, True, True),
        *(False, False),
    ]


def test_a_request_signed_by_v3_is_believed() -> None:
    assert passes(hook(of_v3()))
    encoded = f"{URL}?src=hs%3Aapp%2fv3&q=a%20b"
    assert passes(hook(of_v3(url=encoded), url=encoded))


def test_each_of_several_client_secrets_is_believed_while_one_replaces_another() -> None:
    both = source(client_secrets=["new", "old"])
    assert all(passes(hook(of_v3(secret=each)), both) for each in ("new", "old"))
    assert not passes(hook(of_v3(secret="other")), both)


@pytest.mark.parametrize("minutes", [-6, -5.02, 5.02, 6, 60])
def test_a_request_of_another_time_is_refused_also_of_the_future(minutes: float) -> None:
    headers = of_v3(stamp=stamp_of(NOW + timedelta(minutes=minutes)))
    assert not passes(hook(headers))


@pytest.mark.parametrize("minutes", [-4.98, 0, 4.98])
def test_five_minutes_either_way_are_allowed(minutes: float) -> None:
    assert passes(hook(of_v3(stamp=stamp_of(NOW + timedelta(minutes=minutes)))))


def test_a_good_v1_is_no_way_round_a_stale_or_a_bad_v3() -> None:
    old = stamp_of(NOW - timedelta(minutes=10))
    assert passes(hook(of_v1()))
    for v3_ in (
        of_v3(stamp=old),
        {**of_v3(), "x-hubspot-signature-v3": "bad"},
        {"x-hubspot-signature-v3": ""},
        {"x-hubspot-request-timestamp": STAMP},
    ):
        assert not passes(hook({**of_v1(), **v3_}))


def test_the_older_signatures_count_where_hubspot_sends_nothing_better() -> None:
    action = f"{URL}/action"
    assert passes(hook(of_v2(B1, action), url=action))
    assert not passes(hook(of_v1(), url=action))
    assert not passes(hook({**of_v1(), "x-hubspot-signature-version": "v9"}))
    assert passes(hook({"x-hubspot-signature": v1(OWN, B1)}))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hubspot-signature-v3": "é\xff", "x-hubspot-request-timestamp": STAMP},
        {"x-hubspot-signature-v3": "x", "x-hubspot-request-timestamp": "١٢٣"},
        {"x-hubspot-signature-v3": "x", "x-hubspot-request-timestamp": "9" * 400},
        {"x-hubspot-signature": "é\udcff", "x-hubspot-signature-version": "v1"},
        {"x-connector-key": "é"},
    ],
)
def test_whatever_a_header_holds_is_refused_and_breaks_nothing(headers: dict[str, str]) -> None:
    assert not passes(hook(headers))


def test_nothing_is_believed_without_a_client_secret() -> None:
    assert not passes(hook(of_v3(secret="")), source(client_secrets=[]))


@given(st.binary(max_size=60), st.integers(0, 59))
def test_a_changed_body_is_refused(body: bytes, place: int) -> None:
    headers = of_v3(body)
    changed = bytearray(body + b"x")
    changed[place % len(changed)] ^= 1
    assert passes(hook(headers, body))
    assert not passes(hook(headers, bytes(changed)))


# -- what subscriptions tell -------------------------------------------------------------------


def event(kind: str, record: Any = 901, **more: Any) -> dict[str, Any]:
    return {
        "eventId": 1,
        "subscriptionType": kind,
        "portalId": 33,
        "appId": 1160452,
        "occurredAt": 1_789_999_000_000,
        "objectId": record,
        "changeSource": "CRM_UI",
        **more,
    }


def parse(*events: Any, **settings: Any) -> Parsed:
    told = hook({}, json.dumps(list(events)).encode())
    return source(**settings).parse(told, NOW)


def hints(*events: Any, **settings: Any) -> list[tuple[str, str, str]]:
    return [
        (hint.object, hint.record, hint.fate or "changed")
        for hint in parse(*events, **settings).hints
    ]


@pytest.mark.parametrize(
    ("kind", "more", "wanted"),
    [
        ("contact.creation", {}, ("contact", "901", "changed")),
        ("contact.propertyChange", {}, ("contact", "901", "changed")),
        ("contact.restore", {}, ("contact", "901", "changed")),
        ("contact.deletion", {}, ("contact", "901", "deleted")),
        ("contact.privacyDeletion", {}, ("contact", "901", "erased")),
        ("deal.propertyChange", {}, ("deal", "901", "changed")),
        ("company.propertyChange", {}, ("company", "901", "changed")),
        ("ticket.creation", {}, ("case", "901", "changed")),
        ("object.creation", {"objectTypeId": "0-1"}, ("contact", "901", "changed")),
        ("object.propertyChange", {"objectTypeId": "0-2"}, ("company", "901", "changed")),
        ("object.propertyChange", {"objectTypeId": "0-3"}, ("deal", "901", "changed")),
        ("object.deletion", {"objectTypeId": "0-5"}, ("case", "901", "deleted")),
        ("object.propertyChange", {"objectTypeId": "0-47"}, ("meeting", "901", "changed")),
    ],
)
def test_an_event_is_a_hint_for_its_record(
    kind: str, more: dict[str, Any], wanted: tuple[str, str, str]
) -> None:
    assert hints(event(kind, **more)) == [wanted]


def test_a_merge_says_which_records_went_into_which() -> None:
    told = event(
        "contact.merge", 1, primaryObjectId=1, mergedObjectIds=[2, 3], newObjectId=4, x=None
    )
    at = datetime.fromtimestamp(1_789_999_000, UTC)
    gone = [Hint("hubspot", "contact", each, at, Fate.merged, "4") for each in ("1", "2", "3")]
    assert parse(told).hints == (*gone, Hint("hubspot", "contact", "4", at))
    old = event("contact.merge", 1, primaryObjectId=1, mergedObjectIds=[2])
    assert hints(old) == [("contact", "2", "merged"), ("contact", "1", "changed")]


def test_an_association_is_news_of_both_its_ends() -> None:
    told = event(
        "deal.associationChange",
        None,
        associationType="DEAL_TO_CONTACT",
        fromObjectId=77,
        toObjectId=901,
        associationRemoved=True,
    )
    assert hints(told) == [("deal", "77", "changed"), ("contact", "901", "changed")]
    meeting = event(
        "object.associationChange",
        None,
        objectTypeId="0-47",
        associationType="MEETING_EVENT_TO_CONTACT",
        fromObjectId=5,
        toObjectId=901,
    )
    assert hints(meeting) == [("meeting", "5", "changed"), ("contact", "901", "changed")]


def test_events_are_taken_in_the_order_in_which_they_occurred_and_each_record_once() -> None:
    later = event("contact.propertyChange", 2, occurredAt=1_789_999_500_000)
    earlier = event("deal.creation", 1, occurredAt=1_789_999_100_000)
    again = event("contact.propertyChange", 2, occurredAt=1_789_999_900_000, attemptNumber=3)
    earliest = event("contact.propertyChange", 2, occurredAt=1_789_999_000_000)
    found = parse(later, earlier, again, earliest).hints
    assert [(hint.object, hint.record) for hint in found] == [("deal", "1"), ("contact", "2")]
    assert found[1].occurred_at == datetime.fromtimestamp(1_789_999_900, UTC)


def test_nothing_is_believed_to_have_occurred_after_it_was_heard() -> None:
    (told,) = parse(event("contact.creation", occurredAt=1_999_999_999_999)).hints
    assert told.occurred_at == NOW
    (odd,) = parse(event("contact.creation", occurredAt="soon")).hints
    assert odd.occurred_at == NOW


def test_kinds_of_no_use_here_are_counted_and_are_no_error() -> None:
    found = parse(
        event("product.creation"),
        event("conversation.newMessage"),
        event("object.creation", objectTypeId="2-7"),
        event("contact.somethingNew"),
        event("company.privacyDeletion"),
    )
    assert found.ignored == ("unknown_type",) * 4
    assert not found.rejected and len(found.hints) == 1


def test_events_of_another_account_or_for_another_app_are_left() -> None:
    mine = {"portal_id": "33", "app_id": "1160452"}
    assert hints(event("contact.creation"), **mine) == [("contact", "901", "changed")]
    strange = parse(
        event("contact.creation", portalId=34),
        event("contact.creation", appId=2),
        event("contact.creation", portalId=None),
        **mine,
    )
    assert strange.hints == ()
    assert strange.ignored == ("other_portal", "other_app", "other_portal")


def test_what_we_wrote_ourselves_is_no_news() -> None:
    own = event("contact.propertyChange", changeSource="INTEGRATION", sourceId="1160452")
    other = event("contact.propertyChange", 2, changeSource="INTEGRATION", sourceId="7")
    gone = event("contact.deletion", 3, changeSource="INTEGRATION", sourceId="1160452")
    found = parse(own, other, gone, app_id="1160452")
    assert [hint.record for hint in found.hints] == ["2", "3"]
    assert found.ignored == ("own_write",)
    assert len(parse(own).hints) == 1, "without an app_id nobody can tell"


@pytest.mark.parametrize("record", [None, True, "", "9 OR 1", "../x", "9" * 21, 1.5, [1], -4])
def test_an_id_that_is_none_is_kept_aside(record: Any) -> None:
    found = parse(event("contact.creation", record), event("contact.creation", 7), "text")
    assert [reason for reason, _ in found.rejected] == ["no_record_id", "not_an_object"]
    assert [hint.record for hint in found.hints] == ["7"]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{", b"[" * 200 + b"]" * 200, b"null"])
def test_a_body_that_holds_no_events_is_unreadable_and_answered_all_the_same(body: bytes) -> None:
    told = hook({}, body)
    assert b"success" in source().answer(told).body
    with pytest.raises(Unreadable):
        source().parse(told, NOW)


def test_a_flood_of_events_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="1001 events"):
        parse(*[event("contact.creation")] * 1_001)


# -- what workflows ask ------------------------------------------------------------------------

WORKFLOW = f"{URL}/workflow"


def webhook(body: Any, url: str = WORKFLOW) -> Parsed:
    return source().parse(hook({}, json.dumps(body).encode(), url), NOW)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"vid": 901}, ("contact", "901")),
        ({"objectId": "901", "objectType": "CONTACT"}, ("contact", "901")),
        ({"objectId": 77, "objectTypeId": "0-3"}, ("deal", "77")),
        ({"hs_object_id": "901", "firstname": "Ann"}, ("contact", "901")),
        ({"properties": {"hs_object_id": {"value": "901"}}}, ("contact", "901")),
        ({"properties": {"hs_object_id": "901"}, "objectType": "deal"}, ("deal", "901")),
        ({"dealId": 77, "properties": {}}, ("deal", "77")),
    ],
)
def test_the_record_is_found_in_whatever_a_workflow_sends(
    body: dict[str, Any], wanted: tuple[str, str]
) -> None:
    (hint,) = webhook(body).hints
    assert (hint.object, hint.record) == wanted
    assert webhook(body).errands == ()
    assert webhook(body, URL).hints == (hint,), "also at the address of subscriptions"


@pytest.mark.parametrize("body", [{}, {"vid": "x"}, [1], {"vid": 1, "objectType": "2-9"}, "x"])
def test_a_workflow_is_told_where_no_record_can_be_found(body: Any) -> None:
    told = hook({}, json.dumps(body).encode(), WORKFLOW)
    with pytest.raises(Unreadable):
        source().answer(told)


def test_an_event_is_named_in_the_body_or_in_the_address() -> None:
    (first,) = webhook({"vid": 901, "event": "demo_booked"}).errands
    (second,) = webhook({"vid": 901}, f"{WORKFLOW}?event=demo_booked").errands
    assert first.event == second.event == "demo_booked"
    assert (first.object, first.record) == ("contact", "901")


def test_a_workflow_that_sends_again_is_known_again() -> None:
    first, again = webhook({"vid": 9, "event": "x"}), webhook({"vid": 9, "event": "x"})
    other = webhook({"vid": 9, "event": "x", "event_id": 5})
    assert first.errands == again.errands
    assert first.errands[0].key != other.errands[0].key
    tomorrow = source().parse(
        hook({}, b'{"vid": 9, "event": "x"}', WORKFLOW), NOW + timedelta(days=1)
    )
    assert tomorrow.errands[0].key != first.errands[0].key


def test_a_workflow_without_an_app_bears_a_key_in_a_header() -> None:
    body = b'{"vid": 901}'
    assert passes(hook({"x-connector-key": "wf-key"}, body, WORKFLOW))
    assert passes(hook({"x-connector-key": "wf-key"}, body))
    assert passes(hook(of_v2(body, WORKFLOW), body, WORKFLOW))
    assert not passes(hook({"x-connector-key": "wf-kez"}, body, WORKFLOW))
    assert not passes(hook({"x-connector-key": ""}, body, WORKFLOW), source(workflow_keys=[]))


def test_a_workflows_key_proves_no_subscription_and_no_action() -> None:
    assert not passes(hook({"x-connector-key": "wf-key"}))
    assert not passes(hook({"x-connector-key": "wf-key"}, b"{}", f"{URL}/action"))


# -- the action --------------------------------------------------------------------------------

ACTION = f"{URL}/action"


def step(**inputs: Any) -> dict[str, Any]:
    return {
        "callbackId": "ap-102670506-56776413549-7-0",
        "origin": {"portalId": 33, "actionDefinitionId": 5, "actionDefinitionVersion": 1},
        "context": {"source": "WORKFLOWS", "workflowId": 42},
        "object": {"objectId": 901, "objectType": "CONTACT"},
        "inputFields": inputs,
    }


def answer(body: Any, **settings: Any) -> dict[str, Any]:
    told = hook({}, json.dumps(body).encode(), ACTION)
    fields: dict[str, Any] = json.loads(source(**settings).answer(told).body)["outputFields"]
    return fields


def test_a_step_that_wants_a_text_is_told_to_wait_and_becomes_an_errand() -> None:
    body = step(template="demo_reminder", purpose="service")
    assert answer(body) == {"hs_execution_state": "BLOCK", "hs_expiration_duration": "P8D"}
    found = source().parse(hook({}, json.dumps(body).encode(), ACTION), NOW)
    assert found.hints == (Hint("hubspot", "contact", "901", NOW),)
    assert found.errands == (
        Errand(
            "hubspot",
            "ap-102670506-56776413549-7-0",
            "contact",
            "901",
            NOW,
            template="demo_reminder",
            purpose="service",
        ),
    )


@pytest.mark.parametrize("purpose", ["", None, "system", "Service", 5])
def test_a_text_is_marketing_unless_the_step_says_service(purpose: Any) -> None:
    body = json.dumps(step(play="welcome", purpose=purpose)).encode()
    (errand,) = source().parse(hook({}, body, ACTION), NOW).errands
    assert (errand.play, errand.purpose) == ("welcome", "marketing")


def test_a_step_that_names_no_text_or_is_of_another_account_fails_at_once() -> None:
    for body, settings in (
        (step(), {}),
        (step(play="x" * 200), {}),
        (step(play="welcome"), {"portal_id": "34"}),
    ):
        assert answer(body, **settings)["hs_execution_state"] == "FAIL_CONTINUE"
        told = hook({}, json.dumps(body).encode(), ACTION)
        assert source(**settings).parse(told, NOW) == Parsed(ignored=("action_without_text",))


@pytest.mark.parametrize(
    "change", [{"callbackId": None}, {"callbackId": "x" * 301}, {"object": {}}, {"object": None}]
)
def test_a_step_that_cannot_be_read_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        answer({**step(play="welcome"), **change})


def test_nothing_that_lets_somebody_in_is_kept() -> None:
    told = Hook(
        "POST",
        f"{WORKFLOW}?event=demo+booked&key=hush",
        {"x-connector-key": "wf-key", "x-hubspot-signature": "s"},
        b"{}",
    )
    kept = source().kept(told)
    assert (kept.url, kept.headers, kept.body) == (f"{WORKFLOW}?event=demo%20booked", {}, b"{}")


def test_the_v1_formula_is_secret_then_body() -> None:
    assert v1("s", b"b") == hashlib.sha256(b"sb").hexdigest()
