"""Salesforce as a ``Crm``: settings, and one door for each thing that is asked of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from connector import clock as clocks
from connector.crms.salesforce import growing, ids, login, rows, schema
from connector.crms.salesforce.batch import Batch, Collections
from connector.crms.salesforce.bulk import Jobs
from connector.crms.salesforce.fieldrules import Values
from connector.crms.salesforce.finding import Finder
from connector.crms.salesforce.mending import Mender
from connector.crms.salesforce.reading import Reader
from connector.crms.salesforce.session import Line
from connector.crms.salesforce.writing import Writer
from connector.model import Json, Subject
from connector.records import (
    NOTHING_WANTED,
    FieldShape,
    Page,
    Part,
    Record,
    Schema,
    Wanted,
    Writeback,
    Written,
)

VERSION: Final = "66.0"  #: of the API
OVERLAP: Final = timedelta(minutes=5)
TASK_FIELDS: Final = (rows.SMS_ID, rows.CALL_OBJECT)


class Salesforce:
    """An org. Nobody is called before the first thing is asked of it."""

    name = "salesforce"
    batch = 200
    objects: tuple[str, ...] = ids.PEOPLE  #: and what else is wanted
    echoes = False

    def __init__(
        self,
        *,
        domain: str = "",
        consumer_key: str = "",
        consumer_secret: str = "",
        username: str = "",
        private_key: str = "",
        password: str = "",
        security_token: str = "",
        access_token: str = "",
        instance_url: str = "",
        base_url: str = "",
        version: str = VERSION,
        reserve: int | None = None,
        overlap: timedelta = OVERLAP,
        task_field: str = rows.SMS_ID,
        task_status: str = "Completed",
        open_status: str = "Not Started",
        message_object: bool = False,
        organization_id: str = "",
        path_secrets: Sequence[str] = (),
        clock: Callable[[], datetime] = clocks.now,
        wanted: Wanted | None = NOTHING_WANTED,
        records: Any = None,
    ) -> None:
        base, wanted = _address(base_url, "base_url"), wanted or NOTHING_WANTED
        entry = login.Login(
            domain=login.domain_of(domain or "login"),
            consumer_key=consumer_key,
            consumer_secret=consumer_secret,
            username=username,
            private_key=private_key,
            password=password,
            security_token=security_token,
            access_token=access_token,
            instance=urlsplit(_address(instance_url or base_url, "instance_url")).netloc,
        )
        login.check(entry, has_base_url=bool(base))
        _check(version, reserve, overlap, task_field, organization_id)
        self._shape = rows.Shape(task_field, task_status, open_status, message_object)
        self._version = version
        self._line = Line(entry, version=version, base_url=base, clock=clock, reserve=reserve)
        self.notes: tuple[str, ...] = entry.notes  #: what the operator should know of the login
        others = (name for name in ("deal", "meeting", "case") if name in wanted.fields)
        self.objects = (*ids.PEOPLE, *others)
        self._reader = Reader(self._line, wanted, clock, overlap)
        self._finder = Finder(self._line, wanted)
        totals = growing.InLedger(records, clock) if records else growing.InMemory()
        self._values = Values(self._line, totals)
        self._writer = self._writing(Collections(self._line))

    @property
    def calls(self) -> Counter[str]:
        """How many calls were made, by kind; ``login`` is not part of the daily allocation."""
        return self._line.calls

    def route(self, kind: str, made: bool) -> str:
        """Activities and tasks travel together, fields of leads and contacts too."""
        return "fields" if kind == "fields" else "task"

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """For each subject the record of the person, or None where not exactly one is found."""
        if not subjects:
            return []
        self._line.allowance.admit()
        return self._finder.fetch(subjects)

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """Make the changes, each with its verdict."""
        if not changes:
            return []
        self._line.allowance.admit("write")
        return self._writer.write(changes)

    def bulk_write(
        self, changes: Sequence[Writeback], wait: Callable[[float], None] = time.sleep
    ) -> list[Written]:
        """As ``write``, by Bulk API 2.0: for some thousand changes at once; it takes minutes."""
        if not changes:
            return []
        self._line.allowance.admit("write")
        return self._writing(Jobs(self._line, wait)).write(changes)

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        """The records of these ids; of one that is gone, what became of it."""
        self._line.allowance.admit()
        return self._reader.read(_known(object), ids)

    def changes(self, object: str, cursor: str | None) -> Page:
        """What changed since the cursor."""
        self._line.allowance.admit(f"poll {object}")
        return self._reader.changes(_known(object), cursor)

    def history(self, object: str, cursor: str | None) -> Page:
        """All records, oldest change first."""
        self._line.allowance.admit("history")
        return self._reader.history(_known(object), cursor)

    def schema(self) -> Schema:
        """What the org can hold, for whom we are logged in as."""
        self._line.allowance.admit()
        return schema.read(self._line, self._shape, self.notes)

    def install(
        self,
        creates: Sequence[FieldShape],
        written: Sequence[str],
        *,
        grows: bool,
        dry_run: bool,
        wait: Callable[[float], None],
        watch: Callable[[str, int, int], None],
    ) -> Iterator[Part]:
        """Make in the org what is missing there; of fields that grow it keeps nothing."""
        from connector.crms.salesforce.install import Install  # what a worker never needs

        preparing = Install(self._line, self._version, wait, watch)
        return preparing.run(creates, written, dry_run=dry_run)

    def prove(self) -> Part:
        """Show that our external id makes one task, by one that is deleted again."""
        from connector.crms.salesforce.proof import prove

        return prove(self._line, self._shape.task_field)

    def write_files(
        self, folder: Path, creates: Sequence[FieldShape], public_url: str
    ) -> tuple[int, Sequence[str]]:
        """Write what would be deployed into a folder: how many files, and what is typed there.

        Raises ``OSError``.
        """
        from connector.crms.salesforce.archive import TYPED, write_files

        return write_files(folder, creates), TYPED

    def _writing(self, batch: Batch) -> Writer:
        mender = Mender(self._reader.became)
        return Writer(self._line, self._shape, self._values, mender, batch)


def _address(url: str, name: str) -> str:
    """An address without its last slash; "" where none is given."""
    if not url:
        return ""
    return f"{login.origin_of(url, name)}{urlsplit(url).path.rstrip('/')}"


def _known(object: str) -> str:
    if object not in ids.OBJECTS:
        raise ValueError(f"Salesforce has no object called {object}")
    return object


def _check(
    version: str, reserve: int | None, overlap: timedelta, task_field: str, organization_id: str
) -> None:
    """Raise ``ValueError`` for a setting that cannot be."""
    major, dot, minor = version.partition(".")
    if not (major.isdigit() and dot and minor.isdigit()):
        raise ValueError('version is a number such as "66.0", without a leading v')
    if reserve is not None and reserve < 0:
        raise ValueError("reserve is how many daily calls are left for others, 0 or more")
    if not timedelta() <= overlap <= timedelta(hours=1):
        raise ValueError("overlap is at most an hour")
    if task_field not in TASK_FIELDS:
        raise ValueError(f"task_field is one of {', '.join(TASK_FIELDS)}")
    if organization_id and not ids.known_id(organization_id).startswith("00D"):
        raise ValueError("organization_id is the org's id, 00D and 12 or 15 letters and digits")
