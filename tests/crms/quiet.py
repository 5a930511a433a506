"""A CRM of which nothing is heard: what stand-ins for one build on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import Json, Subject
from connector.records import Page, Record, Schema, Writeback, Written


class QuietCrm:
    """Takes everything that it is told, and tells nothing."""

    name = "local"
    batch = 100
    objects: tuple[str, ...] = ()
    echoes = True

    def route(self, kind: str, made: bool) -> str:
        return "change"

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        return [None for _ in subjects]

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        return [Written(change.id, ok=True, record=change.contact_id) for change in changes]

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        return []

    def changes(self, object: str, cursor: str | None) -> Page:
        return Page((), cursor or "")

    def history(self, object: str, cursor: str | None) -> Page:
        return Page((), cursor or "")

    def schema(self) -> Schema:
        return Schema()
