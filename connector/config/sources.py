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

TRACKED: Final = ("segment", "posthog")  #: adapters whose events have Segment's shape
ADAPTERS: Final = ("standard", *TRACKED, "form")
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
FORM: Final = frozenset(
    {"type", "name", "form", "fields", "consent", "context", "anonymousId", "messageId", "source"}
)


Read = dict[Path, tuple[SourceMapping, list[Fault]]]
"""Files that were read before, with the faults of each."""
Key = tuple[str, bytes, tuple[str, ...] | None]
MOST_KEPT: Final = 64
_WHOLE: dict[Key | None, SourceMapping] = {}


def load_source(
    path: Path,
    faults: list[Fault],
    stages: Collection[str] | None = None,
    read: Read | None = None,
) -> SourceMapping:
    """One mapping file; faults are added to ``faults``, and what is at fault is left out.

    With ``stages``, a rule may name only one of them. Where the file says ``same_as``, what its
    events mean is taken from the file of that name beside it. A file that stands in ``read`` is
    not read again, since several may mean the same as one.
    """
    read = {} if read is None else read
    if path not in read:
        read[path] = _read(path, stages, read)
    mapping, found = read[path]
    faults.extend(found)
    return mapping


def _read(
    path: Path, stages: Collection[str] | None, read: Read
) -> tuple[SourceMapping, list[Fault]]:
    """A file with its faults; one that was read before and has none is not compiled again.

    A folder is loaded anew by each reload and each comparison of files, and compiling the
    expressions of its mappings is two thirds of that.
    """
    key = _key(path, stages)
    if key in _WHOLE:
        return _WHOLE[key], []
    own: list[Fault] = []
    top = toml.read(path, own)
    empty = SourceMapping(path.stem, "", "standard")
    read[path] = empty, own  # should two files lead to each other
    mapping = empty if own else _Reader(path, top, stages, read).mapping()
    if key is not None and not own and not mapping.same_as:  # that one may change by itself
        if len(_WHOLE) >= MOST_KEPT:
            _WHOLE.clear()
        _WHOLE[key] = mapping
    return mapping, own


def _key(path: Path, stages: Collection[str] | None) -> Key | None:
    """What a mapping depends on: its name, its content and the stages; None where it is not."""
    try:
        return path.stem, path.read_bytes(), None if stages is None else tuple(stages)
    except OSError:
        return None


def _roots(adapter: str) -> frozenset[str]:
    """What an expression over an adapter's events may begin with."""
    if adapter in TRACKED:
        return SEGMENT
    return FORM if adapter == "form" else WEBHOOK | {"name", "source"}


def scheme_of(table: Table) -> Verify:
    """A ``[verify]`` table: how requests are signed."""
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


class _Reader(EventReader):
    """Reads one file; what several of its tables need is at hand here."""

    def __init__(self, path: Path, top: Table, stages: Collection[str] | None, read: Read) -> None:
        source = top.table("source")
        self.path = path
        self.top = top
        self.adapter = source.text("adapter", choices=ADAPTERS)
        self.description = source.text("description", "")
        self.same_as = source.text("same_as", "")
        self.meaning = self._same(source, stages, read)
        super().__init__(_roots(self.adapter), stages)
        source.raw("test")  # it is read once it is known what an event is
        source.done()

    def mapping(self) -> SourceMapping:
        """The whole file."""
        top = self.top
        event = top.table("event")
        for_each = self.for_each(event)
        content = self.path.read_text("utf-8")
        if self.meaning is not None:
            content = f"{content}\n# {self.same_as}.toml\n{self.meaning.content}"
        mapping = SourceMapping(
            name=self.path.stem,
            version=version(content),
            adapter=self.adapter,
            description=self.description,
            verify=self.verify(),
            for_each=for_each,
            locator=compile_all(self.locator(event), strict=False),
            id_from=event.text("id_from", "", choices=("body",)),
            events=self.events() if self.meaning is None else self.borrowed(self.meaning),
            content=content,
            test=self.expression(top.table("source"), "test"),
            same_as=self.same_as,
        )
        if "event" in top and self.adapter != "standard":
            top.fault("event", "is of no use here", "these events say themselves when and what")
        event.done()
        top.done()
        return mapping

    def _same(
        self, source: Table, stages: Collection[str] | None, read: Read
    ) -> SourceMapping | None:
        """The file named by ``same_as``, whose own faults are told of it alone; None where there
        is none."""
        path = self.path.with_name(f"{self.same_as}.toml")
        if not self.same_as:
            return None
        if not path.exists() or path == self.path:
            source.fault("same_as", f"needs {path.name} beside this file", "name a file that is")
            return None
        found = load_source(path, [], stages, read)
        if _roots(found.adapter) != _roots(self.adapter) and found.version:
            remedy = f'both must have the same adapter: adapter = "{found.adapter}"'
            source.fault("same_as", f"reads {path.name}, which is of another kind", remedy)
        if found.same_as:
            remedy = f'name that one: same_as = "{found.same_as}"'
            source.fault("same_as", f"leads on to {found.same_as}.toml", remedy)
        return found

    def borrowed(self, meaning: SourceMapping) -> tuple[EventRule, ...]:
        """The rules of the file that this one is the same as; it has none of its own."""
        for name in ("subject", "traits", "visit", "events"):
            if self.top.raw(name) is not None:
                remedy = f"write it in {self.same_as}.toml, or take same_as away"
                self.top.fault(name, "is of no use here", remedy)
        return meaning.events

    def verify(self) -> Verify | None:
        """How requests are signed; without a word of it, write keys prove tracked ones."""
        table = self.top.table("verify")
        if self.adapter == "form":
            if "verify" in self.top:
                self.top.fault("verify", "is of no use here", "nothing signs these requests")
            return None
        if self.adapter in TRACKED and "verify" not in self.top:
            return None
        if "verify" not in self.top:
            self.top.fault("verify", "is missing", "add [verify], or anybody could send events")
            return None
        return scheme_of(table)

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
