"""Anchoring: the heads of the chains are told where this ledger's owner cannot quietly reach."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.errors import NoticeFailed
from connector.ledger import acts, chain, cursors
from connector.ledger.store import Store, Tx
from connector.notices import Anchors, send_email, send_webhook
from connector.rules import anchors as rule
from connector.rules.anchors import Anchor

ACT: Final = "anchor"  #: its version bears the heads, so that the chain of acts proves the others
ABOUT: Final = "ledger"
LEDGER: Final = "ledger"  #: the cursor with the ledger's own id
NEXT: Final = "anchor"  #: the cursor with when the worker anchors next
TAKEN = "SELECT at, version FROM acts WHERE about = :about AND act = :act ORDER BY seq"
EVERY: Final = timedelta(days=1)
AGAIN: Final = timedelta(hours=1)  #: after a place that did not take it


def take(
    store: Store, new_id: Callable[[str], str], *, who: str, why: str, now: datetime
) -> Anchor:
    """The heads as they are, with an act that tells of it and is the newest in them."""
    with store.write() as tx:
        others = {name: head for name, head in _heads(tx).items() if name != chain.ACTS.table}
        version = rule.packed(others)
        acts.add(tx, new_id("act"), ACT, ABOUT, who=who, why=why, at=now, version=version)
        return Anchor(clock.text(now), identity(tx, new_id), _heads(tx))


def identity(tx: Tx, new_id: Callable[[str], str]) -> str:
    """The ledger's own id, made once, so that nobody takes another's anchor for this one's."""
    name = known(tx)
    if not name:
        name = new_id("led")
        cursors.set_(tx, LEDGER, name)
    return name


def known(tx: Tx) -> str:
    """The ledger's own id; "" while none was taken."""
    return cursors.get(tx, LEDGER)


def tell(places: Anchors, anchor: Anchor, brand: str, now: datetime) -> tuple[list[str], list[str]]:
    """Write an anchor to every place: (those that took it, what went wrong with the others)."""
    acts_by_place: dict[str, Callable[[], None]] = {}
    if places.file is not None:
        acts_by_place["file"] = lambda: _append(places, anchor)
    if places.webhook:
        told = {**rule.told(anchor), "text": rule.line(anchor)}  # "text" is what a chat shows
        acts_by_place["webhook"] = lambda: send_webhook(places.webhook, told)
    if places.emails and places.mail is not None:
        mail, letter = places.mail, rule.letter(anchor)
        subject = rule.subject(brand, now)
        acts_by_place["email"] = lambda: send_email(mail, places.emails, subject, letter, at=now)
    taken, faults = [], []
    for place, act in acts_by_place.items():
        try:
            act()
            taken.append(place)
        except NoticeFailed as error:
            faults.append(f"{place}: {error}")
        except OSError as error:
            faults.append(f"{place}: {places.file} cannot be written: {error.strerror}")
    return taken, faults


def is_due(store: Store, now: datetime) -> bool:
    """Whether a day has passed since the worker last anchored, or an hour since it failed."""
    with store.read() as tx:
        due = cursors.get(tx, NEXT)
    return due <= clock.text(now)


def note(tx: Tx, now: datetime, *, done: bool) -> None:
    """Set when the worker anchors next."""
    cursors.set_(tx, NEXT, clock.text(now + (EVERY if done else AGAIN)))


def noted(tx: Tx) -> list[Anchor]:
    """What the ledger itself tells of its anchors: the heads that stood when each was taken."""
    return [
        Anchor(str(row["at"]), "", rule.heads_in(str(row["version"])))
        for row in tx.all(TAKEN, about=ABOUT, act=ACT)
    ]


def _heads(tx: Tx) -> dict[str, tuple[int, str]]:
    return {name: (int(row["seq"]), str(row["hash"])) for name, row in chain.heads(tx).items()}


def _append(places: Anchors, anchor: Anchor) -> None:
    """Add a line to the file, on disk when this returns."""
    if places.file is None:
        return
    places.file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(places.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, f"{rule.line(anchor)}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)
