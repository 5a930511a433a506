"""The command line: one group, and a table of commands that load when they are called."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from connector.errors import BadConfig, ConnectorError

FAILED: Final = 1  #: exit code: it was tried and did not work
FAULTY: Final = 2  #: exit code: a fault in the configuration or in the command line
NOTHING: Final = 3  #: exit code: there is no such thing, or nothing to list

SECTIONS: Final = {
    "Begin and run": {
        "demo": ("connector.cli.demo:demo", "Show a whole day in a minute, with no account."),
        "init": ("connector.cli.init:init", "Write a working folder to start from."),
        "check": ("connector.cli.check:check", "Read every file and name every fault."),
        "run": ("connector.cli.run:run", "Run the web and the worker."),
        "serve": ("connector.cli.run:serve", "Run only the web: receive and record."),
        "work": ("connector.cli.run:work", "Run only the worker: decide, send, write back."),
        "reload": (
            "connector.cli.reload:reload",
            "Let a running connector take over changed files.",
        ),
    },
    "What comes in": {
        "source": (
            "connector.cli.source:source",
            "List sources, try a mapping, capture a webhook.",
        ),
        "signals": ("connector.cli.signals:signals", "Every event name heard, and what uses it."),
        "events": ("connector.cli.events:events", "List events, and replay those kept aside."),
    },
    "Plays and their texts": {
        "play": ("connector.cli.play:play", "List plays, make new ones, pause, approve, start."),
        "template": ("connector.cli.template:template", "Show how texts are received; pause one."),
        "preview": ("connector.cli.preview:preview", "Show a play's texts as a phone would."),
        "test": (
            "connector.cli.test:test",
            "Play the examples of the plays, and show what differs.",
        ),
        "simulate": (
            "connector.cli.simulate:simulate",
            "Run what was recorded through changed files.",
        ),
        "segment": ("connector.cli.segment:segment", "List segments, and who is in one now."),
        "policy": ("connector.cli.policy:policy", "Show policies, and what another would alter."),
    },
    "What leaves, and why": {
        "sends": ("connector.cli.sends:sends", "List texts and what became of them."),
        "explain": ("connector.cli.explain:explain", "Tell why a text was sent, or was not."),
        "capacity": (
            "connector.cli.capacity:capacity",
            "Tell what may still leave, and what waits.",
        ),
        "can-send": ("connector.cli.can_send:can_send", "Tell whether a text may go to a number."),
        "send": ("connector.cli.send:send", "Answer a reply, or try a text on your own number."),
        "conversation": ("connector.cli.conversation:conversation", "Talks for which plays wait."),
        "reply": ("connector.cli.reply:reply", "Show how a reply would be understood."),
        "pause": ("connector.cli.hold:pause", "Hold everything: the kill switch."),
        "resume": ("connector.cli.hold:resume", "Let everything go on after a pause."),
    },
    "People and their numbers": {
        "contact": ("connector.cli.contact:contact", "Show what is known of a person."),
        "consent": ("connector.cli.consent:consent", "Show, grant and revoke consent."),
        "suppress": ("connector.cli.suppress:suppress", "Keep texts from single numbers by hand."),
        "number": ("connector.cli.number:number", "Show, look up and mark a number itself."),
    },
    "The CRM": {
        "crm": ("connector.cli.crm:crm", "Check, prepare and read the CRM."),
        "writebacks": (
            "connector.cli.writebacks:writebacks",
            "What the CRM is owed, and was refused.",
        ),
    },
    "Look after it": {
        "alerts": ("connector.cli.alerts:alerts", "Show alarms, clear them, try where they go."),
        "backup": ("connector.cli.backup:backup", "Copy everything into one checked file."),
        "restore": ("connector.cli.restore:restore", "Make a backup the ledger again."),
        "upgrade": ("connector.cli.upgrade:upgrade", "Back the ledger up and bring it up to date."),
        "audit": ("connector.cli.audit:audit", "Verify that nothing recorded was changed."),
        "export": ("connector.cli.export:export", "Write what the connector was told to a file."),
        "clock": ("connector.cli.clock:clock", "Show and set the test clock of a folder."),
    },
}
"""Part of ``connector --help`` → name → where the command is, and its line there."""

COMMANDS: Final = {name: told for part in SECTIONS.values() for name, told in part.items()}


class Failure(click.ClickException):
    """Ends the command with one readable message on stderr, and exit code 1."""

    exit_code = FAILED


class Faulty(Failure):
    """Ends it with exit code 2: the configuration or the command line is at fault."""

    exit_code = FAULTY


class NothingFound(Failure):
    """Ends it with exit code 3: there is no such thing, or nothing to list."""

    exit_code = NOTHING


class Commands(click.Group):
    """The group whose commands are imported when they are called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, part by part, from the table alone."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                told = commands.items()
                formatter.write_dl([(f"{name:<{width}}", line) for name, (_, line) in told])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete command names from the table alone, and the group's own options."""
        names = [
            CompletionItem(name, help=summary)
            for name, (_, summary) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what is wrong becomes one message instead of a traceback."""
        try:
            return super().invoke(ctx)
        except BadConfig as error:
            raise Faulty(_all_faults(error)) from error
        except ConnectorError as error:
            raise Failure(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--folder",
    "-C",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: os.environ.get("CONNECTOR_FOLDER", "."),
    show_default="$CONNECTOR_FOLDER or the current one",
    help="The folder with config.toml, mappings and templates.",
)
@click.version_option(package_name="crm-sms-connector", prog_name="connector")
@click.pass_context
def cli(ctx: click.Context, folder: Path) -> None:
    """Behaviour events in, well-timed and allowed texts out, and the CRM knows why.

    \b
    A first look, with no account:      connector demo
    A folder of your own:               connector init shop
                                        connector -C shop check
                                        connector -C shop run

    \b
    Exit codes: 0 done · 1 failed · 2 faulty configuration or usage · 3 nothing found.
    Tab completion (bash; zsh and fish alike):
      eval "$(_CONNECTOR_COMPLETE=bash_source connector)"
    """
    ctx.obj = folder


def here(*words: str) -> str:
    """A command line as the reader may type it where they stand: with -C, where they gave it."""
    root = click.get_current_context().find_root()
    is_given = root.get_parameter_source("folder") is ParameterSource.COMMANDLINE
    return shlex.join(("connector", *(("-C", str(root.params["folder"])) * is_given), *words))


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    cli.main(args, prog_name="connector")


def _all_faults(error: BadConfig) -> str:
    count = len(error.faults)
    found = "1 fault" if count == 1 else f"{count} faults"
    return f"the configuration has {found}; nothing was started.\n{error}"
