"""Suppression lists: ``mappings/suppression/*.csv`` and ``*.txt``, read line by line.

A line is a number, an e-mail address or a domain, and may have a reason and a last day beside it.
What is wrong with a list keeps marketing back and is told by file and line; it does not keep the
connector from starting, since a STOP must be heard whatever else is wrong.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from connector import phone
from connector.config.toml import Table
from connector.errors import Fault
from connector.rules.lists import MOST, Entries, Listed, Lists, Reading, SuppressionList

FOLDER: Final = "suppression"
ENDINGS: Final = (".csv", ".txt")
MAX_BYTES: Final = 128 * 1024 * 1024
MAX_REASON: Final = 200
MOST_FAULTS: Final = 20  #: of one list that are told
VALUES: Final = frozenset({"number", "phone", "mobile", "email", "domain", "value"})
REASONS: Final = frozenset({"reason", "why", "note"})
UNTILS: Final = frozenset({"expires", "expires_on", "until", "valid_until"})

#: Numbers that are taken as written: North American ones, and others in E.164 in whose first
#: digits no 0 stands that might be a national prefix. All else is read by the library, which
#: takes as long as twenty of these. A file of nothing else is read at once.
_AMERICAN: Final = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}", re.ASCII)
_ABROAD: Final = re.compile(r"\+[2-9][1-9]{3}\d{4,11}", re.ASCII)
_AT_HOME: Final = re.compile(r"1?([2-9]\d{2}[2-9]\d{6})", re.ASCII)
_PLAIN: Final = re.compile(rb"(?:\+(?:1[2-9]\d\d[2-9]\d{6}|[2-9][1-9]{3}\d{4,11})\r?\n)+")
_DOMAIN: Final = re.compile(r"@?((?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+)")
_EMAIL: Final = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NORTH_AMERICA: Final = ("US", "CA")


def load_lists(table: Table, folder: Path, country: str) -> Lists:
    """The lists of ``folder``, and those that ``[suppression] lists`` names beside them.

    A named one that is not there is at fault, so that a list does not vanish unnoticed. The files
    are read when they are first asked.
    """
    named = table.words("lists", ())
    purposes = table.words("purposes", ("marketing",), choices=("marketing", "service"))
    table.done()
    paths = {path.name: path for path in sorted(folder.glob("*")) if path.suffix in ENDINGS}
    for name in named:
        if Path(name).name != name or Path(name).suffix not in ENDINGS:
            remedy = f"name a .csv or .txt in mappings/{FOLDER}, without a folder"
            table.fault("lists", f"holds {name!r:.60}", remedy)
        else:
            paths.setdefault(name, folder / name)
    lists = tuple(_list(path, country) for _, path in sorted(paths.items()))
    return Lists(lists, purposes or ("marketing",))


def _list(path: Path, country: str) -> SuppressionList:
    shown = Path(path.parent.parent.name) / path.parent.name / path.name  # as the operator says it
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OSError(f"has more than {MAX_BYTES // 2**20} MB; split it up")
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        fault = Fault(str(shown), 0, "", f"cannot be read: {why}", "put it there or fix its mode")
        return SuppressionList(path.name, "", lambda: Reading(Entries(), (fault,)))
    digest = hashlib.sha256(content).hexdigest()
    return SuppressionList(path.name, digest, partial(read_list, shown, content, country))


def read_list(path: Path, content: bytes, country: str) -> Reading:
    """The entries of a file's content; ``country`` is that of numbers without a +."""
    faults: list[Fault] = []
    if content.count(b"\n") <= MOST and _PLAIN.fullmatch(content):
        return Reading(Entries.of_numbers(io.StringIO(content.decode())))
    entries = Entries(listed(path, content, country, faults))
    if not faults and not entries:
        remedy = "write one entry a line, or delete the file where nobody is on it"
        faults.append(Fault(str(path), 0, "", "lists nobody", remedy))
    return Reading(entries, tuple(faults))


def listed(path: Path, content: bytes, country: str, faults: list[Fault]) -> Iterator[Listed]:
    """The entries of a file's content, one after the other; faults go to ``faults``."""

    def fault(line: int, message: str, remedy: str) -> None:
        faults.append(Fault(str(path), line, "", message, remedy))

    try:
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        rows = csv.reader(text, delimiter=_delimiter(content), skipinitialspace=True)
        columns = _Columns()
        for count, row in enumerate(rows):
            if count >= MOST:
                fault(rows.line_num, f"is line {MOST + 1:,} of the list", "split the list up")
                return
            if count == 0 and (headed := _Columns.of(row)) is not None:
                columns = headed
                continue
            if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
                continue
            try:
                yield from columns.entries(row, country)
            except ValueError as error:
                fault(rows.line_num, str(error), "mend the line, or take it out")
                if len(faults) >= MOST_FAULTS:
                    fault(rows.line_num, "is not the last one at fault", "look at the whole file")
                    return
    except UnicodeDecodeError:
        fault(0, "is not text in UTF-8", "save it as CSV in UTF-8")
    except csv.Error as error:
        fault(0, f"is not CSV: {error}", "save it as CSV in UTF-8")


def _delimiter(content: bytes) -> str:
    """What parts the columns: that of ``, ; tab`` which stands in the first line most often."""
    first = content[:4_000].split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(",;\t", key=first.count)


class _Columns:
    """Which columns hold what; without a head the first is the value, then reason, last day."""

    def __init__(
        self, values: Sequence[int] = (0,), reason: int | None = 1, until: int | None = 2
    ) -> None:
        self._values, self._reason, self._until = values, reason, until

    @classmethod
    def of(cls, row: Sequence[str]) -> _Columns | None:
        """By the head of a file; None where its first line is an entry already."""
        names = [cell.strip().lower().replace(" ", "_") for cell in row]
        values = [place for place, name in enumerate(names) if name in VALUES]
        if not values:
            return None
        return cls(values, _place(names, REASONS), _place(names, UNTILS))

    def entries(self, row: Sequence[str], country: str) -> Iterator[Listed]:
        """What one line lists; raises ``ValueError`` saying what is wrong with it."""
        reason = _cell(row, self._reason)[:MAX_REASON]
        until = _day(_cell(row, self._until))
        values = [value for place in self._values if (value := _cell(row, place))]
        if not values:
            raise ValueError("names nobody")
        for value in values:
            yield Listed(_read(value, country), reason, until)


def _place(names: Sequence[str], wanted: frozenset[str]) -> int | None:
    return next((place for place, name in enumerate(names) if name in wanted), None)


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _day(written: str) -> date | None:
    if not written:
        return None
    try:
        if _DAY.fullmatch(written):
            return date.fromisoformat(written)
    except ValueError:
        pass  # the 31st of a shorter month, which is told like any other
    raise ValueError(f"ends on {written!r:.20}, which is no day; write it as 2027-01-31")


def _read(written: str, country: str) -> str:
    """A number in E.164, an address in lower case, or a domain with @ in front."""
    if _AMERICAN.fullmatch(written) or _ABROAD.fullmatch(written):
        return written
    if country in _NORTH_AMERICA and (home := _AT_HOME.fullmatch(written)):
        return f"+1{home[1]}"
    lower = written.lower()
    if domain := _DOMAIN.fullmatch(lower):
        return f"@{domain[1]}"
    if "@" in lower:
        if _EMAIL.fullmatch(lower):
            return lower
        raise ValueError("is no e-mail address")
    try:
        return phone.parse(written, country).e164
    except phone.NotANumber as error:
        raise ValueError(f"is neither number, e-mail address nor domain ({error})") from None
