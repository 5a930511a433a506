"""SNS messages over HTTPS: their signature, their certificate, and confirming a subscription.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

Nothing that a stranger writes chooses an address. The certificate's host is made from the region
of a configured topic, and its address must be exactly there; a subscription is confirmed at the
same host, whatever address the message names.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from connector.errors import Overloaded
from connector.model import Json
from connector.providers.reading import iso_date, json_object

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

TOPIC: Final = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:([a-z0-9-]{5,30}):[0-9]{12}:[\w.-]{1,256}")
CERTIFICATE: Final = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem")

#: type → the fields that are signed, in this order; one that is absent is left out.
SIGNED: Final[Mapping[str, Sequence[str]]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        ("SubscriptionConfirmation", "UnsubscribeConfirmation"),
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
BESIDE: Final = ("TopicArn", "Type", "SignatureVersion")  #: what is looked at before the signature
FRESH: Final = timedelta(hours=24)  #: SNS repeats for hours; what is repeated changes nothing
AHEAD: Final = timedelta(minutes=5)
PATIENCE: Final = 3.0  #: seconds for each step of an exchange; somebody waits for our answer
MAX_CERTIFICATES: Final = 16
MAX_FETCHES: Final = 10  #: of certificates, in a minute
MAX_PEM: Final = 20_000  #: bytes


Fetch = Callable[[str], tuple[int, bytes]]
"""Gets an https address: its status and body. Raises ``OSError`` where it cannot be reached."""


class NotProven(Exception):
    """A message that SNS did not sign for a topic of ours."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """What confirms a subscription."""

    topic: str
    token: str


class Notices:
    """Checks the messages of some topics; certificates are kept, each after one fetch."""

    def __init__(self, topics: Sequence[str], fetch: Fetch | None = None) -> None:
        self._topics = frozenset(topics)
        self._fetch = fetch or fetched
        self._lock = threading.Lock()
        self._certificates: dict[str, Certificate] = {}
        self._fetches: list[datetime] = []

    def check(self, body: bytes, header: str, now: datetime) -> None:
        """Return if SNS signed the message for one of the topics; raise ``NotProven``.

        ``header`` is the type that SNS writes beside the message.
        Raises ``Overloaded`` where the certificate cannot be had now, so that SNS asks again.
        """
        message = json_object(body)
        topic, kind, version = (_word(message, name) for name in BESIDE)
        if topic not in self._topics:
            raise NotProven("the message is of no topic in topic_arns; check its ARN")
        if kind not in SIGNED or kind != header or not _is_fresh(message.get("Timestamp"), now):
            raise NotProven(
                "the message's Type is not that of x-amz-sns-message-type, or it is over a day old"
            )
        signed, signature = _signed(message, SIGNED[kind]), _signature(message)
        certificate = self._certificate(topic, _word(message, "SigningCertURL"), now)
        if not _fits(certificate, signature, signed, version, now):
            raise NotProven("the signature does not fit; is raw message delivery off?")

    def asks_to_confirm(self, body: bytes) -> Confirm | None:
        """What a checked message asks to confirm, where it is a subscription's confirmation."""
        message = json_object(body)
        if message.get("Type") != "SubscriptionConfirmation":
            return None
        return Confirm(str(message.get("TopicArn")), str(message.get("Token")))

    def confirm(self, confirm: Confirm) -> bool:
        """Confirm a subscription; whether SNS took it."""
        query = {
            "Action": "ConfirmSubscription",
            "TopicArn": confirm.topic,
            "Token": confirm.token,
        }
        try:
            return self._fetch(f"https://{_host(confirm.topic)}/?{urlencode(query)}")[0] == 200
        except OSError:
            return False

    def _certificate(self, topic: str, address: str, now: datetime) -> Certificate:
        origin = f"https://{_host(topic)}"
        path = address.removeprefix(origin)
        if path == address or not CERTIFICATE.fullmatch(path):
            raise NotProven(f"SigningCertURL does not lead to a certificate at {origin}")
        known = self._certificates.get(origin + path)
        if known is not None:  # not behind the lock: strangers may keep a fetch under way
            return known
        if not self._lock.acquire(timeout=PATIENCE):  # one fetch at a time, and no long queue
            raise Overloaded("another certificate of SNS is being fetched; send it again", 20)
        try:
            known = self._certificates.get(origin + path)
            if known is None:
                known = self._fetched_certificate(origin + path, now)
                while len(self._certificates) >= MAX_CERTIFICATES:
                    self._certificates.pop(next(iter(self._certificates)))
                self._certificates[origin + path] = known
        finally:
            self._lock.release()
        return known

    def _fetched_certificate(self, address: str, now: datetime) -> Certificate:
        from cryptography.x509 import load_pem_x509_certificate

        self._fetches = [at for at in self._fetches if now - at < timedelta(minutes=1)]
        if len(self._fetches) >= MAX_FETCHES:
            raise Overloaded("too many certificates of SNS are asked for; send it again later", 60)
        self._fetches.append(now)
        try:
            status, pem = self._fetch(address)
        except OSError:
            raise Overloaded("SNS's certificate cannot be fetched; send it again", 20) from None
        if status in (403, 404):
            raise NotProven("SNS knows no such certificate")
        if status != 200:
            raise Overloaded("SNS's certificate cannot be fetched; send it again", 20)
        try:
            return load_pem_x509_certificate(pem)
        except ValueError:
            raise NotProven("what SigningCertURL leads to is no certificate") from None


def fetched(address: str) -> tuple[int, bytes]:
    """Get an https address by the standard library: the web has no need of a heavier client.

    Redirects are not followed. Raises ``OSError`` where no whole answer came.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *told: object) -> None:
            return None

    try:
        with build_opener(Stay).open(address, timeout=PATIENCE) as answer:
            return answer.status, answer.read(MAX_PEM)
    except HTTPError as error:
        error.close()
        return error.code, b""
    except HTTPException as error:
        raise OSError("the answer is not HTTP") from error


def _word(message: Mapping[str, Json], name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) else ""


def _host(topic: str) -> str:
    """SNS's own host in the region of a configured topic."""
    found = TOPIC.fullmatch(topic)
    if found is None:
        raise NotProven("the topic's ARN is not written as SNS does")
    ending = ".cn" if topic.startswith("arn:aws-cn:") else ""
    return f"sns.{found[1]}.amazonaws.com{ending}"


def _signed(message: Mapping[str, Json], names: Sequence[str]) -> bytes:
    """What is signed: each field's name and value, a line each."""
    lines: list[str] = []
    for name in names:
        value = message.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            raise NotProven(f"the message bears no {name}")
        lines += (name, value)
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def _signature(message: Mapping[str, Json]) -> bytes:
    try:
        return base64.b64decode(str(message.get("Signature")).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NotProven("the message bears no signature in base64") from None


def _fits(
    certificate: Certificate, signature: bytes, signed: bytes, version: str, now: datetime
) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    digests = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  # AWS's own version 1
    key = certificate.public_key()
    if version not in digests or not isinstance(key, RSAPublicKey):
        return False
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return False
    try:
        key.verify(signature, signed, padding.PKCS1v15(), digests[version])
    except InvalidSignature:
        return False
    return True


def _is_fresh(written: Json, now: datetime) -> bool:
    at = iso_date(written)
    return at is not None and -AHEAD <= now - at <= FRESH
