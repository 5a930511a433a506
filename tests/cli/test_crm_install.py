"""``connector crm install`` as it is typed: at HubSpot, at Salesforce, and at the local CRM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result

from connector.cli import cli
from tests.crms import salesforce_org, salesforce_server
from tests.crms.hubspot_account import BoughtAccount
from tests.crms.hubspot_api import TOKEN

CREATE = '\n[create.sms_interest]\ntype = "choice"\nchoices = ["mugs", "plates"]\n'


class Preparable(salesforce_server.Org):
    """The stand-in for an org, with an administrator's side to it."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = salesforce_org.Org()
        self.desk.slow = 0

    def _served(self, call: salesforce_server.Call) -> salesforce_server.Answer | bytes:
        url = f"https://{salesforce_server.HOST}{call.path}?{urlencode(call.query)}"
        return self.desk.answer(call.method, url, call.headers, call.body)


@pytest.fixture
def hubspot() -> Iterator[BoughtAccount]:
    """A HubSpot account."""
    account = BoughtAccount()
    yield account
    account.close()


@pytest.fixture
def salesforce() -> Iterator[salesforce_server.Server]:
    """A Salesforce org."""
    with salesforce_server.Server(Preparable()) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as ``connector init`` writes it, and its secrets."""
    folder = tmp_path / "shop"
    CliRunner().invoke(cli, ["init", str(folder)], catch_exceptions=False)
    secrets = {"HUBSPOT_TOKEN": TOKEN, "SITE_KEY": "a", "BACKEND_KEY": "b"}
    secrets |= {"KEY": salesforce_server.KEY, "SECRET": salesforce_server.SECRET}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    return folder


def use(folder: Path, crm: str, *lines: str) -> None:
    """Let the folder's CRM be this one."""
    config = folder / "config.toml"
    table = "\n".join([f"[crms.{crm}]", *lines])
    text = config.read_text().replace('use = "local"', f'use = "{crm}"')
    config.write_text(text.replace("[crms.local]", table))


def use_hubspot(folder: Path, account: BoughtAccount) -> None:
    use(folder, "hubspot", 'access_token = "env:HUBSPOT_TOKEN"', f'base_url = "{account.url}"')


def use_salesforce(folder: Path, server: salesforce_server.Server) -> None:
    keys = ('consumer_key = "env:KEY"', 'consumer_secret = "env:SECRET"')
    use(folder, "salesforce", 'domain = "acme.my"', *keys, f'base_url = "{server.url}"')


def install(folder: Path, *words: str) -> Result:
    """Type it."""
    found = CliRunner().invoke(cli, ["-C", str(folder), "crm", "install", *words])
    assert found.exception is None or isinstance(found.exception, SystemExit), found
    return found


def test_the_local_crm_needs_no_preparing(folder: Path) -> None:
    result = install(folder)
    assert result.exit_code == 0 and "nothing to prepare" in result.output


def test_in_hubspot_what_the_shipped_mapping_writes_is_made(
    folder: Path, hubspot: BoughtAccount
) -> None:
    use_hubspot(folder, hubspot)
    assert "9 would be made, nothing was" in install(folder, "--dry-run").output
    assert hubspot.made == {}
    result = install(folder)
    assert result.exit_code == 0 and "9 made" in result.output
    assert set(hubspot.made) >= {"sms_consent", "sms_opt_out", "sms_last_sent_at"}
    again = install(folder)
    assert again.exit_code == 0 and "all is there" in again.output


def test_a_property_of_the_mapping_file_is_made_as_it_says(
    folder: Path, hubspot: BoughtAccount
) -> None:
    use_hubspot(folder, hubspot)
    file = folder / "mappings/crms/hubspot.toml"
    text = file.read_text().replace("\n[fields]\n", "\n[fields]\nsms_interest = \"'mugs'\"\n")
    file.write_text(text + CREATE)
    assert "sms_interest — enumeration (select): mugs, plates" in install(folder).output
    assert [each["value"] for each in hubspot.made["sms_interest"]["options"]] == ["mugs", "plates"]


def test_what_is_amiss_is_told_and_ends_with_one(folder: Path, hubspot: BoughtAccount) -> None:
    use_hubspot(folder, hubspot)
    hubspot.make("sms_opt_out", "string")
    result = install(folder)
    assert result.exit_code == 1
    assert "differs" in result.output and "1 amiss" in result.output
    assert "sms_consent" in hubspot.made, "the rest is made all the same"


def test_a_missing_scope_is_named(folder: Path, hubspot: BoughtAccount) -> None:
    use_hubspot(folder, hubspot)
    hubspot.scopes.clear()
    result = install(folder)
    assert result.exit_code == 1 and "crm.schemas.contacts.write" in result.output
    assert TOKEN not in result.output


def test_for_programs_each_part_is_one_line(folder: Path, hubspot: BoughtAccount) -> None:
    use_hubspot(folder, hubspot)
    parts = [json.loads(line) for line in install(folder, "--json").output.splitlines()]
    assert {part["state"] for part in parts} == {"made"}
    assert all(part.keys() == {"kind", "name", "state", "says", "remedy"} for part in parts)


def test_in_salesforce_the_metadata_is_deployed_and_proven(
    folder: Path, salesforce: salesforce_server.Server
) -> None:
    use_salesforce(folder, salesforce)
    assert "nothing was" in install(folder, "--dry-run").output
    result = install(folder, "--prove")
    assert result.exit_code == 0, result.output
    assert "assignment SMS_Connector" in result.output and "proof Task.SMS_Id__c" in result.output
    org = salesforce.org
    assert isinstance(org, Preparable) and not org.desk.tasks
    assert "SMS_Opt_Out__c" in org.desk.describes("Lead")
    assert "all is there" in install(folder).output


def test_without_the_right_to_deploy_the_way_round_is_told(
    folder: Path, salesforce: salesforce_server.Server
) -> None:
    use_salesforce(folder, salesforce)
    org = salesforce.org
    assert isinstance(org, Preparable)
    org.desk.forbidden.add("deployRequest")
    result = install(folder)
    assert result.exit_code == 1
    assert "Modify Metadata" in result.output and "--files" in result.output


def test_the_files_for_an_administrator_are_written_without_a_call(
    folder: Path, salesforce: salesforce_server.Server, tmp_path: Path
) -> None:
    use_salesforce(folder, salesforce)
    result = install(folder, "--files", str(tmp_path / "files"))
    assert result.exit_code == 0 and "sf project deploy start" in result.output
    assert (tmp_path / "files/sfdx-project.json").is_file()
    assert salesforce.org.calls == []


def test_the_project_of_a_hubspot_app_is_written_with_our_address(
    folder: Path, hubspot: BoughtAccount, tmp_path: Path
) -> None:
    use_hubspot(folder, hubspot)
    assert "public_url" in install(folder, "--files", str(tmp_path / "app")).output
    config = folder / "config.toml"
    text = config.read_text().replace(
        'public_url = ""', 'public_url = "https://sms.corner.example"'
    )
    config.write_text(text)
    result = install(folder, "--files", str(tmp_path / "app"))
    assert result.exit_code == 0 and "hs project upload" in result.output
    action = tmp_path / "app/src/app/workflow-actions/send-sms-hsmeta.json"
    assert "https://sms.corner.example/in/hubspot/action" in action.read_text()
