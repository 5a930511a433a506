"""The policy: the list of checks, gravest first, that every text passes twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector import phone
from connector.errors import ExpressionFailed
from connector.model import Contact, Decision, Json, Objection, Purpose, Said, Verdict, light
from connector.rules import hours
from connector.rules.hours import Hours
from connector.rules.plays import Condition

log = logging.getLogger("connector")


Together = Callable[[Mapping[str, Json]], Mapping[str, Json]]
"""Many conditions asked at once: their values by name; it raises where one of them does."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``count`` accepted texts in any rolling ``per`` (a ``[[caps]]`` table).

    ``play`` is "" (over all plays), ``*`` (each play for itself) or one play's name.
    """

    name: str
    purpose: Purpose
    count: int
    per: timedelta
    play: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A rule that keeps a text back (a ``[[suppress]]`` table)."""

    name: str
    when: Condition  #: over contact, crm, signal, play; true suppresses
    says: str
    verdict: Verdict = Verdict.stop
    purposes: tuple[str, ...] = ("marketing",)
    roles: tuple[str, ...] = ()  #: only plays of these roles; empty means all


@dataclass(frozen=True, slots=True)
class Policy:
    """``mappings/policy.toml`` as values."""

    version: str
    caps: tuple[Cap, ...] = ()
    gap: timedelta = timedelta(0)  #: least time between two marketing texts
    suppressions: tuple[Suppression, ...] = ()
    together: Together | None = None  #: every suppression's ``when``, asked in one call
    window_margin: timedelta = timedelta(minutes=15)
    stop_scope: str = "all"  #: all | marketing
    content: str = ""


@light
@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision may know, gathered by the step in one read."""

    contact: Contact
    purpose: Purpose
    scopes: tuple[str, ...]  #: beside the purpose
    play: str
    role: str
    key: str
    step: str
    due_at: datetime
    expires_at: datetime
    number_type: str  #: mobile, fixed_line_or_mobile, fixed_line, voip, toll_free, … or invalid
    blocked: str  #: "" or why nothing (or no marketing) may reach the number: stop, provider, …
    blocked_scope: str  #: all | marketing
    consents: frozenset[str]  #: purposes and scopes live for this number now
    said: tuple[Said, ...]  #: to the person, within the longest cap
    said_to_number: tuple[Said, ...]  #: to the number, whoever bore it
    texts_for_key: int = 0  #: texts that count for this play and occurrence key
    context: Mapping[str, Json] = field(default_factory=dict)  #: what expressions may read
    stages: tuple[str, ...] = ()
    max_texts_per_key: int | None = None
    text: str = ""
    text_fault: str = ""  #: why it could not be rendered
    hold: str = ""  #: "" or why marketing to the number waits for a person
    paused: str = ""  #: "" or who paused what
    talking_until: datetime | None = None  #: until when a person's conversation goes first
    busy_with: str = ""  #: another play that is in a conversation with the person
    not_valid: str = ""  #: "" or since when the play or the text may no longer go
    too_long: str = ""  #: "" or how many segments it has


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What decisions rest on beside the facts: the policy and the hours of today."""

    policy: Policy
    hours: Hours

    @property
    def version(self) -> str:
        """Names both contents; stored with each decision."""
        return f"{self.policy.version}+{self.hours.version}"


Check = Callable[[Facts, Rulebook, datetime], Objection | None]
CHECK_AGAIN = timedelta(minutes=15)


def decide(facts: Facts, book: Rulebook, now: datetime) -> Decision:
    """Send, wait until an instant, or stop: every check is asked and every objection is kept.

    The gravest objection decides: any *stop* stops, else the latest *wait* holds. A wait that
    would not end before ``expires_at`` is a stop. A check that raises waits (it may clear).
    """
    objections = []
    for check in SYSTEM_CHECKS if facts.purpose is Purpose.system else CHECKS:
        try:
            objection = check(facts, book, now)
        except Exception as error:
            objection = _failed(check, error, now)
        if objection is not None:
            objections.append(objection)
    return _weigh(objections, facts, book.version, now)


def _weigh(objections: list[Objection], facts: Facts, version: str, now: datetime) -> Decision:
    if not objections:
        return Decision(Verdict.send, policy_version=version)
    stops = [item for item in objections if item.verdict is Verdict.stop]
    if stops:
        rest = [item for item in objections if item.verdict is not Verdict.stop]
        return Decision(Verdict.stop, (*stops, *rest), None, version)
    until = max(item.until or now + CHECK_AGAIN for item in objections)
    waits = tuple(sorted(objections, key=lambda item: item.until or now, reverse=True))
    if until >= facts.expires_at:
        late = Objection(
            waits[0].reason,
            Verdict.stop,
            f"{waits[0].says} That is not before the text expires, so it is dropped.",
        )
        return Decision(Verdict.stop, (late, *waits[1:]), None, version)
    return Decision(Verdict.wait, waits, until, version)


