"""The copy check: what a text says, and what starts it, read as the person who gets it would.

Each finding is a named rule with a reason and a better phrasing; a play may silence one with a
reason of its own (``allow = { code = "why" }``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connector.rules.copy.claims import blaming, over_watched, personal_data, unsupported_claim
from connector.rules.copy.form import (
    costly_characters,
    long_link,
    public_shortener,
    shouting,
    too_long,
)
from connector.rules.copy.reading import Copy, Finding
from connector.rules.copy.tone import (
    generic,
    many_asks,
    no_brand,
    no_next_step,
    no_way_out,
    robotic,
    spam_words,
)

__all__ = ["RULES", "Copy", "Finding", "findings"]

Rule = Callable[[Copy], str | None]
"""What is wrong with a text, in words, or None."""


@dataclass(frozen=True, slots=True)
class Named:
    """A rule, why it matters and what to write instead."""

    rule: Rule
    reason: str
    better: str


RULES: Final[Mapping[str, Named]] = {
    "no_brand": Named(
        no_brand,
        "A text from a number nobody knows is taken for spam; carriers want the name in it.",
        "Begin with {{ brand }}: …",
    ),
    "no_way_out": Named(
        no_way_out,
        "A marketing text must say how to make it stop.",
        "End with: Reply STOP to opt out",
    ),
    "over_watched": Named(
        over_watched,
        "Telling people that they were observed makes them leave.",
        "Speak of the thing, not of the watching: “your cart is still here”.",
    ),
    "many_asks": Named(
        many_asks,
        "A text that asks for several things gets none of them.",
        "Keep the one ask that is the play's next step; drop the others.",
    ),
    "no_next_step": Named(
        no_next_step,
        "Who does not know what to do next does nothing.",
        "Say the one thing to do: finish here, reply with a time, book here.",
    ),
    "costly_characters": Named(
        costly_characters,
        "One character outside the SMS alphabet makes a text cost about twice as much.",
        "Write it with plain quotes, hyphens and letters.",
    ),
    "too_long": Named(
        too_long,
        "Each segment is paid for, and long texts are not read to the end.",
        "Cut it to 160 plain characters, or say max_segments = 2 or 3 where it must be longer.",
    ),
    "spam_words": Named(
        spam_words,
        "Carriers' filters drop texts that read like this.",
        "Say what it is about in plain words, with the figure and the thing.",
    ),
    "shouting": Named(
        shouting, "Capitals and rows of !!! read as shouting, and are filtered.", "Write it calmly."
    ),
    "generic": Named(
        generic,
        "Copy that could belong to any play earns nothing and costs consent.",
        "Name the thing it is about: {{ signal.product }}, {{ signal.form_name }} …",
    ),
    "robotic": Named(
        robotic,
        "Nobody answers a machine.",
        "Write as one person to another: short words, “you”, a question.",
    ),
    "unsupported_claim": Named(
        unsupported_claim,
        "A claim that the facts do not carry (urgency, scarcity) misleads, and is unlawful.",
        "Name the day or the number from a fact, or leave the claim out.",
    ),
    "public_shortener": Named(
        public_shortener,
        "Carriers block links of public shorteners, whatever they lead to.",
        "Write {{ link(url) }}: a short link on your own host.",
    ),
    "long_link": Named(
        long_link,
        "A long address fills the text and may break in two.",
        "Write {{ link(url) }} around it.",
    ),
    "blaming": Named(
        blaming,
        "People do not come back to be told what they failed to do.",
        "Say what is still possible: “your quote is saved, finish it here”.",
    ),
    "personal_data": Named(
        personal_data,
        "A phone lies on tables: card numbers, health and debts do not belong on its screen.",
        "Say that there is news and where to read it.",
    ),
}
"""Code → rule, in the order in which findings are told."""


def findings(copy: Copy) -> Iterator[Finding]:
    """Everything that is to be said of one text; what the play silences is left out."""
    for code, named in RULES.items():
        if code not in copy.allowed and (says := named.rule(copy)):
            yield Finding(code, says, named.reason, named.better)
