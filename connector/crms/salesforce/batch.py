"""Rows of many changes in one call each, and a verdict on every row.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from connector.crms.salesforce.errors import Refusal, Rejected, certainly_not_made, refusals
from connector.crms.salesforce.ids import known_id
from connector.crms.salesforce.limits import in_chunks
from connector.crms.salesforce.rows import Row
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import Writeback

MOST: Final = 200  #: rows in one call
OF_A_ROW: Final = frozenset({"JSON_PARSER_ERROR", "MALFORMED_ID", "INVALID_ID_FIELD"})
"""Codes of a refused call that are due to what a row holds, not to the names of its fields."""
SPLITS: Final = 16  #: calls to find the row for which Salesforce refuses a whole call


@dataclass(frozen=True, slots=True)
class Item:
    """One change and the row that it became; ``same`` is what may stand once in a call."""

    change: Writeback
    row: Row
    same: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What Salesforce says of one row."""

    item: Item
    record: str = ""
    refusal: Refusal | None = None  #: None: it was made


class Batch(Protocol):
    """How rows travel: a few hundred at once, or thousands in a job. No row stands in it twice."""

    def upsert(self, items: Sequence[Item], object: str, field: str) -> list[Answer]:
        """Make rows of an object or change them, by our external id."""

    def update(self, items: Sequence[Item], kind: str) -> list[Answer]:
        """Change rows by their own ids; they may be of several objects."""

    def create(self, items: Sequence[Item], kind: str) -> list[Answer]:
        """Make rows."""


Post = Callable[[Sequence[Row]], Json]


class Interrupted(CrmUnavailable):
    """A call failed after others had been answered."""

    def __init__(
        self, cause: CrmUnavailable, items: Iterable[Item], answers: Sequence[Answer]
    ) -> None:
        super().__init__(
            str(cause), code=cause.code, retry_after=cause.retry_after, remedy=cause.remedy
        )
        made = () if certainly_not_made(cause) else items
        self.in_doubt = frozenset(item.change.id for item in made)
        self.answers = tuple(answers)  #: that had come before


class Collections:
    """sObject Collections: 200 rows a call, each with its own verdict."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def upsert(self, items: Sequence[Item], object: str, field: str) -> list[Answer]:
        """Make rows or change them, by our external id."""
        path = f"composite/sobjects/{object}/{field}"
        return self._all(items, lambda rows: self._post(object.lower(), "PATCH", path, rows))

    def update(self, items: Sequence[Item], kind: str) -> list[Answer]:
        """Change rows by their own ids; they may be of several objects."""
        path = "composite/sobjects"
        return self._all(items, lambda rows: self._post(kind, "PATCH", path, rows))

    def create(self, items: Sequence[Item], kind: str) -> list[Answer]:
        """Make rows."""
        path = "composite/sobjects"
        return self._all(items, lambda rows: self._post(kind, "POST", path, rows))

    def _post(self, kind: str, method: str, path: str, rows: Sequence[Row]) -> Json:
        body = {"allOrNone": False, "records": list(rows)}
        return self._line.rest(kind, path, method=method, body=body)

    def _all(self, items: Sequence[Item], post: Post) -> list[Answer]:
        """Every row, those of one object together: a call takes ten changes of object at most."""
        found: list[Answer] = []
        ordered = sorted(items, key=lambda item: str(item.row["attributes"]["type"]))
        for chunk in in_chunks(ordered, MOST):
            _Call(post, found).put(chunk)
        return found


class _Call:
    """One call, or several where Salesforce refuses it as a whole because of some rows."""

    def __init__(self, post: Post, found: list[Answer]) -> None:
        self._post, self._found, self._splits = post, found, SPLITS

    def put(self, items: Sequence[Item]) -> None:
        """Put rows, and add the verdicts on them to what was found."""
        try:
            self._found += _answers(items, self._post([item.row for item in items]))
        except Rejected as error:
            self._part(items, error.refusals[0])
        except CrmUnavailable as error:
            raise Interrupted(error, items, self._found) from None

    def _part(self, items: Sequence[Item], first: Refusal) -> None:
        """Find out which rows it is: those with the same fields share the fate of their names."""
        shapes: dict[tuple[str, ...], list[Item]] = {}
        for item in items:
            shapes.setdefault((item.row["attributes"]["type"], *sorted(item.row)), []).append(item)
        parts = list(shapes.values())
        if len(parts) == 1 and (len(items) == 1 or first.code not in OF_A_ROW):
            self._found += [Answer(item, refusal=first) for item in items]
            return
        if len(parts) == 1:
            middle = len(items) // 2
            parts = [list(items[:middle]), list(items[middle:])]
        for part in parts:
            self._again(part)

    def _again(self, items: Sequence[Item]) -> None:
        if self._splits > 0:
            self._splits -= 1
            self.put(items)
        else:
            later = Refusal("PROCESSING_HALTED", "a row beside it was refused; it is tried again")
            self._found += [Answer(item, refusal=later) for item in items]


def rounds(items: Sequence[Item]) -> list[list[Item]]:
    """The items in order, so parted that each thing stands once in a part."""
    found: list[list[Item]] = []
    seen: dict[str, int] = {}
    for item in items:
        place = seen.get(item.same, 0)
        seen[item.same] = place + 1
        if place == len(found):
            found.append([])
        found[place].append(item)
    return found


def _answers(items: Sequence[Item], told: Json) -> list[Answer]:
    """One verdict per row, in the order of the rows. Raises ``CrmUnavailable`` (malformed)."""
    if not isinstance(told, list) or len(told) != len(items):
        says = "Salesforce's answer holds no verdict for each row"
        raise CrmUnavailable(says, code="malformed")
    return [_answer(item, row) for item, row in zip(items, told, strict=True)]


def _answer(item: Item, row: Any) -> Answer:
    if not isinstance(row, dict) or not isinstance(row.get("success"), bool):
        raise CrmUnavailable("Salesforce's verdict on a row cannot be read", code="malformed")
    if row["success"]:
        return Answer(item, known_id(row.get("id")) or known_id(item.row.get("id")))
    found = refusals(row.get("errors"))
    return Answer(item, refusal=found[0] if found else Refusal("UNKNOWN_EXCEPTION"))
