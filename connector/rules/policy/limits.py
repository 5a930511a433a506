"""Limits: how much of a person's patience, of money and of a sender's capacity may be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SMS = "sms"
CHANNELS = ("email", "push", "call", "letter", "ad", "chat")
"""What other tools may have used to reach a person, beside our own ``sms``."""
ANY = "*"


@dataclass(frozen=True, slots=True)
class Fatigue:
    """``[fatigue]``: marketing texts in a row that led to no sign of life slow down, then stop.

    0 leaves that half out.
    """

    slow_after: int
    gap: timedelta  #: least time between two marketing texts from then on
    stop_after: int


@dataclass(frozen=True, slots=True)
class TemplateAlarm:
    """``[template_alarm]``: shares of deliveries after which people opted out."""

    deliveries: int  #: fewer say nothing
    alarm: float  #: above this share somebody is told
    pause: float  #: above this one its texts wait
    within: timedelta  #: deliveries and opt-outs older than this are not counted


@dataclass(frozen=True, slots=True)
class Budget:
    """``[budget]``: what may be spent in a day and a month of the operator's zone; None: no limit.

    Money is in micros of ``currency``.
    """

    day_micros: int | None = None
    month_micros: int | None = None
    day_segments: int | None = None
    month_segments: int | None = None
    segment_micros: int = 0  #: the price of a segment for as long as the provider tells none
    currency: str = "USD"
    warn: float = 0.8
    reserve: float = 0.1  #: the last share, which is kept for service texts

    def cost(self, segments: int, told_micros: int | None, currency: str) -> int:
        """What a text costs: what the provider told, where in our currency, else the price."""
        if told_micros is not None and currency in ("", self.currency):
            return told_micros
        return segments * self.segment_micros


@dataclass(frozen=True, slots=True)
class Sender:
    """``[[senders]]``: what one sender (``*``: each other one) may send, in segments; 0: no limit.

    ``day_segments`` is what carriers take of it in a day, which begins at midnight of ``zone``.
    """

    name: str
    per_second: float = 0
    day_segments: int = 0
    zone: str = "America/Los_Angeles"
    countries: tuple[str, ...] = ("US",)  #: numbers of which the carriers' day counts
    warn: float = 0.8
    reserve: float = 0.1

    @property
    def pot(self) -> str:
        """The name under which its days are counted."""
        return f"carrier:{self.name}"


def sender_of(senders: Sequence[Sender], name: str) -> Sender | None:
    """The limits of a sender: its own, else those of all others; None where it has none."""
    named = next((each for each in senders if each.name == name), None)
    return named or next((each for each in senders if each.name == ANY), None)


@dataclass(frozen=True, slots=True)
class Pot:
    """One day or month that something is counted in, and how full it is."""

    name: str  #: budget:2026-11-17, budget:2026-11, carrier:*:2026-11-17
    ends: datetime
    segments: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """A pot held against one of its limits: so much of so much."""

    span: str  #: day | month | carriers' day
    unit: str  #: money (micros) | segments
    pot: Pot
    limit: int
    warn: float
    reserve: float
    reason: str  #: budget_spent | carrier_cap

    @property
    def full(self) -> int:
        """How much of it is used."""
        return self.pot.micros if self.unit == "money" else self.pot.segments

    @property
    def for_marketing(self) -> int:
        """Up to where marketing may use it; the rest is for service."""
        return self.limit - round(self.limit * self.reserve)

    @property
    def shown(self) -> str:
        """So much of so much, in words."""
        if self.unit == "money":
            return f"{self.full / 1e6:.2f} of {self.limit / 1e6:.2f}"
        return f"{self.full} of {self.limit} segments"


@dataclass(frozen=True, slots=True)
class Rival:
    """Another planned marketing text to the person, of a play of a higher priority."""

    at: datetime  #: when it is next due
    play: str
    priority: int
