"""Writing to the ledger from the web: the few acts that are in effect when they are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from connector.ledger import acts, forgotten
from connector.ledger.store import Tx
from connector.steps import holds
from connector.web.answers import Answer, problem, told
from connector.web.wiring import WebRuntime

PATIENCE: Final = 3.0  #: seconds that the ledger's turn is waited for
STILL_WITHIN: Final = 2.0  #: seconds that a call which had begun is waited for
REQUEST: Final = "request"  #: the act that remembers a caller's own id

Did = dict[str, Any]


def write(
    rt: WebRuntime,
    who: str,
    request_id: str,
    what: str,
    act: Callable[[Tx], Did],
    *,
    play: str = "",
    phone: str = "",
) -> Answer:
    """Do something in one transaction and answer once nothing of it can leave any more.

    ``what`` names it; the same ``request_id`` again does nothing, and for something else is
    refused. ``play`` and ``phone`` tell what is stopped by it ("" for nothing): a call to the
    provider that had begun is waited for, and ``under_way`` tells whether one still was.

    Raises ``LedgerBusy`` or ``StorageRefused``; nothing was done then.
    """
    with rt.store.write(PATIENCE) as tx:
        before = _before(tx, who, request_id)
        mark = _mark(tx, what) if request_id else ""
        if before and before != mark:
            return problem(409, "id_used", "this id was used for another request; choose a new one")
        did: Did = {"repeated": True} if before else {"repeated": False, **act(tx)}
        if request_id and not before:
            _remember(tx, rt, who, request_id, mark)
    rt.wake()
    if play or phone:
        about = "" if play == "*" else play
        left = holds.await_stillness(
            rt.store, STILL_WITHIN, play=about, phone=phone, idle=rt.is_idle
        )
        did["under_way"] = left
    return told(did)


def _mark(tx: Tx, what: str) -> str:
    """A keyed digest: what is asked may name a number, which nobody is to find by trying them."""
    return forgotten.digest(what, "request", forgotten.key(tx, make=True))


def _before(tx: Tx, who: str, request_id: str) -> str:
    found = acts.last(tx, _about(who, request_id), REQUEST) if request_id else None
    return str(found["why"]) if found else ""


def _remember(tx: Tx, rt: WebRuntime, who: str, request_id: str, mark: str) -> None:
    about = _about(who, request_id)
    acts.add(tx, rt.new_id("act"), REQUEST, about, who=who, at=rt.clock(), why=mark)


def _about(who: str, request_id: str) -> str:
    return f"request:{who}:{request_id}"
