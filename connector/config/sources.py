"""Source mappings: ``mappings/sources/<name>.toml`` as values, every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from connector.config import toml
from connector.config.supply import nearest
from connector.config.toml import REQUIRED, Table
from connector.errors import Fault
from connector.expressions import Expression, compile_all, compile_expression
from connector.expressions.values import MAX_SIZE
from connector.model import Purpose
from connector.rules.mapping import ConsentRule, EventRule, SourceMapping, Verify
from connector.rules.policy.limits import CHANNELS
from connector.rules.render import version
from connector.rules.told import folded

ADAPTERS: Final = ("standard", "segment")
SCHEMES: Final = ("hmac", "standard_webhooks", "timestamped", "basic", "bearer", "header")
TYPES: Final = ("track", "identify", "page", "screen", "group", "alias", "webhook")
SUBJECT: Final = ("user_id", "anonymous_id", "phone", "email", "crm", "crm_id")
CONSENT: Final = (
    *("granted", "phone", "wording", "wording_version", "ip", "url", "user_agent"),
    "occurred_at",
)
SPOKEN_FOR: Final = ("name", "key")  #: every signal has these beside its facts
RESERVED: Final = frozenset({"reply", "double_opt_in", "provider"})
"""Consent methods that lift or set a STOP; they are the connector's own to write."""
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

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


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


class _Reader:
    """Reads one file; what several of its tables need is at hand here."""

    def __init__(self, path: Path, top: Table, stages: Collection[str] | None) -> None:
        source = top.table("source")
        self.path = path
        self.top = top
        self.stages = stages
        self.adapter = source.text("adapter", choices=ADAPTERS)
        self.description = source.text("description", "")
        self.roots = SEGMENT if self.adapter == "segment" else WEBHOOK | {"name", "source"}
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

    def rule(self, table: Table, place: int, common: Mapping[str, Expression]) -> EventRule:
        """One ``[[events]]`` table."""
        names = (*table.words("names", ()), *filter(None, [table.text("name", "")]))
        kind = table.text("type", "", choices=TYPES)
        if not names and not kind:
            table.fault("name", "is missing", 'say which event: name = "Order Completed"')
        facts, sensitive = self.facts(table.table("facts"))
        consents, given = self.consents(table)
        own = self.expressions(table, ("key", "value", "currency"), "")
        rule = EventRule(
            place=place,
            names=frozenset(map(folded, names)),
            type=kind,
            signal=_snake(table, "signal"),
            values=compile_all({**common, **facts, **own, **given}, strict=False),
            when=self.expression(table, "when"),
            stage=table.text("stage", "", choices=self.stages or ()),
            activity=self.activity(table),
            outcome=_snake(table, "outcome", ""),
            consents=consents,
            sensitive=sensitive,
            thing=_snake(table, "thing", ""),
            contact_made=table.text("contact_made", "", choices=("", *CHANNELS)),
            contact_purpose=Purpose(
                table.text("contact_purpose", "marketing", choices=("marketing", "service"))
            ),
        )
        if rule.thing and "key" not in table:
            table.fault("key", "is missing", f'say which {rule.thing}: key = "…"')
        if rule.thing and (consents or rule.stage or rule.outcome or rule.contact_made):
            table.fault("thing", "is no person", "leave out what only a person can have")
        table.done()
        return rule

    def activity(self, table: Table) -> bool:
        """Whether the event is something the person did; what another tool sent is not."""
        made = "contact_made" in table
        if made and table.raw("activity") is True:
            table.fault("activity", "is true of what another tool sent", "leave it out")
        if "contact_purpose" in table and not made:
            table.fault("contact_purpose", "is of no use here", 'it goes with contact_made = "…"')
        return table.flag("activity", not made)

    def facts(self, table: Table) -> tuple[dict[str, Expression], frozenset[str]]:
        """The facts of a rule, and which of them are never shown."""
        hidden: tuple[str, ...] = ()
        names = list(table.values)
        if isinstance(table.values.get("sensitive"), list):
            names.remove("sensitive")
            hidden = table.words("sensitive", choices=names)
        for name in SPOKEN_FOR:
            if name in names:
                table.fault(name, "is what every signal has already", "call the fact otherwise")
        return self.expressions(table, names, "facts."), frozenset(hidden)

    def consents(self, event: Table) -> tuple[tuple[ConsentRule, ...], dict[str, Expression]]:
        """The consents of a rule, and their expressions."""
        rules = []
        given: dict[str, Expression] = {}
        for number, table in enumerate(event.tables("consents")):
            place = f"consents[{number}]"
            rules.append(
                ConsentRule(
                    _snake(table, "purpose"),
                    _method(table),
                    place,
                    table.flag("double_opt_in", False),
                    table.flag("renews", False),
                )
            )
            if "granted" not in table:
                table.fault("granted", "is missing", 'write granted = "traits.sms_consent"')
            given |= self.expressions(table, CONSENT, f"{place}.")
            table.done()
        return tuple(rules), given

    def expressions(
        self,
        table: Table,
        keys: Collection[str],
        prefix: str,
        roots: frozenset[str] | None = None,
    ) -> dict[str, Expression]:
        """The expressions under those ``keys`` that are there, by prefixed name."""
        found = {f"{prefix}{key}": self.expression(table, key, roots) for key in keys}
        return {name: expression for name, expression in found.items() if expression}

    def expression(
        self, table: Table, key: str, roots: frozenset[str] | None = None, limit: int = MAX_SIZE
    ) -> Expression | None:
        """One expression; None where it is absent, empty or at fault."""
        source = table.text(key, "")
        if not source:
            return None
        known = self.roots if roots is None else roots
        try:
            found = compile_expression(source, strict=False, limit=limit)
        except ValueError as error:
            table.fault(key, f"cannot be understood: {error}", "mend the expression")
            return None
        for path in sorted(found.paths):
            root = path.partition(".")[0]
            if root not in known:
                table.fault(key, f"reads {path}, which no event has", nearest(root, known))
        return found


def _snake(table: Table, key: str, default: str = REQUIRED) -> str:
    value = table.text(key, default)
    if value and not _NAME.fullmatch(value):
        table.fault(key, f"is {value!r:.60}", "use small letters, digits and _")
    return value


def _method(table: Table) -> str:
    """How consent is given. What only the number itself can say, no source may say for it."""
    method = table.text("method", max_length=100)
    if method in RESERVED:
        problem = "is kept for what the number itself says by text, since that lifts a STOP"
        table.fault(
            "method", f"is {method!r}, which {problem}", "write web_form, checkout, paper …"
        )
    return method
