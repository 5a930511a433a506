"""Callbacks, looks, a person's word, late answers and deaths may come in any order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import Uncertain
from connector.messages import Accepted, Found, Receipt
from connector.model import Status
from connector.providers import Ability
from connector.steps import answered, inquest, outcome
from connector.steps.answered import Answer, GivenBack
from connector.steps.gate import Ticket
from connector.steps.reconcile import Reconciler, after_a_death
from tests.steps.build import HOUR, MINUTE, WELCOME, Shop

HAPPENS = (
    *("callback", "callback of nobody", "late answer", "late silence"),
    *("found", "not there", "cannot tell"),
    *("a person says sent", "a person says not sent"),
    *("a minute", "an hour", "dispatch", "death", "stop"),
)
WENT = {"accepted", "delivered", "undelivered"}


class Case:
    """One text whose answer was lost, and what happens then."""

    def __init__(self, path: str) -> None:
        self.shop = Shop(Path(path), WELCOME)
        self.shop.carrier.does = frozenset({Ability.finds, Ability.finds_by_reference})
        self.shop.consent()
        self.tickets: list[Ticket] = []
        before = self.shop.dispatcher._given_back

        def note(ticket: Ticket) -> GivenBack | None:
            if ticket.send_id == "snd_000001":
                self.tickets.append(ticket)
            return before(ticket)

        self.shop.dispatcher._given_back = note  # type: ignore[method-assign]
        self.shop.carrier.answers.append(Uncertain("no answer", reason="timeout"))
        self.shop.tell("signed_up")
        assert self.shop.go() == 1
        self.reconciler = Reconciler(self.shop.rt)
        self.reconciler.round()
        self.proven = False

    def happens(self, what: str) -> None:
        shop, now = self.shop, self.shop.clock()
        if what in ("a minute", "an hour"):
            shop.tick(MINUTE if what == "a minute" else HOUR)
        elif what == "dispatch":
            shop.dispatch()
            self.reconciler.round()
        elif what == "death":
            after_a_death(shop.rt)
            self.reconciler.round()
        elif what == "stop":
            shop.reply("STOP")
        elif what.startswith("a person"):
            with shop.store.write() as tx, suppress(LookupError):
                told = {"went": what.endswith("says sent"), "who": "operator:x", "why": "seen"}
                inquest.by_hand(tx, shop.rt, "snd_000001", **told, now=now)  # type: ignore[arg-type]
        else:
            self._told(what)

    def _told(self, what: str) -> None:
        shop, now, ticket = self.shop, self.shop.clock(), self.tickets[-1]
        receipt = Receipt("carrier", "SM1", Status.sent, "sent", send_id="snd_000001")
        finds = {"found": Found(True, "SM1", True), "not there": Found(False)}
        with shop.store.write() as tx:
            if what == "callback":
                self.proven = True
                outcome.receipt(tx, shop.rt, receipt, now)
            elif what == "callback of nobody":
                outcome.receipt(tx, shop.rt, replace(receipt, send_id=""), now)
            elif what == "late answer":
                self.proven = True
                answered.settle(tx, shop.rt, Answer(ticket, Accepted("SM1"), 1), now)
            elif what == "late silence":
                silence = Uncertain("no answer", reason="timeout")
                answered.settle(tx, shop.rt, Answer(ticket, silence, 1), now)
            else:
                found = finds.get(what, Found(None))
                inquest.hear(tx, shop.rt, "snd_000001", ticket.attempt, found, now)

    @property
    def state(self) -> str:
        return str(self.shop.sends()[0]["state"])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(HAPPENS), max_size=10))
def test_whatever_comes_first_what_went_stays_so_and_nothing_goes_twice_without_a_no(
    happens: list[str],
) -> None:
    with TemporaryDirectory() as path:
        case = Case(path)
        nos = 0
        for what in happens:
            before = case.state
            case.happens(what)
            if before in WENT:
                assert case.state in WENT, what
            if case.proven:
                assert case.state in WENT, what
            nos += what in ("not there", "a person says not sent")
        ours = [text for text in case.shop.carrier.sent if text.send_id == "snd_000001"]
        assert len(ours) <= 1 + nos
        case.shop.close()
