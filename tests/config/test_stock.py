"""Described providers in a folder: chosen like any other, every fault with its file and line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from connector import starters
from connector.adapters import open_providers
from connector.config import loaded
from connector.config.loaded import Loaded
from connector.errors import BadConfig, Fault
from connector.messages import Reply
from connector.model import Hook
from connector.providers.stock import Stock
from connector.reloading import needs_restart
from tests.providers.kit_stock import example, terms_of

ENVIRON = {
    **{"SITE_KEY": "site", "BACKEND_KEY": "backend", "ACME_KEY": "k", "ACME_CALLBACK_SECRET": "s"},
}
CONFIG = """
[providers.acme]
secret = "env:ACME_KEY"
callback_secrets = ["env:ACME_CALLBACK_SECRET"]
from_number = "+12025550100"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, source in starters.files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tmp_path / name)
    config = tmp_path / "config.toml"
    change(config, 'use = "sandbox"', 'use = "acme"')
    change(config, 'public_url = ""', 'public_url = "https://sms.example.com"')
    change(config, "[providers.sandbox]\n", CONFIG)
    (tmp_path / "mappings" / "providers").mkdir()
    (tmp_path / "mappings" / "providers" / "acme.toml").write_text(example(), "utf-8")
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1), encoding="utf-8")


def load(folder: Path) -> Loaded:
    return loaded.load(folder, environ=ENVIRON)


def faults(folder: Path) -> list[Fault]:
    with pytest.raises(BadConfig) as caught:
        load(folder)
    return list(caught.value.faults)


def test_a_described_provider_is_chosen_like_any_other(folder: Path) -> None:
    provider = open_providers(load(folder).settings, calls=False)["acme"]
    assert isinstance(provider, Stock)
    assert provider.name == "acme"


def test_several_are_described_side_by_side(folder: Path) -> None:
    shutil.copyfile(
        folder / "mappings" / "providers" / "acme.toml",
        folder / "mappings" / "providers" / "other.toml",
    )
    change(folder / "config.toml", "[crm]\n", f"{CONFIG.replace('acme', 'other')}\n[crm]\n")
    found = open_providers(load(folder).settings, calls=False)
    assert {found[name].name for name in ("acme", "other")} == {"acme", "other"}


def test_files_that_did_not_change_ask_for_no_restart(folder: Path) -> None:
    before, after = load(folder), load(folder)
    assert "provider" not in needs_restart(before.settings, after.settings)
    change(folder / "mappings" / "providers" / "acme.toml", "X-Acme-Signature", "X-Acme-Sign")
    assert "provider" in needs_restart(before.settings, load(folder).settings)


def test_a_provider_without_a_file_is_no_provider(folder: Path) -> None:
    (folder / "mappings" / "providers" / "acme.toml").unlink()
    assert {fault.field for fault in faults(folder)} >= {"provider.use", "providers.acme"}


def test_a_file_may_not_bear_an_adapters_name(folder: Path) -> None:
    place = folder / "mappings" / "providers"
    (place / "acme.toml").rename(place / "twilio.toml")
    assert any("bears the name of an adapter" in fault.message for fault in faults(folder))


def test_what_the_adapter_has_against_its_secrets_is_a_fault_too(folder: Path) -> None:
    change(folder / "config.toml", 'secret = "env:ACME_KEY"\n', "")
    assert any("secret is missing" in fault.message for fault in faults(folder))


#: what is changed in the example → the field at fault
BROKEN = {
    'scheme = "header"': ('scheme = "cookie"', "auth.scheme"),
    'header = "X-Api-Key"': ('header = "X Key"', "auth.header"),
    'url = "https://api.acme.example/v1/messages"': (
        'url = "http://api.acme.example/v1/messages"',
        "send.url",
    ),
    'from = "sender"': ('from = "sendr"', "send.body.from"),
    'text = "text"': ('words = "sender"', "send.body"),
    'options = { unicode = true, kind = "': (
        'options = { x = "(", kind = "',
        "send.body.options.x",
    ),
    'Idempotency-Key = "send_id"': ('"A b" = "send_id"', "send.headers.A b"),
    'id = "body.id"\nsegments': ("segments", "answer.id"),
    '1002 = "not_mobile"': ('1002 = "no_mobile"', "codes.1002"),
    'means = "deferred"': ('means = "later"', "codes.2001.means"),
    '400 = "unknown"': ('4000 = "unknown"', "statuses.4000"),
    '[verify]\nscheme = "hmac"': ('[verify]\nscheme = "md5"', "verify.scheme"),
    "when = \"body.type == 'status'\"\n": ("", "receipts.when"),
    'status = "item.status"\n': ("", "receipts.status"),
    "body.type == 'message'": ("item.type == 'message'", "replies.when"),
    'reference = "item.reference"\nat': ('reference = "itm.reference"\nat', "receipts.reference"),
    'DELIVRD = "delivered"': ('DELIVRD = "there"', "words.DELIVRD"),
    'sender = "body.from"\n': ("", "replies.sender"),
    "messages/{id}": ("messages/{ident}", "status.url"),
    "?reference={reference}": ("?all=1", "find.url"),
    'description = "Acme SMS gateway"': ('descripton = "Acme"', "provider.descripton"),
    'to = ["to | digits"]': ('to = ["to | digts"]', "send.body.to.0"),
}


