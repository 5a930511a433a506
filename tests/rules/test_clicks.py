"""A person's finger is told from what fetches links by itself, and doubt is no click."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.clicks import MANY_CODES, TOO_SOON, Fetch, Told, Verdict, judge, named
from connector.rules.robots import KNOWN

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
LEFT = NOW - timedelta(minutes=1)
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/129.0.0.0 Mobile Safari/537.36"
)

PEOPLE = (
    IPHONE,
    PIXEL,
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_P30) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/88.0.4324.93 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 8.1.0; CUBOT X18 Plus) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/81.0.4044.138 Mobile Safari/537.36",
    "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) GSA/315.0.630091404 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/468.0.0.28.102;FBDV/iPhone14,5]",
    "Mozilla/5.0 (Linux; Android 12; SM-N976N; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/110.0.5481.153 Mobile Safari/537.36 Instagram 275.0.0.27.98 Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Mobile/15E148 Safari Line/13.16.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/16.6 Mobile/15E148 Snapchat/12.50.0.35 (like Safari/8615.3.12.10.2, panda)",
    "Mozilla/5.0 (Linux; Android 11; SM-A525F) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/96.0.4664.104 Mobile Safari/537.36 [Pinterest/Android]",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/116.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Opera/9.80 (Android; Opera Mini/69.0/191.303; U; en) Presto/2.12.423 Version/12.16",
)
ROBOTS = {
    # link previews
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) "
    "Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0": "preview",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": "preview",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)": (
        "preview"
    ),
    "WhatsApp/2.23.20.0 A": "preview",
    "WhatsApp/2": "preview",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": "preview",
    "Slack-ImgProxy (+https://api.slack.com/robots)": "preview",
    "Twitterbot/1.0": "preview",
    "TelegramBot (like TwitterBot)": "preview",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)": "preview",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)": (
        "preview"
    ),
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 "
    "skype-url-preview@microsoft.com": "preview",
    "GoogleMessages/20": "preview",
    "Mozilla/5.0 Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)": (
        "preview"
    ),
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)": "preview",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)": "preview",
    "Mastodon/4.2.0 (http.rb/5.1.1; +https://mastodon.social/)": "preview",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)": "preview",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)": "preview",
    # search engines
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "search",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like "
    "Gecko) Chrome/41.0.2272.96 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
    "+http://www.google.com/bot.html)": "search",
    "AdsBot-Google (+http://www.google.com/adsbot.html)": "search",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
    "+http://www.bing.com/bingbot.htm) Safari/537.36": "search",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b": (
        "search"
    ),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)": "search",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)": "search",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)": "search",
    # scanners
    "Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)": "scanner",
    "Barracuda Sentinel (EE)": "scanner",
    "Microsoft Office Existence Discovery": "scanner",
    "Microsoft Office SafeLinks Protection": "scanner",
    "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)": "scanner",
    "AppEngine-Google; (+http://code.google.com/appengine; appid: s~virustotalcloud)": "scanner",
    "Mozilla/5.0 zgrab/0.x": "scanner",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)": "monitor",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "HeadlessChrome/120.0.0.0 Safari/537.36": "browser",
    # libraries
    "curl/8.4.0": "library",
    "Wget/1.20.3 (linux-gnu)": "library",
    "python-requests/2.32.3": "library",
    "Python/3.9 aiohttp/3.8.1": "library",
    "Python-urllib/3.7": "library",
    "Go-http-client/2.0": "library",
    "okhttp/4.12.0": "library",
    "Java/17.0.9": "library",
    "Apache-HttpClient/4.5.13 (Java/11.0.16)": "library",
    "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 6 Build/TQ3A.230805.001)": "library",
    "MobileSMS/1.0 CFNetwork/1410.0.3 Darwin/22.6.0": "library",
    "2Bone_LinkChecker/1.0 libwww-perl/6.03": "library",
    "axios/1.7.2": "library",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)": "library",
    "PostmanRuntime/7.39.0": "library",
    "GuzzleHttp/7": "library",
    # never heard of, but they say it
    "Mozilla/5.0 (compatible; SearchmetricsBot; https://www.searchmetrics.com/bot/)": "robot",
    "acme_bot_v2": "robot",
    "Netwalk research scanner - netwalk.ankweb.exposed -": "robot",
    "FAST-WebCrawler/3.8": "robot",
    # nothing but a name, as Google's look at links in text messages has
    "Mozilla/5.0": "bare_agent",
    "Ruby": "bare_agent",
    "": "no_agent",
    "  ": "no_agent",
}


def fetch(agent: str = IPHONE, **changes: object) -> Fetch:
    return replace(Fetch("code", "GET", NOW, agent, PAGE), **changes)  # type: ignore[arg-type]


def verdict(agent: str = IPHONE, **changes: object) -> Told:
    return judge(fetch(agent, **changes), left_at=LEFT)


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_browser_that_a_person_holds_is_human(agent: str) -> None:
    assert verdict(agent) == Told(Verdict.human, "tapped")


@pytest.mark.parametrize("agent", ROBOTS)
def test_what_fetches_by_itself_is_a_machine(agent: str) -> None:
    assert verdict(agent) == Told(Verdict.machine, ROBOTS[agent])


def test_the_tables_are_as_long_as_they_should_be() -> None:
    assert len(ROBOTS) + len(PEOPLE) >= 40


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_who_only_asks_whether_it_is_there_is_a_machine(method: str) -> None:
    assert verdict(method=method) == Told(Verdict.machine, "head")


@pytest.mark.parametrize(
    "purpose", ["prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip", "preview"]
)
def test_a_page_fetched_ahead_is_nobodys_click(purpose: str) -> None:
    assert verdict(purpose=purpose) == Told(Verdict.machine, "prefetch")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(seconds=-1), "too_soon"),
        (timedelta(0), "too_soon"),
        (TOO_SOON - timedelta(microseconds=1), "too_soon"),
        (TOO_SOON, "tapped"),
    ],
)
def test_nobody_taps_within_two_seconds(after: timedelta, expected: str) -> None:
    assert judge(fetch(), left_at=NOW - after).why == expected


def test_how_soon_is_too_soon_may_be_set() -> None:
    left_at = NOW - timedelta(seconds=3)
    assert judge(fetch(), left_at=left_at, too_soon=timedelta(seconds=4)).why == "too_soon"


def test_who_follows_every_link_of_a_text_at_once_is_a_scanner() -> None:
    told = judge(fetch(), left_at=LEFT, links_of_text=2)
    assert told == Told(Verdict.machine, "all_links")


def test_who_follows_many_peoples_links_at_once_is_a_scanner() -> None:
    few = judge(fetch(), left_at=LEFT, codes_of_network=MANY_CODES - 1)
    many = judge(fetch(), left_at=LEFT, codes_of_network=MANY_CODES)
    assert (few.verdict, many.why) == (Verdict.human, "many_codes")


@pytest.mark.parametrize("accept", ["*/*", "", "image/avif,image/webp", "application/json"])
def test_who_asks_for_no_page_is_not_known(accept: str) -> None:
    assert verdict(accept=accept) == Told(Verdict.unknown, "no_page")


def test_a_browser_of_which_no_accept_header_came_through_is_believed() -> None:
    assert verdict(accept=None).verdict is Verdict.human


@pytest.mark.parametrize("agent", ["Acme Reader 3 for telephones!", "Nokia6820/2.0 (4.83) MIDP"])
def test_an_agent_that_is_neither_is_not_known(agent: str) -> None:
    assert verdict(agent) == Told(Verdict.unknown, "strange_agent")


def test_every_word_of_the_table_is_found_and_hides_no_other() -> None:
    words = [word for robots in KNOWN for word in robots.words]
    assert len(words) == len(set(words))
    for robots in KNOWN:
        assert robots.source
        for word in robots.words:
            assert word == word.lower()
            assert verdict(f"{IPHONE} {word.upper()}").verdict is Verdict.machine


@given(st.text(max_size=400), st.text(max_size=100), st.none() | st.text(max_size=100))
def test_any_headers_are_told_of_and_only_a_browsers_are_human(
    agent: str, purpose: str, accept: str | None
) -> None:
    told = verdict(agent, purpose=purpose, accept=accept)
    if told.verdict is Verdict.human:
        assert agent.lower().startswith(("mozilla/", "opera/"))


def test_a_long_hostile_agent_costs_no_time() -> None:
    for agent in ("a" * 300, "mozilla/5.0 (" * 23, "1." * 150, " a." * 100 + "!"):
        named.cache_clear()
        assert named(agent) in ("", "bare_agent")
