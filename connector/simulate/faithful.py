"""Faithfully: what is due is done at the instant at which it was done then, and answered so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from connector import clock
from connector.ledger import (
    cursors,
    enrolments,
    fanouts,
    links,
    quiet,
    sends,
    template_days,
    timers,
)
from connector.ledger.store import Row
from connector.rules.plays import Play
from connector.simulate.begun import Begun
from connector.simulate.opening import Ids
from connector.simulate.recorded import BY_HAND, Line, Recorded
from connector.simulate.scratch import FIRST_HELD, ScratchTx
from connector.steps import schedules, tidy

MANY: Final = 100_000
KNOWN: Final = 50_000  #: instants remembered
NEXT_ENROLMENTS: Final = """SELECT * FROM enrolments WHERE due_at IS NOT NULL
    ORDER BY due_at LIMIT :limit OFFSET :offset"""
NEXT_SENDS: Final = """SELECT * FROM sends WHERE state = 'planned'
    ORDER BY due_at LIMIT :limit OFFSET :offset"""
HELD: Final = "SELECT phone, held_at FROM numbers WHERE held_at IS NOT NULL"
SEND: Final = "SELECT * FROM sends WHERE id = :id"
PAGE: Final = 200

NEXT_TIMERS: Final = "SELECT * FROM timers ORDER BY due_at LIMIT :limit OFFSET :offset"
NEXT: Final = {
    enrolments.NEXT: NEXT_ENROLMENTS,
    sends.NEXT: NEXT_SENDS,
    timers.NEXT: NEXT_TIMERS,
}
"""What asks when something is next due → what lists it in the order in which it is due."""

GIVEN_BACK: Final = "given_back"  #: a text passed the gate, and was not handed over

CAME_UP: Final[Mapping[str, tuple[str, str | int]]] = {
    "opted_out": ("blocked", "all"),
    "on_list": ("suppressed", "all"),
    "reply_unread": ("held", "1"),
    "consent_ended": ("revoked", 1),
}
"""Why a text was given back → the column of what is read then, and its value; others: a pause."""

When = Callable[[Row], str]
"""When the thing of a row was done then."""


class FaithfulTx(ScratchTx):
    """A transaction in which a thing is due when it was done then; else when it is due."""

    is_told = True

    def __init__(
        self,
        connection: sqlite3.Connection,
        recorded: Recorded,
        plays: Callable[[], Mapping[str, Play]],
        now: clock.Clock,
    ) -> None:
        super().__init__(connection)
        self._recorded, self._plays, self._now = recorded, plays, now
        self._begun = Begun(recorded, lambda: tuple(plays().values()))
        self._known: dict[tuple[str, str, str], str] = {}
        self.code = ""  #: of the link that is about to be made
        self.watched = ""  #: the text that is judged now
        self.doubted = ""  #: what was due by then is in doubt (a restore), and of no decision

    def all(self, sql: str, **params: Any) -> list[Row]:
        """Every row; of what is due only that whose instant has come."""
        if sql == enrolments.DUE:
            return [self._as_due(row) for row in self._due(sql, self._when, params)]
        if sql in (sends.DUE, sends.DUE_FIRST, sends.DUE_ANSWERS):
            return self._due(sql, self._when, params)
        if sql == sends.IN_LINE:  # nobody goes before the instant at which they went
            return []
        if sql == timers.DUE:
            return self._due(sql, self._begun.timer, params)
        found = super().all(sql, **params)
        if sql in (quiet.ACTIVE, quiet.NEVER):
            return self._begun.silent(found, str(params["until"]))
        if sql == template_days.SINCE:
            return self._judged(found)
        if sql == tidy.HELD:
            return [row for row in super().all(HELD) if self._lapsed(row) <= str(params["before"])]
        return found

    def one(self, sql: str, **params: Any) -> Row | None:
        """The first row; of when something is next due, when it was done then."""
        if sql in NEXT:
            when = self._begun.timer if sql == timers.NEXT else self._when
            return {"due": self._next(NEXT[sql], when)}
        if sql in (fanouts.ANY, fanouts.NEXT):
            return self._fanout(sql)
        if sql == FIRST_HELD:
            return {"at": min(map(self._lapsed, super().all(HELD)), default=None)}
        if sql == sends.OBJECTED:
            return self._objected(super().one(sql, **params), params)
        if sql == cursors.GET:
            return self._cursor(str(params["name"]), super().one(sql, **params))
        if sql == links.CODE:
            self._note_code(str(params["send"]), str(params["url"]))
        return super().one(sql, **params)

    def _objected(self, row: Row | None, params: Mapping[str, Any]) -> Row | None:
        """What kept a text from its call then; a call that was made is made again.

        Here it is asked at the instant of the answer, when more was heard than before the call.
        """
        send = super().one(SEND, id=params["id"])
        about = self._recorded.about_send(send) if send else ""
        begun = str(send["begun_at"]) if send else ""
        line = self._recorded.answer(about, params["attempt"], begun)
        if row is None or line is None or line["begun_at"] != begun or not line["result"]:
            return row
        nothing = dict.fromkeys(row.keys())
        if line["result"] != GIVEN_BACK:
            return nothing
        column, value = CAME_UP.get(line["reason"], ("paused", 1))
        return {**nothing, column: value}

    def _cursor(self, name: str, row: Row | None) -> Row | None:
        self._begun.note_cursor(name)
        if row is None or not name.startswith("schedule:") or row["value"] == schedules.NEVER:
            return row
        return {"value": self._begun.schedule(name, str(row["value"]), clock.text(self._now()))}

    def _due(self, sql: str, when: When, params: Mapping[str, Any]) -> list[Row]:
        found = super().all(sql, **{**params, "limit": MANY})
        now = str(params["now"])
        return [row for row in found if when(row) <= now][: params["limit"]]

    def _as_due(self, row: Row) -> Row:
        """A due step with the instant at which it was due then: a step before it that was passed
        over late, of which nothing tells, may have put it off."""
        play = self._plays().get(str(row["play"]))
        step = (
            next((each for each in play.steps if each.name == row["step_name"]), None)
            if play
            else None
        )
        until = self._recorded.expires(self._about(row), clock.text(self._now())) if step else ""
        if step is None or not until:
            return row
        return {**dict(row), "due_at": clock.text(clock.instant(until) - step.expires)}

    def _lapsed(self, row: Row) -> str:
        """Since when a number would be held for its reply to lapse when it did."""
        due = clock.instant(row["held_at"]) + tidy.UNDECIDED
        at = self._recorded.lapse(str(row["phone"]), clock.text(due))
        return clock.text(clock.instant(at) - tidy.UNDECIDED) if at else str(row["held_at"])

    def _fanout(self, sql: str) -> Row | None:
        """The oldest fan-out, once the instant is here at which its next people were told."""
        row = super().one(fanouts.NEXT)
        at = self._begun.told_at(row) if row else ""
        now = clock.text(self._now())
        self.wake = at if at > now else None
        if row is None or self.wake:
            return None
        if sql == fanouts.NEXT:
            self._begun.tell(row, now)
        return row

    def _judged(self, rows: list[Row]) -> list[Row]:
        """A text that was paused for its opt-outs then is judged by them at that instant."""
        now = clock.text(self._now())
        return [row for row in rows if self._is_judged(str(row["template"]), now)]

    def _is_judged(self, template: str, now: str) -> bool:
        return template == self.watched or not self._recorded.watched(template, now)

    def was_asked(self, send: Row, now: datetime) -> bool:
        """Whether the gate was asked about a text at this very instant."""
        at = clock.text(now)
        return self._recorded.instant(self._about(send), at) == at

    def run(self, sql: str, **params: Any) -> int:
        """Run a statement; what hangs on when it was done is as it was then."""
        if sql in AS_IT_WAS:
            params = {**params, **AS_IT_WAS[sql](self, params)}
        return super().run(sql, **params)

    def put_off(self, params: Mapping[str, Any]) -> dict[str, str]:
        """A text put off is due when it was tried again."""
        send = super().one(SEND, id=params["id"])
        again = self._tried_again(send) if send else None
        return {"due": again["begun_at"]} if again else {}

    def went(self, send: Row) -> Line | None:
        """The attempt that a text is about to make, as it was then."""
        about = self._recorded.about_send(send)
        return self._recorded.answer(about, int(send["attempt"]) + 1)

    def _tried_again(self, send: Row) -> Line | None:
        """The attempt that followed then."""
        return self.went(send)

    def planned(self, params: Mapping[str, Any]) -> dict[str, str]:
        """A text is worth sending for as long as it was."""
        about = self._recorded.about(
            "plan", params["contact"], params["play"], params["key"], params["step"]
        )
        until = self._recorded.expires(about, str(params["now"]))
        return {"expires": until} if until else {}

    def opened(self, params: Mapping[str, Any]) -> dict[str, str]:
        """An enrolment is opened in the earnest in which it was: an approval may have lacked."""
        about = self._recorded.about(
            "trigger", params["contact"], params["play"], params["key"], ""
        )
        mode = self._recorded.mode(about, str(params["now"]))
        return {"mode": mode} if mode else {}

    def marked(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Silences are told as far as they were shown."""
        return {"value": self._begun.mark(str(params["name"]), str(params["value"]))}

    def _next(self, sql: str, when: When) -> str | None:
        """The earliest instant at which anything is done: never before it is due."""
        first, offset = "", 0
        while True:
            rows = super().all(sql, limit=PAGE, offset=offset)
            for row in rows:
                if first and row["due_at"] >= first:
                    return first
                first = min(filter(None, (first, when(row))))
            if len(rows) < PAGE:
                return first or None
            offset += PAGE

    def _when(self, row: Row) -> str:
        due = str(row["due_at"])
        if due <= self.doubted and "cause" in row.keys() and row["cause"] != "system":  # noqa: SIM118
            return due
        thing = (str(row["id"]), str(row["step"]), due)
        known = self._known.get(thing)
        if known is None:
            if len(self._known) > KNOWN:
                self._known.clear()
            known = self._known[thing] = self._done_at(self._about(row), due)
        return known

    def _done_at(self, about: str, due: str) -> str:
        """When what was due at an instant was done then; as it is due where it was not."""
        return self._recorded.instant(about, due) or due

    def _about(self, row: Row) -> str:
        names = row.keys()
        moment, step = "send", row["step"]
        if "cause" not in names:
            moment, step = "plan", self._step(row)
        contact_id, play, key = str(row["contact_id"]), str(row["play"]), str(row["key"])
        if moment == "send" and row["cause"] in BY_HAND:
            key = str(row["id"])
        elif moment == "send" and row["cause"] == "system" and not contact_id:
            key = str(row["phone"])
        return self._recorded.about(moment, contact_id, play, key, str(step))

    def _step(self, row: Row) -> str:
        if row["step_name"]:
            return str(row["step_name"])
        play, place = self._plays().get(str(row["play"])), int(row["step"])
        if play is None or place >= len(play.steps):
            return ""
        return str(play.steps[place].name)

    def _note_code(self, send_id: str, url: str) -> None:
        send = super().one(SEND, id=send_id)
        self.code = self._recorded.code(self._recorded.about_send(send), url) if send else ""


AS_IT_WAS: Final[Mapping[str, Callable[[FaithfulTx, Mapping[str, Any]], dict[str, str]]]] = {
    sends.DEFER: FaithfulTx.put_off,
    sends.GIVE_BACK: FaithfulTx.put_off,
    sends.PLAN: FaithfulTx.planned,
    enrolments.OPEN: FaithfulTx.opened,
    cursors.SET: FaithfulTx.marked,
}
"""Statements with something in them that hangs on when it was done → what that was then."""


class FaithfulIds(Ids):
    """Identifiers; contacts, signals, CRM changes and links are called as they were then."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, str] = {}  #: kind → what the next one of it is called
        self.tx: FaithfulTx | None = None

    def __call__(self, kind: str) -> str:
        return self.given.pop(kind, "") or super().__call__(kind)

    def code(self) -> str:
        """The code that the link had, where there was one."""
        known = self.tx.code if self.tx else ""
        return known or super().code()
