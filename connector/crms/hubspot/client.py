"""HubSpot's own client, set up once: one pool of connections, our certificates and proxy, no retry.

https://github.com/HubSpot/hubspot-api-python
Left alone the client makes a new pool at each access, sets no timeout, repeats reads four times
and knows neither HTTPS_PROXY nor REQUESTS_CA_BUNDLE.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Final

import certifi
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy

CONNECTIONS: Final = 4
AGENT: Final = "crm-sms-connector (hubspot-api-client-python)"
_PLACES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Client:
    """The parts of the client that the adapter calls, each made when it is first called.

    They are shared by threads. The library is loaded with the first (0.1 s, 8 MB).
    """

    def __init__(self, access_token: str, host: str) -> None:
        self._token, self._host = access_token, host
        self._lock = threading.Lock()
        self._pool: urllib3.PoolManager | None = None
        self._clients: dict[Any, Any] = {}
        self._parts: dict[str, Any] = {}

    def part(self, name: str) -> Any:
        """An API object, named as the client names it: ``objects.batch_api``."""
        with self._lock:
            if name not in self._parts:
                self._parts[name] = self._made(name)
            return self._parts[name]

    def _made(self, name: str) -> Any:
        from hubspot import HubSpot

        found: Any = HubSpot(access_token=self._token, api_factory=self._factory).crm
        for step in name.split("."):
            found = getattr(found, step)
        return found

    def _factory(self, package: Any, name: str, config: Any) -> Any:
        """The client's way to be told how its parts are made."""
        if package not in self._clients:
            configuration = package.Configuration()
            configuration.host, configuration.access_token = self._host, config["access_token"]
            client = package.ApiClient(configuration=configuration)
            client.user_agent = AGENT
            self._pool = self._pool or open_pool(self._host)
            client.rest_client.pool_manager = self._pool
            self._clients[package] = client
        return getattr(package, name)(api_client=self._clients[package])


def open_pool(host: str) -> urllib3.PoolManager:
    """Connections to one host, through the proxy of the environment where there is one.

    Nothing is repeated and no redirect followed: whether a call may be made again only its
    caller knows, and the token goes nowhere else.
    """
    settings: dict[str, Any] = {
        "num_pools": 2,
        "maxsize": CONNECTIONS,
        "retries": False,
        "cert_reqs": "CERT_REQUIRED",
        **_authorities(),
    }
    proxy = select_proxy(host, get_environ_proxies(host, no_proxy=None))
    if not proxy:
        return urllib3.PoolManager(**settings)
    address = proxy if "://" in proxy else f"http://{proxy}"
    headers = HTTPAdapter().proxy_headers(address)
    return urllib3.ProxyManager(address, proxy_headers=headers, **settings)


def _authorities() -> dict[str, str]:
    """Whose certificates are believed: as our other sessions, which ask requests."""
    told = next((os.environ[name] for name in _PLACES if os.environ.get(name)), certifi.where())
    return {"ca_cert_dir" if Path(told).is_dir() else "ca_certs": told}
