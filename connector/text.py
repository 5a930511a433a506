"""Texts as the network carries them: how many segments they take, and strangers' words made safe.

The alphabet is the GSM 7-bit default alphabet with its extension table (3GPP TS 23.038).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("\f^{}\\[~]|€")

_KNOWN = BASIC | EXTENDED
_ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}  # units in a single text, in a part of several

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/|(?:mailto|tel|sms|smsto|javascript|data):", re.I)
_HOST = re.compile(r"\w[.。][^\W\d_]{2,}|[.。]xn--", re.I)
_ADDRESS = re.compile(r"(?<!\d)\d{1,3}(?:[.。]\d{1,3}){3}(?!\d)")


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs: units are septets (GSM-7) or UTF-16 code units (UCS-2)."""

    encoding: str  #: GSM-7 | UCS-2
    units: int
    segments: int
    forced_by: str = ""  #: the first character that forced UCS-2


def count(text: str) -> Segments:
    """Count a text's segments; an empty text has none.

    A provider that never splits a family emoji or a flag may count one more; what it reports
    is the truth, this is the estimate made before sending.
    """
    if _KNOWN.issuperset(text):
        encoding, forced_by, pairs = "GSM-7", "", EXTENDED
    else:
        encoding, forced_by = "UCS-2", next(letter for letter in text if letter not in _KNOWN)
        pairs = frozenset(letter for letter in text if letter > "\uffff")
    single, part = _ROOM[encoding]
    units = len(text) + sum(map(text.count, pairs))
    if units <= single:
        return Segments(encoding, units, 1 if text else 0, forced_by)
    return Segments(encoding, units, _parts(text, pairs, part), forced_by)


def _parts(text: str, pairs: frozenset[str], room: int) -> int:
    """How many parts of ``room`` units hold the text, none of the two-unit letters being split."""
    parts, left = 1, room
    for letter in text:
        cost = 2 if letter in pairs else 1
        if cost > left:
            parts, left = parts + 1, room
        left -= cost
    return parts


def clean(value: str, limit: int) -> str:
    """An untrusted string made fit for a text: at most ``limit`` characters, on one line.

    Control and invisible characters go, and so does every word that a telephone might show
    as a link (an address with a scheme, a host name, an e-mail address, an IP address).
    """
    bounded = unicodedata.normalize("NFKC", value[: 4 * limit + 256])
    visible = "".join(_visible(letter) for letter in bounded)
    words = [word for word in visible.split() if not _is_link(word)]
    return " ".join(words)[:limit].rstrip()


def _visible(letter: str) -> str:
    kind = unicodedata.category(letter)
    if letter.isspace() or kind[0] == "Z":
        return " "
    return "" if kind[0] == "C" else letter


def _is_link(word: str) -> bool:
    return bool(_HOST.search(word) or _SCHEME.search(word) or _ADDRESS.search(word))
