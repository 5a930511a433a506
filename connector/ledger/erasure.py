"""Erasure: what a chained row says of a person goes, and the chain holds.

Each erased row is named by an act (``erase``, about ``<table>:<id of the row>``, or
``contact:<id>`` for the facts behind decisions): what went without one is found by
`connector audit verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import takewhile
from typing import Final

from connector import clock
from connector.errors import ConnectorError
from connector.ledger import acts
from connector.ledger.chain import ACTS, Chain
from connector.ledger.store import Tx

ERASE: Final = "erase"  #: the act of taking a row's personal values
CUT: Final = "cut"  #: the act of letting go the oldest rows of a chain
ACTS_ABOUT = "SELECT id FROM acts WHERE about = :about ORDER BY seq"
FACTS_OF = """SELECT f.hash FROM decisions d JOIN facts f ON f.hash = d.facts_hash
    WHERE d.contact_id = :contact"""  # each bears the contact's id, so it is nobody else's
OLDEST = "SELECT id, seq, hash, {time} AS at FROM {table} ORDER BY seq LIMIT :limit"


def erase(
    tx: Tx,
    chain: Chain,
    ids: Iterable[str],
    *,
    who: str,
    why: str,
    at: datetime,
    new_id: Callable[[str], str],
) -> int:
    """Erase the personal values and the salt of rows by id; how many had any.

    ``why`` must name nobody: it stays. In the caller's transaction, an act for each row.
    """
    blank = ", ".join(f"{name} = '{value}'" for name, value in chain.personal.items())
    sql = f"UPDATE {chain.table} SET {blank}, salt = NULL WHERE id = :id AND salt IS NOT NULL"  # noqa: S608
    count = 0
    for row_id in ids:
        if tx.run(sql, id=row_id):
            about = f"{chain.table}:{row_id}"
            acts.add(tx, new_id("act"), ERASE, about, who=who, at=at, why=why)
            count += 1
    return count


def erase_acts(
    tx: Tx, about: str, *, who: str, why: str, at: datetime, new_id: Callable[[str], str]
) -> int:
    """Erase what the acts about a thing, such as ``number:+1…``, are about and why; how many.

    What was done, when and by whom stays.
    """
    ids = [str(row["id"]) for row in tx.all(ACTS_ABOUT, about=about)]
    return erase(tx, ACTS, ids, who=who, why=why, at=at, new_id=new_id)


def erase_facts(
    tx: Tx, contact_id: str, *, who: str, why: str, at: datetime, new_id: Callable[[str], str]
) -> int:
    """Delete the facts behind the decisions about a contact; how many went.

    The decisions stay, with their reasons and the hash of what is gone; one act says that it is
    gone on purpose. Contacts merged into this one have decisions of their own: ask for each.
    """
    found = {str(row["hash"]) for row in tx.all(FACTS_OF, contact=contact_id)}
    for fact in found:
        tx.run("DELETE FROM facts WHERE hash = :hash", hash=fact)
    if found:
        about = f"contact:{contact_id}"
        acts.add(tx, new_id("act"), ERASE, about, who=who, at=at, why=why)
    return len(found)


def cut(
    tx: Tx,
    chain: Chain,
    before: datetime,
    *,
    who: str,
    why: str,
    at: datetime,
    new_id: Callable[[str], str],
    limit: int = 5_000,
) -> int:
    """Delete the oldest rows of a chain, all written before an instant; how many went.

    Rows are let go from the first on, up to one that is not as old. The chain then begins after
    them: an act names the last of them by seq and hash, which stands
    before the first that stays. At most ``limit`` go at once; ask again until none does. Acts are
    never cut: they are what proves the cuts.
    """
    if chain.table == "acts":
        raise ConnectorError("acts are never cut off: they prove what was")
    sql = OLDEST.format(time=chain.time, table=chain.table)
    is_old = clock.text(before).__gt__
    old = list(takewhile(lambda row: is_old(row["at"]), tx.all(sql, limit=limit)))
    if not old:
        return 0
    last = old[-1]
    tx.run(f"DELETE FROM {chain.table} WHERE seq <= :seq", seq=last["seq"])  # noqa: S608
    version = f"{last['seq']}:{last['hash']}"
    acts.add(tx, new_id("act"), CUT, chain.table, who=who, at=at, why=why, version=version)
    return len(old)
