"""What a simulation came to, for people: on the terminal, and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from connector.cli import output
from connector.simulate.compare import Difference
from connector.simulate.inputs import RECORDED
from connector.simulate.simulation import Simulated
from connector.simulate.totals import OfPlay, Totals

SHOWN: Final = 20  #: differences, and days
Table = tuple[str, Sequence[str], Sequence[Mapping[str, Any]]]
"""A heading, columns, rows."""

PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem }}
table {{ border-collapse: collapse; margin: .5rem 0 1.5rem }}
th, td {{ text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #ddd }}
td {{ vertical-align: top; font-variant-numeric: tabular-nums }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def show(found: Simulated, seconds: float) -> None:
    """Print it."""
    for line in _lines(found, seconds):
        output.say(line)
    for title, columns, rows in _tables(found):
        output.say()
        output.say(title, style="bold")
        output.rows(rows, columns)


def page(found: Simulated, brand: str) -> str:
    """The same as one HTML page that loads nothing."""
    parts = [f"<p>{escape(line)}</p>" for line in _lines(found, 0.0) if line]
    for title, columns, rows in _tables(found):
        head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in columns)
        body = "".join(
            "<tr>"
            + "".join(f"<td>{escape(output.plain(row.get(name)))}</td>" for name in columns)
            + "</tr>\n"
            for row in rows
        )
        parts.append(f"<h2>{escape(title)}</h2>\n<table><tr>{head}</tr>\n{body}</table>")
    return PAGE.format(title=escape(f"{brand}: simulation"), body="\n".join(parts))


def _lines(found: Simulated, seconds: float) -> Iterator[str]:
    heard = sum(
        count for kind, count in found.inputs.items() if kind not in ("about", "files", *RECORDED)
    )
    events = found.inputs.get("event", 0)
    took = f", in {seconds:,.1f} s ({heard / seconds:,.0f} a second)" if seconds else ""
    yield (
        f"{heard:,} inputs ({events:,} events) from {_minute(found.first)} "
        f"to {_minute(found.last)}{took}. Nothing was sent."
    )
    yield _left(found.totals)
    if found.there is not None:
        yield f"With the other files: {_left(found.there)}"
    if found.comparison is not None:
        same, other = found.comparison.equal, found.comparison.different
        yield f"{same:,} decisions are as they were made then; {other:,} are not."
    for line in found.changed:
        yield f"Not as it was: {line}."
    for fault in found.faults[:SHOWN]:
        yield f"Failed: {fault}"


def _left(totals: Totals) -> str:
    cost = totals.cost_micros
    money = "" if cost is None else f", {cost / 1_000_000:,.2f} {totals.currency}".rstrip()
    people = sum(play.people for play in totals.plays)
    return f"{totals.texts:,} texts in {totals.segments:,} segments to {people:,} people{money}."


def _tables(found: Simulated) -> Iterator[Table]:
    plays = [_play(play) for play in found.totals.plays]
    columns = ("play", "started", "texts", "people", "segments", "cost", "goals", "tasks", "calls")
    if plays:
        yield "By play", columns, plays
    reasons = [*_reasons(found.totals.plays)]
    if reasons:
        yield "What was held, stopped or not begun", ("what", "reason", "play", "times"), reasons
    if found.totals.caps:
        caps = [{"cap": name, "times": n} for name, n in found.totals.caps.most_common()]
        yield "Caps that bite", ("cap", "times"), caps
    yield from _days(found.totals)
    yield from _differences(found)
    yield from _versus(found)


def _play(play: OfPlay) -> Mapping[str, Any]:
    cost = play.cost_micros
    return {
        "play": play.play,
        "started": play.started,
        "texts": play.texts,
        "people": play.people,
        "segments": play.segments,
        "cost": "" if cost is None else f"{cost / 1_000_000:.2f}",
        "goals": play.goals,
        "tasks": play.tasks,
        "calls": play.webhooks,
    }


def _reasons(plays: Sequence[OfPlay]) -> Iterator[Mapping[str, Any]]:
    for what, name in (("held", "held"), ("stopped", "stopped"), ("not begun", "not_started")):
        for play in plays:
            counts: Counter[str] = getattr(play, name)
            for reason, times in counts.most_common():
                yield {"what": what, "reason": reason, "play": play.play, "times": times}


def _days(totals: Totals) -> Iterator[Table]:
    busiest = sorted(totals.days, key=lambda day: -totals.days[day][1])[:SHOWN]
    rows = [
        {
            "day": day,
            "texts": totals.days[day][0],
            "segments": totals.days[day][1],
            "limit reached at": totals.reached.get(day, ""),
        }
        for day in sorted({*busiest, *totals.reached})
    ]
    if rows:
        columns = ("day", "texts", "segments", *(("limit reached at",) if totals.reached else ()))
        yield f"The {len(rows)} busiest days" if len(totals.days) > SHOWN else "Days", columns, rows


def _differences(found: Simulated) -> Iterator[Table]:
    if found.comparison is None or not found.comparison.differences:
        return
    rows = [_difference(item) for item in found.comparison.differences[:SHOWN]]
    columns = ("at", "play", "step", "contact", "what", "then", "now")
    yield "Decisions that differ (the first of them)", columns, rows


def _difference(item: Difference) -> Mapping[str, Any]:
    one = item.then or item.now or {}
    return {
        "at": _minute(str(one.get("decided_at", ""))),
        "play": item.play,
        "step": item.step or item.moment,
        "contact": item.contact_id,
        "what": item.what,
        "then": _said(item.then, item.what),
        "now": _said(item.now, item.what),
    }


def _said(line: Mapping[str, Any] | None, what: str) -> str:
    if line is None:
        return "not decided"
    if what == "instant":
        return str(line["decided_at"])
    if what == "text":
        return str(line["text"])
    return f"{line['verdict']} {', '.join(line['reasons'])}".strip()


def _versus(found: Simulated) -> Iterator[Table]:
    laid = found.versus
    if laid is None:
        return
    plays = sorted({*laid.only_here, *laid.only_there, *laid.otherwise})
    rows = [
        {
            "play": play,
            "only here": laid.only_here.get(play, 0),
            "only there": laid.only_there.get(play, 0),
            "otherwise": laid.otherwise.get(play, 0),
        }
        for play in plays
    ]
    if rows:
        columns = ("play", "only here", "only there", "otherwise")
        yield f"Texts beside the other files ({laid.same:,} are the same)", columns, rows
    shown = [
        {**text, "at": _minute(text["accepted_at"]), "where": text["where"].replace("_", " ")}
        for text in laid.shown[:SHOWN]
    ]
    if shown:
        yield "The first that differ", ("at", "where", "play", "step", "contact_id", "text"), shown


def _minute(instant: str) -> str:
    return f"{instant[:10]} {instant[11:16]}Z" if instant else "-"
