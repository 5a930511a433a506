"""``[[events]]`` tables: what an event means, as values; for sources and for CRMs alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from connector.config.supply import nearest
from connector.config.toml import REQUIRED, Table
from connector.expressions import Expression, compile_all, compile_expression
from connector.expressions.values import MAX_SIZE
from connector.model import Purpose
from connector.rules.mapping import PRIVACY, ConsentRule, EventRule
from connector.rules.policy.limits import CHANNELS
from connector.rules.told import folded

TYPES: Final = ("track", "identify", "page", "screen", "group", "alias", "form", "webhook")
CONSENT: Final = (
    *("granted", "phone", "wording", "wording_version", "ip", "url", "user_agent"),
    "occurred_at",
)
RIGHTS: Final = frozenset({"name", "names", "type", "when", "privacy"})
"""What a rule may hold that asks for a person's right."""
SPOKEN_FOR: Final = ("name", "key")  #: every signal has these beside its facts
RESERVED: Final = frozenset({"reply", "double_opt_in", "provider"})
"""Consent methods that lift or set a STOP; they are the connector's own to write."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


class EventReader:
    """Reads ``[[events]]`` tables and their expressions.

    ``roots`` are what an expression may begin with, ``steps`` what may follow some of them.
    Without a word in the table an event is the person's own ``activity``, or is not.
    """

    def __init__(
        self,
        roots: frozenset[str],
        stages: Collection[str] | None,
        *,
        steps: Mapping[str, frozenset[str]] | None = None,
        activity: bool = True,
    ) -> None:
        self.roots = roots
        self.stages = stages
        self.steps = steps or {}
        self.is_activity = activity

    def rule(self, table: Table, place: int, common: Mapping[str, Expression]) -> EventRule:
        """One ``[[events]]`` table."""
        names = (*table.words("names", ()), *filter(None, [table.text("name", "")]))
        kind = table.text("type", "", choices=TYPES)
        if not names and not kind:
            table.fault("name", "is missing", 'say which event: name = "Order Completed"')
        facts, sensitive = self.facts(table.table("facts"))
        consents, given = self.consents(table)
        own = self.expressions(table, ("key", "value", "currency"), "")
        privacy = table.text("privacy", "", choices=("", *PRIVACY))
        rule = EventRule(
            place=place,
            names=frozenset(map(folded, names)),
            type=kind,
            signal=_snake(
                table, "signal", f"privacy_{privacy}" if "privacy" in table else REQUIRED
            ),
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
            privacy=privacy,
        )
        if rule.thing and "key" not in table:
            table.fault("key", "is missing", f'say which {rule.thing}: key = "…"')
        if rule.thing and (consents or rule.stage or rule.outcome or rule.contact_made):
            table.fault("thing", "is no person", "leave out what only a person can have")
        if privacy and table.values.keys() - RIGHTS:
            remedy = f"leave out all but {', '.join(sorted(RIGHTS))}; who it is stands in [subject]"
            table.fault("privacy", "starts nothing and tells nothing", remedy)
        table.done()
        return rule

    def activity(self, table: Table) -> bool:
        """Whether the event is something the person did; what another tool sent is not."""
        made = "contact_made" in table
        if made and table.raw("activity") is True:
            table.fault("activity", "is true of what another tool sent", "leave it out")
        if "contact_purpose" in table and not made:
            table.fault("contact_purpose", "is of no use here", 'it goes with contact_made = "…"')
        return table.flag("activity", self.is_activity and not made)

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
            below = path.split(".")[1:2]
            if root not in known:
                table.fault(key, f"reads {path}, which no event has", nearest(root, known))
            elif root in self.steps and not self.steps[root].issuperset(below):
                names = [f"{root}.{step}" for step in self.steps[root]]
                table.fault(key, f"reads {path}, which no event has", nearest(path, names))
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
