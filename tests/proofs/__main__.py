"""``python -m tests.proofs``: the long proofs, one after the other or by name."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tests.proofs import fault_points, kill_run, sends_run, synced, writeback_run
from tests.proofs.chapters import Plan, prove

PROOFS = ("kill", "points", "sends", "writebacks", "synced")
PLACE = Path(__file__).parents[2] / ".prove"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(PROOFS))
@click.option("--rounds", type=int, help="How many; see docs/proofs.md.")
@click.option("--seed", default=1, show_default=True, help="Another seed kills at other instants.")
@click.option("--seconds", default=0.0, help="Stop after about so many; run again to go on.")
@click.option("--rate", default=kill_run.RATE, show_default=True, help="Events a second (kill).")
@click.option("--place", type=click.Path(path_type=Path), default=PLACE, help="Where to work.")
def main(
    names: tuple[str, ...], rounds: int | None, seed: int, seconds: float, rate: float, place: Path
) -> None:
    """Kill the connector over and over, and show that it loses nothing and repeats nothing."""
    good = True
    for name in names or PROOFS:
        if name == "kill":
            plan = Plan(name, rounds or 200, kill_run.CHAPTER, seed, seconds)
            good &= prove(plan, kill_run.at_rate(rate), place)
        elif name == "points":
            plan = Plan(name, rounds or 5_000, fault_points.CHAPTER, seed, seconds)
            good &= prove(plan, fault_points.chapter, place)
        elif name == "sends":
            plan = Plan(name, rounds or 2_000, sends_run.CHAPTER, seed, seconds)
            good &= prove(plan, sends_run.chapter, place)
        elif name == "writebacks":
            plan = Plan(name, rounds or 2_500, writeback_run.CHAPTER, seed, seconds)
            good &= prove(plan, writeback_run.chapter, place)
        else:
            good &= synced.prove(rounds or 200, place)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
