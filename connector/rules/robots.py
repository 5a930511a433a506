"""Programs that fetch links and are nobody's finger: by what they call themselves.

Words are in small letters and looked for anywhere in the user agent. They come from what their
makers publish and from logs that are public (crawler-user-agents by monperrus, MIT; the lists of
Braze, Odoo and Insider of what fetches links in text messages), read in November 2026.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Robots(NamedTuple):
    """Programs of one kind; ``words`` of which any in a user agent gives them away."""

    kind: str  #: preview, search, scanner, monitor, library or browser without a person
    words: tuple[str, ...]
    source: str


KNOWN: Final = (
    Robots(
        "preview",
        ("facebookexternalhit", "facebookcatalog", "facebot", "meta-externalagent"),
        "developers.facebook.com/docs/sharing/webmasters/web-crawlers; Apple's Messages calls"
        " itself facebookexternalhit and Twitterbot too",
    ),
    Robots("preview", ("meta-externalfetcher", "meta-webindexer"), "the same page"),
    Robots("preview", ("whatsapp/",), "WhatsApp; Signal calls itself so too"),
    Robots("preview", ("slackbot", "slack-imgproxy"), "api.slack.com/robots"),
    Robots("preview", ("twitterbot",), "developer.x.com, Cards: troubleshooting"),
    Robots("preview", ("telegrambot",), "core.telegram.org/bots"),
    Robots("preview", ("discordbot",), "discordapp.com, in the agent itself"),
    Robots("preview", ("linkedinbot",), "linkedin.com, in the agent itself"),
    Robots("preview", ("skypeuripreview", "microsoftpreview"), "Skype and Teams"),
    Robots("preview", ("googlemessages", "google-pagerenderer"), "Google's Messages for Android"),
    Robots("preview", ("snap url preview", "kakaotalk-scrap", "line-poker"), "the apps' own names"),
    Robots("preview", ("pinterestbot", "pinterest/0."), "help.pinterest.com"),
    Robots("preview", ("redditbot", "vkshare", "mastodon/", "bluesky cardyb"), "monperrus"),
    Robots("preview", ("embedly", "iframely", "microlink", "yahoo link preview"), "monperrus"),
    Robots(
        "preview", ("quora link preview", "flipboardproxy", "bitlybot", "xing-content"), "monperrus"
    ),
    Robots(
        "search",
        ("googlebot", "googleother", "adsbot-google", "mediapartners-google", "apis-google"),
        "developers.google.com/search/docs/crawling-indexing/overview-google-crawlers",
    ),
    Robots(
        "search",
        ("feedfetcher-google", "google-read-aloud", "google-inspectiontool", "googleweblight"),
        "the same page",
    ),
    Robots("search", ("googleimageproxy", "storebot-google", "google favicon"), "the same page"),
    Robots("search", ("bingbot", "adidxbot", "msnbot", "bingpreview"), "bing.com/bingbot.htm"),
    Robots("search", ("applebot",), "support.apple.com/en-us/119829"),
    Robots("search", ("slurp", "duckduckbot", "duckassistbot", "baiduspider"), "monperrus"),
    Robots("search", ("yandexbot", "yandeximages", "petalbot", "bytespider", "ccbot"), "monperrus"),
    Robots(
        "search", ("gptbot", "chatgpt-user", "claudebot", "perplexity-user"), "their makers' pages"
    ),
    Robots("search", ("ia_archiver", "archive.org_bot", "yahoomailproxy"), "monperrus"),
    Robots("scanner", ("google-safety",), "the same page of Google's"),
    Robots("scanner", ("virustotal", "appengine-google"), "virustotal.com"),
    Robots("scanner", ("barracuda",), "Barracuda Sentinel (EE), in Braze's and others' lists"),
    Robots("scanner", ("proofpoint", "urldefense", "cloudmark"), "proofpoint.com"),
    Robots("scanner", ("mimecast", "zscaler", "messagelabs", "symantec", "bluecoat"), "own names"),
    Robots(
        "scanner",
        ("safelinks", "microsoft-urlanalyzer", "ms-office", "msoffice"),
        "Microsoft Defender and Office, which look whether a link is there",
    ),
    Robots(
        "scanner",
        ("microsoft office existence discovery", "microsoft data access"),
        "Microsoft Office",
    ),
    Robots("scanner", ("ironport", "ciscosecureemail"), "Cisco"),
    Robots("scanner", ("trendmicro", "trend micro", "sophos", "fortiguard"), "own names"),
    Robots("scanner", ("forcepoint", "websense", "fireeye", "trellix", "checkpoint"), "own names"),
    Robots("scanner", ("palo alto networks", "cortex xpanse"), "Expanse's own words"),
    Robots("scanner", ("urlscan", "phishtank", "netcraft", "safebrowsing"), "own names"),
    Robots("scanner", ("censysinspect", "zgrab", "masscan", "nmap", "nuclei"), "own names"),
    Robots("monitor", ("pingdom", "uptimerobot", "statuscake", "newrelicpinger"), "own names"),
    Robots("monitor", ("datadog", "site24x7", "w3c_validator", "chrome-lighthouse"), "own names"),
    Robots("browser", ("headlesschrome", "phantomjs", "puppeteer", "playwright"), "own names"),
    Robots("browser", ("selenium", "prerender", "cypress/"), "own names"),
    Robots("library", ("curl/", "wget", "libcurl", "httpie"), "own names"),
    Robots("library", ("python", "aiohttp", "httpx", "urllib", "scrapy"), "own names"),
    Robots("library", ("go-http-client", "fasthttp"), "pkg.go.dev/net/http"),
    Robots("library", ("java/", "okhttp", "apache-httpclient", "jakarta commons"), "own names"),
    Robots("library", ("ktor-client", "reactor-netty", "ahc/", "jersey/", "unirest"), "own names"),
    Robots(
        "library",
        ("dalvik/", "cfnetwork/", "darwin/"),
        "an app of Android or Apple's that fetches without showing",
    ),
    Robots("library", ("libwww-perl", "lwp::", "mechanize", "faraday v"), "own names"),
    Robots("library", ("guzzlehttp", "php/", "symfony", "wordpress/", "drupal"), "own names"),
    Robots("library", ("axios", "node-fetch", "undici", "node.js", "superagent"), "own names"),
    Robots("library", ("got (", "request-promise", "postmanruntime", "insomnia/"), "own names"),
    Robots("library", ("winhttp", "powershell", "restsharp", "dart/", "reqwest"), "own names"),
)
