"""Frequency: how often a person and a number may be texted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from connector.model import Objection, Purpose, Said, Verdict
from connector.rules import hours
from connector.rules.policy.limits import SMS, Rival
from connector.rules.policy.values import Cap, Facts, Rulebook

ASK_AFTER = timedelta(minutes=1)
"""How long after a text of a higher priority is due the other asks again."""


def cap_full(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A frequency cap is reached, for the person or for the number, whichever is fuller."""
    found = None
    for cap in _caps(facts, book, now):
        until = max(
            (_full_until(cap, _counted(cap, facts, said), now) or now) for said in _heard(facts)
        )
        if until > now and (found is None or until > (found.until or now)):
            says = f"{cap.name}: at most {cap.count} in {in_words(cap.per)} is reached."
            found = Objection("cap_full", Verdict.wait, says, until)
    return found


def last_place(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The last places under a cap, or after the gap, belong to texts of a higher priority."""
    if not facts.rivals or facts.purpose is not Purpose.marketing:
        return None
    gap = book.policy.gap
    gaps = (Cap("the minimum gap", Purpose.marketing, 1, gap),) if gap else ()
    for cap in (*_caps(facts, book, now, places=1 + len(facts.rivals)), *gaps):
        if cap.play or SMS not in cap.channels:  # of one play's own, or not about texts
            continue
        for said in _heard(facts):
            if first := _crowded_out(cap, _counted(cap, facts, said), facts.rivals, now):
                says = f"{cap.name}: the place is for the play {first.play}, of a higher priority."
                until = max(first.at, now) + ASK_AFTER
                return Objection("cap_full", Verdict.wait, says, until)
    return None


def _caps(facts: Facts, book: Rulebook, now: datetime, places: int = 0) -> Iterable[Cap]:
    """The caps, also the law's, that the texts so far and ``places`` more could fill."""
    most = max(map(len, _heard(facts))) + places
    legal = _legal_caps(facts, book, now) if most else ()  # no law counts to less than one
    for cap in (*book.policy.caps, *legal):
        if cap.purpose is not facts.purpose or cap.play not in ("", "*", facts.play):
            continue
        if cap.count <= most:  # else, as for nearly everybody, nothing has to be counted
            yield cap


def _heard(facts: Facts) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """What the person was told, by other tools too, and what the number was."""
    return (*facts.said, *facts.touched), facts.said_to_number


def _legal_caps(facts: Facts, book: Rulebook, now: datetime) -> tuple[Cap, ...]:
    where = hours.places(facts.contact, facts.sign or facts.contact.phone, facts.addresses)
    limit = hours.legal_cap(where, book.hours, now.date())
    if limit is None:
        return ()
    name = f"the law of {', '.join(where.rules)}"
    return (Cap(name, Purpose.marketing, limit, timedelta(hours=24)),)


def _counted(cap: Cap, facts: Facts, said: Iterable[Said]) -> list[datetime]:
    """When the texts and touches went that a cap counts, the newest first."""
    play = facts.play if cap.play else ""
    times = (
        item.at
        for item in said
        if item.purpose is cap.purpose and play in ("", item.play) and item.channel in cap.channels
    )
    return sorted(times, reverse=True)


def _full_until(cap: Cap, times: list[datetime], now: datetime) -> datetime | None:
    """When the cap has room again: as the count-th newest text leaves the rolling window."""
    inside = [at for at in times if at > now - cap.per]
    if len(inside) < cap.count:
        return None
    return inside[cap.count - 1] + cap.per if cap.count else now + cap.per


def _crowded_out(
    cap: Cap, times: list[datetime], rivals: Iterable[Rival], now: datetime
) -> Rival | None:
    """The first rival that a text of now would leave without a place when it is due."""
    for number, rival in enumerate(sorted(rivals, key=lambda each: each.at), start=1):
        at = max(rival.at, now)
        left = cap.count - sum(1 for time in times if time > at - cap.per)
        if left == number and now > at - cap.per:  # with less there is no place to take
            return rival
    return None


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
    says = f"Less than {in_words(book.policy.gap)} since the last marketing text."
    return Objection("minimum_gap", Verdict.wait, says, until)


def in_words(span: timedelta) -> str:
    """A span as people say it: 45 minutes, 4 hours, 7 days."""
    hours_, rest = divmod(int(span.total_seconds()), 3600)
    if rest:
        return f"{int(span.total_seconds()) // 60} minutes"
    return f"{hours_ // 24} days" if hours_ % 24 == 0 and hours_ > 24 else f"{hours_} hours"
