"""Watching a parent: a child that outlives it leaves at once, whatever killed the parent."""

from __future__ import annotations

import os
import threading


class Life:
    """A pipe whose writing end only the parent holds; its closing is the parent's death."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def watch(self) -> None:
        """In the child: leave the process as soon as the parent is gone."""
        os.close(self._write)
        threading.Thread(target=self._wait, name="watch", daemon=True).start()

    def _wait(self) -> None:
        os.read(self._read, 1)
        os._exit(70)