@pytest.mark.parametrize("old", BROKEN, ids=[field for _, field in BROKEN.values()])
def test_each_fault_of_a_file_is_told_with_its_line(tmp_path: Path, old: str) -> None:
    new, field = BROKEN[old]
    assert old in example()
    file = example().replace(old, new, 1)
    terms, found = terms_of(tmp_path / "providers", file)
    assert terms is None
    (fault,) = [fault for fault in found if fault.field == field]
    assert fault.remedy
    line = file.splitlines()[fault.line - 1]
    changed = any(part[:12] in line for part in new.splitlines())
    assert changed or line.startswith(f"[{field.partition('.')[0]}")


@pytest.mark.parametrize("table", ["verify", "receipts", "replies", "auth", "send", "answer"])
def test_a_table_that_must_be_there_is_missed(tmp_path: Path, table: str) -> None:
    file = re.sub(rf"\[{table}(\.\w+)?\]\n(?:[^\[\n].*\n)*", "", example())
    assert f"[{table}]" not in file
    terms, found = terms_of(tmp_path / "providers", file)
    assert terms is None
    assert any(fault.field.startswith(table) for fault in found)


#: what is changed in the example → the field at fault
DANGEROUS = {
    "a repetition that nobody could tell": (
        ('Idempotency-Key = "send_id"\n', ""),
        ('reference = "send_id"\n', ""),
        "send.repeats_safely",
    ),
    "a look-up that finds nothing ever": (
        ('Idempotency-Key = "send_id"\n', ""),
        ('reference = "send_id"\n', ""),
        "find",
    ),
    "a text to nobody": (('to = ["to | digits"]', "to = []"), ("", ""), "send.body"),
    "a secret in no field": (('"header"', '"fields"'), ("X-Api-Key", "Y"), "auth.fields"),
    "a secret in an empty field": (
        ('scheme = "header"', 'scheme = "fields"\nfields = [""]'),
        ("", ""),
        "auth.fields",
    ),
    "a field twice": (
        ('scheme = "header"', 'scheme = "fields"\nfields = ["from"]'),
        ("", ""),
        "send.body.from",
    ),
    "fields of no use": (
        ('scheme = "header"', 'scheme = "header"\nfields = ["a"]'),
        ("", ""),
        "auth.fields",
    ),
}


@pytest.mark.parametrize("changes", DANGEROUS.values(), ids=DANGEROUS)
def test_what_would_send_twice_or_to_nobody_is_a_fault(
    tmp_path: Path, changes: tuple[tuple[str, str], tuple[str, str], str]
) -> None:
    one, two, field = changes
    file = example().replace(*one).replace(*two)
    _, found = terms_of(tmp_path / "providers", file)
    (fault,) = [fault for fault in found if fault.field == field]
    assert fault.remedy


def test_a_route_may_name_only_the_channels_that_a_file_declares(folder: Path) -> None:
    route = '[[routes]]\nchannel = "rcs"\nhops = [{ provider = "acme", senders = ["rcs:a"] }]\n'
    change(folder / "config.toml", "[crm]\n", f"{route}\n[crm]\n")
    (fault,) = [fault for fault in faults(folder) if fault.field.startswith("routes")]
    assert "acme, which carries sms and no rcs" in fault.message
    file = folder / "mappings" / "providers" / "acme.toml"
    change(file, "[provider]\n", '[provider]\nchannels = ["sms", "rcs"]\n')
    assert load(folder).settings.provider.routes[0].channel == "rcs"


def test_a_described_provider_reads_numbers_of_the_operators_country(folder: Path) -> None:
    change(folder / "config.toml", 'country = "US"', 'country = "DE"')
    provider = open_providers(load(folder).settings, calls=False)["acme"]
    body = b'{"type": "message", "id": 1, "from": "0151 12345678", "text": "STOP"}'
    (reply,) = provider.parse(Hook("POST", "", {}, body))
    assert isinstance(reply, Reply)
    assert reply.sender == "+4915112345678"


def test_a_form_has_no_tables(tmp_path: Path) -> None:
    file = example().replace("[send]\n", '[send]\nformat = "form"\n')
    _, found = terms_of(tmp_path / "providers", file)
    assert [fault.field for fault in found] == ["send.body.options"]
