"""``python -m tests.mutation [PLAY…]``: break every line of the shipped plays, one at a time."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator

import click

from tests.mutation.listed import Name, differences, listed
from tests.mutation.shops import names, shop_of


def tried(play: str) -> tuple[str, int, list[Name]]:
    """A play, how many mutants it has, and which of them survive."""
    shop, name = shop_of(play)
    if fails := shop.whole(name):
        raise click.ClickException(f"{play} fails as it stands, in {fails!r}: connector test")
    count, survived = 0, []
    for mutant in shop.mutants(name):
        count += 1
        if not shop.failing(mutant):
            survived.append(mutant.name)
    return play, count, survived


def results(plays: list[str], processes: int) -> Iterator[tuple[str, int, list[Name]]]:
    """Each play as it is through, the longest first."""
    if processes < 2:
        yield from map(tried, plays)
        return
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield from pool.imap_unordered(tried, plays)


def longest_first(plays: list[str]) -> list[str]:
    """So that no process is left alone with a long one at the end."""
    return sorted(plays, key=lambda play: -sum(1 for _ in _mutants(play)))


def _mutants(play: str) -> Iterator[object]:
    shop, name = shop_of(play)
    return shop.mutants(name)


@click.command()
@click.argument("plays", nargs=-1)
@click.option("--processes", default=2, show_default=True, help="At how many plays at a time.")
def main(plays: tuple[str, ...], processes: int) -> None:
    """Break every line that the engine reads; at least one example of the play must fail."""
    wanted = list(plays) or names()
    if unknown := sorted(set(wanted) - set(names())):
        raise click.UsageError(f"no such play: {', '.join(unknown)}")
    began, total, survived = time.perf_counter(), 0, set[Name]()
    for number, (play, count, found) in enumerate(results(longest_first(wanted), processes), 1):
        total += count
        survived.update(found)
        click.echo(f"{number:3}/{len(wanted)} {play}: {count} mutants, {len(found)} survive")
    known = listed()
    gone = {play for play, *_ in known} - set(names())
    wrong = differences(survived, known, {*wanted, *gone})
    reasons = len(survived & known.keys())
    click.echo(
        f"{total} mutants, {total - len(survived)} killed, {reasons} survive with a reason, "
        f"in {time.perf_counter() - began:.0f} s"
    )
    for line in wrong:
        click.echo(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
