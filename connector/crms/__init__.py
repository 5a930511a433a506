"""CRMs: whose records the contacts are, and where sends and outcomes are written.

One file or folder an adapter, one line in ``ADAPTERS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from connector.model import Json, Subject
from connector.records import Page, Record, Schema, Writeback, Written


class Crm(Protocol):
    """What the steps ask of a CRM.

    Every call raises ``CrmUnavailable`` where the CRM could not be asked at all.
    """

    name: str
    batch: int  #: changes that travel in one call
    objects: tuple[str, ...]  #: the objects that can be polled, people first
    echoes: bool  #: reading back what was just written costs nothing

    def route(self, kind: str, made: bool) -> str:
        """Which kind of call a change travels in; ``made``: the CRM has made it before.

        ``kind`` is that of the change (fields, task), or of its activity (text, reply, outcome,
        note).
        """

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """For each subject the person's record with its ``id`` and ``object``, or None.

        A subject is found by its CRM id, else by number or e-mail where exactly one record bears
        it. Beside the wanted fields there may stand ``open_cases`` (how many) and ``deals`` (each
        with its ``id`` and its wanted fields, the one changed last first).
        """

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """Make the changes, in order, in as few calls as can be; one verdict per change.

        A change of kind ``activity`` or ``task`` is put on the record under its key, in the place
        of what had that key before, so that a change made twice is made once. One of kind
        ``fields`` groups values by rule: ``always`` sets, ``if_empty`` sets where nothing stands,
        ``increment`` is our running total, by whose growth the field grows.

        Raises ``CrmUnavailable`` with the verdicts that had come, and what is in doubt.
        """

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        """The records of these ids as they are now; one that is gone says what became of it."""

    def changes(self, object: str, cursor: str | None) -> Page:
        """What changed among an object's records since the cursor: the polling floor.

        Without a cursor nothing has: the page is empty and its cursor begins now.
        """

    def history(self, object: str, cursor: str | None) -> Page:
        """All records of an object, each once, in an order that stands still: for a back-fill.

        Here, in ``read`` and in ``changes``, records come with the past that is wanted of them.
        """

    def schema(self) -> Schema:
        """What the CRM can hold, for whom we are logged in as."""


@runtime_checkable
class TakesMany(Protocol):
    """What a CRM may offer beside: a slow way for thousands of changes at once."""

    def bulk_write(self, changes: Sequence[Writeback]) -> list[Written]:
        """As ``write``, in few calls however many changes there are; it takes minutes."""


ADAPTERS: Final[Mapping[str, str]] = {
    "local": "connector.crms.local:LocalCrm",
    "hubspot": "connector.crms.hubspot.adapter:HubSpotCrm",
    "salesforce": "connector.crms.salesforce.adapter:Salesforce",
}
"""Every adapter by the name that ``[crm] use`` gives it; loaded only when it is used."""
