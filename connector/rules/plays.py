"""Plays: what starts a text, whom it is for, when it speaks, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Any, Final

from connector.expressions import Template
from connector.model import Json, Purpose

Condition = Callable[[Mapping[str, Json]], Json]
"""A compiled expression: context in, value out; raises ``ExpressionFailed``."""

END: Final = "end"
"""Where a branch may lead instead of to a step."""


class Role(StrEnum):
    """What a play is for in the life of a customer."""

    acquisition = "acquisition"
    conversion = "conversion"
    onboarding = "onboarding"
    retention = "retention"
    service = "service"


class Mode(StrEnum):
    """live sends; shadow decides and records all but sends nothing; off starts nothing."""

    live = "live"
    shadow = "shadow"
    off = "off"


class Once(StrEnum):
    """How often one contact may walk a play: once ever, or once for each occurrence key."""

    contact = "contact"
    key = "key"


class Restart(StrEnum):
    """What the same start does while an enrolment waits: nothing, or start its timer anew."""

    ignore = "ignore"
    rearm = "rearm"


class OnPause(StrEnum):
    """What a pause does: texts wait and expire, or nothing opens and what waits ends."""

    hold = "hold"
    drop = "drop"


class Kind(StrEnum):
    """What starts a play; told by which keys its ``[start]`` table has."""

    signal = "signal"
    silence = "silence"
    change = "change"
    threshold = "threshold"
    date = "date"
    thing = "thing"
    segment = "segment"
    schedule = "schedule"
    hand = "hand"


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing heard for a span; any activity starts it anew."""

    span: timedelta
    since: str = "activity"  #: activity | first_seen (also where the person never did anything)


