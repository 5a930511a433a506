"""A shop whose CRM holds deals and meetings, and tells what they ever were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector.records import Wanted
from connector.rules.mapping import SourceMapping
from connector.steps.setup import OpenSource
from tests.steps.build import PHONE
from tests.steps.desk import MAPPING, NAMES, STAGES, Desk, OpenShop, open_desk, rule

DEAL = ("stage", "pipeline", "amount", "currency", "won")
MEETING = ("outcome", "starts_at")
WON = {
    "key": "item.id",
    "value": "item.now.amount",
    "currency": "item.now.currency",
    "facts.amount": "item.now.amount",
}
MOVED = {
    "key": "item.id",
    "facts.stage": "item.now.stage",
    "facts.before": "item.was.stage",
    "facts.currency": "item.now.currency",
}
MET = {"key": "item.id", "facts.starts_at": "item.now.starts_at"}


def _met(place: int, signal: str, held: str, **more: Any) -> Any:
    when = f"item.now.outcome == '{held}' and item.was.outcome != '{held}'"
    return rule(place, "meeting", MET, when, signal=signal, **more)


SOURCE = SourceMapping(
    "desk",
    "d2",
    "standard",
    (
        rule(0, "contact", NAMES, signal="crm_contact", stages=STAGES),
        _met(1, "meeting_booked", "SCHEDULED"),
        _met(2, "meeting_held", "COMPLETED", outcome="meeting_held"),
        _met(3, "meeting_missed", "NO_SHOW"),
        _met(4, "meeting_rescheduled", "RESCHEDULED"),
        _met(5, "meeting_cancelled", "CANCELED"),
        rule(6, "meeting_deleted", {"key": "item.id"}, signal="meeting_cancelled"),
        rule(
            *(7, "deal", WON, "item.now.won == 'true' and item.was.won != 'true'"),
            signal="deal_won",
            outcome="converted",
        ),
        rule(8, "deal", MOVED, "item.now.stage != item.was.stage", signal="deal_moved"),
        rule(9, "deal", MOVED, "item.now.currency != item.was.currency", signal="deal_recoined"),
    ),
)
FIELDS = {**MAPPING.wanted.fields, "deal": DEAL, "meeting": MEETING}
WANTED = Wanted(
    fields=FIELDS,
    history={"deal": DEAL, "meeting": MEETING},
    opt_out=MAPPING.wanted.opt_out,
    stage=MAPPING.wanted.stage,
)


def open_saleroom(
    open_shop: OpenShop, *plays: Any, tells: tuple[str, ...] = (*DEAL, *MEETING), **more: Any
) -> Desk:
    """A shop with that CRM, which was never read yet; Ann stands in it as ``7``."""
    shop = open_desk(open_shop, *plays, tells=tells, **more)
    shop.crm.objects = ("contact", "deal", "meeting")
    mapping = replace(MAPPING, source=SOURCE, wanted=WANTED)
    shop.rt.crm_mappings = {"desk": mapping}
    opened = shop.rt.sources["desk"]
    shop.rt.sources = {
        **shop.rt.sources,
        "desk": OpenSource("desk", opened.trust, opened.adapter, SOURCE),
    }
    shop.crm.put("7", phone=PHONE)
    return shop


def signals(shop: Desk, name: str = "") -> list[tuple[str, str, str]]:
    """(name, key, when) of the signals of deals and meetings, in the order they happened."""
    found = shop.rows(
        """SELECT name, key, occurred_at FROM signals WHERE name <> 'crm_contact'
        ORDER BY occurred_at, name, key"""
    )
    return [
        (row["name"], row["key"], row["occurred_at"][5:16])
        for row in found
        if name in ("", row["name"])
    ]


def outcomes(shop: Desk) -> list[tuple[str, str, int | None, str]]:
    """(kind, thing, value in micros, currency) of every outcome."""
    found = shop.rows("SELECT * FROM outcomes ORDER BY occurred_at, kind, thing")
    return [(row["kind"], row["thing"], row["value_micros"], row["currency"]) for row in found]
