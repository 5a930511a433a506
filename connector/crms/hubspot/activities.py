"""Activities as HubSpot keeps them: a text or reply as a communication, a note, a task.

https://developers.hubspot.com/docs/api-reference/crm-communications-v3/guide
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from connector.crms.hubspot.links import Labels
from connector.crms.hubspot.names import BODY, COMMUNICATIONS, ENGAGEMENTS, NOTES, TASKS, is_id
from connector.crms.hubspot.values import instant, stamp
from connector.model import Json
from connector.records import Writeback, reference

WORDS: Final = ("kind", "subject", "body", "status", "occurred_at")
SUBJECT: Final = 255  #: characters
TEXT: Final = 10_000  #: characters, before they are escaped
DONE: Final = frozenset({"done", "completed"})
HOT: Final = "task:reply:"  #: how the key of a task begins for which a person waits
_KINDS: Final = {"activity": frozenset(ENGAGEMENTS) - {"task"}, "task": frozenset(ENGAGEMENTS)}


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity to be made or brought up to date, and the changes that ask for it."""

    object: str  #: communications, notes, tasks
    change: Writeback  #: its last wording
    changes: tuple[str, ...]  #: ids of all that this answers
    made: str = ""
    in_doubt: bool = False

    @property
    def mark(self) -> str:
        """What its body bears, to be found by."""
        return mark(self.change.key)

    @property
    def has_more(self) -> bool:
        """Whether it names anybody but the contact, who may no longer be there."""
        return bool(self.change.related) or (self.object == TASKS and bool(self.change.owner))

    def bare(self) -> Activity:
        """The same for the contact alone."""
        return replace(self, change=replace(self.change, related={}, owner=""))


def mark(key: str) -> str:
    """The words that stand in the body of what was made for this key."""
    return f"ref {reference(key)}"


def fault(change: Writeback) -> str:
    """Why a change can be no activity here, or ""."""
    if change.kind not in _KINDS:
        return f"there is no kind of change called {change.kind}"
    missing = [name for name in WORDS if not isinstance(change.change.get(name), str)]
    if missing:
        return f"the {change.kind} lacks {', '.join(missing)}"
    if change.change["kind"] not in _KINDS[change.kind]:
        return f"there is no kind of {change.kind} called {change.change['kind']!s:.40}"
    if instant(change.change["occurred_at"]) is None:
        return f"the {change.kind}'s occurred_at is no instant"
    return ""


def gather(changes: Iterable[Writeback]) -> list[Activity]:
    """One activity for each key, in the last of its wordings."""
    found: dict[tuple[str, str], Activity] = {}
    for change in changes:
        kind = "task" if change.kind == "task" else str(change.change["kind"])
        object = ENGAGEMENTS[kind]
        before = found.get((object, change.key))
        made = change.made or (before.made if before else "")
        found[object, change.key] = Activity(
            object,
            change,
            ((*before.changes, change.id) if before else (change.id,)),
            made if is_id(made) else "",
            change.in_doubt or bool(before and before.in_doubt),
        )
    return list(found.values())


def made_anew(activity: Activity) -> dict[str, str]:
    """The properties with which an activity is made."""
    change = activity.change.change
    at = instant(change["occurred_at"])
    assert at is not None  # noqa: S101 - seen to by fault()
    common = {"hs_timestamp": stamp(at), BODY[activity.object]: body_of(activity.change)}
    if activity.object == COMMUNICATIONS:
        return {
            "hs_communication_channel_type": "SMS",
            "hs_communication_logged_from": "CRM",
            **common,
        }
    if activity.object == NOTES:
        return common
    owner = activity.change.owner
    return {
        **common,
        "hs_task_subject": str(change["subject"])[:SUBJECT],
        "hs_task_status": "COMPLETED" if _is_done(change) else "NOT_STARTED",
        "hs_task_priority": "HIGH" if activity.change.key.startswith(HOT) else "MEDIUM",
        "hs_task_type": "TODO",
        **({"hubspot_owner_id": owner} if is_id(owner) else {}),
    }


def brought_up(activity: Activity) -> dict[str, str]:
    """The properties of one that stands there already; what people may have set is left alone."""
    change = activity.change.change
    if activity.object in (COMMUNICATIONS, NOTES):
        made = made_anew(activity)
        return {name: made[name] for name in ("hs_timestamp", BODY[activity.object])}
    return {
        "hs_task_subject": str(change["subject"])[:SUBJECT],
        BODY[activity.object]: body_of(activity.change),
        **({"hs_task_status": "COMPLETED"} if _is_done(change) else {}),
    }


def body_of(change: Writeback) -> str:
    """The words as HTML: how it stands and what was said, what it came of, and our reference."""
    said = change.change
    text = escape(str(said["body"])[:TEXT], quote=False).replace("\n", "<br>")
    status = escape(str(said["status"])[:SUBJECT], quote=False)
    subject = escape(str(said["subject"])[:SUBJECT], quote=False)
    first = ": ".join(part for part in (status, text) if part)
    return f"<p>{first}</p><p>{subject}</p><p>{mark(change.key)}</p>"


def associations(activity: Activity, labels: Labels) -> list[dict[str, Json]]:
    """What an activity is put on: the contact, and what beside it can be named."""
    things = {"contact": activity.change.record, **activity.change.related}
    found = []
    for word, id in things.items():
        kind = labels.of(activity.object, word) if is_id(id) else None
        if kind is not None:
            types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
            found.append({"to": {"id": id}, "types": types})
    return found


def of_object(activities: Sequence[Activity], object: str) -> list[Activity]:
    """Those that become this object."""
    return [activity for activity in activities if activity.object == object]


def _is_done(change: Mapping[str, Json]) -> bool:
    return str(change["status"]).lower() in DONE
