"""Mapping: what an event means here, about whom it speaks, and the facts it carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from connector.errors import ExpressionFailed
from connector.expressions import Bundle, Expression, compile_all
from connector.model import ConsentGiven, Event, Json, Purpose, Signal, Subject, Trust
from connector.rules import told
from connector.rules.identity import proven

MERGED: Final = "merge"  #: the type of an event: a CRM made one of two records
DELETED: Final = "delete"  #: the type of an event: a CRM's record is gone
FORGET: Final = "forget"  #: whom the event is about is to be forgotten
EXPORT: Final = "export"  #: they want to know what is held of them
FORGET_ALL: Final = "forget_all"  #: all that the source ever told is to be forgotten
PRIVACY: Final = (FORGET, EXPORT, FORGET_ALL)


@dataclass(frozen=True, slots=True)
class Verify:
    """How a source signs its requests (the ``[verify]`` table)."""

    scheme: str  #: hmac, standard_webhooks, timestamped, basic, bearer or header
    header: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    tolerance: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """One ``[[events.consents]]`` table; its expressions stand in the rule's ``values``."""

    purpose: str  #: marketing, service, or a scope such as cart_reminders
    method: str  #: how it is given: web_form, checkout …
    place: str  #: where its values stand: ``consents[0]``
    double_opt_in: bool = False  #: it waits until the number itself has said yes
    renews: bool = False  #: said again it counts anew


