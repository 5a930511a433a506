"""Finding people: by their record's id, else by number or e-mail where exactly one bears it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector import phone
from connector.crms.salesforce import soql
from connector.crms.salesforce.beside import Beside
from connector.crms.salesforce.ids import OBJECTS, PEOPLE, field_path, known_id, object_of
from connector.crms.salesforce.limits import in_chunks
from connector.crms.salesforce.session import Line
from connector.model import Json, Subject
from connector.records import Wanted

IN_ONE: Final = {"phone": 40, "email": 100}  #: values in one query
STANDARD: Final = {"phone": ("MobilePhone", "Phone"), "email": ("Email",)}
DIGITS: Final = 7  #: the last of a number, which however it is written stand in this order
CONVERTED: Final = ("IsConverted", "ConvertedContactId")
Row = dict[str, Any]
Found = dict[str, Row]  #: id → the row, with our word for its object under ``object``


class Finder:
    """Looks subjects up in few queries: one for each object and way of finding."""

    def __init__(self, line: Line, wanted: Wanted) -> None:
        self._line, self._wanted = line, wanted
        self._beside = Beside(line, wanted)

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """For each subject the person's record, or None."""
        ids = [_person_id(subject) for subject in subjects]
        by_id = self._by_ids([id for id in ids if id])
        rows = [by_id.get(id) for id in ids]
        for kind, name in (("phone", _number), ("email", _email)):
            asked = ["" if row else name(one) for one, row in zip(subjects, rows, strict=True)]
            told = self._by(kind, set(asked))
            rows = [row or told.get(value) for row, value in zip(rows, asked, strict=True)]
        beside = self._beside.of([row["Id"] for row in rows if row is not None])
        return [None if row is None else {**self._shown(row), **beside[row["Id"]]} for row in rows]

    def _by_ids(self, ids: Sequence[str]) -> Found:
        """The records of ids; of a lead that was converted its contact."""
        found: Found = {}
        for object in PEOPLE[::-1]:  # leads first: they may lead on to contacts
            became = [_contact_of(row) for row in found.values()]
            some = dict.fromkeys(one for one in (*ids, *became) if object_of(one) == object)
            for chunk in in_chunks(list(some), soql.ids_in_one(self._names(object))):
                found |= self._query(object, soql.ids_in("Id", chunk))
        return {id: found.get(_contact_of(row), row) for id, row in found.items()}

    def _by(self, kind: str, values: Iterable[str]) -> Found:
        """Number or e-mail → the one person who bears it; those whom several share are left out."""
        asked = sorted(value for value in values if value)
        bearers: dict[str, set[str]] = {value: set() for value in asked}
        rows: Found = {}
        for object in PEOPLE:
            names = self._bearing(kind, object)
            for chunk in in_chunks(asked, IN_ONE[kind]) if names else ():
                told = self._query(object, _where(kind, names, chunk))
                rows |= told
                for value in chunk:
                    bearers[value] |= {id for id, row in told.items() if _bears(row, names, value)}
        contacts = {_contact_of(row) for row in rows.values()} - set(rows) - {""}
        rows |= self._by_ids(sorted(contacts)) if contacts else {}
        return {
            value: rows[one]
            for value, ids in bearers.items()
            if len(ids) and (one := _only(ids, rows))
        }

    def _bearing(self, kind: str, object: str) -> tuple[str, ...]:
        """The fields of an object that may hold a person's number, or their e-mail.

        One that is wanted of the other object alone is not a field of this one.
        """
        wanted = self._wanted.phone if kind == "phone" else self._wanted.email
        here, *others = (self._wanted.fields.get(one, ()) for one in (object, *PEOPLE))
        elsewhere = {name for names in others for name in names} - set(here)
        return tuple(name for name in wanted or STANDARD[kind] if name not in elsewhere)

    def _query(self, object: str, where: str) -> Found:
        query = soql.select(self._names(object), OBJECTS[object], where)
        rows = self._line.query("fetch", query)
        return {known_id(row.get("Id")): {**row, "object": object} for row in rows}

    def _names(self, object: str) -> tuple[str, ...]:
        wanted = self._wanted.fields.get(object, ())
        converted = CONVERTED if object == "lead" else ()
        bearing = (*self._bearing("phone", object), *self._bearing("email", object))
        return soql.unique(("Id", *converted, *bearing, *wanted))

    def _shown(self, row: Row) -> Row:
        object = row["object"]
        wanted = self._wanted.fields.get(object, ())
        return {**soql.values(row, wanted), "id": known_id(row["Id"]), "object": object}


def _person_id(subject: Subject) -> str:
    id = known_id(subject.crm_id)
    return id if object_of(id) in PEOPLE else ""


def _number(subject: Subject) -> str:
    """The number to find them by; of whom an id is given that alone counts."""
    text = "" if subject.crm_id else subject.phone
    return text if text and _reads(text, "") == text else ""


def _email(subject: Subject) -> str:
    return "" if subject.crm_id else subject.email.strip().lower()


def _reads(text: str, region: str) -> str:
    """A number as it was typed there, in E.164; "" for what is none."""
    try:
        return phone.parse(text, region).e164 if text else ""
    except phone.NotANumber:
        return ""


def _where(kind: str, names: Sequence[str], values: Sequence[str]) -> str:
    """What narrows the search; of a number however it was typed the last digits stand in order."""
    if kind == "email":
        ways = [soql.quoted(f"{field_path(name)} IN {{}}", list(values)) for name in names]
    else:
        ends = ["%".join(value[-DIGITS:]) for value in values]
        ways = [f"{field_path(name)} LIKE '%{end}'" for end in ends for name in names]
    return " OR ".join(ways)


def _bears(row: Row, names: Iterable[str], value: str) -> bool:
    """Whether one of the fields holds this number or e-mail, compared as we compare them."""
    texts = [str(soql.at(row, name) or "") for name in names]
    if "@" in value:
        return any(text.strip().lower() == value for text in texts)
    region = phone.parse(value, "").country
    return any(_reads(text, region) == value for text in texts)


def _contact_of(row: Row) -> str:
    """The contact that a lead became, or ""."""
    return known_id(row.get("ConvertedContactId")) if row.get("IsConverted") is True else ""


def _only(ids: Iterable[str], rows: Found) -> str:
    """The one record among several; a lead that was converted counts as its contact."""
    people = {_contact_of(rows[id]) or id for id in ids}
    [one, *others] = people
    return one if not others and one in rows else ""
