"""A way of a few steps, somebody who walks it, and what may happen to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from connector.ledger import files, pauses
from connector.rules.plays import Play, Step
from tests.steps.build import HOUR, NOW, WELCOME, Shop

OpenShop = Callable[..., Shop]
AB = (Step("a", template="a"), Step("b", wait=HOUR, template="b"))
WORDS = {name: f"{{{{ brand }}}}: {name}" for name in ("a", "b", "c", "d")}


def play(*steps: Step, **changes: Any) -> Play:
    return replace(WELCOME, name="way", steps=steps, **changes)


def begun(open_shop: OpenShop, *plays: Play, **changes: Any) -> Shop:
    """Ann, who may be texted, has signed up."""
    shop = open_shop(*plays, texts=WORDS, **changes)
    shop.consent()
    shop.tell("signed_up", key="k")
    return shop


def said(shop: Shop) -> list[str]:
    return [message.text.rpartition(" ")[2] for message in shop.carrier.sent]


def ways(shop: Shop) -> dict[str, tuple[str, str]]:
    """Of each play the state and why it ended."""
    return {row["play"]: (row["state"], row["exit_reason"]) for row in shop.enrolments()}


def pause(shop: Shop, name: str = "way", verdict: str = "hold") -> None:
    with shop.store.write() as tx:
        pauses.set_(tx, name, verdict, who="bea", why="wrong link", at=shop.clock())


def resume(shop: Shop, name: str = "way") -> None:
    with shop.store.write() as tx:
        assert pauses.lift(tx, name)


def change(shop: Shop, **changes: Any) -> None:
    """The play becomes another version; the ledger keeps the one of before."""
    old = shop.rt.plays["way"]
    with shop.store.write() as tx:
        files.keep(tx, [("play", "way", old.version, old.version)], NOW)
    kept = {old.version: old, **getattr(shop, "kept", {})}
    shop.kept = kept  # type: ignore[attr-defined]
    shop.rt.revive = lambda _, content: kept.get(content)
    shop.rt.plays = {**shop.rt.plays, "way": replace(old, **changes)}
    shop.rt.index()
