"""The scene: one example played in a world of its own, with nobody in it but one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from connector.config.loaded import Loaded
from connector.ledger import crm_facts, pauses
from connector.ledger.store import Tx
from connector.messages import Receipt, Reply
from connector.model import ConsentGiven, Event, Signal, Status, Subject, Trust
from connector.rules.clicks import Fetch
from connector.rules.mapping import EventRule, SourceMapping
from connector.rules.plays import Mode, Play
from connector.simulate.example import BadExample, Example, Happening, ends
from connector.simulate.faults import listening
from connector.simulate.happened import Happened, happened
from connector.simulate.opening import ReadAlready
from connector.simulate.world import World
from connector.steps import byhand, crmfacts
from connector.steps.setup import OpenSource, Setup

WHO: Final = "example"
CONTROL: Final = "control"
NUMBER: Final = "+12125550199"  #: ours
LINKS_URL: Final = "https://sms.example"  #: of short links, where the folder names no address
AGENT: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
ACCEPT: Final = "text/html"
LAST_LINK: Final = "SELECT code FROM links ORDER BY made_at DESC, code DESC LIMIT 1"
LAST_TEXT: Final = """SELECT id, provider_id FROM sends WHERE accepted_at IS NOT NULL
    AND cause <> 'system' ORDER BY accepted_at DESC, id DESC LIMIT 1"""
WHOSE: Final = "SELECT contact_id FROM identities WHERE kind = 'user_id' AND value = :who"
SUBJECT: Final = ("phone", "email")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a signal means beside its facts, by the folder's mappings."""

    stage: str = ""
    activity: bool = True
    sensitive: frozenset[str] = frozenset()


def meanings(loaded: Loaded) -> dict[str, Meaning]:
    """What each signal means, where every mapping that gives it agrees."""
    rules: dict[str, list[EventRule]] = {}
    crm = () if loaded.crm.source is None else (loaded.crm.source,)
    for mapping in (*loaded.mappings.values(), *crm):
        for rule in mapping.events:
            rules.setdefault(rule.signal, []).append(rule)
    return {name: _meaning(found) for name, found in rules.items()}


def _meaning(rules: list[EventRule]) -> Meaning:
    stages = {rule.stage for rule in rules}
    return Meaning(
        stage=stages.pop() if len(stages) == 1 else "",
        activity=any(rule.activity for rule in rules),
        sensitive=frozenset().union(*(rule.sensitive for rule in rules)),
    )


def play_out(
    loaded: Loaded, play: Play, example: Example, known: Mapping[str, Meaning]
) -> Happened:
    """Play an example to its end; what came of it. Raises ``BadExample``."""
    alone = _as_it_goes(play, example.arm)
    with (
        listening() as faults,
        World(loaded, example.start, change=_only(alone, example.arm)) as world,
    ):
        _Scene(world, alone, example, known).run()
        return happened(world.store.tx, faults)


def _as_it_goes(play: Play, arm: str) -> Play:
    """The play in earnest, with nobody held out."""
    if arm not in ("", CONTROL) and (play.experiment is None or arm not in play.experiment.plays):
        raise BadExample(f"the play has no arm {arm!r}")
    return replace(play, mode=Mode.live, holdout=0.0)


def _only(play: Play, arm: str) -> Callable[[Setup], None]:
    """Nobody is held out, everybody is in one arm of the test, and no other play speaks."""

    def change(rt: Setup) -> None:
        rt.plays, rt.arm = {play.name: play}, arm or CONTROL
        rt.links_url = rt.links_url or LINKS_URL
        rt.holdouts, rt.global_holdout = False, 0.0
        bare = SourceMapping(WHO, "1", "segment")
        told = {
            name: OpenSource(name, trust, ReadAlready(), bare)
            for name, trust in ((WHO, Trust.trusted), (Trust.browser.value, Trust.browser))
        }
        rt.sources = {**rt.sources, **told}
        rt.index()

    return change


