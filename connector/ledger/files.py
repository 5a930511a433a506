"""The contents of mapping, play, template and policy files by version, kept as evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from connector import clock
from connector.ledger.store import Tx

CONTENT = "SELECT content FROM files WHERE kind = :kind AND name = :name AND version = :version"
KEEP = """INSERT INTO files (kind, name, version, content, seen_at)
    VALUES (:kind, :name, :version, :content, :at) ON CONFLICT DO NOTHING"""


def keep(tx: Tx, files: Iterable[tuple[str, str, str, str]], now: datetime) -> int:
    """Keep (kind, name, version, content) of each file not seen before; how many were new."""
    new = 0
    for kind, name, version, content in files:
        new += tx.run(
            KEEP, kind=kind, name=name, version=version, content=content, at=clock.text(now)
        )
    return new


def content(tx: Tx, kind: str, name: str, version: str) -> str:
    """What a file held in one version; "" where that was never seen."""
    row = tx.one(CONTENT, kind=kind, name=name, version=version)
    return str(row["content"]) if row else ""
