"""Whether every text is explained: asked of the ledger as each one leaves, and of all in the end.

What the engine weighed is worked out here once more, from the tables and in other words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connector.clock import instant, text
from connector.errors import ExpressionFailed
from connector.messages import Message
from connector.model import Contact, Purpose
from connector.phone import NotANumber, parse, reachable
from connector.rules import hours
from connector.rules.optin import REQUEST
from connector.rules.plays import Kind, Mode, Play, Step
from tests.simulate.village import Village

Row = Mapping[str, Any]

DAY = timedelta(hours=24)
TEXTED = ("reply", "provider", "call", "email", "operator")
LIFTS = ("reply", "double_opt_in")
OWN_NAMES = {
    Kind.silence: "silence",
    Kind.change: "change",
    Kind.date: "date",
    Kind.segment: "segment",
    Kind.schedule: "schedule",
    Kind.hand: "hand",
}


class Auditor:
    """Looks at each text in the instant in which a provider is handed it."""

    def __init__(self, village: Village) -> None:
        self.village = village
        self.faults: list[str] = []
        self.looked = 0
        village.witness.look = self.look

    def look(self, message: Message) -> None:
        """Note why a text should not leave, where it should not."""
        self.looked += 1
        found = _Text(self.village, message)
        self.faults += [f"{message.send_id} ({found.name}): {why}" for why in found.faults()]


class _Text:
    """One text that is leaving, and all that the ledger tells of it now."""

    def __init__(self, village: Village, message: Message) -> None:
        self.village, self.message = village, message
        (self.send,) = village.rows("SELECT * FROM sends WHERE id = :id", id=message.send_id)
        self.now = instant(self.send["begun_at"])
        self.name = f"{self.send['cause']} {self.send['play']}.{self.send['step']}"
        self.purpose = Purpose(self.send["purpose"])

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        return self.village.rows(sql, **params)

    def faults(self) -> Iterator[str]:
        """Each reason for which it should not leave."""
        yield from self._of_any_text()
        if self.send["cause"] == "system":
            yield from self._of_our_answer()
        elif self.send["cause"] == "play":
            yield from self._of_a_play()

    # -- any text ------------------------------------------------------------------------------

    def _of_any_text(self) -> Iterator[str]:
        send = self.send
        if send["state"] != "sending" or not self.message.text or self.message.text != send["text"]:
            yield f"is {send['state']}, or its words are others"
        if self.message.to != send["phone"]:
            yield "goes to another number"
        if self.now >= instant(send["expires_at"]):
            yield "is too late"
        if send["mode"] not in ("live", "sandbox"):
            yield f"is dry ({send['mode']})"
        made = self.rows(
            """SELECT * FROM decisions WHERE send_id = :id AND moment = 'send'
            ORDER BY decided_at DESC, id DESC LIMIT 1""",
            id=send["id"],
        )
        if not made or made[0]["verdict"] != "send" or made[0]["decided_at"] != send["begun_at"]:
            yield "nobody decided that it goes"
        elif orjson.loads(made[0]["objections"]):
            yield "something was against it"
        for pause in self.rows("SELECT * FROM pauses"):
            if pause["play"] in ("*", send["play"]):
                yield f"{pause['play']} is paused"
        if self.purpose is not Purpose.system and self._stopped(self.purpose):
            yield "the number has said STOP"

    def _consents(self) -> list[dict[str, Any]]:
        sql = "SELECT * FROM consents WHERE phone = :phone ORDER BY occurred_at, id"
        return self.rows(sql, phone=self.message.to)

    def _stopped(self, purpose: str) -> bool:
        return is_stopped(self._consents(), purpose)

    def _of_our_answer(self) -> Iterator[str]:
        if self.send["step"] == REQUEST:
            if not any(row["action"] == "pending" for row in self._consents()):
                yield "nobody proposed what it asks"
            return
        found = self.rows("SELECT * FROM replies WHERE id = :id", id=self.send["cause_id"])
        if not found or found[0]["phone"] != self.message.to:
            yield "nobody wrote from there"
        elif self.now - instant(found[0]["occurred_at"]) >= timedelta(minutes=5):
            yield "answers too late"

    # -- a play's text -------------------------------------------------------------------------

    def _of_a_play(self) -> Iterator[str]:
        sql = "SELECT * FROM enrolments WHERE id = :id"
        found = self.rows(sql, id=self.send["enrolment_id"])
        if not found:
            yield "has no enrolment"
            return
        row = found[0]
        play = self._play(row)
        step = next((step for step in play.steps if step.name == self.send["step"]), None)
        if step is None:
            yield "its play has no such step"
            return
        yield from self._of_the_way(row, play, step)
        yield from self._of_the_start(row, play)
        yield from self._of_consent(play)
        yield from self._of_the_contact(row, play)
        yield from self._of_caps(row, play)
        yield from self._of_ends(row, play)
        yield from self._of_talk(row, play)

    def _play(self, row: Row) -> Play:
        current = self.village.rt.plays.get(row["play"])
        play = self.village.versions[row["play"], row["version"]]
        if current is not None and current.adopt:
            play = current
        if row["arm"] and row["arm"] != "control" and play.experiment:
            play = play.experiment.plays[row["arm"]]
        return play

    def _of_the_way(self, row: Row, play: Play, step: Step) -> Iterator[str]:
        send, now = self.send, self.now
        if row["state"] != "walking" or row["step_name"] != step.name:
            yield f"the enrolment is {row['state']} at {row['step_name']}"
        if (row["play"], row["contact_id"], row["key"], row["mode"]) != (
            send["play"], send["contact_id"], send["key"], send["mode"]
        ):  # fmt: skip
            yield "the enrolment is another's"
        if send["version"] != play.version and not play.adopt:
            yield "the version is another"
        current = self.village.rt.plays.get(send["play"])
        if current is None or current.mode is Mode.off:
            yield "the play is off or gone"
        today = now.astimezone(ZoneInfo(self.village.rt.zone)).date()
        if play.valid_until is not None and today > play.valid_until:
            yield "the play is no longer valid"
        plans = self.rows(
            "SELECT * FROM decisions WHERE send_id = :id AND moment = 'plan'", id=send["id"]
        )
        if [plan["verdict"] for plan in plans] not in (["send"], ["wait"]):
            yield "it was not planned once"
        if step.where is not None and self._plainly(step.where, row) is False:
            yield "the step's condition does not hold"

    def _of_the_start(self, row: Row, play: Play) -> Iterator[str]:
        begun = self.rows(
            """SELECT * FROM decisions WHERE enrolment_id = :id AND moment = 'trigger'
            AND verdict = 'send'""",
            id=row["id"],
        )
        if len(begun) != 1 or begun[0]["play"] != row["play"]:
            yield f"{len(begun)} decisions began the enrolment"
            return
        if begun[0]["version"] != row["version"]:
            yield "another version began the enrolment"
        signals = self.rows("SELECT * FROM signals WHERE id = :id", id=row["signal_id"])
        if not signals:
            yield "no signal began the enrolment"
            return
        yield from self._of_the_signal(row, play, signals[0], begun[0])

    def _of_the_signal(self, row: Row, play: Play, signal: Row, begun: Row) -> Iterator[str]:
        own = OWN_NAMES.get(play.start.kind, play.start.signal)
        if signal["name"] not in (own, "hand"):
            yield f"{signal['name']} does not begin this play"
        of_nobody = play.start.kind in (Kind.thing, Kind.schedule)
        if signal["contact_id"] != ("" if of_nobody else row["contact_id"]) and (
            signal["name"] != "hand" or signal["contact_id"] != row["contact_id"]
        ):
            yield "another's signal began the enrolment"
        opened = instant(row["opened_at"])
        if opened - instant(row["eligible_at"]) > timedelta(hours=48):
            yield "what began it was stale"
        told = self.rows("SELECT * FROM events WHERE id = :id", id=signal["event_id"])
        if told and told[0]["back_fill"]:
            yield "a back-fill began it"
        is_hand = signal["name"] == "hand"
        if not is_hand and self._plainly(play.start.where, row) is False:
            yield "the start's condition does not hold"
        if not is_hand and play.start.date is None:
            due = instant(row["triggered_at"]) + play.start.after + play.steps[0].wait
            if self.now < due:
                yield "it comes before it is due"
        elif (
            not is_hand
            and play.start.kind is Kind.date
            and (self.now < instant(row["triggered_at"]) + play.start.after)
        ):
            yield "it comes before its date"

    def _plainly(self, condition: Any, row: Row) -> bool | None:
        """A condition over nothing but the start signal's facts; None where it reads more."""
        paths: frozenset[str] = getattr(condition, "paths", frozenset())
        if condition is None or not all(path.startswith("signal") for path in paths):
            return None
        if "days_since" in condition.source or "hours_until" in condition.source:
            return None
        (signal,) = self.rows("SELECT * FROM signals WHERE id = :id", id=row["signal_id"])
        facts = {**orjson.loads(signal["facts"]), "name": signal["name"], "key": row["key"]}
        try:
            return bool(condition({"signal": facts, "history": None}))
        except ExpressionFailed:
            return False

    def _of_consent(self, play: Play) -> Iterator[str]:
        rows = self._consents()
        for want in (play.purpose.value, *play.scopes):
            if not is_live(rows, want):
                yield f"there is no consent for {want}"

    def _of_the_contact(self, row: Row, play: Play) -> Iterator[str]:
        found = self.rows("SELECT * FROM contacts WHERE id = :id", id=row["contact_id"])
        if not found or found[0]["merged_into"]:
            yield "nobody is meant"
            return
        contact, rt = self._contact(found[0]), self.village.rt
        if play.stages and contact.stage not in play.stages:
            yield f"somebody at {contact.stage} is not meant"
        if contact.stage and contact.stage in play.exit.stages:
            yield f"{contact.stage} ends the play"
        if play.name == "sp_main" and contact.traits.get("plan") == "gone":
            yield "what ends the play is true"
        if play.name == "sp_left" and not contact.traits.get("club"):
            yield "they have left the segment"
        if contact.traits.get("hold_back") or contact.traits.get("do_not_contact"):
            yield "the policy keeps it back"
        where = hours.places(contact, contact.phone)
        margin = rt.book.policy.window_margin
        if not hours.judge(where, rt.book.hours, self.purpose, self.now, margin).open:
            yield "the hour is not lawful"
        known = self.rows("SELECT * FROM numbers WHERE phone = :phone", phone=contact.phone)
        try:
            kind = (known[0]["type"] if known else "") or parse(contact.phone, "US").type
        except NotANumber:
            kind = "invalid"
        if not reachable(kind):
            yield f"the number is {kind}"
        if known and known[0]["held_at"] and self.purpose is Purpose.marketing:
            yield "an unclear reply waits"
        if not known or known[0]["blocked_scope"] == "all":
            yield "the number is blocked"
        bears = self.rows(
            """SELECT 1 FROM identities WHERE kind = 'phone' AND value = :phone
            AND contact_id = :contact AND detached_at IS NULL""",
            phone=self.message.to,
            contact=row["contact_id"],
        )
        if not bears:
            yield "the number is not theirs"
        limit = hours.legal_cap(where, rt.book.hours, self.now.date())
        since = self.now - DAY
        if (
            limit is not None
            and self.purpose is Purpose.marketing
            and (len(self._others(since, purpose="marketing", whose="phone")) >= limit)
        ):
            yield "the law's cap is full"
        yield from self._of_holdouts(row, play)

    def _contact(self, row: Row) -> Contact:
        return Contact(
            row["id"],
            self.message.to,
            traits=orjson.loads(row["traits"]),
            stage=row["stage"],
            timezone=row["timezone"],
            country=row["country"],
            region=row["region"],
            postal=row["postal"],
            language=row["language"],
        )

    def _of_holdouts(self, row: Row, play: Play) -> Iterator[str]:
        experiments = [f"play:{play.name}"]
        experiments += ["global"] if self.purpose is Purpose.marketing else []
        for experiment in experiments:
            for kept in self.rows(
                """SELECT * FROM assignments WHERE experiment = :experiment
                AND contact_id = :contact AND mixed_at IS NULL""",
                experiment=experiment,
                contact=row["contact_id"],
            ):
                if kept["arm"] == "holdout":
                    yield f"the person is held out ({experiment})"

    def _others(
        self, since: datetime, *, purpose: str, whose: str, play: str = ""
    ) -> list[dict[str, Any]]:
        """Texts other than this one that count since an instant."""
        rows = self.rows(
            f"""SELECT * FROM sends WHERE {whose} = :whose AND counts_at > :since
            AND purpose = :purpose AND cause <> 'system' AND cause <> 'test' AND id <> :id""",
            whose=self.send[whose],
            since=text(since),
            purpose=purpose,
            id=self.send["id"],
        )
        return [row for row in rows if play in ("", row["play"])]

    def _of_caps(self, row: Row, play: Play) -> Iterator[str]:
        policy = self.village.rt.book.policy
        for cap in policy.caps:
            if cap.purpose is self.purpose and cap.play in ("", "*", play.name):
                for whose in ("contact_id", "phone"):
                    named = play.name if cap.play else ""
                    since = self.now - cap.per
                    said = self._others(since, purpose=self.purpose.value, whose=whose, play=named)
                    if len(said) >= cap.count:
                        yield f"{cap.name} is full for the {whose}"
        if self.purpose is Purpose.marketing:
            for whose in ("contact_id", "phone"):
                if self._others(self.now - policy.gap, purpose="marketing", whose=whose):
                    yield f"it comes too soon for the {whose}"
        if play.max_texts_per_key is not None:
            said = self.rows(
                """SELECT 1 FROM sends WHERE contact_id = :contact AND play = :play AND key = :key
                AND counts_at IS NOT NULL AND id <> :id""",
                contact=row["contact_id"],
                play=play.name,
                key=row["key"],
                id=self.send["id"],
            )
            if len(said) >= play.max_texts_per_key:
                yield "all was said about this already"

    def _of_ends(self, row: Row, play: Play) -> Iterator[str]:
        """Nothing that ends or fulfils the play was heard before."""
        names = [*play.exits, *([play.goal.signal] if play.goal else ())]
        for signal in self._heard(names, row["contact_id"], row["triggered_at"]):
            about_it = not play.same_key or signal["key"] in ("", row["key"])
            if signal["name"] in play.exits and about_it:
                yield f"{signal['name']} has ended it"
            elif (
                play.goal is not None
                and signal["name"] == play.goal.signal
                and (
                    (not play.goal.same_key or signal["key"] == row["key"])
                    and play.goal.where is None
                )
            ):
                yield f"{signal['name']} was all that it wanted"
        first = play.steps[0]
        if self.send["step"] != first.name or not first.is_text:
            return
        for signal in self._heard(play.start.unless, row["contact_id"], row["triggered_at"]):
            taken = signal["taken_at"] or ""
            (plan,) = self.rows(
                "SELECT * FROM decisions WHERE send_id = :id AND moment = 'plan'",
                id=self.send["id"],
            )
            about_it = not play.same_key or signal["key"] in ("", row["key"])
            if taken and taken <= plan["decided_at"] and about_it:
                yield f"{signal['name']} was to keep it back"

    def _heard(self, names: Iterable[str], contact: str, since: str) -> list[dict[str, Any]]:
        rows = self.rows(
            """SELECT s.*, e.taken_at FROM signals s LEFT JOIN events e ON e.id = s.event_id
            WHERE s.contact_id = :contact AND s.occurred_at > :since""",
            contact=contact,
            since=since,
        )
        wanted = set(names)
        return [row for row in rows if row["name"] in wanted]

    def _of_talk(self, row: Row, play: Play) -> Iterator[str]:
        talks = self.rows(
            "SELECT * FROM conversations WHERE phone = :phone AND closed_at IS NULL",
            phone=self.message.to,
        )
        if talks and instant(talks[0]["last_at"]) + DAY > self.now:
            yield "a person is talking with them"
        if not play.exclusive:
            return
        for other in self.rows(
            """SELECT e.* FROM enrolments e WHERE e.contact_id = :contact AND e.state = 'walking'
            AND e.id <> :id AND EXISTS (SELECT 1 FROM sends s WHERE s.enrolment_id = e.id
                AND s.counts_at IS NOT NULL AND s.counts_at < :now)""",
            contact=row["contact_id"],
            id=row["id"],
            now=self.send["begun_at"],
        ):
            there = self.village.rt.plays.get(other["play"])
            if there is None or not there.exclusive or there.priority < play.priority:
                if there is not None and there.exclusive:
                    yield f"{there.name} has not made room for it"
                continue
            own = [row["first_text_at"] or "9", other["first_text_at"] or "9"]
            if there.priority > play.priority or own[1] < own[0]:
                yield f"{there.name} is in a conversation with them"


