"""Auditing: the whole ledger verified, its chains against every anchor that can be had."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from connector.ledger import chain, verify
from connector.ledger.sqlite import integrity
from connector.ledger.store import Store
from connector.ledger.verify import Finding, Walked
from connector.rules import anchors as rule
from connector.rules.anchors import Anchor
from connector.steps import anchor

HERE: Final = "ledger"  #: where the ledger's own notes of anchors are
RESTORED = """SELECT version, at FROM acts WHERE act = 'restored' AND about = 'ledger'
    ORDER BY seq"""

Stage = Callable[[str, int], None]
"""Told what is looked at now, and how many rows more of it have been."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How the chains stand beside the anchors of one place."""

    place: str
    agree: int  #: heads that are as they were
    newest: str  #: when its newest anchor was taken; "" for none
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Verified:
    """All that was looked at, and what is not as it was."""

    chains: list[Walked] = field(default_factory=list)
    facts: int = 0
    files: dict[str, list[str]] = field(default_factory=dict)  #: what SQLite finds wrong in each
    anchors: list[Compared] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def run(
    store: Store, files: Mapping[str, Path], places: Mapping[str, str], stage: Stage
) -> Verified:
    """Verify everything; ``places`` are texts with anchors by where they were kept."""
    found = Verified()
    for name, path in files.items():
        stage(name, 0)
        found.files[name] = integrity(path)
        found.findings += [
            Finding("unreadable", name, "", None, each) for each in found.files[name]
        ]
    try:
        _walk(store, found, stage)
        _compare(store, found, places)
    except sqlite3.DatabaseError as error:
        found.findings.append(Finding("unreadable", "ledger", "", None, str(error)))
    return found


def _walk(store: Store, found: Verified, stage: Stage) -> None:
    for each in chain.ALL:
        walked = verify.walk(store, each, partial(stage, each.table))
        found.chains.append(walked)
        if walked.finding is not None:
            found.findings.append(walked.finding)
    found.facts, wrong = verify.facts(store, lambda rows: stage("facts", rows))
    if wrong is not None:
        found.findings.append(wrong)


def _compare(store: Store, found: Verified, places: Mapping[str, str]) -> None:
    with store.read() as tx:
        known = anchor.known(tx)
        gaps = [(str(row["version"]), str(row["at"])) for row in tx.all(RESTORED)]
        noted = anchor.noted(tx)
    read = {
        name: [a for a in rule.read(text) if a.ledger == known] for name, text in places.items()
    }
    for name, each in {HERE: noted, **read}.items():
        compared = _beside(store, found.chains, name, rule.outside(each, gaps))
        found.anchors.append(compared)
        found.findings += compared.findings


def _beside(store: Store, walked: Iterable[Walked], place: str, known: list[Anchor]) -> Compared:
    agree, findings = 0, []
    for each in walked:
        count, wrong = verify.against(store, each, rule.heads_of(known, each.table))
        agree += count
        if wrong is not None:
            findings.append(wrong)
    newest = max((one.at for one in known), default="")
    return Compared(place, agree, newest, tuple(findings))
