"""A long proof in chapters: each on a fresh folder, written down when it is over, so resumable."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from tests.proofs.verdict import Verdict

Chapter = Callable[[Path, int, int, Callable[[str], None]], Verdict]


@dataclass(frozen=True)
class Plan:
    """What a proof is to do: so many rounds from one seed, as long as there is time."""

    name: str
    rounds: int
    each: int  #: rounds in a chapter
    seed: int
    seconds: float  #: after so many no new chapter is begun; 0 for no limit


class Progress:
    """How far a proof has come, in a file that outlives us."""

    def __init__(self, place: Path, plan: Plan) -> None:
        self._file = place / f"{plan.name}.json"
        self._plan = asdict(plan) | {"seconds": 0}
        self.done = 0
        self.verdict = Verdict()
        place.mkdir(parents=True, exist_ok=True)
        if self._file.exists():
            kept = json.loads(self._file.read_text())
            if kept["plan"] == self._plan:
                self.done = kept["done"]
                self.verdict.counts.update(kept["counts"])
                self.verdict.worst.update(kept["worst"])

    def keep(self, rounds: int, verdict: Verdict) -> None:
        """A chapter is over."""
        self.done += rounds
        self.verdict.add(verdict)
        kept = {"plan": self._plan, "done": self.done}
        found = {"counts": dict(self.verdict.counts), "worst": self.verdict.worst}
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(kept | found, indent=1))
        fresh.rename(self._file)

    def forget(self) -> None:
        """The proof is complete; the next one begins anew."""
        self._file.unlink(missing_ok=True)


def prove(plan: Plan, chapter: Chapter, place: Path) -> bool:
    """Run what is left of a proof; whether nothing was found. A faulty folder is kept."""
    progress = Progress(place, plan)
    if progress.done:
        click.echo(f"{plan.name}: goes on after round {progress.done} ({place})")
    began = time.monotonic()
    while progress.done < plan.rounds:
        if plan.seconds and time.monotonic() - began > plan.seconds:
            click.echo(
                f"{plan.name}: {progress.done} of {plan.rounds} rounds; run it again for more"
            )
            return True
        rounds = min(plan.each, plan.rounds - progress.done)
        path = place / f"{plan.name}-{progress.done}"
        shutil.rmtree(path, ignore_errors=True)
        verdict = chapter(
            path, plan.seed * 1_000_003 + progress.done, rounds, _shower(plan, progress)
        )
        if verdict.faults:
            click.echo(f"{plan.name}: FAILED; see {path}")
            for fault in verdict.faults:
                click.echo(f"  {fault}")
            return False
        shutil.rmtree(path)
        progress.keep(rounds, verdict)
    _sum_up(plan, progress, time.monotonic() - began)
    progress.forget()
    return True


def _shower(plan: Plan, progress: Progress) -> Callable[[str], None]:
    def show(words: str) -> None:
        click.echo(f"{plan.name}: {progress.done} of {plan.rounds} rounds before; {words}")

    return show


def _sum_up(plan: Plan, progress: Progress, took: float) -> None:
    click.echo(f"{plan.name}: nothing lost, nothing twice, in {plan.rounds} rounds ({took:.0f} s)")
    for what, count in sorted(progress.verdict.counts.items()):
        click.echo(f"  {count:>8}  {what}")
    for what, value in sorted(progress.verdict.worst.items()):
        click.echo(f"  {value:>8.2f}  {what}, at worst")
