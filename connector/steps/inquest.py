"""An inquest into one text in doubt: what a look or a person told is judged, and acted upon."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from connector import clock
from connector.ledger import cursors, doubts, pauses, sends
from connector.ledger.store import Row, Tx
from connector.messages import Accepted, Carried, Found, Receipt
from connector.model import Purpose, Status
from connector.providers import Ability
from connector.rules import doubts as rule
from connector.rules.doubts import Doubt, Fate, Look, Ruling
from connector.steps import outcome, person, settling
from connector.steps.setup import Setup

log = logging.getLogger("connector")

WHO: Final = "connector"
MOST_IDS: Final = 5  #: of what fits, kept as evidence


def begin(tx: Tx, rt: Setup, send_id: str, now: datetime) -> bool:
    """Open a doubt: the text is looked up from a minute on."""
    send = sends.get(tx, send_id)
    if send is None:
        return False
    doubts.open_(tx, send_id, now, rule.first_look(doubt_of(rt, send, now, codes=())))
    return True


def doubt_of(rt: Setup, send: Row, since: datetime, codes: Iterable[str]) -> Doubt:
    """A text in doubt as the rule sees it."""
    provider = rt.providers.get(str(send["provider"]))
    does = provider.does if provider is not None else frozenset()
    return Doubt(
        since=since,
        begun_at=clock.instant(send["begun_at"] or send["due_at"]),
        marketing=send["purpose"] == Purpose.marketing,
        is_marked=rule.is_marked(str(send["text"]), codes),
        finds=Ability.finds in does,
        by_reference=Ability.finds_by_reference in does,
        repeats=Ability.repeats_safely in does and int(send["attempt"]) == 1,
    )


def hear(
    tx: Tx, rt: Setup, send_id: str, attempt: int, found: Found | None, now: datetime
) -> Fate | None:
    """Keep what a look told (None: there was none to make), and act on what is known now.

    None where the text is in doubt no more, or was handed over again since.
    """
    send, row = sends.get(tx, send_id), doubts.get(tx, send_id)
    if send is None or row is None or row["settled_at"] is not None:
        return None
    if send["state"] != "uncertain" or int(send["attempt"]) != attempt:
        return None
    kept = doubts.evidence(row)
    if found is not None:
        kept.append(_evidence(tx, send, _believed(tx, found), now))
    since = clock.instant(row["since_at"])
    doubt = doubt_of(rt, send, since, doubts.codes(tx, send_id))
    ruling = rule.judge(doubt, _looks(kept, attempt), now)
    _note(tx, row, ruling, kept, looked=found is not None)
    _act(tx, rt, send, ruling, found, now)
    log.info("act=reconcile send=%s result=%s", send_id, ruling.fate.value)
    return ruling.fate


def _believed(tx: Tx, found: Found) -> Found:
    """Providers list by time: while this machine's clock is wrong, what they do not list may be
    there all the same."""
    if found.taken is False and pauses.is_clock_off(tx):
        return replace(found, taken=None)
    return found


def _evidence(tx: Tx, send: Row, found: Found, now: datetime) -> dict[str, Any]:
    """What a look told, without a number or a word of a text."""
    ids = [each.provider_id for each in found.fits] or [found.provider_id]
    ids = list(dict.fromkeys(each for each in ids if each))
    provider, send_id = str(send["provider"]), str(send["id"])
    free = [each for each in ids if not doubts.is_bound(tx, provider, each, send_id)]
    return {
        "at": clock.text(now),
        "attempt": int(send["attempt"]),
        "taken": found.taken,
        "by_reference": found.by_reference,
        "fits": free[:MOST_IDS],
        "others": len(ids) - len(free),
    }


def _looks(kept: Sequence[dict[str, Any]], attempt: int) -> list[Look]:
    """The looks into this doubt; those into an earlier try of the same text say nothing of it."""
    return [
        Look(
            clock.instant(each["at"]),
            each["taken"],
            bool(each["by_reference"]),
            tuple(each["fits"]),
            int(each["others"]),
        )
        for each in kept
        if each["attempt"] == attempt
    ]


def _note(tx: Tx, row: Row, ruling: Ruling, kept: list[dict[str, Any]], *, looked: bool) -> None:
    doubts.note(
        tx,
        str(row["send_id"]),
        looks=int(row["looks"]) + int(looked),
        look_at=ruling.look_at,
        verdict="" if ruling.fate is Fate.again else ruling.fate.value,
        why=ruling.why,
        found=kept,
    )


def _act(tx: Tx, rt: Setup, send: Row, ruling: Ruling, found: Found | None, now: datetime) -> None:
    if ruling.fate is Fate.again:
        return
    cursors.count(tx, f"doubt_{ruling.fate.value}")
    if ruling.fate is Fate.sent and found is not None:
        _went(tx, rt, send, ruling, found, now)
    elif ruling.fate is Fate.not_sent:
        settling.did_not_go(tx, rt, send, now, who=WHO, why=ruling.why)
    elif ruling.fate is Fate.repeat:
        settling.may_repeat(tx, rt, send, now, who=WHO, why=ruling.why)
    elif ruling.fate is Fate.person:
        person.ask_for(tx, rt, now)


def by_hand(
    tx: Tx,
    rt: Setup,
    send_id: str,
    *,
    went: bool,
    who: str,
    why: str,
    now: datetime,
    provider_id: str = "",
) -> None:
    """Take a doubtful text for gone, or plan it again; the gate then decides afresh.

    Raises ``LookupError`` where there is no such doubtful text (somebody may have settled it
    meanwhile), ``ValueError`` where the provider's id is another text's already.
    """
    row = sends.get(tx, send_id)
    if row is None or row["state"] != "uncertain":
        stands = f" (it is {row['state']})" if row is not None else ""
        raise LookupError(
            f"there is no doubtful text {send_id}{stands}; see `connector sends --doubtful`"
        )
    if provider_id and doubts.is_bound(tx, str(row["provider"]), provider_id, send_id):
        raise ValueError(f"{provider_id} is another text's already; see `connector sends`")
    if not went:
        settling.did_not_go(tx, rt, row, now, who=who, why=why)
        return
    at = clock.instant(row["begun_at"] or row["due_at"])
    answer = Accepted(provider_id or str(row["provider_id"] or ""), None)
    settling.took_it(tx, rt, row, answer, at, now, who=who, why=why)
    if provider_id:
        _claim(tx, rt, row, provider_id, now)


def _went(tx: Tx, rt: Setup, send: Row, ruling: Ruling, found: Found, now: datetime) -> None:
    """It went: its play goes on, and what was heard of it under the provider's id is its own."""
    begun_at = clock.instant(send["begun_at"] or send["due_at"])
    listed = next((each for each in found.fits if each.provider_id == ruling.provider_id), None)
    answer = Accepted(ruling.provider_id)
    if listed is not None:
        answer = Accepted(ruling.provider_id, listed.segments, listed.cost_micros, listed.currency)
    settling.took_it(tx, rt, send, answer, begun_at, now, who=WHO, why=ruling.why)
    _claim(tx, rt, send, ruling.provider_id, now)
    if listed is not None and listed.status not in (Status.accepted, Status.unknown):
        outcome.receipt(tx, rt, _listed(listed, str(send["provider"]), str(send["id"])), now)


