"""The floors of the house: nothing imports upwards, and the leaves never see each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "connector"

BEDROCK = {
    "model",
    "errors",
    "clock",
    "phone",
    "text",
    "http",
    "expressions",
    "cron",
    "notices",
    "dates",
    "records",
    "messages",
}
PROCESS = {"lock", "logs", "memory", "watch", "actor"}  # what it needs of the machine it runs on
LEAVES = {"sources", "providers", "crms"}
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(BEDROCK, BEDROCK),
    "ledger": BEDROCK,
    "rules": {"rules", "model", "errors", "phone", "text", "expressions", "records", "messages"},
    **dict.fromkeys(LEAVES, BEDROCK),
    "steps": BEDROCK | LEAVES | {"ledger", "rules"},
    "starters": set(),
    "metrics": BEDROCK | {"ledger"},
    **{name: {"errors"} for name in PROCESS},
}
MAY_IMPORT["config"] = MAY_IMPORT["steps"] - {"ledger"}
MAY_IMPORT["runtime"] = (
    MAY_IMPORT["steps"]
    | PROCESS
    | {
        *("steps", "config", "metrics", "reloading"),
    }
)
MAY_IMPORT["adapters"] = MAY_IMPORT["steps"] | {"steps", "config"}
MAY_IMPORT["runtime"] = MAY_IMPORT["runtime"] | {"adapters"}
MAY_IMPORT["beat"] = BEDROCK
MAY_IMPORT["worker"] = MAY_IMPORT["runtime"] | {"runtime", "beat"}
MAY_IMPORT["web"] = MAY_IMPORT["worker"]
MAY_IMPORT["targets"] = MAY_IMPORT["worker"]
MAY_IMPORT["lookout"] = MAY_IMPORT["worker"] | {"targets"}
MAY_IMPORT["webside"] = MAY_IMPORT["worker"] | {"reloading"}
MAY_IMPORT["serving"] = MAY_IMPORT["worker"] | {"web", "webside", "reloading"}
MAY_IMPORT["reloading"] = MAY_IMPORT["worker"]
MAY_IMPORT["worker"] = MAY_IMPORT["worker"] | {"reloading", "lookout"}
MAY_IMPORT["library"] = {"starters"}
MAY_IMPORT["simulate"] = MAY_IMPORT["reloading"] | {"library", "starters"}
MAY_IMPORT["backup"] = MAY_IMPORT["runtime"] | {"runtime"}
MAY_IMPORT["restoring"] = MAY_IMPORT["backup"] | {"backup"}
MAY_IMPORT["upkeep"] = MAY_IMPORT["backup"] | {"backup"}
MAY_IMPORT["inquiry"] = BEDROCK | {"steps"}
MAY_IMPORT["worker"] = MAY_IMPORT["worker"] | {"upkeep", "inquiry"}
MAY_IMPORT["supervisor"] = MAY_IMPORT["worker"] | {"serving", "worker", "targets"}
MAY_IMPORT["demo"] = MAY_IMPORT["worker"] | {"starters"}
MAY_IMPORT["cli"] = (
    MAY_IMPORT["supervisor"]
    | {"supervisor", "web", "starters", "demo", "targets"}
    | {
        *("simulate", "library", "reloading", "backup", "restoring"),
    }
)
MAY_IMPORT["__main__"] = {"cli"}

HEAVY = {  # package → the only places that may import it
    "flask": {"web"},
    "click": {"cli"},
    "rich": {"cli", "demo"},
    "apscheduler": {"worker", "beat", "cron"},
    "granian": {"serving"},
    "babel": {"expressions"},
    "hubspot": {"crms"},
    "simple_salesforce": {"crms"},
    "boto3": {"providers"},
    "botocore": {"providers"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def unit(path: Path) -> str:
    """The part of the house a file belongs to: its folder in the package, or its own name."""
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module a file imports, also inside functions, as (line, full name)."""
    package = ["connector", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            if source == "connector":
                yield from ((node.lineno, f"connector.{name.name}") for name in node.names)
            else:
                yield node.lineno, source


def ids(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", modules(), ids=ids)
def test_nothing_imports_upwards(path: Path) -> None:
    here = unit(path)
    if here == "__init__":
        allowed: set[str] = set()
    else:
        assert here in MAY_IMPORT, f"{ids(path)} has no floor yet: give it one in this table"
        allowed = MAY_IMPORT[here] | {here}
    for line, name in imports(path):
        if name.startswith("connector."):
            part = name.split(".")[1]
            assert part in allowed, f"{ids(path)}:{line} may not import {name}"


@pytest.mark.parametrize("path", modules(), ids=ids)
def test_heavy_libraries_stay_in_their_place(path: Path) -> None:
    for line, name in imports(path):
        places = HEAVY.get(name.split(".")[0])
        assert places is None or unit(path) in places, f"{ids(path)}:{line} imports {name}"


@pytest.mark.parametrize("path", [p for p in modules() if unit(p) == "rules"], ids=ids)
def test_rules_touch_no_clock_disk_or_network(path: Path) -> None:
    outside = {"os", "pathlib", "io", "time", "random", "uuid", "socket", "sqlite3", "requests"}
    touched = {name.split(".")[0] for _, name in imports(path)} & outside
    assert not touched


def test_bedrock_stands_on_nothing_else() -> None:
    for name in ("model", "errors"):
        inside = [found for _, found in imports(PACKAGE / f"{name}.py") if "connector" in found]
        assert inside == []
