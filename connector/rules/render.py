"""Texts: the right template for a language, written out whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache

from connector.errors import ExpressionFailed
from connector.expressions import Template
from connector.model import Json
from connector.rules import links


def choose(
    templates: Mapping[tuple[str, str], Template], name: str, language: str, fallback: str
) -> Template:
    """The template in the person's language, else in its base (pt for pt-BR), else in ``fallback``.

    Raises ``ExpressionFailed`` where the text exists in none of them.
    """
    for wanted in (language, language.partition("-")[0], fallback, fallback.partition("-")[0]):
        if found := templates.get((name, wanted)):
            return found
    raise ExpressionFailed(f"there is no text {name!r} in {language!r} or {fallback!r}; write one")


def render(template: Template, context: Mapping[str, Json]) -> str:
    """The text for a context, without newlines at its ends (a comment may stand on its first line).

    Raises ``ExpressionFailed``, coded ``fact_missing``, for a missing, none or empty value: a
    text with a hole is never sent.
    """
    text = template(context).strip("\r\n")
    if not text.strip():
        raise ExpressionFailed("the text is empty", "fact_missing")
    return text


@lru_cache(maxsize=1024)
def reader(spoken: str, own: str, country: str) -> str:
    """The tag by which money and dates of a text in ``spoken`` are written for a person.

    The person's ``own`` tag where it says more of the same language, else with the country: in
    the US, Spanish writes $1,234.50 and not 1.234,50 US$.
    """
    if own.partition("-")[0] == spoken.partition("-")[0] and "-" in own:
        return own
    return spoken if "-" in spoken or not country else f"{spoken}-{country}"


def foreign_links(text: str, hosts: Iterable[str]) -> list[str]:
    """The links of a text, as a phone would find them, that lead to none of ``hosts``.

    A host includes all below it: ``corner.example`` allows ``shop.corner.example``.
    """
    known = tuple(hosts)
    return [link for link in links.links(text) if not links.is_on(links.host(link), known)]


def version(content: str) -> str:
    """A short hash by which a file's content is known ever after: 12 hex digits of SHA-256."""
    return hashlib.sha256(content.encode()).hexdigest()[:12]
