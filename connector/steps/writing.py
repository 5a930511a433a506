"""Writing: a text in the person's language, made of what may be read of them."""

from __future__ import annotations

from collections.abc import Mapping

from connector.errors import ExpressionFailed
from connector.expressions import Template
from connector.ledger.store import Row
from connector.model import Contact, Json, Trust
from connector.rules import links, render
from connector.steps import contexts
from connector.steps.links import Links
from connector.steps.setup import Setup


def write_text(
    rt: Setup,
    name: str,
    contact: Contact,
    facts: Mapping[str, Json],
    *,
    trusted: bool,
    short: Links | None = None,
    texts: Mapping[tuple[str, str], Template] | None = None,
) -> tuple[str, str, str]:
    """The text in the contact's language: (text, language, fault); a hole is a fault.

    Where the facts came from a browser, its links must be on the operator's ``link_hosts``.
    ``short`` makes its short links; without it ``link(url)`` gives the address itself.
    """
    language = contact.language or rt.says.language
    known = rt.templates if texts is None else texts
    try:
        template = render.choose(known, name, language, rt.says.language)
        found = next(key for key in known if known[key] is template)
        reader = contexts.reader(rt, found[1], contact)
        text = render.render(template, {**facts, "links": short, "language": reader})
    except ExpressionFailed as error:
        hole = "cannot be sent" if error.code == links.NOT_ALLOWED else "has a hole"
        return "", language, f"The text {hole}: {error}"
    others = short.own_taken_out(text) if short else text
    foreign = [] if trusted else render.foreign_links(others, rt.says.link_hosts)
    if foreign:
        host = links.host(foreign[0])
        return "", language, f"The text links to {host}, which is not among link_hosts."
    return text, found[1], ""


def is_trusted(rt: Setup, row: Row | None) -> bool:
    """Whether an enrolment's start signal came from a trusted source; unknown counts as not."""
    if row is not None and row["event_id"] == "":  # of our own making, save a reply's words
        return bool(row["signal_name"] != "reply")
    source = rt.sources.get(str(row["source"])) if row is not None else None
    return source is not None and source.trust is Trust.trusted