def _failed(check: Check, error: Exception, now: datetime) -> Objection:
    name = check.__name__
    code = getattr(error, "code", "")
    reason = code if code == "fact_missing" else "check_failed"
    log.error("act=decide check=%s result=failed error=%s", name, type(error).__name__)
    says = f"The check {name} could not be made ({type(error).__name__}: {error})."
    return Objection(reason, Verdict.wait, says, now + CHECK_AGAIN)


def opted_out(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The number said STOP, or the provider or an operator blocked it."""
    if not facts.blocked:
        return None
    if facts.blocked_scope == "marketing" and facts.purpose is Purpose.service:
        return None
    return Objection("opted_out", Verdict.stop, f"The number has opted out ({facts.blocked}).")


def no_consent(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """No live consent for the purpose, or for a scope that the play wants."""
    missing = [want for want in (facts.purpose.value, *facts.scopes) if want not in facts.consents]
    if not missing:
        return None
    return Objection(
        "no_consent", Verdict.stop, f"The number has no live consent for {' and '.join(missing)}."
    )


def suppressed(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A rule of the policy file keeps the text back; the first that does is named."""
    if _none_suppresses(book.policy, facts.context):
        return None
    for rule in book.policy.suppressions:
        if rule.purposes and facts.purpose.value not in rule.purposes:
            continue
        if rule.roles and facts.role not in rule.roles:
            continue
        if rule.when(facts.context):
            until = now + CHECK_AGAIN if rule.verdict is Verdict.wait else None
            return Objection("suppressed", rule.verdict, f"{rule.name}: {rule.says}", until)
    return None


def _none_suppresses(policy: Policy, context: Mapping[str, Json]) -> bool:
    """Whether no rule is true, whatever it is for; as for nearly everybody, so asked first."""
    if policy.together is None:
        return False
    try:
        return not any(policy.together(context).values())
    except ExpressionFailed:
        return False  # the rules are asked one by one, as some of them may not be for this text


def no_mobile(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """There is no number, or it cannot take texts."""
    if not facts.contact.phone:
        return Objection("no_mobile", Verdict.stop, "The contact has no phone number.")
    if not phone.reachable(facts.number_type):
        kind = facts.number_type.replace("_", " ") or "of unknown type"
        return Objection("no_mobile", Verdict.stop, f"The number is {kind}, not a mobile.")
    return None


def wrong_stage(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The play is not for contacts at this stage."""
    if not facts.stages or facts.contact.stage in facts.stages:
        return None
    stage = facts.contact.stage or "no stage"
    return Objection(
        "wrong_stage", Verdict.stop, f"The contact is at {stage}, not {' or '.join(facts.stages)}."
    )


def already_said(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The occurrence has had all the texts it may have."""
    limit = facts.max_texts_per_key
    if limit is None or facts.texts_for_key < limit:
        return None
    return Objection(
        "already_said",
        Verdict.stop,
        f"{facts.texts_for_key} of at most {limit} texts about {facts.key or 'this'} went already.",
    )


def expired(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """It is too late to be of use."""
    if now < facts.expires_at:
        return None
    late = f"{facts.expires_at:%Y-%m-%d %H:%M} UTC"
    return Objection("expired", Verdict.stop, f"The text was worth sending until {late}.")


def value_missing(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The text has a hole: a value that the template wants is missing."""
    if not facts.text_fault:
        return None
    return Objection("value_missing", Verdict.stop, facts.text_fault)


def quiet_hours(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The text would not be lawful in every zone and by every rule the person may be under."""
    where = hours.places(facts.contact, facts.contact.phone)
    opening = hours.judge(where, book.hours, facts.purpose, now, book.policy.window_margin)
    if opening.open:
        return None
    if opening.closed:
        return Objection("country_closed", Verdict.stop, opening.says)
    until = opening.until or now + hours.HORIZON  # none is known, so at least as long as was asked
    return Objection("quiet_hours", Verdict.wait, opening.says, until)


def cap_full(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A frequency cap is reached, for the person or for the number, whichever is fuller."""
    found, most = None, max(len(facts.said), len(facts.said_to_number))
    legal = _legal_caps(facts, book, now) if most else ()  # no law counts to less than one
    for cap in (*book.policy.caps, *legal):
        if cap.purpose is not facts.purpose or cap.play not in ("", "*", facts.play):
            continue
        if cap.count > most:  # as for nearly everybody: nothing has to be counted
            continue
        play = facts.play if cap.play else ""
        until = max(
            (_full_until(cap, _counted(said, cap.purpose, play), now) or now)
            for said in (facts.said, facts.said_to_number)
        )
        if until > now and (found is None or until > (found.until or now)):
            says = f"{cap.name}: at most {cap.count} in {_span(cap.per)} is reached."
            found = Objection("cap_full", Verdict.wait, says, until)
    return found


def too_soon(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The last marketing text was less than the minimum gap ago."""
    if facts.purpose is not Purpose.marketing or not book.policy.gap:
        return None
    times = [
        said.at
        for said in (*facts.said, *facts.said_to_number)
        if said.purpose is Purpose.marketing
    ]
    until = max(times, default=now - book.policy.gap) + book.policy.gap
    if until <= now:
        return None
    says = f"Less than {_span(book.policy.gap)} since the last marketing text."
    return Objection("minimum_gap", Verdict.wait, says, until)


def held(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """An unclear reply waits for a person to read it; only marketing is held."""
    if not facts.hold or facts.purpose is not Purpose.marketing:
        return None
    return Objection("reply_unread", Verdict.wait, facts.hold, now + CHECK_AGAIN)


def no_longer_valid(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The last day of the play or of the text is over."""
    if not facts.not_valid:
        return None
    return Objection("no_longer_valid", Verdict.stop, facts.not_valid)


def too_long(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The text has more segments than its step allows."""
    if not facts.too_long:
        return None
    return Objection("too_long", Verdict.stop, facts.too_long)


def paused(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The play is paused, or everything is."""
    if not facts.paused:
        return None
    return Objection("paused", Verdict.wait, facts.paused, now + CHECK_AGAIN)


def in_conversation(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A person is talking with this number; plays wait until that is over."""
    if facts.talking_until is None:
        return None
    says = "A person is in a conversation with this number."
    until = min(facts.talking_until, now + CHECK_AGAIN)  # it may be closed at any time
    return Objection("in_conversation", Verdict.wait, says, until)


def in_another_play(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """Another play is in a conversation with the person; one at a time."""
    if not facts.busy_with:
        return None
    says = f"The play {facts.busy_with} is in a conversation with this person."
    return Objection("in_another_play", Verdict.wait, says, now + CHECK_AGAIN)


CHECKS: tuple[Check, ...] = (
    opted_out,
    no_consent,
    suppressed,
    no_mobile,
    wrong_stage,
    already_said,
    expired,
    value_missing,
    no_longer_valid,
    too_long,
    quiet_hours,
    cap_full,
    too_soon,
    held,
    paused,
    in_conversation,
    in_another_play,
)
"""Gravest first; the order is the order in which objections are told."""

SYSTEM_CHECKS: tuple[Check, ...] = (no_mobile, expired, value_missing, paused)
"""Our own answer to a reply: only to the number that wrote, once, within five minutes."""


def _legal_caps(facts: Facts, book: Rulebook, now: datetime) -> tuple[Cap, ...]:
    where = hours.places(facts.contact, facts.contact.phone)
    limit = hours.legal_cap(where, book.hours, now.date())
    if limit is None:
        return ()
    name = f"the law of {', '.join(where.rules)}"
    return (Cap(name, Purpose.marketing, limit, timedelta(hours=24)),)


def _counted(said: tuple[Said, ...], purpose: Purpose, play: str) -> list[datetime]:
    return sorted(
        (item.at for item in said if item.purpose is purpose and play in ("", item.play)),
        reverse=True,
    )


def _full_until(cap: Cap, times: list[datetime], now: datetime) -> datetime | None:
    """When the cap has room again: as the count-th newest text leaves the rolling window."""
    inside = [at for at in times if at > now - cap.per]
    if len(inside) < cap.count:
        return None
    return inside[cap.count - 1] + cap.per if cap.count else now + cap.per


def _span(span: timedelta) -> str:
    hours_, rest = divmod(int(span.total_seconds()), 3600)
    if rest:
        return f"{int(span.total_seconds()) // 60} minutes"
    return f"{hours_ // 24} days" if hours_ % 24 == 0 and hours_ > 24 else f"{hours_} hours"
