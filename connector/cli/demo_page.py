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
SPEAKERS: Final = (
    "site: the shop's pages, in the browser · backend: the shop's server · "
    "shop: its Shopify checkout, signed · firm: the fitting service, signed"
)
NEXT: Final = {
    "quiet_hours": "why a text waited for the morning",
    "cap": "why there was no second text that day",
    "stop": "what a STOP did",
    "goal": "a goal, and the follow-up that it cancelled",
}


def show(shown: Item, command: str) -> None:
    """Print the whole table and what to type next; ``command`` is how ours is called."""
    out = output.console()
    if out.is_terminal:
        out.width = min(out.width, WIDEST)
    log = shown["provider_log"]
    same = "the same" if log["agrees"] else "NOT the same"
    came, sent, held = shown["came_in"], shown["sent"], shown["held_back"]
    _block(out, "What came in", f"{len(came)} events over HTTP; times are New York's")
    _print(out, _grid((_event(item) for item in came), "when", "who", "source", "event", "about"))
    out.print(Text(SPEAKERS, style="dim"))
    title = f"{len(sent)} texts; the provider's own log holds {same} {log['texts']}"
    _block(out, "What was sent, and what came of it", title)
    _print(out, _grid((_sent(item) for item in sent), "when", "who", "text"))
    _block(out, "What was held back, and why", f"{len(held)} texts")
    _print(out, _grid((_held(item) for item in held), "when", "who", "why"))
    _block(out, "What the CRM now says", f"{len(shown['crm'])} records")
    _print(out, _grid((_record(item) for item in shown["crm"]), "who", "record"))
    _block(out, "What this day has shown", "each row's id is for `connector explain`")
    _print(out, _grid((_fact(item) for item in shown["shown"]), "ok", "fact", "id"))
    for line in _next(shown, command):
        output.say(line)


def _block(out: Console, title: str, note: str) -> None:
    out.print()
    out.print(Text.assemble((title, "bold"), (f"   {note}", "dim")))


def _print(out: Console, grid: Table) -> None:
    out.print(grid)


def _grid(rows: Iterable[Iterable[RenderableType]], *columns: str) -> Table:
    """A table without lines; only the last column is folded, so that ids stay whole."""
    grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for name in columns:
        grid.add_column(name, no_wrap=name not in ("about", "text", "why", "record", "fact"))
    for row in rows:
        grid.add_row(*row)
    return grid


def _event(item: Item) -> Iterator[Text]:
    yield _when(item["at"])
    yield Text(item["who"])
    yield Text(item["source"], style="cyan")
    yield Text(item["event"])
    about = Text(output.plain(item["about"]) if item["about"] else "")
    if item["times"] > 1:
        about.append(f" (came {item['times']} times, counted once)", style="dim")
    yield about


def _sent(item: Item) -> Iterator[RenderableType]:
    yield _when(item["at"])
    yield Text(item["who"])
    after = Text("; ".join(_after(item)), style="green")
    yield Group(Text(output.plain(item["text"])), after.append_text(_ids(item)))


def _ids(item: Item) -> Text:
    """Which play spoke (none did in an answer to a reply), and the id to ask for."""
    return Text(f"  {item['play'] or item['step']}  {item['id']}", style="dim not green")


def _after(item: Item) -> Iterator[str]:
    """What came of a text; the time only where it is another than the text's."""
    for follow in item["came_of_it"]:
        later = follow["at"] != item["at"]
        what = output.plain(follow["what"])
        yield f"{_local(follow['at']):%H:%M} {what}" if later else what


def _held(item: Item) -> Iterator[RenderableType]:
    yield _when(item["at"])
    yield Text(item["who"])
    verdict = "stopped"
    if item["verdict"] == "wait":
        verdict = f"waits until {_local(item['until']):%a %H:%M}"
    yield Text.assemble((f"{verdict}: ", "yellow"), output.plain(item["says"]), _ids(item))


def _record(item: Item) -> Iterator[RenderableType]:
    yield Text(item["who"])
    activities = Text(" · ".join(_activities(item["activities"])), style="dim")
    yield Group(Text(", ".join(_summary(item["fields"]))), activities)


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


def _activities(items: list[Item]) -> Iterator[str]:
    for item in items:
        status = "" if item["status"] in ("Happened", "Received") else f" ({item['status']})"
        words = output.plain(f"{item['subject']}{status}")
        yield f"{_local(item['occurred_at']):%a %H:%M} {words}"


def _fact(item: Item) -> Iterator[Text]:
    yield Text("✓", style="green") if item["ok"] else Text("MISSING", style="bold red")
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
