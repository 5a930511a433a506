"""The ``[[steps]]`` tables: texts, tasks, webhooks and waits, and the ways between them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from connector.config.plays import fields
from connector.config.supply import Roots, Supply, condition, nearest
from connector.config.toml import Table
from connector.model import Purpose
from connector.rules.plays import END, Branch, Choice, Condition, Moment, Step, WaitFor
from connector.rules.replies import RESERVED, folded

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
EXPIRES: Final = {Purpose.marketing: timedelta(hours=24), Purpose.service: timedelta(hours=4)}
LONGEST_EXPIRY: Final = timedelta(days=7)
ACTS: Final = ("template", "choose", "task", "webhook", "wait_for")


@dataclass(frozen=True, slots=True)
class StepReader:
    """Reads steps; what they share is at hand here."""

    supply: Supply
    roots: Roots
    purpose: Purpose
    read_template: Callable[[Table, str, str], None]  #: (table, key, name): told where it is amiss
    read_task: Callable[[Table, str], None]

    def steps(self, tables: list[Table]) -> tuple[Step, ...]:
        """All steps, in their order; faults go to their tables."""
        found: list[Step] = []
        for table in tables:
            step = self.step(table)
            if step.name in {known.name for known in found}:
                table.fault("name", f"is {step.name!r} again", "give each step its own name")
            found.append(step)
        for place, (table, step) in enumerate(zip(tables, found, strict=True)):
            self._check_ways(table, step, [later.name for later in found[place + 1 :]])
        return tuple(found)

    def step(self, table: Table) -> Step:
        """One step."""
        name = table.text("name")
        if name and not NAME.fullmatch(name):
            table.fault("name", f"is {name!r:.60}", "use small letters, digits and _")
        kinds = {"template" if act == "choose" else act for act in ACTS if act in table}
        for act in ACTS:
            table.raw(act)
        if len(kinds) != 1:
            table.fault(
                "",
                "needs one of a template, a task, a webhook and wait_for",
                "write a template or a task, a webhook or a wait, and one of them only",
            )
        step = Step(
            name=name,
            wait=fields.bounded(table, "wait", timedelta(0)),
            where=condition(table, "where", self.roots, self.supply),
            moment=self._moment(table),
            branches=self._branches(table),
            go=table.text("go", ""),
            **self._act(table, kinds),
        )
        table.done()
        return step

    def _act(self, table: Table, kinds: set[str]) -> dict[str, Any]:
        if kinds == {"wait_for"}:
            return {"wait_for": self._wait_for(table)}
        if kinds == {"webhook"}:
            return {"webhook": self._webhook(table)}
        if kinds == {"task"}:
            task = table.text("task", "")
            if task:
                self.read_task(table, task)
            return {"task": task}
        return self._text(table)

    def _text(self, table: Table) -> dict[str, Any]:
        template = table.text("template", "")
        if template:
            self.read_template(table, "template", template)
        if "choose" in table and not template:
            table.fault("template", "is missing", "say which text goes where no choice holds")
        expires = fields.bounded(table, "expires", EXPIRES[self.purpose], LONGEST_EXPIRY)
        if not expires:
            table.fault("expires", "leaves no time to send it", 'write a span such as "4h"')
        return {
            "template": template,
            "choices": tuple(map(self._choice, table.tables("choose"))),
            "expires": expires,
            "answers": self._answers(table),
            "max_segments": table.whole("max_segments", low=1, high=10)
            if "max_segments" in table
            else None,
        }

    def _choice(self, table: Table) -> Choice:
        template = table.text("template")
        if template:
            self.read_template(table, "template", template)
        when = self._must(table, "when")
        table.done()
        return Choice(when, template)

    def _branches(self, table: Table) -> tuple[Branch, ...]:
        found = []
        for branch in table.tables("branches"):
            found.append(Branch(self._must(branch, "when"), branch.text("go")))
            branch.done()
        return tuple(found)

    def _must(self, table: Table, key: str) -> Condition:
        if key not in table:
            table.fault(key, "is missing", f'add {key} = "walk.replied"')
        return condition(table, key, self.roots, self.supply) or (lambda _: False)

    def _wait_for(self, table: Table) -> WaitFor:
        signals = table.words("wait_for", choices=sorted(self.supply.heard))
        timeout = fields.positive(table, "timeout")
        return WaitFor(signals, timeout, table.text("heard", ""), table.text("missed", ""))

    def _webhook(self, table: Table) -> str:
        name = table.text("webhook")
        if name and self.supply.complete and name not in self.supply.webhooks:
            remedy = f"add [webhooks.{name}] to config.toml with its url"
            if self.supply.webhooks:
                remedy = nearest(name, self.supply.webhooks)
            table.fault("webhook", f"is {name!r:.60}, which config.toml does not name", remedy)
        return name

    def _moment(self, table: Table) -> Moment:
        at, window = fields.hour(table, "at"), fields.window(table, "window")
        if at and window and not window[0] <= at < window[1]:
            table.fault("at", "lies outside of the window", "change one of them")
        return Moment(
            at=at,
            days=fields.weekdays(table, "days"),
            window=window,
            best_hour=table.flag("best_hour", False),
            spread=fields.bounded(table, "spread", timedelta(0), timedelta(days=7)),
        )

    def _answers(self, table: Table) -> tuple[str, ...]:
        words = table.words("answers", ())
        seen = set()
        for word in words:
            plain = folded(word)
            if not plain or len(word) > 40:
                table.fault("answers", f"holds {word!r:.60}", "write a short word, or a digit")
            elif plain in RESERVED:
                table.fault(
                    "answers",
                    f"asks for {word!r}, which carriers act on themselves",
                    "ask for another word: it would opt the person out or in, or be answered twice",
                )
            elif plain in seen:
                table.fault("answers", f"asks for {word!r} twice", "leave one out")
            seen.add(plain)
        return words

    def _check_ways(self, table: Table, step: Step, later: list[str]) -> None:
        """What a step leads to must stand after it, so that every walk comes to an end."""
        ways = {"go": step.go}
        if step.wait_for:
            ways |= {"heard": step.wait_for.heard, "missed": step.wait_for.missed}
        for place, branch in enumerate(step.branches):
            ways[f"branches[{place}].go"] = branch.go
        for key, name in ways.items():
            if name and name != END and name not in later:
                known = f"one of {', '.join((*later, END))}"
                table.fault(key, f"leads to {name!r:.60}, no later step", f"write {known}")
