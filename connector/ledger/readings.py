"""Readings of measures, the newest of each, and which levels an enrolment has seen."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Tx

NEWEST = """SELECT at, value, armed FROM readings
    WHERE play = :play AND contact_id = :contact AND key = :key"""
KEEP = """INSERT INTO readings (play, contact_id, key, at, value, armed)
    VALUES (:play, :contact, :key, :at, :value, :armed)
    ON CONFLICT (play, contact_id, key) DO UPDATE SET at = excluded.at, value = excluded.value,
        armed = excluded.armed"""
REACHED = """INSERT INTO reached (enrolment_id, level, at) VALUES (:enrolment, :level, :at)
    ON CONFLICT DO NOTHING"""


def newest(tx: Tx, play: str, contact_id: str, key: str) -> tuple[datetime, float, bool] | None:
    """(when, value, armed) of the newest reading that a play has of a person's measure."""
    row = tx.one(NEWEST, play=play, contact=contact_id, key=key)
    return (clock.instant(row["at"]), float(row["value"]), bool(row["armed"])) if row else None


def keep(
    tx: Tx, play: str, contact_id: str, key: str, at: datetime, value: float, armed: bool
) -> None:
    """Keep a reading in the place of an older one."""
    tx.run(
        KEEP,
        play=play,
        contact=contact_id,
        key=key,
        at=clock.text(at),
        value=repr(value),
        armed=int(armed),
    )


def reached(tx: Tx, enrolment_id: str, level: float, at: datetime) -> None:
    """Note when a level was first reached after the enrolment began."""
    tx.run(REACHED, enrolment=enrolment_id, level=repr(level), at=clock.text(at))
