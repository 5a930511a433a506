"""Words with one slip of the thumb: a letter missing, doubled, wrong, or two in wrong order.

An own table of the words with one letter left out: exact for one slip, a few look-ups for a word
however many words are known, and no dependency. ``difflib`` measures likeness, not slips, and
takes "shop" for as near to "stop" as "sotp".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property


class Slips:
    """Known words, found again from a word that is one slip away from one of them."""

    def __init__(self, known: Iterable[str], ordinary: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._ordinary = frozenset(ordinary)  # real words that only look like slips

    @cached_property
    def _shorter(self) -> dict[str, list[str]]:
        """The known words by themselves and by each of them with a letter left out."""
        shorter: dict[str, list[str]] = {}
        for word in sorted(self._known):
            for short in {word, *_shortened(word)}:
                shorter.setdefault(short, []).append(word)
        return shorter

    def meant(self, word: str) -> str:
        """The known word that was meant, the word itself where it is one, or ""."""
        if word in self._known:
            return word
        if word in self._ordinary:
            return ""
        near = (
            known
            for short in (word, *_shortened(word))
            for known in self._shorter.get(short, ())
            if _one_slip(word, known)
        )
        return next(near, "")


def _shortened(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def _one_slip(said: str, meant: str) -> bool:
    """Whether one letter was left out, put in, changed, or swapped with its neighbour."""
    if abs(len(said) - len(meant)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(said, meant, strict=False)) if a != b), None)
    if at is None:
        return True
    if len(said) != len(meant):
        longer, shorter = sorted((said, meant), key=len, reverse=True)
        return longer[at + 1 :] == shorter[at:]
    swapped = said[at : at + 2] == meant[at : at + 2][::-1] and said[at + 2 :] == meant[at + 2 :]
    return swapped or said[at + 1 :] == meant[at + 1 :]
