"""The command group: quick help, a table of commands, exit codes that mean something."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connector import cli as package
from connector.cli import COMMANDS, SECTIONS, Commands, Failure, NothingFound, cli
from connector.errors import AlreadyRunning, BadConfig, Fault


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, args)
    return result.exit_code, result.output


def test_help_lists_every_command_in_the_order_a_newcomer_meets_them() -> None:
    code, text = run("--help")
    assert code == 0
    places = [text.index(f"\n{title}:\n") for title in SECTIONS]
    assert places == sorted(places)
    places = [text.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)


def test_help_imports_no_command_and_no_server() -> None:
    program = (
        "import sys\n"
        "from connector.cli import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "heavy = {'rich', 'flask', 'requests', 'jinja2', 'apscheduler', 'phonenumbers'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
        "print(sorted(name for name in sys.modules if name.startswith('connector.cli.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-2:] == ["[]", "[]"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_entry_of_the_table_names_a_command_that_teaches(name: str) -> None:
    code, text = run(name, "--help")
    assert code == 0
    assert "xample" in text, "its --help needs an example"


def test_an_unknown_command_or_option_is_a_usage_fault() -> None:
    assert run("chekc")[0] == 2
    assert run("check", "--jsno")[0] == 2


def test_the_version_is_the_distribution_s() -> None:
    code, text = run("--version")
    assert (code, text.split()[0]) == (0, "connector,")


def test_completion_answers_from_the_table() -> None:
    ctx = click.Context(cli)
    found = [item.value for item in cli.shell_complete(ctx, "se")]
    assert found == ["serve", "segment", "sends", "send"]


def ended(error: Exception) -> tuple[int, str]:
    """How the group ends when a command raises ``error``."""

    class Raising(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            def act() -> None:
                raise error

            return click.Command("check", callback=act)

    group = Raising("connector")
    result = CliRunner().invoke(group, ["check"])
    return result.exit_code, result.output


def test_what_goes_wrong_is_one_message_and_no_traceback() -> None:
    code, text = ended(AlreadyRunning("process 4242 runs on this folder; stop it first"))
    assert code == 1
    assert text == "Error: process 4242 runs on this folder; stop it first\n"


def test_a_faulty_configuration_ends_with_2_and_every_fault() -> None:
    faults = [Fault("config.toml", 3, "brand", "is missing"), Fault("b.toml", 1, "", "x", "y")]
    code, text = ended(BadConfig(faults))
    assert code == 2
    assert "2 faults" in text
    assert "config.toml:3: brand: is missing\nb.toml:1: x — y" in text


def test_nothing_found_is_told_apart_from_failure() -> None:
    assert ended(NothingFound("no such send")) == (3, "Error: no such send\n")
    assert ended(Failure("the provider is down")) == (1, "Error: the provider is down\n")


def test_the_folder_comes_from_the_option_then_the_environment(tmp_path: Path) -> None:
    for args, environ in (
        (["-C", str(tmp_path), "check"], {"CONNECTOR_FOLDER": "/nowhere"}),
        (["check"], {"CONNECTOR_FOLDER": str(tmp_path)}),
    ):
        result = CliRunner().invoke(cli, args, env=environ)
        assert result.exit_code == 2
        assert str(tmp_path) in result.output


def test_nothing_prints_round_the_output_module() -> None:
    folder = Path(package.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "print", f"{path.name}:{node.lineno}"
