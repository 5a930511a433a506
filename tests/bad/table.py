"""Bad input, row by row: what is sent, what is answered, and what of it is kept.

``MARK`` stands in a body where the row's own id goes, by which what was kept is found again.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.bad.house import (
    API_KEY,
    NOON,
    Answer,
    House,
    basic,
    bomb,
    sandbox,
    shopify,
    timed,
    webhook,
)
from tests.running import BACKEND_KEY, SITE_KEY

MARK = "<mark>"
Send = Callable[[House, str], Answer]


@dataclass(frozen=True)
class Row:
    """One thing a stranger tries.

    ``kept`` is "" for nothing, or where it stands and why: ``unreadable: too_deep``,
    ``failed: traits.first_name``, ``unmapped: unknown_event``, ``done``.
    """

    send: Send
    status: int
    code: str = ""
    kept: str = ""


def marked(body: Any, mark: str) -> bytes:
    """The body with the row's own id in it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw.replace(MARK.encode(), mark.encode())


def tell(
    body: Any, door: str = "track", key: str = BACKEND_KEY, headers: Mapping[str, str] | None = None
) -> Send:
    """A body to a tracking path, as it is or as JSON."""
    return lambda house, mark: house.ask(
        "POST", f"/v1/{door}", marked(body, mark), headers or {}, key=key
    )


def start(play: str, body: Any, key: str = API_KEY) -> Send:
    """A body to the path that starts a play by hand, with an operator's key."""
    headers = {"Authorization": f"Bearer {key}"}
    return lambda house, mark: house.ask(
        "POST", f"/api/plays/{play}/start", marked(body, mark), headers
    )


def ask_api(what: str, body: Any) -> Send:
    """A body to one of the API's own addresses."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return lambda house, mark: house.ask("POST", f"/api/{what}", marked(body, mark), headers)


def twice(house: House, mark: str) -> Answer:
    """One id for two requests, of which the first does nothing either."""
    ask_api("resume", {"why": "x", "id": MARK})(house, mark)
    return ask_api("resume", {"play": "welcome", "why": "x", "id": MARK})(house, mark)


def hook(source: str, body: Any, sign: Callable[[bytes, str], Mapping[str, str]]) -> Send:
    """A body to a webhook's path, with the headers that ``sign`` makes of body and id."""

    def send(house: House, mark: str) -> Answer:
        raw = marked(body, mark)
        return house.ask("POST", f"/in/{source}", raw, sign(raw, mark))

    return send


def event(**more: Any) -> dict[str, Any]:
    """A tracked event of a known person about a known thing."""
    return {"messageId": MARK, "event": "Product Added", "userId": "u-7", **more}


def about(**properties: Any) -> dict[str, Any]:
    """The same with properties."""
    return event(properties={"cart_id": "c-7", **properties})


def traits(**told: Any) -> dict[str, Any]:
    """Who somebody is, told by a server."""
    return {"messageId": MARK, "userId": "u-7", "traits": told}


def nested(depth: int, inner: str = "1") -> bytes:
    """An event whose properties are so deep."""
    raw = json.dumps(event(properties="<deep>")).encode()
    return raw.replace(b'"<deep>"', b'{"a":' * depth + inner.encode() + b"}" * depth)


def literal(value: str) -> bytes:
    """An event with a value that ``json.dumps`` would not write."""
    return json.dumps(about(value="<literal>")).encode().replace(b'"<literal>"', value.encode())


def many(*items: Any) -> Send:
    """A webhook of many events, by a bearer token."""
    return hook("many", {"events": list(items)}, lambda raw, mark: {"Authorization": "Bearer many"})


ORDER = {"id": 7, "name": "#7", "total_price": "9.50", "currency": "USD", "customer": {"id": 9}}
WEBHOOK = {"type": "pricing.viewed", "data": {"user_id": "u-7"}}
SEEN = {"id": MARK, "name": "seen", "user": "u-7"}
OLD, NEW = NOON - timedelta(minutes=6), NOON + timedelta(minutes=6)
BATCH = {"batch": [{**event(), "type": "track"}]}

