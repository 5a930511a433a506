"""Totals: what came of a simulation, counted by play, by reason, by cap and by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from connector.clock import instant
from connector.simulate.scratch import ScratchTx

BY_PLAY: Final = """SELECT play, count(*) AS texts, count(DISTINCT contact_id) AS people,
        sum(coalesce(segments, 1)) AS segments, sum(cost_micros) AS cost,
        sum(CASE WHEN cost_micros IS NULL THEN coalesce(segments, 1) ELSE 0 END) AS unpriced
    FROM sends WHERE accepted_at IS NOT NULL AND cause = 'play' AND accepted_at >= :since
    GROUP BY play"""
WALKED: Final = """SELECT play, count(*) AS n,
        sum(CASE WHEN goal_kind = 'converted' THEN 1 ELSE 0 END) AS goals
    FROM enrolments WHERE opened_at >= :since GROUP BY play"""
DECISIONS: Final = """SELECT play, contact_id, moment, verdict, reason, objections, repeats
    FROM decided WHERE verdict <> 'send' AND last_at >= :since"""
OWED: Final = """SELECT kind, key FROM writebacks WHERE kind <> 'activity' AND kind <> 'fields'
    AND key NOT LIKE 'task:reply:%' AND owed_at >= :since"""
WALKER: Final = "SELECT play FROM enrolments WHERE id = :id"
TEXTS: Final = """SELECT accepted_at AS at, coalesce(segments, 1) AS segments FROM sends
    WHERE accepted_at IS NOT NULL AND accepted_at >= :since ORDER BY accepted_at, id"""
PRICE: Final = """SELECT CAST(sum(cost_micros) AS REAL) / sum(segments) AS each,
        max(currency) AS currency
    FROM sends WHERE accepted_at IS NOT NULL AND cost_micros > 0 AND segments > 0"""


@dataclass(slots=True)
class OfPlay:
    """What came of one play."""

    play: str
    started: int = 0
    texts: int = 0
    people: int = 0
    segments: int = 0
    cost_micros: int | None = None  #: None where no price is known
    goals: int = 0
    tasks: int = 0
    webhooks: int = 0
    not_started: Counter[str] = field(default_factory=Counter)  #: by reason
    held: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Totals:
    """What came of it all."""

    plays: list[OfPlay]
    caps: Counter[str]  #: by name: how often a text waited for it
    days: dict[str, tuple[int, int]]  #: local day → texts, segments
    reached: dict[str, str]  #: local day → the instant at which the daily limit was reached
    currency: str = ""

    @property
    def texts(self) -> int:
        """Texts of plays that left."""
        return sum(play.texts for play in self.plays)

    @property
    def segments(self) -> int:
        """Their segments."""
        return sum(play.segments for play in self.plays)

    @property
    def cost_micros(self) -> int | None:
        """What they cost; None where no price is known."""
        known = [play.cost_micros for play in self.plays if play.cost_micros is not None]
        return sum(known) if known else None


def totals(
    tx: ScratchTx, zone: str, *, since: str = "", daily_limit: int = 0, price_micros: int = 0
) -> Totals:
    """Count what a world's ledger holds. ``price_micros``: of a segment that has no price."""
    found: dict[str, OfPlay] = {}

    def of(play: str) -> OfPlay:
        return found.setdefault(play, OfPlay(play))

    each, currency = _price(tx, price_micros)
    for row in tx.all(BY_PLAY, since=since):
        item = of(row["play"])
        item.texts, item.people, item.segments = row["texts"], row["people"], row["segments"]
        if row["cost"] is not None or each:
            item.cost_micros = int((row["cost"] or 0) + row["unpriced"] * each)
    for row in tx.all(WALKED, since=since):
        of(row["play"]).started, of(row["play"]).goals = row["n"], row["goals"]
    caps = _reasons(tx, since, found)
    for row in tx.each(OWED, since=since):
        walker = tx.one(WALKER, id=str(row["key"]).split(":")[1])
        item = of(str(walker["play"]) if walker else "")
        if row["kind"] == "task":
            item.tasks += 1
        else:
            item.webhooks += 1
    days, reached = _days(tx, zone, since, daily_limit)
    plays = sorted((item for item in found.values() if item.play), key=lambda item: item.play)
    return Totals(plays, caps, days, reached, currency)


def _price(tx: ScratchTx, price_micros: int) -> tuple[float, str]:
    """What a segment costs where its text has no price: as told, else as the others did."""
    row = tx.one(PRICE)
    known = row["each"] if row and row["each"] else 0.0
    return float(price_micros or known), str(row["currency"] or "") if row else ""


def _reasons(tx: ScratchTx, since: str, found: dict[str, OfPlay]) -> Counter[str]:
    caps: Counter[str] = Counter()
    for row in tx.each(DECISIONS, since=since):
        item = found.setdefault(row["play"], OfPlay(row["play"]))
        kind = "held" if row["verdict"] == "wait" else "stopped"
        counter = item.not_started if row["moment"] == "trigger" else getattr(item, kind)
        counter[row["reason"]] += 1
        for objection in _objections(row["objections"]):
            if objection["reason"] == "cap_full":
                caps[str(objection["says"]).partition(":")[0]] += 1
    return caps


def _objections(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(text)
    return found


def _days(
    tx: ScratchTx, zone: str, since: str, daily_limit: int
) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    days: dict[str, tuple[int, int]] = {}
    reached: dict[str, str] = {}
    for at, segments in _left(tx, since):
        day = f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d}"
        texts, before = days.get(day, (0, 0))
        days[day] = texts + 1, before + segments
        if daily_limit and before < daily_limit <= before + segments:
            reached[day] = f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
    return days, reached


def _left(tx: ScratchTx, since: str) -> Iterator[tuple[datetime, int]]:
    for row in tx.each(TEXTS, since=since):
        yield instant(row["at"]), int(row["segments"])


def as_json(found: Totals) -> dict[str, Any]:
    """The totals as plain values."""
    return {
        "texts": found.texts,
        "segments": found.segments,
        "cost_micros": found.cost_micros,
        "currency": found.currency,
        "plays": [_play(item) for item in found.plays],
        "caps": dict(found.caps),
        "days": {
            day: {"texts": texts, "segments": segments}
            for day, (texts, segments) in found.days.items()
        },
        "daily_limit_reached": found.reached,
    }


def _play(item: OfPlay) -> dict[str, Any]:
    names = ("play", "started", "texts", "people", "segments", "cost_micros", "goals")
    return {
        **{name: getattr(item, name) for name in (*names, "tasks", "webhooks")},
        **{name: dict(getattr(item, name)) for name in ("not_started", "held", "stopped")},
    }
