"""A proof as one page of HTML that loads nothing, runs nothing and can be printed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final

Item = Mapping[str, Any]

STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1b1f24;
  background: #fff; margin: 0 auto; max-width: 52rem; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; padding-bottom: .25rem;
  border-bottom: 2px solid #1b1f24; }
.meta { color: #57606a; margin: 0; }
.now { margin: 1rem 0; padding: .75rem 1rem; border: 1px solid #1b1f24; border-radius: .4rem; }
article { border: 1px solid #d0d7de; border-left: .3rem solid #8c959f; border-radius: .4rem;
  padding: .65rem .9rem; margin: .6rem 0; break-inside: avoid; }
article.granted, article.send { border-left-color: #1a7f37; }
article.revoked, article.stop, article.opt_out, article.wrong_person { border-left-color: #b42318; }
article.pending, article.wait, article.hold { border-left-color: #9a6700; }
article header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
article header time { color: #57606a; font-variant-numeric: tabular-nums; }
blockquote { margin: .4rem 0; padding: .35rem .7rem; background: #f6f8fa; border-radius: .3rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .1rem .8rem;
  margin: .4rem 0 0; font-size: .9rem; }
dt { color: #57606a; }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 32rem) { dl { grid-template-columns: 6.2rem 1fr; gap: .15rem .6rem; } }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } a { color: inherit; } }
"""

PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style></head><body>
{body}
</body></html>
"""

ENTRY: Final = (
    ("method", "How"),
    ("source", "Source"),
    ("wording_version", "Version of the words"),
    ("occurred_at", "Happened"),
    ("recorded_at", "Recorded"),
    ("recorded_by", "Recorded by"),
    ("ip", "IP address"),
    ("url", "Page"),
    ("user_agent", "Program"),
    ("event_id", "Event"),
    ("id", "Entry"),
    ("seq", "Place in the chain"),
    ("hash", "Hash"),
)
TEXT: Final = (
    ("play", "Play"),
    ("template", "Template"),
    ("state", "Became"),
    ("accepted_at", "Taken by the provider"),
    ("provider_id", "Provider's id"),
    ("error_code", "Provider's error"),
    ("id", "Text"),
)
REPLY: Final = (("why", "Rule"), ("heard_at", "Heard"), ("provider_id", "Provider's id"))


def page(proof: Item, brand: str) -> str:
    """The whole page; every value is escaped."""
    title = f"Record of {proof['number']}"
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    body = "\n".join(_body(proof, title, brand))
    return PAGE.format(digest=digest, title=escape(title), style=STYLE, body=body)


def _body(proof: Item, title: str, brand: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="meta">Kept by {escape(brand)}. Made {escape(_at(proof["made_at"]))} by '
    yield f"{escape(proof['made_by'])}. All times are UTC.</p>"
    yield f'<div class="now">{escape(_now(proof))}</div>'
    yield from _part("Consent", [_entry(item) for item in proof["entries"]])
    yield from _part("What the number texted to us", [_reply(item) for item in proof["replies"]])
    yield from _part("What was texted to the number", [_text(item) for item in proof["texts"]])
    if proof["left_out"]:
        yield '<p class="meta">Older replies or texts are left out.</p>'


def _now(proof: Item) -> str:
    live = ", ".join(proof["live"]) or "nothing"
    known = proof["known"]
    stopped = ""
    if known.get("blocked_scope"):
        scope = "everything" if known["blocked_scope"] == "all" else known["blocked_scope"]
        since = _at(known["blocked_at"])
        stopped = f" Stopped for {scope} since {since}, by {known['blocked_by']}."
    held = f" Held since {_at(known['held_at'])}." if known.get("held_at") else ""
    hands = ""
    if known.get("reassigned_at"):
        what = "Deactivated" if known["reassigned_how"] else "With a new owner"
        hands = f" {what} since {_at(known['reassigned_at'])}, which older consents do not outlive."
    return f"Live consent now for {live}.{stopped}{held}{hands}"


def _part(title: str, items: list[str]) -> Iterator[str]:
    yield f"<h2>{escape(title)} ({len(items)})</h2>"
    yield from items or ['<p class="meta">None.</p>']


def _entry(item: Item) -> str:
    evidence = "; ".join(f"{name}: {value}" for name, value in item["evidence"].items())
    facts = [*_facts(item, ENTRY), *([("Evidence", evidence)] if evidence else [])]
    head = f"{item['purpose']} {item['action']}"
    return _article(item["action"], head, item["occurred_at"], item["wording"], facts)


def _reply(item: Item) -> str:
    head = f"understood as {str(item['label']).replace('_', ' ')}"
    return _article(item["label"], head, item["occurred_at"], item["text"], _facts(item, REPLY))


def _text(item: Item) -> str:
    facts = [*_facts(item, TEXT), *(_decision(each) for each in item["decisions"])]
    last = item["decisions"][-1]["verdict"] if item["decisions"] else "none"
    head = f"{item['purpose']} text"
    return _article(last, head, item["begun_at"], item["text"], facts)


def _decision(item: Item) -> tuple[str, str]:
    reasons = "; ".join(str(each.get("says") or each.get("reason")) for each in item["objections"])
    why = f": {reasons}" if reasons else ", no objection"
    label = f"Decided {_at(item['decided_at'])}"
    return label, f"{item['verdict']}{why} (policy {item['policy_version']}, {item['id']})"


def _facts(item: Item, named: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    known = [(label, name, item.get(name)) for name, label in named]
    return [
        (label, _at(value) if name.endswith("_at") else str(value))
        for label, name, value in known
        if value not in (None, "")
    ]


def _article(
    kind: str, head: str, at: str | None, words: str, facts: Iterable[tuple[str, str]]
) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    quote = f"<blockquote>{escape(words)}</blockquote>" if words else ""
    return (
        f'<article class="{escape(kind)}"><header><strong>{escape(head)}</strong>'
        f"<time>{escape(_at(at))}</time></header>{quote}<dl>{rows}</dl></article>"
    )


def _at(instant: str | None) -> str:
    return f"{instant[:10]} {instant[11:19]}" if instant else ""
