"""Where the ledger holds anything about a person: every table, how its rows are found by whom
they are about, and what of them goes when the person is forgotten.

Each table of the schema stands either in ``PLACES`` or in ``NOBODY`` with a reason; a test walks
the schema. Export shows all columns of what is found, so it leaves nothing out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from connector.ledger import contacts
from connector.ledger.store import Row, Tx

WHEN: Final = ("occurred_at", "decided_at", "planned_at", "linked_at", "at", "heard_at")
STAYS: Final[Mapping[str, str | None]] = MappingProxyType({})
"""Nothing of the row names anybody."""
MERGED = "SELECT id FROM contacts WHERE merged_into = :id"
NAMED = "SELECT kind, value FROM identities WHERE contact_id = :id"
LINKED = "SELECT DISTINCT kind, value FROM identity_links WHERE contact_id = :id"
BORNE = """SELECT contact_id FROM identities WHERE kind = 'phone' AND value = :phone
    AND detached_at IS NULL"""
THING: Final = "crm || ':' || object || ':' || record"
"""What a deal, a meeting or a case of a CRM is found by."""
PROPOSED = """SELECT c.id FROM consents c JOIN events e ON e.id = c.event_id
    WHERE e.contact_id = :id AND c.action = 'pending'"""
STANDS_ON = """SELECT DISTINCT crm, object, record FROM crm_people WHERE person = :person"""
STANDING = """SELECT person FROM crm_people
    WHERE crm = :crm AND object = :object AND record = :record"""


@dataclass(frozen=True, slots=True)
class Place:
    """A table that holds something about people.

    ``by`` is the column and what it is compared with: a set of ``Person``, or ``words`` for a
    column that may hold any value of theirs inside. ``blank`` says what each column is set to
    when the person is forgotten; without it the row goes. ``stays`` says why the rest stays.
    """

    table: str
    by: tuple[tuple[str, str], ...]
    blank: Mapping[str, str | None] | None = None
    stays: str = ""


PSEUDONYM: Final = "counted under the contact's id, which names nobody once the person is gone"

#: In the order in which they are erased: what others are found by goes last.
PLACES: Final = (
    Place("facts", (("hash", "hashes"),)),
    Place(
        "decisions",
        (("contact_id", "contacts"),),
        STAYS,
        "chained evidence that names no person: reasons, versions and instants",
    ),
    Place("decision_repeats", (("decision_id", "decisions"),), STAYS, "a counter"),
    Place("lookups", (("phone", "phones"),)),
    Place("sticky_senders", (("phone", "phones"),)),
    Place("staff_ids", (("value", "words"), ("entry", "words"))),
    Place("refreshes", (("about", "contacts"), ("about", "phones"), ("send_id", "sends"))),
    Place("touches", (("contact_id", "contacts"),)),
    Place("links", (("contact_id", "contacts"), ("send_id", "sends"))),
    Place("clicks", (("contact_id", "contacts"), ("send_id", "sends"))),
    Place("conversations", (("phone", "phones"),)),
    Place(
        "replies",
        (("contact_id", "contacts"), ("phone", "phones")),
        {"phone": "", "text": "", "answer": "", "why": ""},
        "that somebody replied, how it was understood, and when: evidence of opt-outs",
    ),
    Place(
        "receipts",
        (("send_id", "sends"),),
        STAYS,
        "what the provider told of a text; its id is the way to the provider's own log",
    ),
    Place("outcomes", (("contact_id", "contacts"),), {"thing": ""}, PSEUDONYM),
    Place("stage_changes", (("contact_id", "contacts"),)),
    Place("timers", (("contact_id", "contacts"),)),
    Place("readings", (("contact_id", "contacts"),)),
    Place("memberships", (("contact_id", "contacts"),)),
    Place("reached", (("enrolment_id", "enrolments"),), STAYS, PSEUDONYM),
    Place("assignments", (("contact_id", "contacts"),), STAYS, PSEUDONYM),
    Place("attempts", (("send_id", "sends"),), STAYS, "a try at a text that is kept"),
    Place("doubts", (("send_id", "sends"),)),
    Place(
        "sends",
        (("contact_id", "contacts"), ("phone", "phones")),
        {"phone": "", "text": "", "key": ""},
        "the message log: that a text went, when, why, and the provider's id of it",
    ),
    Place(
        "enrolments",
        (("contact_id", "contacts"),),
        {"key": "id", "goal_event_id": None},
        PSEUDONYM,
    ),
    Place("signals", (("contact_id", "contacts"),)),
    Place(
        "events",
        (("contact_id", "contacts"),),
        {"payload": "{}", "body_hash": "", "reason": "", "contact_id": None},
        "only its key, so that the same event told again is not taken for a new one",
    ),
    Place("unreadable", (("body", "words"), ("url", "words"), ("headers", "words"))),
    Place("writebacks", (("contact_id", "contacts"),)),
    Place("errands", (("send_id", "sends"), ("enrolment_id", "enrolments"))),
    Place("crm_facts", (("contact_id", "contacts"),)),
    Place("crm_changes", (("contact_id", "contacts"),)),
    Place("crm_records", (("contact_id", "contacts"), (THING, "things"))),
    Place("crm_history", (("contact_id", "contacts"), (THING, "things"))),
    Place("crm_people", (("person", "crm_ids"),)),
    Place("local_activities", (("record", "records"),)),
    Place("local_records", (("contact_id", "contacts"),)),
    Place(
        "consents",
        (("phone", "phones"), ("id", "proposals")),
        {"phone": ""},
        "chained evidence without number, words and address; see ledger/erasure",
    ),
    Place(
        "acts",
        (("about", "words"), ("why", "words")),
        {"about": "", "why": ""},
        "chained evidence of who did what; see ledger/erasure",
    ),
    Place("numbers", (("phone", "phones"),)),
    Place("merges", (("winner", "contacts"), ("loser", "contacts"))),
    Place("identity_links", (("contact_id", "contacts"),)),
    Place("identities", (("contact_id", "contacts"),)),
    Place("contacts", (("id", "contacts"),)),
)

NOBODY: Final = {
    "things": "what is known of products and the like, by their own keys",
    "files": "plays, policy and mappings, as the operator wrote them",
    "fanouts": "how far a fact about a thing was told; by an opaque id",
    "pauses": "what operators paused, and why",
    "spending": "sums",
    "template_days": "sums",
    "catalogue": "sums of events by their names",
    "source_hours": "sums",
    "chains": "the heads of the chains",
    "alarms": "sentences with figures; never a number or a text (steps/alarm)",
    "forgotten": "digests of people who were forgotten, which is why they are there",
    "crm_hints": "the ids of records that wait to be read in the CRM, for minutes",
    "cursors": "how far something has come",
    "counters": "sums",
}
"""Tables without anything about a person, and why."""


@dataclass(slots=True)
class Person:
    """Everything that rows about one person are found by."""

    contacts: set[str]
    identities: set[tuple[str, str]] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)  #: that nobody else bears
    shared: set[str] = field(default_factory=set)  #: that somebody else bears too
    sends: set[str] = field(default_factory=set)
    enrolments: set[str] = field(default_factory=set)
    decisions: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)
    things: set[str] = field(default_factory=set)  #: deals and the like that are about nobody else
    proposals: set[str] = field(default_factory=set)
    """Pending consents that they asked for with a number which is not theirs (yet)."""
    shared_things: set[str] = field(default_factory=set)  #: that are about somebody else too

    @property
    def crm_ids(self) -> set[str]:
        """What CRMs call the person."""
        return {value for kind, value in self.identities if kind == "crm_id"}

    @property
    def words(self) -> set[str]:
        """Values that stand for the person wherever they are written, long enough to be theirs."""
        named = {value for _, value in self.identities if len(value) >= 5}
        return named | self.contacts | self.phones


def find(tx: Tx, contact_id: str) -> Person:
    """A contact, those merged into it, and what their rows are found by."""
    row = contacts.row(tx, contact_id)
    person = Person({str(row["id"]) if row else contact_id})
    waiting = list(person.contacts)
    while waiting:
        merged = {str(item["id"]) for item in tx.all(MERGED, id=waiting.pop())}
        waiting += merged - person.contacts
        person.contacts |= merged
    for each in person.contacts:
        for sql in (NAMED, LINKED):
            person.identities |= {
                (str(item["kind"]), str(item["value"])) for item in tx.all(sql, id=each)
            }
    _sort_phones(tx, person)
    _sort_things(tx, person)
    _look_up(tx, person)
    for each in person.contacts:
        person.proposals |= {str(row["id"]) for row in tx.all(PROPOSED, id=each)}
    return person


def number(tx: Tx, phone: str) -> Person:
    """A number that no contact bears, as somebody of whom only that is known."""
    person = Person(set(), {("phone", phone)}, {phone})
    _look_up(tx, person)
    return person


def _sort_phones(tx: Tx, person: Person) -> None:
    for kind, value in person.identities:
        if kind == "phone":
            others = {str(row["contact_id"]) for row in tx.all(BORNE, phone=value)}
            (person.shared if others - person.contacts else person.phones).add(value)


def _sort_things(tx: Tx, person: Person) -> None:
    for row in [row for name in person.crm_ids for row in tx.all(STANDS_ON, person=name)]:
        about = {name: str(row[name]) for name in ("crm", "object", "record")}
        others = {str(other["person"]) for other in tx.all(STANDING, **about)} - person.crm_ids
        (person.shared_things if others else person.things).add(":".join(about.values()))


def _look_up(tx: Tx, person: Person) -> None:
    """Ids of rows that other rows hang on."""
    for table, into, column in (
        ("sends", person.sends, "id"),
        ("enrolments", person.enrolments, "id"),
        ("decisions", person.decisions, "id"),
        ("decisions", person.hashes, "facts_hash"),
        ("local_records", person.records, "id"),
    ):
        for row in rows(tx, next(item for item in PLACES if item.table == table), person):
            into.add(str(row[column]))


def rows(tx: Tx, place: Place, person: Person, *, shared: bool = False) -> list[Row]:
    """The rows of a table about a person, each once; ``shared`` adds those of what they share."""
    found: dict[tuple[Any, ...], Row] = {}
    for column, kind in place.by:
        values: Iterable[str] = getattr(person, kind)
        if shared and kind == "phones":
            values = person.phones | person.shared
        if shared and kind == "things":
            values = person.things | person.shared_things
        for row in _matching(tx, place.table, column, values, inside=kind == "words"):
            found.setdefault(tuple(row), row)
    return list(found.values())


def _matching(
    tx: Tx, table: str, column: str, values: Iterable[str], *, inside: bool
) -> Iterator[Row]:
    for value in sorted(values):
        if inside:
            sql = f"SELECT * FROM {table} WHERE {column} LIKE :value ESCAPE '\\'"  # noqa: S608
            yield from tx.all(sql, value=f"%{escaped(value)}%")
        else:
            yield from tx.all(f"SELECT * FROM {table} WHERE {column} = :value", value=value)  # noqa: S608


def escaped(value: str) -> str:
    """A value as LIKE finds it, its own wildcards taken for what they are."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def held(tx: Tx, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Everything that is held about a person, by table; tables without anything are left out."""
    found = {place.table: rows(tx, place, person, shared=True) for place in PLACES}
    return {
        name: sorted((dict(row) for row in items), key=_when)
        for name, items in found.items()
        if items
    }


def _when(row: Mapping[str, Any]) -> str:
    return str(next((row[name] for name in WHEN if row.get(name)), ""))