def _is_goal(play: Play, signal: Row, row: Row) -> bool:
    """Whether a signal is a play's goal whatever else is so; one that asks more may not be."""
    goal = play.goal
    if goal is None or goal.where is not None or signal["name"] != goal.signal:
        return False
    return not goal.same_key or bool(signal["key"] == row["key"])


def _covers(row: Row, purpose: str) -> bool:
    """Whether a consent's row is a STOP for a purpose."""
    if row["action"] != "revoked":
        return False
    if row["purpose"] == "all":
        return True
    return row["purpose"] == "marketing" and row["method"] in TEXTED and purpose != "service"


def _lifts(row: Row) -> bool:
    return (
        row["action"] == "granted"
        and row["method"] in LIFTS
        and row["purpose"] in ("all", "marketing")
    )


def is_stopped(rows: list[dict[str, Any]], purpose: str) -> bool:
    """Whether a STOP stands: none of what lifts one came after the last."""
    for row in reversed(rows):
        if _covers(row, purpose):
            return True
        if _lifts(row):
            return False
    return False


def is_live(rows: list[dict[str, Any]], purpose: str) -> bool:
    """Whether a purpose is granted by what was recorded last: read from the end."""
    for place in reversed(range(len(rows))):
        row, before = rows[place], rows[:place]
        if _covers(row, purpose) or (row["action"] == "revoked" and row["purpose"] == purpose):
            return False
        if row["action"] != "granted":
            continue
        if row["purpose"] == purpose:
            if row["method"] in LIFTS or not is_stopped(before, purpose):
                return True
        elif row["purpose"] == "all" and row["method"] in LIFTS and _any_stop(before):
            return _was_live(before, purpose)
    return False


