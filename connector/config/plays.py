"""Plays: the files in ``mappings/plays`` as values, checked against all they name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from connector.config import toml
from connector.config.supply import Roots, Supply, check_paths, condition, nearest
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import Template, compile_template
from connector.model import Purpose
from connector.rules.plays import Goal, Mode, Once, Play, Restart, Role, Start, Step
from connector.rules.render import version

Templates = Mapping[tuple[str, str], Template]  #: by (name, language)

HOLDOUT: Final = 0.05  #: of marketing plays that name none; service plays hold nobody out
EXPIRES: Final = {Purpose.marketing: timedelta(hours=24), Purpose.service: timedelta(hours=4)}
LONGEST_EXPIRY: Final = timedelta(days=7)
LONGEST_WAIT: Final = timedelta(days=365)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


def load_plays(
    folder: Path, supply: Supply, templates: Templates, language: str, faults: list[Fault]
) -> dict[str, Play]:
    """Every play in ``folder`` by name; faults are added to ``faults``.

    ``language`` is the fallback language, in which every text of a play must exist.
    """
    plays = {}
    for path in sorted(folder.glob("*.toml")):
        known = len(faults)
        top = toml.read(path, faults)
        if len(faults) > known:
            continue
        if not _NAME.fullmatch(path.stem):
            top.fault("", f"is named {path.stem!r:.60}", "use small letters, digits and _")
        plays[path.stem] = _Reader(path, top, supply, templates, language).play()
    return plays


class _Reader:
    """Reads one play; what several of its tables need is at hand here."""

    def __init__(
        self, path: Path, top: Table, supply: Supply, templates: Templates, language: str
    ) -> None:
        self.path = path
        self.top = top
        self.supply = supply
        self.templates = templates
        self.language = language
        start = top.values.get("start")
        self.signal = str(start.get("signal", "")) if isinstance(start, dict) else ""
        self.roots: Roots = supply.roots(self.signal)

    def play(self) -> Play:
        top = self.top
        purpose = Purpose(top.text("purpose", choices=("marketing", "service")))
        default_holdout = HOLDOUT if purpose is Purpose.marketing else 0.0
        start = self.start(top.table("start"))
        steps = self.steps(purpose)
        goal = self.goal(purpose)
        content = self.content(steps)
        play = Play(
            name=self.path.stem,
            version=version(content),
            description=top.text("description", ""),
            role=Role(top.text("role", choices=list(Role))),
            purpose=purpose,
            scopes=top.words("scopes", (), choices=self.supply.scopes),
            start=start,
            audience=condition(top, "audience", self.roots),
            steps=steps,
            goal=goal,
            exits=top.words("exits", (), choices=self.supply.signals),
            stages=top.words("stages", (), choices=self.supply.stages),
            mode=Mode(top.text("mode", "live", choices=list(Mode))),
            holdout=top.number("holdout", default_holdout, high=0.5),
            max_texts_per_key=_optional(top, "max_texts_per_key"),
            priority=top.whole("priority", 0, low=-1000, high=1000),
            content=content,
        )
        top.done()
        return play

    def start(self, table: Table) -> Start:
        start = Start(
            signal=table.text("signal", choices=self.supply.signals),
            where=condition(table, "where", self.roots),
            count=table.whole("count", 1, low=1, high=1000),
            within=_positive(table, "within", LONGEST_WAIT) if "within" in table else None,
            after=_bounded(table, "after", timedelta(0), LONGEST_WAIT),
            unless=table.words("unless", (), choices=self.supply.signals),
            key=condition(table, "key", self.roots),
            once=Once(table.text("once", "key", choices=list(Once))),
            cooldown=_positive(table, "cooldown", LONGEST_WAIT) if "cooldown" in table else None,
            restart=Restart(table.text("restart", "ignore", choices=list(Restart))),
        )
        if start.once is Once.contact and start.cooldown is not None:
            table.fault(
                "cooldown", 'has no effect beside once = "contact"', "leave one of them out"
            )
        if start.count > 1 and start.within is None:
            table.fault("count", "has no window", 'add within = "24h"')
        if start.unless and not start.after:
            remedy = 'add after = "60m", the time it has to come in'
            table.fault("unless", "has no time to happen in", remedy)
        table.done()
        return start

    def steps(self, purpose: Purpose) -> tuple[Step, ...]:
        tables = self.top.tables("steps")
        if not tables:
            self.top.fault("steps", "has no step", "add [[steps]] with a template or a task")
        steps: list[Step] = []
        for table in tables:
            step = self.step(table, EXPIRES[purpose])
            if step.name in {known.name for known in steps}:
                table.fault("name", f"is {step.name!r} again", "give each step its own name")
            steps.append(step)
        return tuple(steps)

    def step(self, table: Table, expires: timedelta) -> Step:
        name = table.text("name")
        if name and not _NAME.fullmatch(name):
            table.fault("name", f"is {name!r:.60}", "use small letters, digits and _")
        step = Step(
            name=name,
            wait=_bounded(table, "wait", timedelta(0), LONGEST_WAIT),
            template=table.text("template", ""),
            task=table.text("task", ""),
            expires=_bounded(table, "expires", expires, LONGEST_EXPIRY),
            where=condition(table, "where", self.roots),
        )
        if not step.expires:
            table.fault("expires", "leaves no time to send it", 'write a span such as "4h"')
        if bool(step.template) == bool(step.task):
            table.fault("", "needs either a template or a task", "write one of the two")
        if step.template:
            self.text(table, step.template)
        if step.task:
            self.task(table, step.task)
        table.done()
        return step

    def text(self, table: Table, name: str) -> None:
        """Check that a template is there in the fallback language and reads what is supplied."""
        file = f"templates/{name}.{self.language}.txt"
        is_there = (self.path.parents[2] / file).exists()  # if at fault, that is told with its line
        if (name, self.language) not in self.templates and not is_there:
            known = {key for key, language in self.templates if language == self.language}
            table.fault("template", f"needs {file}, which is not there", nearest(name, known))
        for template in self.texts(name).values():
            self.readable(table, "template", template.paths)

    def task(self, table: Table, source: str) -> None:
        try:
            self.readable(table, "task", compile_template(source).paths)
        except ValueError as error:
            table.fault("task", f"cannot be understood: {error}", "mend the text")

    def readable(self, table: Table, key: str, paths: frozenset[str]) -> None:
        """Check what a text reads: it must be supplied, and must not be sensitive."""
        sensitive = {("signal", name) for name in self.supply.sensitive.get(self.signal, ())}
        for path in sorted(path for path in paths if tuple(path.split(".")[:2]) in sensitive):
            remedy = "leave it out; only audiences and policy may read it"
            table.fault(key, f"reads {path}, which is sensitive and never enters a text", remedy)
        check_paths(table, key, paths, self.roots)

    def goal(self, purpose: Purpose) -> Goal | None:
        if "goal" not in self.top:
            if purpose is Purpose.marketing:
                self.top.fault("goal", "is missing", "say what a marketing play is for: [goal]")
            return None
        table = self.top.table("goal")
        signal = table.text("signal", choices=self.supply.signals)
        roots = {**self.supply.roots(signal), "start": self.supply.facts(self.signal)}
        goal = Goal(
            signal=signal,
            within=_positive(table, "within", LONGEST_WAIT),
            where=condition(table, "where", roots),
            same_key=table.flag("same_key", False),
        )
        table.done()
        return goal

    def texts(self, name: str) -> dict[str, Template]:
        """A template in each of its languages, in a fixed order."""
        found = {key[1]: item for key, item in self.templates.items() if key[0] == name}
        return dict(sorted(found.items()))

    def content(self, steps: Sequence[Step]) -> str:
        """The file and its templates, as the ledger keeps them by version."""
        parts = [self.path.read_text(encoding="utf-8")]
        for name in sorted({step.template for step in steps if step.template}):
            for language, template in self.texts(name).items():
                parts.append(f"--- templates/{name}.{language}.txt\n{template.source}")
        return "\n".join(parts)


def _optional(table: Table, key: str) -> int | None:
    return table.whole(key, low=1, high=1000) if key in table else None


def _positive(table: Table, key: str, longest: timedelta) -> timedelta:
    span = _bounded(table, key, toml.REQUIRED, longest)
    if key in table and not span:
        table.fault(key, "is no time at all", 'write a span such as "24h" or "7d"')
    return span


def _bounded(table: Table, key: str, default: timedelta, longest: timedelta) -> timedelta:
    span = table.span(key, default)
    if span > longest:
        table.fault(key, f"is over {longest.days} days", f"write {longest.days}d or less")
        return longest
    return span
