"""Clicks: whoever fetched a short link is kept; a person is activity, an outcome and a signal."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final

import orjson

from connector import clock
from connector.errors import Unreadable
from connector.ledger import contacts, links, outcomes, sends
from connector.ledger.inbox import Delivery
from connector.ledger.outcomes import Heard
from connector.ledger.store import Row, Tx
from connector.model import Cause
from connector.rules import clicks as rules
from connector.rules.clicks import Fetch, Told, Verdict
from connector.rules.links import host
from connector.steps import owed, signal
from connector.steps.setup import Setup

SIGNAL: Final = "click"
OUTCOME: Final = "clicked"

log = logging.getLogger("connector")


def read(delivery: Delivery) -> Fetch:
    """A fetch as the web put it into the inbox; raises ``Unreadable``."""
    try:
        told: dict[str, Any] = orjson.loads(delivery.body)
        return Fetch(
            code=str(told["code"]),
            method=str(told["method"]),
            at=delivery.received_at,
            agent=str(told["agent"]),
            accept=told["accept"],
            purpose=str(told["purpose"]).lower(),
            network=str(told["network"]),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(f"this is no fetch of a link: {type(error).__name__}") from None


def click(tx: Tx, rt: Setup, fetch: Fetch, now: datetime) -> None:
    """Keep a fetch of a link with what it was, and act on it where it was a person."""
    link = links.get(tx, fetch.code)
    send = sends.get(tx, str(link["send_id"])) if link else None
    if link is None or send is None:  # erased since
        log.warning("act=click result=unknown_link")
        return
    told = _judge(tx, link, send, fetch)
    links.add_click(
        tx,
        link,
        click_id=rt.new_id("clk"),
        verdict=told.verdict.value,
        why=told.why,
        method=fetch.method,
        agent=fetch.agent,
        network=fetch.network,
        at=fetch.at,
        now=now,
    )
    if told.verdict is Verdict.human and send["cause"] != Cause.test:
        _tapped(tx, rt, link, send, min(fetch.at, now), now)
    log.info("act=click send=%s verdict=%s why=%s", send["id"], told.verdict.value, told.why)


def _judge(tx: Tx, link: Row, send: Row, fetch: Fetch) -> Told:
    left_at = send["accepted_at"] or send["begun_at"]
    since = fetch.at - rules.SPAN
    return rules.judge(
        fetch,
        left_at=clock.instant(left_at) if left_at else None,
        links_of_text=1 + links.others_of_text(tx, link, since, fetch.at),
        codes_of_network=1
        + links.others_of_network(tx, link, fetch.network, fetch.agent, since, fetch.at),
    )


def _tapped(tx: Tx, rt: Setup, link: Row, send: Row, at: datetime, now: datetime) -> None:
    """A person tapped: activity and the signal each time, outcome and CRM once for each link."""
    contact = contacts.row(tx, str(link["contact_id"]))
    if contact is None:
        return
    contact_id = str(contact["id"])
    heard = Heard(
        id=rt.new_id("out"),
        cause=f"click:{link['code']}",
        contact_id=contact_id,
        kind=OUTCOME,
        occurred_at=at,
        thing=host(str(link["url"])),  # the whole address may name the person
        enrolment_id=send["enrolment_id"] or "",
        send_id=send["id"],
    )
    if outcomes.add(tx, heard, now):
        owed.outcome_heard(tx, rt.crm, outcomes.get(tx, heard.id), now)
    facts = {"url": link["url"], "play": send["play"], "step": send["step"]}
    signal.own_signal(
        tx, rt, contact_id, SIGNAL, facts, at=at, now=now, key=str(send["key"]), activity=True
    )
