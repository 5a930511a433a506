"""How much a reply that no phrase explains is like the replies of people who want out.

A linear model over the pieces of a reply: runs of two to five letters, its words, its pairs of
words. It was fitted by logistic regression (scikit-learn) to labelled replies; what it learned
stands in ``weights``, which ``tests/tools/make_reply_weights.py`` makes. It never stops or starts
anything: a reply that is like those is held for a person (docs/decisions/0006).
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from math import exp, sqrt
from typing import Final

from connector.rules.replies import weights
from connector.rules.replies.letters import letter_or_digit, plain

LIKE: Final = 0.3
"""From here on a reply is held: found by cross-validation on the replies it was fitted to."""
SHORTEST, LONGEST = 2, 5  #: letters of a run
MAX_LETTERS: Final = 400  #: of a reply are read


def likeness(text: str) -> float:
    """The share of replies like this one that want no more texts, 0 to 1, as the model has it."""
    found = features(text)
    if not found or not weights.PACKED:
        return 0.0
    table = _table()
    score = sum(table[place] for place in found) * weights.SCALE / sqrt(len(found)) + weights.BIAS
    return 1.0 / (1.0 + exp(-score))


def features(text: str) -> frozenset[int]:
    """The places in the table of weights that a reply's pieces have, each once."""
    mask = (1 << weights.BITS) - 1
    return frozenset(zlib.crc32(piece.encode()) & mask for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    whole = " ".join(plain(text[:MAX_LETTERS], letter_or_digit))[:MAX_LETTERS]
    found, said = whole.split(), f" {whole} "
    if len(said) > SHORTEST:
        for length in range(SHORTEST, LONGEST + 1):
            yield from (said[at : at + length] for at in range(len(said) - length + 1))
    yield from (f"\t{word}" for word in found)
    yield from (f"{one}\t{other}" for one, other in pairwise(found))


@cache
def _table() -> tuple[int, ...]:
    """The weights as numbers of -127 to 127; unpacked when the first reply is asked about."""
    packed = zlib.decompress(base64.b85decode("".join(weights.PACKED.split())))
    return tuple(byte - 256 if byte > 127 else byte for byte in packed)
