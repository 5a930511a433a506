"""Two lives of one shop: the one that was lost after a backup, and the one restored from it.

The provider outlives both and remembers every text and reply, with our reference or without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connector.ledger import restores, snapshot
from connector.ledger.restores import Restored
from connector.ledger.sqlite import SqliteStore
from connector.messages import Accepted, Carried, Message, Reply
from connector.providers import Ability
from connector.steps import fetch, gap, restored
from tests.steps.build import OURS, Carrier, Clock, Shop


@dataclass
class Remembering(Carrier):
    """A provider that can list what it took and what came in."""

    does: frozenset[Ability] = frozenset({Ability.lists_texts, Ability.lists_replies})
    clock: Clock = field(default_factory=Clock)
    references: bool = True
    texts: list[Carried] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    down: Exception | None = None

    def send(self, message: Message) -> Accepted:
        answer = super().send(message)
        self.texts.append(
            Carried(
                self.name,
                answer.provider_id,
                message.to,
                message.text,
                self.clock(),
                message.send_id if self.references else "",
            )
        )
        return answer

    def carried(self, since: datetime) -> Iterator[Carried]:
        if self.down is not None:
            raise self.down
        return (text for text in self.texts if text.at >= since)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        return (reply for reply in self.replies if (reply.occurred_at or since) >= since)

    def heard(self, number: int, text: str, phone: str) -> Reply:
        """A person texts back: the provider knows of it, whoever else does."""
        told = Reply(self.name, f"in-{number}", phone, OURS, text, self.clock())
        self.replies.append(told)
        return told


def open_life(folder: Path, carrier: Remembering, *plays: Any, **changes: Any) -> Shop:
    """A shop on a folder that speaks to the provider."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(folder, *plays, **changes)
    shop.clock = shop.rt.clock = carrier.clock
    shop.carrier = carrier
    shop.rt.providers = {"carrier": carrier}
    return shop


def back_up(shop: Shop, folder: Path) -> datetime:
    """Copy the ledger as it is now; when that was."""
    folder.mkdir(parents=True)
    inbox = folder / "absent"
    with snapshot.standing_still(shop.store, inbox, shop.clock) as (ledger, _, at):
        snapshot.copy(ledger, folder / "ledger.db", lambda *_: None)
    return at


def restore(lost: Shop, folder: Path, backup_at: datetime, *plays: Any, **changes: Any) -> Shop:
    """The shop that begins again from the copy, held."""
    assert isinstance(lost.carrier, Remembering)
    store = SqliteStore(folder / "ledger.db")
    with store.write() as tx:
        mark = Restored(backup_at, lost.clock())
        gap.hold(tx, lost.rt, mark, who="operator:ann", why="test")
    store.close()
    shop = open_life(folder, lost.carrier, *plays, **changes)
    shop._ids, shop._told = lost._ids, lost._told  # ids are never given twice
    with shop.store.read() as tx:
        shop.rt.restored = restores.read(tx)
    return shop


def look(shop: Shop) -> fetch.Fetched | None:
    """Fetch the gap, then settle what is in doubt."""
    found = fetch.fetch(shop.rt)
    restored.settle_all(shop.rt)
    return found


def live_on(shop: Shop, span: timedelta, step: timedelta) -> None:
    """Let time pass in steps, taking what is due, handing it over, and settling doubts."""
    end = shop.clock() + span
    while shop.clock() < end:
        shop.go(step)
        restored.settle_all(shop.rt)