def _any_stop(rows: list[dict[str, Any]]) -> bool:
    return is_stopped(rows, "marketing") or is_stopped(rows, "service")


def _was_live(rows: list[dict[str, Any]], purpose: str) -> bool:
    """Whether a purpose was live just before the STOP that stands came, and not ended since."""
    first = len(rows)
    for place in reversed(range(len(rows))):
        if _lifts(rows[place]):
            break
        if _covers(rows[place], "marketing"):
            first = place
    since = [
        row for row in rows[first:] if row["action"] == "revoked" and row["purpose"] == purpose
    ]
    ended = [row for row in since if not _covers(row, purpose)]
    return is_live(rows[:first], purpose) and not ended


# -- all of it, in the end -------------------------------------------------------------------------


def in_the_end(village: Village) -> Iterator[str]:
    """What must hold of a whole ledger."""
    yield from _none_twice(village)
    yield from _unique(village)
    yield from _dry(village)


def _none_twice(village: Village) -> Iterator[str]:
    sends = village.rows("SELECT * FROM sends")
    told = Counter(
        (row["enrolment_id"], row["step"])
        for row in sends
        if row["cause"] == "play" and (row["counts_at"] or row["accepted_at"])
    )
    yield from (f"{what} went {n} times" for what, n in told.items() if n > 1)
    answers = Counter(row["cause_id"] for row in sends if row["cause"] == "system")
    yield from (f"reply {what} was answered {n} times" for what, n in answers.items() if n > 1)
    known = {row["id"]: row for row in sends}
    handed: dict[str, list[str]] = {}
    for send_id, result in village.witness.answered:
        handed.setdefault(send_id, []).append(result)
    settled = {
        row["about"].removeprefix("send:"): row["why"].startswith("sent")
        for row in village.rows("SELECT about, why FROM acts WHERE act = 'settled'")
    }
    for send_id, results in handed.items():
        if send_id not in known:
            yield f"{send_id} is not in the ledger"
        if settled.get(send_id) is not False and any(
            result != "deferred" for result in results[:-1]
        ):
            yield f"{send_id} was handed over again after {results}"
    for row in sends:
        results = handed.get(row["id"], [])
        is_known = row["status"] == "" or "uncertain" not in (results or ["uncertain"])
        if row["cause"] == "lost" or row["reason"] == "found" or settled.get(row["id"]):
            continue  # another connector handed it over, or a person knows
        if row["accepted_at"] and "accepted" not in results and is_known:
            yield f"{row['id']} counts as taken, and was not handed over"


