"""A folder whose CRM is elsewhere: its signals and facts are known to every other file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connector import starters
from connector.adapters import crm_source
from connector.config.loaded import Loaded, load
from connector.errors import BadConfig
from connector.runtime import contents
from connector.simulate.scene import meanings

ENVIRON = {
    "SITE_KEY": "site-key-of-a-shop-that-is-long",
    "BACKEND_KEY": "backend-key-of-a-shop-that-is-long",
    "HUBSPOT_TOKEN": "pat-na1-11111111-1111-1111-1111-111111111111",
}
PLAY = """
description = "Asks who missed a meeting for another time"
role = "conversion"
purpose = "marketing"
[start]
signal = "meeting_missed"
where = "crm.deal_amount | default(0) >= 100"
[[steps]]
name = "again"
template = "welcome"
[goal]
signal = "meeting_held"
within = "14d"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A new folder that uses HubSpot."""
    for name, source in starters.files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tmp_path / name)
    config = tmp_path / "config.toml"
    text = config.read_text("utf-8").replace('use = "local"', 'use = "hubspot"')
    text = text.replace("[crms.local]", '[crms.hubspot]\naccess_token = "env:HUBSPOT_TOKEN"')
    config.write_text(text, "utf-8")
    return tmp_path


def loaded(shop: Path) -> Loaded:
    return load(shop, environ=ENVIRON)


def faults(shop: Path) -> list[str]:
    with pytest.raises(BadConfig) as told:
        loaded(shop)
    return [f"{fault.file}: {fault.message} — {fault.remedy}" for fault in told.value.faults]


def test_the_shipped_policy_and_plays_go_with_the_shipped_mapping_of_each_crm(shop: Path) -> None:
    found = loaded(shop)
    assert found.crm.name == "hubspot"
    read = {path for rule in found.policy.suppressions for path in getattr(rule.when, "paths", ())}
    asked = {path.partition(".")[2] for path in read if path.startswith("crm.")}
    assert "do_not_call" in asked
    assert asked <= found.crm.known


def test_a_play_may_start_on_what_happened_in_the_crm(shop: Path) -> None:
    (shop / "mappings" / "plays" / "missed.toml").write_text(PLAY, "utf-8")
    found = loaded(shop)
    assert found.plays["missed"].start.signal == "meeting_missed"
    assert meanings(found)["meeting_missed"].activity is False


def test_a_fact_or_a_signal_of_the_crm_that_is_misspelt_is_named(shop: Path) -> None:
    text = PLAY.replace("deal_amount", "deal_amout").replace("meeting_missed", "meetin_mised")
    (shop / "mappings" / "plays" / "missed.toml").write_text(text, "utf-8")
    told = "\n".join(faults(shop))
    assert "reads crm.deal_amout, which nothing supplies — did you mean crm.deal_amount?" in told
    assert "did you mean 'meeting_missed'?" in told


def test_our_own_writing_is_no_fact_unless_it_is_asked_for(shop: Path) -> None:
    text = PLAY.replace("crm.deal_amount | default(0) >= 100", "crm.sms_last_status == 'Sent'")
    (shop / "mappings" / "plays" / "missed.toml").write_text(text, "utf-8")
    assert any("reads crm.sms_last_status" in told for told in faults(shop))
    file = shop / "mappings" / "crms" / "hubspot.toml"
    file.write_text('reads = ["sms_last_status"]\n' + file.read_text("utf-8"), "utf-8")
    assert "sms_last_status" in loaded(shop).crm.wanted.fields["contact"]


def test_no_source_and_no_file_of_a_source_bears_the_crms_name(shop: Path) -> None:
    config = shop / "config.toml"
    config.write_text(
        config.read_text("utf-8")
        + '\n[sources.hubspot]\nmapping = "hubspot"\ntrust = "trusted"\nkeys = ["env:SITE_KEY"]\n',
        "utf-8",
    )
    sources = shop / "mappings" / "sources"
    shutil.copyfile(sources / "segment.toml", sources / "hubspot.toml")
    told = "\n".join(faults(shop))
    assert "config.toml: is the name of the CRM in use" in told
    assert "mappings/sources/hubspot.toml: bears the name of the CRM in use" in told


def test_without_its_file_a_crm_elsewhere_is_one_fault_and_no_more(shop: Path) -> None:
    (shop / "mappings" / "crms" / "hubspot.toml").unlink()
    (shop / "mappings" / "plays" / "missed.toml").write_text(PLAY, "utf-8")
    [told] = faults(shop)
    assert told.startswith("mappings/crms/hubspot.toml: is not there — copy it from a new folder")


def test_the_file_is_kept_with_the_others_that_decisions_rest_on(shop: Path) -> None:
    found = loaded(shop)
    text = (shop / "mappings" / "crms" / "hubspot.toml").read_text("utf-8")
    assert ("mapping", "hubspot", found.crm.version, text) in list(contents(found))
    source = crm_source(found)
    assert source is not None and source.mapping is found.crm.source
    assert source.mapping.version == found.crm.version
