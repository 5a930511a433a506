"""A CRM far away, in memory: it counts its calls, keeps no key, and fails as it is told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.errors import CrmUnavailable
from connector.model import Json, Subject
from connector.records import Writeback, Written
from tests.crms.quiet import QuietCrm

WELL = "well"
LOST = "lost"  #: the call never came to anything, and nobody knows
ACTED = "acted"  #: it acted, and its answer was lost
BUSY = "busy"  #: it says that it did nothing
HALF = "half"  #: it acted on every other change, and says so

Says = Callable[[str, Sequence[Writeback]], str]


class RemoteCrm(QuietCrm):
    """It makes an activity anew each time it is told to, unless the change names what it made."""

    name = "remote"
    objects = ("contact",)
    echoes = False

    def __init__(self, people: Mapping[str, str] | None = None) -> None:
        self.people = dict(people or {})  #: record → number
        self.calls: Counter[str] = Counter()
        self.sizes: list[tuple[str, int]] = []
        self.made: dict[str, tuple[str, str, dict[str, Json]]] = {}  #: id → record, key, what
        self.fields: dict[str, dict[str, Json]] = {}
        self.says: Says = lambda route, changes: WELL

    def route(self, kind: str, made: bool) -> str:
        if kind == "fields":
            return kind
        return f"{'task' if kind == 'task' else 'activity'} {'update' if made else 'create'}"

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        self.calls["fetch"] += 1
        found: list[Mapping[str, Json] | None] = []
        for subject in subjects:
            records = [one for one, phone in self.people.items() if phone == subject.phone]
            known = subject.crm_id or (records[0] if len(records) == 1 else "")
            found.append({"id": known, "object": "contact"} if known else None)
        return found

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        routes: dict[str, list[Writeback]] = {}
        for change in changes:
            routes.setdefault(self.route(change.kind, bool(change.made)), []).append(change)
        written: list[Written] = []
        for name, part in routes.items():
            written += self._call(name, part, written)
        return written

    def keys(self) -> Counter[str]:
        """How often each activity or task stands there."""
        return Counter(key for _, key, _ in self.made.values())

    def what(self, key: str) -> dict[str, Any]:
        """The one activity of a key."""
        [found] = [what for _, its, what in self.made.values() if its == key]
        return found

    def _call(
        self, name: str, part: Sequence[Writeback], before: Sequence[Written]
    ) -> list[Written]:
        says = self.says(name, part)
        if says == BUSY:
            raise CrmUnavailable("it is busy", retry_after=5, written=before)
        if doubtful := [change for change in part if change.in_doubt]:
            self.calls["look up"] += 1
        self.calls[name] += 1
        self.sizes.append((name, len(part)))
        assert len(part) <= self.batch, "a call holds no more"
        found = {change.id: self._of(change.key) for change in doubtful}
        unsure = frozenset(change.id for change in part)
        if says == LOST:
            raise CrmUnavailable("no answer", code="timeout", written=before, in_doubt=unsure)
        answers = [
            self._make(change, change.made or found.get(change.id, ""))
            for place, change in enumerate(part)
            if says != HALF or place % 2 == 0
        ]
        if says == ACTED:
            raise CrmUnavailable("no answer", code="timeout", written=before, in_doubt=unsure)
        done = {answer.id for answer in answers}
        left = [Written(one.id, False, error="busy") for one in part if one.id not in done]
        return answers + left

    def _of(self, key: str) -> str:
        return next((made for made, (_, its, _) in self.made.items() if its == key), "")

    def _make(self, change: Writeback, made: str) -> Written:
        assert change.record, "it keeps nothing without a record"
        if change.kind == "fields":
            groups = change.change.values()
            self.fields.setdefault(change.record, {}).update(*groups)
            return Written(change.id, True, record=change.record)
        made = made or f"act_{len(self.made)}"
        self.made[made] = (change.record, change.key, dict(change.change))
        return Written(change.id, True, record=made)
