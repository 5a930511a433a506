"""What a decision rests on: the policy as values, the facts, the hours of the law."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.model import Contact, Json, Objection, Purpose, Said, Verdict, light
from connector.rules.ages import Ages, NumberChecks
from connector.rules.expiry import Expiry
from connector.rules.hours import Hours
from connector.rules.lists import Lists
from connector.rules.places import Address, Sign
from connector.rules.plays import Condition
from connector.rules.policy.limits import SMS, Budget, Fatigue, Pot, Rival, Sender, TemplateAlarm
from connector.rules.policy.reads import Reads, reads

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
    channels: tuple[str, ...] = (SMS,)  #: what counts: our texts, and what other tools report


@dataclass(frozen=True, slots=True)
class Suppression:
    """A rule that keeps a text back (a ``[[suppress]]`` table)."""

    name: str
    when: Condition  #: over contact, crm, signal, play; true suppresses
    says: str
    verdict: Verdict = Verdict.stop
    purposes: tuple[str, ...] = ("marketing",)
    roles: tuple[str, ...] = ()  #: only plays of these roles; empty means all
    crm: frozenset[str] = frozenset()  #: paths of the CRM's facts that ``when`` reads

    def concerns(self, purpose: str, role: str) -> bool:
        """Whether it is for a text of a purpose, in a play of a role ("" for none)."""
        return (not self.purposes or purpose in self.purposes) and (
            not self.roles or role in self.roles
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """``mappings/policy.toml`` as values."""

    version: str
    caps: tuple[Cap, ...] = ()
    gap: timedelta = timedelta(0)  #: least time between two marketing texts
    suppressions: tuple[Suppression, ...] = ()
    together: Mapping[tuple[str, str], Together] = field(default_factory=dict, compare=False)
    """(purpose, role) → the conditions of all that concern it, asked in one call."""
    window_margin: timedelta = timedelta(minutes=15)
    stop_scope: str = "all"  #: all | marketing
    fatigue: Fatigue | None = None
    inactive_after: timedelta | None = None  #: without a sign of life: no marketing
    template_alarm: TemplateAlarm | None = None
    budget: Budget | None = None
    senders: tuple[Sender, ...] = ()
    expiries: tuple[Expiry, ...] = ()  #: consents that end of themselves
    content: str = ""
    numbers: NumberChecks = field(default_factory=NumberChecks)
    ages: Ages = field(default_factory=Ages)
    lists: Lists = field(default_factory=Lists)
    _reads: dict[tuple[str, str], Reads] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def reads(self, purpose: str, role: str) -> Reads:
        """What the rules for such a text read of a person; found out once."""
        found = self._reads.get((purpose, role))
        if found is None:
            mine = [rule for rule in self.suppressions if rule.concerns(purpose, role)]
            found = self._reads[purpose, role] = reads((rule.name, rule.when) for rule in mine)
        return found

    def crm(self, purpose: str, role: str) -> frozenset[str]:
        """Paths of the CRM's facts that the rules for such a text read."""
        concerned = (rule.crm for rule in self.suppressions if rule.concerns(purpose, role))
        return frozenset[str]().union(*concerned)


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
    addresses: tuple[Address, ...] = ()  #: beside the person's own, as ``[[signs]]`` name them
    stages: tuple[str, ...] = ()
    max_texts_per_key: int | None = None
    asks: bool = False  #: our own text that asks for a yes (double opt-in)
    texts_for_cart: int = 0  #: texts about the same cart, by any play that reminds of carts
    cart_at: datetime | None = None  #: when what started the play occurred
    text: str = ""
    text_fault: str = ""  #: why it could not be rendered
    hold: str = ""  #: "" or why marketing to the number waits for a person
    paused: str = ""  #: "" or who paused what
    clock_off: str = ""  #: "" or how wrong the machine's clock is
    unheard: str = ""  #: "" or since when replies may have been missed
    talking_until: datetime | None = None  #: until when a person's conversation goes first
    busy_with: str = ""  #: another play that is in a conversation with the person
    not_valid: str = ""  #: "" or since when the play or the text may no longer go
    too_long: str = ""  #: "" or how many segments it has
    touched: tuple[Said, ...] = ()  #: what other tools told the person, where a cap counts it
    unanswered: int = 0  #: marketing texts since the last sign of life, as far as fatigue asks
    unanswered_at: datetime | None = None  #: when the last of them went
    alive_at: datetime | None = None  #: the last sign of life, or when they were first heard of
    rivals: tuple[Rival, ...] = ()  #: planned texts of a higher priority to the person
    template_paused: str = ""  #: "" or why no text of this template goes
    sender: str = ""  #: the number or service that it leaves by
    segments: int = 0  #: of the text, where something counts them
    cost_micros: int = 0  #: what it is expected to cost
    pots: tuple[Pot, ...] = ()  #: days and months it counts in, as full as they are
    reassigned: str = ""  #: "" or why older consents of the number count as none
    on_list: str = ""  #: "" or the suppression list that names the person, and why
    list_fault: str = ""  #: "" or why a suppression list cannot be gone by
    facts_old: str = ""  #: "" or why what the CRM told is too old
    number_unchecked: str = ""  #: "" or why the number must be looked up first
    no_route: str = ""  #: "" or why nobody takes such a text to such a number
    provider: str = ""  #: by whom it goes, where there are routes
    way: str = ""  #: by which route, and why not by its first hop
    sign: Sign | None = None  #: what the number itself tells, where it is not at hand (an audit)


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
CHECK_AGAIN = timedelta(minutes=15)  #: when a cause that may clear at any time is asked again
LAST_CALL = timedelta(minutes=1)  #: before a text expires, what holds it is asked a last time


def ask_again(facts: Facts, now: datetime) -> datetime:
    """When a check whose cause may clear at any time is made again, for as long as the text lives.

    In a quarter of an hour; where the text expires before that, once more just before it does.
    """
    last = facts.expires_at - LAST_CALL
    return last if now < last < now + CHECK_AGAIN else now + CHECK_AGAIN
