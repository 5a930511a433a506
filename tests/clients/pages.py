"""A site on loopback whose pages load a client: analytics.js from npm's folder, or our tracker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.browser.place import Host

UMD = "node_modules/@segment/analytics-next/dist/umd"
SEGMENT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<link rel="icon" href="data:,"><script src="/umd/index.js"></script><script>
window.sent = [];
const told = %s;
const analytics = window.AnalyticsNext.AnalyticsBrowser.load(
  { writeKey: told.key, cdnURL: told.host },
  { integrations: { "Segment.io": { apiHost: told.to, protocol: "http" } } });
const note = (context) => { window.sent.push(context.event.messageId); };
for (let n = 0; n < 40; n++) {
  const told = n %% 4 === 0 ? analytics.identify("user-" + n, { plan: "trial" })
    : n %% 4 === 1 ? analytics.page("Docs", "Pricing", { path: "/pricing" })
    : analytics.track("Product Viewed", { product_id: "p-" + n });
  told.then(note);
}
</script></html>"""
TRACKED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<link rel="icon" href="data:,"><script src="%s/t.js" data-key="%s"></script>
<h1>A page</h1></html>"""


def pages(host: str, folder: Path, keys: Mapping[str, str]) -> Host:
    """The site; ``folder`` is where npm put the clients, ``host`` the way to the connector."""
    to = f"{host.removeprefix('http://')}/v1"
    told = json.dumps({"host": host, "to": to, "key": keys["segment_browser"]})
    umd = folder / UMD

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with suppress(ConnectionError):  # a browser may hang up whenever it likes
                super().handle()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/umd/") and (file := umd / path[5:]).is_file():
                self._say(file.read_bytes(), "text/javascript")
            elif path == "/segment.html":
                self._say((SEGMENT % told).encode(), "text/html; charset=utf-8")
            else:
                page = TRACKED % (host, keys["tracker"])
                self._say(page.encode(), "text/html; charset=utf-8")

        def _say(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the table says what came of it."""

    return Host("127.0.0.1", Answers)
