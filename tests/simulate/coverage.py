"""Coverage: all that may happen to a text, and how often some lives reached it.

``python -m tests.simulate.coverage [SEEDS] [STEPS]`` lives many lives and prints a table.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from connector.model import Label
from connector.rules.plays import Kind
from tests.simulate.lives import Lived, lived
from tests.simulate.stories import CHANGES, STORIES, Story
from tests.simulate.village import write_village

ROOT: Final = Path(__file__).parents[2]

TRIGGERS: Final = (
    *("back_fill", "stale_start", "already_waiting", "already_enrolled", "already_over"),
    *("cooldown", "wrong_stage", "audience", "expression_failed", "fact_missing", "paused"),
    "no_date",
)
STOPS: Final = (
    *("opted_out", "no_consent", "suppressed", "no_mobile", "wrong_stage", "already_said"),
    *("expired", "value_missing", "no_longer_valid", "too_long", "country_closed"),
    *("reassigned", "on_list", "cart_too_old", "fatigue_stop", "inactive"),
)
WAITS: Final = (
    *("quiet_hours", "cap_full", "minimum_gap", "reply_unread", "paused", "in_conversation"),
    *("in_another_play", "suppressed", "fact_missing", "check_failed"),
    *("facts_old", "number_unchecked", "fatigue_slow", "clock_off", "template_paused"),
    *("budget_spent", "carrier_cap", "list_unreadable", "replies_unheard"),
)
TOO_LATE: Final = ("quiet_hours", "cap_full", "reply_unread", "paused", "in_conversation")
"""Waits that are seen to outlast a text, and so stop it."""
AT_THE_GATE: Final = ("no_longer_wanted", "condition_false", "exit_when")
EXITS: Final = (
    *("unless", "exit", "goal", "goal_before_text", "goal_late", "active_again", "exit_when"),
    *("exit_stage", "exit_left", "outranked", "paused", "play_off", "play_removed", "no_step"),
    *("date_changed", "merged", "refused", "opted_out", "no_consent", "suppressed", "no_mobile"),
    *("wrong_stage", "country_closed", "already_said", "no_longer_valid", "forgotten"),
    *("reassigned", "on_list"),
)
BEYOND: Final = {
    "exit failed": "a fault of the engine itself; the tests of the steps provoke it",
    "reason no_route": "the villages have no routes; tests/simulate/test_routed.py has",
    "exit check_failed": "checks that fail to a text's end; tests/steps/test_dispatch.py has one",
    "exit contact_erased": "nothing erases a contact while plays run",
}
"""What may be written down and is not reached, and why."""
TRUE_OF: Final = {
    "began": [kind.value for kind in Kind],
    "trigger": ["send", *(f"stop {reason}" for reason in TRIGGERS)],
    "exit": EXITS,
    "goal": ("converted", "goal_before_text"),
    "mode": ("sandbox", "shadow", "holdout"),
    "cause": ("play", "system", "hand", "test", "lost"),
    "attempt": ("accepted", "deferred", "refused", "uncertain"),
    "text": ("accepted", "delivered", "refused", "uncertain", "cancelled", "expired"),
    "reply": [label.value for label in Label],
    "click": ("human", "machine"),
    "act": (
        *("pause", "resume", "reloaded", "reload_refused", "schedule_missed", "release", "close"),
        *("suppress", "unsuppress", "reassign", "reassign_undone", "import", "forgotten", "erase"),
        *("restored", "restore_fetched", "settled"),
    ),
    "arm": ("control", "late"),
    "merge": ("", "undone"),
    "death": ("",),
}


def wanted() -> list[str]:
    """The name of everything that the lives of the tests must reach."""
    names = [f"{about} {what}".strip() for about, each in TRUE_OF.items() for what in each]
    names += [f"send stop {reason}" for reason in AT_THE_GATE]
    names += [f"text stop {reason}" for reason in (*STOPS, *TOO_LATE)]
    names += [f"text wait {reason}" for reason in WAITS]
    names += ["plan send", "plan wait", "plan stop", "send send", "send wait", "send stop"]
    return names


def counted(found: Lived) -> dict[str, int]:
    """How often each wanted thing was reached; a text's reasons whenever they were told."""
    return {name: sum(found.reached[each] for each in _either(name)) for name in wanted()}


