"""AWS in the contract: boto3 itself with its wire cut, and SNS with a certificate of our own."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.aws import Aws
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, SEGMENTS, TEXT, Call, Kit
from tests.providers.contract_callbacks import CallbackContract, receipt_of

TOPIC = "arn:aws:sns:us-east-1:123456789012:texts"
HOST = "https://sns.us-east-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-{'a' * 32}.pem"
CALLBACK = "https://sms.example.test/providers/aws"
STAMP = "2027-03-01T12:00:00.000Z"

_ABOUT = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
#: What SNS signs, in its page's own order.
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _ABOUT,
    "UnsubscribeConfirmation": _ABOUT,
}

#: fate → status, code, reason, faulty field
FATES = {
    "invalid_number": (400, "ValidationException", "INVALID_PARAMETER", "DestinationPhoneNumber"),
    "content": (400, "ValidationException", "INVALID_PARAMETER", "MessageBody"),
    "opted_out": (400, "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", ""),
    "blocked": (
        400,
        "ConflictException",
        "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
        "",
    ),
    "unheard_of": (400, "ExceptionOfTomorrow", "", ""),
    "configuration": (400, "AccessDeniedException", "ACCOUNT_DISABLED", ""),
    "rate_limited": (400, "ThrottlingException", "", ""),
    "server_error": (503, "InternalServerException", "", ""),
}


class AwsKit:
    """AWS: what boto3 would have sent is caught before it leaves, and answered."""

    does: frozenset[Ability] = frozenset()
    over_http = True
    at_send = frozenset({"invalid_number", "content", "opted_out", "blocked"})
    codes: ClassVar[Mapping[str, str]] = {
        "invalid_number": "INVALID",
        "blocked": "CARRIER_BLOCKED",
        "content": "SPAM",
    }
    untold = frozenset({"not_mobile"})
    statuses: ClassVar[Mapping[str, Status]] = {
        "QUEUED": Status.accepted,
        "PENDING": Status.accepted,
        "SENT": Status.sent,
        "SUCCESSFUL": Status.sent,
        "DELIVERED": Status.delivered,
        "UNKNOWN": Status.unknown,
        "UNREACHABLE": Status.undelivered,
        "TTL_EXPIRED": Status.undelivered,
        "PROTECT_BLOCKED": Status.failed,
    }
    proof = frozenset({"x-amz-sns-message-type"})  # beside what stands in the body
    fresh_for = timedelta(hours=24)
    opt_out_types = False  # it answers STOP and HELP by itself: ``test_aws.py``
    currency = "USD"
    priced = frozenset({"receipt"})
    counted = frozenset({"receipt"})

    def __init__(self, folder: Path) -> None:
        self.settings = {
            "region": "us-east-1",
            "topic_arns": [TOPIC],
            "origination_identity": OURS,
            "self_managed_opt_outs": True,
            "access_key_id": "AKIA",
            "secret_access_key": SECRET,
            "fetch": {CERTIFICATE: (200, pem())}.__getitem__,
        }
        self.provider: Provider = Aws(**self.settings)  # type: ignore[arg-type]
        self.provider.__dict__["_client"] = wired(self)
        self.asked: list[Call] = []
        self.answer: tuple[int, bytes] | Exception = (500, b"")

    def close(self) -> None:
        _SIDES.clear()

    def arrange(self, fate: str) -> None:
        from botocore import exceptions

        if fate in FATES:
            self.answers(FATES[fate][0], orjson.dumps(_fault(*FATES[fate][1:])))
        elif fate == "accepted":
            self.answers(200, orjson.dumps(self.acceptance()))
        elif fate == "malformed":
            self.answers(200, b"<html>")
        elif fate == "unreachable":
            self.answer = exceptions.ConnectTimeoutError(endpoint_url=f"to {MESSAGE.to}")
        else:
            self.answer = exceptions.ReadTimeoutError(endpoint_url=f"to {MESSAGE.to}")

    def answers(self, status: int, body: bytes) -> None:
        self.answer = (status, body)

    def looks_up(self, status: int, body: bytes) -> None:
        """AWS looks nothing up, so that nothing is asked."""

    def acceptance(self) -> Mapping[str, Json]:
        return {"MessageId": ID}

    def calls(self) -> list[Call]:
        return self.asked

    def holds(self, *entries: Carried | Reply) -> None:
        """AWS lists nothing."""

    def receipt(self, status: str, code: str = "") -> Hook:
        return notified(
            {
                "eventType": f"TEXT_{code or status}",
                "eventVersion": "1.0",
                "eventTimestamp": int(NOW.timestamp() * 1000),
                "isFinal": True,
                "originationPhoneNumber": OURS,
                "destinationPhoneNumber": MESSAGE.to,
                "isoCountryCode": "US",
                "messageId": ID,
                "messageRequestTimestamp": int(NOW.timestamp() * 1000),
                "messageEncoding": "GSM",
                "messageType": "TRANSACTIONAL",
                "messageStatus": code or status,
                "messageStatusDescription": TEXT,
                "context": {"send_id": MESSAGE.send_id},
                "totalMessageParts": SEGMENTS,
                "totalMessagePrice": 0.00581,
                "totalCarrierFee": 0.00169,
            }
        )

    def reply(self, text: str, opt_out: str = "") -> Hook:
        return notified(
            {
                "originationNumber": MESSAGE.to,
                "destinationNumber": OURS,
                "messageKeyword": "KEYWORD_123456789012",
                "messageBody": text,
                "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
                "previousPublishedMessageId": "12345678-1111-2222-3333-123456789012",
            }
        )

    def sign(self, body: bytes) -> Hook:
        """Anything else than a message of SNS's cannot be signed at all."""
        return Hook("POST", CALLBACK, {"x-amz-sns-message-type": "Notification"}, body)


