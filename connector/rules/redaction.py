"""Redacting: a body as its sender wrote it, without what names a person or lets somebody in.

Its shape stays, so that a mapping can be written against it: a number is still a number that can
be texted, an e-mail address is one, and every other letter that goes leaves a letter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from connector.model import Json

MAX_DEPTH: Final = 40  #: below which nothing is kept
MAX_LETTERS: Final = 4_000  #: of one text
EMAIL: Final = "masked@example.com"

_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(
    r"(?<![\w.:/+-])(?:\+\d[\d ().-]{6,18}\d|\(\d{2,4}\)[\d .-]{5,12}\d|\d{3}[ .-]\d{3}[ .-]\d{4})"
    r"(?![\w-])"
)
_TOKEN = re.compile(r"(?<![A-Za-z0-9+=])(?=[A-Za-z+=]*\d)(?=[\d+=]*[A-Za-z])[A-Za-z0-9+=]{20,}")
_DIGITS = re.compile(r"\d{9,15}")
_LONG = re.compile(r"\d{7,}")

_IS_PHONE = re.compile(r"phone|mobile|msisdn|whatsapp|(^|_)(tel|cell|sms|fax)(_|$)", re.IGNORECASE)
_IS_SECRET = re.compile(
    r"token|secret|passw|signature|hmac|authoriz|cookie|credential|session|api_?key|card_?number"
    r"|(^|_)(key|pin|cvv|cvc|iban|ssn)$",
    re.IGNORECASE,
)
_IS_PROOF = re.compile(r"sig|key|hash|digest|pass|auth|token|secret|hmac|cookie", re.IGNORECASE)
_IS_PERSON = re.compile(
    r"(first|last|full|given|family|middle|sur|maiden|nick|user)_?name$"
    r"|(customer|contact|attendee|invitee|guest|client|patient|buyer|recipient)_?name$|^(name_?on.*|address_?\d?|street.*)$"
    r"|address_?line|(^|_)(ip|ip_?address|lat|latitude|lng|longitude|birth.*|dob)$|ipaddress",
    re.IGNORECASE,
)

_IS_WHO = re.compile(
    r"customer|person|contact|user|attendee|invitee|guest|client|patient|buyer|recipient|member"
    r"|subscriber|organi[sz]er|owner",
    re.IGNORECASE,
)
_PERSON: Final = "full_name"  #: what a plain "name" is read as where it is a person's

_IS_THING = re.compile(
    r"id$|time|date|stamp|_at$|sku|code|count|total|price"
    r"|(order|invoice|item|line|ticket|tracking|account|serial|version|build)_?number",
    re.IGNORECASE,
)


def redacted(value: Json) -> Json:
    """A JSON value without phone numbers, e-mail addresses, secrets, names and addresses.

    What is found by its look goes wherever it stands; names and addresses by what they are called.
    """
    return _value(value, "", 0)


def redacted_text(text: str) -> str:
    """A text of any kind, without what is found by its look, and without any long number."""
    found = _found_by_look(text[:MAX_LETTERS])
    return _LONG.sub(lambda number: _phone(number[0]), found)


def redacted_headers(headers: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """Every header by name; of those that are not ``kept``, or may prove a sender, only how long
    they are."""
    shown = {name for name in kept if not _IS_PROOF.search(name)}
    return {
        name: redacted_text(value) if name in shown else f"redacted ({len(value)} characters)"
        for name, value in headers.items()
    }


def _value(value: Json, name: str, depth: int) -> Json:
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        is_who = _is_who(value, name)
        return {
            _text(str(key), ""): _value(each, _called(key, each, is_who=is_who), depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_value(each, name, depth + 1) for each in value]
    if isinstance(value, str):
        return _text(value, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return _number(value, name)


def _is_who(value: Mapping[str, Json], name: str) -> bool:
    """Whether a table tells of a person: by what it is called, or by a number or an e-mail address
    in it. The body itself does not: the name of an order stands beside its buyer's address."""
    reached = any(_IS_PHONE.search(str(key)) or "mail" in str(key).lower() for key in value)
    return bool(name) and (_IS_WHO.search(name) is not None or reached)


def _called(key: str, value: Json, *, is_who: bool) -> str:
    """What a value is called; a name without a letter (#1001) is no person's."""
    is_theirs = is_who and str(key).lower() in ("name", "displayname", "display_name")
    has_letters = isinstance(value, str) and any(map(str.isalpha, value))
    return _PERSON if is_theirs and has_letters else str(key)


def _number(value: float, name: str) -> Json:
    """A number that is called a phone, a secret or a place stays one, and is another."""
    if _IS_PHONE.search(name) and isinstance(value, int) and value >= 10**6:
        return int(_phone(str(value)))
    return 0 if _IS_SECRET.search(name) or _IS_PERSON.search(name) else value


def _text(value: str, name: str) -> str:
    value = value[:MAX_LETTERS]
    if _IS_PHONE.search(name) and sum(map(str.isdigit, value)) >= 7:
        return _phone(value)
    found = _found_by_look(value)
    if name and (_IS_SECRET.search(name) or _IS_PERSON.search(name)) and "@" not in found:
        return _shape(found)
    return _phone(found) if _DIGITS.fullmatch(found) and not _IS_THING.search(name) else found


def _found_by_look(text: str) -> str:
    text = _EMAIL.sub(EMAIL, text)
    text = _TOKEN.sub(lambda found: _shape(found[0]), text)
    return _PHONE.sub(lambda found: _phone(found[0]), text)


def _phone(text: str) -> str:
    """The number with the country and the area it had, and none of its own digits."""
    digits = [letter for letter in text if letter.isdigit()]
    is_north_american = len(digits) == 10 or (len(digits) == 11 and digits[0] == "1")
    rest = "5550100" if is_north_american else "0" * max(4, len(digits) - 4)
    rest = rest[-len(digits) :]
    digits[len(digits) - len(rest) :] = rest
    told = iter(digits)
    return "".join(next(told) if letter.isdigit() else letter for letter in text)


def _shape(text: str) -> str:
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    if letter.isdigit():
        return "0"
    if letter.isalpha():
        return "X" if letter.isupper() else "x"
    return letter
