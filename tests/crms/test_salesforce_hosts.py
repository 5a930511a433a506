"""Salesforce's own host names, unchanged: through a proxy, with an authority of the operator's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.crms.salesforce.adapter import Salesforce
from connector.errors import CrmUnavailable
from connector.records import Writeback
from tests.crms.contract import TEXT
from tests.crms.salesforce_server import HOST, KEY, SECRET, Org, Server
from tests.crms.tls import Proxy, authority

CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass
class World:
    org: Org
    proxy: Proxy
    bundle: Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    bundle, context = authority(tmp_path, HOST)
    for name in (*CERTIFICATES, "NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Server(tls=context) as server:
        proxy = Proxy(int(server.server_address[1]))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        yield World(server.org, proxy, bundle)
        proxy.close()


@pytest.mark.parametrize("name", CERTIFICATES[:2])
def test_salesforce_is_called_by_its_own_name_through_the_environments_proxy(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(world.bundle))
    crm = Salesforce(domain="acme.my", consumer_key=KEY, consumer_secret=SECRET)
    ann = world.org.state.add("Contact", LastName="Ann")
    told = Writeback("1", "salesforce", "con_1", ann, "activity", "send:snd_1", TEXT)
    assert crm.write([told])[0].ok
    assert set(world.proxy.asked) == {f"{HOST}:443"}


def test_a_stranger_who_says_that_he_is_salesforce_is_told_nothing(world: World) -> None:
    crm = Salesforce(domain="acme.my", consumer_key=KEY, consumer_secret=SECRET)
    with pytest.raises(CrmUnavailable, match="certificate is not trusted") as raised:
        crm.read("contact", ["0035g00000Zz9yXAAR"])
    assert raised.value.code == "unreachable" and "SSL_CERT_FILE" in raised.value.remedy
    assert not world.org.calls
