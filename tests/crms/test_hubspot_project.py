"""The project of an app: what is uploaded bears our address and the mapping's properties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.crms.hubspot.project import write_files
from connector.records import Wanted
from connector.sources.hubspot_workflows import read_action
from connector.sources.reading import EARLIEST

WEBHOOKS = "src/app/webhooks/webhooks-hsmeta.json"
URL = "https://sms.corner.example"
WANTED = Wanted(
    fields={
        "contact": ("mobilephone", "sms_opt_out", "lastmodifieddate"),
        "meeting": ("hs_meeting_title",),
        "deal": ("dealstage",),
    },
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project, written."""
    assert write_files(tmp_path, URL, WANTED) == len([*_files(tmp_path)]) == 4
    return tmp_path


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def read(project: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project / name).read_text())
    return found


def test_hubspot_calls_the_address_of_the_configuration(project: Path) -> None:
    webhooks = read(project, WEBHOOKS)["config"]["settings"]["targetUrl"]
    action = read(project, "src/app/workflow-actions/send-sms-hsmeta.json")["config"]["actionUrl"]
    assert (webhooks, action) == (f"{URL}/in/hubspot", f"{URL}/in/hubspot/action")
    assert "sms.example.org" not in "".join(path.read_text() for path in _files(project))


def test_it_tells_of_each_property_that_the_mapping_reads(project: Path) -> None:
    listed = read(project, WEBHOOKS)["config"]["subscriptions"]["crmObjects"]
    changes = {
        (each["objectType"], each["propertyName"])
        for each in listed
        if each["subscriptionType"] == "object.propertyChange"
    }
    assert changes == {
        ("contact", "mobilephone"),
        ("contact", "sms_opt_out"),
        ("deal", "dealstage"),
    }


def test_merges_deletions_and_erasures_are_told(project: Path) -> None:
    subscriptions = read(project, WEBHOOKS)["config"]["subscriptions"]
    kinds = {each["subscriptionType"] for each in subscriptions["crmObjects"]}
    assert kinds >= {"object.creation", "object.deletion", "object.merge"}
    assert [each["subscriptionType"] for each in subscriptions["hubEvents"]] == [
        "contact.privacyDeletion"
    ]


def test_the_app_asks_for_the_scopes_that_the_docs_name(project: Path) -> None:
    auth = read(project, "src/app/app-hsmeta.json")["config"]["auth"]
    docs = (Path(__file__).parents[2] / "docs/hubspot.md").read_text()
    for scope in (*auth["requiredScopes"], *auth["optionalScopes"]):
        assert f"`{scope}`" in docs


def test_what_the_action_asks_for_is_what_the_source_reads(project: Path) -> None:
    config = read(project, "src/app/workflow-actions/send-sms-hsmeta.json")["config"]
    inputs = {item["typeDefinition"]["name"]: "service" for item in config["inputFields"]}
    body = {"callbackId": "ap-1", "object": {"objectId": 901}, "inputFields": inputs}
    (errand,) = read_action("hubspot", body, EARLIEST).errands
    assert (errand.play, errand.template, errand.purpose) == ("service",) * 3
    outputs = {item["typeDefinition"]["name"] for item in config["outputFields"]}
    labels = config["labels"]["en"]
    assert outputs == labels["outputFieldLabels"].keys() == {"sms_result", "sms_reason"}
    assert inputs.keys() == labels["inputFieldLabels"].keys()
