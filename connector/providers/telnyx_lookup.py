"""Telnyx Number Lookup: what kind of number one is.

https://developers.telnyx.com/api-reference/number-lookup/lookup-phone-number-data
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from connector.errors import Uncertain
from connector.messages import LookedUp
from connector.providers.reading import inside, json_object, written
from connector.providers.telnyx_errors import failure

if TYPE_CHECKING:
    from connector.providers.wire import Wire

PATH: Final = "/v2/number_lookup/"

#: ``carrier.type`` → our word; one that is not here says nothing certain.
TYPES: Final[Mapping[str, str]] = {
    "mobile": "mobile",
    "fixed line": "fixed_line",
    "voip": "voip",
    "toll free": "toll_free",
    "premium rate": "premium",
    "shared cost": "shared_cost",
    "personal number": "personal",
    "pager": "pager",
    "uan": "uan",
    "voicemail": "voicemail",
}


def look_up(wire: Wire, e164: str) -> LookedUp:
    """Ask Telnyx, which charges each call; it does not tell whether a number has a new owner.

    Raises ``Refused`` where this number cannot be looked up, ``Deferred`` or ``Uncertain`` where
    it may be asked again later.
    """
    answer = wire.get(f"{PATH}{quote(e164, safe='')}?type=carrier")
    if answer.status != 200:
        raise failure(answer)
    data = json_object(answer.body).get("data")
    if inside(data, "valid_number") is False:
        return LookedUp("invalid")
    if not isinstance(inside(data, "carrier"), dict):
        raise Uncertain("Telnyx's answer to a look-up is unreadable")
    return LookedUp(TYPES.get(written(inside(data, "carrier", "type")), ""))
