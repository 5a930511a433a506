"""Whatever a stranger posts, a provider says that it is not proven, and nothing else happens."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Unreadable, Unverified
from connector.model import Hook
from connector.providers import Provider
from tests.providers.contract import NOW, KitClass, anything
from tests.providers.kit_stock import StockKit
from tests.providers.test_contract import KITS

ALL: dict[str, KitClass] = {**KITS, "acme": StockKit}
NAMES = sorted({name for kit in ALL.values() for name in kit.proof} | {"authorization"})
WORDS = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.sampled_from([str(int(NOW.timestamp())), "Notification", "v1,x", "Basic :", "t=1,v1=2"]),
    st.binary(max_size=64).map(lambda raw: base64.b64encode(raw).decode()),
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["type", "Type", "TopicArn", "data", "payload", "s", "id", "Timestamp"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=30), st.lists(st.integers())),
    ).map(lambda told: json.dumps(told).encode()),
)


@pytest.fixture(scope="module", params=sorted(ALL))
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp(request.param)
    kit = ALL[request.param](folder)
    yield kit.provider
    kit.close()


@given(headers=st.dictionaries(st.sampled_from(NAMES), WORDS), body=BODIES, query=WORDS)
@anything
def test_no_stranger_is_believed(
    provider: Provider, headers: dict[str, str], body: bytes, query: str
) -> None:
    hook = Hook("POST", f"https://sms.example.test/providers/x?s={query}", headers, body)
    with pytest.raises(Unverified):
        provider.verify(hook, NOW)


@given(headers=st.dictionaries(st.sampled_from(NAMES), WORDS), body=BODIES, query=WORDS)
@anything
def test_whatever_came_is_read_or_unreadable(
    provider: Provider, headers: dict[str, str], body: bytes, query: str
) -> None:
    hook = Hook("POST", f"https://sms.example.test/providers/x?s={query}", headers, body)
    try:
        told = list(provider.parse(hook))
    except Unreadable:
        return
    assert all(each.provider == provider.name and each.provider_id for each in told)