class AwsAmends(CallbackContract):
    """AWS writes why a text failed where others write that it did: its status is its code."""

    def test_a_receipt_is_read_in_our_words(self, kit: Kit, word: str) -> None:
        receipt = receipt_of(kit, word)
        assert (receipt.provider_id, receipt.raw_status) == (ID, word)
        assert receipt.status is kit.statuses[word]
        failed = receipt.status in (Status.undelivered, Status.failed)
        assert receipt.error_code == (word if failed else "")
        assert bool(receipt.reason) is failed

    def test_an_error_never_heard_of_is_unknown(self, kit: Kit) -> None:
        receipt = receipt_of(kit, "SENT", "BLOCKED_OF_TOMORROW")
        assert (receipt.status, receipt.error_code) == (Status.unknown, "")


AwsKit.amends = (AwsAmends,)  # type: ignore[attr-defined]  # which needs the kit's own words


def notified(message: Mapping[str, Any], **changes: Any) -> Hook:
    """A notification of SNS's, signed; ``changes`` come before the signature."""
    told = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": orjson.dumps(message).decode(),
        "Timestamp": STAMP,
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **changes,
    }
    return hooked({**told, "Signature": signature(told)})


def hooked(told: Mapping[str, Any]) -> Hook:
    """A message as SNS posts it."""
    headers = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": told["Type"]}
    return Hook("POST", CALLBACK, headers, orjson.dumps(told))


def signature(told: Mapping[str, Any]) -> str:
    """What SNS's page on verifying signatures says is signed, with our key."""
    names = SIGNED.get(str(told["Type"]), ())
    lines = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
    digest = hashes.SHA1() if told["SignatureVersion"] == "1" else hashes.SHA256()
    return base64.b64encode(key().sign(lines.encode(), padding.PKCS1v15(), digest)).decode()


@functools.cache
def key() -> rsa.RSAPrivateKey:
    """Our stand-in for SNS's key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def pem(until: datetime = NOW + timedelta(days=90)) -> bytes:
    """Our stand-in for SNS's certificate."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=90))
        .not_valid_after(until)
    )
    return builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.PEM)


_SIDES: list[AwsKit] = []


def wired(kit: AwsKit) -> Any:
    """The adapter's own client, made once, whose calls come to the newest kit."""
    _SIDES[:] = [kit]
    return _client()


@functools.cache
def _client() -> Any:
    adapter = Aws(
        region="us-east-1", topic_arns=[TOPIC], access_key_id="AKIA", secret_access_key=SECRET
    )
    client = adapter._client
    client.meta.events.register("before-send.*", _answered)
    return client


def _answered(request: Any, **_: Any) -> Any:
    from botocore.awsrequest import AWSResponse

    kit, config = _SIDES[0], _client().meta.config
    timeouts = (config.connect_timeout, config.read_timeout)
    kit.asked.append(Call("/", timeouts, request.body if isinstance(request.body, bytes) else b""))
    if isinstance(kit.answer, Exception):
        raise kit.answer
    status, body = kit.answer
    return AWSResponse(request.url, status, {}, _Raw(body))


class _Raw(io.BytesIO):
    """What botocore reads an answer's body from."""

    def stream(self, amount: int = 1024, **_: Any) -> Any:
        while part := self.read(amount):
            yield part


def _fault(code: str, reason: str, field: str) -> dict[str, Any]:
    wording = f"The number {MESSAGE.to} was told {TEXT} with {SECRET}"
    told: dict[str, Any] = {"__type": code, "message": wording}
    if reason:
        told["Reason"] = reason
    if field:
        told["Fields"] = [{"Name": field, "Message": wording}]
    return told
