"""Acts: what people did to the connector (reload, go live, approve, pause), who and why."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

ADD = """INSERT INTO acts (id, act, about, version, who, why, at)
    VALUES (:id, :act, :about, :version, :who, :why, :at)"""
OF = "SELECT * FROM acts WHERE about = :about ORDER BY at DESC, id DESC LIMIT :limit"
LAST = """SELECT * FROM acts WHERE about = :about AND act = :act
    ORDER BY at DESC, id DESC LIMIT 1"""
OF_VERSION = """SELECT * FROM acts WHERE about = :about AND act = :act AND version = :version
    ORDER BY at, id LIMIT 100"""
MOST = 2_000  #: characters of the why that are kept


def add(
    tx: Tx,
    act_id: str,
    act: str,
    about: str,
    *,
    who: str,
    at: datetime,
    why: str = "",
    version: str = "",
) -> None:
    """Keep an act: ``about`` is what it was done to, such as ``play:welcome`` or ``files``."""
    tx.run(
        ADD,
        id=act_id,
        act=act,
        about=about,
        version=version,
        who=who[:200],
        why=why[:MOST],
        at=clock.text(at),
    )


def of(tx: Tx, about: str, limit: int = 50) -> list[Row]:
    """The acts about a thing, the newest first."""
    return tx.all(OF, about=about, limit=limit)


def last(tx: Tx, about: str, act: str) -> Row | None:
    """The newest act of a kind about a thing."""
    return tx.one(LAST, about=about, act=act)


def of_version(tx: Tx, about: str, act: str, version: str) -> list[Row]:
    """The acts of a kind about one version of a thing, the oldest first."""
    return tx.all(OF_VERSION, about=about, act=act, version=version)
