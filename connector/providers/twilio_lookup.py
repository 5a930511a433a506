"""Twilio Lookup v2: what kind of number one is, and whether it has a new owner.

https://www.twilio.com/docs/lookup/v2-api/line-type-intelligence
https://www.twilio.com/docs/lookup/v2-api/reassigned-number
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from connector.errors import Deferred, Refused, Uncertain
from connector.messages import LookedUp
from connector.model import Json
from connector.providers.reading import json_object
from connector.providers.twilio_errors import failure

if TYPE_CHECKING:
    from connector.providers.wire import Wire

PATH: Final = "/v2/PhoneNumbers/"
LINE_TYPE: Final = "line_type_intelligence"
OWNER: Final = "reassigned_number"

#: ``line_type_intelligence.type`` → our word; one that is not here is not known to us.
TYPES: Final[Mapping[str, str]] = {
    "mobile": "mobile",
    "landline": "fixed_line",
    "fixedVoip": "voip",
    "nonFixedVoip": "voip",
    "tollFree": "toll_free",
    "premium": "premium",
    "sharedCost": "shared_cost",
    "personal": "personal",
    "pager": "pager",
    "uan": "uan",
    "voicemail": "voicemail",
}

#: A package's error_code → why the number cannot be looked up by it, for good.
NO_ACCESS: Final[Mapping[str, str]] = {
    "60601": "Twilio looks Canadian numbers up after an approval only; ask its support for one",
}


def look_up(wire: Wire, e164: str, owner_since: date | None) -> LookedUp:
    """Ask Twilio; both packages in one call, each charged.

    A number that Twilio calls invalid is ``invalid``.
    """
    fields = LINE_TYPE if owner_since is None else f"{LINE_TYPE},{OWNER}"
    path = f"{PATH}{quote(e164, safe='')}?Fields={quote(fields, safe='')}"
    if owner_since is not None:
        path += f"&LastVerifiedDate={owner_since:%Y%m%d}"
    answer = wire.get(path)
    if answer.status != 200:
        raise failure(answer)
    found = json_object(answer.body)
    if found.get("valid") is False:
        return LookedUp("invalid")
    if "valid" not in found:
        raise Uncertain("Twilio's answer to a look-up is unreadable")
    return LookedUp(_type(_package(found, LINE_TYPE)), _owner(found, owner_since))


def _package(found: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """A package of the answer; raises where it tells an error instead."""
    package = found.get(name)
    if not isinstance(package, dict):
        raise Uncertain("Twilio's answer to a look-up is unreadable")
    code = str(package.get("error_code") or "")
    if code in NO_ACCESS:
        raise Refused(
            f"Twilio answered {code}: {NO_ACCESS[code]}", reason="configuration", code=code
        )
    if code:
        raise Deferred(f"Twilio answered {code} to a look-up", reason="unavailable", code=code)
    return package


def _type(package: Mapping[str, Json]) -> str:
    return TYPES.get(str(package.get("type")), "")


def _owner(found: Mapping[str, Json], owner_since: date | None) -> bool | None:
    if owner_since is None:
        return None
    told = _package(found, OWNER).get("is_number_reassigned")
    return {"yes": True, "no": False}.get(str(told))
