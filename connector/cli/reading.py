"""What commands that read the ledger share: opening it, options, and finding whom is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from connector import phone
from connector.adapters import clock_of
from connector.cli import Faulty, NothingFound
from connector.config.loaded import Loaded, load
from connector.ledger import contacts, listings
from connector.ledger.store import Tx
from connector.runtime import opened

_SPAN: Final = re.compile(r"(\d{1,5})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

F = TypeVar("F", bound=Callable[..., Any])


def read_since(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> timedelta | datetime | None:
    """A span before now, such as 24h, or an instant (UTC where no zone is written)."""
    if value is None:
        return None
    if found := _SPAN.fullmatch(value.strip()):
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        instant = datetime.fromisoformat(value.strip())
    except ValueError as error:
        says = "write a span such as 30m, 24h or 7d, or an instant as 2026-11-20T10:00"
        raise click.BadParameter(says, ctx, param) from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def since_option(command: F) -> F:
    """Add ``--since``: only what is newer."""
    text = "Only what is newer: 30m, 24h, 7d, or an instant (UTC)."
    return click.option("--since", callback=read_since, metavar="SPAN", help=text)(command)


def limit_option(default: int) -> Callable[[F], F]:
    """Add ``--limit``."""
    return click.option(
        "--limit",
        type=click.IntRange(1, 10_000),
        default=default,
        show_default=True,
        help="How many at most, the newest of them.",
    )


def full_option(command: F) -> F:
    """Add ``--full``: whole phone numbers and e-mail addresses."""
    text = "Show whole phone numbers and e-mail addresses."
    return click.option("--full", is_flag=True, help=text)(command)


@contextmanager
def reading(folder: Path) -> Iterator[tuple[Loaded, Tx]]:
    """The folder's files and its ledger, for one command that only reads."""
    loaded = load(folder, secrets=False)
    with opened(loaded) as store, store.read() as tx:
        yield loaded, tx


def instant(since: timedelta | datetime | None, loaded: Loaded) -> datetime | None:
    """The instant that ``--since`` names, by the folder's clock."""
    return clock_of(loaded.settings)() - since if isinstance(since, timedelta) else since


def read_number(raw: str, loaded: Loaded) -> phone.Number:
    """A phone number as an operator types it; raises ``Faulty`` saying why it is none."""
    try:
        return phone.parse(raw, loaded.settings.country)
    except phone.NotANumber as error:
        raise Faulty(f"the number {error}; write it as +12025550123") from error


def find_contacts(tx: Tx, who: str, loaded: Loaded) -> list[str]:
    """Ids of the contacts that an id, number, e-mail address or ``user:ID`` names; at least one.

    Raises ``NothingFound``, or ``Faulty`` where nobody can be meant by it.
    """
    if who.startswith("con_"):
        found = [who] if contacts.row(tx, who) else []
    elif who.startswith("user:"):
        found = listings.bearers(tx, "user_id", who.removeprefix("user:"))
    elif "@" in who:
        found = listings.bearers(tx, "email", who.strip().lower())
    else:
        found = listings.bearers(tx, "phone", read_number(who, loaded).e164)
    if not found:
        raise NothingFound(f"nobody is known by {who}; list people with `connector contact list`")
    return found
