"""CRMs: whose records the contacts are, and where sends and outcomes are written.

One file an adapter, one line in ``ADAPTERS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from connector.model import Event, Json, Subject, Writeback, Written


class Crm(Protocol):
    """What the steps ask of a CRM."""

    name: str

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """For each subject the CRM's facts about that person, or None when it knows none."""

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """Make the changes, in order, in as few calls as can be; one verdict per change.

        A change of kind ``activity`` or ``task`` is put on the record under its key, in the place
        of what had that key before, so that a change made twice is made once. One of kind
        ``fields`` groups values by rule: ``always`` sets, ``if_empty`` sets where nothing stands,
        ``increment`` is our running total, by whose growth the field grows.

        Raises where the CRM could not be asked at all: all of it is asked again later, with
        ``retry_after`` (seconds) on the error where the CRM names it.
        """

    def changes(self, cursor: str | None) -> tuple[list[Event], str]:
        """What changed in the CRM since the cursor, and the cursor to ask with next."""


ADAPTERS: Final[Mapping[str, str]] = {
    "local": "connector.crms.local:LocalCrm",
}
"""Every adapter by the name that ``[crm] use`` gives it; loaded only when it is used."""
