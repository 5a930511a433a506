"""After a restore: what was due in the gap is never sent blindly.

Between the backup and its restoring another connector lived, and texted. Of what it did, only the
provider and the CRM still know. Until they were asked (``steps/fetch``), or a person answered for
it, nothing leaves and no enrolment walks; what was due by then is in doubt, whenever it is met
(``steps/gap``), and settled here.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime

from connector import clock
from connector.ledger import restores, sends
from connector.ledger.restores import Restored
from connector.ledger.store import Row, Tx
from connector.messages import Accepted
from connector.model import Cause
from connector.rules import restored as rule
from connector.rules.restored import Fate, Lost
from connector.steps import answered, owed
from connector.steps.setup import Setup

log = logging.getLogger("connector")

SLICE = 50  #: texts settled in one transaction


def settle_all(rt: Setup) -> int:
    """Say of every doubtful text what became of it, where that is known; how many were settled.

    Only where provider and CRM have told of the gap: a person's word for it does not say which
    texts went.
    """
    if rt.restored is None or rt.restored.fetched_at is None:
        return 0
    return sum(count for fate, count in settled(rt).items() if fate is not Fate.doubtful)


def settled(rt: Setup) -> Counter[Fate]:
    """Settle what is in doubt, a few texts in each transaction."""
    found: Counter[Fate] = Counter()
    after = ""
    while True:
        with rt.store.read() as tx:
            rows = restores.doubted(tx, after, SLICE)
        if not rows:
            return found
        now = rt.clock()
        with rt.store.write() as tx:
            found.update(settle(tx, rt, row, now) for row in rows)
        after = str(rows[-1]["id"])


def settle(tx: Tx, rt: Setup, send: Row, now: datetime) -> Fate:
    """Say what became of a doubtful text, from what the provider told of the gap."""
    known = rt.restored
    if known is None or known.fetched_at is None:
        return Fate.doubtful
    lost = _lost(tx, known, str(send["phone"]))
    due_at = clock.instant(send["due_at"])
    fate, item = rule.fate(rule.wording(str(send["text"])), due_at, lost)
    if item is not None:
        _take(tx, rt, send, item, str(send["text"]), now)
    elif fate is Fate.clear:
        restores.clear(tx, str(send["id"]), now)
    log.info("act=restore send=%s result=%s", send["id"], fate.value)
    return fate


def _lost(tx: Tx, known: Restored, phone: str) -> list[Lost]:
    rows = restores.lost_to(tx, phone, known.backup_at - rule.EARLY)
    return [
        Lost(
            str(row["id"]) if row["cause"] == Cause.lost else "",
            str(row["provider_id"]),
            rule.wording(str(row["text"])),
            clock.instant(row["counts_at"]),
            str(row["provider"]),
        )
        for row in rows
    ]


def _take(tx: Tx, rt: Setup, send: Row, item: Lost, text: str, now: datetime) -> None:
    """The text is the one that was found; found for another already, it counts for both."""
    went(tx, rt, send, Accepted(item.provider_id), item.provider, text, item.at, now)
    if item.send_id:
        restores.take(tx, str(send["id"]), item.provider, text, item.send_id)


def went(
    tx: Tx,
    rt: Setup,
    send: Row,
    answer: Accepted,
    provider: str,
    text: str,
    at: datetime,
    now: datetime,
) -> None:
    """A text of ours went in the gap: its play goes on from the instant at which it did."""
    restores.doubt(tx, str(send["id"]))
    restores.take(tx, str(send["id"]), provider, text)
    fresh = sends.get(tx, str(send["id"]))
    if fresh is None:
        return
    answered.accepted(tx, rt, fresh, answer, at)
    changed = sends.get(tx, str(send["id"]))
    if changed is not None:
        owed.send_changed(tx, rt.crm, changed, now)
