"""``connector audit decide``: a recorded decision made again from what it saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from connector import clock
from connector.cli import Failure, Faulty, NothingFound, output
from connector.cli.reading import instant, since_option
from connector.config.loaded import load
from connector.ledger import audited
from connector.ledger.store import Store
from connector.model import Objection
from connector.rules.policy.derive import Asked
from connector.runtime import opened
from connector.simulate.derived import DIFFERS, SAME, UNKNOWN, Audited, Auditor, sampled

SHOWN: Final = 20  #: decisions that differ and are told in full, of many
COLUMNS: Final = ("check", "result", "looked_at")
ALTERED: Final = (
    "Where what it saw or its policy was changed, see `connector audit verify`. Where nothing was,"
    "\nthe program or a library judges otherwise than then."
)


@click.command()
@click.argument("decision", required=False)
@since_option
@click.option("--sample", type=click.IntRange(1), help="At most so many of them, by chance.")
@output.json_option
@click.pass_obj
def decide(
    folder: Path,
    decision: str | None,
    since: timedelta | datetime | None,
    sample: int | None,
    as_json: bool,
) -> None:
    """Make a decision again from the facts, policy and hours it was made by.

    Every check is asked anew as of the instant of the decision, and the verdict, its reason, its
    objections and until when are laid beside what was recorded. Exit code 1 where they differ.
    Ids are told by `connector explain --json`. With --since many are made again and counted.

    \b
    Examples:
      connector audit decide dec_06f3k9q2m8r5t1vw
      connector audit decide --since 30d --sample 200
    """
    if bool(decision) == bool(since):
        raise Faulty("name one decision, or --since with how far back: --since 30d")
    if decision and sample:
        raise Faulty("--sample goes with --since")
    loaded = load(folder, secrets=False)
    with opened(loaded) as store:
        if decision:
            _one(store, decision, as_json)
        else:
            _many(store, clock.text(instant(since, loaded) or clock.now()), sample, as_json)


def _one(store: Store, decision: str, as_json: bool) -> None:
    with store.read() as tx:
        row = audited.one(tx, decision)
        if row is None:
            raise NothingFound(
                f"there is no decision {decision}; `connector explain --json` tells their ids"
            )
        found = Auditor().audit(tx, row)
    if as_json:
        output.json_line(told(found))
    else:
        _show(found)
    if found.result == DIFFERS:
        raise Failure(f"The decision does not come out as it was recorded.\n{ALTERED}")


def _many(store: Store, since: str, sample: int | None, as_json: bool) -> None:
    """Make many again, one after the other; those that differ are told as they are found."""
    count, ids = sampled(store, since, sample, clock.chance())
    if not count:
        raise NothingFound(f"no decision was made since {since}")
    results: Counter[tuple[str, str]] = Counter()
    whys: Counter[str] = Counter()
    with _progress(min(count, sample or count)) as bar:
        for found in _audited(store, bar(ids)):
            results[found.recorded.moment, found.result] += 1
            if found.result == UNKNOWN:
                whys[found.why.partition(" (")[0]] += 1
            if found.result == DIFFERS and (as_json or _differing(results) <= SHOWN):
                output.json_line(told(found)) if as_json else _show(found)
    _sum(count, since, results, whys, as_json)
    if differing := _differing(results):
        raise Failure(
            f"{differing} of {results.total()} decisions do not come out as recorded.\n{ALTERED}"
        )


def _differing(results: Counter[tuple[str, str]]) -> int:
    return sum(n for (_, result), n in results.items() if result == DIFFERS)


def _audited(store: Store, ids: Iterable[str]) -> Iterator[Audited]:
    auditor = Auditor()
    for each in ids:
        with store.read() as tx:
            row = audited.one(tx, each)
            found = auditor.audit(tx, row) if row is not None else None
        if found is not None:
            yield found


def _sum(
    count: int,
    since: str,
    results: Counter[tuple[str, str]],
    whys: Counter[str],
    as_json: bool,
) -> None:
    total: Counter[str] = Counter()
    for (_, result), n in results.items():
        total[result] += n
    moments = {
        moment: {result: results[moment, result] for result in (SAME, DIFFERS, UNKNOWN)}
        for moment in ("trigger", "plan", "send")
    }
    if as_json:
        summary = {name: total[name] for name in (SAME, DIFFERS, UNKNOWN)}
        output.json_line(
            {
                **{"since": since, "decisions": count, "audited": results.total(), **summary},
                **{"moments": moments, "unknown_because": dict(whys)},
            }
        )
        return
    rows = [{"moment": moment, **counts} for moment, counts in moments.items()]
    output.rows(rows, ("moment", SAME, DIFFERS, UNKNOWN))
    output.say(f"{results.total()} of {count} decisions since {since} were made again.")
    for why, n in whys.most_common():
        output.say(f"unknown: {n}: {why}")


class _Bar:
    def __init__(self, bar: Progress, total: int) -> None:
        self._bar, self._task = bar, bar.add_task("deciding", total=total)

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def __call__(self, ids: Iterable[str]) -> Iterator[str]:
        for each in ids:
            yield each
            self._bar.advance(self._task)


def _progress(total: int) -> _Bar:
    """A bar on a terminal; silence elsewhere."""
    screen = output.console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)
    return _Bar(bar, total)


def told(found: Audited) -> dict[str, Any]:
    """All of it as plain values."""
    derived, recorded = found.derived, found.recorded
    return {
        "id": recorded.id,
        "moment": recorded.moment,
        "contact": found.about["contact_id"],
        "play": found.about["play"],
        "step": found.about["step"],
        "decided_at": recorded.at,
        "policy_version": found.about["policy_version"],
        "verdict": recorded.verdict,
        "reason": recorded.reason,
        "until": recorded.until,
        "result": found.result,
        "why": found.why,
        "differences": [asdict(each) for each in found.differences],
        "taken": [_objection(each) for each in derived.taken] if derived else [],
        "checks": [_check(each, found) for each in derived.asked] if derived else [],
        "notes": found.notes,
        "libraries": {name: {"then": a, "now": b} for name, (a, b) in found.libraries.items()},
    }


def _objection(each: Objection) -> dict[str, Any]:
    return {**asdict(each), "verdict": each.verdict.value}


def _check(each: Asked, found: Audited) -> dict[str, Any]:
    return {
        "check": each.check,
        "result": "passed" if each.objection is None else each.objection.reason,
        "objection": None if each.objection is None else _objection(each.objection),
        "looked_at": {name: _fact(name, found) for name in each.looked_at},
    }


def _fact(name: str, found: Audited) -> Any:
    """What stood under a name that a check looked at."""
    if found.remade is None:
        return None
    facts = found.remade.facts
    if name == "contact":
        contact = facts.contact
        names = ("stage", "timezone", "country", "region", "postal")
        known = {each: value for each in names if (value := getattr(contact, each))}
        return {**known, **({"number": facts.sign.places} if facts.sign else {})}
    if name == "context":
        return _read(found)
    value = getattr(facts, name)
    if name in ("said", "said_to_number", "touched"):
        return [f"{each.purpose} {clock.text(each.at)}" for each in value]
    if isinstance(value, tuple) and value and hasattr(value[0], "__slots__"):
        return [asdict(each) for each in value]
    return value


def _read(found: Audited) -> dict[str, Any]:
    """What the rules of the policy read, as far as it was there."""
    assert found.remade is not None  # noqa: S101 - asked above
    facts, values = found.remade.facts, dict[str, Any]()
    rules = found.remade.book.policy.suppressions
    for rule in rules:
        if not rule.concerns(facts.purpose.value, facts.role):
            continue
        for path in sorted(getattr(rule.when, "paths", ())):
            root, _, rest = path.partition(".")
            value: Any = facts.context.get(root)
            if rest:
                name = rest.partition(".")[0]
                value = value.get(name) if isinstance(value, Mapping) else None
            if value is not None:
                values[path] = value
    return values


def _show(found: Audited) -> None:
    row, recorded = found.about, found.recorded
    what = ", ".join(filter(None, (row["play"] and f"play {row['play']}", row["step"])))
    output.say(f"{recorded.id}: {recorded.moment}, {what or 'no play'}, {row['decided_at']}")
    until = f" until {clock.text(recorded.until)}" if recorded.until else ""
    output.say(f"Recorded: {recorded.verdict}{until}, {recorded.reason or 'nothing against it'}")
    output.say(f"By: {row['policy_version']}, from the ledger")
    if found.derived and found.derived.asked:
        output.rows((_row(each, found) for each in found.derived.asked), COLUMNS)
    for note in found.notes:
        output.say(f"Note: {note}.")
    if found.result == SAME:
        output.say("Made again: the same.")
    elif found.result == UNKNOWN:
        output.say(f"It cannot be made again: {found.why}.")
    for each in found.differences:
        output.say(f"Differs in {each.what}:", style="red")
        output.say(f"  recorded: {each.recorded or '-'}\n  now:      {each.derived or '-'}")
    for name, (then, now) in found.libraries.items():
        output.say(f"{name} was {then} then, and is {now}.")


def _row(each: Asked, found: Audited) -> dict[str, Any]:
    objection = each.objection
    result = "passed" if objection is None else f"{objection.verdict.value}: {objection.reason}"
    facts = {name: _fact(name, found) for name in each.looked_at}
    return {"check": each.check, "result": result, "looked_at": facts}
