"""Alerts: which alarms become which messages, so that people are told and not buried."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from connector import phone

HOUR: Final = timedelta(hours=1)
TOGETHER: Final = 5  #: more alarms than these at once are one digest
LISTED: Final = 50  #: alarms that a digest tells one by one
Row = Mapping[str, Any]  #: a row of ``alarms``

_NUMBER: Final = re.compile(r"(?<![\w:.-])\+?\d{9,15}(?![\w:.-]*\w)")


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to the operator's people, about one alarm or many."""

    subject: str
    text: str
    alarms: tuple[Row, ...]


def notices(
    pending: Sequence[Row], sent: Sequence[datetime], hourly: int, brand: str, now: datetime
) -> list[Notice]:
    """What to send now of the alarms that wait; ``sent`` is when messages went before.

    One message each, as long as the hour has room for them; else one digest of them all in the
    hour's last place, and once that is taken nothing, until a message is an hour old.
    """
    room = hourly - sum(at > now - HOUR for at in sent)
    if not pending or room <= 0:
        return []
    if len(pending) > min(room, TOGETHER):
        return [_digest(pending, brand)]
    return [_one(row, brand) for row in pending]


def body(notice: Notice) -> dict[str, Any]:
    """A message as a program is told of it; ``text`` is what chat tools show."""
    return {
        "text": f"{notice.subject}\n{notice.text}",
        "alarms": [
            {
                "kind": row["kind"],
                "about": masked(str(row["about"])),
                "says": masked(str(row["says"])),
                "count": row["count"],
                "since": row["at"],
                "last": row["last_at"],
            }
            for row in notice.alarms[:LISTED]
        ],
    }


def masked(text: str) -> str:
    """A text without whole telephone numbers, whoever wrote it."""
    return _NUMBER.sub(lambda found: phone.mask(found[0]), text)


def _one(row: Row, brand: str) -> Notice:
    return Notice(f"[{brand}] {_name(row)}", _line(row), (row,))


def _digest(rows: Sequence[Row], brand: str) -> Notice:
    lines = [f"{_name(row)}: {_line(row)}" for row in rows[:LISTED]]
    if len(rows) > LISTED:
        lines.append(f"… and {len(rows) - LISTED} more; see `connector alerts list`.")
    return Notice(f"[{brand}] {len(rows)} alarms", "\n".join(lines), tuple(rows))


def _name(row: Row) -> str:
    about = masked(str(row["about"]))
    return f"{row['kind']} ({about})" if about else str(row["kind"])


def _line(row: Row) -> str:
    times = f" ({row['count']} times since {row['at'][:16]}Z)" if row["count"] > 1 else ""
    over = " It is over." if row["cleared_at"] else ""
    return f"{masked(str(row['says']))}{times}{over}"
