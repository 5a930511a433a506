"""Parts of the interface document that its chapters share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Part = dict[str, Any]

PROBLEM: Final[Part] = {"$ref": "#/components/schemas/Problem"}
REASONS: Final[Mapping[int, str]] = {
    400: "The body as a whole cannot be read.",
    401: "The key or the signature is not one known here.",
    403: "The key is known, but not for this; the message names the scope it lacks.",
    404: "No such name is configured.",
    409: "The id was used for another request, or the files are at fault and those in use stay.",
    405: "The method is not one of this address; Allow names them.",
    413: "The body, packed or unpacked, is larger than this address takes.",
    415: "The body is encoded in another way than gzip.",
    429: "Too much of this source waits already, or too many keys were wrong; see Retry-After.",
    503: "The disk refuses writes, or the ledger is busy: nothing was kept; see Retry-After.",
}


def body(schema: Part) -> Part:
    """A request with a JSON body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def parameter(name: str) -> Part:
    """A name that stands in the address."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }


def responses(schema: Part, *problems: int, content_type: str = "application/json") -> Part:
    """What is answered: 200 by a schema, and each problem."""
    found: Part = {"200": {"description": "Done.", "content": {content_type: {"schema": schema}}}}
    for status in problems:
        found[str(status)] = {
            "description": REASONS[status],
            "content": {"application/json": {"schema": PROBLEM}},
            **_headers(status),
        }
    return found


def _headers(status: int) -> Part:
    named = {405: ("Allow", "string"), 429: ("Retry-After", "integer")}
    named[503] = named[429]
    if status not in named:
        return {}
    name, kind = named[status]
    return {"headers": {name: {"required": True, "schema": {"type": kind}}}}