UNREADABLE: Mapping[str, Row] = {
    "broken JSON": Row(tell(b'{"messageId":"<mark>",'), 400, "unreadable", "unreadable: not JSON"),
    "broken JSON, unknown key": Row(
        tell(b'{"messageId":"<mark>",', key="nobody"), 400, "unreadable"
    ),
    "broken JSON, key inside": Row(
        tell(b'{"messageId":"<mark>","writeKey":"backend-key",', key=""), 400, "unreadable"
    ),
    "no body": Row(tell(b""), 400, "unreadable"),
    "a form": Row(
        tell(b"messageId=<mark>&event=A"), 400, "unreadable", "unreadable: the body is not JSON"
    ),
    "a comment": Row(
        tell(b'{"messageId":"<mark>"/* */}'), 400, "unreadable", "unreadable: not JSON"
    ),
    "two values": Row(tell(b'{"messageId":"<mark>"} {}'), 400, "unreadable", "unreadable: content"),
    "a list": Row(tell(["<mark>"]), 400, "unreadable", "unreadable: not a JSON object"),
    "a text": Row(tell('"<mark>"'), 400, "unreadable", "unreadable: not a JSON object"),
    "a batch that is a table": Row(
        tell({"batch": {"a": MARK}}, "batch"), 400, "unreadable", "unreadable: no list named batch"
    ),
    "an event as a batch": Row(
        tell(event(), "b"), 400, "unreadable", "unreadable: no list named batch"
    ),
    "broken UTF-8": Row(
        tell(b'{"messageId":"<mark>","event":"\xff"}'), 400, "unreadable", "unreadable: not JSON"
    ),
    "deep JSON without an end": Row(
        tell(b'["<mark>",' + b"[" * 20_000), 400, "unreadable", "unreadable: "
    ),
    "deep JSON in a batch": Row(
        tell(b'{"a":"<mark>","batch":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "batch"),
        400,
        "unreadable",
        "unreadable: ",
    ),
    "gzip cut short": Row(tell(gzip.compress(b"{}" * 99)[:-9]), 400, "unreadable"),
    "gzip that is none": Row(tell(b"\x1f\x8b" + b"x" * 50), 400, "unreadable"),
    "gzip in many parts": Row(tell(gzip.compress(b"") * 500), 400, "unreadable"),
    "a signed webhook of broken JSON": Row(
        hook("shop", b'{"id":"<mark>"', shopify), 400, "unreadable", "unreadable: not JSON"
    ),
    "a signed webhook of no JSON at all": Row(
        hook("hook", b"<mark>", webhook), 400, "unreadable", "unreadable: not JSON"
    ),
}

REFUSED: Mapping[str, Row] = {
    "no key": Row(tell(event(), key=""), 401, "unverified"),
    "an unknown key": Row(tell(event(), key="nobody"), 401, "unverified"),
    "an unknown key in the body": Row(tell(event(writeKey="no"), key=""), 401, "unverified"),
    "a key that is a table": Row(tell(event(writeKey={"a": 1}), key=""), 401, "unverified"),
    "a key of another source's secret": Row(tell(event(), key="hush"), 401, "unverified"),
    "a key of SQL": Row(tell(event(), key="' OR 1=1 --"), 401, "unverified"),
    "a bearer token": Row(
        tell(event(), key="", headers={"Authorization": "Bearer backend-key"}), 401, "unverified"
    ),
    "half a Basic header": Row(
        tell(event(), key="", headers={"Authorization": "Basic"}), 401, "unverified"
    ),
    "no signature": Row(hook("shop", ORDER, lambda raw, mark: {}), 401, "unverified"),
    "a wrong signature": Row(
        hook("shop", ORDER, lambda raw, mark: shopify(raw + b" ", mark)), 401, "unverified"
    ),
    "a signature of nothing": Row(
        hook("shop", ORDER, lambda raw, mark: {"X-Shopify-Hmac-Sha256": ""}), 401, "unverified"
    ),
    "a signature of bytes above 127": Row(
        hook("shop", ORDER, lambda raw, mark: {"X-Shopify-Hmac-Sha256": "\xe9"}), 401, "unverified"
    ),
    "a stale timestamp": Row(
        hook("hook", WEBHOOK, lambda raw, mark: webhook(raw, mark, OLD)), 401, "unverified"
    ),
    "a timestamp of tomorrow": Row(
        hook("hook", WEBHOOK, lambda raw, mark: webhook(raw, mark, NEW)), 401, "unverified"
    ),
    "a signature of another id": Row(
        hook("hook", WEBHOOK, lambda raw, mark: {**webhook(raw, "other"), "webhook-id": mark}),
        401,
        "unverified",
    ),
    "a timestamp that is a word": Row(
        hook("hook", WEBHOOK, lambda raw, mark: {**webhook(raw, mark), "webhook-timestamp": "now"}),
        401,
        "unverified",
    ),
    "a stale timestamped signature": Row(
        hook("timed", {"id": MARK}, lambda raw, mark: timed(raw, OLD)), 401, "unverified"
    ),
    "a newer time under an old signature": Row(
        hook(
            "timed",
            {"id": MARK},
            lambda raw, mark: {"X-Signed": timed(raw)["X-Signed"].replace("t=1", "t=2")},
        ),
        401,
        "unverified",
    ),
    "two times in one signature": Row(
        hook("timed", {"id": MARK}, lambda raw, mark: {"X-Signed": "t=1,t=2,v1=00"}),
        401,
        "unverified",
    ),
    "a source of write keys as a webhook": Row(
        hook("backend", BATCH, lambda raw, mark: {}), 401, "unverified"
    ),
    "a callback without signature": Row(
        lambda house, mark: house.ask("POST", "/providers/sandbox", b"[]"), 401, "unverified"
    ),
    "a callback with a wrong signature": Row(
        lambda house, mark: house.ask("POST", "/providers/sandbox", b"[]", sandbox(b"[ ]")),
        401,
        "unverified",
    ),
    "an unknown play": Row(start("nothing", {"contact": {"user_id": "u"}}), 404, "unknown_play"),
    "a start without a key": Row(
        lambda house, mark: house.ask("POST", "/api/plays/welcome/start", b"{}"), 401, "unverified"
    ),
    "a start with another key": Row(start("welcome", {}, key="no"), 401, "unverified"),
    "a start of nobody": Row(start("welcome", {"contact": {}}), 400, "unreadable"),
    "a start that is no object": Row(start("welcome", []), 400, "unreadable"),
    "a start with facts that are none": Row(
        start("welcome", {"contact": {"user_id": "u"}, "facts": 7}), 400, "unreadable"
    ),
    "a question without its scope": Row(ask_api("can-send", {}), 403, "scope_missing"),
    "a pause of a play that is none": Row(ask_api("pause", {"play": "x"}), 404, "unknown_play"),
    "a pause with a field that is none": Row(ask_api("pause", {"plays": "x"}), 400, "unreadable"),
    "a resume without a reason": Row(ask_api("resume", {}), 400, "unreadable"),
    "an id that was used for something else": Row(twice, 409, "id_used"),
    "a reload without a key": Row(
        lambda house, mark: house.ask("POST", "/api/reload", b""), 401, "unverified"
    ),
    "an unknown source": Row(hook("nobody", ORDER, shopify), 404, "unknown_source"),
    "a source that is a path": Row(hook("..%2f..%2fetc", ORDER, shopify), 404, "unknown_source"),
    "a source with a NUL": Row(hook("shop%00", ORDER, shopify), 404, "unknown_source"),
    "an unknown provider": Row(
        lambda house, mark: house.ask("POST", "/providers/nobody", b"[]"), 404, "unknown_provider"
    ),
    "the settings of an unknown key": Row(
        lambda house, mark: house.ask("GET", "/v1/projects/nobody/settings"), 404, "unknown_key"
    ),
    "an unknown path": Row(lambda house, mark: house.ask("POST", "/v3/track"), 404, "not_found"),
    "a path with a slash too many": Row(
        lambda house, mark: house.ask("POST", "/v1/track/"), 404, "not_found"
    ),
    "a path that climbs": Row(
        lambda house, mark: house.ask("GET", "/%2e%2e/%2e%2e/etc/passwd"), 404, "not_found"
    ),
    "reading what is written": Row(
        lambda house, mark: house.ask("GET", "/v1/track"), 405, "method_not_allowed"
    ),
    "deleting a source": Row(
        lambda house, mark: house.ask("DELETE", "/in/shop"), 405, "method_not_allowed"
    ),
    "a method of one's own": Row(
        lambda house, mark: house.ask("EAT", "/health"), 405, "method_not_allowed"
    ),
    "an event of 40 KB": Row(tell(about(name="x" * 40_000)), 413, "too_large"),
    "a batch of 600 KB": Row(
        tell({"batch": [about(name="x" * 30_000)] * 20}, "batch"), 413, "too_large"
    ),
    "a batch of 5,001": Row(tell({"batch": [0] * 5_001}, "batch"), 413, "too_large"),
    "10 MB to a tracking path": Row(tell(b"x" * 10_000_000), 413, "too_large"),
    "10 MB in chunks": Row(
        lambda house, mark: house.raw(chunked("/v1/track", b"x" * 10_000, 1_000)),
        413,
        "too_large",
    ),
    "10 MB as a webhook": Row(
        hook("shop", b"x" * 10_000_000, lambda raw, mark: {}), 413, "too_large"
    ),
    "10 MB as a callback": Row(
        lambda house, mark: house.ask("POST", "/providers/sandbox", b"x" * 10_000_000),
        413,
        "too_large",
    ),
    "a gzip bomb": Row(tell(bomb(50_000_000)), 413, "too_large"),
    "a gzip bomb in a batch": Row(tell(bomb(50_000_000), "batch"), 413, "too_large"),
    "a gzip bomb in two parts": Row(tell(gzip.compress(b"{") + bomb(9_000_000)), 413, "too_large"),
    "a gzip bomb as a webhook": Row(
        hook("shop", bomb(20_000_000), lambda raw, mark: {}), 413, "too_large"
    ),
    "deflate": Row(
        tell(zlib.compress(b"{}"), headers={"Content-Encoding": "deflate"}), 415, "encoding_unknown"
    ),
    "brotli": Row(tell(b"x", headers={"Content-Encoding": "br"}), 415, "encoding_unknown"),
    "gzip within gzip": Row(
        tell(b"x", headers={"Content-Encoding": "gzip, gzip"}), 415, "encoding_unknown"
    ),
}


def chunked(path: str, chunk: bytes, times: int) -> bytes:
    """A request whose body comes in chunks, without saying how many."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(BACKEND_KEY)}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    one = b"%x\r\n%s\r\n" % (len(chunk), chunk)
    return head.encode() + one * times + b"0\r\n\r\n"


TAKEN: Mapping[str, Row] = {
    "an unknown event": Row(tell(event(event="Sneezed")), 200, "", "unmapped: unknown_event"),
    "an event of nobody": Row(tell({**about(), "userId": None}), 200, "", "unmapped: no_subject"),
    "a name of 20,000 letters": Row(
        tell(event(event="A" * 20_000)), 200, "", "unmapped: unknown_event"
    ),
    "a name of control characters": Row(
        tell(event(event="\x1b]0;gotcha\x07\r\n\0")), 200, "", "unmapped: unknown_event"
    ),
    "an event without a name": Row(
        tell({"messageId": MARK, "userId": "u-7"}), 200, "", "unreadable: event_name_missing"
    ),
    "a name that is a number": Row(tell(event(event=7)), 200, "", "unreadable: event_name_missing"),
    "an unknown type in a batch": Row(
        tell({"batch": [{**event(), "type": "dance"}]}, "batch"),
        200,
        "",
        "unreadable: type_unknown",
    ),
    "an id of 400 letters": Row(
        tell({**event(messageId="i" * 400), "note": MARK}),
        200,
        "",
        "unreadable: message_id_too_long",
    ),
    "an id that is a table": Row(
        tell(event(messageId={"a": MARK})), 200, "", "unreadable: message_id_unreadable"
    ),
    "an event that is a text": Row(
        tell({"batch": [MARK]}, "batch"), 200, "", "unreadable: not_an_object"
    ),
    "an event 150 deep": Row(tell(nested(150)), 200, "", "unreadable: too_deep"),
    "an event 90 deep": Row(tell(nested(90)), 200, "", "done"),
    "a value 90 lists deep": Row(
        tell(literal("[" * 90 + "]" * 90)), 200, "", "failed: facts.value"
    ),
    # -- phones -------------------------------------------------------------------------------
    "no phone": Row(tell(traits(sms_consent=True), "identify"), 200, "", "done: a consent needs"),
    "a phone that is a word": Row(
        tell(traits(phone="none of yours"), "identify"), 200, "", "done: is no telephone number"
    ),
    "a phone too short": Row(
        tell(traits(phone="+1212555"), "identify"), 200, "", "done: is too short for US"
    ),
    "a phone too long": Row(
        tell(traits(phone="+12125550123456"), "identify"), 200, "", "done: is too long for US"
    ),
    "a phone of no country": Row(
        tell(traits(phone="+999123456789"), "identify"), 200, "", "done: begins with no country"
    ),
    "a phone of 3,000 digits": Row(
        tell(traits(phone="1" * 3_000), "identify"), 200, "", "done: a number has at most 64"
    ),
    "a phone with an extension": Row(
        tell(traits(phone="+1 212 555 0123 ext. 9"), "identify"), 200, "", "done: an extension"
    ),
    "a phone out of a spreadsheet": Row(
        tell(traits(phone="2125550123.0"), "identify"), 200, "", "done: send the number as a text"
    ),
    "a phone in powers of ten": Row(
        tell(traits(phone="4.91761234567E+11"), "identify"), 200, "", "done: spreadsheets"
    ),
    "a phone that is true": Row(
        tell(traits(phone=True), "identify"), 200, "", "done: neither a text nor a number"
    ),
    "a phone that is a table": Row(
        tell(traits(phone={"a": 1}), "identify"), 200, "", "done: neither a text nor a number"
    ),
    "a phone beyond 64 bits": Row(
        tell(traits(phone=10**30), "identify"), 200, "", "failed: subject.phone"
    ),
    "a phone from a browser": Row(
        tell(traits(phone="+12125550199", sms_consent=True), "identify", SITE_KEY),
        200,
        "",
        "done: a browser source gives no phone number",
    ),
    "a consent that is a word": Row(
        tell(traits(phone="+12125550198", sms_consent="maybe"), "identify"), 200, "", "done"
    ),
    # -- ids ----------------------------------------------------------------------------------
    **{
        f"an id that is {name}": Row(
            tell({**about(), "userId": value}), 200, "", "unmapped: is no usable id"
        )
        for name, value in {
            "a NUL": "\0",
            "two header lines": "a\r\nSet-Cookie: a=b",
            "right to left": "\u202eabc",
            "of no width": "\u200b",
            "null in words": "null",
            "an object in words": "[object Object]",
            "300 letters": "x" * 300,
            "true": True,
            "a list": [1],
        }.items()
    },
    "an id of SQL": Row(tell({**about(), "userId": "'; DROP TABLE events;--"}), 200, "", "done"),
    "an id of emoji": Row(tell({**about(), "userId": "🦊🦊"}), 200, "", "done"),
    "an id beyond 64 bits": Row(
        tell({**about(), "userId": 10**30}), 200, "", "failed: subject.user_id"
    ),
    "an id with half a surrogate pair": Row(
        tell(b'{"messageId":"<mark>","event":"Product Added","userId":"u\\ud800"}'), 200, "", "done"
    ),
    "a byte order mark": Row(tell(b"\xef\xbb\xbf" + json.dumps(about()).encode()), 200, "", "done"),
    "a key twice": Row(
        tell(b'{"messageId":"<mark>","event":"a","event":"Cart Viewed","userId":"u-7"}'),
        200,
        "",
        "done",
    ),
    # -- numbers ------------------------------------------------------------------------------
    "a number that is none": Row(tell(literal("NaN")), 200, "", "done"),
    "a number without end": Row(tell(literal("-Infinity")), 200, "", "done"),
    "a number beyond all bounds": Row(tell(literal("1e999")), 200, "", "done"),
    "a number of 5,000 digits": Row(tell(literal("9" * 5_000)), 200, "", "done"),
    "a number beyond 64 bits": Row(tell(about(value=10**25)), 200, "", "failed: facts.value"),
    "an amount of no currency": Row(
        tell(event(event="Order Completed", properties={"total": 1e18, "order_id": MARK})),
        200,
        "",
        "done: value: is no amount",
    ),
    # -- times --------------------------------------------------------------------------------
    "the year 1": Row(
        tell(event(event="Pricing Viewed", timestamp="0001-01-01T00:00:00Z")), 200, "", "done"
    ),
    "the year 9999": Row(
        tell(event(event="Pricing Viewed", timestamp="9999-12-31T23:59:59Z")), 200, "", "done"
    ),
    "a time before all time": Row(
        tell(event(timestamp="0001-01-01T00:00:00+14:00")),
        200,
        "",
        "unreadable: timestamp_unreadable",
    ),
    "a time that is a word": Row(
        tell(event(timestamp="soon")), 200, "", "unreadable: timestamp_unreadable"
    ),
    "a time beyond the calendar": Row(
        tell(event(timestamp=1e300)), 200, "", "unreadable: timestamp_unreadable"
    ),
    "a clock that was never set": Row(
        tell(event(timestamp="2026-11-18T16:59:00Z", sentAt="1970-01-01T00:00:00Z")),
        200,
        "",
        "done",
    ),
    # -- values that want to be more than values ----------------------------------------------
    "a name of 5,000 letters": Row(
        tell(traits(firstName="x" * 5_000), "identify"), 200, "", "failed: traits.first_name"
    ),
    "properties that are a list": Row(tell(event(properties=[1, 2])), 200, "", "done"),
    "properties that are a text": Row(tell(event(properties="x" * 900)), 200, "", "done"),
    "2,000 properties": Row(tell(about(**{f"p{n}": n for n in range(2_000)})), 200, "", "done"),
    "products that are true": Row(tell(about(products=True)), 200, "", "failed: facts.quantity"),
    "a time zone that is a path": Row(
        tell(traits(timezone="../../etc/passwd"), "identify"), 200, "", "done"
    ),
    "a country that is none": Row(
        tell(traits(address={"country": "Freedonia"}), "identify"), 200, "", "done: traits.country"
    ),
    # -- webhooks -----------------------------------------------------------------------------
    "a webhook without a topic": Row(
        hook("shop", ORDER, lambda raw, mark: {**shopify(raw, mark), "X-Shopify-Topic": ""}),
        200,
        "",
        "unmapped: unknown_event",
    ),
    "a list without a list": Row(
        hook("many", {"a": MARK}, lambda raw, mark: {"Authorization": "Bearer many"}),
        200,
        "",
        "unreadable: for_each",
    ),
    "a webhook whose times do not go together": Row(
        many({**SEEN, "at": {"a": 1}, "sum": 1}), 200, "", "done"
    ),
    "a webhook whose values do not go together": Row(
        many({**SEEN, "sum": "x"}), 200, "", "failed: facts.sum"
    ),
    "a webhook whose values grow": Row(
        many({**SEEN, "sum": 1, "first": "x" * 3_000, "second": "y" * 3_000}),
        200,
        "",
        "failed: facts.long",
    ),
    "a webhook of 1,001 events": Row(
        hook(
            "many",
            {"events": [{"id": MARK}] + [{}] * 1_000},
            lambda raw, mark: {"Authorization": "Bearer many"},
        ),
        200,
        "",
        "unreadable: at most 1000",
    ),
    # -- callbacks ----------------------------------------------------------------------------
    "a signed callback of nothing known": Row(
        lambda house, mark: house.ask(
            "POST", "/providers/sandbox", body := marked([{"kind": MARK}], mark), sandbox(body)
        ),
        200,
        "",
        "unreadable: a sandbox callback is a list",
    ),
}

HEAD = f"Host: x\r\nAuthorization: {basic(BACKEND_KEY)}\r\n"


def line(rest: str, body: str = "", path: str = "/v1/track") -> bytes:
    """A request to the tracking path with these further header lines."""
    return f"POST {path} HTTP/1.1\r\n{HEAD}{rest}\r\n{body}".encode("utf-8", "surrogateescape")


RAW: Mapping[str, tuple[bytes, int]] = {
    "no HTTP": (b"\x00\x01\x02 hello\r\n\r\n", 400),
    "a TLS greeting": (bytes.fromhex("16030100a5010000a1") + b"x" * 160, 400),
    "HTTP/0.9": (b"GET /health\r\n\r\n", 400),
    "HTTP/2 without asking": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
    "a blank in the path": (b"GET /he alth HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a path of 100 KB": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a header of 1 MB": (line("X-A: " + "a" * 1_000_000 + "\r\n"), 431),
    "500 headers": (line("".join(f"X-{n}: a\r\n" for n in range(500))), 431),
    "a NUL in a header": (line("X-A: a\0b\r\n"), 400),
    "a folded header": (line("X-A: a\r\n b\r\n"), 400),
    "a length that is a word": (line("Content-Length: abc\r\n", "{}"), 400),
    "a length below zero": (line("Content-Length: -5\r\n", "{}"), 400),
    "a length beyond all bounds": (line("Content-Length: " + "9" * 30 + "\r\n", "{}"), 400),
    "a length beyond our bounds": (line("Content-Length: 900000000000\r\n", "{}"), 413),
    "two lengths": (line("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), 400),
    "no length": (line("", '{"event":"A"}'), 400),
    "a chunk of no size": (line("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk below zero": (line("Transfer-Encoding: chunked\r\n", "-1\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk beyond all bounds": (
        line("Transfer-Encoding: chunked\r\n", "f" * 17 + "\r\n{}\r\n0\r\n\r\n"),
        400,
    ),
    "a body in two ways": (
        line("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        400,
    ),
}
"""Requests that are no HTTP, or hardly; nothing is ever kept of them."""
