"""What an org holds: records with ids and stamps, deleted and converted ones, and its rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connector.crms.salesforce.ids import known_id, record_id
from tests.crms.salesforce_soql import Malformed, Query, Row

PREFIXES = {
    "Contact": "003",
    "Lead": "00Q",
    "Opportunity": "006",
    "Event": "00U",
    "Case": "500",
    "Task": "00T",
    "Account": "001",
    "OpportunityContactRole": "00K",
    "OpportunityHistory": "008",
    "OpportunityFieldHistory": "017",
    "ContactHistory": "1CF",
    "LeadHistory": "1LH",
    "CaseHistory": "1CH",
    "EventRelation": "0RE",
    "SMS_Message__c": "a00",
}
PARENTS = {"Opportunity": ("Opportunity", "OpportunityId"), "Account": ("Account", "AccountId")}
COMMON = ("Id", "IsDeleted", "SystemModstamp", "CreatedDate", "LastModifiedDate", "OwnerId")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Contact": (
        *("FirstName", "LastName", "Email", "Phone", "MobilePhone", "AccountId", "DoNotCall"),
        *("MasterRecordId", "SMS_Opt_Out__c", "stage", "plan", "touches", "texts_sent", "Born__c"),
    ),
    "Lead": (
        *("FirstName", "LastName", "Email", "Phone", "MobilePhone", "Company", "Status", "stage"),
        *("MasterRecordId", "IsConverted", "ConvertedContactId", "plan", "touches", "texts_sent"),
    ),
    "Opportunity": ("Name", "StageName", "Amount", "CloseDate", "Probability", "AccountId"),
    "Event": ("Subject", "WhoId", "WhatId", "StartDateTime", "Outcome__c"),
    "Case": ("Subject", "Status", "IsClosed", "ContactId", "AccountId"),
    "Task": (
        *("Subject", "Description", "Status", "Priority", "ActivityDate", "WhoId", "WhatId"),
        *("IsReminderSet", "ReminderDateTime", "CallObject", "SMS_Id__c"),
    ),
    "Account": ("Name",),
    "OpportunityContactRole": ("OpportunityId", "ContactId", "IsPrimary"),
    "OpportunityHistory": ("OpportunityId", "StageName", "Amount", "CloseDate", "Probability"),
    "OpportunityFieldHistory": ("OpportunityId", "Field", "NewValue", "OldValue"),
    "ContactHistory": ("ContactId", "Field", "NewValue"),
    "LeadHistory": ("LeadId", "Field", "NewValue"),
    "CaseHistory": ("CaseId", "Field", "NewValue"),
    "EventRelation": ("EventId", "RelationId"),
    "SMS_Message__c": (
        *("SMS_Id__c", "Subject__c", "Body__c", "Status__c", "Kind__c", "Direction__c"),
        *("Occurred_At__c", "Play__c", "Contact__c", "Lead__c", "Case__c", "Opportunity__c"),
    ),
}
EXTERNAL = "SMS_Id__c"
LENGTHS = {"Subject": 255, "SMS_Id__c": 64, "plan": 40}
STATUSES = ("Not Started", "In Progress", "Completed")


class Refused(Exception):
    """An error as Salesforce names it: of a row, or of a whole call."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code, self.message, self.fields = code, message, list(fields)


