"""``connector reply``: how what people text back would be understood."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from connector.cli import output
from connector.steps.asked import classified

STDIN = "-"


@click.group()
def reply() -> None:
    """See how a reply would be understood.

    \b
    Example:   connector reply classify "please take me off this list"
    """


@reply.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXT…|-")
@click.option("--pending", is_flag=True, help="As if a double opt-in were open for the number.")
@output.json_option
def classify(texts: tuple[str, ...], pending: bool, as_json: bool) -> None:
    """Tell what each text would be taken for, and by which rule.

    The label is opt_out, opt_in, help, wrong_person, hold (a person must read it, and marketing
    waits) or none. With - as the only text, each line of the standard input is one. Nothing is
    written.

    \b
    Examples:
      connector reply classify STOP "don't stop" "who is this?"
      connector reply classify --pending YES
      cat replies.txt | connector reply classify - --json
    """
    items = (item for text in _texts(texts) for item in classified([text], pending=pending))
    if as_json:
        for item in items:
            output.json_line(item)
        return
    output.rows(items, ("label", "why", "keyword", "text"))


def _texts(texts: tuple[str, ...]) -> Iterator[str]:
    if texts != (STDIN,):
        yield from texts
        return
    for raw in sys.stdin.buffer:
        yield raw.decode(errors="replace").rstrip("\r\n")
