"""Rules on what a text is made of: letters, length, links."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from connector.rules.copy.reading import FILLED, Copy
from connector.text import count

VALUE: Final = "x" * 12  #: how long a value is taken to be where nothing is known of it
LONGEST_LINK: Final = 40
MOST_SEGMENTS: Final = 2

SHORTENERS: Final = frozenset(
    {
        *("bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd", "buff.ly", "rebrand.ly"),
        *("cutt.ly", "shorturl.at", "rb.gy", "tiny.cc", "bl.ink", "soo.gd", "s2r.co", "clck.ru"),
        *(
            "v.gd",
            "adf.ly",
            "shorte.st",
            "mcaf.ee",
            "lnkd.in",
            "tny.im",
            "qr.ae",
            "t.ly",
            "short.io",
        ),
    }
)
_HOST: Final = re.compile(r"(?<![/\w.-])(?:https?://)?(?:www\.)?([\w-]+(?:\.[\w-]+)+)(?=[/\s?#]|$)")
_LINK: Final = re.compile(r"https?://\S+")
_WORD: Final = re.compile(r"[A-ZÀ-Þ]{2,}(?:['’][A-Z]+)?")
_MARKS: Final = re.compile(r"!{2,}|\?{2,}|[!?]{3,}")
#: Capitals that people read as words of their own.
KNOWN_CAPITALS: Final = frozenset(
    {
        *("STOP", "HELP", "START", "YES", "NO", "END", "QUIT", "BAJA", "ALTO", "INFO", "CANCEL"),
        *(
            "USA",
            "UK",
            "EU",
            "FAQ",
            "PDF",
            "SMS",
            "ID",
            "OK",
            "VIP",
            "RSVP",
            "ETA",
            "PO",
            "AM",
            "PM",
        ),
        *("USD", "EUR", "GBP", "CAD", "AUD", "CHF", "CEO", "TV", "DIY", "ASAP", "QR", "GPS", "CRM"),
        *("EST", "EDT", "PST", "PDT", "CST", "CDT", "MST", "MDT", "UTC", "GMT", "STOPP", "ARRET"),
    }
)


def costly_characters(copy: Copy) -> str | None:
    """A character outside GSM-7 in the words of the template itself."""
    counted = count(copy.text.replace(FILLED, VALUE))
    if not counted.forced_by:
        return None
    name = unicodedata.name(counted.forced_by, "an unusual character").lower()
    return f"{counted.forced_by!r} ({name}) makes it {counted.segments} segments of 70 letters."


def too_long(copy: Copy) -> str | None:
    """More segments than the step allows, or than two where it says nothing."""
    counted = count(copy.text.replace(FILLED, VALUE))
    most = copy.max_segments or MOST_SEGMENTS
    if counted.segments <= most:
        return None
    return f"About {counted.units} characters are {counted.segments} segments; {most} at most."


def shouting(copy: Copy) -> str | None:
    """Words in capitals that are no abbreviation or keyword, or rows of marks."""
    if marks := _MARKS.search(copy.text):
        return f"“{marks[0]}” shouts."
    own = (
        set(re.findall(r"\w+", copy.brand or ""))
        | KNOWN_CAPITALS
        | {a.upper() for a in copy.answers}
    )
    loud = [word for word in _WORD.findall(copy.text) if len(word) >= 4 and word not in own]
    return f"“{loud[0]}” in capitals shouts." if loud else None


def public_shortener(copy: Copy) -> str | None:
    """A link of a shortener that anybody may use."""
    for host in _HOST.findall(copy.text.casefold()):
        if host in SHORTENERS:
            return f"{host} is a shortener for everybody."
    return None


def long_link(copy: Copy) -> str | None:
    """An address that would be shorter through ``link()``."""
    for found in _LINK.findall(copy.text):
        if len(found) > LONGEST_LINK:
            return f"A link of {len(found)} characters."
    return None
