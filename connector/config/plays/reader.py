"""Reading a play: the file as a value, with every fault at its line."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connector.config import toml
from connector.config.plays import fields, rests
from connector.config.plays.experiments import CONTROL, read_experiment
from connector.config.plays.forms import form_of
from connector.config.plays.starts import known_segment, read_start
from connector.config.plays.steps import NAME, StepReader
from connector.config.plays.versions import Templates
from connector.config.supply import WALK, Supply, check_names, check_paths, condition, nearest
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import Template, compile_template
from connector.model import Purpose
from connector.rules.plays import (
    Exit,
    Goal,
    Kind,
    Mode,
    Once,
    OnPause,
    Play,
    Role,
    Segment,
    Start,
    Step,
)

HOLDOUT: Final = 0.05  #: of marketing plays that name none; service plays hold nobody out
EXAMPLE: Final = frozenset(
    {"name", "now", "contact", "crm", "history", "events", "until", "expect", "arm"}
)
STEPS_TO_TAKE: Final = (
    *("finish", "book", "confirm", "renew", "reply", "buy", "visit", "read", "pay", "try"),
    *("review", "choose", "track", "none"),
)


@dataclass(frozen=True, slots=True)
class Around:
    """What a play is read against: all that it may name, and the texts there are."""

    supply: Supply
    templates: Templates
    language: str  #: the fallback language, in which every text of a play must exist
    segments: Mapping[str, Segment] = field(default_factory=dict)


def load_plays(
    folder: Path,
    supply: Supply,
    templates: Templates,
    language: str,
    faults: list[Fault],
    segments: Mapping[str, Segment] | None = None,
) -> dict[str, Play]:
    """Every play in ``folder`` by name; faults are added to ``faults``."""
    around = Around(supply, templates, language, segments or {})
    plays = {}
    for path in sorted(folder.glob("*.toml")):
        known = len(faults)
        top = toml.read(path, faults)
        if len(faults) > known:
            continue
        if not NAME.fullmatch(path.stem):
            top.fault("", f"is named {path.stem!r:.60}", "use small letters, digits and _")
        plays[path.stem] = read_play(path, top, path.read_text(encoding="utf-8"), around)
    return plays


def read_play(path: Path, top: Table, source: str, around: Around) -> Play:
    """One play with the variants of its experiment; faults go to its tables'."""
    name = path.name.removesuffix(".toml")
    play = _Reader(path, name, top, around).play()
    if "experiment" in top:
        play = read_experiment(play, top, lambda table: _Reader(path, name, table, around).play())
    else:
        top.raw("experiment")
    _check_arms(play, top)
    if play.reviewed is not None and play.review_every is None:
        top.fault("reviewed", "says nothing alone", 'add review_every = "90d"')
    top.done()
    return rests.versioned(play, source, around.templates, around.segments, around.supply.stages)


def _check_arms(play: Play, top: Table) -> None:
    """An example may only be of an arm that there is."""
    arms = {CONTROL, *(play.experiment.shares if play.experiment else ())}
    for table in top.tables("examples"):
        arm = table.values.get("arm", CONTROL)
        if arm not in arms:
            table.fault("arm", f"is {arm!r:.60}, no arm of the experiment", nearest(str(arm), arms))


