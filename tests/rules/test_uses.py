"""Which plays use a signal, and what for, is told of every way in which a play may listen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connector.expressions import Expression, compile_expression
from connector.rules.plays import Choice, Exit, FanOut, Goal, Start, Step, WaitFor
from connector.rules.uses import Use, uses
from tests.steps.build import CART, HOUR, WELCOME


def asks(written: str) -> Expression:
    return compile_expression(written, strict=True)


SHOWN = replace(
    WELCOME,
    name="shown",
    start=Start("price_changed", fan_out=FanOut(("product_viewed",))),
    audience=asks("count('order_completed') > 0"),
    steps=(
        Step("wait", wait_for=WaitFor(("paid", "replied"), timedelta(hours=1))),
        Step("say", choices=(Choice(asks("count('paid') > 1"), "welcome"),)),
    ),
    exit=Exit(when=asks("count('left') > 0")),
    goal=Goal("paid", HOUR, where=asks("count('order_completed') > 1")),
)


def hows(signal: str) -> list[tuple[str, str]]:
    return [(use.play, use.how) for use in uses([CART, SHOWN]).get(signal, ())]


def test_every_way_to_listen_is_told_once_in_the_order_of_the_plays() -> None:
    assert hows("cart_updated") == [("cart", "starts")]
    assert hows("order_completed") == [("cart", "unless"), ("cart", "goal"), ("shown", "reads")]
    assert hows("unsubscribed") == [("cart", "ends")]
    assert hows("price_changed") == [("shown", "starts")]
    assert hows("product_viewed") == [("shown", "cares")]
    assert hows("paid") == [("shown", "goal"), ("shown", "waits_for"), ("shown", "reads")]
    assert hows("replied") == [("shown", "waits_for")]
    assert hows("left") == [("shown", "reads")]


def test_what_no_play_listens_for_has_no_use() -> None:
    assert hows("page_viewed") == []
    assert uses([]) == {}
    assert uses([WELCOME]) == {"signed_up": (Use("welcome", "signed_up", "starts"),)}
