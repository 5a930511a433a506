"""The tracker in a real browser, on pages with a strict policy, before a running connector.

``make browser`` runs it; without a Chromium on this machine nothing is run.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.rules.identity import signature
from tests import running
from tests.browser import chromium
from tests.browser.chromium import Chromium, Tab
from tests.browser.place import Door, site
from tests.running import Running

pytestmark = pytest.mark.skipif(not chromium.found(), reason="there is no Chromium here")

TERSER = "terser@5.51.2"
SECRET = "a secret of the pages, thirty-two"
SIGNED = signature("u-7", SECRET.encode())
TRACKER = Path(__file__).parents[2] / "connector" / "web" / "tracker"
TAKEN = "SELECT type, name, state, reason, payload FROM events ORDER BY occurred_at, id"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def connector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = running.free_port()
    site = 'identity = "verified"\nidentity_secrets = ["file:identity-secret"]'
    folder = running.folder(
        tmp_path_factory.mktemp("shop"), port, traffic="robots = false", **{"sources.site": site}
    )
    (folder / "identity-secret").write_text(SECRET)
    with Running(folder, port) as opened:
        yield opened


class Page:
    """One tab on a site of its own, and what came of what it did."""

    def __init__(self, browser: Chromium, connector: Running) -> None:
        self.connector, self.door = connector, Door(connector.port)
        self.attributes = {"data-key": running.SITE_KEY}
        self._browser = browser
        self._door = self.door.host().__enter__()
        self.to = self._door.url
        self._site = site(self._door.url, self.attributes).__enter__()
        self.home = self._site.url
        self.tab: Tab = browser.tab()

    def again(self, script: str) -> None:
        """Another tab instead, where a script runs before each page's own."""
        self.tab.close()
        self.tab = self._browser.tab(script)

    def open(self, path: str, **more: str) -> None:
        """Go to a page, and wait for its tracker."""
        self.tab.open(self.home + path, **more)
        self.tab.until(lambda: self.tab.run("!!(window.connector || {}).loaded"))

    def told(self, *, closing: bool = False) -> list[dict[str, Any]]:
        """Every event of this site that is in the ledger, once what was sent is all there."""

        def there() -> list[dict[str, Any]]:
            mine = {event["messageId"] for event in self.door.events()}
            rows = self.connector.rows(TAKEN)
            found = [{**row, "payload": json.loads(row["payload"])} for row in rows]
            found = [row for row in found if row["payload"]["messageId"] in mine]
            return found if {row["payload"]["messageId"] for row in found} == mine else []

        if not closing:
            self.tab.until(lambda: not self.waiting())
        return list(self.connector.until(there))

    def waiting(self) -> list[str]:
        """Names of the events that this tab has yet to hear an answer for."""
        kept = self.tab.run("sessionStorage.getItem('connector_queue')")
        return [event.get("event", event["type"]) for event in json.loads(kept or "[]")]

    def close(self) -> None:
        self._site.__exit__()
        self._door.__exit__()


@pytest.fixture
def page(browser: Chromium, connector: Running) -> Iterator[Page]:
    opened = Page(browser, connector)
    yield opened
    opened.close()


def names(rows: list[dict[str, Any]]) -> Counter[str]:
    """How often each event is in the ledger, by its name, or its type where it has none."""
    return Counter(row["name"] or row["type"] for row in rows)


