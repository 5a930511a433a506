"""A small shop on a real ledger: its plays, its texts, a provider that does as it is told.

Time stands still until a test moves it; identifiers count up; nobody is held out unless a test
says so; New York may be texted at any hour unless a test says so.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from connector.expressions import compile_all, compile_expression, compile_template
from connector.ledger import consents, contacts, migrations, sends
from connector.ledger.inbox import Delivery, Inbox, InboxReader
from connector.ledger.sqlite import SqliteStore
from connector.messages import CHANNELS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import ConsentGiven, Event, Hook, Json, Purpose, Signal, Status, Subject, Trust
from connector.providers import Ability
from connector.rules.consent import Standing, standing
from connector.rules.hours import Hours, HoursRule
from connector.rules.mapping import EventRule, SourceMapping
from connector.rules.plays import Condition, Goal, Play, Restart, Role, Start, Step
from connector.rules.plays import Segment as People
from connector.rules.policy import Policy, Rulebook
from connector.rules.stages import Stages
from connector.sources.segment import Segment
from connector.steps import advance, crmfacts, outcome
from connector.steps.consent import record_consent
from connector.steps.dispatch import Dispatcher
from connector.steps.setup import OpenSource, Says, Setup
from connector.steps.signal import take_signal

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)  # Tuesday noon in New York
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PHONE, OTHER = "+12125550101", "+12125550102"
OURS = "+18005550100"
ANN = Subject(user_id="ann", phone=PHONE)


def when(source: str) -> Condition:
    """A condition as plays have them."""
    return compile_expression(source, strict=True)


def segment(name: str, source: str) -> People:
    """A segment as ``segments.toml`` has it."""
    made = compile_expression(source, strict=True)
    return People(name, made, source, "", made.signals, made.paths)


CART = Play(
    name="cart",
    version="v1",
    description="",
    role=Role.conversion,
    purpose=Purpose.marketing,
    scopes=(),
    start=Start(
        "cart_updated",
        after=HOUR,
        unless=("order_completed",),
        restart=Restart.rearm,
    ),
    audience=None,
    steps=(
        Step("reminder", template="cart"),
        Step("again", wait=DAY, template="cart_again"),
    ),
    goal=Goal("order_completed", 7 * DAY),
    exits=("unsubscribed",),
    stages=(),
    holdout=0.0,
)
WELCOME = replace(
    CART,
    name="welcome",
    start=Start("signed_up"),
    steps=(Step("hello", template="welcome"),),
    goal=None,
    exits=(),
)
ORDER = replace(
    WELCOME,
    name="order",
    role=Role.service,
    purpose=Purpose.service,
    start=Start("order_completed"),
    steps=(Step("thanks", template="order", expires=4 * HOUR),),
)
TEXTS = {
    "cart": "{{ brand }}: {{ contact.first_name | default('you') }}, your cart waits",
    "cart_again": "{{ brand }}: still there",
    "welcome": "{{ brand }}: welcome",
    "order": "{{ brand }}: thank you for {{ signal.order_id }}",
    "stop_confirmed": "{{ brand }}: you get no more texts",
    "start_confirmed": "{{ brand }}: texts are on again",
    "help_answer": "{{ brand }}: write to {{ help_contact }}",
}


def open_hours(window: tuple[int, int] = (0, 24 * 60)) -> Hours:
    """The United States, open every day from one minute of the day to another."""
    week = (window,) * 7
    row = HoursRule("US", week, week, True, None, "", (), False, "", date(2000, 1, 1), "choice")
    return Hours({"US": (row,)}, {}, "h1", date(2026, 11, 1))


@dataclass
class Clock:
    """Stands still until it is moved."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Carrier:
    """A provider that takes every text, or answers what it is told to, in order."""

    name: str = "carrier"
    channels: frozenset[str] = frozenset(CHANNELS)
    does: frozenset[Ability] = frozenset()
    sent: list[Message] = field(default_factory=list)
    answers: deque[Accepted | Exception] = field(default_factory=deque)
    before: Callable[[Message], object] = lambda message: None  #: called while a text is in flight

    def send(self, message: Message) -> Accepted:
        self.before(message)
        self.sent.append(message)
        answer = self.answers.popleft() if self.answers else Accepted(f"SM-{message.send_id}", 1)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def find(self, message: Message, since: datetime) -> Found:
        return Found(None)

    def verify(self, hook: Hook, now: datetime) -> None:
        """Everybody is believed."""

    def inbound(self, since: datetime) -> Iterator[Reply]:
        return iter(())

    def carried(self, since: datetime) -> Iterator[Carried]:
        return iter(())

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """A list of replies as JSON; a body ``boom`` is a fault of the adapter's own."""
        if hook.body == b"boom":
            raise ZeroDivisionError
        return [
            Reply(self.name, told["id"], told["from"], OURS, told["text"], None)
            for told in orjson.loads(hook.body)
        ]


