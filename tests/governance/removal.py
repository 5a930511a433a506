"""Taking one check out and looking for the test that misses it: the likeliest tests first."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import orjson

ROOT: Final = Path(__file__).parents[2]
KEPT: Final = ROOT / ".prove" / "removal.json"
"""Which test missed each check when it was last taken out: it is asked first the next time."""
LIKELY: Final = (
    "tests/rules/test_policy.py",
    "tests/rules/test_limits.py",
    "tests/rules/test_consent.py",
    "tests/rules/test_optin.py",
    "tests/rules/test_hours.py",
    "tests/rules/test_places.py",
    "tests/governance/test_roads.py",
    "tests/governance/test_guards.py",
    "tests/steps/test_gate.py",
    "tests/steps/test_limits.py",
    "tests/steps/test_outcome.py",
    "tests/steps/test_undecided.py",
    "tests/steps/test_optin.py",
    "tests/steps/test_optouts.py",
    "tests/steps/test_dispatch.py",
    "tests/steps/test_kill_switch.py",
    "tests/steps/test_restored.py",
    "tests/steps/test_eligible.py",
    "tests/steps/test_approvals.py",
    "tests/steps/test_clock_guard.py",
    "tests/steps/test_wrong_clock.py",
    "tests/steps/test_doubts.py",
    "tests/steps/test_catchup.py",
)
THEN: Final = (
    "tests/law",
    "tests/rules",
    "tests/steps",
    "tests/governance",
    "tests/web/test_api.py",
    "tests/web/test_api_ledger.py",
    "tests/web/test_attempts.py",
    "tests/web/test_providers.py",
    "tests/web/test_receive.py",
    "tests/web/test_browser.py",
    "tests/sources",
    "tests/providers",
    "tests/ledger",
    "tests/cli/test_can_send.py",
    "tests/cli/test_rights.py",
)


def fails_without(name: str, tests: Sequence[str] = ()) -> str:
    """The first test that fails once a check is taken out, and passes with it; "" for none.

    Raises RuntimeError where pytest itself fails, which proves nothing.
    """
    if tests:
        return _first(name, tests)
    kept = _kept().get(name, "")
    if kept and _exists(kept) and (failed := _first(name, [kept])):
        return failed
    stages = ([each for each in LIKELY if _exists(each)], [each for each in THEN if _exists(each)])
    return next((failed for stage in stages if (failed := _first(name, stage))), "")


def keep(found: dict[str, str]) -> None:
    """Remember which tests failed, for the next time."""
    KEPT.parent.mkdir(exist_ok=True)
    fresh = KEPT.with_suffix(".new")
    fresh.write_bytes(orjson.dumps(_kept() | found, option=orjson.OPT_INDENT_2))
    fresh.replace(KEPT)  # in one go, since others read it meanwhile


def _first(name: str, tests: Sequence[str]) -> str:
    """The first test that fails without the check and not with it."""
    besides: list[str] = []
    while failed := _run(name, tests, besides):
        if not name or not _fails_anyhow(failed):
            return failed
        besides.append(failed)
    return ""


@cache
def _fails_anyhow(test: str) -> bool:
    return bool(_run("", [test], ()))


def _run(name: str, tests: Sequence[str], besides: Sequence[str]) -> str:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:xdist"),
            *("-p", "tests.governance.without", "--without", name),
            *(part for test in besides for part in ("--deselect", test)),
            *tests,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1_800,
    )
    if run.returncode in (0, 5):  # 5: nothing to run was left
        return ""
    summary = run.stdout.rpartition("short test summary info")[2].splitlines()
    failed = [line for line in summary if line.startswith(("FAILED ", "ERROR "))]
    if run.returncode != 1 or not failed:  # 2: something cannot even be collected
        raise RuntimeError(f"{name}: {run.stdout[-2000:]}{run.stderr[-2000:]}")
    return failed[0].split(" - ")[0].partition(" ")[2]


def _exists(test: str) -> bool:
    return (ROOT / test.partition("::")[0]).exists()


def _kept() -> dict[str, str]:
    return dict(orjson.loads(KEPT.read_bytes())) if KEPT.exists() else {}
