"""Watching sources: one that is silent beyond its habit raises an alarm, until it is heard again.

While nothing ran here nobody listened: a silence is counted from when the watch began anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connector import clock
from connector.ledger import alarms, catalogue, cursors
from connector.ledger.store import Tx
from connector.rules import silence
from connector.rules.silence import Habit, Silence
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

KIND: Final = "source_silent"  #: of the alarm
EVERY: Final = timedelta(minutes=5)  #: between two looks
AWAY: Final = timedelta(minutes=30)  #: without a look nobody was there to hear
SEEN: Final = "sourcewatch:seen"  #: the cursor of the last look
SINCE: Final = "sourcewatch:since"  #: the cursor of when the watch began
MINUTES: Final = 16  #: letters of an instant down to its minute


def watch(rt: Setup) -> int:
    """Look once in a while whether each source tells as usual; how many newly do not.

    What was heard is told by the catalogue, which lags behind by minutes.
    """
    now = rt.clock()
    if not rt.silent_after or isinstance(rt.clock, clock.TestClock):  # there time is a toy
        return 0
    with rt.store.read() as tx:
        seen, since = cursors.get(tx, SEEN), cursors.get(tx, SINCE)
        if seen and now - clock.instant(seen) < EVERY:
            return 0
        last = catalogue.last_heard(tx)
        told = _told(tx)
        began = now if _was_away(seen, now) or not since else clock.instant(since)
        untold = {name: at for name, at in last.items() if at > told.get(name, "")}
        found = _look(tx, rt, untold, began)
    with rt.store.write() as tx:
        cursors.set_(tx, SEEN, clock.text(now))
        cursors.set_(tx, SINCE, clock.text(began))
        _clear(tx, rt, told, last, now)
        return sum(_raise(tx, rt, name, last[name], each, now) for name, each in found.items())


def _was_away(seen: str, now: datetime) -> bool:
    return not seen or not timedelta(0) <= now - clock.instant(seen) < AWAY


def _look(tx: Tx, rt: Setup, last: Mapping[str, str], began: datetime) -> dict[str, Silence]:
    now, zone = rt.clock(), ZoneInfo(rt.zone)
    found = {}
    for name, bound in rt.silent_after.items():
        if name not in last:
            continue  # what was never heard has no habit; `connector source list` shows it
        heard = max(clock.instant(last[name]), began)
        if now - heard < (bound or silence.HOUR):
            continue
        habit = Habit({} if bound else _hours(tx, name))
        if (told := silence.judge(habit, heard, now, zone, bound)) is not None:
            found[name] = told
    return found


def _hours(tx: Tx, source: str) -> dict[datetime, int]:
    rows = catalogue.hours(tx, source)
    return {clock.instant(f"{row['hour']}:00:00Z"): int(row["heard"]) for row in rows}


def _told(tx: Tx) -> dict[str, str]:
    """Source → when its silence was last told of; each is told of once, also if it was cleared."""
    sql = "SELECT about, max(at) AS at FROM alarms WHERE kind = :kind GROUP BY about"
    return {str(row["about"]): str(row["at"]) for row in tx.all(sql, kind=KIND)}


def _clear(
    tx: Tx, rt: Setup, told: Mapping[str, str], last: Mapping[str, str], now: datetime
) -> None:
    """What was heard again, or is watched no longer, is no alarm."""
    for name, since in told.items():
        if name not in rt.silent_after or last.get(name, "") > since:
            alarms.clear(tx, KIND, name, now)


def _raise(tx: Tx, rt: Setup, name: str, last: str, found: Silence, now: datetime) -> bool:
    return alarm(tx, rt, KIND, says(name, found, last), now, about=name)


def says(name: str, told: Silence, last: str) -> str:
    """The alarm's one sentence, with what to look at."""
    usual = f"it was heard in this stretch of {told.weeks} of the past weeks"
    if told.usual is not None:
        usual = f"it is seldom silent for more than {_span(told.usual)}"
    return (
        f"The source {name} has told nothing since {last[:MINUTES]}Z; {usual}. Look whether its "
        f"webhook or library is still on at the sender, whether its secret was changed (then its "
        f"requests are answered 401), and at `connector source list`. A day off is no fault: "
        f'silent_after = "never" under [sources.{name}] ends these alarms.'
    )


def _span(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    if hours < 1:
        return f"{span / timedelta(minutes=1):.0f} minutes"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
