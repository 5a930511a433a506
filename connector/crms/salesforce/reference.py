"""Finding what was made before by our reference on it, where it may be or is known to stand."""

from __future__ import annotations

from collections.abc import Sequence

from connector.crms.salesforce import rows, soql
from connector.crms.salesforce.batch import Answer, Batch, Item
from connector.crms.salesforce.errors import duplicate_of
from connector.crms.salesforce.ids import known_id
from connector.crms.salesforce.limits import in_chunks
from connector.crms.salesforce.session import Line


class References:
    """Tasks by the field that holds our reference."""

    def __init__(self, line: Line, batch: Batch, field: str) -> None:
        self._line, self._rows, self._field = line, batch, field

    def put(self, items: Sequence[Item]) -> list[Answer]:
        """Make or change Tasks in an org without a field of ours, where no upsert can be had.

        What was not told to be made before is looked for first, since the call that made it may
        never have been answered. No two items bear the same reference.
        """
        unknown = [item.row[self._field] for item in items if not known_id(item.change.made)]
        found = self.look_up(unknown)
        new: list[Item] = []
        old: list[Item] = []
        for item in items:
            made = known_id(item.change.made) or found.get(item.row[self._field], "")
            row = {**item.row, "id": made} if made else item.row
            (old if made else new).append(Item(item.change, row, item.same))
        return self._rows.update(old, "task") + self._rows.create(new, "task")

    def look_up(self, references: Sequence[str]) -> dict[str, str]:
        """Reference → the id of the Task that bears it; the first made, were there several."""
        found: dict[str, str] = {}
        for some in in_chunks(references, soql.IN_ONE):
            where = soql.quoted(f"{self._field} IN {{}}", list(some))
            query = soql.select(("Id", self._field), "Task", where, "ORDER BY CreatedDate, Id")
            for row in self._line.query("look-up", query):
                found.setdefault(str(row.get(self._field)), known_id(row.get("Id")))
        return found

    def of_duplicates(self, answers: Sequence[Answer]) -> dict[str, str]:
        """Change → the Task that bears its reference already, as another call had just made it."""
        found: dict[str, str] = {}
        asked: dict[str, str] = {}
        for one in answers:
            if one.refusal is None:
                continue
            is_ours, told = duplicate_of(one.refusal, rows.SMS_ID)
            if is_ours and told:
                found[one.item.change.id] = told
            elif is_ours and rows.SMS_ID in one.item.row:
                asked[one.item.row[rows.SMS_ID]] = one.item.change.id
        known = self.look_up(list(asked)) if asked and self._field == rows.SMS_ID else {}
        return found | {asked[name]: record for name, record in known.items() if name in asked}
