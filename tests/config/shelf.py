"""What the tests of play files share: names to choose from, texts, and a way to read one play."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connector.config.plays import load_plays
from connector.config.segments import read_segments
from connector.config.supply import Supply
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import compile_template
from connector.rules.plays import Play

SUPPLY = Supply(
    signals={
        "cart_updated": frozenset({"value", "cart_url"}),
        "order_completed": frozenset({"value"}),
        "usage_reported": frozenset({"used", "limit"}),
        "booked": frozenset({"starts_at"}),
        "viewed": frozenset(),
        "back_in_stock": frozenset({"stock", "cost"}),
    },
    sensitive={"back_in_stock": frozenset({"cost"})},
    traits=frozenset({"birthday", "plan"}),
    crm=frozenset({"renewal"}),
    stages=("lead", "customer"),
    things=frozenset({"stock", "cost"}),
    thing_signals=frozenset({"back_in_stock"}),
    only_things=frozenset({"back_in_stock"}),
    webhooks=frozenset({"mail"}),
    segments=frozenset({"vip", "away"}),
)
SEGMENTS = {
    "segments": [
        {"name": "vip", "when": "count('order_completed') >= 2 and not in_segment('away')"},
        {"name": "away", "when": "days_since(last_seen) > 14"},
    ]
}
TEXTS = {
    ("plain", "en"): "{{ brand }}: hello",
    ("plain", "es"): "{{ brand }}: hola",
    ("short", "en"): "{{ brand }}: hi",
    ("for_vip", "en"): "{{ brand }}: {% if in_segment('vip') %}dear {% endif %}friend",
}
HEAD = 'role = "service"\npurpose = "service"\n'
START = '[start]\nsignal = "cart_updated"\n'
STEPS = '[[steps]]\nname = "say"\ntemplate = "plain"\n'


def read(
    folder: Path,
    text: str,
    texts: Mapping[tuple[str, str], str] = TEXTS,
    supply: Supply = SUPPLY,
) -> tuple[Play, list[Fault]]:
    """One play and its faults."""
    (folder / "one.toml").write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    templates = {key: compile_template(source) for key, source in texts.items()}
    segments = read_segments(Table("segments.toml", SEGMENTS, faults, {}), supply)
    plays = load_plays(folder, supply, templates, "en", faults, segments)
    return plays["one"], faults


def told(faults: list[Fault]) -> list[tuple[str, str, str]]:
    """(field, what is amiss, what to do) of each fault."""
    return [(fault.field, fault.message, fault.remedy) for fault in faults]
