"""A reply's letters made plain: small, without accents, width, punctuation, emoji or disguise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container
from functools import lru_cache
from itertools import groupby
from typing import Final

POLITE: Final = frozenset({"please", "pls", "plz", "kindly"})

_APOSTROPHES: Final = frozenset("'’‘`´ʼ＇′")
_DRAWN_OUT: Final = re.compile(r"([^\W\d])\1{2,}")
_DISGUISED: Final = re.compile(r"\S*(?:[^\W\d_][013457$@!|]|[01357$@|][^\W\d_])\S*")
_DISGUISES: Final = str.maketrans("013457$@|", "oieastsai")
_LEFT_OUT: Final = re.compile(r"\b([mndlst]) (?=[aeiouhy]\w)")
MAX_PLAIN: Final = 3_200  #: one character may stand for eighteen letters; read as far as this
_SPELLED: Final = 3  #: single letters in a row that may spell a word


def words(text: str, *, symbols: bool = False) -> list[str]:
    """The reply in plain small letters: no accents, punctuation or emoji, no leading please.

    ``symbols`` reads letters in circles and squares as letters; otherwise they are emoji.
    """
    found = plain(text, _letter_or_symbol if symbols else _letter)
    if len(found) > 1 and all(len(word) == 1 for word in found):
        return ["".join(found)]  # S T O P, S.T.O.P.
    return found


def plain(text: str, fold: Callable[[str], str]) -> list[str]:
    """The words of a text, each letter as ``fold`` has it, without a leading please."""
    found = _DRAWN_OUT.sub(r"\1", "".join(map(fold, text))[:MAX_PLAIN].casefold()).split()
    while len(found) > 1 and found[0] in POLITE:
        del found[0]
    return found


def undisguised(text: str) -> str:
    """St0p, $top and un5ubscribe as stop and unsubscribe; digits that stand alone stay."""
    return _DISGUISED.sub(lambda found: found[0].translate(_DISGUISES), text)


def joined(found: list[str], known: Container[str]) -> list[str]:
    """Words spelled in single letters, where they spell a known one: s t o p texting."""
    whole: list[str] = []
    for single, run in groupby(found, key=lambda word: len(word) == 1):
        letters = list(run)
        spelled = "".join(letters)
        whole += [spelled] if single and len(letters) >= _SPELLED and spelled in known else letters
    return whole


def elided(said: str) -> str:
    """French where the apostrophe was left out or made a blank: m envoyez as menvoyez."""
    return _LEFT_OUT.sub(r"\1", said)


@lru_cache(maxsize=4_096)
def _letter(character: str) -> str:
    """A letter without its accents or width, nothing for a mark or apostrophe, else a blank."""
    kind = unicodedata.category(character)
    if character in _APOSTROPHES or kind[0] == "M" or kind == "Cf":
        return ""
    if kind[0] not in "LN" or character == "ℹ":  # which is a letter and an emoji
        return " "
    folded = unicodedata.normalize("NFKD", character)
    return "".join(part for part in folded if unicodedata.category(part)[0] in "LN") or " "


def _letter_or_symbol(character: str) -> str:
    folded = unicodedata.normalize("NFKD", character)
    return folded if len(folded) == 1 and folded.isalpha() else _letter(character)


def letter_or_digit(character: str) -> str:
    """As a letter, and a digit of any script, circled or not, as 0 to 9; a half is no 12."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    is_part = "⁄" in unicodedata.normalize("NFKD", character)
    return " " if is_part else _letter(character)
