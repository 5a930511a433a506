"""``python -m tests.governance [NAME…]``: take each single check out; a test fails each time.

Exit code 1 where the tests pass without one, so that nothing would tell if it were lost. It may
be broken off: which test missed a check is remembered, and asked first the next time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.governance.guards import names
from tests.governance.removal import fails_without, keep

AT_ONCE = 2


def main(wanted: Sequence[str]) -> int:
    """Take out what is named, or everything; tell of each which test fails."""
    chosen = list(wanted) or names()
    began, lost = time.monotonic(), list[str]()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {pool.submit(_missed_by, name): name for name in chosen}
        for done in as_completed(asked):
            name, test = asked[done], done.result()
            print(f"{name:55} {test or 'NOTHING FAILS'}", flush=True)
            if test:
                keep({name: test})
            else:
                lost.append(name)
    took = time.monotonic() - began
    print(f"{len(chosen)} checks taken out in {took:.0f} s, {len(lost)} not missed")
    return 1 if lost else 0


def _missed_by(name: str) -> str:
    try:
        return fails_without(name)
    except RuntimeError as error:  # pytest itself failed: the others are asked all the same
        print(error, file=sys.stderr)
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