Roots = tuple[tuple[str, frozenset[str]], ...]
"""The first steps of paths, and for each the second ones; "" where a path has but one."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """One ``[[events]]`` table: which events it is for, and what they mean."""

    place: int  #: in the file; the first rule that matches is taken
    names: frozenset[str]  #: folded; empty takes any name of its ``type``
    type: str  #: track, identify, page …; "" takes any
    signal: str
    values: Bundle  #: subject.*, traits.*, visit.*, facts.*, key, value, currency, consents[0].*
    when: Expression | None = None
    stage: str = ""
    stages: Mapping[str, str] = field(default_factory=dict)
    #: what ``values["stage"]`` may be → our stage, where the event itself tells a stage
    activity: bool = True
    outcome: str = ""
    consents: tuple[ConsentRule, ...] = ()
    sensitive: frozenset[str] = frozenset()
    thing: str = ""  #: the event is about a thing of this kind and not about a person
    contact_made: str = ""  #: the channel on which another tool reached the person
    contact_purpose: Purpose = Purpose.marketing
    privacy: str = ""  #: a person's right that the event asks for: one of ``PRIVACY``
    tables: told.Tables = field(init=False, repr=False, compare=False)
    _parts: tuple[Bundle, Bundle] = field(init=False, repr=False, compare=False)
    _roots: Roots = field(init=False, repr=False, compare=False)
    _silent: list[Mapping[str, Json]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = self.values.expressions
        person = {name: each for name, each in found.items() if name.startswith("traits.")}
        rest = {name: each for name, each in found.items() if name not in person}
        parts = compile_all(rest, strict=False), compile_all(person, strict=False)
        object.__setattr__(self, "tables", told.tables(found))
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "_roots", _roots(parts[1].paths))
        object.__setattr__(self, "_silent", [])

    def read(self, context: Mapping[str, Json]) -> Mapping[str, Json]:
        """All values of the rule over an event.

        Most events say nothing of who the person is: where none of the paths that the traits are
        read from has a beginning in the event, they are what they are for an empty one, which is
        found out once. A rule has some thirty of them.
        """
        own, person = self._parts
        if any(_begins(context.get(root), steps) for root, steps in self._roots):
            return {**own(context), **person(context)}
        if not self._silent:
            self._silent.append(person({}))
        return {**own(context), **self._silent[0]}

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts it gives."""
        return frozenset(name for name, _ in self.tables["facts"])

    @property
    def traits(self) -> frozenset[str]:
        """The names of the traits it gives."""
        return frozenset(name for name, _ in self.tables["traits"])


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """One file in ``mappings/sources``; its name is the file's name."""

    name: str
    version: str
    adapter: str  #: standard, segment, posthog or form
    events: tuple[EventRule, ...] = ()
    verify: Verify | None = None  #: None where write keys prove its requests
    for_each: Expression | None = None  #: gives the list of events; None: the body is one
    locator: Bundle | None = None  #: id, name, occurred_at of one event
    id_from: str = ""  #: "body": the event's id is a hash of it
    description: str = ""
    content: str = ""
    test: Expression | None = None  #: whether an event is its sender's test; None: the usual marks
    same_as: str = ""  #: the file whose events these mean the same as; "" where it has its own
    by_name: Mapping[str, tuple[EventRule, ...]] = field(init=False, repr=False, compare=False)
    by_type: Mapping[str, tuple[EventRule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, tuple[EventRule, ...]] = {}
        by_type: dict[str, tuple[EventRule, ...]] = {}
        for rule in self.events:
            for name in rule.names:
                by_name[name] = (*by_name.get(name, ()), rule)
            if not rule.names:
                by_type[rule.type] = (*by_type.get(rule.type, ()), rule)
        object.__setattr__(self, "by_name", by_name)
        object.__setattr__(self, "by_type", by_type)

    @property
    def traits(self) -> frozenset[str]:
        """The names of all traits it can give."""
        return frozenset().union(*(rule.traits for rule in self.events))

    @property
    def scopes(self) -> frozenset[str]:
        """The purposes and scopes that its consents are for."""
        return frozenset(consent.purpose for rule in self.events for consent in rule.consents)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An event that means nothing here, and why: unknown_event, condition_false, no_subject; or
    that is no customer's (``rules/traffic``): robot, staff, test.
    """

    reason: str
    subject: Subject | None = None  #: of staff: whom it speaks of, so that they are known again


def apply(
    mapping: SourceMapping, event: Event, trust: Trust, default_region: str
) -> Signal | Unmapped:
    """What an event means. ``default_region`` ("US") serves numbers written without a country.

    Raises ``ExpressionFailed``, whose message begins with the field, where an expression of the
    file cannot be evaluated over this event.
    """
    if event.type in (MERGED, DELETED):
        return _became(mapping, event)
    context = _context(mapping, event)
    rule = _rule(mapping, event, context)
    if isinstance(rule, Unmapped):
        return rule
    values = rule.read(context)
    signed = None if trust is Trust.trusted else proven(event.payload)
    said = told.Told(values, rule.tables, trust, default_region, signed)
    subject = Subject() if rule.thing else said.subject()
    if rule.thing and (trust is not Trust.trusted or not said.key()):
        return Unmapped("no_key" if trust is Trust.trusted else f"thing_from_{trust}")
    if rule.privacy and trust is not Trust.trusted:
        return Unmapped(f"privacy_from_{trust}")  # or a stranger could have anybody erased
    if subject == Subject() and not rule.thing and not rule.privacy:
        return Unmapped("; ".join(["no_subject", *said.dropped]))
    return Signal(
        name=rule.signal,
        subject=subject,
        facts=said.facts(),
        traits=said.traits(),
        stage=rule.stage or said.stage(rule.stages),
        key=said.key(),
        activity=rule.activity,
        consents=tuple(_consents(rule, said, event)),
        visit=said.visit(),
        merges=_merges(event, subject, said),
        outcome=rule.outcome,
        value_micros=said.micros(),
        currency=said.currency(),
        mapping=f"{mapping.name}@{mapping.version}",
        sensitive=rule.sensitive,
        dropped=tuple(said.dropped),
        thing=rule.thing,
        contact_made=rule.contact_made,
        contact_purpose=rule.contact_purpose,
        privacy=rule.privacy,
        proven=bool(signed and subject.user_id),
    )


def rule_for(mapping: SourceMapping, event: Event) -> EventRule | Unmapped:
    """The rule that an event falls under, or why none; raises ``ExpressionFailed``."""
    return _rule(mapping, event, _context(mapping, event))


def is_test(mapping: SourceMapping, event: Event) -> bool:
    """Whether an event is a test by the mapping's own word; raises ``ExpressionFailed``."""
    if mapping.test is None:
        return False
    try:
        return bool(mapping.test(_context(mapping, event)))
    except ExpressionFailed as error:
        raise ExpressionFailed(f"source.test: {error}", error.code) from None


def _became(mapping: SourceMapping, event: Event) -> Signal | Unmapped:
    """What a CRM says became of a person's record: one that lives on in another is that person."""
    item = event.payload.get("item")
    if event.type == DELETED or not isinstance(item, Mapping):
        return Unmapped("record_deleted")
    lost, lives = str(item.get("id") or ""), str(item.get("became") or "")
    return Signal(
        name="crm_merged",
        subject=Subject(crm=event.source, crm_id=lives),
        facts={"record": lost, "became": lives},
        traits={},
        activity=False,
        merges=Subject(crm=event.source, crm_id=lost),
        mapping=f"{mapping.name}@{mapping.version}",
    )


def _roots(paths: Iterable[str]) -> Roots:
    found: dict[str, set[str]] = {}
    for path in paths:
        root, _, rest = path.partition(".")
        found.setdefault(root, set()).add(rest.partition(".")[0])
    return tuple((root, frozenset(steps)) for root, steps in found.items())


def _begins(value: Json, steps: frozenset[str]) -> bool:
    """Whether any path may lead somewhere from the value of its first step."""
    if value is None or "" in steps or not isinstance(value, dict):
        return value is not None
    return any(value[step] is not None for step in steps.intersection(value))


def _context(mapping: SourceMapping, event: Event) -> dict[str, Json]:
    """What the expressions read: a Segment event itself, or the item of a webhook's body."""
    payload = event.payload if isinstance(event.payload, Mapping) else {}
    if mapping.adapter != "standard":
        return {**payload, "source": event.source}
    item = payload.get("item")
    return {
        "body": None if mapping.for_each else item,
        "item": item,
        "headers": payload.get("headers"),
        "name": event.name,
        "source": event.source,
    }


def _rule(
    mapping: SourceMapping, event: Event, context: Mapping[str, Json]
) -> EventRule | Unmapped:
    """The first rule of the file whose name, type and condition fit."""
    named = mapping.by_name.get(told.folded(event.name), ())
    typed = mapping.by_type.get(event.type, ())
    rules = sorted((*named, *typed), key=lambda rule: rule.place) if named and typed else named
    reason = "unknown_event"
    for rule in rules or typed:
        if rule.type and rule.type != event.type:
            continue
        if rule.when is None or _holds(rule, rule.when, context):
            return rule
        reason = "condition_false"
    return Unmapped(reason)


def _holds(rule: EventRule, when: Expression, context: Mapping[str, Json]) -> bool:
    try:
        return bool(when(context))
    except ExpressionFailed as error:
        raise ExpressionFailed(f"events[{rule.place}].when: {error}", error.code) from None


def _consents(rule: EventRule, said: told.Told, event: Event) -> Iterator[ConsentGiven]:
    evidence = {"source": event.source, "event": event.source_event_id, "name": event.name}
    for consent in rule.consents:
        seen = {} if event.type == "webhook" else _seen(event.payload)
        given = said.consent(consent.place, consent.purpose, consent.method, evidence, seen)
        if given is not None:
            asked = consent.double_opt_in or said.trust is Trust.form
            pending = asked and given.granted
            yield replace(given, pending=pending, renews=consent.renews)


def _seen(payload: Json) -> dict[str, Json]:
    """Where a tracked event comes from, as its library says: address, page, program."""
    context = payload.get("context") if isinstance(payload, Mapping) else None
    if not isinstance(context, Mapping):
        return {}
    page = context.get("page")
    url = page.get("url") if isinstance(page, Mapping) else None
    return {"ip": context.get("ip"), "url": url, "user_agent": context.get("userAgent")}


def _merges(event: Event, subject: Subject, said: told.Told) -> Subject | None:
    """Whom a trusted alias or identify proves to be the same person.

    Of a page whose user is proven only that user is: the other may be nobody but an anonymous id.
    """
    if said.trust is not Trust.trusted and not (said.proven and subject.user_id):
        return None
    if event.type == "alias":
        previous = said.identity("previousId", event.payload.get("previousId"))
        if said.trust is not Trust.trusted:
            return Subject(anonymous_id=previous) if previous else None
        return Subject(user_id=previous, anonymous_id=previous) if previous else None
    if event.type == "identify" and subject.user_id and subject.anonymous_id:
        return Subject(anonymous_id=subject.anonymous_id)
    return None
