"""What became of a text of unknown fate, by what the looks at its provider have told so far.

Pure. In doubt, silence: a text is taken for gone only where it can be no other's, goes again only
where it certainly was not taken, and else a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LOOKS: Final = (
    timedelta(seconds=60),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=4),
)
"""When to look, after the doubt arose: what was just taken is not in a provider's list at once."""
REPEATABLE: Final = timedelta(hours=24)
"""How long a provider that repeats safely knows a text again (Idempotency-Key), at the least."""
AGREE: Final = 2  #: looks in a row that must not find a marketing text before it may go again
APART: Final = timedelta(seconds=60)
"""Looks nearer to each other tell one thing: the second was made since the first was late."""


class Fate(StrEnum):
    """What is known of a text in doubt."""

    sent = "sent"
    not_sent = "not_sent"  #: it may go again, while it is still wanted
    repeat = "repeat"  #: the very same may be handed over again: the provider knows it again
    again = "again"  #: nobody can tell yet
    person = "person"  #: only a person can tell


@dataclass(frozen=True, slots=True)
class Doubt:
    """A text whose fate nobody knows, and what its provider is able to."""

    since: datetime  #: when the doubt arose
    begun_at: datetime  #: when it was first handed over
    marketing: bool
    is_marked: bool  #: its words hold something that no other text has: a short link of its own
    finds: bool
    by_reference: bool  #: the provider finds it by our own reference
    repeats: bool  #: the provider repeats safely, and it was not asked to yet


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the provider told."""

    at: datetime
    taken: bool | None  #: None: it could not tell
    by_reference: bool = False
    fits: tuple[str, ...] = ()  #: ids of what fits and is no other text of ours
    others: int = 0  #: what fits and is another text of ours


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of it, why that is said, and when to look again."""

    fate: Fate
    why: str
    provider_id: str = ""
    look_at: datetime | None = None


def judge(doubt: Doubt, looks: Sequence[Look], now: datetime) -> Ruling:
    """What is to be said of a text in doubt after the looks so far, the newest last."""
    last = looks[-1] if looks else None
    if last is not None and (last.fits or last.by_reference):
        return _found(doubt, last)
    if last is not None and last.taken is False and not last.others:
        needed = AGREE if doubt.marketing and not doubt.by_reference else 1
        if _in_a_row(looks) >= needed and last.at >= doubt.since + LOOKS[0]:
            return Ruling(Fate.not_sent, "the provider has no such text")
    elif doubt.repeats and now < doubt.begun_at + REPEATABLE:
        if now >= doubt.since + LOOKS[0]:
            return Ruling(Fate.repeat, "the provider takes the very same text only once")
        return Ruling(Fate.again, "", look_at=doubt.since + LOOKS[0])
    return _later(doubt, now)


def first_look(doubt: Doubt) -> datetime:
    """When a doubt is looked into first."""
    return doubt.since + (LOOKS[0] if doubt.finds or doubt.repeats else LOOKS[-1])


def next_look(since: datetime, now: datetime) -> datetime | None:
    """The next of all the looks into a doubt; None after the last."""
    return next((since + span for span in LOOKS if since + span > now), None)


def is_marked(text: str, codes: Iterable[str]) -> bool:
    """Whether a text holds the code of a short link that was made for it alone."""
    return any(code and f"/l/{code}" in text for code in codes)


def _found(doubt: Doubt, last: Look) -> Ruling:
    if last.by_reference and last.fits:
        return Ruling(Fate.sent, "found at the provider by our reference", last.fits[0])
    if not last.fits:
        why = "what the provider found by our reference is another text of ours already"
        return Ruling(Fate.person, why)
    if len(last.fits) > 1:
        return Ruling(Fate.person, f"{len(last.fits)} texts at the provider fit")
    if doubt.is_marked:
        return Ruling(Fate.sent, "found at the provider by its own link", last.fits[0])
    why = "one text at the provider fits, but its words may be another system's"
    return Ruling(Fate.person, why)


def _in_a_row(looks: Sequence[Look]) -> int:
    """How many of the newest looks agree that it was not taken, each a while after the other."""
    told: list[datetime] = []
    for look in reversed(looks):
        if look.taken is not False:
            break
        if not told or told[-1] - look.at >= APART:
            told.append(look.at)
    return len(told)


def _later(doubt: Doubt, now: datetime) -> Ruling:
    after = LOOKS if doubt.finds else LOOKS[-1:]
    for span in after:
        if doubt.since + span > now:
            return Ruling(Fate.again, "", look_at=doubt.since + span)
    return Ruling(Fate.person, "the provider cannot tell, and no callback came in 4 hours")
