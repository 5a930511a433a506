"""How the demo's table looks: plain words, one block a question, as wide as the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from connector import clock
from connector.cli import output
from connector.demo import day

Item = dict[str, Any]

WIDEST: Final = 120  #: columns; longer lines are hard to read
WIDE: Final = 100  #: columns from which events show their ids
SPEAKERS: Final = (
    "site: the shop's pages, in the browser · backend: the shop's server · "
    "shop: its Shopify checkout, signed · firm: the fitting service, signed"
)
FILES: Final = (
    "cart_abandoned and the like are plays: files in mappings/plays, yours to edit; "
    "their words are in templates"
)
NEXT: Final = {
    "quiet_hours": "why a text waited for the morning",
    "cap": "why there was no second text that day",
    "stop": "a text that was wanted after a STOP",
    "goal": "a goal, and the follow-up that it cancelled",
}


def show(shown: Item, command: str) -> None:
    """Print the whole table and what to type next; ``command`` is how ours is called."""
    out = output.console()
    if out.is_terminal:
        out.width = min(out.width, WIDEST)
    came, sent, held = shown["came_in"], shown["sent"], shown["held_back"]
    _block(out, "What came in", f"{len(came)} events over HTTP; times are New York's")
    with_ids = out.width >= WIDE
    columns = ("when", "who", "source", "event", *(["id"] if with_ids else []), "about")
    out.print(_grid((_event(item, with_ids) for item in came), *columns))
    out.print(Text(SPEAKERS, style="dim"))
    same = "as in" if shown["provider_log"]["agrees"] else "NOT as in"
    note = f"and what came of it: {len(sent)} texts, {same} the provider's own log"
    _block(out, "What was sent", note)
    out.print(_grid(map(_sent, sent), "when", "who", "text"))
    out.print(Text(FILES, style="dim"))
    _block(out, "What was held back", f"and why: {len(held)} texts")
    out.print(_grid(map(_held, held), "when", "who", "why"))
    _block(out, "What the CRM now says", f"{len(shown['crm'])} records")
    out.print(_grid(map(_record, shown["crm"]), "who", "record"))
    _block(out, "What this day has shown", "each id is for `connector explain`")
    tick = "✓" if out.encoding.lower().startswith("utf") else "yes"
    out.print(_grid((_fact(item, tick) for item in shown["shown"]), "ok", "fact", "id"))
    for line in _next(shown, command):
        output.say(line)


def _block(out: Console, title: str, note: str) -> None:
    out.print()
    out.print(Text.assemble((title, "bold"), (f"   {note}", "dim")))


def _grid(rows: Iterable[Iterable[RenderableType]], *columns: str) -> Table:
    """A table without lines; only the last column is folded, so that ids stay whole."""
    grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for name in columns:
        grid.add_column(name, no_wrap=name not in ("about", "text", "why", "record", "fact"))
    for row in rows:
        grid.add_row(*row)
    return grid


def _event(item: Item, with_ids: bool) -> Iterator[Text]:
    yield _when(item["at"])
    yield Text(item["who"])
    yield Text(item["source"], style="cyan")
    yield Text(item["event"])
    if with_ids:
        yield Text(item["id"], style="dim")
    about = Text(output.plain(item["about"]) if item["about"] else "")
    if item["times"] > 1:
        about.append(f" (came {item['times']} times, counted once)", style="dim")
    yield about


def _sent(item: Item) -> Iterator[RenderableType]:
    status, *later = item["came_of_it"]
    yield _when(item["at"])
    yield Text(item["who"])
    yield Group(
        _head(item, Text(output.plain(status["what"]), style="green")),
        Text(output.plain(item["text"])),
        *(Text(_after(follow), style="green") for follow in later),
    )


def _after(follow: Item) -> str:
    return f"{_local(follow['at']):%a %H:%M} {output.plain(follow['what'])}"


def _held(item: Item) -> Iterator[RenderableType]:
    verdict = "stopped"
    if item["verdict"] == "wait":
        verdict = f"waits until {_local(item['until']):%a %H:%M}"
    yield _when(item["at"])
    yield Text(item["who"])
    yield Group(_head(item, Text(verdict, style="yellow")), Text(output.plain(item["says"])))


def _head(item: Item, status: Text) -> Text:
    """The play that spoke (none does in an answer to a reply), the id, and how it stands."""
    name = item["play"] or item["step"]
    return Text.assemble((f"{name:<19} {item['id']:<24} ", "dim"), status)


def _record(item: Item) -> Iterator[RenderableType]:
    yield Text(item["who"])
    yield Group(Text(", ".join(_summary(item["fields"]))), *_activities(item["activities"]))


def _summary(fields: Item) -> Iterator[str]:
    if fields.get("stage"):
        yield str(fields["stage"])
    texts = fields.get("texts_sent") or 0
    yield f"{texts} {'text' if texts == 1 else 'texts'}"
    if fields.get("last_text_status"):
        yield f"the last one {fields['last_text_status'].lower()}"
    if fields.get("last_reply"):
        yield f'last reply "{output.plain(fields["last_reply"])}"'
    if fields.get("opted_out"):
        yield "opted out"


def _activities(items: list[Item]) -> Iterator[Text]:
    for item in items:
        status = "" if item["status"] in ("Happened", "Received") else f" ({item['status']})"
        words = output.plain(f"{item['subject']}{status}")
        yield Text.assemble(_when(item["occurred_at"]), (f"  {words}", "dim"))


def _fact(item: Item, tick: str) -> Iterator[Text]:
    yield Text(tick, style="green") if item["ok"] else Text("MISSING", style="bold red")
    yield Text(item["what"])
    yield Text(item["id"], style="dim")


def _next(shown: Item, command: str) -> Iterator[str]:
    ours = f"{command} -C {shlex.quote(shown['folder'])}"
    proofs = {item["fact"]: item["id"] for item in shown["shown"]}
    yield f"\nThe folder is kept: {shown['folder']}\nLook closer:\n"
    for name, why in NEXT.items():
        if proofs.get(name):
            yield f"  # {why}\n  {ours} explain {proofs[name]}"
    yield f"  # all that is known of one person\n  {ours} contact show user:ann"
    yield f"  # every text\n  {ours} sends"
    yield f"\nThen make a folder of your own:\n\n  {command} init shop"


def _when(at: str) -> Text:
    return Text(f"{_local(at):%a %H:%M}", style="cyan")


def _local(at: str) -> datetime:
    return clock.instant(at).astimezone(day.ZONE)
