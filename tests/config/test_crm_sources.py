"""The CRM in use tells of itself: it is a source by its own name, with its own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.adapters import open_sources
from connector.config.loaded import Loaded, load
from connector.errors import BadConfig, Unverified
from connector.model import Hook, Trust
from connector.simulate.opening import ReadAlready, sources_of
from connector.sources.hubspot import HubSpot
from connector.sources.hubspot_signatures import v1
from connector.sources.salesforce import Salesforce
from tests.running import folder
from tests.sources.test_hubspot import NOW, URL

HUBSPOT = 'access_token = "file:token"\nclient_secrets = ["file:app"]\nworkflow_keys = ["file:key"]'
SALESFORCE = (
    'domain = "acme.my"\nconsumer_key = "file:token"\nconsumer_secret = "file:token"\n'
    'organization_id = "00D5g000004XyZzEAK"\npath_secrets = ["file:app"]'
)


def opened(path: Path, use: str, table: str, **more: str) -> Loaded:
    for name in ("token", "app", "key"):
        (path / name).write_text(f"the-{name}")
    made = folder(path, 0, **{f"crms__{use}": table}, **more)
    config = made / "config.toml"
    config.write_text(config.read_text().replace('use = "local"', f'use = "{use}"'))
    return load(made)


def test_hubspot_tells_at_its_own_name_and_is_trusted(tmp_path: Path) -> None:
    loaded = opened(tmp_path, "hubspot", HUBSPOT)
    found = open_sources(loaded)["hubspot"]
    assert (found.name, found.trust) == ("hubspot", Trust.trusted)
    assert isinstance(found.adapter, HubSpot)
    assert found.mapping is loaded.crm.source or not found.mapping.events
    signed = {"x-hubspot-signature": v1("the-app", b"[]"), "x-hubspot-signature-version": "v1"}
    found.adapter.verify(Hook("POST", URL, signed, b"[]"), NOW)
    with pytest.raises(Unverified):
        found.adapter.verify(Hook("POST", URL, signed, b"[1]"), NOW)


def test_salesforce_tells_at_its_own_name_and_is_trusted(tmp_path: Path) -> None:
    found = open_sources(opened(tmp_path, "salesforce", SALESFORCE))["salesforce"]
    assert isinstance(found.adapter, Salesforce) and found.trust is Trust.trusted
    found.adapter.verify(Hook("POST", "https://x.example/in/salesforce/the-app", {}, b"{}"), NOW)


def test_a_replay_knows_what_the_crm_told_and_reads_none_of_it_again(tmp_path: Path) -> None:
    loaded = opened(tmp_path, "hubspot", HUBSPOT)
    found = sources_of(loaded)["hubspot"]
    assert isinstance(found.adapter, ReadAlready)
    assert found.mapping == open_sources(loaded)["hubspot"].mapping


def test_no_other_source_may_bear_the_name_of_the_crm_in_use(tmp_path: Path) -> None:
    shop = 'mapping = "shopify"\ntrust = "trusted"\nsecrets = ["file:app"]'
    with pytest.raises(BadConfig) as caught:
        opened(tmp_path, "hubspot", HUBSPOT, sources__hubspot=shop)
    (fault,) = caught.value.faults
    assert "hubspot" in fault.field and "the CRM in use" in str(fault)


def test_the_local_crm_tells_nothing_over_the_network(tmp_path: Path) -> None:
    found = open_sources(load(folder(tmp_path, 0))).get("local")
    if found is not None:
        with pytest.raises(Unverified):
            found.adapter.verify(Hook("POST", URL, {}, b"{}"), NOW)
