"""Clients of other makers (and our own tracker), each sending events whose ids are known."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.browser.chromium import Chromium
from tests.browser.place import Host
from tests.clients.pages import pages
from tests.clients.place import Stutter, key_of

HERE = Path(__file__).parent
EVENTS = 40
PATIENCE = 120
Ids = set[str]


def names_in(body: bytes) -> Ids:
    """The ids of the events in a body, however it is packed."""
    raw = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    try:
        read = json.loads(raw)
    except ValueError:
        return {raw.decode(errors="replace")}
    items = read.get("batch", [read]) if isinstance(read, dict) else read
    return {str(item.get("messageId") or item.get("uuid")) for item in items}


def segment_python(host: str, first: int = 0, last: int = EVENTS) -> Ids:
    """segment-analytics-python, every second batch packed."""
    from segment.analytics.client import Client
    from segment.analytics.request import _session

    refused: list[Exception] = []
    with closing(_session):
        client = Client(
            key_of("segment_python"),
            host=host,
            gzip=first % 2 == 0,
            upload_size=10,
            upload_interval=0.1,
            on_error=lambda error, _: refused.append(error),
        )
        sent = {_segment_like(client, "segment_python", number) for number in range(first, last)}
        client.shutdown()
    assert not refused, refused
    return sent


def rudder_python(host: str, first: int = 0, last: int = EVENTS) -> Ids:
    """rudder-sdk-python, which packs by itself."""
    from rudderstack.analytics.client import Client
    from rudderstack.analytics.request import _session

    refused: list[Exception] = []
    with closing(_session):
        client = Client(
            key_of("rudder_python"),
            host=host,
            upload_size=10,
            upload_interval=0.1,
            on_error=lambda error, _: refused.append(error),
        )
        sent = {_segment_like(client, "rudder_python", number) for number in range(first, last)}
        client.flush()
        client.join()
    assert not refused, refused
    return sent


def _segment_like(client: Any, name: str, number: int) -> str:
    who, at = f"user-{number}", datetime.now(UTC) - timedelta(minutes=1)
    common = {"message_id": f"{name}-{number}", "timestamp": at}
    match number % 4:
        case 0:
            client.identify(who, {"plan": "trial"}, **common)
        case 1:
            client.page(who, "Docs", "Pricing", {"path": "/pricing"}, **common)
        case 2:
            client.screen(who, None, "Home", **common)
        case 3:
            client.track(who, "Product Viewed", {"product_id": f"p-{number}"}, **common)
    return str(common["message_id"])


def posthog_python(host: str, first: int = 0, last: int = EVENTS) -> Ids:
    """posthog-python, packed; and what it asks beside: a flag, which there is none of."""
    import posthog
    from posthog import request

    refused: list[Exception] = []
    client = posthog.Posthog(
        key_of("posthog_python"),
        host=host,
        flush_at=10,
        flush_interval=0.1,
        gzip=first % 2 == 0,
        on_error=lambda error, _: refused.append(error),
    )
    sent = {_posthog_like(client, number) for number in range(first, last)}
    assert client.get_all_flags("user-1") == {}
    client.shutdown()
    request._session.close()
    request._flags_session.close()
    assert not refused, refused
    return sent


def _posthog_like(client: Any, number: int) -> str:
    who = {"distinct_id": f"user-{number}", "timestamp": datetime.now(UTC) - timedelta(minutes=1)}
    uuid = f"00000000-0000-7000-8000-{number:012}"
    match number % 4:
        case 0:
            client.set(properties={"plan": "trial"}, uuid=uuid, **who)
        case 1:
            client.capture("$pageview", properties={"$pathname": "/pricing"}, uuid=uuid, **who)
        case 2:
            client.alias(previous_id=f"before-{number}", uuid=uuid, **who)
        case 3:
            client.capture("product viewed", properties={"product_id": "p"}, uuid=uuid, **who)
    return uuid


def of_node(client: str, folder: Path) -> Callable[[str], Ids]:
    """A client for Node, run in the folder where it is installed."""

    def send(host: str) -> Ids:
        asked = [shutil.which("node") or "node", str(HERE / "node.mjs"), client, host]
        told = subprocess.run(
            [*asked, key_of(client), "0", str(EVENTS)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, "NO_COLOR": "1"},
            check=False,
        )
        assert told.returncode == 0, told.stderr[-2_000:]
        assert json.loads(told.stdout.splitlines()[-1]) == {"errors": 0}, told.stdout + told.stderr
        if client.startswith("posthog"):
            return {f"00000000-0000-7000-8000-{number:012}" for number in range(EVENTS)}
        return {f"{client}-{number}" for number in range(EVENTS)}

    return send


def curl(host: str) -> Ids:
    """Plain curl, told to try again where a server fails."""
    sent = set()
    for number in range(10):
        event = {
            "messageId": f"curl-{number}",
            "userId": f"user-{number}",
            "event": "Product Viewed",
            "properties": {"product_id": "p"},
        }
        asked = ["curl", "-sSf", "--retry", "4", "--retry-delay", "1", "--max-time", "30"]
        asked += ["-u", f"{key_of('curl')}:", f"{host}/v1/track", "-d", json.dumps(event)]
        subprocess.run(asked, check=True, capture_output=True, timeout=PATIENCE)
        sent.add(f"curl-{number}")
    return sent


def segment_browser(host: str, folder: Path, stutter: Stutter) -> Ids:
    """analytics.js (@segment/analytics-next) in Chromium, on a page of another origin."""
    with _site(host, folder) as site, Chromium() as browser:
        tab = browser.tab()
        tab.open(f"{site.url}/segment.html")
        tab.until(lambda: tab.run("window.sent && window.sent.length") == EVENTS)
        ids = set(tab.run("window.sent"))
        tab.until(lambda: stutter.heard_of(ids))
    assert len(ids) == EVENTS
    return ids


def tracker(host: str, folder: Path, stutter: Stutter) -> Ids:
    """Our own tracker in Chromium, over three pages of one visit; its ids as they went by."""
    with _site(host, folder) as site, Chromium() as browser:
        tab = browser.tab()
        for page in ("one", "two", "three"):
            tab.open(f"{site.url}/{page}.html")
            tab.run("for (let n = 0; n < 5; n++) connector.push(['track', 'Tried', {n}])")
            tab.until(lambda: tab.run("sessionStorage.connector_queue || '[]'") == "[]")
    mark = f'"writeKey":"{key_of("tracker")}"'.encode()
    found = [names_in(body) for body in stutter.bodies if mark in body]
    return set().union(*found)


def _site(host: str, folder: Path) -> Host:
    return pages(host, folder, {name: key_of(name) for name in ("segment_browser", "tracker")})
