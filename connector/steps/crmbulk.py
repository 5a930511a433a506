"""Much at once: what a back-fill owes a CRM goes out by the CRM's own way for many changes.

It runs in the process that asked for the back-fill, so that the worker goes on writing what is
news. What is taken is leased as ever, only for longer, so that neither takes what the other has.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from connector.crms import TakesMany
from connector.ledger import claims as taking
from connector.ledger import writebacks
from connector.ledger.claims import Claim
from connector.steps import verdicts
from connector.steps.setup import Setup
from connector.steps.verdicts import Batch
from connector.steps.writeback import look_up

FEWEST: Final = 2_000  #: owed changes below which the usual calls are as quick
MOST: Final = 5_000  #: changes that are taken together
SLICE: Final = 100  #: changes in one transaction, so that no other writer waits long
LEASE: Final = timedelta(minutes=30)  #: longer than the jobs of one batch may take


def run(rt: Setup) -> Generator[int, None, None]:
    """Write what is owed, thousands at a time, while there are so many; how many after each.

    Gives nothing for a CRM that takes no more at once than in its usual calls. It ends where the
    CRM cannot be asked: the worker goes on from there.
    """
    crm = rt.crms[rt.crm]
    while isinstance(crm, TakesMany) and _owed(rt) >= FEWEST:
        batch = Batch(rt.crm, crm, _taken(rt), None, rt.clock())
        if not batch.claims or not look_up(rt, batch):
            return
        try:
            answers = crm.bulk_write(list(batch.changes.values()))
        except Exception as error:  # a door: whatever went wrong, it is asked again later
            verdicts.stopped(rt, batch, error, asked=True)
            return
        batch.answers = {answer.id: answer for answer in answers}
        for some in _slices(batch.claims):
            verdicts.keep(rt, replace(batch, claims=some))
        yield sum(answer.ok for answer in answers)


def _owed(rt: Setup) -> int:
    with rt.store.read() as tx:
        if writebacks.outage(tx, rt.crm):
            return 0
        return writebacks.counts(tx).get(rt.crm, {}).get("owed", 0)


def _taken(rt: Setup) -> list[Claim]:
    """Up to ``MOST`` changes, a few in each transaction."""
    taken: list[Claim] = []
    while len(taken) < MOST:
        with rt.store.write() as tx:
            some = taking.claim(tx, rt.crm, rt.clock(), SLICE, lease=LEASE)
        if not some:
            break
        taken += some
    return taken


def _slices(claims: Sequence[Claim]) -> list[Sequence[Claim]]:
    return [claims[start : start + SLICE] for start in range(0, len(claims), SLICE)]
