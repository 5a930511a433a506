"""Everything held about a person as one page that loads nothing: for them to read and keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import orjson

from connector import clock

#: table → what it is in plain words, in the order in which a person would ask.
TITLES: Final[Mapping[str, str]] = {
    "contacts": "Who you are to us",
    "identities": "Names, numbers and ids we know you by",
    "numbers": "What we know of the number",
    "consents": "Consents given and ended",
    "sends": "Texts we sent, or decided about",
    "replies": "What you texted us",
    "events": "What you did, as we were told",
    "signals": "What we made of it",
    "outcomes": "What came of it",
    "local_records": "Your record in our CRM",
    "local_activities": "Notes on that record",
    "crm_facts": "What our CRM told us of you",
    "crm_changes": "What changed there",
    "crm_history": "What became of your deals, meetings and cases there",
    "crm_people": "Deals, meetings and cases there that are about you",
    "crm_records": "Records there that are about you",
    "enrolments": "Plays you were part of",
    "decisions": "Why a text went, or did not",
    "facts": "What we looked at for those decisions",
    "links": "Links made for you",
    "clicks": "Links you followed",
    "conversations": "Conversations with a person of ours",
    "assignments": "Groups you were put in to measure what texts bring",
    "stage_changes": "How your stage changed",
    "lookups": "What we asked about the number",
    "touches": "Messages by other channels",
    "receipts": "What the provider told us of texts",
    "attempts": "Tries at sending",
    "identity_links": "How we came to know those names",
    "merges": "Contacts that turned out to be you",
    "writebacks": "What we wrote to the CRM",
    "errands": "What workflows of the CRM wanted for you",
    "unreadable": "Messages about you that could not be read",
    "acts": "What our people did about you",
}
HIDDEN: Final = frozenset({"salt", "sealed", "hash", "seq", "body_hash", "facts_hash"})
"""Columns that hold no more than digests; they stand in the JSON."""

PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem; max-width: 60rem }}
h1 {{ font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem }}
h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem }}
nav ul {{ columns: 2; padding: 0; list-style: none }}
nav li {{ break-inside: avoid; padding: .15rem 0 }}
.row {{ border: 1px solid #8886; border-radius: .5rem; padding: .6rem .9rem; margin: .6rem 0;
  break-inside: avoid }}
dl {{ display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: .15rem 1rem; margin: 0 }}
dt {{ opacity: .7; overflow-wrap: anywhere }}
dd {{ margin: 0; overflow-wrap: anywhere; white-space: pre-wrap;
  font-variant-numeric: tabular-nums }}
small {{ opacity: .7 }}
@media (max-width: 34rem) {{
  body {{ padding: 1rem }} nav ul {{ columns: 1 }}
  dl {{ grid-template-columns: 1fr; gap: 0 }} dd {{ margin-bottom: .4rem }}
}}
</style></head><body>
<h1>{title}</h1>
<p>Made on {at}. Nothing that we hold about you is left out: {count} entries. Times are UTC.</p>
<nav><ul>{index}</ul></nav>
{body}
</body></html>
"""


def page(told: Mapping[str, Any], *, brand: str) -> str:
    """The page of an export."""
    held: Mapping[str, Sequence[Mapping[str, Any]]] = told["held"]
    order = [name for name in TITLES if name in held]
    order += sorted(set(held) - set(order))
    index = "".join(
        f'<li><a href="#{escape(name)}">{escape(_title(name))}</a> '
        f"<small>{len(held[name])}</small></li>"
        for name in order
    )
    return PAGE.format(
        title=escape(f"What {brand} holds about you"),
        at=_instant(clock.text(told["made_at"])),
        count=f"{sum(len(rows) for rows in held.values()):,}",
        index=index,
        body="\n".join(_section(name, held[name]) for name in order),
    )


def _title(name: str) -> str:
    return TITLES.get(name, name.replace("_", " ").capitalize())


def _section(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    cards = "\n".join(f'<div class="row"><dl>{_pairs(row)}</dl></div>' for row in rows)
    return f'<h2 id="{escape(name)}">{escape(_title(name))}</h2>\n{cards}'


def _pairs(row: Mapping[str, Any]) -> str:
    return "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(_value(value))}</dd>"
        for name, value in row.items()
        if name not in HIDDEN and value not in (None, "", "{}", "[]")
    )


def _value(value: Any) -> str:
    text = str(value)
    if len(text) == 27 and text[10] + text[-1] == "TZ":
        return _instant(text)
    if text[:1] in "{[":
        try:
            return "\n".join(_flat(orjson.loads(text)))
        except orjson.JSONDecodeError:
            return text
    return text


def _flat(found: Any, path: str = "") -> list[str]:
    """A JSON value as lines of ``path: value``."""
    if isinstance(found, dict) and found:
        return [line for key, item in found.items() for line in _flat(item, f"{path}{key}.")]
    if isinstance(found, list) and found and isinstance(found[0], dict | list):
        return [
            line for place, item in enumerate(found, 1) for line in _flat(item, f"{path}{place}.")
        ]
    shown = ", ".join(map(str, found)) if isinstance(found, list) else str(found)
    return [f"{path.removesuffix('.')}: {_value(shown)}" if path else shown]


def _instant(text: str) -> str:
    return f"{text[:10]} {text[11:19]}"
