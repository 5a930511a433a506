"""What the C library keeps of memory that was given back, kept small.

Each thread that asks for memory while others do gets an arena of its own, up to eight for each
core, and only the top of the first is ever given back to the system. A worker has a hundred
threads, few of which ask at once: what one gave back lies idle in its arena, and the process
grows for as long as it runs (docs/decisions/0013). Where the C library is not glibc nothing is
done, and nothing is needed.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

ARENAS: Final = 2  #: of which only one at a time is waited for, since Python has one lock
_M_ARENA_MAX: Final = -8  #: as glibc's malloc.h numbers it


def share_arenas() -> bool:
    """Let the threads of this process share a few arenas; before the first thread is made.

    Whether the C library can.
    """
    library = _glibc()
    return library is not None and bool(library.mallopt(_M_ARENA_MAX, ARENAS))


def give_back() -> None:
    """Give the system what lies idle; it costs about a millisecond, so now and then."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library this process runs on; None where it is another."""
    library = ctypes.CDLL(None)
    known = all(hasattr(library, name) for name in ("mallopt", "malloc_trim"))
    return library if known else None
