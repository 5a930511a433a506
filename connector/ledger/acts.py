"""Acts: what people did to the connector (reload, go live, grant, pause), who and why; chained."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger import chain
from connector.ledger.store import Row, Tx

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
    """Keep an act: ``about`` is what it was done to, such as ``play:welcome`` or ``files``.

    ``about`` and ``why`` may name a number, and can be erased (:mod:`connector.ledger.erasure`);
    ``act``, ``version`` and ``who`` stay.
    """
    row = {"id": act_id, "act": act, "about": about, "version": version, "at": clock.text(at)}
    chain.add(tx, chain.ACTS, {**row, "who": who[:200], "why": why[:MOST]})


def of(tx: Tx, about: str, limit: int = 50) -> list[Row]:
    """The acts about a thing, the newest first."""
    return tx.all(OF, about=about, limit=limit)


def last(tx: Tx, about: str, act: str) -> Row | None:
    """The newest act of a kind about a thing."""
    return tx.one(LAST, about=about, act=act)


def of_version(tx: Tx, about: str, act: str, version: str) -> list[Row]:
    """The acts of a kind about one version of a thing, the oldest first."""
    return tx.all(OF_VERSION, about=about, act=act, version=version)
