"""Phrases with gaps, written as plain lines and found in a reply's normalised words.

A line is words in order, as people say them without capitals, accents and apostrophes:

- ``a|b`` is either; ``{group}`` any word of a group of the language; ``a_b`` two words as one
- ``word*`` is any word that begins so; ``word?`` may be missing; ``#`` is a number
- ``~2`` is up to two words of any kind; ``@`` is a word that was found to be a name
- ``^`` at the beginning and ``$`` at the end (``a|$``: a, or the end) are the reply's ends
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

MASK: Final = "·"  #: stands for words that were taken out; no gap reaches across it

_WORD: Final = rf"[^\s{MASK}]+ "
_KEY: Final = 2  #: letters of a word by which the lines that may begin with it are found


@dataclass(frozen=True, slots=True)
class Language:
    """What people say in one language: groups of words, and lines by what they mean.

    ``wrong`` is said by another person; ``out`` is a wish for no more texts, ``unclear`` may be
    one. ``negated`` ("don't stop") and ``beside`` ("cancel my order") say a stop word and mean
    something else or the opposite; ``meant`` ("you don't stop texting") only looks negated.
    ``asking`` wonders how we came to the number; ``harmless`` only looks like
    any of these.
    """

    groups: Mapping[str, str]
    wrong: str
    negated: str
    meant: str
    beside: str
    asking: str
    harmless: str
    out: str
    unclear: str


class Phrases:
    """The lines of one meaning in all languages, found by the first letters of their first word.

    Only the lines that may begin with a word are tried on it, so a reply costs little however
    many lines there are. They are compiled when first tried: all at once would take a second,
    and most commands never read a reply.
    """

    def __init__(self, lines: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        self._lines: Final = lines
        self._compiled: Final[dict[str, re.Pattern[str]]] = {}

    @cached_property
    def _gathered(self) -> tuple[str, dict[str, list[str]]]:
        """What holds to a reply's beginning, and all else by how its first word begins."""
        gathered: dict[str, list[str]] = {}
        anchored: list[str] = []
        for line, groups in _opened(self._lines):
            words = line.split()
            if words[0] == "^":
                anchored.append("".join(_token(word, groups) for word in words[1:]))
                continue
            rest = "".join(_token(word, groups) for word in words[1:])
            for first in _spellings(words[0], groups):
                gathered.setdefault(first[:_KEY], []).append(f"{_spelled(first)} {rest}")
        return "|".join(anchored) or "(?!)", gathered

    @cached_property
    def _anchored(self) -> re.Pattern[str]:
        return re.compile(self._gathered[0])

    def _by_key(self, key: str) -> re.Pattern[str] | None:
        if key not in self._compiled and key in self._gathered[1]:
            self._compiled[key] = re.compile("|".join(self._gathered[1][key]))
        return self._compiled.get(key)

    def find(self, said: str) -> re.Match[str] | None:
        """The first phrase in a reply of normalised words, each followed by a blank."""
        return next(self.each(said), None)

    def each(self, said: str) -> Iterator[re.Match[str]]:
        """Every phrase, by where it begins; none begins within the one before it."""
        if found := self._anchored.match(said):
            yield found
        at = found.end() if found else 0
        while at < len(said):
            end = said.index(" ", at)
            pattern = self._by_key(said[at : min(at + _KEY, end)])
            found = pattern.match(said, at) if pattern else None
            if found:
                yield found
            at = max(end + 1, found.end() if found else 0)


def lines(languages: Iterable[Language], meaning: str) -> list[tuple[str, Mapping[str, str]]]:
    """The lines of one meaning, each with the groups of its language."""
    return [
        (line, language.groups)
        for language in languages
        for line in getattr(language, meaning).splitlines()
        if line.strip()
    ]


def vocabulary(languages: Iterable[Language]) -> frozenset[str]:
    """Every plain word that a line or a group names."""
    found: set[str] = set()
    for language in languages:
        texts = (getattr(language, field) for field in language.__slots__ if field != "groups")
        for text in (*texts, *language.groups.values()):
            found.update(re.split(r"[\s|_?]+", text))
    return frozenset(word for word in found if word.isalnum())


def _opened(
    lines: Iterable[tuple[str, Mapping[str, str]]],
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The lines, one whose first word may be missing once with and once without it."""
    for line, groups in lines:
        first, _, rest = line.partition(" ")
        if first.endswith("?"):
            yield from ((f"{first[:-1]} {rest}", groups), (rest, groups))
        else:
            yield line, groups


def _spellings(token: str, groups: Mapping[str, str]) -> list[str]:
    """What stands in a token, its groups opened: words, or beginnings of words with a star."""
    found: list[str] = []
    for part in token.split("|"):
        group, _, ending = part.removeprefix("{").partition("}")
        found += [word + ending for word in groups[group].split()] if part[0] == "{" else [part]
    return [spelling.replace("_", " ") for spelling in found]


def _spelled(spelling: str) -> str:
    if spelling == "#":
        return r"\d\w*"
    if spelling.endswith("*"):
        return re.escape(spelling[:-1]) + r"\w*"
    return re.escape(spelling)


def _token(token: str, groups: Mapping[str, str]) -> str:
    if token[0] == "$":
        return "$"
    if token[0] == "~":
        return f"(?:{_WORD}){{0,{int(token[1:])}}}?"
    spellings = _spellings(token.removesuffix("?"), groups)
    either = "|".join(_spelled(spelling) for spelling in spellings if spelling != "$")
    end = "|$" if "$" in spellings else ""
    return f"(?:(?:{either}) {end})" + ("?" if token.endswith("?") else "")
