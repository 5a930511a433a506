"""A person's word: asked for by an alarm, while there are texts of which nobody else can tell."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connector.ledger import alarms, doubts
from connector.ledger.store import Tx
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

KIND: Final = "text_in_doubt"
SAYS: Final = (
    "There are texts of which only a person can tell whether they went: "
    "see `connector sends --doubtful`."
)


def ask_for(tx: Tx, rt: Setup, now: datetime) -> None:
    """Only a person can tell whether a text went."""
    alarm(tx, rt, KIND, SAYS, now)


def all_clear(tx: Tx, now: datetime) -> None:
    """A doubt is settled: where no other waits for a person, nobody need be told any more."""
    if not doubts.any_for_a_person(tx):
        alarms.clear(tx, KIND, "", now)
