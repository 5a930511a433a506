"""Wherever a backup cuts a day of traffic, nobody is texted twice or after their STOP."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Subject
from tests.steps.build import CART, DAY, HOUR, MINUTE, ORDER, WELCOME, Shop
from tests.steps.lives import Remembering, back_up, live_on, look, open_life, restore

PHONES = ("+12125550101", "+12125550102", "+12125550103")
SIGNALS = ("cart_updated", "signed_up", "order_completed")

acts = st.one_of(
    st.tuples(st.just("tell"), st.integers(0, 2), st.sampled_from(SIGNALS)),
    st.tuples(st.just("stop"), st.integers(0, 2), st.just("STOP")),
    st.tuples(st.just("pass"), st.sampled_from((1, 20, 61, 200, 1500)), st.just("")),
)


class Day:
    """What people do, told to whichever shop lives."""

    def __init__(self, carrier: Remembering) -> None:
        self.carrier = carrier
        self.stopped: dict[str, datetime] = {}
        self.told: list[tuple[int, str, int, datetime]] = []

    def act(self, shop: Shop, kind: str, what: int, word: str) -> None:
        if kind == "tell":
            self.told.append((shop._told, word, what, shop.clock()))
            shop.tell(word, _who(what), facts={"order_id": f"o{what}"})
            shop.go()
        elif kind == "stop":
            reply = self.carrier.heard(len(self.carrier.replies), word, PHONES[what])
            self.stopped.setdefault(PHONES[what], shop.clock())
            shop.reply(word, PHONES[what], reply_id=reply.provider_id)
            shop.go()
        else:
            live_on(shop, what * MINUTE, max(what // 4, 1) * MINUTE)


def _who(place: int) -> Subject:
    return Subject(user_id=f"u{place}", phone=PHONES[place])


def _life(path: Path, carrier: Remembering, events: list[Any], cut: int, again: bool) -> Day:
    plays = (CART, WELCOME, ORDER)
    day = Day(carrier)
    lost = open_life(path / "lost", carrier, *plays)
    for phone in PHONES:
        lost.consent(phone=phone)
        lost.consent("service", phone)
    at = lost.clock()
    for place, event in enumerate([*events, ("pass", 1, "")]):
        if place == cut:
            at = back_up(lost, path / "new")
            known = len(day.told)
        day.act(lost, *event)
    lost.close()
    shop = restore(lost, path / "new", at, *plays)
    look(shop)
    if again:  # the sources tell once more what they told since the backup
        number = shop._told
        for shop._told, word, what, when in day.told[known:]:
            shop.tell(word, _who(what), at=when, facts={"order_id": f"o{what}"})
        shop._told = number
    live_on(shop, 3 * DAY, 2 * HOUR)
    shop.close()
    return day


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    events=st.lists(acts, min_size=1, max_size=9),
    cut=st.integers(0, 9),
    references=st.booleans(),
    again=st.booleans(),
)
def test_nothing_goes_twice_and_nothing_after_a_stop_wherever_the_backup_was_made(
    events: list[Any], cut: int, references: bool, again: bool
) -> None:
    carrier = Remembering(references=references)
    with tempfile.TemporaryDirectory() as folder:
        day = _life(Path(folder), carrier, events, min(cut, len(events)), again)
    mine = [text for text in carrier.texts if "no more texts" not in text.text]
    for text in mine:
        stopped = day.stopped.get(text.to)
        assert stopped is None or text.at <= stopped, f"{text.to} was texted after STOP"
    asked = Counter((PHONES[what], word) for _, word, what, _ in day.told)
    said = Counter((text.to, _signal(text.text)) for text in mine)
    for (phone, signal), count in said.items():
        most = asked[(phone, signal)] * (2 if signal == "cart_updated" else 1)
        assert count <= most, f"{phone} was texted {count} times about {signal}"


def _signal(text: str) -> str:
    if "thank you" in text:
        return "order_completed"
    return "signed_up" if "welcome" in text else "cart_updated"
