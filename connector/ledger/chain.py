"""The chains: each consent, decision and act is bound to the one before it in its table.

A row's ``hash`` is SHA-256, in hex, over the hash of the row before it (nothing for the first)
followed by the row's values as a JSON array, in the order of ``columns``, without blanks.
Personal values stand in the row beside the chain; in it stands ``sealed``, SHA-256 over the row's
own random ``salt`` followed by those values as a JSON array in the order of ``personal``. Erasing
takes the values and the salt, after which nobody can find out what was sealed, and the chain
holds. The newest seq and hash of each chain, its head, stand in ``chains``, so that rows cut off
at the end are missed too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import orjson

from connector import clock
from connector.ledger.store import Row, Tx

HEAD = "SELECT seq, hash FROM chains WHERE name = :name"
HEADS = "SELECT name, seq, hash FROM chains ORDER BY name"
MOVE = "UPDATE chains SET seq = :seq, hash = :hash WHERE name = :name"


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A chained table. ``seq``, ``hash`` and, with personal values, ``salt`` stand beside these."""

    table: str
    columns: tuple[str, ...]  #: hashed as they are
    time: str  #: the column with the instant at which a row was written
    personal: Mapping[str, str] = field(default_factory=dict)  #: column → what erasing leaves


CONSENTS: Final = Chain(
    "consents",
    (
        *("id", "purpose", "action", "method", "wording_version", "recorded_by", "event_id"),
        *("occurred_at", "recorded_at", "sealed"),
    ),
    "recorded_at",
    {
        **{"phone": "", "wording": "", "source": "", "evidence": "{}"},
        **{"ip": "", "url": "", "user_agent": ""},
    },
)
DECISIONS: Final = Chain(
    "decisions",
    (
        *("id", "moment", "contact_id", "play", "version", "key", "step", "enrolment_id"),
        *("send_id", "event_id", "verdict", "reason", "objections", "until_at"),
        *("policy_version", "facts_hash", "decided_at"),
    ),
    "decided_at",
)
ACTS: Final = Chain(
    "acts", ("id", "act", "version", "who", "at", "sealed"), "at", {"about": "", "why": ""}
)
ALL: Final = (ACTS, CONSENTS, DECISIONS)


def add(tx: Tx, chain: Chain, row: dict[str, Any]) -> None:
    """Append a row (column → text or None, every column of the chain) and move the head.

    In the caller's own transaction: rolled back with it, to whatever savepoint. The head's row is
    taken first, so that of two writers the second waits for the first. Where the transaction
    holds the heads that moved (``Tx.heads``), their rows move when it commits.
    """
    seq, before = _head(tx, chain.table)
    if chain.personal:
        row["salt"] = clock.new_salt()
        row["sealed"] = seal(row["salt"], chain, row)
    row["seq"], row["hash"] = seq + 1, digest(before, chain, row)
    tx.run(adding(chain), **row)
    if tx.heads is None:
        tx.run(MOVE, name=chain.table, seq=row["seq"], hash=row["hash"])
    else:
        tx.heads[chain.table] = row["seq"], row["hash"]


def _head(tx: Tx, table: str) -> tuple[int, str]:
    """(seq, hash) of the newest row, as this transaction has it."""
    if tx.heads is not None and (held := tx.heads.get(table)):
        return held
    row = tx.one(HEAD + tx.for_update, name=table)
    if row is None:
        raise LookupError(f"the chain {table} has no head; run `connector audit verify`")
    return row["seq"], row["hash"]


def settle(tx: Tx) -> None:
    """Move the rows of the heads that moved in this transaction, right before it commits."""
    for table, (seq, digest_) in (tx.heads or {}).items():
        tx.run(MOVE, name=table, seq=seq, hash=digest_)


@cache
def adding(chain: Chain) -> str:
    """What adds a row, with every column of its table."""
    beside = ("salt", *chain.personal) if chain.personal else ()
    names = (*chain.columns, *beside, "seq", "hash")
    values = ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {chain.table} ({', '.join(names)}) VALUES ({values})"  # noqa: S608


def digest(previous: str, chain: Chain, row: Mapping[str, Any] | Row) -> str:
    """The hash of a row that stands after the one whose hash is ``previous``.

    Raises ``TypeError`` or ``ValueError`` for a value that no ledger of ours holds, such as bytes.
    """
    return _sha256(previous, map(row.__getitem__, chain.columns))


def seal(salt: str, chain: Chain, row: Mapping[str, Any] | Row) -> str:
    """The digest that stands in the chain for a row's personal values. Raises as ``digest``."""
    return _sha256(salt, map(row.__getitem__, chain.personal))


def heads(tx: Tx) -> dict[str, Row]:
    """The head of every chain by its table: ``seq`` (0 while it is empty) and ``hash``."""
    found = {str(row["name"]): row for row in tx.all(HEADS)}
    for table, (seq, digest_) in (tx.heads or {}).items():
        found[table] = {"name": table, "seq": seq, "hash": digest_}
    return found


def _sha256(before: str, values: Iterable[object]) -> str:
    return hashlib.sha256(str(before).encode() + orjson.dumps(list(values))).hexdigest()
