"""HubSpot's real host name, unchanged: through a proxy, with an authority of our own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.crms.hubspot.adapter import HubSpotCrm
from connector.crms.hubspot.names import path
from connector.errors import CrmUnavailable
from connector.model import Subject
from tests.crms.hubspot_place import NOW
from tests.crms.hubspot_server import TOKEN, HubSpotServer
from tests.crms.tls import Proxy, authority

HOST = "api.hubapi.com"


@dataclass
class World:
    server: HubSpotServer
    proxy: Proxy
    bundle: Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    bundle, context = authority(tmp_path, HOST)
    server = HubSpotServer(context)
    proxy = Proxy(server.port)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.delenv("https_proxy", raising=False)
    yield World(server, proxy, bundle)
    proxy.close()
    server.close()


def unchanged() -> HubSpotCrm:
    return HubSpotCrm(access_token=TOKEN, clock=lambda: NOW)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_client_and_our_own_calls_go_to_the_real_host_by_the_environments_proxy(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(world.bundle))
    world.server.add("contacts", "901")
    crm = unchanged()
    [found] = crm.fetch([Subject(crm="hubspot", crm_id="901")])
    assert found is not None and found["id"] == "901"
    status, body = crm.wire.rest("GET", path("account-info", "details"))
    assert (status, body["timeZone"]) == (200, "America/New_York")
    assert set(world.proxy.asked) == {f"{HOST}:443"}
    assert len(world.proxy.asked) == 2  # one connection of the client's, one of our own


def test_a_certificate_of_nobody_we_know_is_refused_before_the_token_leaves(world: World) -> None:
    crm = unchanged()
    for ask in (crm.schema, lambda: crm.wire.rest("GET", path("account-info", "details"))):
        with pytest.raises(CrmUnavailable) as caught:
            ask()
        assert caught.value.code == "unreachable"
        assert "SSL_CERT_FILE" in caught.value.remedy
    assert not world.server.asked


def test_the_client_is_loaded_when_it_is_used_and_not_before() -> None:
    says = "import sys, connector.crms.hubspot.adapter; print('hubspot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
