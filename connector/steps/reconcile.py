"""Reconciling: texts whose fate nobody knows are looked up, never blindly repeated."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.ledger import attempts, doubts, sends, writebacks
from connector.ledger.store import Row, Tx, is_storage, savepoint
from connector.messages import Found, Message
from connector.providers import Ability, Provider
from connector.rules.outages import LOOK_AFTER
from connector.steps import inquest, owed
from connector.steps.setup import Setup

log = logging.getLogger("connector")

SLICE: Final = 50  #: doubts opened, or looked into, in one round
MOST: Final = 500  #: doubts that are due, of which one round thinks
AT_ONCE: Final = 4  #: looks at one provider that may be under way
LEASE: Final = timedelta(minutes=2)
"""After so long without an answer a look is made again; a late answer is heard all the same."""


def after_a_death(rt: Setup) -> int:
    """Mark texts that a dead worker had begun as uncertain; how many there were.

    What it was writing back may be looked up as soon as a call that it had begun has ended.

    Runs once at start, under the folder's lock: no other worker lives, so a text still in
    ``sending`` was handed over, or about to be, when the process died.
    """
    now = rt.clock()
    with rt.store.write() as tx:
        for name, crm in rt.crms.items():
            writebacks.free(tx, name, now, timedelta(0) if crm.echoes else LOOK_AFTER)
        lost = sends.lost(tx)
        for row in lost:
            sends.doubted(tx, str(row["id"]), "worker_died", "")
            attempt = int(row["attempt"])
            attempts.settle(tx, str(row["id"]), attempt, "uncertain", "worker_died", "", now)
            changed = sends.get(tx, str(row["id"]))
            if changed is not None:
                owed.send_changed(tx, rt.crm, changed, now)
    if lost:
        log.warning("act=reconcile uncertain=%d; see `connector sends --doubtful`", len(lost))
    return len(lost)


@dataclass(frozen=True, slots=True)
class Question:
    """A text to be looked up: its provider, what is asked of it, and which attempt it is about."""

    name: str  #: of the provider
    provider: Provider
    message: Message
    since: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider answered; None where it need not be asked."""

    send_id: str
    attempt: int
    found: Found | None


class Reconciler:
    """Looks texts in doubt up when it is time, and settles what their providers tell.

    1. One transaction opens what came to be in doubt, settles every answer that has come, and
       takes the looks in hand that are due, each for a while (a lease).
    2. After its commit each look has a thread of its own, so that one that answers late, or
       never, holds up nothing: no transaction is open, and neither texts nor other providers wait.
    3. An answer settles the text only if it is still in doubt, in the same attempt: a callback, a
       late answer, another worker or a person may have been first.
    """

    def __init__(self, rt: Setup, rung: Callable[[], None] = lambda: None) -> None:
        self._rt = rt
        self._rung = rung  #: called when an answer has come
        self._answers: deque[Told] = deque()
        self._asked: Counter[str] = Counter()  #: by provider: looks under way
        self._lock = threading.Lock()

    def round(self) -> int:
        """Do what is due; how many doubts were opened, settled or looked into."""
        now = self._rt.clock()
        with self._rt.store.read() as tx:
            idle = not (self._answers or doubts.fresh(tx, 1) or doubts.due(tx, now, 1))
        if idle:
            return 0
        answers = [self._answers.popleft() for _ in range(len(self._answers))]
        try:
            with self._rt.store.write() as tx:
                opened = [
                    inquest.begin(tx, self._rt, each, now) for each in doubts.fresh(tx, SLICE)
                ]
                for told in answers:
                    self._hear(tx, told, now)
                questions = self._take(tx, now)
        except BaseException:
            self._answers.extendleft(reversed(answers))
            raise
        for question in questions:
            self._ask(question)
        return len(opened) + len(answers) + len(questions)

    def _hear(self, tx: Tx, told: Told, now: datetime) -> None:
        """Act on an answer; one that cannot be is asked for again when its lease is over."""
        try:
            with savepoint(tx):
                inquest.hear(tx, self._rt, told.send_id, told.attempt, told.found, now)
        except Exception as error:  # a door: one bad doubt must not hold up the rest
            if is_storage(error):
                raise
            log.exception("act=reconcile send=%s result=failed", told.send_id)

    def _take(self, tx: Tx, now: datetime) -> list[Question]:
        """Take the looks in hand that are due, as many as their providers have room for."""
        taken: list[Question] = []
        room = Counter({name: AT_ONCE - self._asked[name] for name in self._rt.providers})
        for row in doubts.due(tx, now, MOST):
            send = sends.get(tx, str(row["send_id"]))
            if send is None or send["state"] != "uncertain":
                doubts.close(tx, str(row["send_id"]), "over", "", now, who="connector")
                continue
            question = self._question(tx, send)
            if question is not None and room[question.name] <= 0:
                continue
            if not doubts.claim(tx, str(send["id"]), str(row["look_at"]), now + LEASE):
                continue
            if question is None:
                self._hear(tx, Told(str(send["id"]), int(send["attempt"]), None), now)
            else:
                room[question.name] -= 1
                taken.append(question)
        return taken

    def _question(self, tx: Tx, send: Row) -> Question | None:
        """What to ask of whom; None where the provider finds nothing, or is no longer here."""
        provider = self._rt.providers.get(str(send["provider"]))
        if provider is None or Ability.finds not in provider.does:
            return None
        tries = doubts.attempts(tx, str(send["id"]))
        message = Message(
            send_id=str(send["id"]),
            to=str(send["phone"]),
            text=str(send["text"]),
            sender=str(tries[-1]["sender"]) if tries else str(send["sender"]),
            purpose=str(send["purpose"]),
        )
        begun_at = clock.instant(send["begun_at"] or send["due_at"])
        return Question(str(send["provider"]), provider, message, begun_at, int(send["attempt"]))

    def _ask(self, question: Question) -> None:
        with self._lock:
            self._asked[question.name] += 1
        threading.Thread(target=self._look, args=(question,), name="look", daemon=True).start()

    def _look(self, question: Question) -> None:
        try:
            found = question.provider.find(question.message, question.since)
        except Exception:  # a door: an adapter's own fault tells nothing of the text
            log.exception("act=reconcile send=%s result=failed", question.message.send_id)
            found = Found(None)
        with self._lock:
            self._asked[question.name] -= 1
        self._answers.append(Told(question.message.send_id, question.attempt, found))
        self._rung()

    @property
    def asking(self) -> int:
        """Looks under way whose answer has not come, and answers that are not settled."""
        return sum(self._asked.values()) + len(self._answers)
