"""What the worker does for the ledger's own sake: the gap after a restore, backups, anchors."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connector import backup
from connector.config.settings import Settings
from connector.errors import ConnectorError
from connector.ledger import alarms, restores
from connector.ledger.sqlite import SqliteStore
from connector.steps import anchor, fetch, restored
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

log = logging.getLogger("connector")

ASK_AGAIN: Final = timedelta(minutes=1)  #: after a provider or CRM that could not tell
SETTLING: Final = timedelta(days=40)  #: after a restore, in which a doubt may still arise
FETCH_FAILED, BACKUP_FAILED = "restore_unfetched", "backup_failed"
ANCHOR_FAILED = "anchor_failed"


class Upkeep:
    """The rounds of one worker; each is called about once a second by its heartbeat."""

    def __init__(self, rt: Setup, store: SqliteStore) -> None:
        self._rt, self._store = rt, store
        self._ask_at: datetime | None = None
        self._busy = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let a backup under way end soon, without a file."""
        self._stopped.set()

    def _go_on(self, name: str, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise ConnectorError("the worker stops")

    def look_into_the_gap(self) -> int:
        """After a restore: ask provider and CRM until they told; then settle what is in doubt."""
        rt = self._rt
        if rt.restored is None or rt.clock() > rt.restored.restored_at + SETTLING:
            return 0
        if not rt.restored.is_open:
            return restored.settle_all(rt)
        with rt.store.read() as tx:
            rt.restored = restores.read(tx)  # a person may have fetched or confirmed
        if rt.restored is None or not rt.restored.is_open:
            return 1
        now = rt.clock()
        if self._ask_at is not None and now < self._ask_at:
            return 0
        self._ask_at = now + ASK_AGAIN
        return self._fetch()

    def _fetch(self) -> int:
        rt = self._rt
        try:
            fetch.fetch(rt)
        except Exception as error:  # a door: whatever they answered, nothing leaves until they told
            says = (
                f"provider or CRM could not tell of the gap ({type(error).__name__}): everything "
                "is held; see `connector restore status`"
            )
            with rt.store.write() as tx:
                alarm(tx, rt, FETCH_FAILED, says, rt.clock())
            return 0
        with rt.store.write() as tx:
            alarms.clear(tx, FETCH_FAILED, "", rt.clock())
        return 1

    def anchor(self, settings: Settings) -> bool:
        """Tell the heads of the chains to the places of ``[audit] anchor``, where a day is over."""
        rt, now = self._rt, self._rt.clock()
        if not settings.anchors or not anchor.is_due(rt.store, now):
            return False
        taken = anchor.take(rt.store, rt.new_id, who="connector", why="each day", now=now)
        told, faults = anchor.tell(settings.anchors, taken, settings.brand, now)
        with rt.store.write() as tx:
            anchor.note(tx, now, done=not faults)
            if faults:
                alarm(tx, rt, ANCHOR_FAILED, f"no anchor could be left: {'; '.join(faults)}", now)
            else:
                alarms.clear(tx, ANCHOR_FAILED, "", now)
        log.info("act=anchor result=done places=%s", ",".join(told) or "-")
        return not faults

    def back_up(self, settings: Settings) -> Path | None:
        """Make the backup that is due by ``[backup]``, and remove those beyond ``keep``."""
        wanted = settings.backup
        if wanted.folder is None or not self._busy.acquire(blocking=False):
            return None
        try:
            now = self._rt.clock()
            last = backup.newest(wanted.folder)
            if last is not None and now < last + wanted.every:
                return None
            return self._back_up(settings, wanted.folder, wanted.keep, now)
        finally:
            self._busy.release()

    def _back_up(self, settings: Settings, folder: Path, keep: int, now: datetime) -> Path | None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path, _ = backup.make(settings, self._store, folder, now=now, progress=self._go_on)
            backup.prune(folder, keep)
        except (ConnectorError, OSError) as error:
            if self._stopped.is_set():
                return None
            with self._rt.store.write() as tx:
                alarm(tx, self._rt, BACKUP_FAILED, f"no backup could be made: {error}", now)
            return None
        with self._rt.store.write() as tx:
            alarms.clear(tx, BACKUP_FAILED, "", now)
        log.info("act=backup result=done file=%s", path.name)
        return path
