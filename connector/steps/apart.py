"""Apart: of many things that are done together, one that fails does not hold up the others."""

from __future__ import annotations

import logging
from collections.abc import Callable

from connector.ledger.store import Tx, is_storage, savepoint

log = logging.getLogger("connector")


def apart(tx: Tx, act: Callable[[], object], about: str, *, careful: bool) -> bool:
    """Do one of many; whether it could be done.

    Without ``careful`` a fault is raised, and the whole slice is done again with care: then what
    one did is taken back, told in the log, and the next one goes on.
    """
    if not careful:
        act()
        return True
    try:
        with savepoint(tx):
            act()
    except Exception as error:  # a door: one bad row must not hold up the rest
        if is_storage(error):
            raise
        log.exception("act=begin about=%s result=failed", about)
        return False
    return True
