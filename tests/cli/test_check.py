"""``connector check``: every fault with its place and remedy, or a summary."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path

from click.testing import CliRunner, Result

from connector.cli import cli

ENVIRON = {"SITE_KEY": "site-secret", "BACKEND_KEY": "backend-secret", "COLUMNS": "200"}

FORM = """
[sources.pages]
mapping = "form"
trust = "form"
[forms.join]
source = "pages"
origins = ["https://www.corner.example"]
consent = { field = "sms_ok", wording = "Text me offers" }
"""


def run(*args: str, **environ: str | None) -> Result:
    return CliRunner().invoke(cli, args, env={**ENVIRON, **environ})


def started(tmp_path: Path) -> str:
    folder = tmp_path / "shop"
    assert run("init", str(folder)).exit_code == 0
    return str(folder)


def test_a_new_folder_has_no_faults_and_a_summary(tmp_path: Path) -> None:
    result = run("-C", started(tmp_path), "check")
    assert result.exit_code == 0, result.output
    for word in ("site", "cart_abandoned", "sandbox", "welcome.es", "customer"):
        assert word in result.output
    assert "cart_abandoned: 5 % of people are held out" in result.output
    assert "order_confirmation: nobody is held out" in result.output
    assert f"tzdata {version('tzdata')}" in result.output
    assert "secret" not in result.output.replace("secrets", "")


def test_the_summary_as_json_is_one_object(tmp_path: Path) -> None:
    result = run("-C", started(tmp_path), "check", "--json")
    found = json.loads(result.output)
    assert (found["ok"], found["faults"]) == (True, [])
    names = ("tzdata", "phonenumbers", "holidays", "babel")
    assert found["libraries"] == {name: version(name) for name in names}
    plays = {play["play"]: play for play in found["plays"]}
    assert plays["cart_abandoned"]["holdout"] == 0.05
    assert (plays["cart_abandoned"]["texts"], plays["cart_abandoned"]["tasks"]) == (1, 1)


def test_forms_are_told_with_their_address_and_the_pages_they_stand_on(tmp_path: Path) -> None:
    folder = started(tmp_path)
    assert "address" not in run("-C", folder, "check").output
    with Path(folder, "config.toml").open("a") as config:
        config.write(FORM)
    assert re.search(
        r"join +/forms/join +pages +https://www.corner.example +marketing",
        run("-C", folder, "check").output,
    )
    [form] = json.loads(run("-C", folder, "check", "--json").output)["forms"]
    assert (form["form"], form["address"]) == ("join", "/forms/join")


def test_faults_are_printed_with_place_and_remedy_and_exit_with_2(tmp_path: Path) -> None:
    folder = started(tmp_path)
    play = Path(folder, "mappings/plays/welcome.toml")
    play.write_text(play.read_text().replace('"signed_up"', '"signed_upp"'))
    result = run("-C", folder, "check", SITE_KEY=None)
    assert result.exit_code == 2
    lines = result.output.splitlines()
    place = lines.index("mappings/plays/welcome.toml:11")
    assert lines[place + 1].startswith("  start.signal is 'signed_upp'")
    assert lines[place + 2].startswith("  did you mean 'signed_up'?")
    assert "names SITE_KEY" in result.output
    assert "2 faults; nothing starts" in lines[-1]


def test_faults_as_json_have_the_same_fields(tmp_path: Path) -> None:
    result = run("-C", started(tmp_path), "check", "--json", SITE_KEY=None)
    assert result.exit_code == 2
    found = json.loads(result.output)
    assert found["ok"] is False
    assert set(found["faults"][0]) == {"file", "line", "field", "message", "remedy"}


def test_holdouts_are_told_as_they_are_in_force(tmp_path: Path) -> None:
    folder = started(tmp_path)
    config = Path(folder, "config.toml")
    text = config.read_text()
    config.write_text(text.replace("global = 0.0", "global = 0.025"))
    assert "2.5 % of people get no marketing at all" in run("-C", folder, "check").output
    config.write_text(text.replace("enabled = true", "enabled = false"))
    output = run("-C", folder, "check").output
    assert "nobody is held out: [holdout] enabled is false" in output
    assert "5 %" not in output


def test_what_is_past_its_day_or_its_review_is_one_line(tmp_path: Path) -> None:
    folder = started(tmp_path)
    play = Path(folder, "mappings/plays/welcome.toml")
    play.write_text(play.read_text().replace("[start]", "valid_until = 2020-01-31\n[start]", 1))
    text = Path(folder, "templates/welcome.en.txt")
    terms = "{# review_every: 30d, reviewed: 2020-01-01 #}\n"
    text.write_text(terms + text.read_text(encoding="utf-8"), encoding="utf-8")
    result = run("-C", folder, "check")
    assert result.exit_code == 0, result.output
    said = next(line for line in result.output.splitlines() if "to look at" in line)
    assert said.startswith("2 to look at: play welcome was valid until 2020-01-31")
    assert "text welcome.en was to be read again by 2020-01-31" in said
    found = json.loads(run("-C", folder, "check", "--json").output)
    assert [item["name"] for item in found["overdue"]] == ["welcome", "welcome.en"]
    assert "to look at" not in run("-C", started(tmp_path / "other"), "check").output
