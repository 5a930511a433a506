"""What the rules of the copy check read: a text, with what is known of the play around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

FILLED: Final = "\ufffc"
"""Stands where a template has a value of its own; no rule takes it for words."""

_PRINT: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TAG: Final = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_BRANCH: Final = re.compile(
    r"\{%-?\s*(?:else|elif\b[^%]*)\s*-?%\}.*?\{%-?\s*endif\s*-?%\}", re.DOTALL
)
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


@dataclass(frozen=True)
class Copy:
    """One template in one language, and what its play promises.

    ``paths`` are the dotted paths it reads, ``facts`` names of facts the play's start supplies.
    """

    source: str
    language: str = "en"
    purpose: str = "marketing"
    brand: str = ""
    paths: frozenset[str] = frozenset()
    next_step: str = ""
    has_end: bool = False  #: the play or template has a valid_until
    answers: tuple[str, ...] = ()
    max_segments: int | None = None
    allowed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """The words as a person would read them: first branches only, values as ``FILLED``."""
        words = _BRANCH.sub("", self.source)
        words = _PRINT.sub(self._shown, words)
        return _TAG.sub("", words).strip()

    @cached_property
    def folded(self) -> str:
        """The words in small letters with plain quotes and single blanks."""
        return " ".join(self.text.translate(_QUOTES).casefold().split())

    def _shown(self, found: re.Match[str]) -> str:
        inside = found[1].strip()
        if inside == "brand":
            return self.brand or "Corner Shop"
        if inside.startswith("link("):
            return "https://l.example/l/Ab3dEf6hJk"
        if inside.endswith("_url") or "_url " in inside:
            return "https://corner.example/x"
        return FILLED


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to be said of a text or a trigger."""

    code: str
    says: str
    reason: str
    better: str


def phrase(text: str, phrases: Iterable[str]) -> str:
    """The first of some phrases that stands in a folded text as whole words, or ""."""
    for wanted in phrases:
        if re.search(rf"(?<![\w]){wanted}(?![\w])", text):
            return re.search(rf"(?<![\w]){wanted}(?![\w])", text)[0]  # type: ignore[index]
    return ""
