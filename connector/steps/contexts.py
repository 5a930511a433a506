"""Contexts: what expressions and templates may read of a person, a start and a play."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from weakref import ref

import orjson

from connector import clock
from connector.ledger import enrolments, things
from connector.ledger.history import LedgerHistory
from connector.ledger.store import Row, Tx
from connector.model import Contact, Json
from connector.rules import render
from connector.rules.history import Segments
from connector.rules.plays import Play, Segment
from connector.steps.setup import Setup


def of(
    tx: Tx,
    rt: Setup,
    contact: Contact,
    crm: Mapping[str, Json],
    signal: Mapping[str, Json],
    now: datetime,
    as_of: datetime | None = None,
    segments: Mapping[str, Segment] | None = None,
    **more: Json,
) -> dict[str, Json]:
    """What expressions and templates may read.

    What the person did is told as of an instant (now, unless said), by the segments of today or
    those of a play's own version.
    """
    known = rt.segments if segments is None else segments
    found: dict[str, Json] = {
        **about(tx, contact, crm, as_of or now, known),
        "signal": signal,
        "brand": rt.says.brand,
        "help_contact": rt.says.help_contact,
        "language": reader(rt, contact.language or rt.says.language, contact),
        "zone": contact.timezone or rt.zone,
        **more,
    }
    if rt.things and "thing" not in found and signal.get("key"):
        found["thing"] = Thing(tx, str(signal["key"]))
    return found


def about(
    tx: Tx,
    contact: Contact,
    crm: Mapping[str, Json],
    as_of: datetime,
    segments: Mapping[str, Segment],
) -> dict[str, Json]:
    """What may be read of a person whatever started it, as of an instant; all a segment reads."""
    history = LedgerHistory(tx, contact.id, as_of)
    found: dict[str, Json] = {
        "contact": contact_facts(contact),
        "crm": crm,
        "now": clock.text(as_of),
    }
    if contact.first_seen_at is not None:
        found["first_seen"] = clock.text(contact.first_seen_at)
    if contact.last_seen_at is not None:
        found["last_seen"] = clock.text(contact.last_seen_at)
    asked = ref(history)  # a circle would be left to the collector, three times a text
    history.segments = Segments(segments, lambda: {**found, "history": asked()})
    return {**found, "history": history}


def contact_facts(contact: Contact) -> dict[str, Json]:
    """A contact as expressions see it: traits, and what stands in columns where it is known."""
    facts: dict[str, Json] = dict(contact.traits)
    for name in ("phone", "email", "timezone", "country", "region", "postal", "language"):
        if value := getattr(contact, name):
            facts[name] = value
    facts["stage"] = contact.stage
    facts["id"] = contact.id
    return facts


def play_facts(play: Play | None, template: str = "") -> dict[str, Json]:
    """A play as the policy's expressions see it, with one of its texts; "" where there is none."""
    if play is None:
        return {"name": "", "role": "", "purpose": "", "regulated": ""}
    regulated = play.regulated or play.texts_regulated.get(template, "")
    return {
        "name": play.name,
        "role": play.role.value,
        "purpose": play.purpose.value,
        "regulated": regulated,
    }


def signal_of(row: Row | None) -> dict[str, Json]:
    """The start signal of an enrolment row: its facts, sensitive ones too, its name, its key."""
    if row is None or row["signal_facts"] is None:
        return {}
    facts = orjson.loads(row["signal_facts"])
    return {**facts, "name": row["signal_name"], "key": row["key"]}


def shown(context: Mapping[str, Json], row: Row | None) -> Mapping[str, Json]:
    """A context for texts and CRM notes, into which sensitive facts never come."""
    hidden = frozenset(row["sensitive"].split(",")) if row and row["sensitive"] else frozenset()
    if not hidden:
        return context
    signal = {name: value for name, value in context["signal"].items() if name not in hidden}
    return {**context, "signal": signal}


def reader(rt: Setup, spoken: str, contact: Contact) -> str:
    return render.reader(spoken, contact.language, contact.country or rt.says.country)


class _Asked(Mapping[str, Json]):
    """Facts that are read from the ledger when one of them is first asked for."""

    def __init__(self, read: Callable[[], dict[str, Json]]) -> None:
        self._read = read
        self._found: dict[str, Json] | None = None

    def _facts(self) -> dict[str, Json]:
        if self._found is None:
            self._found = self._read()
        return self._found

    def __getitem__(self, name: str) -> Json:
        return self._facts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts())

    def __len__(self) -> int:
        return len(self._facts())


class Walked(_Asked):
    """What has come of an enrolment so far."""

    def __init__(self, tx: Tx, enrolment_id: str, step: str) -> None:
        super().__init__(lambda: {**enrolments.walked(tx, enrolment_id), "step": step})


class Thing(_Asked):
    """What is known of the thing that a start's key names."""

    def __init__(self, tx: Tx, key: str) -> None:
        super().__init__(lambda: things.facts(tx, key))
