"""Source mappings: ``mappings/sources/<name>.toml`` as values, every fault with its line."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Final

from connector.config import toml
from connector.config.events import EventReader
from connector.config.toml import REQUIRED, Table
from connector.errors import Fault
from connector.expressions import Expression, compile_all
from connector.rules.mapping import EventRule, SourceMapping, Verify
from connector.rules.render import version

ADAPTERS: Final = ("standard", "segment")
SCHEMES: Final = ("hmac", "standard_webhooks", "timestamped", "basic", "bearer", "header")
SUBJECT: Final = ("user_id", "anonymous_id", "phone", "email", "crm", "crm_id")
MAX_BODY: Final = 8_000_000  #: values and characters that for_each may give

#: What an expression may begin with.
WEBHOOK: Final = frozenset({"body", "item", "headers"})
SEGMENT: Final = frozenset(
    {
        *("type", "event", "name", "category", "properties", "traits", "context", "integrations"),
        *("userId", "anonymousId", "previousId", "groupId", "rudderId", "messageId", "channel"),
        *("timestamp", "originalTimestamp", "sentAt", "receivedAt", "version", "source"),
    }
)


def load_source(
    path: Path, faults: list[Fault], stages: Collection[str] | None = None
) -> SourceMapping:
    """One mapping file; faults are added to ``faults``, and what is at fault is left out.

    With ``stages``, a rule may name only one of them.
    """
    known = len(faults)
    top = toml.read(path, faults)
    if len(faults) > known:
        return SourceMapping(path.stem, "", "standard")
    return _Reader(path, top, stages).mapping()


class _Reader(EventReader):
    """Reads one file; what several of its tables need is at hand here."""

    def __init__(self, path: Path, top: Table, stages: Collection[str] | None) -> None:
        source = top.table("source")
        self.path = path
        self.top = top
        self.adapter = source.text("adapter", choices=ADAPTERS)
        self.description = source.text("description", "")
        roots = SEGMENT if self.adapter == "segment" else WEBHOOK | {"name", "source"}
        super().__init__(roots, stages)
        source.done()

    def mapping(self) -> SourceMapping:
        """The whole file."""
        top = self.top
        event = top.table("event")
        for_each = self.for_each(event)
        content = self.path.read_text("utf-8")
        mapping = SourceMapping(
            name=self.path.stem,
            version=version(content),
            adapter=self.adapter,
            description=self.description,
            verify=self.verify(),
            for_each=for_each,
            locator=compile_all(self.locator(event), strict=False),
            id_from=event.text("id_from", "", choices=("body",)),
            events=self.events(),
            content=content,
        )
        if "event" in top and self.adapter == "segment":
            top.fault("event", "is of no use here", "Segment's events say themselves when and what")
        event.done()
        top.done()
        return mapping

    def verify(self) -> Verify | None:
        """How requests are signed; write keys prove those of ``segment``."""
        table = self.top.table("verify")
        if self.adapter == "segment":
            if "verify" in self.top:
                self.top.fault("verify", "is of no use here", "write keys prove these requests")
            return None
        if "verify" not in self.top:
            self.top.fault("verify", "is missing", "add [verify], or anybody could send events")
            return None
        scheme = table.text("scheme", choices=SCHEMES)
        needs_header = scheme in ("hmac", "timestamped", "header")
        verify = Verify(
            scheme=scheme,
            header=table.text("header", REQUIRED if needs_header else ""),
            algorithm=table.text("algorithm", "sha256", choices=("sha256", "sha1")),
            encoding=table.text("encoding", "hex", choices=("hex", "base64")),
            prefix=table.text("prefix", ""),
            tolerance=table.span("tolerance", timedelta(minutes=5)),
        )
        table.done()
        return verify

    def for_each(self, table: Table) -> Expression | None:
        """The list of events; where there is one, a body is read for ``[event]`` only."""
        found = self.expression(table, "for_each", WEBHOOK - {"item"}, limit=MAX_BODY)
        if found:
            self.roots = self.roots - {"body"}
        return found

    def locator(self, table: Table) -> dict[str, Expression]:
        """id, name and occurred_at of one event."""
        if self.adapter == "standard" and "name" not in table:
            table.fault("name", "is missing", "say where the event's name stands: body.type")
        return self.expressions(table, ("id", "name", "occurred_at"), "", WEBHOOK)

    def events(self) -> tuple[EventRule, ...]:
        """All rules, each with the subject, traits and visit of the whole file."""
        subject = self.top.table("subject")
        common = self.expressions(subject, SUBJECT, "subject.")
        subject.done()
        for name in ("traits", "visit"):
            table = self.top.table(name)
            common |= self.expressions(table, table.values, f"{name}.")
        tables = self.top.tables("events")
        if not tables:
            self.top.fault("events", "is missing", "add [[events]] saying what an event means")
        return tuple(self.rule(table, place, common) for place, table in enumerate(tables))
