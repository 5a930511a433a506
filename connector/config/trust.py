"""How far a source is believed, compared with how it speaks, so that no door stands open."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.sources import TRACKED
from connector.model import Trust
from connector.rules.mapping import SourceMapping

Doubt = tuple[str, str, str]
"""The key, what is wrong, what to do."""


def doubts(mapping: SourceMapping, trust: Trust, given: frozenset[str]) -> Iterator[Doubt]:
    """What of a source's table goes with nothing; ``given`` are the keys that stand there."""
    if mapping.adapter == "form":
        if trust is not Trust.form:
            yield "trust", f'is "{trust}", and anybody may fill in a form', 'write trust = "form"'
        for key in sorted(given & {"keys", "secrets"}):
            yield key, "is of no use here", "take it away; forms are sent to /forms/<name>"
    elif trust is Trust.form and mapping.adapter in TRACKED:
        remedy = 'write trust = "browser", or "trusted" where no page has the key'
        yield "trust", 'is "form", and what sends these events is no form', remedy
    if mapping.adapter == "posthog" and mapping.verify is None and "keys" not in given:
        yield "", "has no project key", 'add keys = ["env:NAME"], which its libraries are given'
