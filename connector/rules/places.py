"""Where a person may be: whose clocks and whose rules count, by every sign there is.

No sign is believed more than the rest, save a zone that the person stated: a text must be lawful
wherever any sign says the person may be.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from connector import phone
from connector.model import Contact
from connector.rules.area_codes import AREA_CODES
from connector.rules.states import LETTERS, PROVINCES, STATES, TERRITORIES, ZIPS

UNKNOWN_STATE = "US-unknown"


@dataclass(frozen=True, slots=True)
class Where:
    """The zones and the rules a text to somebody must suit, and the signs that say so.

    ``rules`` are places such as ``US-FL``, ``US-unknown`` or ``DE``. ``unplaced``: the person is
    in the United States, but no sign says where, so the zones that the hours file assumes for
    ``US-unknown`` count beside ``zones``.
    """

    zones: tuple[str, ...]
    rules: tuple[str, ...]
    why: tuple[str, ...]
    unplaced: bool = False


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: what it is, the places it names, and zones it knows beside theirs."""

    what: str
    places: tuple[str, ...]
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """What one record tells of where somebody is; "" where it does not say."""

    what: str  #: what it is called in explanations; "" for the person's own address
    country: str = ""
    region: str = ""
    postal: str = ""


def places(contact: Contact, e164: str | Sign, others: tuple[Address, ...] = ()) -> Where:
    """Where somebody may be who is texted at ``e164``, from all that is known of them.

    ``others`` are addresses beside the person's own, each a sign like it. In the place of the
    number may stand what it tells (``of_number``).
    """
    number = of_number(e164) if isinstance(e164, str) else e164
    own = (contact.country, contact.region, contact.postal)
    return _places(contact.timezone, own, number, others)


@lru_cache(maxsize=2048)
def _places(
    timezone: str, own: tuple[str, str, str], number: Sign, others: tuple[Address, ...]
) -> Where:
    issued = number.places[0].partition("-")[0] if number.places else ""
    home = country_of(own[0]) or issued
    signs = [number, *_of_address(Address("", *own), home)]
    for other in others:
        signs += _of_address(other, home)
    return _where(timezone, [sign for sign in signs if sign.places])


def _of_address(address: Address, home: str) -> tuple[Sign, ...]:
    """The signs of one address, which is read as of its own country, else as of ``home``."""
    stated = country_of(address.country)
    what = f"{address.what} " if address.what else ""
    return (
        Sign(f"{what}region", of_region(stated or home, address.region)),
        Sign(f"{what}postal code", of_postal(stated or home, address.postal)),
        Sign(f"{what}country", (stated,) if stated else ()),
    )


@lru_cache(maxsize=1024)
def of_number(e164: str) -> Sign:
    """The sign that the number itself gives: its area code in North America, else its country."""
    if e164.startswith("+1") and (issued := AREA_CODES.get(e164[2:5])):
        return Sign(f"area code {e164[2:5]}", issued, phone.zones(e164))
    try:
        country = phone.parse(e164, "").country
    except phone.NotANumber:
        return Sign("number", ())
    return Sign("number", (country,) if country else (), phone.zones(e164))


def _where(timezone: str, signs: list[Sign]) -> Where:
    named = {place for sign in signs for place in sign.places}
    fine = {place.partition("-")[0] for place in named if "-" in place}
    fine |= {"US"} if named & TERRITORIES else set()
    rules = {place for place in named if "-" in place or place not in fine}
    why = [f"{sign.what}: {', '.join(map(name_of, sign.places))}" for sign in signs]
    unplaced = "US" in rules
    if unplaced:
        rules = rules - {"US"} | {UNKNOWN_STATE}
        why.append("no sign of the state in the United States")
    if is_zone(timezone):
        return Where((timezone,), _order(rules), (*why, f"zone stated: {timezone}"))
    if timezone:
        why.append(f"the stated zone {timezone!r:.60} is no place's zone")
    return Where(_order(_zones(rules, signs)), _order(rules), tuple(why), unplaced)


def _zones(rules: set[str], signs: list[Sign]) -> set[str]:
    """The zones of all signs; a country named without any zone of its own brings all it has."""
    zones = {zone for sign in signs for zone in sign.zones if is_zone(zone)}
    zoned = {sign.places[0] for sign in signs if sign.zones}
    for place in rules - {UNKNOWN_STATE}:
        if "-" in place or place not in zoned:
            zones.update(zones_of(place))
    return zones


