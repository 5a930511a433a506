"""Playing: each moment of the day is told over HTTP, and time jumps from one to the next."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.demo import day
from connector.demo.day import Moment
from connector.demo.folder import SECRETS
from connector.demo.stage import Stage
from connector.ledger import enrolments, sends
from connector.ledger.store import Row, Tx

HEARD: Final = "SELECT CAST(coalesce(sum(1 + repeats), 0) AS BIGINT) AS n FROM events"
REPLIED: Final = "SELECT CAST(count(*) AS BIGINT) AS n FROM replies"
OPEN: Final = """SELECT 1 FROM sends WHERE state IN ('sending', 'accepted', 'uncertain')
    OR (state = 'planned' AND due_at <= :now) LIMIT 1"""
WALKING: Final = "SELECT 1 FROM enrolments WHERE due_at <= :now LIMIT 1"
ARRIVED: Final = "SELECT phone, text FROM sends WHERE state = 'delivered'"
OWED: Final = "SELECT 1 FROM writebacks WHERE state = 'owed' LIMIT 1"

FAR: Final = timedelta(hours=1)  #: more would look as if the CRM had been told late
OVER: Final = "over"
ANSWERING: Final = "answering"

Tell = Callable[[datetime, str], None]
"""Called with each instant and what happens in it ("": something came due), for who watches."""


class Playing:
    """Plays the day. Time stands still while anything is under way, then jumps to what is next."""

    def __init__(self, stage: Stage, tell: Tell) -> None:
        self._stage, self._tell = stage, tell
        self._told = 0  #: events delivered so far

    def play(self) -> None:
        """The whole day; returns when all has happened and the CRM has been told."""
        for moment in day.moments():
            self._live_until(moment.at)
            self._tell(moment.at, moment.says)
            self._show(moment.at)
            deliver(self._stage, moment)
            self._told += moment.times
            self._settle()
        self._live_until(day.ENDS)
        self._show(day.ENDS)
        self._settle()
        self._stage.until(self._is_written_back, "the CRM is told of everything")

    def _live_until(self, at: datetime) -> None:
        """Stop at every instant at which the connector has something to do by itself."""
        while (due := self._stage.read(next_due)) is not None and due < at:
            self._tell(due, "")
            self._show(due)
            self._settle()

    def _show(self, at: datetime) -> None:
        """Let the clock show an instant; before it jumps far, the CRM is told what is owed."""
        if at - self._stage.clock() > FAR:
            self._stage.until(self._is_written_back, "the CRM is told of everything")
        self._stage.show(max(at, self._stage.clock()))

    def _settle(self) -> None:
        """Wait until everything under way is over; people take their time to text back."""
        doing = "the connector does what is due"
        while self._stage.until(self._at_rest, doing) == ANSWERING:
            self._show(self._stage.clock() + day.REPLY_AFTER)
            self._stage.until(self._has_heard_replies, "replies come back")

    def _at_rest(self) -> str:
        """OVER, ANSWERING where somebody will yet text back, or "" while anything is under way."""
        now = clock.text(self._stage.clock())

        def look(tx: Tx) -> str:
            if _count(tx, HEARD) < self._told or tx.one(WALKING, now=now) or tx.one(OPEN, now=now):
                return ""
            return OVER if _replies_are_in(tx) else ANSWERING

        return str(self._stage.read(look))

    def _has_heard_replies(self) -> bool:
        return bool(self._stage.read(_replies_are_in))

    def _is_written_back(self) -> bool:
        return self._stage.read(lambda tx: tx.one(OWED)) is None


def next_due(tx: Tx) -> datetime | None:
    """When the connector next has something to do by itself."""
    found = (enrolments.next_due(tx), sends.next_due(tx))
    return min((due for due in found if due is not None), default=None)


def deliver(stage: Stage, moment: Moment) -> None:
    """Tell the connector of a moment, as its sender would."""
    body = json.dumps(moment.body).encode()
    for _ in range(moment.times):
        stage.post(moment.path, body, _headers(stage, moment, body))


def _headers(stage: Stage, moment: Moment, body: bytes) -> dict[str, str]:
    """What proves the sender: a write key, Shopify's signature, or a Standard Webhooks one."""
    secret = SECRETS[moment.source]
    common = {"Content-Type": "application/json"}
    if moment.source == "shop":
        digest = hmac.digest(secret.encode(), body, "sha256")
        return common | {
            "X-Shopify-Topic": moment.topic,
            "X-Shopify-Event-Id": _id(body),
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        }
    if moment.source == "firm":
        key = base64.b64decode(secret.removeprefix("whsec_"))
        number, stamp = f"msg_{_id(body)}", str(int(stage.clock().timestamp()))
        digest = hmac.digest(key, f"{number}.{stamp}.".encode() + body, "sha256")
        return common | {
            "webhook-id": number,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }
    return common | {"Authorization": f"Basic {base64.b64encode(f'{secret}:'.encode()).decode()}"}


def _id(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]


def _count(tx: Tx, sql: str) -> int:
    row = tx.one(sql)
    return int(row["n"]) if row else 0


def _replies_are_in(tx: Tx) -> bool:
    """Whether every text that arrived, and that the day's people answer, is answered."""
    arrived = tx.all(ARRIVED)
    wanted = sum(any(_fits(scene, row) for scene in day.SCENES) for row in arrived)
    return _count(tx, REPLIED) >= wanted


def _fits(scene: day.Scene, row: Row) -> bool:
    return bool(row["phone"] == scene.to and scene.contains in row["text"])
