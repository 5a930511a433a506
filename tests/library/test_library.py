"""The library: every situation has a ready play that reads, passes its examples and fits a text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from connector import library, starters
from connector.config.loaded import Loaded, load
from connector.model import Purpose
from connector.rules.copy import Copy, findings
from connector.rules.copy.starts import start_findings
from connector.rules.plays import Kind, Play
from connector.simulate.examples import Result, run
from connector.simulate.shelf import library_folder
from connector.text import count

SITUATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "cart abandoned": ("cart_abandoned",),
    "checkout started": ("checkout_started",),
    "browse abandonment (product revisited)": ("browse_abandoned",),
    "pricing revisited": ("pricing_revisited",),
    "form abandoned": ("form_unfinished",),
    "quote unfinished": ("quote_unfinished",),
    "booking unfinished": ("booking_unfinished",),
    "appointment reminder and confirmation": ("appointment_reminder", "appointment_confirmed"),
    "event sign-up and day-of reminder": ("event_signed_up", "event_day_of"),
    "meeting booked": ("meeting_booked",),
    "no-show": ("no_show",),
    "welcome series": ("welcome_series",),
    "educational drip by progress": ("learning_drip",),
    "onboarding stalled": ("onboarding_stalled",),
    "first use of a feature": ("first_feature_use",),
    "milestone": ("milestone",),
    "usage limit near": ("usage_limit_near",),
    "trial ending": ("trial_ending",),
    "renewal window": ("renewal_window",),
    "churn risk": ("churn_risk",),
    "win-back after seven days": ("win_back_7d",),
    "loyalty points": ("loyalty_points",),
    "birthday": ("birthday",),
    "anniversary": ("anniversary",),
    "price drop": ("price_drop",),
    "back in stock": ("back_in_stock",),
    "low stock": ("low_stock",),
    "order confirmed": ("order_confirmed",),
    "shipped": ("order_shipped",),
    "delivered": ("order_delivered",),
    "delivery problem": ("delivery_problem",),
    "review request": ("review_request",),
    "outside event promotion": ("outside_event",),
    "seasonal": ("seasonal",),
    "e-mail first and text after 24 h": ("email_then_text",),
    "sign-up stopped half-way": ("signup_unfinished",),
    "consultation requested": ("consultation_requested",),
    "offer unread": ("offer_unread",),
    "attendance confirmation": ("attendance_confirmation",),
    "service update": ("service_update",),
    "support case answered": ("support_answered",),
    "payment failed": ("payment_failed",),
    "companion feature after first success": ("companion_feature",),
    "a reply to an earlier text": ("call_me",),
    "begun by hand": ("personal_note",),
}
LANGUAGES: Final = ("en", "es")
MOST_SEGMENTS: Final = 2
BRAND: Final = "Corner Shop"

NAMES: Final = tuple(sorted(path.stem for path in library.folders()[0].glob("*.toml")))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(library_folder(tmp_path_factory.mktemp("library")), secrets=False)


@cache
def _source(name: str) -> Mapping[str, Any]:
    path = library.folders()[0] / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _templates(play: Play) -> set[str]:
    arms = play.experiment.plays.values() if play.experiment else ()
    return {name for each in (play, *arms) for name, _ in each.templates}


def _in(language: str, play: Play) -> Play:
    """The play with its examples told to somebody who speaks a language; words are not compared."""
    told = []
    for example in play.examples:
        contact = {**example.get("contact", {}), "language": language}
        expect = [
            {key: value for key, value in item.items() if key not in ("contains", "lacks")}
            for item in example["expect"]
        ]
        told.append({**example, "contact": contact, "expect": expect})
    return replace(play, examples=tuple(told))


def test_every_situation_has_its_play_and_every_play_its_situation() -> None:
    named = [name for names in SITUATIONS.values() for name in names]
    assert sorted(named) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_play_says_what_it_is_for_and_when_not_to_use_it(name: str, loaded: Loaded) -> None:
    play = loaded.plays[name]
    for words in (play.description, play.next_step, play.not_for):
        assert words
    assert len(play.not_for) > 20
    path = library.folders()[0] / f"{name}.toml"
    assert path.read_text(encoding="utf-8").startswith("# "), "it begins with why it works"


@pytest.mark.parametrize("name", NAMES)
def test_a_play_has_an_example_that_goes_one_held_and_one_ended(name: str) -> None:
    kinds = {
        key for example in _source(name)["examples"] for item in example["expect"] for key in item
    }
    assert len(_source(name)["examples"]) >= 3
    assert "step" in kinds
    assert kinds & {"held", "stopped"}
    assert "ended" in kinds or name == "appointment_confirmed"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_example_comes_true_in_plain_and_short_texts(
    name: str, language: str, loaded: Loaded
) -> None:
    """As the examples make them, with their values in them; each text of a play is said by one.

    Examples speak English, or what they say; told in Spanish, their words are not compared.
    """
    play = loaded.plays[name]
    said: set[str] = set()
    for result in run(loaded, [play if language == "en" else _in(language, play)]):
        assert result.ok and result.happened, _told(result)
        for act in result.happened.acts:
            if act.kind == "text":
                assert language in ("en", act.language)
                _is_plain_and_short(act.says)
                said.add(act.template)
    assert said == _templates(play)


def _is_plain_and_short(text: str) -> None:
    assert text.startswith(f"{BRAND}: ")
    counted = count(text)
    assert counted.encoding == "GSM-7", f"{text!r} has {counted.forced_by!r}"
    assert counted.segments <= MOST_SEGMENTS, text


def test_every_template_belongs_to_a_play_and_is_there_in_both_languages(loaded: Loaded) -> None:
    files = {path.name for path in library.folders()[1].glob("*.txt")}
    wanted = {name for play in loaded.plays.values() for name in _templates(play)}
    assert files == {f"{name}.{language}.txt" for name in wanted for language in LANGUAGES}


def test_no_text_of_the_library_takes_the_name_of_a_starter() -> None:
    """Else copying a play would keep the starter's text."""
    starting = {path.name for path in (starters.root() / "templates").glob("*.txt")}
    assert not starting & {path.name for path in library.folders()[1].glob("*.txt")}


