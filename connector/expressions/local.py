"""Money, dates and times as a person's language writes them, through Babel.

What comes out keeps to plain signs: some locales put a narrow no-break space before a currency or
a curled apostrophe between thousands, and one such sign makes a text cost twice as much.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from connector.expressions.values import Unusable, kind

if TYPE_CHECKING:
    from babel import Locale

LENGTHS: Final = ("short", "medium", "long", "full")
MAX_FORMAT: Final = 40
MILLISECONDS_FROM: Final = 100_000_000_000  #: as seconds this would be the year 5138

MAX_TAG: Final = 64  #: characters of a language tag or of a zone's name

_PLAIN: Final = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2011": "-", "\u2019": "'", "\u2212": "-"}
    | dict.fromkeys("\u061c\u200e\u200f", "")
)
_GLUED: Final = re.compile(r"(?<=[A-Z]{3})(?=\d)")  # Babel leaves out CLDR's blank: CHF1,234.50


def money(amount: Decimal, currency: str, language: Any) -> str:
    """An amount with its currency: ``$1,234.50``, ``1.234,50 €``, ``CHF 1,234.50``."""
    from babel.numbers import format_currency

    return _GLUED.sub(" ", _plain(format_currency(amount, currency, locale=locale(language))))


def written_date(value: Any, form: Any, language: Any, zone: Any) -> str:
    """A day as the language writes it; ``form`` is short, medium, long, full or a CLDR pattern."""
    from babel.dates import format_date

    day = read(value, zone)
    try:
        return _plain(format_date(day, _form(form), locale=locale(language)))
    except (AttributeError, KeyError):
        raise Unusable("the form of a date has letters that stand for no part of a day") from None


def written_time(value: Any, form: Any, language: Any, zone: Any) -> str:
    """An hour as the language writes it: ``3:04 PM``, ``15:04``."""
    from babel.dates import format_time

    moment = read(value, zone)
    if not isinstance(moment, datetime):
        raise Unusable("time wants an instant, and this is a day")
    try:
        local = moment.replace(tzinfo=None)
        return _plain(format_time(local, _form(form), locale=locale(language)))
    except (AttributeError, KeyError):
        raise Unusable("the form of a time has letters that stand for no part of it") from None


def read(value: Any, zone: Any = None) -> date | datetime:
    """A day or an instant from ISO text or unix seconds, on the person's clock where it is known.

    Raises ``Unusable`` for anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _local(_from_unix(value), zone)
    if not isinstance(value, str) or len(value) > 40:
        raise Unusable(f"a date or an instant is wanted, not {kind(value)}")
    text = value.strip()
    try:
        if len(text) <= 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable("the text is not a date or an instant") from None
    return _local(moment, zone) if moment.tzinfo is not None else moment


def instant(value: Any) -> datetime:
    """An instant, UTC where no zone is written; a day is its first moment."""
    moment = read(value)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - made aware below
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _from_unix(value: float) -> datetime:
    seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise Unusable("the number is no instant") from None


def _local(moment: datetime, zone: Any) -> datetime:
    found = _zone(zone) if isinstance(zone, str) and 0 < len(zone) <= MAX_TAG else None
    return moment.astimezone(found) if found is not None else moment


@lru_cache(maxsize=600)
def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ImportError, LookupError, OSError, ValueError):
        return None


def locale(language: Any) -> Locale:
    """The locale of a language tag, else of its first part; English where there is none such."""
    known = isinstance(language, str) and 0 < len(language) <= MAX_TAG
    return _locale(language.replace("_", "-") if known else "en")


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        base = language.partition("-")[0]
        return _locale(base if base != language else "en")


def _form(form: Any) -> str:
    if not isinstance(form, str) or not form or len(form) > MAX_FORMAT:
        raise Unusable(f"a form is one of {', '.join(LENGTHS)}, or a pattern such as d MMMM")
    return form


def _plain(text: str) -> str:
    return text.translate(_PLAIN)
