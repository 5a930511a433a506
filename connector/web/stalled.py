"""Connections that came to a stand are closed, so that nobody waits for them.

The WSGI server reads a body on the thread that answers, for as long as it takes: somebody who
sends half a body and no more would hold that thread for ever.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

OPEN_FILES: Final = Path("/proc/self/fd")
INET: Final = (socket.AF_INET, socket.AF_INET6)
OPEN: Final = (1, 8)  #: states in which something may still be heard or said
_TOLD = struct.Struct("=B43xI")  # of Linux' struct tcp_info: the state, ms since we sent data


def close_stalled(port: int, seconds: float) -> int:
    """Close connections to our port on which we have sent nothing for so long; how many.

    An answer takes no such time and an idle connection is closed sooner, so what is left is a
    request that does not come to its end, whether its sender died, is slow or means harm. Only
    Linux tells; elsewhere nothing is closed.
    """
    if sys.platform != "linux" or not port:
        return 0
    closed = 0
    for file in OPEN_FILES.iterdir():
        with suppress(OSError):  # closed meanwhile, or no connection at all
            closed += _close(int(file.name), port, seconds)
    return closed


def _close(file: int, port: int, seconds: float) -> bool:
    if not stat.S_ISSOCK(os.fstat(file).st_mode):
        return False
    with socket.socket(fileno=os.dup(file)) as connection:
        if connection.family not in INET or connection.getsockname()[1] != port:
            return False
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TOLD.size)
        state, silent_ms = _TOLD.unpack(told)
        if state not in OPEN or silent_ms < seconds * 1_000:
            return False
        connection.shutdown(socket.SHUT_RDWR)  # the server sees an end, and lets go of all
        return True
