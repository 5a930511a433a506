"""AWS End User Messaging (pinpoint-sms-voice-v2): send by boto3, and read what SNS brings of it.

https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
AWS looks no text up and lists none; what happened to one comes through SNS, with our reference.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Final

from connector.errors import Deferred, Overloaded, Unverified
from connector.messages import SMS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook, Purpose
from connector.providers import Ability, aws_events
from connector.providers.aws_errors import failure, unopened
from connector.providers.sns import TOPIC, Fetch, Notices, NotProven

log = logging.getLogger("connector")

SERVICE: Final = "pinpoint-sms-voice-v2"
POOL: Final = 100  #: connections kept alive, and so threads that may share the client
TTL: Final = (5, 259_200)  #: seconds
TYPES: Final[Mapping[str, str]] = {Purpose.marketing: "PROMOTIONAL"}  #: any other is TRANSACTIONAL
TYPE_HEADER: Final = "x-amz-sns-message-type"
EXTRA: Final = "boto3 is not installed: pip install 'crm-sms-connector[aws]'"


class Aws:
    """AWS End User Messaging as a provider.

    ``origination_identity`` is a number, sender id or pool (its id or ARN) unless a text names its
    own; empty leaves the choice to AWS. ``topic_arns`` are the SNS topics that bring receipts and
    replies: no other is believed, and their subscriptions are confirmed by themselves. Without
    ``access_key_id`` the credentials are those that boto3 finds (role, profile, environment).
    ``self_managed_opt_outs`` says that AWS does not answer STOP and HELP for your numbers.
    ``fetch`` gets SNS's certificates.
    """

    name = aws_events.PROVIDER
    channels = frozenset({SMS})
    does: frozenset[Ability] = frozenset()

    def __init__(
        self,
        *,
        region: str,
        topic_arns: Sequence[str],
        origination_identity: str = "",
        configuration_set: str = "",
        self_managed_opt_outs: bool = False,
        access_key_id: str = "",
        secret_access_key: str = "",
        session_token: str = "",
        base_url: str = "",
        fetch: Fetch | None = None,
    ) -> None:
        if find_spec("boto3") is None:
            raise ValueError(EXTRA)
        if not re.fullmatch(r"[a-z]{2,3}(-[a-z]{2,12}){1,3}-[0-9]", region):
            raise ValueError('region is AWS\'s name of it, such as "us-east-1"')
        if not topic_arns or not all(TOPIC.fullmatch(topic) for topic in topic_arns):
            raise ValueError(
                "topic_arns are the ARNs of your SNS topics, arn:aws:sns:region:account:name; "
                "without one no receipt and no STOP would be heard"
            )
        if bool(access_key_id) != bool(secret_access_key):
            raise ValueError("access_key_id and secret_access_key go together")
        self._region = region
        self._identity = origination_identity
        self._set = configuration_set
        self._answers_opt_outs = not self_managed_opt_outs
        self._login = (access_key_id, secret_access_key, session_token)
        self._base_url = base_url
        self._lock = threading.Lock()
        self._notices = Notices(topic_arns, fetch)

    @cached_property
    def _client(self) -> Any:
        with self._lock:  # boto3 makes clients in one thread at a time only
            return self._open()

    def _open(self) -> Any:
        import boto3  # here, so that only who sends by AWS loads it
        from botocore.config import Config

        from connector.http import CONNECT_SECONDS, READ_SECONDS

        logging.getLogger("botocore").setLevel(logging.INFO)  # its debug lines hold whole texts
        key, secret, token = (part or None for part in self._login)
        return boto3.session.Session().client(
            SERVICE,
            region_name=self._region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            endpoint_url=self._base_url or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 1},  # a text would go out twice
                max_pool_connections=POOL,
            ),
        )

    def send(self, message: Message) -> Accepted:
        """Send one text; whatever AWS may have taken unseen is ``Uncertain``."""
        try:
            client = self._client
        except Exception as error:  # whatever it was, AWS was not asked for anything
            raise unopened(error) from None
        try:
            answer = client.send_text_message(**self._fields(message))
        except Exception as error:  # botocore's parser raises anything on an answer it cannot read
            raise failure(error) from None
        return aws_events.accepted(answer)

    def _fields(self, message: Message) -> dict[str, Any]:
        seconds = int(message.valid_for / timedelta(seconds=1))
        fields: dict[str, Any] = {
            "DestinationPhoneNumber": message.to,
            "OriginationIdentity": message.sender or self._identity,
            "MessageBody": message.text.encode(errors="replace").decode(),
            "MessageType": TYPES.get(message.purpose, "TRANSACTIONAL"),
            "ConfigurationSetName": self._set,
            "TimeToLive": min(max(seconds, TTL[0]), TTL[1]),
            "Context": {aws_events.REFERENCE: message.send_id},
        }
        return {name: value for name, value in fields.items() if value}

    def find(self, message: Message, since: datetime) -> Found:
        """AWS cannot tell; the events of the text settle it, since they bear our reference."""
        return Found(None)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """AWS lists no replies."""
        raise Deferred("AWS lists no replies; SNS repeats those that were not taken")

    def carried(self, since: datetime) -> Iterator[Carried]:
        """AWS lists no texts."""
        raise Deferred("AWS lists no texts")

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check SNS's signature and topic; confirm the subscription where SNS asks for that.

        Raises ``Overloaded`` where the certificate cannot be had just now: SNS asks again then,
        and would not after a 401. Only a signed request of a topic of ours is ever confirmed.
        """
        try:
            self._notices.check(hook.body, hook.headers.get(TYPE_HEADER, ""), now)
        except NotProven as error:
            raise Unverified(str(error)) from None
        if (token := self._notices.asks_to_confirm(hook.body)) and not self._notices.confirm(token):
            raise Overloaded("the subscription could not be confirmed; ask again", retry_after=20)

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read an event of a text or an inbound text; a confirmation says nothing of either."""
        if topic := aws_events.ended(hook):
            log.error(
                "act=callback provider=aws result=unsubscribed topic=%s: no receipt and no STOP "
                "is heard any more; subscribe the topic to this address again",
                topic,
            )
        return aws_events.read(hook, answers_opt_outs=self._answers_opt_outs)