def of(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The properties of the events of a name."""
    return [row["payload"]["properties"] for row in rows if (row["name"] or row["type"]) == name]


def live(page: Page) -> None:
    """A visit with everything in it: an ad, a click, a form left, one sent, a page seen twice."""
    page.open("/?utm_source=news&utm_campaign=autumn&gclid=g-1&token=s3cret")
    page.tab.click("a[data-track=Pricing]")
    page.tab.click("#plain")
    page.tab.run("scrollTo(0, 1900)")
    page.tab.until(lambda: page.tab.run("scrollY") > 1800)
    page.tab.run("new Promise(requestAnimationFrame)")
    page.tab.run("history.pushState({}, '', '/pricing')")
    page.tab.until(lambda: of_name(page, "page", 2))
    page.open("/quote")
    page.tab.write("[name=full_name]", "Ann Onymous")
    page.tab.write("#search", "secret search")
    page.tab.write("#private", "secret words")
    page.open("/pricing")
    page.tab.write("[name=full_name]", "Ann Onymous")
    page.tab.write("[name=card]", "4111 1111 1111 1111")
    page.tab.click("#quote button")
    page.tab.until(lambda: page.tab.run("location.pathname") == "/thanks")
    page.tab.until(lambda: page.tab.run("!!(window.connector || {}).loaded"))


def of_name(page: Page, name: str, count: int) -> bool:
    sent = [event.get("event", event["type"]) for event in page.door.events()]
    return (sent + page.waiting()).count(name) >= count


EXPECTED = Counter(
    {
        "Session Started": 1,
        "page": 5,
        "Element Clicked": 1,
        "Page Scrolled": 1,
        "Form Started": 2,
        "Form Abandoned": 1,
        "Form Submitted": 1,
    }
)


@pytest.mark.parametrize("fails", [0, 2, 4])
def test_everything_somebody_does_arrives_once_also_where_the_server_fails_first(
    page: Page, fails: int
) -> None:
    page.door.fails = fails
    live(page)
    rows = page.told()
    assert names(rows) == EXPECTED
    assert {row["state"] for row in rows} == {"done"}, rows
    assert page.door.fails == 0
    assert [told["path"] for told in paths(rows)] == [
        "/",
        "/pricing",
        "/quote",
        "/pricing",
        "/thanks",
    ]
    assert [told["view"] for told in of(rows, "page")] == [1, 1, 1, 2, 1]
    assert [told["repeat"] for told in of(rows, "page")] == [False, False, False, True, False]
    assert of(rows, "Element Clicked") == [{"name": "Pricing", "url": f"{page.home}/"}]
    assert of(rows, "Page Scrolled") == [{"depth": 50}]
    form = {"form_id": "quote", "form_name": "Your quote"}
    assert of(rows, "Form Abandoned") == [form]
    assert of(rows, "Form Submitted") == [{"plan": "pro", "sms_consent": True, **form}]


def paths(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row["payload"]["context"]["page"] for row in rows if row["type"] == "page"]


def test_where_a_visit_comes_from_goes_with_each_of_its_events(page: Page) -> None:
    live(page)
    for row in page.told():
        context = row["payload"]["context"]
        assert context["campaign"] == {"source": "news", "name": "autumn"}
        assert context["referrer"] == {"type": "gclid", "id": "g-1"}
        assert context["landing"] == f"{page.home}/"
    visits = {row["payload"]["context"]["sessionId"] for row in page.told()}
    assert len(visits) == 1


def test_what_is_written_into_a_field_never_leaves_the_page_unless_it_is_marked(page: Page) -> None:
    live(page)
    page.told()
    sent = b"".join(page.door.raw)
    for secret in (b"Onymous", b"4111", b"hunter2", b"s3cret", b"secret"):
        assert secret not in sent, secret
    assert b'"plan":"pro"' in sent


def test_a_page_that_allows_no_script_and_no_call_but_ours_complains_of_nothing(page: Page) -> None:
    live(page)
    page.told()
    assert page.tab.faults() == []


def test_no_cookie_is_set_and_nothing_outlives_the_tab_unless_the_page_says_so(page: Page) -> None:
    live(page)
    assert page.tab.cookies() == []
    assert page.tab.run("localStorage.length") == 0
    page.attributes["data-store"] = "cookie"
    page.open("/")
    assert [cookie["name"] for cookie in page.tab.cookies()] == ["connector"]


def test_in_memory_mode_nothing_is_kept_at_all(page: Page) -> None:
    page.attributes["data-store"] = "memory"
    page.open("/")
    page.connector.until(lambda: page.door.events())
    assert page.tab.run("sessionStorage.length + localStorage.length") == 0
    assert page.tab.cookies() == []


def test_told_to_remember_it_knows_a_browser_again_in_another_tab(page: Page) -> None:
    page.attributes["data-store"] = "local"
    page.open("/")
    page.open("/pricing")
    page.told()
    page.tab.run("sessionStorage.clear()")
    page.open("/")
    assert len({event["anonymousId"] for event in page.door.events()}) == 1


@pytest.mark.parametrize(
    "asked",
    [
        "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})",
        "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
    ],
)
def test_who_asks_not_to_be_tracked_is_not(page: Page, asked: str) -> None:
    page.again(asked)
    live_without_a_trace(page)
    assert page.door.raw == []
    assert page.door.asked.total() == page.door.asked["GET /t.js"]
    assert page.tab.run("sessionStorage.length + localStorage.length") == 0
    assert page.tab.cookies() == []


def live_without_a_trace(page: Page) -> None:
    page.open("/")
    page.tab.run("connector.push(['identify', 'u-7'], ['track', 'Order Completed'])")
    page.tab.click("a[data-track=Pricing]")
    page.tab.write("[name=full_name]", "Ann")
    page.open("/pricing")


def test_what_was_begun_is_told_when_the_tab_is_closed(page: Page) -> None:
    page.open("/quote")
    page.tab.write("[name=full_name]", "Ann")
    page.tab.close()
    page.connector.until(lambda: "Form Abandoned" in str(page.door.events()))
    rows = page.told(closing=True)
    assert names(rows)["Form Abandoned"] == names(rows)["Form Started"] == 1


def test_what_could_not_be_sent_goes_when_the_line_is_back(page: Page) -> None:
    page.again("const soon = setTimeout; setTimeout = (act, ms) => (ms > 400 ? 0 : soon(act, ms))")
    page.open("/")
    page.told()
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.tab.ask("Network.emulateNetworkConditions", offline=True, **line)
    page.tab.run("connector.push(['track', 'Product Viewed', {product_id: 'p-1'}])")
    page.tab.until(lambda: "ERR_INTERNET_DISCONNECTED" in str(page.tab.faults()))
    assert page.waiting() == ["Product Viewed"]
    page.tab.ask("Network.emulateNetworkConditions", offline=False, **line)
    assert names(page.told())["Product Viewed"] == 1


def test_a_call_made_before_the_script_is_there_is_not_lost(page: Page) -> None:
    page.again("(window.connector = window.connector || []).push(['track', 'Product Viewed', {}])")
    page.open("/")
    assert names(page.told())["Product Viewed"] == 1


def test_it_waits_for_a_consent_manager_and_forgets_when_told_to(page: Page) -> None:
    page.attributes["data-wait"] = ""
    page.open("/")
    page.tab.run("connector.push(['track', 'Product Viewed', {}])")
    assert page.tab.run("sessionStorage.length") == 0 and page.door.raw == []
    page.tab.run("connector.push(['start'])")
    rows = page.told()
    assert names(rows) == {"Session Started": 1, "page": 1, "Product Viewed": 1}
    page.tab.run("connector.push(['stop'], ['track', 'Product Viewed', {}])")
    assert page.tab.run("sessionStorage.length") == 0
    page.tab.click("a[data-track=Pricing]")
    assert names(page.told()) == names(rows)


def test_nothing_of_what_somebody_did_while_they_refused_is_ever_sent(page: Page) -> None:
    page.attributes["data-wait"] = ""
    page.open("/")
    viewed = "['track', 'Product Viewed', {}]"
    page.tab.run(f"connector.push({viewed}, ['stop'], {viewed}, ['start'])")
    assert names(page.told()) == {"Session Started": 1, "page": 1}


def test_no_more_is_held_for_a_consent_manager_than_is_ever_sent(page: Page) -> None:
    page.attributes["data-wait"] = ""
    page.open("/")
    page.tab.run("for (let n = 0; n < 90; n++) connector.push(['track', 'Product Viewed', {n}])")
    page.tab.run("connector.push(['start'])")
    rows = page.told()
    assert names(rows) == {"Session Started": 1, "page": 1, "Product Viewed": 40}
    assert sorted(told["n"] for told in of(rows, "Product Viewed")) == list(range(40))


def test_told_to_stop_it_keeps_nothing_also_where_an_answer_is_still_out(page: Page) -> None:
    page.again("fetch = () => new Promise((done) => (window.answer = () => done({status: 200})))")
    page.open("/")
    page.tab.until(lambda: page.tab.run("!!window.answer"))
    page.tab.run("connector.push(['stop']); answer()")
    page.tab.run("new Promise((soon) => setTimeout(soon, 20))")
    assert page.tab.run("sessionStorage.length") == 0


def test_a_call_that_names_nobody_makes_nobody_of_the_visitor(page: Page) -> None:
    page.open("/")
    page.tab.run("connector.push(['identify', undefined], ['identify', null], 5, ['nothing'])")
    page.tab.click("a[data-track=Pricing]")
    rows = page.told()
    assert names(rows) == {"Session Started": 1, "page": 1, "Element Clicked": 1}
    assert len({event["anonymousId"] for event in page.door.events()}) == 1


def visits(page: Page) -> list[str]:
    """The visits that this site's events are of, in their order."""
    page.told()
    return list(dict.fromkeys(event["context"]["sessionId"] for event in page.door.events()))


def test_a_visit_ends_after_half_an_hour_of_silence_or_by_another_campaign(page: Page) -> None:
    page.open("/?utm_campaign=autumn")
    page.open("/")
    page.open("/?utm_campaign=autumn")
    assert len(visits(page)) == 1
    page.open("/?utm_campaign=winter")
    assert len(visits(page)) == 2
    for minutes, count in ((29, 2), (31, 3)):
        page.tab.run(
            "const kept = JSON.parse(sessionStorage.connector);"
            f"kept.visit.at -= {minutes * 60_000};"
            "sessionStorage.connector = JSON.stringify(kept)"
        )
        page.open("/pricing")
        assert len(visits(page)) == count
    assert names(page.told())["Session Started"] == 3


def test_who_signs_out_is_somebody_else_and_is_named_once(page: Page) -> None:
    page.attributes |= {"data-user": "u-7", "data-user-hash": SIGNED}
    page.open("/")
    page.open("/pricing")
    assert names(page.told())["identify"] == 1
    page.tab.run("connector.push(['reset'])")
    page.tab.click("a[data-track=Pricing]")
    page.told()
    [click] = [event for event in page.door.events() if event.get("event") == "Element Clicked"]
    before = {event["anonymousId"] for event in page.door.events() if "userId" in event}
    assert "userId" not in click and click["anonymousId"] not in before


def test_a_link_that_calls_or_writes_tells_no_number_and_no_address(page: Page) -> None:
    page.open("/")
    page.tab.click("a[data-track='Call us']")
    assert of(page.told(), "Element Clicked") == [{"name": "Call us", "url": "tel:"}]
    assert b"2025550123" not in b"".join(page.door.raw)


def test_a_site_that_routes_by_the_fragment_says_so(page: Page) -> None:
    page.open("/#/one")
    page.tab.run("location.hash = '/two'")
    page.tab.run("new Promise((soon) => setTimeout(soon, 50))")
    assert [told["path"] for told in paths(page.told())] == ["/"]
    page.attributes["data-hash"] = ""
    page.open("/quote#/one")
    page.tab.run("location.hash = '/two'")
    page.tab.until(lambda: of_name(page, "page", 3))
    found = [told["path"] for told in paths(page.told())]
    assert found == ["/", "/quote#/one", "/quote#/two"]


def test_what_the_server_refuses_for_good_is_not_sent_for_ever(page: Page) -> None:
    page.attributes["data-key"] = "a key of nobody"
    page.open("/")
    page.tab.until(lambda: page.door.raw and not page.waiting())
    assert page.door.asked["POST /v1/b"] == 1


def test_at_most_fifty_events_wait_and_the_oldest_go_first(page: Page) -> None:
    page.open("/")
    page.told()
    page.tab.run("fetch = () => Promise.reject(1)")
    page.tab.run("for (let n = 0; n < 60; n++) connector.push(['track', 'Product Viewed', {n}])")
    kept = json.loads(page.tab.run("sessionStorage.getItem('connector_queue')"))
    assert [event["properties"]["n"] for event in kept] == list(range(10, 60))


def test_it_may_be_served_from_another_host_than_the_connector(page: Page) -> None:
    page.attributes["data-to"] = f"{page.to}/"
    page.open("/")
    assert names(page.told()) == {"Session Started": 1, "page": 1}
    assert f"{page.to}/v1/b" in page.tab.asked()


BACK = "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
SEEN = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.mark.parametrize("act", [BACK, SEEN])
def test_who_signed_out_in_another_tab_or_page_is_not_spoken_for_here(page: Page, act: str) -> None:
    page.attributes |= {"data-user": "u-7", "data-user-hash": SIGNED, "data-store": "local"}
    page.open("/")
    page.told()
    page.tab.run("localStorage.setItem('connector', JSON.stringify({id: 'another'}))")
    page.tab.run(act)
    page.tab.click("a[data-track=Pricing]")
    page.told()
    [click] = [event for event in page.door.events() if event.get("event") == "Element Clicked"]
    assert click["anonymousId"] == "another" and "userId" not in click


def test_a_cookie_that_another_tab_changed_says_who_it_is(page: Page) -> None:
    page.attributes |= {"data-user": "u-7", "data-user-hash": SIGNED, "data-store": "cookie"}
    page.open("/")
    page.told()
    page.tab.run("document.cookie = 'my_connector=nobody;path=/'")
    page.tab.run(SEEN)
    page.tab.click("a[data-track=Pricing]")
    page.told()
    assert len({event["anonymousId"] for event in page.door.events()}) == 1
    page.tab.run("document.cookie = 'connector=another;path=/'")
    page.tab.run(SEEN)
    page.tab.click("a[data-track=Pricing]")
    page.told()
    last = page.door.events()[-1]
    assert last["anonymousId"] == "another" and "userId" not in last


FORM = "document.body.append(document.createElement('form'))"
FIELD = "document.forms[3].append(Object.assign(document.createElement('input'), {id: 'plainer'}))"


def test_a_form_without_a_name_is_the_same_when_it_is_begun_and_when_it_is_left(page: Page) -> None:
    page.open("/")
    page.tab.run(f"{FORM}, {FIELD}")
    page.tab.write("#plainer", "x")
    page.tab.run("document.forms[3].remove(), history.pushState({}, '', '/pricing')")
    page.tab.until(lambda: of_name(page, "page", 2))
    rows = page.told()
    assert of(rows, "Form Started") == of(rows, "Form Abandoned") == [{"form_id": "/#3"}]


def test_pages_that_only_their_query_tells_apart_are_told_apart_by_what_the_page_names(
    page: Page,
) -> None:
    page.attributes["data-query"] = "id"
    page.open("/item?id=1&secret=s3cret")
    for query in ("?id=2", "?id=2&secret=other", "?id=1"):
        page.tab.run(f"history.pushState({{}}, '', '/item{query}')")
        page.tab.run("new Promise((soon) => setTimeout(soon, 20))")
    page.told()
    seen = [event for event in page.door.events() if event["type"] == "page"]
    urls = [event["context"]["page"]["url"].removeprefix(page.home) for event in seen]
    assert urls == ["/item?id=1", "/item?id=2", "/item?id=1"]
    assert [event["properties"]["view"] for event in seen] == [1, 1, 2]


def test_a_user_whom_the_server_signed_is_believed_and_any_other_is_not(page: Page) -> None:
    page.attributes |= {"data-user": "u-7", "data-user-hash": SIGNED}
    page.open("/")
    rows = page.told()
    assert names(rows)["identify"] == 1 and {row["reason"] for row in rows} == {""}
    page.attributes["data-user"] = "u-8"
    page.open("/pricing")
    late = [row for row in page.told() if row["payload"].get("userId") == "u-8"]
    assert late and {row["reason"] for row in late} == {
        "subject.user_id: its signature is missing or wrong"
    }
    assert SIGNED not in json.dumps(page.connector.rows("SELECT payload FROM events"))
    ids = {row["payload"]["anonymousId"] for row in page.told()}
    assert len(ids) == 2, "somebody else at the same device is somebody else"


def test_what_is_served_is_the_source_made_small(tmp_path: Path) -> None:
    command = ["npx", "--yes", TERSER, str(TRACKER / "t.js"), "--compress"]
    command += ["passes=3,unsafe_arrows=true", "--mangle", "--ecma", "2020"]
    made = subprocess.run(command, capture_output=True, check=True, timeout=120, cwd=tmp_path)
    assert made.stdout.strip() == (TRACKER / "t.min.js").read_bytes().strip()
