"""What a play rests on beside its file: texts, segments and stages, which are its version too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from connector.config.plays.versions import Templates, content_of
from connector.config.segments import reaches, read_of_crm
from connector.expressions import Expression, Template
from connector.rules.plays import Play, Segment, Step
from connector.rules.render import version
from connector.rules.reviews import Terms, terms


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
        "texts_regulated": _regulated(texts),
        "segments": known,
    }
    if play.experiment is None:
        return replace(play, **more, crm=_crm(play, texts, known))
    arms = {
        arm: replace(each, **more, crm=_crm(each, texts, known))
        for arm, each in play.experiment.plays.items()
    }
    more["crm"] = _crm(play, texts, known)
    return replace(play, experiment=replace(play.experiment, plays=arms), **more)


def _texts(step: Step) -> list[str]:
    return [name for name in (step.template, *(c.template for c in step.choices)) if name]


def _ends(texts: Templates) -> dict[str, date]:
    """Template → until when it may go: the earliest that one of its languages says."""
    ends: dict[str, date] = {}
    for name, said in _terms(texts):
        if said.valid_until is not None:
            ends[name] = min(said.valid_until, ends.get(name, said.valid_until))
    return ends


def _regulated(texts: Templates) -> dict[str, str]:
    """Template → what it is about that a law regulates, where one of its languages says so."""
    return {name: said.regulated for name, said in _terms(texts) if said.regulated}


def _terms(texts: Templates) -> Iterator[tuple[str, Terms]]:
    for (name, _), template in texts.items():
        try:
            yield name, terms(template.source)
        except ValueError:
            continue  # told as a fault of the text


def _crm(play: Play, texts: Templates, segments: Mapping[str, Segment]) -> frozenset[str]:
    """Paths of the CRM's facts that a play reads in any part of it, its segments too."""
    named = [segments[name].when for name in play.exit.left if name in segments]
    return read_of_crm([*_asked(play, texts), *named], segments)


def _segments(play: Play, texts: Templates) -> set[str]:
    """Names of the segments that a play names or asks for, in whatever part of it."""
    start, found = play.start, set(play.exit.left)
    found |= {form.segment for form in (start.edge, start.schedule, start.fan_out) if form}
    for each in _asked(play, texts):
        if isinstance(each, Expression | Template):
            found |= each.segments
    return found - {""}


def _asked(play: Play, texts: Templates) -> list[object]:
    """Every condition and text of a play."""
    start = play.start
    asked: list[object] = [play.audience, start.where, start.key, play.exit.when]
    asked += [start.threshold.measure if start.threshold else None]
    asked += [play.goal.where if play.goal else None, *texts.values()]
    for step in play.steps:
        asked += [step.where, *(c.when for c in step.choices), *(b.when for b in step.branches)]
    return asked
