"""Killing: any process of a real ``connector run``, at random instants, while events come in."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.proofs import load
from tests.proofs.shop import make, people
from tests.proofs.verdict import Verdict, at_rest, judge
from tests.proofs.victim import BOUND, ROLES, Victim
from tests.running import BACKEND_KEY, free_port

RATE = 200.0  #: events a second
GAP = 2.0  #: at most so many seconds of work between two deaths
SETTLED = 0.8  #: share of the deaths that wait for it to have got over the last one
REST = 600.0  #: seconds in which everything that came in is worked off
QUIET = 1.0  #: seconds of rest after which no receipt is on its way any more
CHAPTER = 20  #: rounds on one folder

Shows = Callable[[str], None]


def at_rate(rate: float) -> Callable[[Path, int, int, Shows], Verdict]:
    """A chapter under so many events a second."""
    return lambda path, seed, rounds, shows: chapter(path, seed, rounds, shows, rate)


def chapter(path: Path, seed: int, rounds: int, shows: Shows, rate: float = RATE) -> Verdict:
    """Kill ``rounds`` times on a fresh folder, then let it come to rest and judge it."""
    chance = random.Random(seed)
    verdict = Verdict()
    victim = Victim(make(path, port := free_port()), port)
    try:
        victim.start()
        victim.until(victim.is_ready)
        introduce(victim)
        with sending(victim, path / "answered", rate):
            for number in range(1, rounds + 1):
                _round(verdict, victim, chance)
                shows(f"round {number} of {rounds}: {_so_far(path)}")
        _rest(verdict, victim, path)
    finally:
        victim.close()
    verdict.add(judge(path, load.answered(path / "answered")))
    _troubles(verdict, path)
    return verdict


def introduce(victim: Victim) -> None:
    """Tell the connector who the shop's people are, before anything happens to it."""
    told = requests.post(
        f"http://127.0.0.1:{victim.port}/v1/batch",
        json={"batch": list(people())},
        auth=(BACKEND_KEY, ""),
        timeout=10,
    )
    assert told.ok, told.text
    victim.until(lambda: at_rest(victim.path))


@contextmanager
def sending(victim: Victim, log: Path, rate: float = RATE) -> Iterator[None]:
    """Send orders from another process while the block runs."""
    sender = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.proofs.load"),
            *(f"http://127.0.0.1:{victim.port}", str(rate), str(log)),
        ],
        cwd=Path(__file__).parents[2],
    )
    try:
        yield
    finally:
        sender.terminate()
        sender.wait(10)


def _round(verdict: Verdict, victim: Victim, chance: random.Random) -> None:
    """One death; now and then before the connector has got over the last one."""
    if chance.random() < SETTLED:
        victim.until(victim.is_whole)
    time.sleep(chance.uniform(0.0, GAP))
    role = chance.choice(ROLES)
    if victim.is_down():
        victim.start()
    roles = victim.roles()
    fitting = sorted(pid for pid, each in roles.items() if each == role) or sorted(roles)
    pid = chance.choice(fitting)
    killed = roles[pid]
    result, took = victim.kill(pid)
    verdict.counts[f"killed {killed}"] += 1
    verdict.counts[result] += 1
    verdict.measure(f"seconds until {result}", took)
    if result == "neither" or took > BOUND:
        verdict.faults.append(f"{killed} was killed, and after {took:.1f} s it was {result}")
    if victim.is_down():
        victim.start()


def _rest(verdict: Verdict, victim: Victim, path: Path) -> None:
    """Let it work everything off, then stop it as an operator would."""
    if victim.is_down():
        victim.start()
    try:
        victim.until(lambda: at_rest(path) and _stays_at_rest(path), REST)
    except TimeoutError as error:
        verdict.faults.append(str(error))
    code, took = victim.stop()
    verdict.measure("seconds to stop", took)
    if code or not victim.is_gone():
        verdict.faults.append(f"told to stop, it left {victim.living()} and exit code {code}")


def _stays_at_rest(path: Path) -> bool:
    """Whether it rests for long enough: a receipt comes a moment after its text was taken."""
    until = time.monotonic() + QUIET
    while time.monotonic() < until:
        time.sleep(0.05)
        if not at_rest(path):
            return False
    return True


def _troubles(verdict: Verdict, path: Path) -> None:
    """A sender may be cut off by a death; it may not be refused."""
    for trouble in load.troubles(path / "answered"):
        verdict.counts["tries that were cut off" if trouble == "cut" else trouble] += 1
        if trouble != "cut":
            verdict.faults.append(f"a sender was answered with {trouble}")
    verdict.faults[:] = dict.fromkeys(verdict.faults)


def _so_far(path: Path) -> str:
    with contextlib.suppress(OSError):
        return f"{len(load.answered(path / 'answered'))} events answered"
    return ""
