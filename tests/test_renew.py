"""Files taken over while all runs reach the CRM's adapter too: it asks for the fields they name."""

from __future__ import annotations

from pathlib import Path

from connector.config.loaded import load
from connector.runtime import open_ledger, open_setup, renew
from tests.running import folder, free_port

MORE = '\n[read]\ncontact = ["favourite_colour"]\n'
PERSON = '\n[contact]\nphone = "phone"\n'


def test_a_field_that_a_changed_mapping_file_names_is_asked_for_without_a_restart(
    tmp_path: Path,
) -> None:
    path = folder(tmp_path / "shop", free_port())
    file = path / "mappings" / "crms" / "local.toml"
    loaded = load(path)
    store = open_ledger(loaded.settings)
    setup = open_setup(loaded, store)
    before = setup.crms["local"]
    renew(setup, load(path))
    assert setup.crms["local"] is before

    file.write_text(file.read_text() + PERSON + MORE)
    renew(setup, load(path))
    assert "favourite_colour" in setup.crm_mappings["local"].wanted.fields["contact"]
    assert setup.crms["local"] is not before
    setup.inbox.close()
    store.close()
