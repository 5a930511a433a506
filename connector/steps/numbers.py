"""Numbers by hand: a person suppresses one, lets it go again, or says that it has a new owner."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Protocol

from connector import clock
from connector.ledger import acts, consents, numbers
from connector.ledger.store import Tx
from connector.steps import consent

UNDONE: Final = "reassign_undone"  #: the act of saying that a number has no new owner after all


class Names(Protocol):
    """What these acts need of a setup."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""


def suppress(
    tx: Tx, rt: Names, phone: str, why: str, scope: str, *, who: str, now: datetime
) -> bool:
    """Keep texts from a number, ``all`` of them or ``marketing``; False where they are kept so."""
    row = consents.number(tx, phone)
    known = (row["suppressed_scope"], row["suppressed_why"]) if row is not None else ("", "")
    if known == (scope, why):
        return False
    numbers.suppress(tx, phone, why, scope, now)
    _act(tx, rt, "suppress", phone, who, f"{scope}: {why}", now)
    return True


def release(tx: Tx, rt: Names, phone: str, why: str, *, who: str, now: datetime) -> bool:
    """Let texts go to a number again; False where no hand had suppressed it."""
    row = consents.number(tx, phone)
    if row is None or not row["suppressed_at"]:
        return False
    numbers.suppress(tx, phone, "", "", None)
    _act(tx, rt, "unsuppress", phone, who, why, now)
    return True


def reassign(
    tx: Tx,
    rt: consent.Names,
    phones: Iterable[tuple[str, datetime]],
    why: str,
    *,
    who: str,
    now: datetime,
    how: str = "",
) -> int:
    """Numbers have new owners since an instant each, or (``how``) were deactivated then; how many
    that was new of. The CRM is owed what is left of their consents."""
    count = 0
    for phone, since in phones:
        if numbers.reassign(tx, phone, since, how):
            mark = f" {how}" if how else ""
            _act(tx, rt, "reassign", phone, who, f"since {_shown(since)}{mark}: {why}", now)
            consent.tell_crm(tx, rt.crm, phone, now)
            count += 1
    return count


def not_reassigned(
    tx: Tx, rt: consent.Names, phone: str, why: str, *, who: str, now: datetime
) -> bool:
    """It was wrong that a number has a new owner; False where nobody had said so."""
    if not numbers.not_reassigned(tx, phone):
        return False
    _act(tx, rt, UNDONE, phone, who, why, now)
    consent.tell_crm(tx, rt.crm, phone, now)
    return True


def undone_at(tx: Tx, phone: str) -> datetime | None:
    """When a person last said that it was wrong that a number has a new owner; None for never."""
    row = acts.last(tx, f"number:{phone}", UNDONE)
    return clock.instant(row["at"]) if row is not None else None


def looked_up(tx: Tx, rt: Names, phone: str, kind: str, *, who: str, now: datetime) -> None:
    """Keep that a person had a number looked up, which costs money and may end its consents."""
    _act(tx, rt, "look_up", phone, who, kind or "unknown", now)


def _shown(since: datetime) -> str:
    """A day as one, and any other instant whole: a replay of the past reads it again."""
    day = since.date().isoformat()
    return day if clock.text(since).endswith("T00:00:00.000000Z") else clock.text(since)


def _act(tx: Tx, rt: Names, act: str, phone: str, who: str, why: str, now: datetime) -> None:
    acts.add(tx, rt.new_id("act"), act, f"number:{phone}", who=who, why=why, at=now)
