"""``connector crm``: one group, and a table of its commands that load when they are called."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

COMMANDS: Final = {
    "check": "connector.cli.crm_check:check",
    "install": "connector.cli.crm_install:install",
    "sync": "connector.cli.crm_sync:sync",
}
"""Name → where the command is."""


class Commands(click.Group):
    """The commands, imported when they are asked for: a CRM's client is heavy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a CRM is set up."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=Commands)
def crm() -> None:
    """Compare the mapping with the CRM, prepare the CRM, and fetch what it knows.

    \b
    Examples:
      connector crm check
      connector crm install --dry-run
      connector crm sync
    """