#: One rule for each event the shop's own server sends through its inbox.
MAPPING = SourceMapping(
    "segment",
    "m1",
    "segment",
    tuple(
        EventRule(
            place,
            frozenset({name}),
            "",
            name,
            compile_all(
                {
                    "subject.user_id": "userId",
                    "subject.phone": "properties.phone",
                    "key": "properties.key",
                    "facts.value": "properties.value",
                    "facts.order_id": "properties.order_id",
                    "facts.broken": "properties.number / properties.zero",
                },
                strict=False,
            ),
        )
        for place, name in enumerate(("cart_updated", "order_completed", "signed_up"))
    ),
)


class Shop:
    """A ledger, an inbox and everything a step is handed."""

    def __init__(
        self,
        folder: Path,
        *plays: Play,
        policy: Policy | None = None,
        hours: Hours | None = None,
        texts: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> None:
        self.store = SqliteStore(folder / "ledger.db")
        migrations.migrate(self.store.database())
        self.clock = Clock()
        self.carrier = Carrier()
        self.moved = 0
        self.inbox = Inbox(folder / "inbox.db", moved=lambda: self.moved, wake=lambda: None)
        self._ids: Counter[str] = Counter()
        self._told = 0
        self.rt = Setup(
            store=self.store,
            inbox=InboxReader(folder / "inbox.db"),
            clock=self.clock,
            new_id=self._new_id,
            chance=lambda: 0.5,
            book=Rulebook(policy or Policy("p1"), hours or open_hours()),
            stages=Stages(("visitor", "lead", "customer")),
            plays={play.name: play for play in plays or (CART, WELCOME, ORDER)},
            templates={
                (name, "en"): compile_template(text)
                for name, text in {**TEXTS, **(texts or {})}.items()
            },
            says=Says("Corner Shop", "help@corner.example", link_hosts=("corner.example",)),
            sources={
                name: OpenSource(
                    name, trust, Segment(source=name, trust=trust, keys=[b"key"]), MAPPING
                )
                for name, trust in (("backend", Trust.trusted), ("site", Trust.browser))
            },
            providers={"carrier": self.carrier},
            provider="carrier",
            crms={},
            crm="local",
        )
        for name, value in changes.items():
            setattr(self.rt, name, value)
        self.rt.index()
        self.dispatcher = Dispatcher(self.rt)

    def _new_id(self, kind: str) -> str:
        self._ids[kind] += 1
        return f"{kind}_{self._ids[kind]:06}"

    def close(self) -> None:
        self.dispatcher.close()
        self.inbox.close()
        self.rt.inbox.close()
        self.store.close()

    # -- what happens --------------------------------------------------------------------------

    def tick(self, span: timedelta) -> None:
        """Let time pass."""
        self.clock.at += span

    def tell(
        self,
        name: str,
        subject: Subject = ANN,
        *,
        at: datetime | None = None,
        source: str = "backend",
        type: str = "track",
        back_fill: bool = False,
        **signal: Any,
    ) -> str:
        """A signal is heard now that occurred at an instant (now); the contact's id."""
        self._told += 1
        now = self.clock()
        number = f"{self._told:04}"
        occurred_at = at or now
        event = Event(f"evt_{number}", source, number, type, name, occurred_at, now, {}, back_fill)
        made = Signal(name, subject, signal.pop("facts", {}), signal.pop("traits", {}), **signal)
        with self.store.write() as tx:
            return take_signal(tx, self.rt, self.rt.sources[source], event, made, now)

    def consent(
        self, purpose: str = "marketing", phone: str = PHONE, *, method: str = "web_form"
    ) -> None:
        """A number grants a purpose now."""
        self._consent(phone, purpose, True, method)

    def revoke(
        self, purpose: str = "marketing", phone: str = PHONE, *, method: str = "web_form"
    ) -> None:
        """A number ends a purpose now."""
        self._consent(phone, purpose, False, method)

    def _consent(self, phone: str, purpose: str, granted: bool, method: str) -> None:
        with self.store.write() as tx:
            record_consent(
                tx,
                self.rt,
                phone=phone,
                purpose=purpose,
                granted=granted,
                method=method,
                now=self.clock(),
            )

    def walk(self) -> None:
        """Take every step that is due."""
        while advance.advance(self.rt):
            pass

    def until(self, at: datetime) -> None:
        """Let time come to an instant, taking every step on the way when it is due."""
        while (due := advance.next_due(self.rt, self.clock())) < at:
            self.clock.at = max(self.clock.at, due)
            self.walk()
        self.clock.at = at
        self.walk()

    def learn_crm(self, contact_id: str, **facts: Any) -> None:
        """The CRM tells now what it knows of a contact."""
        with self.store.write() as tx:
            crmfacts.learn(tx, self.rt, self.rt.crm, contact_id, facts, self.clock())

    def begun(self, play: str = "") -> list[tuple[str, str, str]]:
        """(key, state, when it began) of the enrolments of a play, or of all."""
        return [
            (row["key"], row["state"], row["triggered_at"][:16])
            for row in self.enrolments()
            if play in ("", row["play"])
        ]

    def dispatch(self) -> int:
        """Hand over what is due, wait for the answers and settle them; how many left."""
        before = len(self.carrier.sent)
        self.dispatcher.round()
        self._wait()
        self.dispatcher.round()
        self._wait()
        return len(self.carrier.sent) - before

    def _wait(self) -> None:
        """Until no call is under way whose answer has not come."""
        waiting = self.dispatcher
        while waiting.flying > len(waiting._answers):
            time.sleep(0.0005)

    def go(self, span: timedelta = timedelta()) -> int:
        """Let time pass, take what is due, hand it over; how many texts left."""
        self.tick(span)
        self.walk()
        return self.dispatch()

    def reply(
        self,
        text: str,
        phone: str = PHONE,
        *,
        at: datetime | None = None,
        reply_id: str = "",
        opt_out_type: str = "",
    ) -> None:
        """A person texts back."""
        self._told += 1
        told = Reply(
            "carrier",
            reply_id or f"in-{self._told}",
            phone,
            OURS,
            text,
            at or self.clock(),
            opt_out_type,
        )
        with self.store.write() as tx:
            outcome.reply(tx, self.rt, told, self.clock())

    def receipt(self, status: Status, send_id: str = "snd_000001", **changes: Any) -> None:
        """The provider tells of a text."""
        told = Receipt("carrier", f"SM-{send_id}", status, status.value, send_id=send_id)
        with self.store.write() as tx:
            outcome.receipt(tx, self.rt, replace(told, **changes), self.clock())

    def put(self, *bodies: Mapping[str, Json], source: str = "backend") -> None:
        """Bodies of /v1/track come into the inbox."""
        for body in bodies:
            self.deliver(orjson.dumps({"type": "track", **body}), source)

    def deliver(self, body: bytes, source: str = "backend", kind: str = "events") -> None:
        """One raw delivery comes into the inbox."""
        url = "https://x.example/v1/track"
        self.inbox.append(Delivery(kind, source, self.clock(), body, url))

    # -- what stands in the ledger -------------------------------------------------------------

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of any query."""
        with self.store.read() as tx:
            return [{name: row[name] for name in row.keys()} for row in tx.all(sql, **params)]  # noqa: SIM118

    def sends(self) -> list[dict[str, Any]]:
        """Every text, in the order in which it was planned."""
        return self.rows("SELECT * FROM sends ORDER BY id")

    def states(self) -> list[str]:
        """The state of every text."""
        return [row["state"] for row in self.sends()]

    def enrolments(self) -> list[dict[str, Any]]:
        """Every enrolment, in the order in which it was opened."""
        return self.rows("SELECT * FROM enrolments ORDER BY id")

    def decisions(self, moment: str) -> list[tuple[str, str]]:
        """(verdict, gravest reason) of every decision of a kind."""
        found = self.rows("SELECT * FROM decided WHERE moment = :m ORDER BY id", m=moment)
        return [(row["verdict"], row["reason"]) for row in found]

    def live(self, phone: str = PHONE) -> Standing:
        """What a number's consents come to."""
        with self.store.read() as tx:
            return standing(consents.history(tx, phone))

    def number(self, phone: str = PHONE) -> dict[str, Any]:
        """What stands on a number's own row."""
        [row] = self.rows("SELECT * FROM numbers WHERE phone = :phone", phone=phone)
        return row

    def bearers(self, kind: str, value: str) -> set[str]:
        """Contacts that bear a name now."""
        with self.store.read() as tx:
            return set(contacts.bearers(tx, kind, value))

    def names(self, contact_id: str) -> set[tuple[str, str]]:
        """What a contact is known by."""
        with self.store.read() as tx:
            return {(row["kind"], row["value"]) for row in contacts.identities(tx, contact_id)}

    def plan_by_hand(self, phone: str = PHONE, contact_id: str = "con_000001") -> str:
        """A person plans a marketing text, due now."""
        send_id = self.rt.new_id("snd")
        plan = sends.Plan(
            id=send_id,
            cause="hand",
            cause_id=send_id,
            step="hand",
            contact_id=contact_id,
            phone=phone,
            purpose="marketing",
            template="welcome",
            due_at=self.clock(),
            expires_at=self.clock() + DAY,
        )
        with self.store.write() as tx:
            sends.plan(tx, plan, self.clock())
        return send_id


def said(purpose: str, granted: bool = True, phone: str = PHONE) -> ConsentGiven:
    """A consent as an event states it."""
    return ConsentGiven(phone, purpose, granted, "web_form", "Yes, text me")