def _order(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether a name is a zone in which people live: ``America/Chicago``, not ``UTC``."""
    if not re.fullmatch(r"[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2}", name) or name[:4] == "Etc/":
        return False
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


_ZIP = re.compile(r"(\d{5})(?:-?\d{4})?")
_CANADIAN = re.compile(r"([A-CEGHJ-NPR-TVXY])\d[A-Z] ?\d[A-Z]\d")
_ISO_REGION = re.compile(r"([A-Z]{2})-([A-Z0-9]{1,3})")
_NAMES = {
    "USA": "US",
    "UNITED STATES": "US",
    "UNITED STATES OF AMERICA": "US",
    "CANADA": "CA",
    "UK": "GB",
    "UNITED KINGDOM": "GB",
    "GREAT BRITAIN": "GB",
}


def country_of(written: str) -> str:
    """The ISO code of a country as a CRM may write it; what cannot be read stays as it is."""
    upper = _plain(written)
    return upper if len(upper) == 2 and upper != "UK" else _names().get(upper, upper)


@cache
def _names() -> dict[str, str]:
    """English names of countries → codes, from the table that comes with the zones."""
    names = {}
    for line in _table("iso3166.tab"):
        code, name = line.split("\t")[:2]
        names[_plain(name)] = code
    return {**names, **_NAMES}


def of_region(country: str, region: str) -> tuple[str, ...]:
    """The place a region field names, such as ``US-FL``; nothing where it cannot be read.

    ``country`` is the one the field belongs to, as far as known; US and Canada share a list.
    """
    upper = _plain(region)
    if found := _ISO_REGION.fullmatch(upper):
        country, upper = found[1], found[2]
    if country in ("US", "CA", *TERRITORIES):
        return _of_state(upper)
    return (f"{country}-{upper}",) if country and re.fullmatch(r"[A-Z0-9]{1,3}", upper) else ()


def _plain(written: str) -> str:
    """Upper case without accents and dots: ``Québec`` → QUEBEC, ``D.C.`` → DC."""
    split = unicodedata.normalize("NFKD", written[:60])
    bare = "".join(
        letter for letter in split if letter != "." and not unicodedata.combining(letter)
    )
    return bare.strip().upper()


def _of_state(upper: str) -> tuple[str, ...]:
    if upper in TERRITORIES:
        return (upper,)
    for country, table in (("US", STATES), ("CA", PROVINCES)):
        for code, (name, _) in table.items():
            if upper in (code, name.upper()):
                return (f"{country}-{code}",)
    return ()


def of_postal(country: str, postal: str) -> tuple[str, ...]:
    """The place of a ZIP or Canadian postal code; nothing for other countries' codes."""
    upper = postal.strip().upper()[:20]
    if country not in ("US", "CA", *TERRITORIES):
        return ()
    if found := _ZIP.fullmatch(upper):
        return _of_zip(found[1])
    if found := _CANADIAN.fullmatch(upper):
        return LETTERS[found[1]]
    return ()


def _of_zip(digits: str) -> tuple[str, ...]:
    prefixes = _zip_prefixes()
    place = next((prefixes[digits[:n]] for n in (5, 4, 3) if digits[:n] in prefixes), "")
    return (place,) if place else ()


@cache
def _zip_prefixes() -> dict[str, str]:
    prefixes: dict[str, str] = {}
    for line in ZIPS.strip().splitlines():
        place, *spans = line.split()
        for span in spans:
            first, _, last = span.partition("-")
            for number in range(int(first), int(last or first) + 1):
                prefixes[f"{number:0{len(first)}}"] = place
    return prefixes


def zones_of(place: str) -> tuple[str, ...]:
    """The IANA zones of a state, a province or a whole country; empty where it is unknown."""
    country, _, code = place.partition("-")
    table = {"US": STATES, "CA": PROVINCES}.get(country, {})
    return table[code][1] if code in table else _country_zones().get(country, ())


@cache
def _country_zones() -> dict[str, tuple[str, ...]]:
    """Country → zones, from the table that comes with the zones themselves (tzdata)."""
    zones: dict[str, tuple[str, ...]] = {}
    for line in _table("zone.tab"):
        country, _, zone = line.split("\t")[:3]
        zones[country] = (*zones.get(country, ()), zone)
    return zones


def _table(name: str) -> Iterator[str]:
    """The lines of a table of the tzdata package."""
    from importlib import resources

    text = resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    yield from (line for line in text.splitlines() if line and not line.startswith("#"))


def name_of(place: str) -> str:
    """What a person calls the place: Florida for ``US-FL``; the code itself for most others."""
    country, _, code = place.partition("-")
    if code == "unknown":
        return f"{country} (state unknown)"
    table = {"US": STATES, "CA": PROVINCES}.get(country, {})
    return table[code][0] if code in table else place
