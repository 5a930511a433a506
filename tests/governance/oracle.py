"""An oracle: what may leave, told from what was told to the connector and from nothing else.

It shares no code with the connector: its laws are a small table of its own, its consents a list of
what people did, its caps a count of what the provider was handed. It is asked at the instant of
each call to the provider, and complains of a text that may not leave. It does not complain of one
that was kept back: it knows less than the connector does (fatigue, budgets, who is in whose turn).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MARGIN: Final = timedelta(minutes=15)  #: of the lawful window that must be left
FEDERAL: Final = (time(8), time(21))
SERVICE: Final = (time(7), time(22))
LAWS: Final[dict[str, dict[int, tuple[time, time]]]] = {
    "NY": {},
    "IL": {},
    "CA": {},
    "HI": {},
    "FL": dict.fromkeys(range(7), (time(8), time(20))),
    "TX": dict.fromkeys(range(6), (time(9), time(21))) | {6: (time(12), time(21))},
    "WA": dict.fromkeys(range(7), (time(8), time(20))),
}
"""State → weekday → its own hours, where they are narrower than the federal ones."""
CLOCKS: Final = {
    "NY": ("America/New_York",),
    "IL": ("America/Chicago",),
    "CA": ("America/Los_Angeles",),
    "HI": ("Pacific/Honolulu",),
    "FL": ("America/New_York", "America/Chicago"),
    "TX": ("America/Chicago", "America/Denver"),
    "WA": ("America/Los_Angeles",),
}
STATES: Final = {
    "212": "NY", "312": "IL", "213": "CA", "808": "HI", "305": "FL", "214": "TX", "206": "WA",
}  # fmt: skip
UNDECIDED: Final = timedelta(hours=72)
"""An unclear reply that nobody decided counts as an opt-out of marketing from here on."""
YES_WITHIN: Final = timedelta(hours=24)  #: of the text that asked
ASKED_AGAIN: Final = timedelta(days=30)
ANSWERED_WITHIN: Final = timedelta(minutes=5)
NEVER: Final = datetime.max.replace(tzinfo=UTC)
TAKES_AWAY: Final = ("revoke", "stop", "wrong")


@dataclass(frozen=True)
class Limit:
    """At most ``count`` marketing texts in any rolling ``per``."""

    count: int
    per: timedelta


@dataclass(frozen=True, order=True)
class Act:
    """Something that was said of a number."""

    at: datetime
    turn: int  #: which of all it was, for two of one instant
    what: str  #: grant, yes, revoke, stop, start, untick or wrong
    of: str = ""  #: a purpose or scope; of a stop: all or marketing
    by: str = ""  #: of a stop: crm where a CRM's field said it


@dataclass
class Number:
    """What its bearer did about being texted, in the order in which it came about."""

    acts: list[Act] = field(default_factory=list)
    held_since: datetime | None = None
    wrote_at: datetime | None = None  #: when its bearer wrote last
    wanted: frozenset[str] = frozenset()  #: what it is to be asked a yes for
    asked: list[datetime] = field(default_factory=list)  #: when a text that asks for it left
    open: bool = False  #: whether a yes still answers the last of them
    kept_back: str = ""  #: from what a hand keeps it: all or marketing

    def add(
        self, at: datetime, what: str, of: str = "", by: str = "", now: datetime = NEVER
    ) -> None:
        """It is told of at ``now``; what a wrong clock put later than that came before it."""
        if what in TAKES_AWAY:
            at = max([at, *(act.at for act in self.acts if act.at > now)])
        self.acts.append(Act(at, len(self.acts), what, of, by))

    def yes(self, at: datetime) -> None:
        """Its bearer wrote YES, which answers a text that asked for it within a day."""
        if self.open and self.asked and self.asked[-1] <= at < self.asked[-1] + YES_WITHIN:
            self.open = False
            for purpose in self.wanted:
                self.add(at, "yes", purpose)

    def live(self, now: datetime) -> frozenset[str]:
        """The purposes and scopes that may be texted for."""
        reading = Reading()
        for act in sorted(self.acts):
            getattr(reading, act.what)(act)
        if self.held_since is not None and now >= self.held_since + UNDECIDED:
            reading.now.discard("marketing")
        return frozenset(reading.now)


@dataclass
class Reading:
    """What the acts of a number come to, one after another."""

    now: set[str] = field(default_factory=set)  #: may be texted for
    before: set[str] = field(default_factory=set)  #: could be when STOP came
    stopped: str = ""  #: all or marketing
    by: set[str] = field(default_factory=set)  #: who said so
    lifted: set[str] = field(default_factory=set)  #: for which a yes lifted it

    def grant(self, act: Act) -> None:
        is_open = not self.stopped or (self.stopped == "marketing" and act.of == "service")
        if is_open or act.of in self.lifted:
            self.now.add(act.of)

    def yes(self, act: Act) -> None:
        self.now.add(act.of)
        self.lifted |= {act.of} if self.stopped else set()

    def revoke(self, act: Act) -> None:
        self.now.discard(act.of)
        self.before.discard(act.of)

    def stop(self, act: Act) -> None:
        if not self.stopped:
            self.before, self.by = set(self.now), set()
        elif self.lifted:
            self.before |= self.now
        self.by.add(act.by)
        self.lifted = set()
        self.stopped = "all" if "all" in (act.of, self.stopped) else "marketing"
        self.now &= {"service"} if self.stopped == "marketing" else set()

    def start(self, act: Act) -> None:
        self.now |= self.before
        self.stopped, self.before, self.lifted, self.by = "", set(), set(), set()

    def untick(self, act: Act) -> None:
        """A CRM takes back what it said, and nothing that anybody else said."""
        if self.by == {"crm"}:
            self.start(act)

    def wrong(self, act: Act) -> None:
        self.stop(act)
        self.before = set()


@dataclass(frozen=True)
class Text:
    """What the provider was handed: it counts unless it was certainly not taken."""

    at: datetime
    phone: str
    purpose: str
    counts: bool


@dataclass
class Oracle:
    """Watches what leaves; ``complaints`` names each text that should not have."""

    limits: Sequence[Limit]
    gap: timedelta
    numbers: dict[str, Number] = field(default_factory=dict)
    zones: dict[str, set[str]] = field(default_factory=dict)
    """Number → the zones that its bearers may have stated, "" for none."""
    people: dict[str, set[str]] = field(default_factory=dict)  #: number → the person's numbers
    texts: list[Text] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    paused: bool = False
    clock_wrong: bool = False

    def number(self, phone: str) -> Number:
        """What is known of a number."""
        return self.numbers.setdefault(phone, Number())

    def leaves(
        self,
        now: datetime,
        phone: str,
        purpose: str,
        scopes: Iterable[str] = (),
        *,
        counts: bool,
        asks: bool = False,
    ) -> None:
        """A text is handed to the provider now; ``asks``: the request of a double opt-in."""
        hours = "service" if asks else purpose
        wrongs = ["everything is paused"] if self.paused else []
        if hours != "system":
            wrongs += self._outside_hours(now, phone, hours)
        if asks:
            wrongs += self._asked_too_often(now, phone)
        elif purpose == "system":
            wrongs += self._answers_late(now, phone)
        else:
            wrongs += self._without_consent(now, phone, {purpose, *scopes})
            wrongs += self._kept_back(phone, purpose)
        if purpose == "marketing":
            wrongs += self._too_many(now, phone)
        self.complaints += [f"{now} {phone} {purpose}: {wrong}" for wrong in wrongs]
        self.texts.append(Text(now, phone, "request" if asks else purpose, counts))
        if asks and counts:
            self.number(phone).asked.append(now)
            self.number(phone).open = True

    def _kept_back(self, phone: str, purpose: str) -> Iterable[str]:
        if self.number(phone).kept_back in ("all", purpose):
            yield "a hand keeps texts from it"
        if self.clock_wrong and purpose == "marketing":
            yield "nobody knows what hour it is"

    def _asked_too_often(self, now: datetime, phone: str) -> Iterable[str]:
        if any(at > now - ASKED_AGAIN for at in self.number(phone).asked):
            yield "asked for a yes within 30 days"

    def _answers_late(self, now: datetime, phone: str) -> Iterable[str]:
        wrote_at = self.number(phone).wrote_at
        if wrote_at is None or now - wrote_at > ANSWERED_WITHIN:
            yield f"an answer to what was written at {wrote_at}"

    def _without_consent(self, now: datetime, phone: str, wanted: set[str]) -> Iterable[str]:
        number = self.number(phone)
        missing = wanted - number.live(now)
        if missing:
            yield f"no live consent for {sorted(missing)}; {sorted(number.acts)}"
        if number.held_since is not None and "marketing" in wanted:
            yield f"an unclear reply of {number.held_since} waits for a person"

    def _outside_hours(self, now: datetime, phone: str, purpose: str) -> Iterable[str]:
        state = STATES[phone[2:5]]
        stated = self.zones.get(phone) or {""}
        readings = [(zone,) if zone else CLOCKS[state] for zone in stated]
        if not any(
            all(_is_open(now, zone, state, purpose) for zone in zones) for zones in readings
        ):
            yield f"outside the hours of {state} on {readings}"

    def _too_many(self, now: datetime, phone: str) -> Iterable[str]:
        together = self.people.get(phone, {phone})
        for what, phones in (("number", {phone}), ("person", together)):
            times = [
                text.at
                for text in self.texts
                if text.phone in phones and text.purpose == "marketing" and text.counts
            ]
            for limit in self.limits:
                inside = sum(at > now - limit.per for at in times)
                if inside >= limit.count:
                    yield f"{inside} texts to the {what} in {limit.per} already"
            if any(at > now - self.gap for at in times):
                yield f"a text to the {what} less than {self.gap} ago"


def _is_open(now: datetime, zone: str, state: str, purpose: str) -> bool:
    local = now.astimezone(ZoneInfo(zone))
    opens, closes = SERVICE
    if purpose == "marketing":
        opens, closes = FEDERAL
        own = LAWS[state].get(local.weekday())
        if own is not None:
            opens, closes = max(opens, own[0]), min(closes, own[1])
    last = (local + MARGIN).replace(tzinfo=None)
    return opens <= local.time() and last <= datetime.combine(local.date(), closes)
