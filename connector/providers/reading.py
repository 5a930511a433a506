"""Reading what providers write: JSON, counts, prices, dates, and our reference in an address."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, quote, unquote_plus, urlsplit

import orjson

from connector.model import Hook, Json

REFERENCE: Final = "s"
"""The query parameter of a callback address that brings our own reference back."""
SECRET: Final = "secret"  # noqa: S105  # its name
"""The query parameter of a callback address by which a provider that signs nothing is known."""

_DIGITS = re.compile(r"[1-9][0-9]{6,14}")  # a short code has fewer, and no plus
MAX_IDENTIFIER: Final = 255
MAX_FIELDS: Final = 500  #: of a form

_MARK = re.compile(r"\W+")
_PRICE = re.compile(r"-?(\d{1,9}(?:\.\d{1,9})?)")


def json_object(body: bytes) -> dict[str, Json]:
    """A JSON object, or an empty one where there is none."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def inside(value: Json, *path: str | int) -> Json:
    """What stands at a path of names and places; None where the path leads nowhere."""
    for step in path:
        try:
            value = None if isinstance(value, str) else value[step]
        except (LookupError, TypeError):
            return None
    return value


def written(value: Json) -> str:
    """Text as it was written; "" where something else stands."""
    return value if isinstance(value, str) else ""


def letters(text: str) -> str:
    """A text's letters and digits alone: a vendor may write its marks and blanks in another way."""
    return _MARK.sub("", unicodedata.normalize("NFKC", text))


def identifier(value: Json) -> str:
    """What a vendor calls a thing; "" where it is nothing that could be kept as such."""
    fits = isinstance(value, str) and 0 < len(value) <= MAX_IDENTIFIER and value.isprintable()
    return str(value) if fits else ""


def whole(value: Json) -> int | None:
    """A count; None where it is not known yet, which some write as "0"."""
    written = str(value)
    return int(written[:6]) or None if written.isascii() and written.isdigit() else None


def micros(price: Json) -> int | None:
    """A price such as "-0.00750" in millionths of its currency; None where there is none."""
    written = _PRICE.fullmatch(str(price))
    return round(Decimal(written[1]) * 1_000_000) if written else None


def price(amount: Json, currency: Json) -> tuple[int | None, str]:
    """A price in millionths and its currency, which means nothing where there is no price."""
    cost = micros(amount)
    return cost, written(currency).upper() if cost is not None else ""


def http_date(written: Any) -> datetime | None:
    """An RFC 2822 date, or None."""
    try:
        found = parsedate_to_datetime(written)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else None


def iso_date(written: Any) -> datetime | None:
    """An ISO 8601 instant, or None; where it names no zone it is UTC."""
    try:
        found = datetime.fromisoformat(written)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def iso_written(at: datetime) -> str:
    """An instant of UTC as ISO 8601, in milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_fresh(stamp: bytes, now: datetime, back: timedelta, ahead: timedelta) -> bool:
    """Whether seconds since 1970, as somebody wrote them, are at most so far back or ahead."""
    if not (stamp.isdigit() and len(stamp) <= 12):
        return False
    return -ahead.total_seconds() <= now.timestamp() - int(stamp) <= back.total_seconds()


def e164(number: Json) -> str:
    """A number that was written without its plus, with it; anything else as it was written."""
    written = str(number or "")
    return f"+{written}" if _DIGITS.fullmatch(written) else written


def tagged(url: str, send_id: str) -> str:
    """A callback address that brings our own reference back, even if the answer is lost."""
    return with_parameter(url, REFERENCE, send_id)


def with_parameter(url: str, name: str, value: str) -> str:
    """An address with one parameter more; "" where there is no address."""
    if not url:
        return ""
    address, mark, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{name}={quote(value, safe='')}{mark}{fragment}"


def without_secret(url: str) -> str:
    """An address as it may be kept: without the secret that it may bear."""
    address, mark, told = url.partition("?")
    kept = [part for part in told.split("&") if unquote_plus(part.partition("=")[0]) != SECRET]
    return address + mark * bool(kept) + "&".join(kept)


def referred(url: str) -> str:
    """Our own reference in an address that somebody tells us of; "" where there is none."""
    return query(url).get(REFERENCE, [""])[0]


def reference(hook: Hook) -> str:
    """Our own reference in the address that was called; "" where there is none.

    Only a callback whose address is proven too may be believed in it.
    """
    return referred(hook.url)


def query(url: str) -> dict[str, list[str]]:
    """The query of an address, every value of each name."""
    return parse_qs(url.partition("?")[2].partition("#")[0])


def form_fields(hook: Hook) -> Mapping[str, list[str]] | None:
    """A form's fields with all their values, blank ones too; None when it is no form."""
    try:
        pairs = parse_qsl(
            hook.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        return None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def public_address(public_url: str, url: str) -> str:
    """The address that a vendor called: a path behind ``public_url``, where that is given."""
    if not public_url:
        return url
    path = "/" + url.partition("://")[2].partition("/")[2]
    prefix = urlsplit(public_url).path.rstrip("/")
    if path.startswith(f"{prefix}/"):
        path = path.removeprefix(prefix)
    return public_url.rstrip("/") + path
