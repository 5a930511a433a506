"""Changes made in HubSpot: as few calls as can be, nothing made twice, a verdict on each.

1. What cannot be made at all has its verdict before any call.
2. Activities of one key are one, in their last wording; those in doubt are looked up first.
3. What is new is made, what stands there is brought up to date, a hundred in a call.
4. A contact's properties are settled into one update of its record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from connector.crms.hubspot import activities, callbacks, fields
from connector.crms.hubspot.activities import Activity
from connector.crms.hubspot.batches import Input, Outcome, Outcomes, Unknown, send
from connector.crms.hubspot.failures import EVERYWHERE, Refusal
from connector.crms.hubspot.links import Labels
from connector.crms.hubspot.lookup import look_up
from connector.crms.hubspot.names import BODY, COMMUNICATIONS, CONTACTS, NOTES, STAGE, TASKS, is_id
from connector.crms.hubspot.reading import batch_read, matched, properties
from connector.crms.hubspot.shapes import Known
from connector.crms.hubspot.stages import Stages
from connector.crms.hubspot.wire import Wire, parts
from connector.errors import CrmUnavailable
from connector.records import Writeback, Written

NO_RECORD: Final = (
    "no single contact in HubSpot bears the person's number or e-mail: make one there, or tell "
    "the connector its id, then `connector writebacks retry`"
)

Verdicts = dict[str, Written]  #: by the change's id


class Writer:
    """Makes changes."""

    def __init__(self, wire: Wire, known: Known, labels: Labels, stages: Stages) -> None:
        self._wire, self._known, self._labels = wire, known, labels
        self._stages = stages

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """A verdict on each; ``CrmUnavailable`` bears those that had come before."""
        verdicts: Verdicts = {}
        try:
            callbacks.complete(self._wire, changes, verdicts)
            others = [change for change in changes if change.id not in verdicts]
            sound = [change for change in others if not _turned_away(change, verdicts)]
            found = activities.gather(change for change in sound if change.kind != "fields")
            for object in (COMMUNICATIONS, NOTES, TASKS):
                self._activities(object, activities.of_object(found, object), verdicts)
            self._fields([change for change in sound if change.kind == "fields"], verdicts)
        except CrmUnavailable as error:
            error.written = tuple(verdicts.values())
            raise
        return [verdicts[change.id] for change in changes]

    def _activities(self, object: str, found: Sequence[Activity], verdicts: Verdicts) -> None:
        doubtful = [each for each in found if each.in_doubt and not each.made]
        there = look_up(self._wire, object, doubtful) if doubtful else {}
        made = {each.change.key: each.made or there.get(each.change.key, "") for each in found}
        new = [each for each in found if not made[each.change.key]]
        old = [each for each in found if made[each.change.key]]
        for some in parts(new):
            self._make(object, some, verdicts)
        for some in parts(old):
            inputs = [_update(each, made[each.change.key]) for each in some]
            self._send("update", object, inputs, some, verdicts)

    def _make(self, object: str, some: Sequence[Activity], verdicts: Verdicts) -> None:
        """Make activities; one whose deal or owner may be why it is refused is made without."""
        self._send("create", object, [self._new(each) for each in some], some, verdicts)
        again = [each.bare() for each in some if each.has_more and _is_refused(each, verdicts)]
        self._send("create", object, [self._new(each) for each in again], again, verdicts)

    def _new(self, activity: Activity) -> Input:
        return Input(
            activity.change.id,
            activities.made_anew(activity),
            associations=activities.associations(activity, self._labels),
            mark=(BODY[activity.object], activity.mark),
            changes=frozenset(activity.changes),
        )

    def _send(
        self,
        act: str,
        object: str,
        inputs: Sequence[Input],
        some: Sequence[Activity],
        verdicts: Verdicts,
    ) -> None:
        found: Outcomes = {}
        try:
            send(self._wire, act, object, inputs, found)
        finally:
            for each in some:
                if each.change.id in found:
                    _note(each.changes, found[each.change.id], verdicts)

    def _fields(self, changes: Sequence[Writeback], verdicts: Verdicts) -> None:
        by_record: dict[str, list[Writeback]] = {}
        for change in changes:
            by_record.setdefault(change.record, []).append(change)
        for some in parts(list(by_record.items())):
            self._contacts(dict(some), verdicts)

    def _contacts(self, some: Mapping[str, list[Writeback]], verdicts: Verdicts) -> None:
        shapes = self._known.of("contact")
        held = self._held(some)
        inputs = []
        for record, changes in some.items():
            stands = held.get(record)
            if stands is None:
                error = Refusal(404, "OBJECT_NOT_FOUND", "the contact is not in HubSpot")
                _note([change.id for change in changes], error, verdicts)
                continue
            values = fields.settled(changes, stands, shapes, STAGE)
            if values:
                inputs.append(Input(changes[-1].id, values, record))
            else:
                _note([change.id for change in changes], record, verdicts)
        self._update(inputs, some, verdicts)

    def _update(
        self, inputs: Sequence[Input], some: Mapping[str, list[Writeback]], verdicts: Verdicts
    ) -> None:
        """Set properties; where HubSpot refuses the stage alone, set the others."""
        found: Outcomes = {}
        try:
            send(self._wire, "update", CONTACTS, inputs, found)
            stuck = [each for each in inputs if self._is_stuck(each, found.get(each.trace))]
            send(self._wire, "update", CONTACTS, [self._bare(each) for each in stuck], found)
        finally:
            for each in inputs:
                self._settle(each, some[each.id], found.get(each.trace), verdicts)

    def _settle(
        self,
        each: Input,
        changes: Sequence[Writeback],
        outcome: Outcome | None,
        verdicts: Verdicts,
    ) -> None:
        if outcome is None:
            return
        _note([change.id for change in changes], outcome, verdicts)
        if isinstance(outcome, Refusal) and {outcome.code, outcome.category} & EVERYWHERE:
            self._known.forget()
        if isinstance(outcome, str) and STAGE in each.properties:
            self._stages.see(each.id, each.properties[STAGE])

    def _is_stuck(self, each: Input, outcome: Outcome | None) -> bool:
        is_stage = isinstance(outcome, Refusal) and outcome.properties == (STAGE,)
        return is_stage and len(each.properties) > 1 and STAGE in each.properties

    def _bare(self, each: Input) -> Input:
        left = {name: text for name, text in each.properties.items() if name != STAGE}
        return Input(each.trace, left, each.id)

    def _held(self, some: Mapping[str, list[Writeback]]) -> dict[str, dict[str, str]]:
        """What the records hold of that which must be known first; only those are read."""
        held: dict[str, dict[str, str]] = {}
        asked: dict[str, set[str]] = {}
        for record, changes in some.items():
            names, seen = fields.wants(changes, STAGE), self._stages.of(record)
            if names == {STAGE} and seen is not None:
                held[record] = {STAGE: seen}
            elif names:
                asked[record] = names
            else:
                held[record] = {}
        every = sorted(set().union(*asked.values()))
        ids = list(asked)
        items = matched(ids, batch_read(self._wire, CONTACTS, ids, every) if ids else [])
        for record, item in items.items():
            stands = properties(item)
            held[record] = {name: str(stands.get(name) or "") for name in every}
            if STAGE in every:
                self._stages.see(record, held[record][STAGE])
        return held


def _turned_away(change: Writeback, verdicts: Verdicts) -> bool:
    """Whether a change cannot be made at all, and its verdict then."""
    why = fields.fault(change) if change.kind == "fields" else activities.fault(change)
    if why:
        verdicts[change.id] = Written(change.id, False, True, error=why, code="unreadable")
    elif not is_id(change.record):
        says = "the person has no contact in HubSpot" if not change.record else "it is no record id"
        verdicts[change.id] = Written(
            change.id, False, True, error=says, code="no_record", remedy=NO_RECORD
        )
    return change.id in verdicts


def _update(activity: Activity, id: str) -> Input:
    return Input(activity.change.id, activities.brought_up(activity), id)


def _is_refused(activity: Activity, verdicts: Verdicts) -> bool:
    found = verdicts.get(activity.change.id)
    return found is not None and found.permanent and not found.ok


def _note(ids: Sequence[str], outcome: Outcome, verdicts: Verdicts) -> None:
    for id in ids:
        if isinstance(outcome, Refusal):
            verdicts[id] = outcome.verdict(id)
        elif isinstance(outcome, Unknown):
            says = "HubSpot's answer does not say whether it was made"
            verdicts[id] = Written(id, ok=False, error=says, code="malformed", certain=False)
        else:
            verdicts[id] = Written(id, ok=True, record=outcome)
