"""Stages: ``mappings/stages.toml`` as values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from connector.config import toml
from connector.errors import Fault
from connector.rules.render import version
from connector.rules.stages import Stages

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")


def load_stages(path: Path, faults: list[Fault]) -> Stages:
    """The stages in their order; faults are added to ``faults``."""
    known = len(faults)
    top = toml.read(path, faults)
    if len(faults) > known:
        return Stages(())
    order: list[str] = []
    for table in top.tables("stages"):
        name = table.text("name")
        if not _NAME.fullmatch(name):
            table.fault("name", f"is {name!r:.60}", "use small letters, digits and _")
        elif name in order:
            table.fault("name", f"is {name!r} again", "name each stage once")
        else:
            order.append(name)
        table.done()
    if not order:
        top.fault("stages", "is missing", 'add [[stages]] with name = "lead", earliest first')
    rules = top.table("rules")
    fall_back = frozenset(rules.words("fall_back", (), choices=order))
    rules.done()
    top.done()
    content = path.read_text("utf-8")
    return Stages(tuple(order), fall_back, version(content), content)
