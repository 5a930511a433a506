"""Reading what the API is asked: one JSON object, whose fields are known, bounded and checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import request

from connector import phone
from connector.errors import Unreadable
from connector.model import Json
from connector.sources.reading import read_json
from connector.web.bodies import read_body

MAX_BYTES: Final = 64 * 1024
MAX_TEXT: Final = 2_000
MAX_ID: Final = 200
NO_PLAY: Final = "no play of this name is in use; `connector play list` names them"


def read_object(fields: Iterable[str]) -> dict[str, Json]:
    """The body, with no field that is not known: a misspelt one would be passed over in silence.

    Raises ``Unreadable`` naming what is wrong.
    """
    raw = read_body(request.environ, MAX_BYTES)
    body = read_json(raw) if raw else {}
    known = sorted(fields)
    if not isinstance(body, dict):
        raise Unreadable(f"send a JSON object with {', '.join(known)}")
    strange = sorted(str(name) for name in body if name not in known)
    if strange:
        raise Unreadable(f"{strange[0][:40]!r} is no field here; there are {', '.join(known)}")
    return body


def read_text(body: dict[str, Json], name: str, *, needed: str = "", most: int = MAX_TEXT) -> str:
    """A text of the body, "" where it is not there; ``needed`` says what it is for."""
    value = body.get(name)
    if value is None or value == "":
        if needed:
            raise Unreadable(f"{name} is missing: {needed}")
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise Unreadable(f"{name} is a text of at most {most} letters")
    return value.strip()


def read_choice(body: dict[str, Json], name: str, choices: Iterable[str], default: str = "") -> str:
    """One of some words."""
    value = body.get(name, default)
    known = tuple(choices)
    if not isinstance(value, str) or value not in known:
        raise Unreadable(f"{name} is one of {', '.join(known)}")
    return value


def read_number(written: str, country: str) -> str:
    """A telephone number as E.164; one without + is of the operator's country."""
    if not written:
        raise Unreadable("number is missing: write it as +12025550123")
    try:
        return phone.parse(written, country).e164
    except phone.NotANumber as error:
        raise Unreadable(f"the number {error}; write it as +12025550123") from None


def request_id(body: dict[str, Json]) -> str:
    """What the caller calls this request, so that asking again does nothing twice; "" if nothing.

    ``id`` of the body, or the header ``Idempotency-Key``.
    """
    return read_text(body, "id", most=MAX_ID) or read_text(
        {"id": request.headers.get("Idempotency-Key", "")}, "id", most=MAX_ID
    )
