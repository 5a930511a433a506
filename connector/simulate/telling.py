"""Telling: each kind of recorded input is told to a world as it was told to the connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from connector.clock import instant
from connector.errors import Unreadable
from connector.ledger import consents, conversations, listings, merges, pauses, refreshes, sends
from connector.ledger.store import Tx
from connector.messages import Receipt, Reply
from connector.model import Cause, Event, Status
from connector.rules.clicks import Fetch
from connector.rules.plays import OnPause
from connector.simulate.faithful import FaithfulTx
from connector.simulate.recorded import Line
from connector.simulate.telling_gap import GAP
from connector.simulate.telling_numbers import NUMBERS
from connector.simulate.world import World
from connector.steps import byhand, crmfacts, hearing, optin, templates
from connector.steps.consent import record_consent
from connector.steps.setup import Setup

BY_HAND: Final = "operator"
MERGED: Final = """SELECT id FROM merges WHERE winner = :winner AND loser = :loser
    AND undone_at IS NULL ORDER BY id DESC LIMIT 1"""


def event(world: World, line: Line) -> None:
    """An event; one whose source is no longer configured is nothing to anybody."""
    if line["source"] not in world.rt.sources:
        return
    world.event(
        Event(
            id=line["id"],
            source=line["source"],
            source_event_id=line["source_event_id"],
            type=line["type"],
            name=line["name"],
            occurred_at=instant(line["occurred_at"]),
            received_at=instant(line["received_at"]),
            payload=line["payload"],
            back_fill=line["back_fill"],
        )
    )


def reply(world: World, line: Line) -> None:
    """What a person texted."""
    at = instant(line["occurred_at"]) if line["occurred_at"] else None
    told = (line["provider"], line["provider_id"], line["phone"], line["to"], line["text"])
    world.told(Reply(*told, at, line.get("opt_out_type", "")))


def receipt(world: World, line: Line) -> None:
    """What the provider told of a text."""
    world.told(
        Receipt(
            provider=line["provider"],
            provider_id=line["provider_id"],
            status=Status(line["status"]),
            raw_status=line["raw_status"],
            error_code=line["error_code"],
            reason=line["reason"],
            occurred_at=instant(line["occurred_at"]) if line["occurred_at"] else None,
            stamp=line["stamp"],
        )
    )


def click(world: World, line: Line) -> None:
    """Somebody fetched a link; of its headers the verdict's reason tells what mattered."""
    world.told(
        Fetch(
            code=line["code"],
            method=line["method"],
            at=instant(line["clicked_at"]),
            agent=line["agent"],
            accept="*/*" if line["why"] == "no_page" else None,
            purpose="prefetch" if line["why"] == "prefetch" else "",
            network=line["network"],
        )
    )


def crm_change(world: World, line: Line) -> None:
    """The CRM told something of a person."""
    told = (line["crm"], line["contact_id"], line["facts"])

    def learn(tx: Tx, rt: Setup, now: datetime) -> None:
        crmfacts.learn(tx, rt, *told, now, asked=True)  # else it would not have been noted
        refreshes.done(tx, refreshes.CRM, line["contact_id"], now)

    world.act(learn)


def consent(world: World, line: Line) -> None:
    """Somebody recorded a consent by hand."""

    def record(tx: Tx, rt: Setup, now: datetime) -> None:
        record_consent(
            tx,
            rt,
            phone=line["phone"],
            purpose=line["purpose"],
            granted=line["action"] == "granted",
            method=line["method"],
            wording=line["wording"],
            source=line["source"],
            recorded_by=line["recorded_by"],
            evidence=line["evidence"],
            occurred_at=instant(line["occurred_at"]),
            now=now,
            pending=line["action"] == "pending",
        )
        if asks := line["evidence"].get("asks"):
            bearers = listings.bearers(tx, "phone", line["phone"])
            whose = bearers[0] if len(bearers) == 1 else ""
            told = (line["phone"], asks.split(","), whose, rt.earnest.value, now)
            optin.propose(tx, rt, *told, rt.book.policy.expiries)
        if line["action"] == "revoked" and line["method"] == BY_HAND:
            consents.hold(tx, line["phone"], "", None)  # a person has decided

    world.act(record)


