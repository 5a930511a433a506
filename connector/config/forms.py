"""The ``[forms.<name>]`` tables: plain forms of a website, and where each may stand."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from connector.config.toml import Table
from connector.config.web import LOOPBACK

USUAL: Final = ("phone", "email", "first_name", "last_name", "anonymous_id")
"""Fields that are read where the table names none: each by its own name."""
MOST_FIELDS: Final = 50

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_OURS: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, slots=True)
class Consent:
    """The box that is ticked, and what stands beside it, word for word."""

    field: str
    purposes: tuple[str, ...]
    wording: str
    version: str  #: the operator's name for the words; "" takes a hash of them


@dataclass(frozen=True, slots=True)
class Form:
    """One table as values."""

    name: str
    source: str  #: under which its events come
    origins: tuple[str, ...]  #: of the pages it stands on: ``https://shop.example``
    fields: Mapping[str, str]  #: our name → the name it has in the page
    required: tuple[str, ...]  #: by our names
    redirect: str = ""  #: where whoever sent it is led; "" shows our own page
    page: str = ""  #: where it stands, as evidence; "" takes what the browser tells
    trap: str = ""  #: a field that people do not see, so that whoever fills it in is a program
    opened: str = ""  #: a field in which the page says since when it is open
    min_fill: timedelta = timedelta(0)  #: nobody types faster
    consent: Consent | None = None
    per_address: int = 5  #: taken from one address in an hour
    per_form: int = 200  #: taken of all addresses in an hour


def forms(group: Table) -> dict[str, Form]:
    """Read every table; sources and purposes are compared with the mappings by :func:`compare`."""
    return {name: _form(name, table) for name, table in group.named()}


def compare(
    form: Form, table: Table, sources: Mapping[str, str], scopes: Mapping[str, Collection[str]]
) -> None:
    """Record what of a form goes with nothing.

    ``sources`` are the names of those that take forms, each with its mapping file's name, and
    ``scopes`` the purposes that such a file gives consents for.
    """
    if form.source not in sources:
        known = ", ".join(sorted(sources)) or "none: add [sources.site_forms], mapping = form"
        table.fault("source", f"is {form.source!r:.40}, no source of forms", f"those are {known}")
        return
    consent = table.table("consent")
    known_scopes = scopes[sources[form.source]]
    for purpose in form.consent.purposes if form.consent else ():
        if purpose not in known_scopes:
            file = f"mappings/sources/{sources[form.source]}.toml"
            remedy = f"add [[events.consents]] for it to {file}"
            message = f"holds {purpose!r:.40}, which its mapping never gives"
            consent.fault("purposes", message, remedy)


def _form(name: str, table: Table) -> Form:
    if not _NAME.fullmatch(name):
        table.fault("", f"is named {name!r:.40}", "use small letters, digits, - and _")
    fields = _fields(table)
    form = Form(
        name=name,
        source=table.text("source"),
        origins=_origins(table),
        fields=fields,
        required=table.words("required", (), choices=fields),
        redirect=_address(table, "redirect"),
        page=_address(table, "page"),
        trap=table.text("trap", "", max_length=100),
        opened=table.text("opened", "", max_length=100),
        min_fill=table.span("min_fill", timedelta(seconds=3)),
        consent=_consent(table, fields),
        per_address=table.whole("per_address", 5, low=1, high=1_000),
        per_form=table.whole("per_form", 200, low=1, high=100_000),
    )
    for key in ("trap", "opened"):
        if getattr(form, key) in fields.values():
            table.fault(key, "is also one of the fields", "give it a name of its own")
    table.done()
    return form


def _fields(table: Table) -> dict[str, str]:
    named = table.table("fields")
    if "fields" not in table:
        return {name: name for name in USUAL}
    found = {}
    for ours in named.values:
        if not _OURS.fullmatch(ours):
            named.fault(ours, "is no name for a field", "use small letters, digits and _")
        found[ours] = named.text(ours, max_length=100)
    if len(found) > MOST_FIELDS:
        table.fault("fields", f"names {len(found)} fields", f"at most {MOST_FIELDS}")
    return found


def _consent(table: Table, fields: Collection[str]) -> Consent | None:
    own = table.table("consent")
    if "consent" not in table:
        return None
    consent = Consent(
        field=own.text("field", max_length=100),
        purposes=own.words("purposes", ("marketing",)),
        wording=own.text("wording", max_length=2_000).strip(),
        version=own.text("version", "", max_length=100),
    )
    if "wording" in own and not consent.wording:
        own.fault("wording", "is empty", "write the words that stand beside the box, all of them")
    if "phone" not in fields:
        own.fault("", "has no number to go with", 'add phone = "…" to the fields')
    if not consent.purposes:
        own.fault("purposes", "is empty", 'write purposes = ["marketing"]')
    own.done()
    return consent


def _origins(table: Table) -> tuple[str, ...]:
    found = table.words("origins")
    if "origins" in table and not found:
        table.fault("origins", "is empty", "name the pages' origin: https://www.shop.example")
    for origin in found:
        if _parts(origin)[2:] != ("", "") or origin.endswith("/"):
            remedy = "write scheme and host alone: https://www.shop.example"
            table.fault("origins", f"holds {origin!r:.60}, no origin", remedy)
        elif not _is_safe(origin):
            table.fault("origins", f"holds {origin!r:.60}, which is not https", "write https://")
    return found


def _address(table: Table, key: str) -> str:
    value = table.text(key, "", max_length=2_000)
    if value and not _is_safe(value):
        table.fault(key, f"is {value!r:.60}, no https address", "write it with https://")
        return ""
    return value


def _is_safe(address: str) -> bool:
    scheme, host, _, _ = _parts(address)
    return bool(host) and (scheme == "https" or (scheme == "http" and host in LOOPBACK))


def _parts(address: str) -> tuple[str, str, str, str]:
    """Scheme, host, path, and all that may come after it."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "", "", "", ""
    after = f"{parts.query}{parts.fragment}{parts.username or ''}{parts.password or ''}"
    is_plain = address.isascii() and address.isprintable() and " " not in address
    return (parts.scheme, host or "", parts.path, after) if is_plain else ("", "", "", "")
