"""HubSpot as the CRM: a text or reply is a communication, facts are a contact's properties.

https://developers.hubspot.com/docs/api-reference/overview
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from connector.clock import Clock
from connector.crms.hubspot import callbacks, shapes
from connector.crms.hubspot.client import Client
from connector.crms.hubspot.finding import Finder
from connector.crms.hubspot.links import Labels
from connector.crms.hubspot.names import CONTACTS, ENGAGEMENTS, HOST, NAME, OBJECTS
from connector.crms.hubspot.polling import Poller
from connector.crms.hubspot.reading import Reader
from connector.crms.hubspot.stages import Stages
from connector.crms.hubspot.wire import BATCH, Wire
from connector.crms.hubspot.writing import Writer
from connector.errors import ConnectorError
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

_TOKEN: Final = re.compile(r"[!-~]{1,4096}")


class HubSpotCrm:
    """The ``Crm`` that is HubSpot.

    ``access_token`` is that of a service key, a private app or a project app. ``client_secrets``,
    ``workflow_keys``, ``portal_id`` and ``app_id`` are for what HubSpot sends us
    (``sources/hubspot``), and not used here. ``base_url`` stands in HubSpot's own address' place.
    ``wanted`` is what the mapping file reads; ``default_region`` the country of numbers written
    without one. ``http`` is a ``requests.Session`` without retries; without one the adapter makes
    its own.
    """

    name = NAME
    batch = BATCH
    echoes = False

    def __init__(
        self,
        *,
        access_token: str,
        clock: Clock,
        wanted: Wanted = NOTHING_WANTED,
        base_url: str = "",
        client_secrets: Sequence[str] = (),
        workflow_keys: Sequence[str] = (),
        portal_id: str = "",
        app_id: str = "",
        default_region: str = "",
        http: Any = None,
    ) -> None:
        _check(access_token, base_url, portal_id, app_id)
        self._wanted = wanted
        host = base_url.rstrip("/") or HOST
        stages = Stages(clock)
        self.objects = tuple(name for name in OBJECTS if _is_wanted(name, wanted))
        self.wire = Wire(
            Client(access_token, host), token=access_token, host=host, clock=clock, http=http
        )
        known = shapes.Known(self.wire, clock)
        self._reader = Reader(self.wire, known, stages, wanted, clock)
        self._finder = Finder(self.wire, self._reader, known, wanted, clock, default_region)
        self._poller = Poller(self.wire, self._reader, wanted, clock)
        self._writer = Writer(self.wire, known, Labels(self.wire), stages)

    @property
    def calls(self) -> Counter[str]:
        """How many calls were made of each kind, such as ``communications-create``."""
        return self.wire.calls

    def route(self, kind: str, made: bool) -> str:
        """Which kind of call a change travels in, by its kind or that of its activity."""
        if kind == "fields":
            return CONTACTS
        if kind == callbacks.KIND:
            return kind
        object = ENGAGEMENTS.get(kind, ENGAGEMENTS["text"])
        return f"{object}-{'known' if made else 'new'}"

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """For each subject the wanted fields of its contact, or None.

        Fields come in the type that HubSpot gives them: flags, numbers, and instants as
        fixed-width UTC text; what stands nowhere is None.
        """
        return self._finder.fetch(subjects)

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """Make the changes; a verdict on each."""
        return self._writer.write(changes)

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        """The records of these ids, in their order."""
        return self._reader.read(object, ids)

    def changes(self, object: str, cursor: str | None) -> Page:
        """What changed since the cursor: one page of a search."""
        return self._poller.changes(object, cursor)

    def history(self, object: str, cursor: str | None) -> Page:
        """All records of an object, one page of a list."""
        return self._poller.history(object, cursor)

    def schema(self) -> Schema:
        """The properties of every object that may be read."""
        return shapes.schema(self.wire)

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
        """Make the contact properties that are missing; nothing of it takes long."""
        from connector.crms.hubspot.install import install  # what a worker never needs

        def rest(method: str, at: str, body: Json) -> tuple[int, Json]:
            return self.wire.rest(method, at, body, "install")

        return install(rest, creates, written, grows=grows, dry_run=dry_run)

    def write_files(
        self, folder: Path, creates: Sequence[FieldShape], public_url: str
    ) -> tuple[int, Sequence[str]]:
        """Write the project of an app into a folder: how many files, and what is typed there.

        Raises ``OSError``, and ``ConnectorError`` without an address that HubSpot could call.
        """
        from connector.crms.hubspot.project import write_files

        if not public_url.startswith("https://"):
            raise ConnectorError("set public_url under [web] first: HubSpot calls that address")
        return write_files(folder, public_url, self._wanted), ("hs project upload",)


def _is_wanted(object: str, wanted: Wanted) -> bool:
    return object == "contact" or object in wanted.fields or object in wanted.history


def _check(access_token: str, base_url: str, portal_id: str, app_id: str) -> None:
    if not _TOKEN.fullmatch(access_token):
        raise ValueError("access_token is empty, or holds blanks or line ends")
    if base_url and (urlsplit(base_url).scheme not in ("http", "https") or "@" in base_url):
        raise ValueError("base_url is an address such as https://api.hubapi.com, without a name")
    for name, value in (("portal_id", portal_id), ("app_id", app_id)):
        if value and not value.isdecimal():
            raise ValueError(f"{name} is a number, as HubSpot shows it")
