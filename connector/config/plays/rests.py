"""What a play rests on beside its file: texts, segments and stages, which are its version too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from connector.config.plays.versions import Templates, content_of
from connector.config.segments import reaches
from connector.expressions import Expression, Template
from connector.rules.plays import Play, Segment, Step
from connector.rules.render import version
from connector.rules.reviews import terms


def versioned(
    play: Play,
    source: str,
    templates: Templates,
    segments: Mapping[str, Segment],
    stages: Iterable[str],
) -> Play:
    """The play, and each of its variants, with what they rest on, their content and version."""
    plays = [play, *(play.experiment.plays.values() if play.experiment else ())]
    names = {name for each in plays for step in each.steps for name in _texts(step)}
    texts = {key: item for key, item in templates.items() if key[0] in names}
    used = reaches(segments, {name for each in plays for name in _segments(each, texts)})
    known = {name: segments[name] for name in sorted(used)}
    content = content_of(source, texts, known.values(), stages)
    more: dict[str, Any] = {
        "content": content,
        "version": version(content),
        "templates": texts,
        "texts_until": _ends(texts),
        "segments": known,
    }
    if play.experiment is None:
        return replace(play, **more)
    arms = {arm: replace(each, **more) for arm, each in play.experiment.plays.items()}
    return replace(play, experiment=replace(play.experiment, plays=arms), **more)


def _texts(step: Step) -> list[str]:
    return [name for name in (step.template, *(c.template for c in step.choices)) if name]


def _ends(texts: Templates) -> dict[str, date]:
    """Template → until when it may go: the earliest that one of its languages says."""
    ends: dict[str, date] = {}
    for (name, _), template in texts.items():
        try:
            last = terms(template.source).valid_until
        except ValueError:
            continue  # told as a fault of the text
        if last is not None:
            ends[name] = min(last, ends.get(name, last))
    return ends


def _segments(play: Play, texts: Templates) -> set[str]:
    """Names of the segments that a play names or asks for, in whatever part of it."""
    start, found = play.start, set(play.exit.left)
    found |= {form.segment for form in (start.edge, start.schedule, start.fan_out) if form}
    asked: list[object] = [play.audience, start.where, start.key, play.exit.when]
    asked += [start.threshold.measure if start.threshold else None]
    asked += [play.goal.where if play.goal else None, *texts.values()]
    for step in play.steps:
        asked += [step.where, *(c.when for c in step.choices), *(b.when for b in step.branches)]
    for each in asked:
        if isinstance(each, Expression | Template):
            found |= each.segments
    return found - {""}
