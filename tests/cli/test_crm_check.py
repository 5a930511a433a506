"""``connector crm check`` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connector import crms
from connector.cli import cli
from connector.errors import CrmUnavailable
from connector.records import FieldShape, Schema
from tests.config.crm_file import shipped
from tests.crms.quiet import QuietCrm
from tests.rules.test_crmcheck import fitting

HUBSPOT = shipped("hubspot")


class Described(QuietCrm):
    """A CRM that only says what it can hold."""

    name = "hubspot"
    objects_: Mapping[str, Mapping[str, FieldShape]] = {}
    notes: tuple[str, ...] = ()
    error: CrmUnavailable | None = None

    def schema(self) -> Schema:
        if self.error is not None:
            raise self.error
        return Schema(self.objects_, self.notes)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new folder whose CRM is HubSpot, prepared for the shipped file."""
    CliRunner().invoke(cli, ["init", str(tmp_path / "shop")], catch_exceptions=False)
    config = tmp_path / "shop" / "config.toml"
    text = config.read_text("utf-8").replace('use = "local"', 'use = "hubspot"')
    text = text.replace("[crms.local]", "[crms.hubspot]")
    config.write_text(text, "utf-8")
    monkeypatch.setenv("SITE_KEY", "site-key-of-a-shop-that-is-long")
    monkeypatch.setenv("BACKEND_KEY", "backend-key-of-a-shop-that-is-long")
    monkeypatch.setattr(crms, "ADAPTERS", {"local": crms.ADAPTERS["local"], "hubspot": Described})
    monkeypatch.setattr(Described, "objects_", fitting(HUBSPOT))
    return tmp_path / "shop"


def typed(shop: Path, *words: str) -> Result:
    found = CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["-C", str(shop), "crm", "check", *words])
    assert found.exception is None or isinstance(found.exception, SystemExit)
    return found


def lacking(monkeypatch: pytest.MonkeyPatch, object: str, name: str) -> None:
    objects: dict[str, Any] = fitting(HUBSPOT)
    del objects[object][name]
    monkeypatch.setattr(Described, "objects_", objects)


def test_what_fits_is_said_in_a_few_lines_and_the_command_ends_well(shop: Path) -> None:
    found = typed(shop)
    assert found.exit_code == 0, found.output
    assert "0 would fail. mappings/crms/hubspot.toml and the CRM go together." in found.output
    assert max(map(len, found.output.splitlines()[:-1])) <= 80


def test_what_would_fail_is_said_once_with_every_line_of_the_file(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking(monkeypatch, "deal", "dealname")
    found = typed(shop)
    assert found.exit_code == 1
    assert found.output.count("deal has no field dealname") == 1
    lines = [use.line for use in HUBSPOT.uses if use.field == "dealname"]
    assert len(lines) >= 3
    told = " ".join(found.output.split())
    assert all(f" {line} " in told for line in lines)


def test_programs_read_one_object(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(monkeypatch, "contact", "sms_consent")
    monkeypatch.setattr(Described, "notes", ("tickets may not be read: grant the scope tickets",))
    found = typed(shop, "--json")
    told = json.loads(found.output)
    assert found.exit_code == 1
    assert (told["ok"], told["crm"], told["takes_any_field"]) == (False, "hubspot", False)
    assert [each["place"] for each in told["fails"]] == ["fields.sms_consent"]
    assert told["notes"] == ["tickets may not be read: grant the scope tickets"]
    assert len(told["fits"]) > 30


def test_a_crm_that_cannot_be_asked_says_what_to_do(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = CrmUnavailable(
        "HubSpot refused the token", code="unauthorized", remedy="make a new one"
    )
    monkeypatch.setattr(Described, "error", error)
    found = typed(shop)
    assert found.exit_code == 1
    assert "HubSpot refused the token; make a new one" in found.output


def test_the_local_crm_takes_any_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CliRunner().invoke(cli, ["init", str(tmp_path / "shop")], catch_exceptions=False)
    monkeypatch.setenv("SITE_KEY", "site-key-of-a-shop-that-is-long")
    monkeypatch.setenv("BACKEND_KEY", "backend-key-of-a-shop-that-is-long")
    found = typed(tmp_path / "shop")
    assert (found.exit_code, "local takes any field" in found.output) == (0, True)
    assert json.loads(typed(tmp_path / "shop", "--json").output)["ok"] is True
