"""Telephone numbers: read into E.164, told apart by kind, and placed on the clock.

A thin layer over the ``phonenumbers`` library, which is loaded with the first number (50 ms,
3 MB). Its geocoder and carrier data (98 MB) are never loaded at run time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

AMERICAN_PREFIX: Final = 8  #: "+1" and the six digits that the longest prefix of a zone has
MAX_LENGTH: Final = 64  #: characters of a number as somebody wrote it

_TYPES = {
    0: "fixed_line",
    1: "mobile",
    2: "fixed_line_or_mobile",
    3: "toll_free",
    4: "premium",
    5: "shared_cost",
    6: "voip",
    7: "personal",
    8: "pager",
    9: "uan",
    10: "voicemail",
}
_SPREADSHEET = re.compile(r"\s*\+?\d+(\.0+|[.,]?\d*[eE]\+?\d+)\s*")
_REACHABLE = frozenset({"mobile", "fixed_line_or_mobile"})


class NotANumber(ValueError):
    """What was written is no telephone number; the message says why, never the number."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in use: E.164, its country (ISO 3166; "" for international ones) and its kind.

    ``type`` is mobile, fixed_line_or_mobile, fixed_line, voip, toll_free, premium, shared_cost,
    personal, pager, uan, voicemail or unknown.
    """

    e164: str
    country: str
    type: str


@lru_cache(maxsize=16_384)
def parse(raw: str, default_region: str) -> Number:
    """Read a number as people write it; ``default_region`` ("US", or "") serves those without +.

    Raises ``NotANumber`` saying why not: too short or long for its country, with an extension,
    or of a shape that is not in use there.
    """
    import phonenumbers

    if len(raw) > MAX_LENGTH:
        raise NotANumber(f"has {len(raw)} characters; a number has at most {MAX_LENGTH}")
    if _SPREADSHEET.fullmatch(raw):  # its point would be skipped and the 0 taken for a digit
        raise NotANumber("is written as spreadsheets write amounts; send the number as a text")
    try:
        number = phonenumbers.parse(raw, default_region or None)
    except phonenumbers.NumberParseException as error:
        raise NotANumber(_unread(error.error_type, default_region)) from None
    if number.extension:
        raise NotANumber("has an extension, and a text cannot reach an extension")
    country = phonenumbers.region_code_for_number(number) or ""
    kind = phonenumbers.number_type(number)
    if kind not in _TYPES:
        raise NotANumber(_misshapen(number))
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    return Number(e164, "" if country == "001" else country, _TYPES[kind])


def reachable(type: str) -> bool:
    """Whether a text can reach numbers of this type; where mobiles cannot be told, we say yes."""
    return type in _REACHABLE


def zones(e164: str) -> tuple[str, ...]:
    """The IANA zones in which the number may be, by its prefix; empty where nothing is known.

    A mobile number that its country does not tie to a region has all zones of the country.
    Toll-free and other placeless North American numbers have none.
    """
    if e164.startswith("+1"):
        return _american_zones(e164[1:AMERICAN_PREFIX])
    return _zones(e164)


@lru_cache(maxsize=16_384)
def _american_zones(prefix: str) -> tuple[str, ...]:
    """North American zones hang on the first digits alone, so the numbers of an exchange share."""
    from phonenumbers.tzdata import TIMEZONE_DATA

    for length in range(len(prefix), 1, -1):  # a lone 1 is the whole continent: nothing known
        if found := TIMEZONE_DATA.get(prefix[:length]):
            return _known(found)
    return ()


@lru_cache(maxsize=4096)
def _zones(e164: str) -> tuple[str, ...]:
    import phonenumbers
    from phonenumbers import timezone

    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return ()
    return _known(timezone.time_zones_for_number(number))


def _known(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(zone for zone in found if zone != "Etc/Unknown"))


def mask(phone: str) -> str:
    """A number fit for a log or a screen, such as ``+1202***0123``; too short a one is ``***``."""
    shown = "".join(letter for letter in phone if letter in "+0123456789")
    if len(shown) >= 12:
        return f"{shown[:5]}***{shown[-4:]}"
    return f"{shown[:3]}***{shown[-2:]}" if len(shown) >= 8 else "***"


def _unread(error_type: int, default_region: str) -> str:
    """Why the library could not even split the text into country and number."""
    from phonenumbers import NumberParseException as Error

    if error_type == Error.INVALID_COUNTRY_CODE:
        if default_region:
            return "begins with no country code that is in use"
        return "has no country code; write it with + and the country code"
    if error_type == Error.TOO_LONG:
        return "is too long for any country"
    if error_type in (Error.TOO_SHORT_AFTER_IDD, Error.TOO_SHORT_NSN):
        return f"is too short for {default_region or 'any country'}"
    return "is no telephone number"


def _misshapen(number: PhoneNumber) -> str:
    """Why a number that could be split is not one in use."""
    import phonenumbers
    from phonenumbers import ValidationResult as Result

    code = number.country_code or 0
    region = phonenumbers.region_code_for_country_code(code)
    place = region if region not in ("ZZ", "001") else f"country code {code}"
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == Result.TOO_LONG:
        return f"is too long for {place}"
    if reason == Result.TOO_SHORT:
        return f"is too short for {place}"
    if reason == Result.IS_POSSIBLE_LOCAL_ONLY:
        return f"lacks its area code for {place}"
    if reason == Result.INVALID_LENGTH:
        return f"has a length that no number of {place} has"
    return f"has a shape that is not in use in {place}"
