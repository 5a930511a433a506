"""Makes connector/rules/replies/weights.py: ``python tests/tools/make_reply_weights.py > …``.

Needs scikit-learn, which the product does not. Fits a logistic regression to the labelled replies
of tests/replies/train.tsv and develop.tsv; with ``--measure`` it tells instead what thresholds
would do, by cross-validation, and leaves frozen.tsv and blind.tsv alone.
"""

from __future__ import annotations

import base64
import sys
import textwrap
import zlib
from math import sqrt
from pathlib import Path

import numpy
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from connector.model import Label
from connector.rules.replies import understood
from connector.rules.replies.likeness import features
from connector.rules.replies.weights import BITS

REPLIES = Path(__file__).parents[1] / "replies"
FITTED = ("train.tsv", "develop.tsv")
WANTS_OUT = (Label.opt_out, Label.wrong_person)
STRENGTH = 30.0  #: the inverse of the regularisation
LINE = 99
HEAD = '''"""What the model of ``likeness`` learned from labelled replies."""

# Made by tests/tools/make_reply_weights.py from tests/replies; do not edit by hand.

from __future__ import annotations

from typing import Final

BITS: Final = {bits}  #: of the place of a piece in the table
BIAS: Final = {bias:.6f}
SCALE: Final = {scale:.9f}  #: of a weight that is kept as -127 to 127
PACKED: Final = """
{packed}
"""
'''


def lines() -> list[tuple[Label, str]]:
    """Label and text of every reply that the model is fitted to, each text once."""
    found: dict[str, Label] = {}
    for name in FITTED:
        for row in (REPLIES / name).read_text(encoding="utf-8").splitlines():
            if row and not row.startswith("# "):
                label, _, text = row.split("\t", 2)
                found.setdefault(text, Label(label))
    return [(label, text) for text, label in found.items()]


def matrix(texts: list[str]) -> csr_matrix:
    """One row a reply: its pieces, each as heavy as the reply has few."""
    rows = [features(text) for text in texts]
    heights = numpy.cumsum([0, *map(len, rows)])
    places = [place for row in rows for place in sorted(row)]
    heavy = [1 / sqrt(len(row)) for row in rows for _ in row]
    return csr_matrix((heavy, places, heights), shape=(len(rows), 1 << BITS))


def model() -> LogisticRegression:
    """What is fitted."""
    return LogisticRegression(C=STRENGTH, max_iter=5_000)


def make() -> str:
    """The module."""
    known = lines()
    wanted = [label in WANTS_OUT for label, _ in known]
    fitted = model().fit(matrix([text for _, text in known]), wanted)
    scale = float(abs(fitted.coef_).max()) / 127
    packed = zlib.compress((fitted.coef_[0] / scale).round().astype("int8").tobytes(), 9)
    written = "\n".join(textwrap.wrap(base64.b85encode(packed).decode(), LINE))
    assert '"""' not in written and "\\" not in written
    bias = float(fitted.intercept_[0])
    return HEAD.format(bits=BITS, bias=bias, scale=scale, packed=written)


def measure() -> None:
    """What each threshold would hold, of the replies that the phrases leave unexplained."""
    known = lines()
    wanted = [label in WANTS_OUT for label, _ in known]
    folds = StratifiedKFold(10, shuffle=True, random_state=1)
    found = cross_val_predict(
        model(), matrix([text for _, text in known]), wanted, cv=folds, method="predict_proba"
    )[:, 1]
    left = [understood(text).label is Label.none for _, text in known]
    for threshold in (0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
        for label in (*WANTS_OUT, Label.hold, Label.none):
            asked = [at for at, (each, _) in enumerate(known) if each is label]
            passed = sum(left[at] and found[at] < threshold for at in asked)
            print(f"{threshold}: {label}: {passed} of {len(asked)} neither stop nor are held")


if __name__ == "__main__":
    measure() if "--measure" in sys.argv else print(make(), end="")
