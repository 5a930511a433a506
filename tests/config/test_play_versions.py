"""Versions: what a play rests on is its version, and is enough to make the play again."""

from __future__ import annotations

import logging
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.config.plays import revive
from connector.config.segments import read_segments
from connector.config.supply import Supply
from connector.config.toml import Table
from connector.expressions import Expression
from connector.rules.plays import Play
from tests.config.shelf import HEAD, SEGMENTS, START, STEPS, SUPPLY, TEXTS, read

WHOLE = f"""{HEAD}
audience = "in_segment('vip')"
stages = ["lead"]
valid_until = 2027-01-31
{START}
where = "signal.value > 5"
after = "1h"
{STEPS}
[[steps]]
name = "more"
task = "Look at {{{{ contact.plan | default('it') }}}}"
[experiment]
name = "sooner"
[[experiment.arms]]
name = "soon"
share = 0.5
set = {{ "steps.say.template" = "short" }}
"""
OF_THE_FIRST_RELEASE = f"""{HEAD}{START}{STEPS}
--- templates/plain.en.txt
{{{{ brand }}}}: hello
--- templates/plain.pt-BR.txt
ola

tchau
"""


def plain(play: Play) -> list[object]:
    """What two plays can be compared by: expressions and texts by their sources."""
    asked = (play.audience, play.start.where, *(step.where for step in play.steps))
    return [
        (play.name, play.version, play.content, play.stages, play.valid_until, play.start.after),
        [each.source if isinstance(each, Expression) else each for each in asked],
        [(step.name, step.template, step.task, step.wait, step.expires) for step in play.steps],
        {key: template.source for key, template in play.templates.items()},
        {name: segment.source for name, segment in play.segments.items()},
        dict(play.texts_until),
    ]


def test_a_play_is_made_again_from_what_was_kept_alone(tmp_path: Path) -> None:
    play, faults = read(tmp_path, WHOLE)
    assert faults == []
    again = revive("one", play.content)
    assert again is not None
    assert plain(again) == plain(play)
    assert again.experiment is not None and play.experiment is not None
    assert again.experiment.shares == play.experiment.shares
    arm = again.experiment.plays["soon"]
    assert (arm.steps[0].template, arm.arm) == ("short", "soon")
    assert again.templates["short", "en"]({"brand": "Corner"}) == "Corner: hi"


def test_the_content_holds_the_segments_it_reaches_and_the_stages(tmp_path: Path) -> None:
    play, _ = read(tmp_path, WHOLE)
    assert set(play.segments) == {"vip", "away"}, "vip asks for away"
    assert '--- segments\n[[segments]]\nname = "away"' in play.content
    assert play.content.endswith("--- stages\nlead\ncustomer")
    without, _ = read(tmp_path, WHOLE.replace("in_segment('vip')", "true"))
    assert "--- segments" not in without.content


def test_a_segment_that_only_a_text_asks_for_is_held_too(tmp_path: Path) -> None:
    play, _ = read(tmp_path, HEAD + START + STEPS.replace('"plain"', '"for_vip"'))
    assert set(play.segments) == {"vip", "away"}


def test_another_text_segment_or_stage_is_another_version(tmp_path: Path) -> None:
    first = read(tmp_path, WHOLE)[0].version
    assert read(tmp_path, WHOLE)[0].version == first
    others = {
        read(tmp_path, WHOLE + "# a thought\n")[0].version,
        read(tmp_path, WHOLE, {**TEXTS, ("plain", "es"): "hola"})[0].version,
        read(tmp_path, WHOLE, {**TEXTS, ("short", "en"): "yo"})[0].version,
        read(tmp_path, WHOLE, supply=_with_stages("lead", "guest", "customer"))[0].version,
    }
    assert len({first, *others}) == 5
    of_another_play = {**TEXTS, ("other", "en"): "not mine"}
    assert read(tmp_path, WHOLE, of_another_play)[0].version == first


def _with_stages(*stages: str) -> Supply:
    return Supply(**{name: getattr(SUPPLY, name) for name in SUPPLY.__slots__} | {"stages": stages})


def test_a_changed_segment_is_another_version_of_those_who_use_it() -> None:
    tables = deepcopy(SEGMENTS)
    tables["segments"][1]["when"] = "days_since(last_seen) > 21"
    found = read_segments(Table("segments.toml", tables, [], {}), SUPPLY)
    assert found["away"].source.endswith("21")


def test_what_the_first_release_kept_is_still_read() -> None:
    play = revive("one", OF_THE_FIRST_RELEASE.removesuffix("\n"))
    assert play is not None
    assert (play.start.signal, play.start.after) == ("cart_updated", timedelta(0))
    texts = {key: template.source for key, template in play.templates.items()}
    assert texts == {
        ("plain", "en"): "{{ brand }}: hello",
        ("plain", "pt-BR"): "ola\n\ntchau",
    }
    assert play.content == OF_THE_FIRST_RELEASE.removesuffix("\n")


def test_names_that_are_gone_since_do_not_matter() -> None:
    content = OF_THE_FIRST_RELEASE.replace("cart_updated", "a_signal_of_once").replace(
        "[[steps]]", 'unless = ["gone"]\nafter = "1h"\n[[steps]]'
    )
    play = revive("one", content)
    assert play is not None
    assert (play.start.signal, play.start.unless) == ("a_signal_of_once", ("gone",))


def test_a_play_without_texts_is_made_again_too() -> None:
    content = f'{HEAD}{START}[[steps]]\nname = "call"\ntask = "Call"\n'
    play = revive("one", content)
    assert play is not None
    assert (play.steps[0].task, play.templates) == ("Call", {})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not = [toml",
        f"{HEAD}{START}{STEPS}\n--- templates/plain.en.txt\n{{{{ broken",
        f'audience = "contact.plan =="\n{HEAD}{START}{STEPS}',
    ],
)
def test_what_cannot_be_read_is_none_and_is_logged(
    content: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert revive("one", content) is None
    assert "act=revive play=one result=failed" in caplog.text


def test_a_text_ends_with_the_first_of_its_languages(tmp_path: Path) -> None:
    texts = {
        ("plain", "en"): "{# valid_until: 2026-12-31 #}\nhello",
        ("plain", "es"): "{# valid_until: 2026-12-24, review_every: 30d #}\nhola",
    }
    play, faults = read(tmp_path, HEAD + START + STEPS, texts)
    assert faults == []
    assert play.texts_until == {"plain": date(2026, 12, 24)}
    again = revive("one", play.content)
    assert again is not None and again.texts_until == play.texts_until


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.integers(0, len(WHOLE) - 1),
    st.integers(0, 30),
    st.sampled_from(["", "1", '"x"', "[]", "{}", "true", "[[", "\n", "2026-01-01", "steps = 1\n"]),
)
def test_no_file_however_wrong_is_more_than_faults(at: int, cut: int, put: str) -> None:
    from connector.config.plays.reader import Around, read_play

    source = WHOLE[:at] + put + WHOLE[at + cut :]
    revive("one", source)
    faults: list[object] = []
    try:
        import tomllib

        values = tomllib.loads(source)
    except ValueError:
        return
    top = Table("one.toml", values, faults, {})  # type: ignore[arg-type]
    read_play(Path("one.toml"), top, source, Around(SUPPLY, {}, "en"))