@dataclass(frozen=True, slots=True)
class Change:
    """A field or the stage became another value; empty tuples take any."""

    path: str  #: stage, contact.<trait> or crm.<field>
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measure passing from below ``level`` to at or above it.

    ``level`` is where everybody enrols (the loosest of an experiment's arms), ``own`` where this
    arm speaks.
    """

    measure: Condition  #: over the start signal's context; a number
    level: float
    rearm_below: float
    own: float


@dataclass(frozen=True, slots=True)
class Date:
    """A day or an instant in a field or in the start signal's facts, and how far from it."""

    path: str  #: contact.<trait>, crm.<field> or signal.<fact>
    offset: timedelta = timedelta(0)  #: before it where negative
    at: time | None = None  #: the hour on the person's clock; None keeps the instant's own
    yearly: bool = False
    leap_day: str = "02-28"  #: where 29 February falls in common years: 02-28 | 03-01
    look_back: timedelta = timedelta(days=30)  #: exits this long before it count


@dataclass(frozen=True, slots=True)
class FanOut:
    """Whom a fact about a thing is told: those who cared for it, or a segment."""

    cares: tuple[str, ...] = ()  #: signals with the same key ...
    within: timedelta = timedelta(days=30)  #: ... this long before the fact
    segment: str = ""
    limit: int = 100_000  #: people at the most


@dataclass(frozen=True, slots=True)
class Edge:
    """Coming into a segment, or out of it."""

    segment: str
    entering: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron line on one zone's clock, over the people of a segment."""

    cron: str
    zone: str
    segment: str
    limit: int = 100_000


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a play (the ``[start]`` table)."""

    signal: str = ""
    where: Condition | None = None  #: over signal, contact, crm
    count: int = 1  #: the Nth such signal ...
    within: timedelta | None = None  #: ... inside this rolling window, by occurred_at
    after: timedelta = timedelta(0)  #: speak this long after the start signal
    unless: tuple[str, ...] = ()  #: signals that end the wait (an absence starts the message)
    key: Condition | None = None  #: occurrence key; None takes the signal's own key
    once: Once = Once.key
    cooldown: timedelta | None = None  #: from the last enrolling start signal to the next
    restart: Restart = Restart.ignore
    first: bool = False  #: only the first such signal ever
    silence: Silence | None = None
    change: Change | None = None
    threshold: Threshold | None = None
    date: Date | None = None
    fan_out: FanOut | None = None
    edge: Edge | None = None
    schedule: Schedule | None = None
    kind: Kind = field(init=False, compare=False)  #: which of its forms it has

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", self._kind())

    def _kind(self) -> Kind:
        for kind, form in (
            (Kind.silence, self.silence),
            (Kind.change, self.change),
            (Kind.threshold, self.threshold),
            (Kind.thing, self.fan_out),
            (Kind.segment, self.edge),
            (Kind.schedule, self.schedule),
        ):
            if form is not None:
                return kind
        if self.signal:
            return Kind.signal
        return Kind.date if self.date is not None else Kind.hand


@dataclass(frozen=True, slots=True)
class Moment:
    """When on the person's clock a step may act; empty ones leave its instant as it is."""

    at: time | None = None  #: not before this hour of the day
    days: frozenset[int] = frozenset()  #: 0 is Monday; empty means all
    window: tuple[time, time] | None = None  #: from, until (not included)
    best_hour: bool = False  #: the person's own hour, else the segment's, the play's, ``at``
    spread: timedelta = timedelta(0)  #: each person at a fixed place within this span


@dataclass(frozen=True, slots=True)
class Choice:
    """One ``[[steps.choose]]`` table: the first whose condition holds gives the template."""

    when: Condition
    template: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One ``[[steps.branches]]`` table: asked when the step is due; the first that holds leads."""

    when: Condition
    go: str  #: a later step, or ``end``


@dataclass(frozen=True, slots=True)
class WaitFor:
    """A step that only waits: for one of some signals, or until its time is over."""

    signals: tuple[str, ...]
    timeout: timedelta
    heard: str = ""  #: the step to go to, "" the next, ``end`` none
    missed: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One text, CRM task, webhook or wait (a ``[[steps]]`` table)."""

    name: str
    wait: timedelta = timedelta(0)  #: after the step before was done; the first: after due
    template: str = ""  #: a text: template name without language and ending
    task: str = ""  #: or a CRM task: its subject line, a template text
    expires: timedelta = timedelta(hours=24)  #: after due; 4 h for service
    where: Condition | None = None  #: asked when due; false skips the step
    webhook: str = ""  #: or a call to another tool: a name under [webhooks] in config.toml
    wait_for: WaitFor | None = None  #: or nothing but waiting
    choices: tuple[Choice, ...] = ()  #: which template instead of ``template``
    moment: Moment = Moment()
    branches: tuple[Branch, ...] = ()
    go: str = ""  #: the step after this one where it is not the next; ``end`` for none
    answers: tuple[str, ...] = ()  #: words this text asks for; a reply of one is a signal
    max_segments: int | None = None  #: a longer text is not sent

    @property
    def is_text(self) -> bool:
        """Whether it sends a text."""
        return bool(self.template or self.choices)


@dataclass(frozen=True, slots=True)
class Goal:
    """What the play wants to happen (the ``[goal]`` table)."""

    signal: str
    within: timedelta  #: of the first accepted text
    where: Condition | None = None  #: over signal, contact, start
    same_key: bool = False  #: only a goal signal with the enrolment's occurrence key counts


@dataclass(frozen=True, slots=True)
class Exit:
    """What ends an enrolment beside signals (the ``[exit]`` table)."""

    when: Condition | None = None  #: asked at each signal and before each step
    stages: tuple[str, ...] = ()  #: coming to one of these
    left: tuple[str, ...] = ()  #: no longer being in one of these segments


@dataclass(frozen=True, slots=True)
class Experiment:
    """A test of one field (the ``[experiment]`` table): arm → its share and its play.

    The arm ``control`` is the file as it stands and has what share the others leave.
    """

    name: str
    field: str  #: the dotted path that differs: start.after, steps.reminder.template …
    shares: Mapping[str, float]
    plays: Mapping[str, Play]  #: of every arm but control


@dataclass(frozen=True, slots=True)
class Segment:
    """A named condition over people (``mappings/segments.toml``)."""

    name: str
    when: Condition
    source: str  #: the expression as written
    description: str = ""
    signals: frozenset[str] = frozenset()  #: names of the signals whose history it reads
    paths: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Play:
    """One file in ``mappings/plays``; its name is the file's name."""

    name: str
    version: str  #: sha256 of the file, its templates, segments and stages, 12 hex digits
    description: str
    role: Role
    purpose: Purpose
    scopes: tuple[str, ...]  #: consent scopes wanted beside the purpose, e.g. cart_reminders
    start: Start
    audience: Condition | None
    steps: tuple[Step, ...]
    goal: Goal | None
    exits: tuple[str, ...]  #: signals that end the enrolment
    stages: tuple[str, ...]  #: stages allowed; empty allows all
    mode: Mode = Mode.live
    holdout: float = 0.05  #: share that misses this play; 0 for service
    max_texts_per_key: int | None = None  #: over all enrolments of one occurrence key
    priority: int = 0
    content: str = ""  #: the file and its templates as read, kept in the ledger by version
    exit: Exit = Exit()
    same_key: bool = False  #: exits, unless and waits that bear a key count for that key only
    exclusive: bool = False  #: a conversation: one at a time to one person; marketing by default
    adopt: bool = False  #: those on the way go on by the newest version
    on_pause: OnPause = OnPause.hold
    valid_until: date | None = None  #: nothing goes after this day
    review_every: timedelta | None = None
    reviewed: date | None = None
    next_step: str = ""  #: the one action the texts ask for: book, confirm, finish, renew, reply
    not_for: str = ""  #: when not to use it, for people
    experiment: Experiment | None = None
    arm: str = ""  #: of the experiment, where this is one of its variants
    templates: Mapping[tuple[str, str], Template] = field(default_factory=dict, compare=False)
    texts_until: Mapping[str, date] = field(default_factory=dict)  #: template → its valid_until
    regulated: str = ""  #: what its texts are about that a law regulates: alcohol, gambling …
    texts_regulated: Mapping[str, str] = field(default_factory=dict)  #: the same by template
    crm: frozenset[str] = frozenset()  #: paths of the CRM's facts that it reads anywhere
    segments: Mapping[str, Segment] = field(default_factory=dict, compare=False)
    examples: tuple[Mapping[str, Any], ...] = ()  #: the ``[[examples]]`` tables as written
    allowed: Mapping[str, str] = field(default_factory=dict)  #: finding code → why it is silenced

    def place(self, name: str) -> int:
        """Where a step stands; past the last for ``end``. Raises ``ValueError`` for no step."""
        if name == END:
            return len(self.steps)
        return [step.name for step in self.steps].index(name)

    def after(self, place: int) -> int:
        """Where the walk goes on after the step at ``place``."""
        go = self.steps[place].go
        return self.place(go) if go else place + 1
