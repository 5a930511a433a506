"""AWS: what boto3 is told, what its errors mean, and what comes by SNS."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from botocore import exceptions
from urllib3.exceptions import SSLError as Broken

from connector.errors import Deferred, Refused, SendFailed, Uncertain, Unreadable
from connector.messages import Receipt, Reply
from connector.providers import aws
from connector.providers.aws import Aws
from connector.providers.aws_errors import failure
from tests.providers.contract import MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.kit_aws import TOPIC, AwsKit, notified, pem, wired

USUAL: dict[str, Any] = {"region": "us-east-1", "topic_arns": [TOPIC]}


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[AwsKit]:
    kit = AwsKit(tmp_path)
    kit.arrange("accepted")
    yield kit
    kit.close()


def body_of(kit: AwsKit) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(kit.asked[-1].body)
    return found


def test_a_text_bears_our_reference_and_its_time(kit: AwsKit) -> None:
    kit.provider.send(MESSAGE)
    assert body_of(kit) == {
        "DestinationPhoneNumber": MESSAGE.to,
        "OriginationIdentity": OURS,
        "MessageBody": TEXT,
        "MessageType": "TRANSACTIONAL",
        "TimeToLive": 14_400,
        "Context": {"send_id": MESSAGE.send_id},
    }


@pytest.mark.parametrize(
    ("purpose", "kind"),
    [
        ("marketing", "PROMOTIONAL"),
        ("service", "TRANSACTIONAL"),
        ("system", "TRANSACTIONAL"),
    ],
)
def test_marketing_is_promotional(kit: AwsKit, purpose: str, kind: str) -> None:
    kit.provider.send(replace(MESSAGE, purpose=purpose))
    assert body_of(kit)["MessageType"] == kind


@pytest.mark.parametrize(
    ("valid_for", "seconds"), [(timedelta(0), 5), (timedelta(days=30), 259_200)]
)
def test_the_time_stays_in_awss_bounds(kit: AwsKit, valid_for: timedelta, seconds: int) -> None:
    kit.provider.send(replace(MESSAGE, valid_for=valid_for, sender="pool-1"))
    assert body_of(kit)["TimeToLive"] == seconds
    assert body_of(kit)["OriginationIdentity"] == "pool-1"


def test_boto3_itself_repeats_nothing() -> None:
    client = Aws(**USUAL, access_key_id="AKIA", secret_access_key=SECRET)._client
    assert client.meta.config.retries["total_max_attempts"] == 1


def test_a_text_goes_by_the_configuration_set_whose_events_are_heard(kit: AwsKit) -> None:
    provider = Aws(**USUAL, configuration_set="texts")
    provider.__dict__["_client"] = wired(kit)
    provider.send(MESSAGE)
    assert body_of(kit)["ConfigurationSetName"] == "texts"
    assert "OriginationIdentity" not in body_of(kit)


@pytest.mark.parametrize("status", [500, 503, 400, 200, 302, 0])
def test_boto3_asks_once_whatever_the_machine_is_set_to(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    asked: list[str] = []

    class There(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            assert self.headers["X-Amz-Security-Token"] == "for an hour"
            self.rfile.read(int(self.headers["Content-Length"]))
            if status:  # else it hangs up
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
            self.close_connection = True

        def log_message(self, *told: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), There) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        login: dict[str, Any] = {"access_key_id": "AKIA", "secret_access_key": SECRET}
        provider = Aws(**USUAL, **login, session_token="for an hour", base_url=url)
        with pytest.raises(SendFailed) as caught:
            provider.send(MESSAGE)
        server.shutdown()
        thread.join()
    assert asked == ["/"]
    assert isinstance(caught.value, Uncertain) is (status in (500, 503, 200, 0))


def test_what_boto3_cannot_open_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Deferred, match="ProfileNotFound") as caught:
        Aws(**USUAL).send(MESSAGE)
    assert caught.value.reason == "configuration"


@pytest.mark.parametrize("status", [400, 403, 500])
def test_credentials_that_were_refused_have_sent_nothing(status: int) -> None:
    told = {"Error": {"Code": "New"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    found = failure(exceptions.ClientError(told, "AssumeRoleWithWebIdentity"))
    assert (type(found), found.reason) == (Deferred, "configuration")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'crm-sms-connector\[aws\]'"):
        Aws(**USUAL)


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1"])
def test_every_region_of_aws_is_one(region: str) -> None:
    assert Aws(**{**USUAL, "region": region}).name == "aws"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"region": "useast"}, "region"),
        ({"topic_arns": []}, "topic_arns"),
        ({"topic_arns": ["arn:aws:sqs:us-east-1:123456789012:x"]}, "topic_arns"),
        ({"topic_arns": ["arn:aws:sns:evil.example/:123456789012:x"]}, "topic_arns"),
        ({"access_key_id": "AKIA"}, "go together"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Aws(**{**USUAL, **settings})


ENDPOINT = "https://sms-voice.us-east-1.amazonaws.com"
#: what botocore raises → what it means for a text
MISHAPS: list[tuple[Exception, type[SendFailed], str]] = [
    (exceptions.ConnectTimeoutError(endpoint_url=ENDPOINT), Deferred, "timeout"),
    (exceptions.EndpointConnectionError(endpoint_url=ENDPOINT), Deferred, "unavailable"),
    (exceptions.ProxyConnectionError(proxy_url=ENDPOINT), Deferred, "unavailable"),
    (exceptions.SSLError(endpoint_url=ENDPOINT, error="x"), Uncertain, "unavailable"),
    (
        exceptions.SSLError(endpoint_url=ENDPOINT, error=Broken(ssl.SSLError("bad record mac"))),
        Uncertain,
        "unavailable",
    ),
    (
        exceptions.SSLError(endpoint_url=ENDPOINT, error=Broken(ssl.SSLCertVerificationError())),
        Deferred,
        "unavailable",
    ),
    (exceptions.ReadTimeoutError(endpoint_url=ENDPOINT), Uncertain, "timeout"),
    (exceptions.ConnectionClosedError(endpoint_url=ENDPOINT), Uncertain, "unavailable"),
    (exceptions.HTTPClientError(error="x"), Uncertain, "unavailable"),
    (exceptions.NoCredentialsError(), Deferred, "configuration"),
    (exceptions.ParamValidationError(report="x"), Refused, "content"),
    (ValueError("anything"), Uncertain, "unavailable"),
]


@pytest.mark.parametrize(("error", "kind", "reason"), MISHAPS)
def test_what_never_left_may_go_again_and_what_may_have_left_may_not(
    error: Exception, kind: type[SendFailed], reason: str
) -> None:
    found = failure(error)
    assert (type(found), found.reason) == (kind, reason)


def answered(status: int, code: str, **beside: Any) -> SendFailed:
    told = {
        "Error": {"Code": code, "Message": f"{MESSAGE.to} {SECRET}"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **beside,
    }
    return failure(exceptions.ClientError(told, "SendTextMessage"))


R, D, U = Refused, Deferred, Uncertain

#: status, code and reason (or @field at fault) → what it means for a text
ANSWERS: dict[tuple[int, str], tuple[type[SendFailed], str]] = {
    (400, "ConflictException.NO_ORIGINATION_IDENTITIES_FOUND"): (D, "configuration"),
    (400, "ConflictException.DESTINATION_PHONE_NUMBER_OPTED_OUT"): (R, "opted_out"),
    (400, "ConflictException.DESTINATION_PHONE_NUMBER_NOT_VERIFIED"): (R, "configuration"),
    (400, "ValidationException.DESTINATION_COUNTRY_BLOCKED"): (R, "configuration"),
    (400, "ValidationException.OTHER"): (R, "unknown"),
    (400, "ValidationException.@OriginationIdentity"): (D, "configuration"),
    (400, "ValidationException.@DestinationPhoneNumber"): (R, "invalid_number"),
    (400, "ServiceQuotaExceededException.MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"): (
        D,
        "configuration",
    ),
    (400, "ResourceNotFoundException"): (D, "configuration"),
    (400, "UnrecognizedClientException"): (D, "configuration"),
    (302, "SomethingNew"): (D, "configuration"),
    (403, "SomethingNew"): (D, "configuration"),
    (429, "SomethingNew"): (D, "rate_limited"),
    (500, "InternalServerException"): (U, "unavailable"),
    (503, "ConflictException"): (U, "unavailable"),
    (408, "RequestTimeout"): (U, "timeout"),
}


@pytest.mark.parametrize(("status", "told"), ANSWERS)
def test_each_answer_of_aws_has_its_meaning(status: int, told: str) -> None:
    code, _, beside = told.partition(".")
    field = [{"Name": beside[1:], "Message": MESSAGE.to}] if beside.startswith("@") else []
    found = answered(status, code, Reason="" if field else beside, Fields=field)
    assert (type(found), found.reason) == ANSWERS[status, told]
    assert MESSAGE.to not in str(found)
    assert SECRET not in str(found)


def made(**settings: Any) -> Aws:
    return Aws(**{**USUAL, **settings}, fetch=lambda address: (200, pem()))


def inbound(text: str) -> Any:
    return notified(
        {
            "originationNumber": MESSAGE.to,
            "destinationNumber": OURS,
            "messageKeyword": "KEYWORD_1",
            "messageBody": text,
            "inboundMessageId": "in1",
        }
    )


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        *((word, "STOP") for word in ("ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT")),
        *((word, "STOP") for word in ("REMOVE", "STOP", "TD", "UNSUBSCRIBE", " stop\n", "Arret")),
        *(("help", "HELP"), ("Stop it", ""), ("YES", "")),
    ],
)
def test_what_aws_has_answered_is_not_answered_again(text: str, answered: str) -> None:
    (reply,) = made().parse(inbound(text))
    assert isinstance(reply, Reply)
    assert reply.opt_out_type == answered
    (ours,) = made(self_managed_opt_outs=True).parse(inbound(text))
    assert isinstance(ours, Reply)
    assert ours.opt_out_type == ""


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({"totalMessagePrice": 0.00581}, 5_810),
        ({"totalMessagePrice": 0.00581, "totalCarrierFee": 0.003}, 8_810),
        ({"totalMessagePrice": 0.0}, 0),
        ({"totalMessagePrice": None}, None),
        ({"totalMessagePrice": "0.1"}, None),
        ({"totalMessagePrice": -1}, None),
        ({"totalMessagePrice": True}, None),
    ],
)
def test_the_price_is_awss_and_the_carriers_together(
    changes: dict[str, Any], cost: int | None
) -> None:
    event = {"messageId": "1", "messageStatus": "DELIVERED", **changes}
    (receipt,) = made().parse(notified(event))
    assert isinstance(receipt, Receipt)
    assert receipt.cost_micros == cost
    assert receipt.currency == ("" if cost is None else "USD")


#: ``messageStatus`` → what it is to us: every one on AWS's page of events, and one it may add
STANDS: dict[str, tuple[str, str]] = {
    "QUEUED": ("accepted", ""),
    "PENDING": ("accepted", ""),
    "SENT": ("sent", ""),
    "SUCCESSFUL": ("sent", ""),
    "DELIVERED": ("delivered", ""),
    "INVALID": ("undelivered", "invalid_number"),
    "INVALID_MESSAGE": ("undelivered", "content"),
    "UNREACHABLE": ("undelivered", "unavailable"),
    "CARRIER_UNREACHABLE": ("undelivered", "unavailable"),
    "BLOCKED": ("undelivered", "blocked"),
    "CARRIER_BLOCKED": ("undelivered", "blocked"),
    "SPAM": ("undelivered", "content"),
    "TTL_EXPIRED": ("undelivered", "timeout"),
    "PROTECT_BLOCKED": ("failed", "configuration"),
    "UNKNOWN": ("unknown", ""),
    "OF_TOMORROW": ("unknown", ""),
}


@pytest.mark.parametrize("word", STANDS)
def test_each_status_of_aws_is_read_in_our_words(word: str) -> None:
    (receipt,) = made().parse(notified({"messageId": "1", "messageStatus": word}))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.reason) == STANDS[word]


def test_events_of_others_on_the_same_topic_say_nothing() -> None:
    assert made().parse(notified({"eventType": "VOICE_COMPLETED", "messageId": "1"})) == []
    with pytest.raises(Unreadable):
        made().parse(notified({"hello": 1}))


def test_a_receipt_without_our_context_is_still_one() -> None:
    (receipt,) = made().parse(notified({"messageId": "1", "messageStatus": "SENT", "context": 7}))
    assert isinstance(receipt, Receipt)
    assert (receipt.send_id, receipt.occurred_at) == ("", None)
    made().verify(notified({}), NOW)