def _unique(village: Village) -> Iterator[str]:
    became = {
        row["id"]: row["merged_into"]
        for row in village.rows(
            "SELECT id, merged_into FROM contacts WHERE merged_into IS NOT NULL"
        )
    }
    walks: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in village.rows("SELECT * FROM enrolments"):
        person = row["contact_id"]
        while person in became:
            person = became[person]
        walks.setdefault((row["play"], person, row["key"]), []).append(row)
    for what, rows in walks.items():
        going = [row for row in rows if row["state"] in ("waiting", "walking")]
        stray = [row for row in going if row["contact_id"] in became]
        if len(going) > 1 or stray:
            yield f"{what} is walked {len(going)} times, {len(stray)} of them by nobody"


def _dry(village: Village) -> Iterator[str]:
    for row in village.rows(
        """SELECT s.id, e.mode FROM sends s JOIN enrolments e ON e.id = s.enrolment_id
        WHERE s.attempt > 0 AND e.mode NOT IN ('live', 'sandbox')"""
    ):
        yield f"{row['id']} left, though its enrolment is {row['mode']}"
    for row in village.rows(
        """SELECT id FROM enrolments WHERE mode NOT IN ('live', 'sandbox')
        AND first_text_at IS NOT NULL"""
    ):
        yield f"enrolment {row['id']} is dry, and has spoken"
