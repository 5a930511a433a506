"""SNS: only what it signed for a topic of ours is believed, and nobody else chooses an address."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Overloaded, Unverified
from connector.model import Hook
from connector.providers import sns
from connector.providers.aws import Aws
from tests.providers.contract import NOW, SECRET, anything
from tests.providers.kit_aws import (
    CERTIFICATE,
    HOST,
    TOPIC,
    hooked,
    notified,
    pem,
    signature,
)

Answer = tuple[int, bytes]


class Fetching:
    """What is fetched, and by which address."""

    def __init__(self, answer: Answer | OSError | None = None) -> None:
        self.asked: list[str] = []
        self.answer = answer or (200, pem())

    def __call__(self, address: str) -> Answer:
        self.asked.append(address)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


def made(fetch: Callable[[str], Answer] | None, *topics: str) -> Aws:
    return Aws(
        region="us-east-1",
        topic_arns=topics or (TOPIC,),
        access_key_id="AKIA",
        secret_access_key=SECRET,
        fetch=fetch,
    )


def confirmation(**changes: str) -> Hook:
    told = {
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37f",
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic",
        "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37f",
        "Timestamp": "2027-03-01T12:00:00.000Z",
        "SignatureVersion": "1",
        "SigningCertURL": CERTIFICATE,
        **changes,
    }
    return hooked({**told, "Signature": signature(told)})


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_the_signature_are_believed(version: str) -> None:
    made(Fetching()).verify(notified({}, SignatureVersion=version, Subject="x"), NOW)


@pytest.mark.parametrize("version", ["3", "", "0", "01"])
def test_no_other_version_is(version: str) -> None:
    with pytest.raises(Unverified):
        made(Fetching()).verify(notified({}, SignatureVersion=version), NOW)


@pytest.mark.parametrize("name", ["TopicArn", "Type", "SignatureVersion", "SigningCertURL"])
@pytest.mark.parametrize("value", [None, 1, [TOPIC], {"a": 1}])
def test_what_is_no_word_is_no_proof(name: str, value: Any) -> None:
    genuine = notified({})
    told = orjson.dumps({**orjson.loads(genuine.body), name: value})
    with pytest.raises(Unverified):
        made(Fetching()).verify(replace(genuine, body=told), NOW)


def test_the_certificate_is_fetched_once() -> None:
    fetch = Fetching()
    provider = made(fetch)
    for _ in range(3):
        provider.verify(notified({}), NOW)
    assert fetch.asked == [CERTIFICATE]


STRANGERS = [
    "https://evil.example/SimpleNotificationService-aa.pem",
    "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-aa.pem",
    "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-aa.pem",
    "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-aa.pem",
    "https://sns.us-east-1.amazonaws.com/../SimpleNotificationService-aa.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-aa.pem?x=.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-aa.pem#x.pem",
    "https://sns.us-east-1.amazonaws.com/bucket/key.pem",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-aa.pem",
    "https://s3.amazonaws.com/SimpleNotificationService-aa.pem",
    "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-aa.pem",
    "file:///etc/passwd",
    "//sns.us-east-1.amazonaws.com/SimpleNotificationService-aa.pem",
    "",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-aa.pem\n",
]


@pytest.mark.parametrize("address", STRANGERS)
def test_no_certificate_is_fetched_from_where_a_stranger_says(address: str) -> None:
    fetch = Fetching()
    with pytest.raises(Unverified):
        made(fetch).verify(notified({}, SigningCertURL=address), NOW)
    assert fetch.asked == []


@given(address=st.text(max_size=120), topic=st.text(max_size=80), kind=st.text(max_size=30))
@anything
def test_whatever_a_stranger_writes_nothing_is_fetched_but_from_sns(
    address: str, topic: str, kind: str
) -> None:
    fetch = Fetching()
    for changes in ({"SigningCertURL": address}, {"TopicArn": topic}, {"Type": kind}):
        told = {**orjson.loads(notified({}).body), **changes}
        with pytest.raises(Unverified):
            made(fetch).verify(hooked(told), NOW)
    assert set(fetch.asked) <= {CERTIFICATE}


def test_a_topic_of_another_is_not_believed_even_if_sns_signed_for_it() -> None:
    fetch = Fetching()
    with pytest.raises(Unverified, match="topic_arns"):
        made(fetch).verify(notified({}, TopicArn=f"{TOPIC}s"), NOW)
    assert fetch.asked == []


def test_the_certificate_comes_from_the_topics_own_region() -> None:
    there = "arn:aws-cn:sns:cn-north-1:123456789012:texts"
    address = f"https://sns.cn-north-1.amazonaws.com.cn/{CERTIFICATE.rpartition('/')[2]}"
    fetch = Fetching()
    provider = made(fetch, TOPIC, there)
    provider.verify(notified({}, TopicArn=there, SigningCertURL=address), NOW)
    with pytest.raises(Unverified):
        provider.verify(notified({}, TopicArn=there), NOW)
    assert fetch.asked == [address]


@pytest.mark.parametrize("answer", [OSError("no way"), (500, b""), (301, b""), (200, b"")])
def test_a_certificate_that_cannot_be_had_is_no_forgery_so_that_sns_asks_again(
    answer: Answer | OSError,
) -> None:
    provider = made(Fetching(answer))
    kind = Unverified if answer == (200, b"") else Overloaded
    with pytest.raises(kind):
        provider.verify(notified({}), NOW)


@pytest.mark.parametrize("status", [403, 404])
def test_a_certificate_that_sns_does_not_know_is_a_forgery(status: int) -> None:
    with pytest.raises(Unverified):
        made(Fetching((status, b""))).verify(notified({}), NOW)


def test_a_certificate_has_its_time() -> None:
    fetch = Fetching((200, pem(NOW - timedelta(seconds=1))))
    with pytest.raises(Unverified):
        made(fetch).verify(notified({}), NOW)


def test_strangers_cannot_make_us_fetch_without_end() -> None:
    fetch = Fetching((404, b""))
    provider = made(fetch)
    for number in range(40):
        address = f"{HOST}/SimpleNotificationService-{number:032x}.pem"
        with pytest.raises((Unverified, Overloaded)):
            provider.verify(notified({}, SigningCertURL=address), NOW)
    assert len(fetch.asked) == sns.MAX_FETCHES
    fetch.answer = (200, pem())
    provider.verify(notified({}), NOW + timedelta(minutes=1))


def test_a_known_certificate_is_believed_while_strangers_ask_for_others() -> None:
    fetch = Fetching()
    provider = made(fetch)
    provider.verify(notified({}), NOW)
    fetch.answer = OSError("none left")
    with pytest.raises(Overloaded):
        provider.verify(notified({}, SigningCertURL=CERTIFICATE.replace("aa", "bb")), NOW)
    provider.verify(notified({}), NOW)


def test_nobody_waits_long_for_a_strangers_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sns, "PATIENCE", 0.05)
    begun, let_go = threading.Event(), threading.Event()

    def fetch(address: str) -> Answer:
        if address != CERTIFICATE:
            begun.set()
            let_go.wait(20)
        return 200, pem()

    def ask() -> None:
        provider.verify(notified({}, SigningCertURL=CERTIFICATE.replace("aa", "bb")), NOW)

    provider = made(fetch)
    provider.verify(notified({}), NOW)
    stranger = threading.Thread(target=ask)
    stranger.start()
    try:
        assert begun.wait(20)
        provider.verify(notified({}), NOW)  # its certificate is known
        with pytest.raises(Overloaded):
            provider.verify(notified({}, SigningCertURL=CERTIFICATE.replace("aa", "cc")), NOW)
    finally:
        let_go.set()
        stranger.join()


def test_no_more_certificates_are_kept_than_there_is_room_for() -> None:
    provider = made(Fetching())
    for number in range(40):
        address = f"{HOST}/SimpleNotificationService-{number:032x}.pem"
        provider.verify(notified({}, SigningCertURL=address), NOW + timedelta(minutes=number))
    assert len(provider._notices._certificates) == sns.MAX_CERTIFICATES


def test_a_subscription_of_our_topic_is_confirmed_at_snss_own_address() -> None:
    fetch = Fetching()
    provider = made(fetch)
    hook = confirmation(SubscribeURL="https://evil.example/?Action=ConfirmSubscription")
    provider.verify(hook, NOW)
    assert provider.parse(hook) == []
    certificate, confirm = fetch.asked
    assert certificate == CERTIFICATE
    topic = TOPIC.replace(":", "%3A")
    assert confirm == f"{HOST}/?Action=ConfirmSubscription&TopicArn={topic}&Token=2336412f37f"


def test_nobodys_else_subscription_is_confirmed() -> None:
    fetch = Fetching()
    genuine = confirmation()
    forged = replace(genuine, body=genuine.body.replace(b"2336412f37f", b"other_token"))
    for hook in (forged, confirmation(TopicArn=f"{TOPIC}2")):
        with pytest.raises(Unverified):
            made(fetch).verify(hook, NOW)
    assert not any("Confirm" in address for address in fetch.asked)


def test_a_confirmation_that_fails_is_asked_for_again() -> None:
    def fetch(address: str) -> Answer:
        return (200, pem()) if address == CERTIFICATE else (503, b"")

    with pytest.raises(Overloaded):
        made(fetch).verify(confirmation(), NOW)


def test_an_ended_subscription_is_told_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    provider = made(Fetching())
    hook = confirmation(Type="UnsubscribeConfirmation")
    provider.verify(hook, NOW)
    assert provider.parse(hook) == []
    assert "subscribe the topic to this address again" in caplog.text


def test_a_redirect_is_not_followed_and_an_answer_is_bounded() -> None:
    asked: list[str] = []

    class There(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302 if self.path == "/away" else 200)
            if self.path == "/away":
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"x" * 50_000)

        def log_message(self, *told: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), There) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        origin = f"http://127.0.0.1:{server.server_port}"
        assert sns.fetched(f"{origin}/away") == (302, b"")
        status, body = sns.fetched(f"{origin}/big")
        server.shutdown()
        thread.join()
    assert (status, len(body)) == (200, sns.MAX_PEM)
    assert asked == ["/away", "/big"]
    with pytest.raises(OSError, match=r".+"):
        sns.fetched(f"{origin}/gone")
