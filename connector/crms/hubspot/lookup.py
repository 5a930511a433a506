"""What an earlier call may have made is looked up before it is made again.

Not by search, which lags by up to a minute, but by association: everything of a kind that is
tied to the contact is read, and the one that bears our reference is the one.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.crms.hubspot.activities import Activity
from connector.crms.hubspot.links import tied
from connector.crms.hubspot.names import BODY, CONTACTS
from connector.crms.hubspot.wire import Wire, parts


def look_up(wire: Wire, object: str, doubtful: Sequence[Activity]) -> dict[str, str]:
    """Key → id of what HubSpot has made of it already; the keys that are not there are absent.

    The newest are read first, since doubts are seldom old.
    """
    sought = {activity.mark: activity.change.key for activity in doubtful}
    records = dict.fromkeys(activity.change.record for activity in doubtful)
    things = tied(wire, CONTACTS, object, records)
    ids = sorted({id for some in things.values() for id in some}, key=_age)
    found: dict[str, str] = {}
    for some in parts(ids):
        for id, body in _bodies(wire, object, some).items():
            for mark, key in sought.items():
                if mark in body:
                    found[key] = min(id, found.get(key, id), key=_number)
        if len(found) == len(sought):
            break
    return found


def _bodies(wire: Wire, object: str, ids: Sequence[str]) -> dict[str, str]:
    body = {
        "inputs": [{"id": id} for id in ids],
        "properties": [BODY[object]],
        "propertiesWithHistory": [],
    }
    answer = wire.look(f"{object}-read", "objects.batch_api", "read", object, body)
    found = {}
    for item in answer.items():
        held = item.get("properties")
        text = held.get(BODY[object]) if isinstance(held, dict) else ""
        found[str(item.get("id"))] = str(text or "")
    return found


def _number(id: str) -> int:
    return int(id) if id.isdecimal() else 0


def _age(id: str) -> int:
    return -_number(id)
