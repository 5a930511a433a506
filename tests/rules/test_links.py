"""Links as a phone would find them, and strangers' strings made safe."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.rules.links import cleaned, host, links, safe_link, untrusted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://evil.example/x?y=1.", ["https://evil.example/x?y=1"]),
        ("see evil.example/x", ["evil.example/x"]),
        ("see (evil.example)!", ["evil.example"]),
        ("a,HTTPS://Evil.Example", ["HTTPS://Evil.Example"]),
        ("http://10.0.0.1/x", ["http://10.0.0.1/x"]),
        ("evil．example/x", ["evil.example/x"]),
        ("evil。example", ["evil.example"]),
        ("пример.рф now", ["пример.рф"]),
        ("xn--e1afmkfd.xn--p1ai", ["xn--e1afmkfd.xn--p1ai"]),
        (
            "https://good.example,https://evil.example",
            ["https://good.example", "https://evil.example"],
        ),
        ("write to help@corner.example", []),
        ("help@evil.example/x", ["help@evil.example/x"]),
        ("//evil.example/x", ["//evil.example/x"]),
        ("http:\\\\evil.example", ["http:\\\\evil.example"]),
        ("\\\\evil.example\\x", ["\\\\evil.example\\x"]),
        ("see:evil.example", ["see:evil.example"]),
        ("x=evil.example/y", ["x=evil.example/y"]),
        ("~evil.example`", ["~evil.example`"]),
        ("192.0.2.7/x", ["192.0.2.7/x"]),
        ("corner.example/a.html?b=c.de", ["corner.example/a.html?b=c.de"]),
        ("on 18.11.2026 at 2.50", []),
        ("corner.example=evil.example", ["corner.example", "evil.example"]),
        ("first.last@corner.example", []),
        ("only $42.50 for 1.5 kg, e.g. this... ok", []),
        ("Reply STOP to opt out", []),
        ("", []),
    ],
)
def test_links_are_found_with_or_without_a_scheme(text: str, found: list[str]) -> None:
    assert links(text) == found


@pytest.mark.parametrize(
    ("piece", "name"),
    [
        ("https://Corner.Example:8443/a", "corner.example"),
        ("https://corner.example@evil.example/", "evil.example"),
        ("https://corner.example:x@evil.example", "evil.example"),
        ("https://evil.example\\@corner.example", "evil.example"),
        ("https://evil.example?corner.example", "evil.example"),
        ("https://evil.example#@corner.example", "evil.example"),
        ("javascript://evil.example/%0a", "evil.example"),
        ("https://localhost", "localhost"),
        ("mug", ""),
        ("x=evil.example:80/y", "evil.example"),
        ("//evil.example", "evil.example"),
        ("http:\\\\evil.example", "evil.example"),
        ("-evil.example-", "evil.example"),
        ("192.0.2.7/x", "192.0.2.7"),
    ],
)
def test_the_host_of_a_link_is_the_one_it_leads_to(piece: str, name: str) -> None:
    assert host(piece) == name


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("Ann", "Ann"),
        ("  Ann\r\nMartin\x00 ", "Ann Martin"),
        ("Ann https://evil.example/win now", "Ann now"),
        ("Ann evil.example", "Ann"),
        ("Ann www.evil．example", "Ann"),
        ("A\u202enn\u200b", "Ann"),
        ("Zoë Müller-Łukasz 李", "Zoë Müller-Łukasz 李"),
        ("mail me@evil.example", "mail"),
        ("Ann http:\\\\evil.example //evil.example x=evil.example 192.0.2.7", "Ann"),
        ("x" * 300, "x" * 200),
        ("x" * 195 + " a.bc1", "x" * 195),
        ("$42.50", "$42.50"),
    ],
)
def test_a_strangers_string_loses_links_and_control_characters(dirty: str, clean: str) -> None:
    assert cleaned(dirty) == clean


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://corner.example/cart?id=1", True),
        ("http://corner.example", True),
        ("javascript:alert(1)", False),
        ("ftp://corner.example", False),
        ("https://", False),
        ("https://a@evil.example", False),
        ("https://corner.example\\@evil.example", False),
        ("https://corner.example/a b", False),
        ("https://corner.example/\u202e", False),
        ("https://[", False),
        ("https://corner.example/" + "x" * 1_000, False),
        ("/cart", False),
    ],
)
def test_only_a_plain_web_link_is_a_link(text: str, kept: bool) -> None:
    assert safe_link(text) == (text if kept else "")


def test_values_within_values_are_cleaned_by_their_own_names() -> None:
    dirty = {"title": "Mug evil.example", "image_url": "https://corner.example/i", "n": 2}
    assert untrusted("products", [dirty, True, None]) == [
        {"title": "Mug", "image_url": "https://corner.example/i", "n": 2},
        True,
        None,
    ]


@settings(deadline=None)
@given(st.text(max_size=80))
def test_nothing_cleaned_is_a_link_or_longer_or_unclean_again(text: Any) -> None:
    once = cleaned(text)
    assert links(once) == []
    assert len(once) <= 200
    assert all(sign.isprintable() for sign in once)
