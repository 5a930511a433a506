"""Reading what senders write: JSON that is nearly JSON, instants, and how deep a value goes."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import orjson

from connector.errors import Unreadable
from connector.model import Json, Trust

MAX_DEPTH: Final = 100
BROWSER_MEMORY: Final = timedelta(hours=48)
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)  #: nothing is believed to be older
LONGEST_NAME: Final = 100  #: letters of an event's name, and of what else is picked from a list

_MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138


def read_json(body: bytes) -> Json:
    """The JSON value in ``body``; raises ``Unreadable`` when there is none.

    What some clients write beside JSON is read as they mean it: NaN, Infinity and a number beyond
    all bounds as null, half a surrogate pair as "?", a byte order mark as nothing.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = str(error)
    try:
        lenient = json.loads(
            body, parse_constant=lambda _: None, parse_float=_finite, parse_int=_finite_whole
        )
        return orjson.loads(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise Unreadable("the body is nested too deeply to be read") from None
    except ValueError:
        raise Unreadable(f"the body is not JSON: {reason}") from None


def is_too_deep(value: Json, raw: bytes) -> bool:
    """Whether ``value`` (``raw`` is the same as JSON) is nested deeper than ``MAX_DEPTH``."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def read_instant(value: Json) -> datetime | None:
    """An instant from ISO text or unix seconds or milliseconds; None where nothing is said.

    Text without a zone is UTC. Raises ``ValueError`` for anything else.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{value!r:.60} is out of range") from error
    raise ValueError(f"{value!r:.60} is no instant")


def believable(occurred_at: datetime, received_at: datetime, trust: Trust) -> datetime:
    """``occurred_at`` as far as it is believed: never after it was received nor before 1970, and
    from a browser or a form never more than 48 hours before."""
    occurred_at = max(min(occurred_at, received_at), EARLIEST)
    if trust is not Trust.trusted:
        return max(occurred_at, received_at - BROWSER_MEMORY)
    return occurred_at


def short_text(value: Json) -> str:
    """A text of at most ``LONGEST_NAME`` letters, without blanks around it; "" for all else."""
    return value.strip() if isinstance(value, str) and len(value) <= LONGEST_NAME else ""


def event_of(url: str) -> str:
    """The event that an address names: ``?event=demo_booked``; "" where it names none."""
    try:
        query = parse_qs(urlsplit(url).query, max_num_fields=100)
    except ValueError:
        return ""
    return short_text(query.get("event", [""])[0])


def _finite(written: str) -> float | None:
    number = float(written)
    return number if math.isfinite(number) else None


def _finite_whole(written: str) -> float | None:
    return int(written) if len(written) < 20 else _finite(written)


def _children(value: Json) -> list[Json]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in inner if isinstance(child, dict | list)]