class _Scene:
    def __init__(
        self, world: World, play: Play, example: Example, known: Mapping[str, Meaning]
    ) -> None:
        self.world, self.play, self.example, self.known = world, play, example, known
        self._told = 0

    def run(self) -> None:
        """The history is imported; then the events; then time, until nothing more can come."""
        example, world = self.example, self.world
        self._introduce()
        for item in example.history:
            self._happen(item, back_fill=True)
        world.finish(example.start)
        for item in example.events:
            world.until(item.at)
            self._happen(item)
        world.finish(ends(self.play, example))

    def _introduce(self) -> None:
        """The person becomes known, with the consents they gave, before anything else."""
        facts = self.example.contact
        phone = str(facts.get("phone", ""))
        consents = tuple(
            ConsentGiven(phone, purpose, True, WHO, "as the example says")
            for purpose in self.example.consents
        )
        traits = {name: value for name, value in facts.items() if name not in (*SUBJECT, "stage")}
        self._signal(
            "introduced",
            min([self.example.start, *(item.at for item in self.example.history)]),
            traits=traits,
            stage=str(facts.get("stage", "")),
            consents=consents if phone else (),
            activity=False,
            back_fill=True,
        )
        if self.example.crm:
            self.world.act(lambda tx, rt, now: self._know_crm(tx, rt, now, self.example.crm))

    def _happen(self, item: Happening, back_fill: bool = False) -> None:
        doing, known = item.doing, {**_MANNERS}
        for name in doing:
            if name in known:
                known[name](self, item, back_fill)
                return

    # -- each thing that may happen ------------------------------------------------------------

    def heard(self, item: Happening, back_fill: bool) -> None:
        """A signal, about the person or about a thing."""
        doing = item.doing
        name = str(doing["signal"])
        means = self.known.get(name, Meaning())
        self._signal(
            name,
            item.at,
            facts=doing.get("facts", {}),
            key=str(doing.get("key", "")),
            traits=doing.get("traits", {}),
            stage=str(doing.get("stage", means.stage)),
            activity=bool(doing.get("activity", means.activity)),
            sensitive=means.sensitive,
            thing=str(doing.get("thing", "")),
            trust=str(doing.get("trust", WHO)),
            back_fill=back_fill,
        )

    def learned(self, item: Happening, back_fill: bool) -> None:
        """Something about the person became known."""
        doing = item.doing
        traits, stage = doing.get("traits", {}), str(doing.get("stage", ""))
        self._signal(
            "identified", item.at, traits=traits, stage=stage, activity=False, back_fill=back_fill
        )

    def replied(self, item: Happening, back_fill: bool) -> None:
        """The person texts back."""
        text, number = str(item.doing["reply"]), f"in-{self._next()}"
        phone = str(self.example.contact["phone"])
        self.world.told(Reply(self.world.rt.provider, number, phone, NUMBER, text, item.at))

    def tapped(self, item: Happening, back_fill: bool) -> None:
        """The person taps the link of the last text that had one."""
        link = self.world.store.tx.one(LAST_LINK)
        if link is None:
            raise BadExample("no text with a link had left when the link was to be tapped")
        self.world.told(Fetch(str(link["code"]), "GET", item.at, AGENT, ACCEPT))

    def arrived(self, item: Happening, back_fill: bool) -> None:
        """The last text is delivered, or (false) is not."""
        text = self.world.store.tx.one(LAST_TEXT)
        if text is None:
            raise BadExample("no text had left that could be delivered")
        status = Status.delivered if item.doing["delivered"] else Status.undelivered
        provider, number = self.world.rt.provider, str(text["provider_id"])
        self.world.told(Receipt(provider, number, status, status.value, send_id=text["id"]))

    def crm_changed(self, item: Happening, back_fill: bool) -> None:
        """The CRM's record changes."""
        self.world.act(lambda tx, rt, now: self._know_crm(tx, rt, now, item.doing["crm"]))

    def agreed(self, item: Happening, back_fill: bool) -> None:
        """The person gives consents, or ends them."""
        granted = "grant" in item.doing
        purposes = item.doing["grant" if granted else "revoke"]
        phone = str(self.example.contact["phone"])
        consents = tuple(
            ConsentGiven(phone, purpose, granted, WHO, "as the example says")
            for purpose in ([purposes] if isinstance(purposes, str) else purposes)
        )
        self._signal("agreed", item.at, consents=consents, activity=False, back_fill=back_fill)

    def paused(self, item: Happening, back_fill: bool) -> None:
        """Somebody pauses the play."""
        verdict = self.play.on_pause.value
        self.world.act(
            lambda tx, rt, now: pauses.set_(
                tx, self.play.name, verdict, who=WHO, why="the example says so", at=now
            )
        )

    def resumed(self, item: Happening, back_fill: bool) -> None:
        """Somebody lets it go on."""
        self.world.act(lambda tx, rt, now: pauses.lift(tx, self.play.name))

    def begun(self, item: Happening, back_fill: bool) -> None:
        """Somebody starts the play for the person by hand."""
        facts, key = dict(item.doing.get("facts", {})), str(item.doing.get("key", ""))
        self.world.act(
            lambda tx, rt, now: byhand.start(
                tx, rt, self.play.name, self._whose(tx), facts, who=WHO, why="", key=key, now=now
            )
        )

    # -- what they are made of -----------------------------------------------------------------

    def _know_crm(self, tx: Tx, rt: Setup, now: datetime, facts: Mapping[str, Any]) -> None:
        known = crm_facts.of(tx, rt.crm, self._whose(tx))
        crmfacts.learn(tx, rt, rt.crm, self._whose(tx), {**known, **facts}, now)

    def _signal(
        self,
        name: str,
        at: datetime,
        *,
        back_fill: bool = False,
        trust: str = WHO,
        thing: str = "",
        **told: Any,
    ) -> None:
        number = self._next()
        now = self.world.clock()
        event = Event(f"evt_{number:04}", trust, str(number), "track", name, at, now, {}, back_fill)
        facts, traits = dict(told.pop("facts", {})), dict(told.pop("traits", {}))
        whom = Subject() if thing else self._subject(trust)
        self.world.event(event, Signal(name, whom, facts, traits, thing=thing, **told))

    def _subject(self, trust: str) -> Subject:
        if trust != WHO:
            return Subject(user_id=WHO)
        named = {name: str(self.example.contact.get(name) or "") for name in SUBJECT}
        return Subject(user_id=WHO, **named)

    def _whose(self, tx: Tx) -> str:
        row = tx.one(WHOSE, who=WHO)
        return str(row["contact_id"]) if row else ""

    def _next(self) -> int:
        self._told += 1
        return self._told


_MANNERS: Final[Mapping[str, Callable[[_Scene, Happening, bool], None]]] = {
    "signal": _Scene.heard,
    "reply": _Scene.replied,
    "click": _Scene.tapped,
    "delivered": _Scene.arrived,
    "crm": _Scene.crm_changed,
    "grant": _Scene.agreed,
    "revoke": _Scene.agreed,
    "pause": _Scene.paused,
    "resume": _Scene.resumed,
    "start": _Scene.begun,
    "traits": _Scene.learned,
    "stage": _Scene.learned,
}
"""What is done for each thing that an event may say; the first that it says counts."""
