"""An adapter's table is compared with the adapter's own ``__init__``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector import crms, providers
from connector.config import adapters
from connector.config.secrets import Vault, revealed
from connector.config.toml import Table
from connector.errors import Fault


class Carrier:
    """A made-up provider with one parameter of every kind."""

    def __init__(
        self,
        *,
        account: str,
        auth_tokens: Sequence[str],
        api_key: str = "",
        tries: int = 3,
        pace: float | None = None,
        valid_for: timedelta = timedelta(hours=4),
        quick: bool = False,
        lines: tuple[str, ...] = (),
        script: Sequence[Mapping[str, Any]] = (),
        outbox: Path,
        http: object = None,
        public_url: str = "",
    ) -> None:
        if not account:
            raise ValueError("account is empty")


def read(**written: Any) -> tuple[dict[str, Any], list[Fault]]:
    faults: list[Fault] = []
    table = Table("config.toml", written, faults, {}, "providers.carrier")
    vault = Vault(Path(), {"TOKEN": "t", "KEY": "k"})
    return revealed(adapters.read(table, Carrier, vault)), faults


def test_what_is_written_is_read_by_its_type_and_the_rest_is_left_out() -> None:
    found, faults = read(
        account="AC1",
        auth_tokens=["env:TOKEN"],
        api_key="env:KEY",
        pace=1.5,
        valid_for="2h",
        quick=True,
        lines=["+1"],
    )
    assert faults == []
    assert found == {
        "account": "AC1",
        "auth_tokens": ("t",),
        "api_key": "k",
        "pace": 1.5,
        "valid_for": timedelta(hours=2),
        "quick": True,
        "lines": ("+1",),
    }


def test_missing_unknown_and_mistyped_settings_are_faults() -> None:
    _, faults = read(acount="AC1", auth_tokens=["env:TOKEN"], tries="three")
    assert [(fault.field, fault.message) for fault in faults] == [
        ("providers.carrier.account", "is missing"),
        ("providers.carrier.tries", "is 'three', not a whole number"),
        ("providers.carrier.acount", "is not known here"),
    ]
    assert faults[-1].remedy == "did you mean account?"


def test_a_missing_secret_is_asked_for_as_a_name() -> None:
    _, faults = read(account="AC1")
    assert faults[0].remedy == 'add auth_tokens = ["env:NAME"]'


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("auth_tokens", "callback_secrets", "callback_passwords")),
        *((name, True) for name in ("api_key", "signing_keys", "secret_access_key")),
        *((name, False) for name in ("region", "from_number", "base_url", "topic_arns")),
    ],
)
def test_a_secret_is_known_by_its_name(name: str, secret: bool) -> None:
    assert adapters.is_secret(name) is secret


def test_what_the_runtime_supplies_is_no_setting() -> None:
    assert "http" not in adapters.schema(Carrier)
    _, faults = read(account="AC1", auth_tokens=["env:TOKEN"], http="x")
    assert [fault.message for fault in faults] == ["is not known here"]


def test_what_the_adapter_itself_refuses_is_a_fault() -> None:
    _, faults = read(account="", auth_tokens=["env:TOKEN"])
    assert [(fault.field, fault.message, fault.remedy) for fault in faults] == [
        ("providers.carrier", "account is empty", "docs/providers.md says what it takes"),
    ]


def test_a_list_of_tables_is_handed_on_as_written() -> None:
    found, faults = read(account="AC1", auth_tokens=["env:TOKEN"], script=[{"to": "+1"}])
    assert faults == []
    assert found["script"] == ({"to": "+1"},)


@pytest.mark.parametrize("adapter", [*providers.ADAPTERS.values(), *crms.ADAPTERS.values()])
def test_every_adapter_can_be_read(adapter: Any) -> None:
    faults: list[Fault] = []
    table = Table("config.toml", {}, faults, {}, "providers.one")
    adapters.read(table, adapter, Vault(Path(), {}))
    own = "docs/providers.md says what it takes"  # where several ways would do
    assert {fault.message for fault in faults if fault.remedy != own} <= {"is missing"}
