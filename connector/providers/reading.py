"""Reading what providers write: JSON, counts, prices, dates, and our reference in an address."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qs, quote

import orjson

from connector.model import Hook, Json

REFERENCE: Final = "s"
"""The query parameter of a callback address that brings our own reference back."""

_PRICE = re.compile(r"-?(\d{1,9}(?:\.\d{1,9})?)")


def json_object(body: bytes) -> dict[str, Json]:
    """A JSON object, or an empty one where there is none."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def whole(value: Json) -> int | None:
    """A count; None where it is not known yet, which some write as "0"."""
    written = str(value)
    return int(written[:6]) or None if written.isascii() and written.isdigit() else None


def micros(price: Json) -> int | None:
    """A price such as "-0.00750" in millionths of its currency; None where there is none."""
    written = _PRICE.fullmatch(str(price))
    return round(Decimal(written[1]) * 1_000_000) if written else None


def http_date(written: Any) -> datetime | None:
    """An RFC 2822 date, or None."""
    try:
        found = parsedate_to_datetime(written)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else None


def tagged(url: str, send_id: str) -> str:
    """A callback address that brings our own reference back, even if the answer is lost."""
    if not url:
        return ""
    address, mark, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{REFERENCE}={quote(send_id, safe='')}{mark}{fragment}"


def reference(hook: Hook) -> str:
    """Our own reference in the address that was called; "" where there is none.

    Only a callback whose address is proven too may be believed in it.
    """
    return query(hook.url).get(REFERENCE, [""])[0]


def query(url: str) -> dict[str, list[str]]:
    """The query of an address, every value of each name."""
    return parse_qs(url.partition("?")[2].partition("#")[0])
