"""Consent: which purposes a number has granted, read from its append-only rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connector.model import ConsentRow

EVERYTHING = "all"  #: the purpose of a row that a STOP or a START writes

#: Only these lift a STOP given by text (semantics: Consent and opt-out).
LIFTING = frozenset({"reply", "double_opt_in"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a number's rows come to: live purposes, and the scope of a STOP ("" for none)."""

    live: frozenset[str]
    stopped: str = ""  #: "" | all | marketing


def standing(rows: Iterable[ConsentRow]) -> Standing:
    """Read rows in the order in which they occurred.

    A STOP (``all`` or ``marketing`` revoked by reply or at the provider) remembers what was live
    and ends it. While it stands, grants from elsewhere are recorded but count for nothing. START
    (``all`` granted by reply) lifts it and makes live exactly what was live when STOP came; a
    completed double opt-in lifts it for the purposes it names.
    """
    live: set[str] = set()
    remembered: frozenset[str] = frozenset()
    stopped = ""
    for row in sorted(rows, key=lambda row: row.occurred_at):
        if _is_stop(row):
            if not stopped:
                remembered = frozenset(live)
            stopped = EVERYTHING if EVERYTHING in (row.purpose, stopped) else "marketing"
            live = set() if stopped == EVERYTHING else live & {"service"}
        elif row.granted and row.purpose == EVERYTHING and row.method in LIFTING:
            live, stopped = live | remembered, ""
            remembered = frozenset()
        elif not row.granted:
            live.discard(row.purpose)
            remembered -= {row.purpose}
        elif not stopped or row.method in LIFTING or _outside(row.purpose, stopped):
            stopped = _lifted(row, stopped)
            remembered = remembered if stopped else frozenset()
            live.add(row.purpose)
    return Standing(frozenset(live), stopped)


def _is_stop(row: ConsentRow) -> bool:
    if row.granted:
        return False
    by_text = row.method in ("reply", "provider", "call", "email", "operator")
    return row.purpose == EVERYTHING or (row.purpose == "marketing" and by_text)


def _lifted(row: ConsentRow, stopped: str) -> str:
    """What of a STOP stands after a grant: a double opt-in lifts it for the purpose it names."""
    if not stopped or row.method not in LIFTING:
        return stopped
    return "marketing" if row.purpose == "service" else ""


def _outside(purpose: str, stopped: str) -> bool:
    return stopped == "marketing" and purpose == "service"
