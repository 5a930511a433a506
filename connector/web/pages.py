"""A page of ours for a person: a sentence or two, readable on any screen, which loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Final

from connector.web.answers import Answer, Headers, answer

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;"
    "font:1.0625rem/1.6 system-ui,sans-serif;background:#f6f7f5;color:#1c2321}"
    "main{box-sizing:border-box;width:100%;max-width:34rem;padding:2rem 1.5rem}"
    "main{overflow-wrap:anywhere}"
    "h1{margin:0 0 .75rem;font-size:1.75rem;line-height:1.25}"
    "p{margin:0 0 1rem}"
    "a{color:#14513d;text-underline-offset:.2em;display:inline-block;padding:.5rem 0}"
    "@media (prefers-color-scheme:dark){body{background:#151a18;color:#e8ece9}a{color:#8fd3b6}}"
)
POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; img-src "
    "'self'; style-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
POLICY_HEADER: Final = "Content-Security-Policy"
HTML: Final = "text/html; charset=utf-8"


def page(
    status: int,
    language: str,
    title: str,
    said: Iterable[str],
    link: tuple[str, str] = ("", ""),
    headers: Headers = (),
) -> Answer:
    """A title, a paragraph for each of ``said``, and a link (address, words) where there is one."""
    text = "".join(f"<p>{escape(line)}</p>" for line in said)
    address, words = link
    leads = f'<p><a href="{escape(address)}">{escape(words)}</a></p>' if address else ""
    body = (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{text}{leads}</main></body></html>"
    )
    made = answer(status, body.encode(), HTML, headers)
    kept = [each for each in made.headers if each[0] != POLICY_HEADER]
    return Answer(made.status, made.line, made.body, (*kept, (POLICY_HEADER, POLICY)))


def spoken(language: str, known: Iterable[str]) -> str:
    """The language that a page is in: the one asked for, else its plain form, else English."""
    plain = language.partition("-")[0]
    return language if plain in known else "en"
