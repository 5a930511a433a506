"""The copy check: each rule finds what it is for, and leaves good copy alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.expressions import compile_template
from connector.rules.copy import RULES, Copy, findings

SAMPLES = Path(__file__).with_name("samples.txt")
BRAND = "Corner Shop"


def samples() -> Iterator[tuple[str, bool, str]]:
    """(rule, whether it must find something, text)."""
    code = ""
    for line in SAMPLES.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            code = line[3:]
        elif line[:2] in ("- ", "+ "):
            yield code, line[0] == "-", line[2:]


def read(source: str, **more: object) -> Copy:
    paths = compile_template(source).paths
    return Copy(source, brand=BRAND, paths=paths, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("code", "bad", "source"), list(samples()))
def test_a_rule_finds_what_it_is_for_and_nothing_else(code: str, bad: bool, source: str) -> None:
    says = RULES[code].rule(read(source))
    assert bool(says) == bad, f"{code}: {says or 'nothing found'}"


def test_every_rule_has_twenty_bad_and_twenty_good_samples() -> None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for code, bad, _ in samples():
        counts[code][bad] += 1
    assert set(counts) == set(RULES)
    assert all(good >= 20 and bad >= 20 for good, bad in counts.values()), dict(counts)


def test_a_finding_is_silenced_with_a_reason() -> None:
    loud = "{{ brand }}: HUGE news. Take a look at it? Reply STOP to opt out"
    assert [found.code for found in findings(read(loud))] == ["shouting", "generic"]
    quiet = read(loud, allowed={"shouting": "our brand writes so", "generic": "a test"})
    assert list(findings(quiet)) == []


def test_every_finding_has_a_reason_and_a_better_phrasing() -> None:
    for code, named in RULES.items():
        assert named.reason.endswith(".") and len(named.better) > 10, code


def test_a_service_text_needs_no_way_out_and_no_ask() -> None:
    plain = read("{{ brand }}: your order {{ signal.order_id }} is on its way.", purpose="service")
    assert list(findings(plain)) == []


def test_a_longer_text_may_be_asked_for() -> None:
    long = "{{ brand }}: " + "your quote is saved for two weeks. " * 10 + "Finish it?"
    assert RULES["too_long"].rule(read(long))
    assert not RULES["too_long"].rule(read(long, max_segments=3))
