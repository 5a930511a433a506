"""Short links: measured when a text is planned, made when it leaves, and only to allowed hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from connector import clock
from connector.errors import Deferred, ExpressionFailed
from connector.model import Json
from connector.rules.plays import Mode, Play
from connector.steps import links
from connector.steps.links import PLACEHOLDER
from connector.text import count as segments
from tests.steps.build import HOUR, PHONE, WELCOME, Shop

OpenShop = Callable[..., Shop]
BASE = "https://t.corner.example"
URL = "https://corner.example/cart/1"


def codes() -> Iterator[str]:
    return (f"CODE{number:07}" for number in count(1))


@pytest.fixture
def linked(open_shop: OpenShop) -> Callable[..., Shop]:
    """Opens shops whose welcome has a short link to ``signal.url``."""

    def make(
        text: str = "Corner Shop: {{ link(signal.url) }}", play: Play = WELCOME, **changes: Any
    ) -> Shop:
        made = codes()
        settings = {"links_url": BASE, "new_code": lambda: next(made), **changes}
        shop = open_shop(play, texts={"welcome": text}, **settings)
        shop.consent()
        return shop

    return make


def rows(shop: Shop) -> list[tuple[str, str, str]]:
    found = shop.rows("SELECT code, url, send_id FROM links ORDER BY code")
    return [(row["code"], row["url"], row["send_id"]) for row in found]


def test_a_planned_link_is_as_long_as_it_will_be_and_leads_nowhere(
    linked: Callable[..., Shop],
) -> None:
    shop = linked()
    shop.tell("signed_up", facts={"url": URL})
    shop.walk()
    [send] = shop.sends()
    assert send["text"] == f"Corner Shop: {BASE}/l/{PLACEHOLDER}"
    assert rows(shop) == []
    shop.dispatch()
    [sent] = shop.carrier.sent
    assert sent.text == f"Corner Shop: {BASE}/l/CODE0000001"
    assert segments(sent.text) == segments(send["text"])
    assert rows(shop) == [("CODE0000001", URL, send["id"])]
    [link] = shop.rows("SELECT contact_id FROM links")
    assert link["contact_id"] == send["contact_id"]


def test_a_text_that_is_tried_again_keeps_its_code(linked: Callable[..., Shop]) -> None:
    shop = linked()
    shop.carrier.answers.append(Deferred("busy"))
    shop.tell("signed_up", facts={"url": URL})
    shop.go()
    shop.go(HOUR)
    first, again = (message.text for message in shop.carrier.sent)
    assert first == again
    assert len(rows(shop)) == 1


def test_each_text_and_each_address_has_a_code_of_its_own(linked: Callable[..., Shop]) -> None:
    shop = linked("Corner Shop: {{ link(signal.url) }} {{ link(signal.url) }} {{ link(signal.b) }}")
    shop.tell("signed_up", facts={"url": URL, "b": f"{URL}/b"})
    shop.go()
    [sent] = shop.carrier.sent
    one, same, other = sent.text.removeprefix("Corner Shop: ").split()
    assert one == same != other
    shop.tell("signed_up", facts={"url": URL, "b": f"{URL}/b"}, key="again")
    shop.go()
    assert len({code for code, _, _ in rows(shop)}) == 4


def test_a_dry_text_makes_no_link(linked: Callable[..., Shop]) -> None:
    shop = linked(play=replace(WELCOME, mode=Mode.shadow))
    shop.tell("signed_up", facts={"url": URL})
    shop.go()
    assert shop.states() == ["cancelled"]
    assert rows(shop) == []


def test_without_an_address_of_our_own_a_link_is_left_as_it_is(linked: Callable[..., Shop]) -> None:
    shop = linked(links_url="")
    shop.tell("signed_up", facts={"url": URL})
    shop.go()
    assert shop.carrier.sent[0].text == f"Corner Shop: {URL}"
    assert rows(shop) == []


def test_a_strangers_link_leads_only_to_allowed_hosts(linked: Callable[..., Shop]) -> None:
    shop = linked()
    shop.tell("identified")
    shop.tell("signed_up", facts={"url": "https://evil.example/x"}, source="site", key="k1")
    shop.tell("signed_up", facts={"url": "https://shop.corner.example/x"}, source="site", key="k2")
    assert shop.go() == 1
    assert ("stop", "value_missing") in shop.decisions("plan")
    assert [url for _, url, _ in rows(shop)] == ["https://shop.corner.example/x"]


def test_our_own_short_link_needs_no_allowed_host_but_what_stands_beside_it_does(
    linked: Callable[..., Shop],
) -> None:
    shop = linked(
        "Corner Shop: {{ link(signal.url) }}{{ signal.tail }}", links_url="https://t.link"
    )
    shop.tell("identified")
    for key, tail in (("k1", " ok"), ("k2", " evil.example"), ("k3", ".evil.example")):
        shop.tell("signed_up", facts={"url": URL, "tail": tail}, source="site", key=key)
    shop.go()
    assert [message.text for message in shop.carrier.sent] == [
        "Corner Shop: https://t.link/l/CODE0000001 ok"
    ]


def test_a_trusted_sources_link_may_lead_to_any_host(linked: Callable[..., Shop]) -> None:
    shop = linked("Corner Shop: {{ link(signal.order_id) }}")
    shop.tell("identified")
    told = {"order_id": "https://carrier.example/track/1"}
    shop.put({"messageId": "m1", "event": "signed_up", "userId": "ann", "properties": told})
    assert shop.go() == 1
    assert [url for _, url, _ in rows(shop)] == ["https://carrier.example/track/1"]


BAD: tuple[Json, ...] = (
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://corner.example/x",
    "//corner.example/x",
    "/cart",
    "corner.example/cart",
    "https://",
    "https:///evil.example",
    "https:evil.example",
    "https://corner.example@evil.example/",
    "https://evil.example\\@corner.example/",
    "https://evil.example\\.corner.example",
    "https://evil.example%2f.corner.example/",
    "https://evil.example%00.corner.example/",
    "https://corner.example:99999/",
    "https://corner.example:x/",
    "https://[::1]/",
    "https://corner.example/a b",
    "https://corner.example/\r\nSet-Cookie: a=b",
    "https://corner.example/\x00",
    "https://cörner.example/",
    "https://-corner.example/",
    "https://corner..example/",
    f"https://corner.example/{'x' * 1_000}",
    "",
    7,
    None,
    ["https://corner.example"],
)


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("minting", [True, False])
@pytest.mark.parametrize("url", BAD)
def test_what_is_no_plain_link_becomes_none(
    shop: Shop, url: Json, minting: bool, trusted: bool
) -> None:
    shop.rt.links_url = BASE
    with shop.store.write() as tx:
        made = links.for_send(tx, shop.rt, "snd_1", "con_1", minting, trusted=trusted)
        with pytest.raises(ExpressionFailed):
            made.link(url)
    assert rows(shop) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://corner.example.evil.example/",
        "https://evilcorner.example/",
        "https://evil.example/?https://corner.example",
        "https://evil.example#.corner.example",
        "https://evil.example?.corner.example",
        "http://10.0.0.1/",
    ],
)
def test_another_host_is_refused_by_name(shop: Shop, url: str) -> None:
    with shop.store.write() as tx:
        made = links.for_send(tx, shop.rt, "snd_1", "con_1", True)
        with pytest.raises(ExpressionFailed, match="not in link_hosts"):
            made.link(url)


def test_codes_are_of_letters_that_every_text_keeps_and_are_never_the_same() -> None:
    made = {clock.new_code() for _ in range(2_000)}
    assert len(made) == 2_000
    assert {len(code) for code in made} == {clock.CODE_LENGTH}
    assert set().union(*made) <= set(clock.CODE_LETTERS)
    assert len(set(clock.CODE_LETTERS)) ** clock.CODE_LENGTH >= 2**60
    assert not set("0O1lIaeiouAEIOU") & set(clock.CODE_LETTERS)
    assert set(PLACEHOLDER).isdisjoint(clock.CODE_LETTERS)


def test_a_code_that_is_taken_is_not_given_twice(linked: Callable[..., Shop]) -> None:
    made = iter(["CODE0000001", "CODE0000001", "CODE0000002"])
    shop = linked(new_code=lambda: next(made))
    for key in ("k1", "k2"):
        shop.tell("signed_up", facts={"url": URL}, key=key)
        shop.go()
    assert [code for code, _, _ in rows(shop)] == ["CODE0000001", "CODE0000002"]


def test_the_number_is_in_no_link(linked: Callable[..., Shop]) -> None:
    shop = linked()
    shop.tell("signed_up", facts={"url": URL})
    shop.go()
    assert PHONE not in str(rows(shop))