@pytest.mark.parametrize("name", NAMES)
def test_the_copy_check_finds_nothing(name: str, loaded: Loaded) -> None:
    play = loaded.plays[name]
    assert not list(start_findings(play))
    for (template, language), text in play.templates.items():
        copy = Copy(
            source=text.source,
            language=language,
            purpose=play.purpose.value,
            brand=BRAND,
            paths=text.paths,
            next_step=play.next_step,
            has_end=play.valid_until is not None,
            allowed=play.allowed,
        )
        assert not list(findings(copy)), f"{template}.{language}"


def test_service_plays_hold_nobody_out_and_marketing_plays_prove_their_next_step(
    loaded: Loaded,
) -> None:
    for play in loaded.plays.values():
        if play.purpose is Purpose.service:
            assert play.holdout == 0
        else:
            assert play.goal is not None
            assert "unsubscribed" in play.exits or play.start.silence


def test_the_library_shows_every_way_to_begin_to_shape_and_to_go_on(loaded: Loaded) -> None:
    plays = tuple(loaded.plays.values())
    steps = [step for play in plays for step in play.steps]
    assert {play.start.kind for play in plays} == set(Kind)
    dates = [play.start.date for play in plays if play.start.date]
    assert {date.path.partition(".")[0] for date in dates} >= {"contact", "signal"}
    edges = [play.start.edge.entering for play in plays if play.start.edge]
    assert set(edges) == {True, False}
    assert any(step.webhook for step in steps)
    assert any(step.wait_for for step in steps)
    assert any(step.choices for step in steps)
    assert any(step.branches for step in steps)
    assert any(step.answers for step in steps)
    assert any(step.moment.best_hour for step in steps)
    assert any(step.moment.spread for step in steps)
    assert any(step.moment.days for step in steps)
    assert any(step.moment.window for step in steps)
    assert any(play.exit.when for play in plays)
    assert any(play.exit.stages for play in plays)
    assert any(play.exit.left for play in plays)
    assert {play.experiment.field for play in plays if play.experiment} == {
        "start.after",
        "start.threshold",
    }
    assert any(play.valid_until for play in plays)
    assert any(play.adopt for play in plays)


def test_a_new_folder_does_not_begin_with_the_library() -> None:
    assert not [name for name, _ in starters.files() if library.PLACE in name.parts]


def test_a_copied_play_passes_its_examples_under_a_new_name(tmp_path: Path) -> None:
    for target, source in starters.files():
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / target).write_bytes(source.read_bytes())
    library.copy("win_back_7d", "come_again", tmp_path)
    folder = load(tmp_path, secrets=False)
    assert all(result.ok for result in run(folder, [folder.plays["come_again"]]))


def test_the_shipped_segments_are_there(loaded: Loaded) -> None:
    wanted = {"high_intent", "first_time_buyer", "repeat_customer", "inactive_lead"}
    assert wanted | {"first_seven_days"} <= set(loaded.segments)
    assert all(segment.description for segment in loaded.segments.values())


def test_the_starters_pass_their_examples(tmp_path: Path) -> None:
    for target, source in starters.files():
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / target).write_bytes(source.read_bytes())
    folder = load(tmp_path, secrets=False)
    for play in folder.plays.values():
        results = list(run(folder, [play]))
        assert len(results) >= 3
        assert not [_told(result) for result in results if not result.ok]
        assert not list(start_findings(play))


def _told(result: Result) -> str:
    return "\n  ".join((f"{result.play}: {result.example}", *result.differences, *result.timeline))
