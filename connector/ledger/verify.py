"""Verifying: whether every chained row is what it was when it was written, and where it was.

Rows are read in pages, each in a transaction of its own, up to the head that stood when it began:
so memory is bounded, nobody is held up, and what is written meanwhile is not looked at.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from connector.ledger import chain as chains
from connector.ledger.chain import Chain
from connector.ledger.erasure import CUT, ERASE
from connector.ledger.store import Row, Store, Tx

PAGE: Final = 500
ROWS = """SELECT t.* {more} FROM {table} t WHERE t.seq > :after AND t.seq <= :until
    ORDER BY t.seq LIMIT :limit"""
HAS_FACTS: Final = ", EXISTS (SELECT 1 FROM facts f WHERE f.hash = t.facts_hash) AS has_facts"
COUNT = "SELECT count(*) AS n FROM {table}"
OUTSIDE = """SELECT id, seq FROM {table}
    WHERE seq IS NULL OR seq <= :first OR seq > :last ORDER BY seq LIMIT 1"""
TWICE = """SELECT max(id) AS id, seq FROM {table} GROUP BY seq HAVING count(*) > 1
    ORDER BY seq LIMIT 1"""
AT = "SELECT id, seq, hash FROM {table} WHERE seq = :seq"
ACT = "SELECT 1 FROM acts WHERE about = :about AND act = :act LIMIT 1"
NEWEST_CUT = """SELECT version FROM acts WHERE about = :table AND act = :act
    ORDER BY seq DESC LIMIT 1"""
FACTS = "SELECT hash, body FROM facts WHERE hash > :after ORDER BY hash LIMIT :limit"

Tick = Callable[[int], None]
"""Told how many rows more have been looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written.

    ``kind``: ``altered``, ``missing``, ``reordered``, ``added``, ``erased`` (without an act that
    says so), ``rewritten`` (against an anchor) or ``unreadable``.
    """

    kind: str
    table: str
    id: str  #: "" where there is no such row any more
    seq: int | None
    says: str

    def told(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(slots=True)
class Walked:
    """How far a chain holds: up to ``seq``, whose hash is ``hash``, from after ``first``."""

    table: str
    first: int
    seq: int
    hash: str
    erased: int = 0
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class _Bounds:
    first: int  #: the seq before the first row
    before: str  #: its hash
    last: int
    hash: str
    outside: Finding | None = None


def walk(store: Store, chain: Chain, tick: Tick = lambda _: None) -> Walked:
    """Walk a chain from its beginning to its head, up to the first row that is not right."""
    with store.read() as tx:
        bounds = _bounds(tx, chain)
        if isinstance(bounds, Finding):
            return Walked(chain.table, 0, 0, "", finding=bounds)
    walked = Walked(chain.table, bounds.first, bounds.first, bounds.before)
    for tx, row in _rows(store, chain, bounds, walked):
        walked.finding = _wrong(tx, chain, walked, row)
        if walked.finding is not None:
            if walked.finding.kind == "altered":
                walked.finding = _moved(store, chain, walked, row, bounds) or walked.finding
            return walked
        if chain.personal and row["salt"] is None:
            walked.erased += 1
        walked.seq, walked.hash = row["seq"], row["hash"]
        tick(1)
    walked.finding = walked.finding or _end(chain, walked, bounds)
    return walked


def facts(store: Store, tick: Tick = lambda _: None) -> tuple[int, Finding | None]:
    """Compute the hash of all that decisions saw; how many there are, and the first fault."""
    after, count, limit = "", 0, PAGE
    while True:
        with store.read() as tx:
            try:
                page = tx.all(FACTS, after=after, limit=limit)
            except sqlite3.Error as error:
                if limit == 1:
                    says = f"what follows {after or 'the beginning'} cannot be read: {error}"
                    return count, Finding("unreadable", "facts", "", None, says)
                limit = 1
                continue
        for row in page:
            if _facts_hash(row["body"]) != row["hash"]:
                says = "what a decision saw is not what it was when it was decided"
                return count, Finding("altered", "facts", str(row["hash"]), None, says)
            count += 1
        tick(len(page))
        if not page:
            return count, None
        after = page[-1]["hash"]


def against(
    store: Store, walked: Walked, known: Iterable[tuple[int, str]]
) -> tuple[int, Finding | None]:
    """Compare a chain with the hashes that anchors know at some seqs, in any order.

    How many agree before the first that does not. The finding names the first row that may have
    been written anew: the one after the last that an anchor still proves.
    """
    agree, proven = 0, walked.first
    for seq, digest in sorted(known):
        if seq <= walked.first:  # taken of an empty chain, or of rows let go since by an act
            continue
        with store.read() as tx:
            row = tx.one(AT.format(table=walked.table), seq=seq)
            first = tx.one(AT.format(table=walked.table), seq=proven + 1)
        row_id = str(first["id"]) if first else ""
        if row is None and not first:
            says = f"an anchor knows seq {seq}, and the chain ends before it"
            return agree, Finding("missing", walked.table, "", proven + 1, says)
        if row is None or row["hash"] != digest:
            says = f"it, or a row after it up to seq {seq}, is not what an anchor was taken of"
            return agree, Finding("rewritten", walked.table, row_id, proven + 1, says)
        agree, proven = agree + 1, seq
    return agree, None


def length(store: Store) -> int:
    """About how many rows there are to look at."""
    with store.read() as tx:
        rows = sum(int(row["seq"]) for row in chains.heads(tx).values())
        counted = tx.one(COUNT.format(table="facts"))
    return rows + int(counted["n"] if counted else 0)


def _bounds(tx: Tx, chain: Chain) -> _Bounds | Finding:
    head = chains.heads(tx).get(chain.table)
    if head is None:
        return Finding("missing", "chains", chain.table, None, "the chain's head is gone")
    cut = tx.one(NEWEST_CUT, table=chain.table, act=CUT)
    first, _, before = str(cut["version"]).partition(":") if cut else ("0", "", "")
    try:
        bounds = _Bounds(int(first), before, int(head["seq"]), str(head["hash"]))
    except ValueError:
        return Finding("altered", "chains", chain.table, None, "the head is no number")
    return replace(bounds, outside=_outside(tx, chain, bounds))


def _outside(tx: Tx, chain: Chain, bounds: _Bounds) -> Finding | None:
    """A row that a walk along the seqs would never meet."""
    counted = tx.one(COUNT.format(table=chain.table))
    if counted is None or counted["n"] == bounds.last - bounds.first:
        return None
    found = tx.one(OUTSIDE.format(table=chain.table), first=bounds.first, last=bounds.last)
    found = found or tx.one(TWICE.format(table=chain.table))
    if found is None:
        return None
    return _finding("added", chain, str(found["id"]), found["seq"], "it stands outside the chain")


def _rows(store: Store, chain: Chain, bounds: _Bounds, walked: Walked) -> Iterator[tuple[Tx, Row]]:
    """Every row with an open transaction; ``walked`` is where the caller has come to."""
    sql = ROWS.format(table=chain.table, more=HAS_FACTS if chain is chains.DECISIONS else "")
    limit = PAGE
    while walked.seq < bounds.last:
        with store.read() as tx:
            try:
                page = tx.all(sql, after=walked.seq, until=bounds.last, limit=limit)
            except sqlite3.Error as error:  # a value that is no text, or a page that is damaged
                if limit == 1:
                    says = f"the row cannot be read: {error}"
                    walked.finding = _finding("unreadable", chain, "", walked.seq + 1, says)
                    return
                limit = 1
                continue
            for row in page:
                yield tx, row
        if not page:
            return


def _wrong(tx: Tx, chain: Chain, walked: Walked, row: Row) -> Finding | None:
    """What is wrong with a row that stands after where the walk has come to."""
    expected = walked.seq + 1
    row_id, seq = str(row["id"]), row["seq"]
    if seq != expected:
        if not isinstance(seq, int) or seq < expected:
            return _finding("added", chain, row_id, seq, "another row has the same seq")
        gone = f"seq {expected}" if seq == expected + 1 else f"seq {expected} to {seq - 1}"
        return _finding("missing", chain, "", expected, f"{gone} is gone; {row_id} follows")
    try:
        if chains.digest(walked.hash, chain, row) != row["hash"]:
            return _finding("altered", chain, row_id, seq, "its values are not those hashed")
        if chain.personal and row["salt"] is not None:
            if chains.seal(row["salt"], chain, row) != row["sealed"]:
                says = "its personal values are not those sealed"
                return _finding("altered", chain, row_id, seq, says)
        elif chain.personal:
            return _erased(tx, chain, row)
    except (TypeError, ValueError):
        return _finding("altered", chain, row_id, seq, "it holds what is no text of ours")
    if chain is chains.DECISIONS and not row["has_facts"]:
        return _without_facts(tx, row)
    return None


def _erased(tx: Tx, chain: Chain, row: Row) -> Finding | None:
    """Whether a row without its salt was erased wholly, and by an act."""
    row_id, seq = str(row["id"]), row["seq"]
    if any(row[name] != blank for name, blank in chain.personal.items()):
        says = "it was erased, and holds personal values that nothing proves"
        return _finding("altered", chain, row_id, seq, says)
    if tx.one(ACT, about=f"{chain.table}:{row_id}", act=ERASE) is None:
        says = "its personal values are gone, and no act says who erased them"
        return _finding("erased", chain, row_id, seq, says)
    return None


def _without_facts(tx: Tx, row: Row) -> Finding | None:
    if tx.one(ACT, about=f"contact:{row['contact_id']}", act=ERASE) is not None:
        return None
    says = f"what {row['id']} saw is gone, and no act says who erased it"
    return Finding("missing", "facts", str(row["facts_hash"]), row["seq"], says)


def _moved(store: Store, chain: Chain, walked: Walked, row: Row, bounds: _Bounds) -> Finding | None:
    """Whether a row that is not the next is another of the chain, whose place was taken."""
    at = Walked(chain.table, walked.first, walked.seq, walked.hash)
    for _, other in _rows(store, chain, bounds, at):
        at.seq = other["seq"]
        if other["id"] == row["id"]:
            continue
        try:
            found = chains.digest(walked.hash, chain, other)
        except (TypeError, ValueError):
            continue
        if found in (other["hash"], row["hash"]):
            says = f"it stands where {other['id']} belongs, which is at seq {other['seq']}"
            return _finding("reordered", chain, str(row["id"]), row["seq"], says)
    return None


def _end(chain: Chain, walked: Walked, bounds: _Bounds) -> Finding | None:
    """Whether the chain ends where its head says, and nothing stands outside it."""
    if walked.seq < bounds.last:
        says = f"the last {bounds.last - walked.seq} are gone: the head knows seq {bounds.last}"
        return _finding("missing", chain, "", walked.seq + 1, says)
    if bounds.outside is not None:
        return bounds.outside
    if walked.hash != bounds.hash:
        return Finding("altered", "chains", chain.table, None, "it is not the last row's hash")
    return None


def _finding(kind: str, chain: Chain, row_id: str, seq: int | None, says: str) -> Finding:
    return Finding(kind, chain.table, row_id, seq, says)


def _facts_hash(body: object) -> str:
    return hashlib.sha256(str(body).encode()).hexdigest()[:32]
