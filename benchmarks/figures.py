"""Figures: what was wanted beside what was measured, with the machine they were measured on."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, measured once or more; ``wanted`` is a bound, or None where it only informs."""

    name: str
    unit: str
    values: Sequence[float] = field(repr=False)
    wanted: float | None = None
    at_most: bool = False  #: whether ``wanted`` is an upper bound

    @property
    def measured(self) -> float:
        """The median of the runs."""
        return median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps to the bound; None where there is none."""
        if self.wanted is None:
            return None
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted

    def as_json(self) -> dict[str, object]:
        """The figure for other programs."""
        return {
            "name": self.name,
            "unit": self.unit,
            "wanted": self.wanted,
            "bound": None if self.wanted is None else "at most" if self.at_most else "at least",
            "measured": self.measured,
            "reached": self.reached,
            "runs": list(self.values),
        }


Measure = Callable[[bool], list[Figure]]
"""Measures something; with True only briefly."""


def machine() -> dict[str, str]:
    """What the figures were measured on, and how busy it was when they were begun."""
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_gb():.0f} GB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "granian": version("granian"),
        "flask": version("flask"),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def main(*measures: Measure) -> None:
    """Measure, and print a table, or JSON with ``--json``; progress goes to stderr."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run, less exact")
    parser.add_argument("--json", action="store_true", help="figures for other programs")
    options = parser.parse_args()
    about = machine()
    figures = [figure for measure in measures for figure in measure(options.quick)]
    if options.json:
        print(json.dumps({"machine": about, "figures": [one.as_json() for one in figures]}))
        return
    print("\n".join(_table(figures)))
    print("\n" + "\n".join(f"{name:12}  {value}" for name, value in about.items()))


def _table(figures: Iterable[Figure]) -> list[str]:
    lines = [("", "wanted", "measured", "spread", "")]
    lines += [_line(figure) for figure in figures]
    wide = [max(len(line[column]) for line in lines) for column in range(5)]
    return [
        f"{line[0]:{wide[0]}}  {line[1]:>{wide[1]}}  {line[2]:>{wide[2]}}"
        f"  {line[3]:{wide[3]}}  {line[4]}".rstrip()
        for line in lines
    ]


def _line(figure: Figure) -> tuple[str, str, str, str, str]:
    wanted = ""
    if figure.wanted is not None:
        wanted = f"{'≤' if figure.at_most else '≥'} {_short(figure.wanted)}"
    spread = ""
    if len(figure.values) > 1:
        low, high = _short(min(figure.values)), _short(max(figure.values))
        spread = f"{low} to {high} in {len(figure.values)} runs"
    says = {None: "", True: "reached", False: "MISSED"}[figure.reached]
    return figure.name, wanted, f"{_short(figure.measured)} {figure.unit}".rstrip(), spread, says


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def tell(message: str) -> None:
    """Say on stderr what is being done."""
    print(f"  {message}", file=sys.stderr, flush=True)
