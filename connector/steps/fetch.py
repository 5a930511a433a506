"""Fetching what a restored ledger does not remember: texts and replies from the provider, changes
from the CRM.

1. List everything since the backup, before any transaction; where one list cannot be had, stop.
2. Texts: one of ours is accepted as of then; one that nobody knows is kept and counts in caps.
3. Replies, oldest first, through the same door as callbacks: a STOP heard late blocks.
4. Changes in the CRM, as they are read at any time.
5. Settle what is in doubt, and only then lift the kill switch.
Done twice, it is done once: every row has its natural key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from connector import clock
from connector.errors import SendFailed
from connector.ledger import acts, contacts, restores, sends
from connector.ledger.restores import Restored
from connector.ledger.store import Row, Tx
from connector.messages import Accepted, Carried, Receipt
from connector.model import Status
from connector.providers import Ability
from connector.rules import restored as rule
from connector.steps import crmread, outcome
from connector.steps.restored import settled, went
from connector.steps.setup import Setup
from connector.text import count

log = logging.getLogger("connector")

MARGIN: Final = timedelta(minutes=10)  #: before the backup, by a provider's clock beside ours
SLICE: Final = 50  #: in one transaction

T = TypeVar("T")


@dataclass(slots=True)
class Fetched:
    """What came of a fetching."""

    texts: int = 0  #: listed by the provider
    ours: int = 0  #: of them, texts of this ledger that were in doubt
    lost: int = 0  #: of them, texts that nobody remembers
    replies: int = 0
    changes: int = 0  #: in the CRM
    said: int = 0  #: doubtful texts that had gone
    clear: int = 0  #: doubtful texts that had not gone, and are planned again
    doubtful: int = 0  #: that only a person can tell


def fetch(rt: Setup, who: str = "connector") -> Fetched | None:
    """Ask provider and CRM for the gap, and lift the kill switch; None where nothing is held.

    Raises ``SendFailed`` or whatever the CRM raises where one of them cannot tell now; nothing is
    lifted then, and what was taken over so far stays.
    """
    with rt.store.read() as tx:
        known = restores.read(tx)
    if known is None or not known.is_open:
        rt.restored = known
        return None
    since = known.backup_at - MARGIN
    try:
        asked = [rt.providers[name] for name in _senders(rt)]
        texts = [item for provider in asked for item in provider.carried(since)]
        replies = [item for provider in asked for item in provider.inbound(since)]
        replies.sort(key=lambda item: item.occurred_at or since)
        changes = crmread.poll(rt)
    except Exception as error:
        _note_trouble(rt, known, error)
        raise
    found = Fetched(texts=len(texts), replies=len(replies), changes=changes)
    _each(rt, texts, lambda tx, item, now: text(tx, rt, item, found, now))
    _each(rt, replies, lambda tx, item, now: outcome.reply(tx, rt, item, now))
    _end(rt, known, found, who)
    return found


def _senders(rt: Setup) -> list[str]:
    """The providers that texts go by, and those that any has gone by and that can list them."""
    with rt.store.read() as tx:
        once = [name for name in restores.providers(tx) if name in rt.providers]
    lists = (name for name in once if Ability.lists_texts in rt.providers[name].does)
    return list(dict.fromkeys((*rt.carriers, *lists)))


def _each(rt: Setup, items: Sequence[T], act: Callable[[Tx, T, datetime], object]) -> None:
    """Act on all items, a few in each transaction."""
    for begin in range(0, len(items), SLICE):
        now = rt.clock()
        with rt.store.write() as tx:
            for item in items[begin : begin + SLICE]:
                act(tx, item, now)


def text(tx: Tx, rt: Setup, told: Carried, found: Fetched, now: datetime) -> None:
    """One text that the provider took: known, ours and in doubt, or lost."""
    if not restores.is_known(tx, told.provider, told.provider_id):
        ours = _ours(tx, told)
        if ours is not None:
            answer = Accepted(told.provider_id, told.segments, told.cost_micros, told.currency)
            went(tx, rt, ours, answer, told.provider, told.text, told.at, now)
            found.ours += 1
        elif restores.keep(tx, _counted(told), _whose(tx, told.to), rt.new_id("snd")):
            found.lost += 1
    if told.status not in (Status.accepted, Status.unknown):
        outcome.receipt(tx, rt, _receipt(told), now)


def _ours(tx: Tx, told: Carried) -> Row | None:
    """The text of ours that this is: by our reference, else by number, words and time."""
    if told.send_id and (row := sends.get(tx, told.send_id)):
        return row
    words = rule.wording(told.text)
    for row in restores.open_to(tx, told.to):
        begun = clock.instant(row["begun_at"] or row["due_at"])
        if rule.wording(str(row["text"])) == words and told.at >= begun - rule.EARLY:
            return row
    return None


def _counted(told: Carried) -> Carried:
    """With its segments, where the provider does not tell them."""
    return replace(told, segments=told.segments or count(told.text).segments)


def _whose(tx: Tx, phone: str) -> str:
    bearers = contacts.bearers(tx, "phone", phone)
    return bearers[0] if len(bearers) == 1 else ""


def _receipt(told: Carried) -> Receipt:
    return Receipt(
        provider=told.provider,
        provider_id=told.provider_id,
        status=told.status,
        raw_status=told.raw_status,
        error_code=told.error_code,
        reason=told.reason,
        stamp="listed",
        segments=told.segments,
        cost_micros=told.cost_micros,
        currency=told.currency,
    )


def _end(rt: Setup, known: Restored, found: Fetched, who: str) -> None:
    """Settle what is in doubt by what was told, then lift the kill switch."""
    known = replace(known, fetched_at=rt.clock())
    rt.restored = known
    for fate, texts in settled(rt).items():
        setattr(found, fate.value, texts)
    with rt.store.write() as tx:
        now = rt.clock()
        rt.restored = restores.end(tx, known, fetched_at=now)
        why = f"{found.texts} texts and {found.replies} replies were fetched"
        acts.add(tx, rt.new_id("act"), "restore_fetched", "ledger", who=who, at=now, why=why)
    log.info("act=restore result=fetched texts=%d replies=%d", found.texts, found.replies)


def _note_trouble(rt: Setup, known: Restored, error: Exception) -> None:
    """Keep why it failed, for `connector restore status`; never what a stranger wrote."""
    says = str(error) if isinstance(error, SendFailed) else type(error).__name__
    with rt.store.write() as tx:
        restores.mark(tx, replace(known, trouble=says))


def confirm(tx: Tx, known: Restored, *, who: str, why: str, now: datetime, act_id: str) -> None:
    """A person answers for the gap instead of the provider; what is in doubt stays so."""
    restores.end(tx, known, confirmed_at=now)
    acts.add(tx, act_id, "restore_confirmed", "ledger", who=who, at=now, why=why)
