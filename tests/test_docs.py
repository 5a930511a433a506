"""The docs say what is so: commands, samples, links and keys are compared with the product."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from connector import metrics, starters
from connector.cli import cli
from connector.config import crms
from connector.config.adapters import load_class, schema
from connector.config.loaded import Loaded, load
from connector.config.stages import load_stages
from connector.config.supply import Supply
from connector.errors import BadConfig, Fault
from connector.expressions import filters
from connector.providers import ADAPTERS, Ability
from connector.rules import outages
from connector.rules.writeback import FACTS, Rule
from connector.web.openapi import document
from tests.pages import (
    ROOT,
    Block,
    anchors,
    blocks,
    fenced_commands,
    links,
    names,
    prose,
    spoken,
    spoken_commands,
)

SECRETS = {"SITE_KEY": "a", "BACKEND_KEY": "b", "HUBSPOT_TOKEN": "c", "SHOPIFY_SECRET": "d"}
UNKNOWN = "zzzzzzzz"  #: a key that no table takes, and that is near to none
HEADER = re.compile(r"^(\[\[?[^\]\n]+\]\]?.*)$", re.MULTILINE)
TOLD_IN = {
    "config.toml": "operating.md",  # but for what providers.md has of each provider
    "mappings/plays/": "plays.md",
    "mappings/sources/": "sources.md",
    "mappings/policy.toml": "governance.md",
    "mappings/hours.toml": "governance.md",
    "mappings/stages.toml": "crm.md",
    "mappings/crms/": "crm.md",
}


def folder_of(tmp_path: Path) -> Path:
    """A folder as ``connector init`` writes it."""
    for name, source in starters.files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tmp_path / name)
    return tmp_path


# Commands


def parse(words: list[str], *, whole: bool) -> None:
    """Parse a command line as the product would; raises ``click.UsageError``."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        ctx = click.Context(command)
        words = getattr(command, "expanded", list)(words)
        _, rest, _ = command.make_parser(ctx).parse_args(list(words))
        if not rest:
            return
        name, *words = rest
        found = command.get_command(ctx, name)
        assert found is not None, f"there is no command {name}"
        command = found
    if whole:
        with suppress(click.exceptions.Exit):
            command.make_context("connector", words)
    else:
        command.make_parser(click.Context(command)).parse_args(words)


@pytest.mark.parametrize(("line", "words"), sorted(fenced_commands()))
def test_a_command_that_is_shown_can_be_typed(line: str, words: list[str]) -> None:
    parse(words, whole=True)


@pytest.mark.parametrize(("line", "words"), sorted(spoken_commands()))
def test_a_command_that_is_spoken_of_exists(line: str, words: list[str]) -> None:
    parse(words, whole=False)


def test_every_command_is_shown_somewhere() -> None:
    shown = {word for _, words in (*fenced_commands(), *spoken_commands()) for word in words}
    assert set(cli.list_commands(click.Context(cli))) <= shown


# Samples


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_a_sample_is_what_it_says(block: Block) -> None:
    readers: dict[str, Any] = {"toml": tomllib.loads, "json": json.loads}
    if block.kind == "python":
        compile(block.text, str(block.page), "exec")
    elif block.kind in readers:
        assert readers[block.kind](block.text)