def pause(world: World, line: Line) -> None:
    """Somebody paused a play, or all, or a text."""
    who, why = line["who"], line["why"]
    if name := line.get("template"):
        world.act(lambda tx, rt, now: templates.pause(tx, rt, name, who=who, why=why, now=now))
        return
    play = world.rt.plays.get(line["play"])
    verdict = play.on_pause if play else OnPause.hold
    world.act(
        lambda tx, rt, now: pauses.set_(tx, line["play"], verdict.value, who=who, why=why, at=now)
    )


def resume(world: World, line: Line) -> None:
    """Somebody let it go on."""
    if name := line.get("template"):
        who, why = line["who"], line["why"]
        world.act(lambda tx, rt, now: templates.resume(tx, rt, name, who=who, why=why, now=now))
        return
    if line["play"] == pauses.UNHEARD:
        world.act(hearing.let_go)  # what waited only for that is due
        return
    world.act(lambda tx, rt, now: pauses.lift(tx, line["play"]))


def watch(world: World, line: Line) -> None:
    """The connector found that a text drove people away."""

    def judge(tx: Tx, rt: Setup, now: datetime) -> None:
        own = tx if isinstance(tx, FaithfulTx) else None
        if own is not None:
            own.watched = line["template"]
        templates.watch(tx, rt, now, line["template"])
        if own is not None:
            own.watched = ""

    world.act(judge)


def merge(world: World, line: Line) -> None:
    """Somebody said that two are one."""
    world.act(
        lambda tx, rt, now: merges.merge(
            tx, line["winner"], line["loser"], "", now, merge_id=rt.new_id("mrg")
        )
    )


def split(world: World, line: Line) -> None:
    """Somebody said that two are not one after all."""

    def undo(tx: Tx, rt: Setup, now: datetime) -> None:
        row = tx.one(MERGED, winner=line["winner"], loser=line["loser"])
        if row is not None:
            merges.undo(tx, str(row["id"]), now)

    world.act(undo)


def release(world: World, line: Line) -> None:
    """Somebody has read an unclear reply, and lets texts to the number go on."""
    world.act(lambda tx, rt, now: consents.hold(tx, line["phone"], "", None))


def close(world: World, line: Line) -> None:
    """Somebody closed a conversation."""
    world.act(lambda tx, rt, now: conversations.close(tx, line["phone"], now))


def start(world: World, line: Line) -> None:
    """Somebody started a play by hand; whom these files make nobody known starts nothing."""
    facts: dict[str, Any] = dict(line["facts"])
    who, why = str(facts.pop("who", "")), str(facts.pop("why", ""))
    about = (line["play"], line["contact_id"], facts)
    key = "" if line["key"].startswith("sig_") else line["key"]
    told: dict[str, Any] = {"who": who, "why": why, "key": key}
    with suppress(Unreadable):
        world.act(lambda tx, rt, now: byhand.start(tx, rt, *about, **told, now=now))


def send(world: World, line: Line) -> None:
    """Somebody planned a text by hand; whoever answers a person is talking with them."""
    names = ("id", "cause", "cause_id", "step", "contact_id", "phone", "purpose", "template")
    named = {name: line[name] for name in (*names, "play", "key", "mode", "language", "priority")}
    named["text"] = line.get("text", "")
    due_at, expires_at = instant(line["due_at"]), instant(line["expires_at"])
    plan = sends.Plan(**named, due_at=due_at, expires_at=expires_at)

    def planned(tx: Tx, rt: Setup, now: datetime) -> None:
        if line["cause"] == Cause.hand:
            conversations.open_(tx, line["phone"], line["step"], now)
        sends.plan(tx, plan, now)

    world.act(planned)


TELLERS: Final[Mapping[str, Callable[[World, Line], None]]] = {
    "event": event,
    "reply": reply,
    "receipt": receipt,
    "click": click,
    "crm_change": crm_change,
    "consent": consent,
    "pause": pause,
    "resume": resume,
    "watch": watch,
    "merge": merge,
    "split": split,
    "release": release,
    "close": close,
    "start": start,
    "send": send,
    **NUMBERS,
    **GAP,
}
"""What is done with each kind of input; those of other kinds are told to nobody."""
