"""The ``[alerts]`` table: where alarms are told, and how many messages that may make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from connector.config import notices
from connector.config.secrets import Secret, Vault
from connector.config.toml import Table
from connector.notices import Mail

GROUP: Final = timedelta(minutes=15)
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=1)
HOURLY: Final = 12
MOST_ARGUMENTS: Final = 20


@dataclass(frozen=True, slots=True)
class Alerts:
    """Where alarms go. Without any target they stand in the ledger and in the log alone."""

    group: timedelta = GROUP  #: the same alarm again within this is counted, not told again
    hourly: int = HOURLY  #: messages in any hour; what more there is becomes one digest
    webhook: Secret | None = None
    emails: tuple[str, ...] = ()
    command: tuple[str, ...] = ()  #: a program and its arguments; the message is its input

    @property
    def targets(self) -> tuple[str, ...]:
        """Which of them are configured."""
        return tuple(
            name
            for name, is_there in (
                ("webhook", self.webhook is not None),
                ("email", bool(self.emails)),
                ("command", bool(self.command)),
            )
            if is_there
        )


def alerts(table: Table, server: Mail | None, vault: Vault) -> Alerts:
    """Read the table; faults go where the table's go."""
    found = Alerts(
        group=_group(table),
        hourly=table.whole("hourly", HOURLY, low=1, high=1_000),
        webhook=notices.webhook(table, "webhook", vault),
        emails=notices.emails(table, "email", server),
        command=_command(table),
    )
    table.done()
    return found


def _group(table: Table) -> timedelta:
    span = table.span("group", GROUP)
    if not SHORTEST <= span <= LONGEST:
        table.fault("group", "is no span between 1m and 24h", 'write one such as "15m"')
        return GROUP
    return span


def _command(table: Table) -> tuple[str, ...]:
    command = table.words("command", ())
    if "command" not in table:
        return ()
    if not command or not Path(command[0]).is_absolute():
        remedy = 'write the whole path and the arguments: ["/usr/local/bin/page", "--now"]'
        table.fault("command", "names no program by its whole path", remedy)
    if len(command) > MOST_ARGUMENTS:
        table.fault("command", f"has {len(command)} parts", f"at most {MOST_ARGUMENTS}")
    return command