@pytest.mark.parametrize(
    "page", sorted({block.page for block in blocks()}), ids=lambda page: page.name
)
def test_whole_files_of_a_page_load_without_faults(page: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for block in blocks():
        if block.page == page and (name := block.file or _play(block)):
            (folder / name).write_text(block.text, encoding="utf-8")
    assert isinstance(load(folder, environ=SECRETS), Loaded)


def _play(block: Block) -> str:
    """Where a sample that is a play, without being called so, would stand."""
    found = tomllib.loads(block.text) if block.kind == "toml" else {}
    return "mappings/plays/sample.toml" if {"role", "start", "steps"} <= found.keys() else ""


def test_what_is_shown_of_a_shipped_play_stands_in_it() -> None:
    heads = 0
    for block in blocks():
        if found := re.match(r"# (\w+):", block.text):
            heads += 1
            shipped = (ROOT / f"mappings/plays/{found[1]}.toml").read_text(encoding="utf-8")
            assert _within(tomllib.loads(block.text), tomllib.loads(shipped)), block
    assert heads >= 5


def _within(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return all(key in whole and _within(part[key], whole[key]) for key in part)
    if isinstance(part, list) and part and isinstance(part[0], dict):
        return all(any(_within(item, other) for other in whole) for item in part)
    return bool(part == whole)


# Links


@pytest.mark.parametrize(("page", "target"), sorted(set(links())), ids=lambda each: str(each)[-40:])
def test_a_link_leads_somewhere(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.exists(), f"{page.name}: {target}"
    assert not anchor or anchor in anchors(found), f"{page.name}: {target}"


# Keys and names


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> list[Fault]:
    """What ``check`` says of files with a strange key in each table: which keys it takes."""
    folder = folder_of(tmp_path_factory.mktemp("strange"))
    config = folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8") + "\n[providers.twilio]\n")
    for path in folder.rglob("*.toml"):
        text = HEADER.sub(rf"\1\n{UNKNOWN} = 1", path.read_text(encoding="utf-8"))
        path.write_text(f"{UNKNOWN} = 1\n{text}", encoding="utf-8")
    with pytest.raises(BadConfig) as faults:
        load(folder, environ=SECRETS)
    return [fault for fault in faults.value.faults if fault.message == "is not known here"]


@pytest.mark.parametrize(("file", "page"), TOLD_IN.items())
def test_every_key_that_is_read_is_explained(file: str, page: str, taken: list[Fault]) -> None:
    told, missing = spoken(page), []
    of_file = [fault for fault in taken if fault.file.startswith(file)]
    read = [fault for fault in of_file if not fault.field.startswith("providers.twilio")]
    for fault in read:
        keys = fault.remedy.removeprefix("this table takes ").split(", ")
        missing += [f"{fault.field}: {key}" for key in keys if not names(f"{told} nothing", key)]
    assert read, f"nothing was found of {file}"
    assert not missing


@pytest.mark.parametrize("name", sorted(set(ADAPTERS) - {"sandbox"}))
def test_every_key_of_a_provider_is_explained_in_its_table(name: str) -> None:
    page = prose(ROOT / "docs" / "providers.md")
    head = f"| `[providers.{name}]` | default | means |\n"
    assert page.count(head) == 1
    rows = page.split(head)[1].split("\n\n")[0].splitlines()
    told = {key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    told |= {key for row in rows for key in re.findall(r"with `(\w+)` for", row)}
    assert set(schema(load_class(ADAPTERS[name]))) == told


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_the_table_of_providers_says_what_each_can_do(name: str) -> None:
    page = prose(ROOT / "docs" / "providers.md")
    [row] = re.findall(rf"^\| `{name}` \| (.+) \|$", page, re.MULTILINE)
    repeats, doubtful, *asked = row.split(" | ")
    does = load_class(ADAPTERS[name]).does
    told = {
        Ability.repeats_safely: repeats.startswith("yes"),
        Ability.finds: "looked up" in doubtful,
        Ability.finds_by_reference: "by our reference" in doubtful,
        Ability.tells_status: asked[0].startswith("yes"),
        Ability.lists_replies: asked[1] == "yes",
        Ability.lists_texts: asked[2] == "yes",
    }
    assert {ability for ability, is_told in told.items() if is_told} == does


@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
def test_every_key_of_a_crm_mapping_is_explained(name: str, tmp_path: Path) -> None:
    text = HEADER.sub(
        rf"\1\n{UNKNOWN} = 1", (ROOT / f"mappings/crms/{name}.toml").read_text("utf-8")
    )
    faults = crm_faults(tmp_path / f"{name}.toml", f"{UNKNOWN} = 1\n{text}")
    read = [fault for fault in faults if fault.message == "is not known here"]
    taken = {
        key
        for fault in read
        for key in fault.remedy.removeprefix("this table takes ").split(", ")
        if fault.field.split("[")[0].split(".")[0] != "events"  # sources.md has their grammar
    }
    assert {"contact", "facts", "opt_out", "history", "write"} <= taken
    assert {key for key in taken if not names(f"{spoken('crm.md')} nothing", key)} == set()


def test_samples_of_a_crm_mapping_have_no_faults(tmp_path: Path) -> None:
    samples = 0
    for block in blocks():
        if found := re.match(r"# mappings/crms/(\w+)\.toml\n", block.text):
            samples += 1
            assert crm_faults(tmp_path / f"{found[1]}.toml", block.text) == [], block
    assert samples >= 5


def crm_faults(path: Path, text: str) -> list[Fault]:
    """What is at fault in a CRM's mapping file of this text."""
    faults: list[Fault] = []
    stages = load_stages(ROOT / "mappings" / "stages.toml", faults).order
    path.write_text(text, encoding="utf-8")
    crms.load(path, Supply(stages=stages), faults)
    return faults


def test_every_key_of_the_example_is_explained() -> None:
    example = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    keys = set(re.findall(r"^(?:# )?(\w+) = ", example, re.MULTILINE))
    told = spoken("operating.md") + spoken("providers.md")
    assert {key for key in keys if not names(told, key)} == set()


def test_every_operation_of_the_language_is_explained() -> None:
    tables = (filters.FILTERS, filters.FORGIVING_FILTERS, filters.METHODS)
    told = spoken("expressions.md")
    assert {name for table in tables for name in table if not names(told, name)} == set()
    tests = (*filters.TESTS, *filters.FORGIVING_TESTS)
    assert {name for name in tests if f"is {name}" not in told} == set()


def test_every_reason_of_a_decision_is_explained() -> None:
    sources = (
        *(ROOT / "connector/rules/policy").glob("*.py"),
        ROOT / "connector/rules/triggers/judge.py",
    )
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    reasons = set(re.findall(r'\(\s*"([a-z_]+)",\s*(?:Verdict|f?"[A-Z{])', text))
    assert len(reasons) >= 15
    assert {name for name in reasons if not names(spoken("governance.md"), name)} == set()


def test_every_address_and_status_is_explained() -> None:
    told = spoken("http.md")
    assert {path for path in document()["paths"] if path not in told} == set()
    page = prose(ROOT / "docs" / "http.md")
    statuses = {
        status
        for methods in document()["paths"].values()
        for method in methods.values()
        if isinstance(method, dict)
        for status in method["responses"]
    }
    assert {status for status in statuses if f"\n| {status} |" not in page} == set()


def test_every_alarm_is_explained() -> None:
    told, found = spoken("operating.md"), set[str]()
    for path in (ROOT / "connector").rglob("*.py"):
        raised = r"\b(?:alarm\((?:[\w.]+, )+?|(?:note|cry)\(\S+settings, )([A-Z_]{3,}|\"\w+\"),"
        kinds = re.findall(raised, path.read_text(encoding="utf-8"))
        for kind in kinds:
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            found.add(kind.strip('"') if kind.startswith('"') else str(getattr(module, kind)))
    assert {"text_in_doubt", "source_silent", "form_flooded", "process_died"} <= found
    assert len(found) >= 20
    assert {kind for kind in (*found, *outages.KINDS) if not names(told, kind)} == set()


def test_every_figure_and_every_fact_of_the_crm_is_explained() -> None:
    assert {name for name in metrics.OPEN if not names(spoken("operating.md"), name)} == set()
    assert {name for name in (*FACTS, *Rule) if not names(spoken("crm.md"), name)} == set()
