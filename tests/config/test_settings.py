"""``config.toml`` as values: what is missing, unknown or unsafe is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import settings
from connector.config.settings import Settings
from connector.errors import Fault
from connector.model import Trust

FILE = """\
brand = "Corner Shop"
help_contact = "help@corner.example"
country = "US"
language = "en"
link_hosts = ["corner.example"]

[web]
port = 9090
public_url = "https://sms.corner.example"
trusted_proxies = 1

[log]
level = "debug"
format = "json"

[ledger]
folder = "data"

[sources.site]
mapping = "segment"
trust = "browser"
keys = ["env:SITE_KEY"]

[sources.shop]
mapping = "shopify"
trust = "trusted"
secrets = ["env:SHOP", "file:old"]

[provider]
use = "twilio"
in_flight = 5

[providers.twilio]
account_sid = "AC1"
auth_tokens = ["env:TOKEN"]
from_number = "+15005550006"

[crm]
use = "local"

[holdout]
global = 0.1
"""
ENVIRON = {"SITE_KEY": "site", "SHOP": "shop", "TOKEN": "t"}


def read(folder: Path, text: str = FILE, **environ: str) -> tuple[Settings, list[Fault]]:
    (folder / "config.toml").write_text(text)
    (folder / "old").write_text("before\n")
    faults: list[Fault] = []
    return settings.load(folder / "config.toml", faults, {**ENVIRON, **environ}), faults


def test_every_field_is_read(tmp_path: Path) -> None:
    found, faults = read(tmp_path)
    assert faults == []
    assert (found.brand, found.help_contact) == ("Corner Shop", "help@corner.example")
    assert (found.country, found.language, found.link_hosts) == ("US", "en", ("corner.example",))
    assert (found.web.port, found.web.trusted_proxies) == (9090, 1)
    assert found.web.public_url == "https://sms.corner.example"
    assert (found.log.level, found.log.format) == ("debug", "json")
    assert found.ledger == (tmp_path / "data").resolve()
    assert found.folder == tmp_path
    assert found.sources["site"].trust is Trust.browser
    assert [key.reveal() for key in found.sources["site"].keys] == ["site"]
    assert [key.reveal() for key in found.sources["shop"].secrets] == ["shop", "before"]
    assert (found.provider.use, found.provider.in_flight) == ("twilio", 5)
    assert found.provider.tables["twilio"]["account_sid"] == "AC1"
    assert dict(found.crm.tables) == {"local": {}}
    assert (found.holdout, found.holdouts, found.test_clock) == (0.1, True, False)


def test_what_is_not_said_has_the_documented_default(tmp_path: Path) -> None:
    text = 'brand = "B"\nhelp_contact = "h"\ncountry = "US"\n'
    found, faults = read(tmp_path, text)
    assert faults == []
    web = found.web
    assert (web.host, web.port, web.public_url, web.cors_origins) == (
        "127.0.0.1",
        8080,
        "",
        ("*",),
    )
    assert (web.threads, web.backlog, web.trusted_proxies) == (8, 20_000, 0)
    assert web.inbox_mb == 1_024
    assert (found.log.level, found.log.format) == ("info", "text")
    assert (found.provider.use, found.provider.in_flight) == ("sandbox", 10)
    assert dict(found.provider.tables) == {"sandbox": {}}
    assert (found.crm.use, found.holdout, found.language) == ("local", 0.0, "en")


def test_no_secret_shows_in_the_settings(tmp_path: Path) -> None:
    found, _ = read(tmp_path, SITE_KEY="hush-1", SHOP="hush-2", TOKEN="hush-3")
    assert "hush" not in repr(found)


def test_an_empty_file_names_everything_it_needs(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "")
    assert [fault.field for fault in faults] == ["brand", "help_contact", "country"]


def test_a_missing_file_is_one_fault(tmp_path: Path) -> None:
    faults: list[Fault] = []
    settings.load(tmp_path / "config.toml", faults, {})
    assert [(fault.file, fault.line) for fault in faults] == [("config.toml", 0)]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ('brand = "Corner Shop"', 'brand = " "', 1, "brand", "is empty"),
        ('"US"', '"UK"', 3, "country", "US or GB"),
        ('language = "en"', 'language = "English"', 4, "language", "en, es or pt-BR"),
        ('["corner.example"]', '["https://corner.example/"]', 5, "link_hosts", "a host alone"),
        ("port = 9090", "port = 90900", 8, "web.port", "between 0 and 65535"),
        ("port = 9090", 'prot = "x"', 8, "web.prot", "did you mean port?"),
        ("https://sms", "http://sms", 9, "web.public_url", "is not https"),
        ("trusted_proxies = 1", 'country_header = "CF IP"', 10, "web.country_header", "no header"),
        ("sms.corner.example", "sms.corner.example/", 9, "web.public_url", "ends in a slash"),
        ("https://sms.corner.example", "sms.corner", 9, "web.public_url", "no plain web address"),
        ("https://sms.corner.example", "https://[", 9, "web.public_url", "no plain web address"),
        ("https://sms.corner.example", "", 9, "web.public_url", "cannot tell of receipts"),
        ('"debug"', '"loud"', 13, "log.level", "one of debug"),
        ('"browser"', '"brwser"', 21, "sources.site.trust", "did you mean 'browser'?"),
        ("env:SITE_KEY", "pk_live_1", 22, "sources.site.keys", "env:NAME or file:PATH"),
        ("env:SITE_KEY", "env:MISSING", 22, "sources.site.keys", "names MISSING"),
        ("file:old", "file:new", 27, "sources.shop.secrets", "names the file new"),
        ("[sources.shop]", "[sources.Shop]", 24, "sources.Shop", "small letters"),
        ('use = "twilio"', 'use = "twillio"', 30, "provider.use", "did you mean 'twilio'?"),
        ("account_sid", "acount_sid", 34, "providers.twilio.acount_sid", "mean account_sid?"),
        ('from_number = "+15005550006"', "", 33, "providers.twilio", "texts need a sender"),
        ("[providers.twilio]", "[providers.twlio]", 33, "providers.twlio", "mean twilio?"),
        ("global = 0.1", "global = 0.7", 42, "holdout.global", "between 0 and 0.5"),
        ('brand = "C', 'test_clock = true\nbrand = "C', 1, "test_clock", "twilio sends real"),
        ("[holdout]", "[holdouts]", 41, "holdouts", "did you mean holdout?"),
    ],
)
def test_each_fault_has_its_line_and_what_would_be_right(
    tmp_path: Path, old: str, new: str, line: int, field: str, says: str
) -> None:
    assert old in FILE
    _, faults = read(tmp_path, FILE.replace(old, new, 1))
    found = [fault for fault in faults if fault.field == field]
    assert found, faults
    assert found[0].line == line
    assert says in str(found[0])
    assert "pk_live" not in str(faults)


def test_all_faults_are_found_in_one_reading(tmp_path: Path) -> None:
    text = (
        FILE.replace("port = 9090", "port = -1").replace('"US"', '"XX"').replace("[log]", "[lgo]")
    )
    _, faults = read(tmp_path, text)
    assert {fault.field for fault in faults} == {"web.port", "country", "lgo"}


def test_two_sources_never_share_a_write_key(tmp_path: Path) -> None:
    more = '[sources.app]\nmapping = "segment"\ntrust = "trusted"\nkeys = ["env:APP_KEY"]\n'
    _, faults = read(tmp_path, FILE + more, APP_KEY="site")
    assert [(fault.field, fault.message) for fault in faults] == [
        ("sources.app.keys", "holds a key of sources.site too")
    ]
    assert read(tmp_path, FILE + more, APP_KEY="another")[1] == []


def test_a_test_clock_goes_with_the_sandbox(tmp_path: Path) -> None:
    text = 'brand = "B"\nhelp_contact = "h"\ncountry = "US"\ntest_clock = true\n'
    found, faults = read(tmp_path, text)
    assert found.test_clock
    assert faults == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8"])
def test_loopback_needs_no_https(tmp_path: Path, url: str) -> None:
    found, faults = read(tmp_path, FILE.replace("https://sms.corner.example", url))
    assert faults == []
    assert found.web.public_url == url


def test_the_shipped_example_needs_only_its_secrets(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "config.example.toml"
    text = example.read_text(encoding="utf-8")
    found, faults = read(tmp_path, text, BACKEND_KEY="backend")
    assert faults == []
    assert set(found.sources) == {"site", "backend"}


MORE = """\
timezone = "America/New_York"
brand = "Corner Shop"
help_contact = "h"
country = "US"
[webhooks.mail]
url = "https://mail.corner.example/hook"
secrets = ["env:MAIL", "env:MAIL_OLD"]
[webhooks.own]
url = "http://127.0.0.1:9000/x"
secrets = "env:MAIL"
[test]
numbers = ["+1 202 555 0123"]
[[api.keys]]
name = "crm"
key = "env:API_KEY"
scopes = ["read", "consent"]
[approval]
plays = true
"""
MORE_SECRETS = {"MAIL": "mail-secret", "MAIL_OLD": "old", "API_KEY": "api-secret-of-24-letters"}


def test_what_plays_need_beside_is_read(tmp_path: Path) -> None:
    found, faults = read(tmp_path, MORE, **MORE_SECRETS)
    assert faults == []
    assert (found.timezone, found.require_approval) == ("America/New_York", True)
    assert found.own_numbers == ("+12025550123",)
    assert set(found.webhooks) == {"mail", "own"}
    hook = found.webhooks["mail"]
    assert hook.url == "https://mail.corner.example/hook"
    assert [secret.reveal() for secret in hook.secrets] == ["mail-secret", "old"]
    [key] = found.api_keys
    assert (key.name, key.key.reveal()) == ("crm", "api-secret-of-24-letters")
    assert key.scopes == {"read", "consent"}
    assert "secret" not in repr(found).replace("secrets", "")


def test_without_them_nobody_is_asked_and_the_clock_is_utc(tmp_path: Path) -> None:
    found, _ = read(tmp_path)
    assert (found.timezone, found.require_approval) == ("UTC", False)
    assert (found.webhooks, found.own_numbers, found.api_keys) == ({}, (), ())


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("America/New_York", "EST5", 1, "timezone", "IANA name"),
        ("true", '"yes"', 18, "approval.plays", "true or false"),
        ("plays = true", "play = true", 18, "approval.play", "did you mean plays"),
        ("https://mail", "http://mail", 6, "webhooks.mail.url", "is not https"),
        ("https://mail", "https://u:p@mail", 6, "webhooks.mail.url", "no plain web address"),
        ("https://mail.corner", "ftp://mail", 6, "webhooks.mail.url", "no plain web address"),
        ("https://mail.corner.example/hook", "https://[", 6, "webhooks.mail.url", "no plain"),
        ('secrets = "env:MAIL"', "", 8, "webhooks.own.secrets", "what signs the calls"),
        ("env:API_KEY", "k_live_1", 15, "api.keys[0].key", "env:NAME or file:PATH"),
        ('"env:API_KEY"', '"env:MAIL"', 15, "api.keys[0].key", "at least 24 characters"),
        ('key = "env:API_KEY"', "", 13, "api.keys[0].key", "add key"),
        ('name = "crm"', 'name = "My CRM"', 14, "api.keys[0].name", "small letters"),
        ('"consent"]', '"consents"]', 16, "api.keys[0].scopes", "did you mean 'consent'"),
        ('["read", "consent"]', "[]", 16, "api.keys[0].scopes", "opens nothing"),
        (
            '[[api.keys]]\nname = "crm"',
            '[api]\nkeys = ["k_live_1"]',
            14,
            "api.keys",
            "[[api.keys]]",
        ),
        ("+1 202 555 0123", "202 555", 12, "test.numbers", "+12025550123"),
        ("[webhooks.mail]", '[webhooks."My Mail"]', 5, "webhooks.My Mail", "small letters"),
    ],
)
def test_each_fault_of_these_has_its_line_too(
    tmp_path: Path, old: str, new: str, line: int, field: str, says: str
) -> None:
    assert old in MORE
    _, faults = read(tmp_path, MORE.replace(old, new, 1), **MORE_SECRETS)
    found = [fault for fault in faults if fault.field == field]
    assert found, faults
    assert found[0].line == line
    assert says in str(found[0])
    assert "k_live" not in str(faults)
