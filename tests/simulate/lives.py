"""Lives: a village in which anything happens, by chance, and what it came to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from tests.simulate.explained import Auditor, in_the_end
from tests.simulate.stories import Story
from tests.simulate.town import step, wander
from tests.simulate.village import Village


@dataclass
class Lived:
    """What one or more lives came to."""

    events: int = 0
    texts: int = 0
    equal: int = 0
    deaths: int = 0
    faults: list[str] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Lived) -> Lived:
        self.events += other.events
        self.texts += other.texts
        self.equal += other.equal
        self.deaths += other.deaths
        self.faults += other.faults
        self.reached += other.reached
        return self


def lived(
    folder: Path, home: Path, seed: int, stories: Sequence[Story], steps: int, people: int = 4
) -> Lived:
    """A life of a village: every story once, in any order, and ``steps`` things between them."""
    village, chance = Village(folder, home, people), random.Random(seed)
    auditor = Auditor(village)
    told = list(stories)
    chance.shuffle(told)
    wander(village, chance, 0)
    for story in told:
        story(village)
        for _ in range(steps // max(1, len(told))):
            happens(village, chance)
    if not village.changed:
        village.compare()
    found = Lived(
        events=village.events,
        texts=len(village.witness.sent),
        equal=village.equal,
        deaths=village.deaths,
        faults=[*auditor.faults, *in_the_end(village), *village.faults],
        reached=reached(village),
    )
    found.faults += [
        f"made again otherwise: {item.what} {item.moment} {item.play} {item.step} {item.key}: "
        f"{_shown(item.then)} then, {_shown(item.now)} now"
        for item in village.differences
    ]
    village.stop()
    found.faults = [f"seed {seed}: {fault}" for fault in found.faults]
    return found


def _shown(line: dict[str, object] | None) -> str:
    if line is None:
        return "nothing"
    return f"{line['verdict']} {line['reasons']} at {line['decided_at']}"


def happens(village: Village, chance: random.Random) -> None:
    """Something that happens in a village, or (mostly) in any town."""
    if chance.random() < 0.7:
        step(village, chance)
        return
    chance.choice(HAPPENINGS)(village, chance)


def _anybody(village: Village, chance: random.Random) -> int:
    return int(chance.choice((*range(village.people), village.next_person)))


def _goes(village: Village, chance: random.Random) -> None:
    late = timedelta(minutes=chance.choice((0, 0, 10, 200)))
    name = chance.choice(
        ("sp_go", "sp_go2", "sp_go2", "sp_stop", "sp_leave", "sp_goal", "sp_viewed")
    )
    word = chance.choice(("low", "high", "brief", "short", "once", "drop", "link", "held", "stage"))
    key = chance.choice(("", "a", "b"))
    village.say(
        _anybody(village, chance), name, key, late=late, word=word, value=chance.choice((1, 2))
    )


def _dies(village: Village, chance: random.Random) -> None:
    if chance.random() < 0.5:
        village.die_within(chance.randrange(1, 12))
    else:
        village.witness.dies = chance.choice(("before", "after"))


def _merges(village: Village, chance: random.Random) -> None:
    village.alias(_anybody(village, chance), village.fresh())


def _talks(village: Village, chance: random.Random) -> None:
    phone = village.phone(_anybody(village, chance))
    chance.choice(
        (
            village.answer,
            village.trial,
            lambda: village.close_talk(phone),
            lambda: village.release(phone),
        )
    )()


def _consents(village: Village, chance: random.Random) -> None:
    phone = village.phone(_anybody(village, chance))
    purpose = chance.choice(("all", "marketing", "service", "cart_reminders"))
    granted = chance.random() < 0.7 and purpose != "all"
    village.consent(phone, purpose, granted, "paper" if granted else "operator")


def _learns(village: Village, chance: random.Random) -> None:
    person = _anybody(village, chance)
    if chance.random() < 0.3:
        village.crm_change(person, stage=chance.choice(("one", "two")))
    else:
        traits = {"plan": ("pro", "free", "gone"), "club": (True, False), "second": (True, False)}
        name = chance.choice(sorted(traits))
        village.identify_alone(person, **{name: chance.choice(traits[name])})


HAPPENINGS: Final[Sequence[Callable[[Village, random.Random], None]]] = (
    *(_goes, _goes, _goes, _dies, _merges, _talks, _consents, _learns, _learns),
    lambda village, chance: village.reload(),
)

# -- what was reached ------------------------------------------------------------------------------

TOLD: Final = {
    "began": "SELECT play AS what, count(*) AS n FROM enrolments GROUP BY play",
    "mode": "SELECT mode AS what, count(*) AS n FROM enrolments GROUP BY mode",
    "exit": "SELECT exit_reason AS what, count(*) AS n FROM enrolments GROUP BY exit_reason",
    "goal": "SELECT goal_kind AS what, count(*) AS n FROM enrolments GROUP BY goal_kind",
    "arm": "SELECT arm AS what, count(*) AS n FROM enrolments GROUP BY arm",
    "text": "SELECT state AS what, count(*) AS n FROM sends GROUP BY state",
    "cause": """SELECT cause AS what, count(*) AS n FROM sends
        WHERE attempt > 0 OR cause = 'lost' GROUP BY cause""",
    "attempt": "SELECT result AS what, count(*) AS n FROM attempts GROUP BY result",
    "reply": "SELECT label AS what, count(*) AS n FROM replies GROUP BY label",
    "click": "SELECT verdict AS what, count(*) AS n FROM clicks GROUP BY verdict",
    "receipt": "SELECT status AS what, count(*) AS n FROM receipts GROUP BY status",
    "act": "SELECT act AS what, count(*) AS n FROM acts GROUP BY act",
}


def reached(village: Village) -> Counter[str]:
    """How often each thing was reached, by its name."""
    found: Counter[str] = Counter()
    for name, sql in TOLD.items():
        for row in village.rows(sql):
            what = str(row["what"]).partition(":")[0]
            if name == "began":
                what = village_kind(village, str(row["what"]))
            if what:
                found[f"{name} {what}"] += int(row["n"])
    for row in village.rows("SELECT * FROM decisions"):
        objections = orjson.loads(row["objections"])
        found[f"{row['moment']} {row['verdict']}"] += 1
        for place, item in enumerate(objections):
            verdict = row["verdict"] if place == 0 else item["verdict"]
            reason = str(item["reason"]).partition(":")[0]
            found[f"{row['moment']} {verdict} {reason}"] += 1
    found["merge"] += len(village.rows("SELECT 1 FROM merges"))
    found["merge undone"] += len(village.rows("SELECT 1 FROM merges WHERE undone_at IS NOT NULL"))
    found["death"] += village.deaths
    return found


def village_kind(village: Village, play: str) -> str:
    """What starts a play, of whatever version."""
    return next(
        each.start.kind.value for (name, _), each in village.versions.items() if name == play
    )
