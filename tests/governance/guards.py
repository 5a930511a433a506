"""Every single check that stands between a wish and a text, and how it is taken out.

The checks of the policy stand in its own lists; what else keeps a text back is named in
``guarding.py``. One is taken out in a process, by giving its function another body, so that
whoever imported it has the other one too.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Any, Final

from connector.rules.policy import checks
from tests.governance.guarding import GUARDS, NOTHING, Instead, Value

TAKEN: Final[list[tuple[Instead, FunctionType]]] = []
"""What stands in the place of the check that was taken out, and the check itself."""


def names() -> list[str]:
    """Every check of the policy, and every other guard."""
    every = {*checks.CHECKS, *checks.SYSTEM_CHECKS, *checks.REQUEST_CHECKS}
    return [*sorted(check.__name__ for check in every), *GUARDS]


def take_out(name: str) -> None:
    """Take one check out of this process, wherever it is called from.

    Raises LookupError where there is none of the name.
    """
    if name in GUARDS:
        place, instead = GUARDS[name]
        _replace(place, instead)
        return
    for check in {*checks.CHECKS, *checks.SYSTEM_CHECKS, *checks.REQUEST_CHECKS}:
        if check.__name__ == name:
            _empty(check, NOTHING)
            return
    raise LookupError(f"there is no check {name}")


def _replace(place: str, instead: Instead | Value) -> None:
    """``connector.module:function``, ``…:Class.method`` or ``…:CONSTANT``."""
    module_name, _, path = place.partition(":")
    holder: Any = import_module(module_name)
    *outer, attribute = path.split(".")
    for part in outer:
        holder = getattr(holder, part)
    if isinstance(instead, Value):
        setattr(holder, attribute, instead.value)
    else:
        _empty(getattr(holder, attribute), instead)


def _empty(function: Callable[..., Any], instead: Instead) -> None:
    inner = getattr(function, "__wrapped__", function)  # the function within a cache
    original = FunctionType(
        inner.__code__, inner.__globals__, inner.__name__, inner.__defaults__, inner.__closure__
    )
    original.__kwdefaults__ = inner.__kwdefaults__
    TAKEN.append((instead, original))
    inner.__code__ = _stand_in.__code__
    inner.__defaults__ = inner.__kwdefaults__ = None


def _stand_in(*args: Any, **named: Any) -> Any:
    from tests.governance.guards import TAKEN

    instead, original = TAKEN[0]
    return instead(original, *args, **named)
