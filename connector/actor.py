"""Who acts: the person at a machine's keyboard, as the machine itself knows them."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Final

UNSET: Final = 2**32 - 1  #: of a process that nobody logged in to start
LOGIN: Final = Path("/proc/self/loginuid")


def operator() -> str:
    """``operator:NAME`` of whoever logged in, also behind sudo; else of the process's own user.

    Never by the environment, where anybody may write any name.
    """
    user = _logged_in()
    user = os.getuid() if user is None else user
    try:
        return f"operator:{pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"operator:{user}"


def _logged_in() -> int | None:
    """Who logged in to the session, which Linux keeps through su and sudo; None if unknown."""
    try:
        user = int(LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if user == UNSET else user