def _claim(tx: Tx, rt: Setup, send: Row, provider_id: str, now: datetime) -> None:
    """A provider's id turns out to be a text's: what was heard under it before counts now."""
    send_id = str(send["id"])
    for row in doubts.unclaimed(tx, str(send["provider"]), provider_id):
        doubts.claim_heard(tx, str(row["id"]), send_id)
        outcome.heed(tx, rt, send_id, _heard(row, send_id), now)


def _heard(row: Row, send_id: str) -> Receipt:
    """A callback that was kept before anybody knew whose it is, told again as its own."""
    return Receipt(
        provider=str(row["provider"]),
        provider_id=str(row["provider_id"]),
        status=Status(row["status"]),
        raw_status=str(row["raw_status"]),
        error_code=str(row["error_code"]),
        reason=str(row["reason"]),
        stamp=str(row["stamp"]),
        send_id=send_id,
    )


def _listed(told: Carried, provider: str, send_id: str) -> Receipt:
    return Receipt(
        provider=provider,
        provider_id=told.provider_id,
        status=told.status,
        raw_status=told.raw_status,
        error_code=told.error_code,
        reason=told.reason,
        stamp="listed",
        send_id=send_id,
        segments=told.segments,
        cost_micros=told.cost_micros,
        currency=told.currency,
    )
