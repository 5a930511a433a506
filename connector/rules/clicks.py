"""Whether a short link was fetched by a person's finger, by a program, or nobody can tell.

In doubt it is no click: branches, best hours and reports go by human ones alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from connector.rules.robots import KNOWN

TOO_SOON: Final = timedelta(seconds=2)  #: after the provider took the text: only scanners can
SPAN: Final = timedelta(seconds=5)  #: fetches within it are told by how many links they follow
ALL_LINKS: Final = 2  #: links of one text within a span, and it is a scanner that follows them
MANY_CODES: Final = 5  #: links of anybody within a span, by one program in one network

#: Any robot that says so itself; CUBOT is a maker of telephones.
_SAYS_SO = re.compile(
    r"(?<!cu)bot(?![a-z])|crawl|spider|scrap|fetcher|prefetch|preview|monitor|scanner|\+https?://"
)
_BARE = re.compile(r"[\w .]*/?[\d.]*")  #: nothing but a name: Mozilla/5.0
_BROWSER = re.compile(r"mozilla/[45]\.0 \([^)]|opera/\d")
_ENGINE = re.compile(r"applewebkit/|gecko/|trident/|presto/|gecko\)")
_WORDS = tuple((word, robots.kind) for robots in KNOWN for word in robots.words)


class Verdict(StrEnum):
    """Who fetched a link."""

    human = "human"
    machine = "machine"
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class Fetch:
    """One fetch of a short link, as the web heard it."""

    code: str
    method: str
    at: datetime
    agent: str = ""
    accept: str | None = None  #: None where the header was not sent
    purpose: str = ""  #: what Sec-Purpose and its like say, in small letters
    network: str = ""  #: the network that it came from, never a whole address


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict and the rule that gave it.

    ``why`` is head, prefetch, no_agent, bare_agent, preview, search, scanner, monitor, browser,
    library, robot, too_soon, all_links, many_codes, no_page, strange_agent or tapped.
    """

    verdict: Verdict
    why: str


def judge(
    fetch: Fetch,
    *,
    left_at: datetime | None,
    links_of_text: int = 1,
    codes_of_network: int = 1,
    too_soon: timedelta = TOO_SOON,
) -> Told:
    """Who fetched a link. Never raises.

    ``left_at`` is when the provider took the text (or it was handed over, where that is not told
    yet). ``links_of_text`` counts the links of the same text that were fetched within ``SPAN``
    before, this one too; ``codes_of_network`` those of anybody, by the same agent and network.
    """
    if fetch.method != "GET":
        return Told(Verdict.machine, "head")
    if "prefetch" in fetch.purpose or "preview" in fetch.purpose or "prerender" in fetch.purpose:
        return Told(Verdict.machine, "prefetch")
    if robot := named(fetch.agent):
        return Told(Verdict.machine, robot)
    if left_at is not None and fetch.at < left_at + too_soon:
        return Told(Verdict.machine, "too_soon")
    if links_of_text >= ALL_LINKS:
        return Told(Verdict.machine, "all_links")
    if codes_of_network >= MANY_CODES:
        return Told(Verdict.machine, "many_codes")
    if fetch.accept is not None and not _wants_page(fetch.accept):
        return Told(Verdict.unknown, "no_page")
    agent = fetch.agent.lower()
    if not (_BROWSER.match(agent) and _ENGINE.search(agent)):
        return Told(Verdict.unknown, "strange_agent")
    return Told(Verdict.human, "tapped")


@lru_cache(maxsize=4_096)
def named(agent: str) -> str:
    """What kind of program an agent says it is; "" where it may be a person's browser."""
    said = agent.strip().lower()
    if not said:
        return "no_agent"
    for word, kind in _WORDS:
        if word in said:
            return kind
    if _SAYS_SO.search(said):
        return "robot"
    return "bare_agent" if _BARE.fullmatch(said) else ""


def _wants_page(accept: str) -> bool:
    """Whether a browser that opens a page could have sent this: it always asks for HTML."""
    return "text/html" in accept.lower()