def _either(name: str) -> tuple[str, ...]:
    about, _, rest = name.partition(" ")
    is_reason = about == "text" and rest.partition(" ")[0] in ("stop", "wait")
    return (f"plan {rest}", f"send {rest}") if is_reason else (name,)


def unknown(found: Lived) -> list[str]:
    """Reasons that were told and stand in no list above."""
    reasons = {*STOPS, *WAITS, *AT_THE_GATE, "exit_left", "exit_stage"}
    known = {
        *wanted(),
        *(f"{moment} {verdict} {reason}" for moment in ("plan", "send")
          for verdict in ("stop", "wait") for reason in reasons),
        *("trigger stop", "text planned", "text undelivered", "act live"),
    }  # fmt: skip
    free = ("receipt", "arm", "click", "act")
    return sorted(name for name in found.reached if name not in known and not name.startswith(free))


def written() -> Iterator[str]:
    """Every reason that the source of the engine can write down."""
    for folder in ("steps", "rules", "ledger"):
        for path in sorted((ROOT / "connector" / folder).rglob("*.py")):
            source = path.read_text()
            for found in re.findall(r'Objection\(\s*"(\w+)"', source):
                yield f"reason {found}"
            for found in re.findall(r'append\(\s*\(\s*"(\w+)",', source):
                if path.name == "judge.py":
                    yield f"reason {found}"
            for found in re.findall(r'enrolments\.end\([^)]*\)?,\s*f?"([a-z_]+)', source):
                yield f"exit {found}"
            for found in re.findall(r"exit_reason = '(\w+)'", source):
                yield f"exit {found}"


def listed() -> set[str]:
    """Every reason that the lists above know."""
    reasons = {*TRIGGERS, *STOPS, *WAITS, *AT_THE_GATE}
    return {*(f"reason {each}" for each in reasons), *(f"exit {each}" for each in EXITS), *BEYOND}


def table(found: Lived) -> Iterator[str]:
    """Each wanted thing with how often it was reached."""
    for name, count in sorted(counted(found).items()):
        yield f"{name:36}{count:>8}{'' if count else '   NEVER'}"
    for name, why in BEYOND.items():
        yield f"{name:36}       -   {why}"


def say(words: str) -> None:
    """Tell whoever runs this."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def many(folder: Path, homes: Path, lives: Iterable[tuple[int, Sequence[Story], int]]) -> Lived:
    """Several lives, and what they came to together."""
    total = Lived()
    for seed, stories, steps in lives:
        started = time.monotonic()
        one = lived(folder, homes / str(seed), seed, stories, steps)
        total += one
        took = time.monotonic() - started
        say(
            f"seed {seed}: {one.events} events, {one.texts} texts, {one.deaths} deaths, "
            f"{one.equal} decisions equal, {len(one.faults)} faults, {took:.0f} s"
        )
        for fault in one.faults[:10]:
            say(f"  {fault}")
    return total


def main(seeds: int, steps: int, first: int = 1_000) -> int:
    """Live, print what was reached, and 1 where anything was not as it must be."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="village-") as place:
        folder = write_village(Path(place) / "folder")
        lives = [
            (seed, CHANGES if seed % 4 == 3 else STORIES, steps)
            for seed in range(first, first + seeds)
        ]
        found = many(folder, Path(place), lives)
    say("\n".join(table(found)))
    say(
        f"\n{seeds} lives: {found.events} events, {found.texts} texts, {found.deaths} deaths; "
        f"{found.equal} decisions made again, {len(found.faults)} faults"
    )
    missing = [name for name, count in counted(found).items() if not count]
    return int(bool(found.faults or missing or unknown(found)))


if __name__ == "__main__":
    raise SystemExit(main(*(int(each) for each in sys.argv[1:] or ("20", "200"))))
