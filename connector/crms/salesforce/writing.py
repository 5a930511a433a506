"""Writing: activities and tasks by our external id, fields by the record's, in few calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from connector.crms.salesforce import rows
from connector.crms.salesforce.batch import Answer, Batch, Interrupted, Item, rounds
from connector.crms.salesforce.errors import Refusal, verdict
from connector.crms.salesforce.fieldrules import Values
from connector.crms.salesforce.ids import known_id
from connector.crms.salesforce.mending import Mender
from connector.crms.salesforce.reference import References
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.records import Writeback, Written

TASKS: Final = ("activity", "task")

NO_RECORD: Final = "make a lead or a contact of the person, then `connector writebacks retry`"

BARE: Final = 2  #: entries of a row of fields that sets none: its type and its id

Verdicts = dict[str, Written]
MakeRow = Callable[[Writeback], rows.Row | Refusal]
Act = Callable[[Sequence[Writeback], Verdicts], list[Answer]]
Put = Callable[[Sequence[Item]], list[Answer]]


class Writer:
    """The changes of one call to the adapter at a time; it keeps nothing between them."""

    def __init__(
        self, line: Line, shape: rows.Shape, values: Values, mender: Mender, batch: Batch
    ) -> None:
        self._shape, self._values, self._mender = shape, values, mender
        self._rows = batch
        self._references = References(line, self._rows, shape.task_field)

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """Make the changes. Raises ``CrmUnavailable`` with the verdicts that had come."""
        found: Verdicts = {}
        ways: tuple[tuple[tuple[str, ...], Act], ...] = (
            (TASKS, self._tasks),
            (("fields",), self._fields),
        )
        for change in changes:
            if change.kind not in (*TASKS, "fields"):
                found[change.id] = _refused(change, f"there is no change called {change.kind}")
        try:
            for kinds, act in ways:
                for together in _rounds([one for one in changes if one.kind in kinds]):
                    self._twice(together, act, found)
        except CrmUnavailable as error:
            error.written = tuple(found.values())
            raise
        return [found[change.id] for change in changes]

    def _twice(self, changes: Sequence[Writeback], act: Act, found: Verdicts) -> None:
        """Make changes, and once more those that named what has gone."""
        again = self._mender.mended(act(changes, found))
        if again:
            act(again, found)

    def _tasks(self, changes: Sequence[Writeback], found: Verdicts) -> list[Answer]:
        items = _items(changes, lambda change: rows.task(change, self._shape), found)
        answers = self._judged(items, self._put, found)
        if self._shape.message_object:
            self._messages([one.item.change for one in answers if not one.refusal], found)
        return answers

    def _put(self, items: Sequence[Item]) -> list[Answer]:
        if self._shape.task_field == rows.SMS_ID:
            return self._rows.upsert(items, "Task", rows.SMS_ID)
        return self._references.put(items)

    def _messages(self, changes: Sequence[Writeback], found: Verdicts) -> None:
        """The same as objects of our own: a text is written when it stands in both places."""
        told = [change for change in changes if change.kind == "activity"]
        tasks = {change.id: found.pop(change.id) for change in told}
        beside: Verdicts = {}
        items = _items(told, rows.message, beside)
        self._judged(items, lambda some: self._rows.upsert(some, rows.MESSAGE, rows.SMS_ID), beside)
        found |= {name: tasks[name] if one.ok else one for name, one in beside.items()}

    def _fields(self, changes: Sequence[Writeback], found: Verdicts) -> list[Answer]:
        held = self._values.held(changes)
        items = _items(changes, lambda change: self._values.row(change, held), found)
        for item in items:
            if len(item.row) == BARE:
                found[item.change.id] = Written(item.change.id, ok=True, record=item.same)
        items = [item for item in items if len(item.row) > BARE]
        answers = self._judged(items, lambda some: self._rows.update(some, "fields"), found)
        for one in answers:
            if one.refusal is None:
                self._values.made(one.item.change)
        return answers

    def _judged(self, items: Sequence[Item], put: Put, found: Verdicts) -> list[Answer]:
        """Put rows and keep the verdict on each."""
        try:
            answers = put(items) if items else []
        except Interrupted as error:
            found |= self._verdicts(error.answers)
            raise
        found |= self._verdicts(answers)
        return answers

    def _verdicts(self, answers: Sequence[Answer]) -> Verdicts:
        known = self._references.of_duplicates(answers)
        found: Verdicts = {}
        for one in answers:
            change = one.item.change
            record = known.get(change.id, one.record)
            if one.refusal is None or change.id in known:
                found[change.id] = Written(change.id, ok=True, record=record)
            else:
                found[change.id] = verdict(
                    change.id, one.refusal, attempt=change.attempt, ours=rows.SMS_ID
                )
        return found


def _items(changes: Sequence[Writeback], row: MakeRow, found: Verdicts) -> list[Item]:
    """The rows of changes; those that cannot be made have their verdict at once."""
    items = []
    for change in changes:
        try:
            made = row(change)
        except rows.Unwritable as error:
            found[change.id] = _refused(change, str(error), error.code)
            continue
        if isinstance(made, Refusal):
            found[change.id] = verdict(change.id, made, attempt=change.attempt)
        else:
            items.append(Item(change, made, _same(change)))
    return items


def _rounds(changes: Sequence[Writeback]) -> list[list[Writeback]]:
    """The changes in order, so parted that nothing is written twice in one call."""
    items = [Item(change, {}, _same(change)) for change in changes]
    return [[item.change for item in part] for part in rounds(items)]


def _same(change: Writeback) -> str:
    """What may stand once in a call: an activity's reference, or the record of fields."""
    return change.key if change.kind in TASKS else known_id(change.record)


def _refused(change: Writeback, why: str, code: str = "") -> Written:
    remedy = NO_RECORD if code else ""
    return Written(change.id, ok=False, permanent=True, error=why, code=code, remedy=remedy)
