"""Thousands of rows at once by Bulk API 2.0: a job for each object, with a verdict per row.

The client would wait up to 24 hours in one call; here a job is asked for its state a bounded
number of times, and one that has not ended by then is in doubt.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from connector.crms.salesforce.batch import Answer, Interrupted, Item
from connector.crms.salesforce.errors import Refusal, Rejected
from connector.crms.salesforce.ids import known_id
from connector.crms.salesforce.rows import CALL_OBJECT
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.model import Json

MOST: Final = 10_000  #: rows in one job
MOST_CHARACTERS: Final = 20_000_000  #: in one job, well below its 100 MB
PAUSES: Final = (1.0, 2.0, 3.0, 5.0, 8.0, *[15.0] * 38)
"""Seconds before each question for a job's state: ten minutes in all."""
ENDED: Final = ("JobComplete", "Failed", "Aborted")
CLEARED: Final = "#N/A"  #: a field that is to be emptied
LATER: Final = Refusal("PROCESSING_HALTED", "the job ended before it came to this row")


class Jobs:
    """What ``Collections`` does, for many more rows and over minutes."""

    def __init__(self, line: Line, wait: Callable[[float], None]) -> None:
        self._line, self._wait = line, wait

    def upsert(self, items: Sequence[Item], object: str, field: str) -> list[Answer]:
        """Make rows or change them, by our external id."""
        return self._all(items, "upsert", field)

    def update(self, items: Sequence[Item], kind: str) -> list[Answer]:
        """Change rows by their own ids; a job for each of their objects."""
        return self._all(items, "update", "id")

    def create(self, items: Sequence[Item], kind: str) -> list[Answer]:
        """Make Tasks, which bear our reference."""
        return self._all(items, "insert", CALL_OBJECT)

    def _all(self, items: Sequence[Item], operation: str, key: str) -> list[Answer]:
        found: list[Answer] = []
        for part in _parts(items):
            try:
                found += self._job(part, operation, key)
            except Rejected as error:
                found += [Answer(item, refusal=error.refusals[0]) for item in part]
            except Interrupted as error:
                error.answers = (*found, *error.answers)
                raise
        return found

    def _job(self, items: Sequence[Item], operation: str, key: str) -> list[Answer]:
        object = str(items[0].row["attributes"]["type"])
        job = self._opened(object, operation, key, items)
        try:
            self._patch(job, "UploadComplete")
            state = self._ended(job)
            told = self._told(object, job, _name(key))
        except CrmUnavailable as error:
            raise Interrupted(error, items, ()) from None
        rest = LATER
        if state.get("state") == "Failed":
            rest = Refusal("InvalidBatch", str(state.get("errorMessage") or "")[:500])
        return [_answer(item, told.get(str(item.row[key])), rest) for item in items]

    def _opened(self, object: str, operation: str, key: str, items: Sequence[Item]) -> str:
        """A job with its rows, which does nothing until it is closed."""
        body = {"object": object, "operation": operation, "contentType": "CSV", "lineEnding": "LF"}
        if operation == "upsert":
            body["externalIdFieldName"] = key
        try:
            told = self._line.rest("bulk", "jobs/ingest", method="POST", body=body)
            job = known_id(told.get("id") if isinstance(told, dict) else None)
            if not job:
                raise CrmUnavailable("the new job has no id", code="malformed")
            content = _csv([item.row for item in items])
            self._line.call("bulk", lambda sf: _client(sf, object).upload_job_data(job, content))
        except Rejected:
            raise
        except CrmUnavailable as error:
            raise Interrupted(error, (), ()) from None
        return job

    def _patch(self, job: str, state: str) -> None:
        self._line.rest("bulk", f"jobs/ingest/{job}", method="PATCH", body={"state": state})

    def _ended(self, job: str) -> Mapping[str, Json]:
        """The job's last state. Raises ``CrmUnavailable`` where it does not end in ten minutes."""
        for pause in PAUSES:
            self._wait(pause)
            told = self._line.rest("bulk", f"jobs/ingest/{job}")
            if isinstance(told, dict) and told.get("state") in ENDED:
                return told
        raise CrmUnavailable("a bulk job has not ended in ten minutes", code="timeout")

    def _told(self, object: str, job: str, key: str) -> dict[str, Mapping[str, str]]:
        """Key → the row of the results, of those that were made and those that were refused."""
        found: dict[str, Mapping[str, str]] = {}
        for results in ("successfulResults", "failedResults"):
            for row in csv.DictReader(io.StringIO(self._results(object, job, results))):
                found[str(row.get(key))] = row
        return found

    def _results(self, object: str, job: str, which: str) -> str:
        told = self._line.call(
            "bulk", lambda sf: _client(sf, object).get_ingest_results(job, which)
        )
        return str(told)


def _client(sf: Any, object: str) -> Any:
    """The client's calls for one object; those that wait are not used."""
    return getattr(sf.bulk2, object)._client


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Rows of one object, as many as a job takes."""
    by_object: dict[str, list[Item]] = {}
    for item in items:
        by_object.setdefault(str(item.row["attributes"]["type"]), []).append(item)
    for some in by_object.values():
        part: list[Item] = []
        size = 0
        for item in some:
            length = sum(len(str(value)) for value in item.row.values())
            if part and (len(part) >= MOST or size + length > MOST_CHARACTERS):
                yield part
                part, size = [], 0
            part.append(item)
            size += length
        yield part


def _csv(rows: Sequence[Mapping[str, Json]]) -> str:
    names = [name for name in dict.fromkeys(key for row in rows for key in row)]
    names.remove("attributes")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_name(name) for name in names])
    for row in rows:
        writer.writerow([_cell(row[name]) if name in row else "" for name in names])
    return out.getvalue()


def _name(name: str) -> str:
    return "Id" if name == "id" else name


def _cell(value: Json) -> str:
    """A value as text; what a row does not name is left empty and stays as it is."""
    if value is None or value == "":
        return CLEARED
    return str(value).lower() if isinstance(value, bool) else str(value)


def _answer(item: Item, row: Mapping[str, str] | None, rest: Refusal) -> Answer:
    if row is None:
        return Answer(item, refusal=rest)
    error = row.get("sf__Error")
    if not error:
        return Answer(item, known_id(row.get("sf__Id")))
    code, _, words = error.partition(":")
    message, _, fields = words.rpartition(":")
    names = tuple(name.strip() for name in fields.removesuffix("--").split(",") if name.strip("- "))
    return Answer(item, refusal=Refusal(code[:80], (message or words)[:500], names))
