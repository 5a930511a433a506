"""People found: by id, else by number or e-mail where exactly one contact bears it.

https://developers.hubspot.com/docs/api-reference/search/guide
HubSpot searches numbers without their country, and more than one country has the same; so each
hit's whole number is compared with the one that is sought.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector import phone
from connector.clock import Clock
from connector.crms.hubspot.beside import Beside
from connector.crms.hubspot.names import CONTACTS, NAME, is_id
from connector.crms.hubspot.reading import Item, Reader, batch_read, matched, properties
from connector.crms.hubspot.shapes import Known
from connector.crms.hubspot.wire import Wire, parts
from connector.errors import CrmUnavailable
from connector.model import Json, Subject
from connector.records import Wanted

SEARCHED: Final = (
    "hs_searchable_calculated_phone_number",
    "hs_searchable_calculated_mobile_number",
    "hs_searchable_calculated_international_phone_number",
    "hs_searchable_calculated_international_mobile_number",
)
LOCAL: Final = 2  #: of them, that every account has
CALCULATED: Final = ("hs_calculated_phone_number", "hs_calculated_mobile_number")
"""A number as HubSpot reads it: with its country, where it could tell that."""

TOGETHER: Final = 20  #: numbers in one search: its body may have 3,000 characters
PAGE: Final = 200
MOST_PAGES: Final = 5  #: of one search; numbers borne by more people than that find nobody
EMAIL: Final = "email"
EMAILS: Final = "hs_additional_emails"  #: further addresses, joined by ";"


class Finder:
    """Finds the contacts of subjects, and what stands beside them."""

    def __init__(
        self, wire: Wire, reader: Reader, known: Known, wanted: Wanted, clock: Clock, region: str
    ) -> None:
        self._wire, self._reader, self._known = wire, reader, known
        self._wanted, self._region = wanted, region
        self._international = True
        self._beside = Beside(wire, reader, known, wanted, clock)

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """For each subject its contact's wanted fields with ``id`` and ``object``, or None."""
        found = self._items(subjects)
        ids = list(dict.fromkeys(str(item["id"]) for item in found if item is not None))
        beside = self._beside.of(ids) if ids else {}
        shapes = self._known.of("contact") if ids else {}
        answers: list[Mapping[str, Json] | None] = []
        for item in found:
            if item is None:
                answers.append(None)
                continue
            values, id = self._reader.values("contact", item, shapes), str(item["id"])
            answers.append({**values, **beside.get(id, {}), "id": id, "object": "contact"})
        return answers

    def _items(self, subjects: Sequence[Subject]) -> list[Item | None]:
        ids = [id for subject in subjects if is_id(id := _own_id(subject))]
        by_id = self._by_id(dict.fromkeys(ids))
        strangers = [subject for subject in subjects if not _own_id(subject)]
        by_phone = self._by_phone({subject.phone for subject in strangers if subject.phone})
        unknown = [each for each in strangers if not by_phone.get(each.phone)]
        by_email = self._by_email({each.email.lower() for each in unknown if each.email})
        return [
            by_id.get(_own_id(each))
            if _own_id(each)
            else by_phone.get(each.phone) or by_email.get(each.email.lower())
            for each in subjects
        ]

    def _by_id(self, ids: Iterable[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for some in parts(list(ids)):
            found |= matched(some, batch_read(self._wire, CONTACTS, some, self._names()))
        return found

    def _by_email(self, emails: Iterable[str]) -> dict[str, Item]:
        """Read by e-mail, which is unique in HubSpot and, unlike a search, never lags."""
        found: dict[str, Item] = {}
        names = [*self._names(), EMAIL, EMAILS]
        for some in parts(sorted(emails)):
            for item in batch_read(self._wire, CONTACTS, some, names, by=EMAIL):
                held = properties(item)
                borne = [str(held.get(EMAIL) or ""), *str(held.get(EMAILS) or "").split(";")]
                found |= {each.strip().lower(): item for each in borne if each.strip()}
        return found

    def _by_phone(self, numbers: Iterable[str]) -> dict[str, Item | None]:
        """Number → the one contact that bears it; None where several do."""
        hits: dict[str, dict[str, Item]] = {}
        for some in parts(sorted(numbers), TOGETHER):
            for item in self._search(some):
                for number in self._borne(item) & set(some):
                    hits.setdefault(number, {})[str(item.get("id"))] = item
        return {
            number: next(iter(items.values())) if len(items) == 1 else None
            for number, items in hits.items()
        }

    def _search(self, numbers: Sequence[str]) -> list[dict[str, Any]]:
        """Contacts one of whose numbers may be one of these; none where there are too many."""
        short = sorted({national(number) for number in numbers})
        long = sorted({*short, *(number.lstrip("+") for number in numbers)})
        groups = [
            {"filters": [{"propertyName": name, "operator": "IN", "values": values}]}
            for name, values in zip(SEARCHED, (short, short, long, long), strict=True)
        ]
        names = [*self._names(), *CALCULATED, *(self._wanted.phone or ("phone", "mobilephone"))]
        body: dict[str, Json] = {"filterGroups": groups, "properties": names, "limit": PAGE}
        found: list[dict[str, Any]] = []
        for _ in range(MOST_PAGES):
            answer = self._asked(body)
            found += answer.items()
            after = next_page(answer.body)
            if not after:
                return found
            body = {**body, "after": after}
        if len(numbers) == 1:
            return []
        return [item for number in numbers for item in self._search([number])]

    def _asked(self, body: dict[str, Json]) -> Any:
        """A page of a search; where an account lacks the international properties, without them."""
        try:
            return search(self._wire, CONTACTS, {**body, "filterGroups": self._groups(body)})
        except CrmUnavailable as error:
            if error.code != "malformed" or not self._international:
                raise
            self._international = False
            return search(self._wire, CONTACTS, {**body, "filterGroups": self._groups(body)})

    def _groups(self, body: Mapping[str, Json]) -> list[Json]:
        groups: list[Json] = body["filterGroups"]
        return groups if self._international else groups[:LOCAL]

    def _borne(self, item: Item) -> set[str]:
        """The whole numbers of a contact; those that nobody can read are none."""
        held = properties(item)
        names = (*CALCULATED, *(self._wanted.phone or ("phone", "mobilephone")))
        found = set()
        for name in names:
            try:
                found.add(phone.parse(str(held.get(name) or ""), self._region).e164)
            except phone.NotANumber:
                continue
        return found

    def _names(self) -> list[str]:
        return self._reader.names("contact")


def search(wire: Wire, plural: str, body: Mapping[str, Json]) -> Any:
    """One page of a search."""
    return wire.look(f"{plural}-search", "objects.search_api", "do_search", plural, dict(body))


def next_page(body: Mapping[str, Any]) -> str:
    """The cursor of the page after this one; "" for none."""
    paging = body.get("paging")
    after = paging.get("next") if isinstance(paging, Mapping) else None
    return str(after.get("after") or "") if isinstance(after, Mapping) else ""


def national(number: str) -> str:
    """A number in E.164 without its country's code."""
    import phonenumbers

    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return number.lstrip("+")


def _own_id(subject: Subject) -> str:
    return subject.crm_id if subject.crm in ("", NAME) else ""
