"""Approving: who put which version of a play live, and whether it may be."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Final

from connector.ledger import acts
from connector.ledger.store import Tx
from connector.rules.approvals import missing
from connector.rules.plays import Mode, Play
from connector.steps.setup import Setup

LIVE: Final = "live"  #: the act of putting a version of a play live
APPROVED: Final = "approve"  #: the act of approving one

log = logging.getLogger("connector")


def note_modes(tx: Tx, rt: Setup, who: str, now: datetime, why: str = "") -> None:
    """Keep who put which version of a play live, and let those that lack approval be shadows.

    Where two people are asked for, a version behind which fewer stand decides and records and
    sends nothing (see :mod:`connector.rules.approvals`).
    """
    plays = {}
    for play in rt.plays.values():
        if play.mode is Mode.live:
            by = _proposer(tx, rt, play, who, now, why)
            if rt.require_approval and (lacking := lacks(tx, play.name, play.version, by)):
                log.warning(
                    "act=live play=%s result=waits_for_approval lacking=%d", play.name, lacking
                )
                play = replace(play, mode=Mode.shadow)
        plays[play.name] = play
    rt.plays = plays
    rt.index()


def lacks(tx: Tx, play: str, version: str, proposer: str | None = None) -> int:
    """How many people a version of a play still lacks; ``proposer`` is looked up unless given."""
    about = f"play:{play}"
    if proposer is None:
        known = acts.of_version(tx, about, LIVE, version)
        proposer = str(known[0]["who"]) if known else ""
    approvals = acts.of_version(tx, about, APPROVED, version)
    return missing(proposer, (str(row["who"]) for row in approvals))


def _proposer(tx: Tx, rt: Setup, play: Play, who: str, now: datetime, why: str) -> str:
    """Who first put the version live; kept where it is new."""
    about = f"play:{play.name}"
    known = acts.of_version(tx, about, LIVE, play.version)
    if known:
        return str(known[0]["who"])
    act_id = rt.new_id("act")
    acts.add(tx, act_id, LIVE, about, who=who, at=now, version=play.version, why=why)
    return who
