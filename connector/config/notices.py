"""Where notices go: the ``[mail]`` table, and the addresses that other tables name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from connector.config.secrets import Secret, Vault
from connector.config.toml import Table
from connector.notices import Anchors, Mail

TLS: Final[Mapping[str, int]] = {"starttls": 587, "tls": 465, "none": 25}  #: way → usual port
HERE: Final = ("127.0.0.1", "localhost", "::1")

_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+")


def anchors(table: Table, server: Mail | None, vault: Vault, folder: Path) -> Anchors:
    """``anchor = { file = …, webhook = …, email = … }``, any of them."""
    anchor = table.table("anchor")
    file, url = anchor.text("file", ""), webhook(anchor, "webhook", vault)
    found = Anchors(
        file=folder / file if file else None,
        webhook=url.reveal() if url else "",
        emails=emails(anchor, "email", server),
        mail=server,
    )
    anchor.done()
    table.done()
    return found


def mail(table: Table, vault: Vault) -> Mail | None:
    """The server of the ``[mail]`` table; None where there is no such table."""
    if not table.values:
        return None
    tls = table.text("tls", "starttls", choices=TLS)
    found = Mail(
        host=table.text("host", max_length=255),
        port=table.whole("port", TLS[tls], low=1, high=65_535),
        tls=tls,
        sender=table.text("from", max_length=320),
        user=table.text("user", "", max_length=320),
        password=vault.one(table, "password").reveal() if "password" in table else "",
    )
    if found.tls == "none" and found.host not in HERE:
        table.fault("tls", "is none, for another machine", 'write "starttls" or "tls"')
    if "from" in table and not _ADDRESS.fullmatch(found.sender):
        table.fault("from", f"is {found.sender!r:.60}", "write an address alone: me@shop.example")
    if bool(found.user) != bool("password" in table):
        table.fault("password" if found.user else "user", "is missing", "give both, or neither")
    table.done()
    return found


def emails(table: Table, key: str, server: Mail | None) -> tuple[str, ...]:
    """The addresses that ``key`` lists (one alone is a list of one); they need a ``[mail]``."""
    found = table.words(key, ())
    for address in found:
        if not _ADDRESS.fullmatch(address):
            table.fault(key, f"holds {address!r:.60}", "write an address alone: me@shop.example")
    if found and server is None:
        table.fault(key, "needs a mail server", "add [mail] with host, from, user and password")
    return found


def webhook(table: Table, key: str, vault: Vault) -> Secret | None:
    """The address that ``key`` names, written plainly or, where it is a secret, ``env:NAME``.

    None where the key is absent.
    """
    written = table.raw(key)
    if written is None:
        return None
    if isinstance(written, str) and written.startswith(("env:", "file:")):
        found = vault.one(table, key)
        if not vault.needed:
            return found
    else:
        found = Secret(table.text(key))
    if found.reveal() and not _is_address(found.reveal()):
        table.fault(key, "is no https address", "write it with https://, or name it: env:NAME")
    return found


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in HERE)
    return bool(host) and is_safe and not (parts.username or parts.fragment)
