"""HubSpot's associations: what belongs to what, and by which type two objects are tied.

https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

from connector.crms.hubspot.names import ASSOCIATIONS, PLURALS
from connector.crms.hubspot.wire import Wire, parts
from connector.errors import CrmUnavailable

MOST_PAGES: Final = 50  #: of the things tied to one record


class Labels:
    """The association type of two objects: the documented one, else asked for once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: dict[tuple[str, str], int | None] = {**ASSOCIATIONS}
        self._lock = threading.Lock()

    def of(self, object: str, word: str) -> int | None:
        """The default type from an object to one of our words; None where it cannot be had."""
        pair = (object, word)
        if word not in PLURALS:
            return None
        with self._lock:
            if pair not in self._known:
                self._known[pair] = self._asked(object, PLURALS[word])
            return self._known[pair]

    def _asked(self, object: str, plural: str) -> int | None:
        api = "associations.v4.schema.definitions_api"
        try:
            found = self._wire.look("labels-read", api, "get_all", object, plural).items()
        except CrmUnavailable as error:
            if error.code not in ("forbidden", "malformed"):
                raise
            return None
        for item in found:
            kind = item.get("typeId")
            is_default = item.get("category") == "HUBSPOT_DEFINED" and not item.get("label")
            if is_default and isinstance(kind, int):
                return kind
        return None


def tied(wire: Wire, start: str, end: str, ids: Iterable[str]) -> dict[str, list[str]]:
    """For each record of ``start`` the ids of what of ``end`` is tied to it."""
    found: dict[str, list[str]] = {id: [] for id in ids}
    asked: list[dict[str, str]] = [{"id": id} for id in found]
    for _ in range(MOST_PAGES):
        onward: list[dict[str, str]] = []
        for some in parts(asked):
            onward += _page(wire, start, end, some, found)
        if not onward:
            return found
        asked = onward
    return found


def _page(
    wire: Wire, start: str, end: str, asked: Sequence[dict[str, str]], found: dict[str, list[str]]
) -> list[dict[str, str]]:
    """Note one page of answers; what is to be asked on."""
    body = {"inputs": list(asked)}
    api, kind = "associations.v4.batch_api", f"{start}-{end}-read"
    onward = []
    for item in wire.look(kind, api, "get_page", start, end, body).items():
        id = str(_inside(item, "from", "id") or "")
        to = item.get("to")
        if id in found and isinstance(to, list):
            ids = (str(each.get("toObjectId")) for each in to if isinstance(each, dict))
            found[id] += [each for each in ids if each not in found[id]]
            after = _inside(item, "paging", "next", "after")
            if after:
                onward.append({"id": id, "after": str(after)})
    return onward


def _inside(item: Any, *names: str) -> Any:
    for name in names:
        item = item.get(name) if isinstance(item, dict) else None
    return item
