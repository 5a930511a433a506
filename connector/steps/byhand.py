"""By hand: a person, or a program of the operator's, starts a play for one contact."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from connector.errors import Unreadable
from connector.ledger import acts, contacts, crm_facts
from connector.ledger.inbox import Delivery
from connector.ledger.store import Tx
from connector.model import Decision, Json
from connector.rules.plays import Mode
from connector.steps import contexts, gather
from connector.steps.began import keep
from connector.steps.setup import Setup
from connector.steps.starts import HAND, Began
from connector.steps.starts import start as judge

log = logging.getLogger("connector")

KINDS = ("user_id", "crm_id", "anonymous_id", "phone", "email")


def start(
    tx: Tx,
    rt: Setup,
    play_name: str,
    contact_id: str,
    facts: Mapping[str, Json],
    *,
    who: str,
    why: str,
    now: datetime,
    key: str = "",
) -> Decision:
    """Start a play for a contact; it is judged and governed like any other start.

    Raises ``Unreadable`` where the play or the contact is not there, or the play is off.
    """
    play = rt.plays.get(play_name)
    contact = gather.person(tx, contact_id)
    if play is None or contact is None:
        what = f"play {play_name}" if play is None else f"contact {contact_id}"
        raise Unreadable(f"there is no {what}")
    if play.mode is Mode.off:
        raise Unreadable(f"the play {play_name} is off; set its mode to live or shadow")
    act, about = rt.new_id("act"), f"play:{play_name}"
    acts.add(tx, act, "start", about, who=who, why=why, at=now, version=play.version)
    told = {**facts, "who": who, "why": why}
    signal_id = keep(tx, rt, contact, HAND, told, key, now, now)
    shown = {**told, "name": HAND, "key": key}
    crm = crm_facts.of(tx, rt.crm, contact.id)
    began = Began(
        signal_id,
        HAND,
        key,
        now,
        contexts.of(tx, rt, contact, crm, shown, now),
        occurrence=key or signal_id,
        due_at=now,
    )
    return judge(tx, rt, play, contact, began, now)


def read(delivery: Delivery) -> dict[str, Any]:
    """What the API was asked, as the web put it into the inbox; raises ``Unreadable``."""
    try:
        told: dict[str, Any] = orjson.loads(delivery.body)
        told["play"], told["contact"]
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(f"this is no start by hand: {type(error).__name__}") from None
    return {**told, "key": told.get("key") or told.get("id") or f"api-{delivery.seq}"}


def take(tx: Tx, rt: Setup, told: Mapping[str, Any], now: datetime) -> None:
    """Start a play as the API was asked to; whom it names must be known, and be one person."""
    found = {
        contact_id
        for kind in KINDS
        if (value := told["contact"].get(kind))
        for contact_id in contacts.bearers(tx, kind, str(value))
    }
    if named := told["contact"].get("contact_id"):
        found.add(str(named))
    if len(found) != 1:
        many = f"{len(found)} contacts bear" if found else "no contact bears"
        raise Unreadable(f"{many} what the start names its contact by; one must")
    facts = told.get("facts") or {}
    decision = start(
        tx,
        rt,
        str(told["play"]),
        found.pop(),
        facts,
        who=str(told.get("who", "")),
        why=str(told.get("why", "")),
        key=str(told["key"]),
        now=now,
    )
    log.info("act=hand play=%s result=%s", told["play"], decision.reason or "begun")