@dataclass
class State:
    """The org's records; ``now`` is its own clock, which stamps them."""

    now: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    fields: dict[str, set[str]] = field(default_factory=dict)
    refusing: dict[str, Refused] = field(default_factory=dict)  # record or reference → why
    count: Counter[str] = field(default_factory=Counter)
    page: int = 2_000  # rows in one answer to a query

    def __post_init__(self) -> None:
        self.tables = {name: {} for name in PREFIXES}
        self.fields = {name: {*COMMON, *FIELDS.get(name, ())} for name in PREFIXES}

    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    def add(self, object: str, **values: Any) -> str:
        """Put a record into the org, as its people do; its id."""
        self.count[object] += 1
        id = record_id(f"{PREFIXES[object]}5g{self.count[object]:010d}")
        stamps = dict.fromkeys(("SystemModstamp", "CreatedDate", "LastModifiedDate"), self.stamp())
        plain = {"IsDeleted": False, "IsConverted": False, "IsClosed": False}
        known = {name: value for name, value in plain.items() if name in self.fields[object]}
        self.tables[object][id] = {"Id": id, **stamps, **known, **values}
        return id

    def change(self, id: str, **values: Any) -> None:
        """Change a record, as its people do."""
        row = self.row(id)
        stamps = dict.fromkeys(("SystemModstamp", "LastModifiedDate"), self.stamp())
        row.update({**stamps, **values})

    def delete(self, id: str, master: str = "") -> None:
        """Put a record into the bin; merged into another, with its name."""
        self.change(id, IsDeleted=True, MasterRecordId=master or None)

    def convert(self, lead: str, contact: str) -> None:
        """Convert a lead into a contact."""
        self.change(lead, IsConverted=True, ConvertedContactId=contact)

    def row(self, id: str) -> Row:
        for rows in self.tables.values():
            if id in rows:
                return rows[id]
        raise KeyError(id)

    def query(self, soql: str, deleted: bool) -> list[Row]:
        """The rows of a query as they are answered. Raises ``Refused`` for what it cannot read."""
        try:
            query = Query(soql)
            if query.source not in self.tables:
                raise Refused("INVALID_TYPE", f"sObject type '{query.source}' is not supported.")
            here = [
                row
                for row in self.tables[query.source].values()
                if deleted or row.get("IsDeleted") is not True
            ]
            rows = query.rows(here, self.value)
        except (Malformed, IndexError) as error:
            raise Refused("MALFORMED_QUERY", f"unexpected token: {error}") from None
        if query.group:
            return self._grouped(query, rows)
        self._known(query)
        return [self._shown(query, row) for row in rows]

    def value(self, row: Row, path: str) -> Any:
        parent, _, name = path.partition(".")
        if not name:
            return row.get(path)
        object, reference = PARENTS[parent]
        above = self.tables[object].get(str(row.get(reference)))
        return self.value(above, name) if above else None

    def _known(self, query: Query) -> None:
        for path in (*query.fields, *query.names):
            parent, _, name = path.rpartition(".")
            object = PARENTS[parent][0] if parent else query.source
            if name not in self.fields[object]:
                says = f"No such column '{name}' on entity '{object}'. If you are attempting to"
                raise Refused("INVALID_FIELD", says)

    def _shown(self, query: Query, row: Row) -> Row:
        shown: Row = {"attributes": {"type": query.source}}
        for path in query.fields:
            parent, _, name = path.rpartition(".")
            if parent:
                above = shown.setdefault(parent, {"attributes": {"type": parent}})
                above[name] = self.value(row, path)
            else:
                shown[name] = self.value(row, path)
        return shown

    def _grouped(self, query: Query, rows: list[Row]) -> list[Row]:
        counted = Counter(str(row.get(query.group)) for row in rows)
        as_ = query.fields[1].split()[-1]
        return [{query.group: value, as_: n} for value, n in counted.items()]

    def put(self, row: Row, external: str = "") -> tuple[str, bool]:
        """Upsert, update or create one row: its id, and whether it was made. Raises ``Refused``."""
        values = {name: value for name, value in row.items() if name not in ("attributes", "id")}
        values.pop("Id", None)
        object = row["attributes"]["type"]
        id = str(row.get("id") or row.get("Id") or "")
        self._check(object, values, id)
        if external:
            id = self._bearing(object, external, str(values[external]))
        if not id:
            return self.add(object, **values), True
        held = self.tables[object].get(known_id(id))
        if held is None:
            raise Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if held.get("IsDeleted") is True:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted")
        if held.get("IsConverted") is True:
            raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        self.change(held["Id"], **values)
        return held["Id"], False

    def _bearing(self, object: str, field: str, value: str) -> str:
        rows = self.tables[object].values()
        found = [row["Id"] for row in rows if row.get(field) == value and not row["IsDeleted"]]
        return found[0] if found else ""

    def _check(self, object: str, values: Row, id: str) -> None:
        for name in (id, str(values.get(EXTERNAL)), str(values.get("CallObject"))):
            if name in self.refusing:
                raise self.refusing[name]
        for name, value in values.items():
            if isinstance(value, str) and len(value) > LENGTHS.get(name, 32_000):
                raise Refused("STRING_TOO_LONG", f"{name}: data value too large", (name,))
        if object == "Task" and values.get("Status", STATUSES[0]) not in STATUSES:
            code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
            raise Refused(code, "Status: bad value for restricted picklist field", ("Status",))
        self._references(values)

    def _references(self, values: Row) -> None:
        who = values.get("WhoId")
        if who and values.get("WhatId") and str(who).startswith("00Q"):
            raise Refused("FIELD_INTEGRITY_EXCEPTION", "Related To must be empty", ("WhatId",))
        for name in ("WhoId", "WhatId"):
            given = values.get(name)
            row = self.tables_of(given).get(given) if given else {}
            if row is None:
                raise Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (name,))
            if row.get("IsDeleted") is True:
                raise Refused("ENTITY_IS_DELETED", "entity is deleted", (name,))
            if row.get("IsConverted") is True:
                raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")

    def tables_of(self, id: str) -> dict[str, Row]:
        found = next((name for name, at in PREFIXES.items() if id.startswith(at)), "")
        return self.tables.get(found, {})

    def unknown(self, row: Mapping[str, Any]) -> str:
        """A field of a row that its object has not, or ""."""
        known = self.fields.get(row["attributes"]["type"], set()) | {"attributes", "id", "Id"}
        return next((name for name in row if name not in known), "")