class _Reader:
    """Reads one play; what several of its tables need is at hand here."""

    def __init__(self, path: Path, name: str, top: Table, around: Around) -> None:
        self.path, self.name, self.top, self.around = path, name, top, around
        self.supply = around.supply
        start = top.values.get("start")
        self.form = form_of(start if isinstance(start, dict) else {})
        self.starting = self.form.roots(self.supply)  #: readable as it starts
        self.roots = self.form.later(self.supply)  #: readable from then on

    def play(self) -> Play:
        top = self.top
        purpose = Purpose(top.text("purpose", choices=("marketing", "service")))
        is_marketing = purpose is Purpose.marketing
        start = read_start(top.table("start"), self.supply)
        steps = self.steps(purpose)
        return Play(
            name=self.name,
            version="",
            description=top.text("description", ""),
            role=Role(top.text("role", choices=list(Role))),
            purpose=purpose,
            scopes=top.words("scopes", (), choices=sorted(self.supply.scopes)),
            start=start,
            audience=condition(top, "audience", self.form.of_person(self.supply), self.supply),
            steps=steps,
            goal=self.goal(purpose, start),
            exits=top.words("exits", (), choices=sorted(self.supply.heard)),
            stages=top.words("stages", (), choices=self.supply.stages),
            mode=Mode(top.text("mode", "live", choices=list(Mode))),
            holdout=top.number("holdout", HOLDOUT if is_marketing else 0.0, high=0.5),
            max_texts_per_key=fields.optional(top, "max_texts_per_key"),
            priority=top.whole("priority", 0, low=-1000, high=1000),
            exit=self.exit(top.table("exit")),
            same_key=top.flag("same_key", False),
            exclusive=top.flag("exclusive", is_marketing),
            adopt=top.flag("adopt", False),
            on_pause=OnPause(top.text("on_pause", "hold", choices=list(OnPause))),
            valid_until=fields.day(top, "valid_until"),
            review_every=fields.positive(top, "review_every") if "review_every" in top else None,
            reviewed=fields.day(top, "reviewed"),
            next_step=top.text("next_step", "", choices=("", *STEPS_TO_TAKE)),
            not_for=top.text("not_for", ""),
            regulated=fields.kind(top, "regulated"),
            examples=self.examples(),
            allowed=fields.reasons(top, "allow"),
        )

    def steps(self, purpose: Purpose) -> tuple[Step, ...]:
        tables = self.top.tables("steps")
        if not tables:
            self.top.fault("steps", "has no step", "add [[steps]] with a template or a task")
        roots = {**self.roots, "walk": WALK}
        reader = StepReader(self.supply, roots, purpose, self.text, self.task)
        return reader.steps(tables)

    def exit(self, table: Table) -> Exit:
        roots = {**self.roots, "walk": WALK}
        found = Exit(
            when=condition(table, "when", roots, self.supply),
            stages=table.words("stages", (), choices=self.supply.stages),
            left=table.words("left", ()),
        )
        for name in found.left:
            known_segment(table, "left", name, self.supply)
        table.done()
        return found

    def text(self, table: Table, key: str, name: str) -> None:
        """Check that a template is there in the fallback language and reads what is supplied."""
        language = self.around.language
        file = f"templates/{name}.{language}.txt"
        root = self.path.parents[2] if len(self.path.parents) > 2 else self.path.parent
        is_there = not language or (root / file).exists()  # at fault, that is told with its line
        if (name, language) not in self.around.templates and not is_there:
            known = {each for each, spoken in self.around.templates if spoken == language}
            table.fault(key, f"needs {file}, which is not there", nearest(name, known))
        for (text, _), template in sorted(self.around.templates.items(), key=lambda i: i[0]):
            if text == name:
                self.readable(table, key, template)

    def task(self, table: Table, source: str) -> None:
        try:
            self.readable(table, "task", compile_template(source))
        except ValueError as error:
            table.fault("task", f"cannot be understood: {error}", "mend the text")

    def readable(self, table: Table, key: str, template: Template) -> None:
        """Check what a text reads: it must be supplied, and must not be sensitive."""
        sensitive = {("signal", name) for name in self.supply.sensitive.get(self.form.signal, ())}
        sensitive |= {("thing", name) for name in self.supply.sensitive_things}
        paths = template.paths
        for path in sorted(each for each in paths if tuple(each.split(".")[:2]) in sensitive):
            remedy = "leave it out; only audiences and policy may read it"
            table.fault(key, f"reads {path}, which is sensitive and never enters a text", remedy)
        check_paths(table, key, paths, {**self.roots, "walk": WALK})
        check_names(table, key, template, self.supply)

    def goal(self, purpose: Purpose, start: Start) -> Goal | None:
        if "goal" not in self.top:
            self.top.raw("goal")
            if purpose is Purpose.marketing:
                self.top.fault("goal", "is missing", "say what a marketing play is for: [goal]")
            return None
        table = self.top.table("goal")
        signal = table.text("signal", choices=sorted(self.supply.heard))
        roots = {**self.supply.roots(signal), "start": self.roots["signal"]}
        goal = Goal(
            signal=signal,
            within=fields.positive(table, "within"),
            where=condition(table, "where", roots, self.supply),
            same_key=table.flag("same_key", False),
        )
        if goal.same_key and not self.has_key(start):
            message = "never comes true: what starts this play is about nothing that has a key"
            table.fault("same_key", message, "leave it out; it goes with a signal and its key")
        table.done()
        return goal

    def has_key(self, start: Start) -> bool:
        """Whether another signal may be about the same thing as what started the play."""
        if self.form.kind is Kind.hand:
            return True
        return self.form.kind is Kind.signal and start.once is Once.key and not start.first

    def examples(self) -> tuple[Mapping[str, Any], ...]:
        """The examples as written; what runs them reads them whole."""
        found = []
        for table in self.top.tables("examples"):
            table.text("name")
            for key in EXAMPLE:
                table.raw(key)
            table.done()
            found.append(deepcopy(table.values))
        return tuple(found)
