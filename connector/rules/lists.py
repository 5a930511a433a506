"""Suppression lists: whom a file names, held so that a million entries are a few megabytes."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from connector.errors import Fault

MOST: Final = 1_000_000  #: entries of one list
MOST_REASONS: Final = 65_535  #: different ones in one list
_DIGEST: Final = 1 << 63  #: marks what is no number
_NEVER: Final = 0  #: where the day stands on which an entry ends


class Listed(NamedTuple):
    """One entry: a number in E.164, an e-mail address, or a domain (``@shop.example``)."""

    value: str
    reason: str = ""
    until: date | None = None  #: the last day on which it counts


class Entries:
    """What one file lists, as sorted whole numbers of 64 bits.

    An entry is 8 bytes, and 14 where any entry of the file has a reason or a last day. A number
    is itself; all else is a digest, of which two that are the same keep one person too many back.
    """

    def __init__(self, listed: Iterable[Listed] = ()) -> None:
        keys, why, until = array("Q"), array("H"), array("I")
        reasons: dict[str, int] = {"": 0}
        for entry in listed:
            keys.append(_key(entry.value))
            why.append(reasons.setdefault(entry.reason, min(len(reasons), MOST_REASONS)))
            until.append(entry.until.toordinal() if entry.until else _NEVER)
        self._reasons = list(reasons)
        if any(why) or any(until):
            order = sorted(range(len(keys)), key=keys.__getitem__)
            self._why = array("H", (why[place] for place in order))
            self._until = array("I", (until[place] for place in order))
            self._keys = array("Q", (keys[place] for place in order))
        else:
            self._keys, self._why, self._until = array("Q", sorted(keys)), array("H"), array("I")

    @classmethod
    def of_numbers(cls, numbers: Iterable[str]) -> Entries:
        """Numbers in E.164 alone: the same, in a tenth of the time."""
        found = cls()
        found._keys = array("Q", sorted(map(int, numbers)))
        return found

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, value: str, today: date) -> str | None:
        """The reason for which a value is listed ("" where none is said); None where it is not."""
        key = _key(value)
        place = bisect_left(self._keys, key)
        while place < len(self._keys) and self._keys[place] == key:
            if not self._until:
                return ""
            if self._until[place] == _NEVER or self._until[place] >= today.toordinal():
                return self._reasons[self._why[place]]
            place += 1
        return None


def _key(value: str) -> int:
    if value.startswith("+"):
        return int(value)
    return _DIGEST | int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest())


@dataclass(slots=True)
class Reading:
    """What came of reading a file: its entries, or why it cannot be used."""

    entries: Entries
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class SuppressionList:
    """One file; it is read when it is first asked, and once."""

    name: str  #: of the file
    digest: str  #: sha256 of its content; "" where it cannot be read at all
    read: Callable[[], Reading]
    _found: Reading | None = field(default=None, repr=False)

    @property
    def reading(self) -> Reading:
        """Its entries and faults."""
        if self._found is None:
            self._found, self.read = self.read(), _read_already
        return self._found


def _read_already() -> Reading:
    return Reading(Entries())


@dataclass(frozen=True, slots=True)
class Lists:
    """All suppression lists (the ``[suppression]`` table), and which texts they concern."""

    lists: tuple[SuppressionList, ...] = ()
    purposes: tuple[str, ...] = ("marketing",)

    def __bool__(self) -> bool:
        return bool(self.lists)

    def find(self, phone: str, email: str, today: date, others: Iterable[str] = ()) -> str:
        """The list that names a person, and why: ``partners.csv: asked by phone``; "" for none.

        ``others`` are further numbers and addresses of theirs: whoever is named by any of them
        is named.
        """
        values = [*asked_for(phone, email)]
        for other in others:
            values += asked_for(other, "") if other.startswith("+") else asked_for("", other)
        for each in self.lists:
            for value in values:
                reason = each.reading.entries.find(value, today)
                if reason is not None:
                    return f"{each.name}: {reason}" if reason else each.name
        return ""

    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with the files, by file and line."""
        return tuple(fault for each in self.lists for fault in each.reading.faults)

    @property
    def fault(self) -> str:
        """The first fault in one line, "" where there is none: what the gate asks each time."""
        for each in self.lists:
            if each.reading.faults:
                return str(each.reading.faults[0])
        return ""

    @property
    def content(self) -> str:
        """Names and digests, one line for each list: what a policy's version rests on."""
        return "\n".join(f"# list {each.name} sha256:{each.digest}" for each in self.lists)


def asked_for(phone: str, email: str) -> Iterator[str]:
    """What a list may name a person by: the number, the address, its domain and those above it."""
    if phone:
        yield phone
    address = email.strip().lower()
    if not address:
        return
    yield address
    domain = address.rpartition("@")[2]
    while "." in domain:
        yield f"@{domain}"
        domain = domain.partition(".")[2]
