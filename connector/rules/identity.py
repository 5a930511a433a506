"""Whether a page's event may speak for the user it names: where your server signed the user's id.

A page's write key is public, so anybody may write anybody's user id into an event. Only your
server can sign one, by HMAC-SHA256 with a secret that never is in a page. What was found stands
in the event itself, so that a replay of it, years later, needs no secret.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.model import Event, Json, Trust

HASH: Final = "userHash"
"""Where the signature stands: in the event, or (libraries that add no field) in its context."""
MARK: Final = "identity"  #: what was found, in the event's payload
PROVEN: Final = "proven"
UNPROVEN: Final = "unproven"


def signature(user_id: str, secret: bytes) -> str:
    """What a page must bear to speak for a user: HMAC-SHA256 of the id, in hexadecimal."""
    return hmac.digest(secret, user_id.encode(errors="replace"), "sha256").hex()


def checked(event: Event, trust: Trust, secrets: Sequence[bytes] | None) -> Event:
    """The event with what its signature proves.

    ``secrets`` are what ids may be signed with, the newer one first; None where the source is
    believed as it comes. A signature is as good as a password, so none is kept; and of one who
    is not trusted, neither is a mark that they made themselves.
    """
    if trust is Trust.trusted:
        return event
    payload, context = dict(event.payload), event.payload.get("context")
    told = payload.pop(HASH, None)
    was_marked = payload.pop(MARK, None) is not None
    if isinstance(context, Mapping) and HASH in context:
        told = told or context[HASH]
        payload["context"] = {name: value for name, value in context.items() if name != HASH}
    elif secrets is None and told is None and not was_marked:
        return event
    if secrets is not None:
        payload[MARK] = PROVEN if _is_signed(payload.get("userId"), told, secrets) else UNPROVEN
    return replace(event, payload=payload)


def proven(payload: Mapping[str, Json]) -> str | None:
    """The user id that a page's event may speak for; "" for none, None where none was asked."""
    mark = payload.get(MARK)
    if mark is None:
        return None
    return str(payload.get("userId")) if mark == PROVEN else ""


def _is_signed(user_id: Json, told: Json, secrets: Sequence[bytes]) -> bool:
    """Whether any secret gives this signature; every one is tried, in the same time."""
    if not isinstance(user_id, str) or not user_id or not isinstance(told, str):
        return False
    given = told.strip().lower().encode(errors="replace")
    found = [hmac.compare_digest(signature(user_id, each).encode(), given) for each in secrets]
    return any(found)
