"""The form that ``docs/forms.md`` shows, in a real browser, with the tracker on the same page.

``make browser`` runs it; without a Chromium on this machine nothing is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests import running
from tests.browser import chromium
from tests.browser.chromium import Chromium, Tab
from tests.browser.place import Host
from tests.pages import blocks
from tests.running import Running

pytestmark = pytest.mark.skipif(not chromium.found(), reason="there is no Chromium here")

NUMBER = "(212) 555-0142"
WIDTHS = (1280, 390, 320)


def shown(page: str) -> str:
    """The HTML that a page of docs shows, as one."""
    return "".join(each.text for each in blocks() if each.page.name == page and each.kind == "html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as opened:
        yield opened


def serving(page: bytes) -> type[BaseHTTPRequestHandler]:
    """What answers every request with one page."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Nothing: the tests say what went wrong."""

    return Answers


class Place:
    """A site with the form on it, and a connector that takes it."""

    def __init__(self, path: Path) -> None:
        self.port = running.free_port()
        url = f"http://127.0.0.1:{self.port}"
        form, more = shown("forms.md").split("</form>")
        page = f"<!doctype html>{shown('tracker.md')}{form}{more}</form>"
        page = page.replace("https://sms.corner.example", url)
        page = page.replace("YOUR_WRITE_KEY", running.SITE_KEY)
        self.site = Host("localhost", serving(page.encode())).__enter__()
        tables = {
            "sources.site_forms": 'mapping = "form"\ntrust = "form"',
            "forms.newsletter": f'source = "site_forms"\norigins = ["{self.site.url}"]\n'
            'required = ["phone"]\ntrap = "website"\nopened = "opened"',
            "forms.newsletter.consent": 'field = "sms_ok"\nwording = "Text me offers"',
            "traffic": "robots = false",
        }
        self.connector = Running(running.folder(path, self.port, **tables), self.port)
        self.connector.start()

    def close(self) -> None:
        self.connector.stop()
        self.connector.http.close()
        self.site.__exit__()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    opened = Place(tmp_path_factory.mktemp("forms") / "shop")
    yield opened
    opened.close()


def sent(browser: Chromium, place: Place, number: str, width: int = 1280) -> Tab:
    """A tab in which somebody filled in the form and sees what is answered."""
    tab = browser.tab()
    tab.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width < 600,
    )
    tab.open(f"{place.site.url}/join")
    tab.until(lambda: tab.run("!!(window.connector || {}).loaded"))
    tab.write("#phone", number)
    tab.write("#first_name", "Ann")
    tab.click("#sms_ok")
    tab.click("form button")
    tab.until(lambda: tab.run("location.pathname") == "/forms/newsletter")
    tab.until(lambda: tab.run("document.readyState") == "complete")
    return tab


def test_the_form_of_the_docs_and_the_visit_before_it_are_one_person(
    browser: Chromium, place: Place
) -> None:
    tab = sent(browser, place, NUMBER)
    assert tab.run("document.title") == "Thank you"
    rows = place.connector.until(
        lambda: place.connector.rows("SELECT * FROM events WHERE type = 'form'")
    )
    told: dict[str, Any] = json.loads(rows[0]["payload"])
    assert told["consent"]["wording"] == "Text me offers"
    assert told["fields"] == {"phone": NUMBER, "first_name": "Ann"}
    assert re.fullmatch(r"[0-9a-f]{32}", told["anonymousId"]), "the tracker's id"
    visits = place.connector.until(
        lambda: place.connector.rows("SELECT * FROM events WHERE type = 'page'")
    )
    assert told["anonymousId"] in {json.loads(row["payload"])["anonymousId"] for row in visits}
    assert {row["contact_id"] for row in visits} >= {rows[0]["contact_id"]}
    tab.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("number", "title"), [("+1 212 555 0143", "Thank you"), ("12", "work")])
def test_what_is_answered_is_a_page_that_fits_any_screen(
    browser: Chromium, place: Place, number: str, title: str, width: int
) -> None:
    tab = sent(browser, place, number, width)
    assert title in tab.run("document.querySelector('h1').textContent")
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert tab.run("parseFloat(getComputedStyle(document.querySelector('p')).fontSize)") >= 16
    assert tab.run("document.querySelector('a').getBoundingClientRect().height") >= 40
    assert [each for each in tab.faults() if "status of 422" not in each] == []
    tab.close()
