"""Reloading: a running connector takes over changed files whole, or not at all and says why.

``connector reload`` (and POST /api/reload, and SIGUSR1) tell the worker; it alone decides, and
what it took over or refused is an act in the ledger. The web reads there that files were taken
over, does the same for its sources and keys, and notes it for whoever waits.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

from connector import runtime
from connector.config.loaded import Loaded, load
from connector.config.settings import Settings
from connector.errors import BadConfig, ConnectorError
from connector.ledger import acts, cursors, files
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Store
from connector.lock import holder
from connector.rules.approvals import SIGNALLED
from connector.steps import approvals
from connector.steps.setup import Setup

log = logging.getLogger("connector")

DONE, REFUSED = "reloaded", "reload_refused"
ABOUT = "files"
CURSOR = "files"  #: the act of the reload whose files are in use
FOLLOWED = "files_web"  #: the same act, once the web has taken them over too
ASKED = "reload"  #: who asked, in the ledger's folder
ASK_AGAIN = 3.0  #: seconds; a reload that is under way is done by then
PATIENCE = 30.0  #: seconds in which a worker surely answers
BRIEFLY = 0.5  #: seconds that the web waits for the ledger
WEB_PATIENCE = 10.0  #: seconds in which the web surely follows
NEEDS_RESTART = ("web", "log", "ledger", "provider", "crm", "webhooks", "test_clock")
"""Settings that a process keeps for its life."""


def take_over(rt: Setup, before: Loaded) -> Loaded:
    """Put the folder's files in the place of those in use; the ones then in use.

    Where they are at fault that is told, and ``before`` stays. The caller sees to it that no
    step runs meanwhile.
    """
    who, now = asked_by(before.settings), rt.clock()
    try:
        loaded = load(before.settings.folder)
        if unread := loaded.policy.lists.faults():
            raise BadConfig(unread)
    except (BadConfig, ConnectorError, OSError) as error:
        with rt.store.write() as tx:
            acts.add(tx, rt.new_id("act"), REFUSED, ABOUT, who=who, why=str(error), at=now)
        log.error("act=reload result=refused: %s", error)
        return before
    later = ", ".join(f"[{name}]" for name in needs_restart(before.settings, loaded.settings))
    found, act = runtime.version_of(loaded), rt.new_id("act")
    with rt.store.write() as tx:
        runtime.renew(rt, loaded)
        files.keep(tx, runtime.contents(loaded), now)
        acts.add(tx, act, DONE, ABOUT, who=who, at=now, version=found, why=later)
        approvals.note_modes(tx, rt, who, now)
        cursors.set_(tx, CURSOR, act)  # no version: keys and forms stand in config.toml alone
    log.info("act=reload result=done version=%s plays=%d", found, len(loaded.plays))
    if later:
        log.warning("act=reload result=needs_restart settings=%s", later)
    return loaded


def ask(settings: Settings, store: Store, who: str) -> Row:
    """Tell the worker to reload and wait for its answer: the act it wrote.

    Where a supervisor runs it is told, and tells the worker: it starts the worker anew after a
    death, and is to do so with the files that were taken over.

    Raises ``ConnectorError`` where no worker runs or none answers.
    """
    pid = holder(settings.ledger / "work.lock")
    if not pid:
        raise ConnectorError("no worker runs on this folder: it reads the files when it starts")
    told = holder(settings.ledger / "run.lock") or pid
    before = _newest(store)
    (settings.ledger / ASKED).write_text(who[:200], encoding="utf-8")
    until, again = time.monotonic() + PATIENCE, 0.0
    while time.monotonic() < until:
        if time.monotonic() >= again:  # one that is just starting does not listen yet
            os.kill(told, signal.SIGUSR1)
            again = time.monotonic() + ASK_AGAIN
        if (found := _newest(store)) is not None and (not before or found["id"] != before["id"]):
            return found
        time.sleep(0.05)
    raise ConnectorError(
        f"the worker (pid {pid}) did not answer within {PATIENCE:.0f} seconds; look at its log"
    )


def note_followed(store: SqliteStore, act: str) -> None:
    """Note that the web has taken over the files of a reload too.

    Raises ``LedgerBusy`` where the ledger is held for longer: the web tries again, and its other
    upkeep is not to wait.
    """
    with store.write(BRIEFLY) as tx:
        cursors.set_(tx, FOLLOWED, act)


def is_followed(settings: Settings, store: Store, act: str) -> bool:
    """Wait until the web has taken over the files of a reload too; False where it did not in time.

    True where no web runs: it reads the files when it starts.
    """
    until = time.monotonic() + WEB_PATIENCE
    while holder(settings.ledger / "serve.lock"):
        with store.read() as tx:
            if cursors.get(tx, FOLLOWED) == act:
                return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.05)
    return True


def taken(store: Store) -> str:
    """The act by which the worker took files over last; "" where it never did."""
    with store.read() as tx:
        return cursors.get(tx, CURSOR)


def asked_by(settings: Settings) -> str:
    """Who asked for the reload that is under way; ``signal`` where nobody left a name."""
    path = settings.ledger / ASKED
    try:
        who = path.read_text(encoding="utf-8").strip()
        path.unlink()
    except OSError:
        return SIGNALLED
    return who or SIGNALLED


def needs_restart(before: Settings, after: Settings) -> Iterator[str]:
    """Names of the settings that differ and are only read when a process starts."""
    for name in NEEDS_RESTART:
        if _plain(getattr(before, name, None)) != _plain(getattr(after, name, None)):
            yield name


def _plain(value: Any) -> str:
    return repr(value)


def _newest(store: Store) -> Row | None:
    with store.read() as tx:
        rows = [row for row in acts.of(tx, ABOUT, 5) if row["act"] in (DONE, REFUSED)]
    return rows[0] if rows else None
