"""``GET /t.js``: the tracker that pages load, from memory and packed beforehand.

``t.js`` beside this file is its source, for people; ``t.min.js`` is made of it by ``make tracker``
and is what is served.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from importlib.resources import files
from typing import Final

from flask import Blueprint, request

from connector.web.answers import Answer, answer

SOURCE: Final = "t.js"
SERVED: Final = "t.min.js"
SCRIPT: Final = "text/javascript; charset=utf-8"
MAX_AGE: Final = 3_600  #: seconds for which a browser asks no more; then the ETag spares the rest
KEPT: Final = (
    ("Cache-Control", f"public, max-age={MAX_AGE}, stale-while-revalidate=86400"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Access-Control-Allow-Origin", "*"),
    ("Vary", "Accept-Encoding"),
)
"""Any page may load it, also one that allows only what says so, or that names its hash."""


def blueprint() -> Blueprint:
    """The door for the tracker; Flask answers HEAD by it too."""
    door = Blueprint("tracker", __name__)
    plain = files(__name__).joinpath(SERVED).read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    answers = {False: _made(plain), True: _made(packed, ("Content-Encoding", "gzip"))}
    tags = {each.headers[-1][1]: each for each in answers.values()}

    @door.get("/t.js")
    def tracker() -> Answer:
        known = [tag for tag in tags if tag in request.headers.get("If-None-Match", "")]
        if known:
            return _kept(answer(304, b"", headers=(*KEPT, ("ETag", known[0]))))
        return answers[request.accept_encodings.quality("gzip") > 0]

    return door


def _made(body: bytes, *headers: tuple[str, str]) -> Answer:
    """The answer with what was made of the script, its ETag last."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return _kept(answer(200, body, SCRIPT, (*headers, *KEPT, ("ETag", tag))))


def _kept(made: Answer) -> Answer:
    """The answer as one that may be kept, as most answers may not."""
    return replace(made, headers=tuple(each for each in made.headers if each[1] != "no-store"))
